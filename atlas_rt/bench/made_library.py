"""A library whose files are told of but not there: names, folders, cameras, keywords, captions and labels of so many
images, the same each time. What a search as text is measured with."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from pathlib import Path

from atlas_rt.core.images import LibraryPlace
from atlas_rt.core.metadata import ORIGINAL, Metadata
from atlas_rt.library.changes import Todo
from atlas_rt.library.metadata.file_metadata import FileMetadata
from atlas_rt.library.scanning import Scan
from atlas_rt.library.store_writer import Ready, StoreWriter
from atlas_rt.library.walking import FoundFile

SOURCE = "/made"
CAMERAS = ("Canon EOS 5D Mark III", "NIKON D750", "CONTAX T3", "Apple iPhone 12 Pro", "FUJIFILM X100V", "SONY ILCE-7M3")
PEOPLE = ("grandma", "grandpa", "Anna", "Ben", "Café Central", "wedding", "garden party", "first day of school")
PLACES = ("lisbon", "beach", "alps", "garden", "berlin", "lake", "office", "holiday")
TOGETHER = 2000


def make_library(folder: Path, images: int, *, words: tuple[str, ...], model: str) -> LibraryPlace:
    """words: what captions and labels are made of. 100,000 images: 25 s."""
    place, chance = LibraryPlace(folder, (SOURCE,)), random.Random(0)
    files = tuple(
        FoundFile(f"{SOURCE}/{2000 + i * 25 // images}/{PLACES[i // 300 % len(PLACES)]}/IMG_{i:05}.jpg", 4_000_000, i)
        for i in range(images)
    )
    with StoreWriter.open(folder) as store:
        todo = store.reconcile(Scan(files=files, unreadable=(), skipped=0), model, place.sources).todo
        for start in range(0, images, TOGETHER):
            part = todo[start : start + TOGETHER]
            labels = {each.id: [(word, 0.3) for word in chance.sample(words, 3)] for each in part}
            ready = [_ready(each, start + i, chance, words) for i, each in enumerate(part)]
            store.commit(model, ready, labels=labels)
        while store.renew_texts():
            pass
    return place


def _ready(todo: Todo, number: int, chance: random.Random, words: tuple[str, ...]) -> Ready:
    metadata = FileMetadata(_metadata(number, chance, words))
    facts = (4000, 3000, (9, 9, 9), 4 / 3, 0, 0, "", metadata)
    return Ready(todo.id, todo.path, todo.size, todo.mtime_ns, b"%16d" % todo.id, *facts)


def _metadata(number: int, chance: random.Random, words: tuple[str, ...]) -> Metadata:
    """One in five has keywords, one in three a caption."""
    year, month = 2000 + number % 300 // 12, number % 12 + 1
    return Metadata(
        taken=f"{year}-{month:02}-04T12:30:00",
        taken_secs=datetime(year, month, 4, tzinfo=UTC).timestamp(),
        taken_from=ORIGINAL,
        camera=chance.choice(CAMERAS),
        lens="50mm f/1.4",
        keywords=tuple(chance.sample(PEOPLE, 2)) if number % 5 == 0 else (),
        caption=f"A {chance.choice(words)} and a {chance.choice(words)}" if number % 3 == 0 else "",
    )
