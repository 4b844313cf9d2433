"""What another library of the cache knows is not decoded and encoded again, unless it is damaged there."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from atlas_rt.core.images import LibraryPlace
from atlas_rt.library.file_content import content_hash
from atlas_rt.library.lock import Lock
from atlas_rt.library.other_libraries import OtherLibraries
from atlas_rt.library.store import CLEANING, StoreReader
from atlas_rt.library.tile_files import TileFiles
from tests.libraries import Library, copy_pictures, index, job_of

KNOWN = 12
MARK_PX = 12_345
"""The width that the other library tells of its images, by which one sees where it was asked."""


@pytest.fixture
def other(indexed: Library, tmp_path: Path) -> Library:
    """The common library in a cache of its own, with a mark."""
    made = indexed.copy(tmp_path / "shared")
    change(made, f"UPDATE images SET width = {MARK_PX}")
    return made


@pytest.fixture
def found(other: Library) -> Iterator[OtherLibraries]:
    with OtherLibraries([other.place], model_id=other.model.id, dim=other.model.dim) as made:
        yield made


@pytest.fixture
def picture(other: Library) -> Path:
    """One of its pictures, whose tiles and vector lie last in their files."""
    return max(other.source.glob("*.webp"))


def change(library: Library, sql: str) -> None:
    with sqlite3.connect(library.place.folder / "library.db") as connection:
        connection.execute(sql)
    connection.close()


def test_images_that_another_library_knows_are_taken_over(
    other: Library, newcomers: list[Path], tmp_path: Path
) -> None:
    shared = sorted(other.source.glob("*.webp"))[:KNOWN]
    job = job_of(copy_pictures([*shared, newcomers[0]], tmp_path / "pictures"), other.cache, fit=False)
    with Lock(other.place) as lock:  # somebody writes it
        assert lock.acquire()
        report = index(job)
    assert (report.images, report.new, report.failed) == (KNOWN + 1, KNOWN + 1, ())
    ours, theirs = stored(job.place), stored(other.place)
    assert ours.keys() == {path.name for path in (*shared, newcomers[0])}
    for path in shared:
        assert ours[path.name].size_px[0] == MARK_PX
        assert ours[path.name] == theirs[path.name]
    assert ours[newcomers[0].name].size_px[0] != MARK_PX


@dataclass(frozen=True)
class Stored:
    """What is stored of an image."""

    size_px: tuple[int, ...]
    mean_rgb: tuple[int, ...]
    aspect: float
    words: tuple[str, ...]
    tile: bytes
    medium: bytes
    vector: bytes


def stored(place: LibraryPlace) -> dict[str, Stored]:
    """Everything that is stored of the images of a library, by name."""
    (file,) = place.folder.glob("starter-*/vectors.f16")
    with StoreReader.open(place.folder) as store:
        catalogue = store.catalogue()
        rows = store.vector_rows(file.parent.name, catalogue.ids)
        words = [tuple(word for word, _ in store.labels(id_)) for id_ in catalogue.ids.tolist()]
        vectors = np.fromfile(file, np.float16).reshape(store.named_vectors(file.parent.name), -1)
    tiles = TileFiles(place.folder)
    return {
        Path(path).name: Stored(
            tuple(catalogue.sizes_px[row].tolist()),
            tuple(catalogue.mean_rgb[row].tolist()),
            float(catalogue.aspects[row]),
            words[row],
            tiles.small([int(catalogue.tiles[row])]).tobytes(),
            tiles.medium_rgba(int(catalogue.tiles[row])).tobytes(),
            vectors[rows[row]].tobytes(),
        )
        for row, path in enumerate(catalogue.paths)
    }


# -- what is damaged ---------------------------------------------------------------------------------------------------


def shorten(file: str) -> Callable[[Library], None]:
    def damage(library: Library) -> None:
        (path,) = library.place.folder.glob(file)
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    return damage


def blank(file: str) -> Callable[[Library], None]:
    def damage(library: Library) -> None:
        (path,) = library.place.folder.glob(file)
        path.write_bytes(b"\0" * path.stat().st_size)

    return damage


def without_numbers(library: Library) -> None:
    (path,) = library.place.folder.glob("*/vectors.f16")
    path.write_bytes(np.full(path.stat().st_size // 2, np.nan, np.float16).tobytes())


def scramble_database(library: Library) -> None:
    (library.place.folder / "library.db").write_bytes(b"damaged beyond recognition" * 200)


def newer(library: Library) -> None:
    change(library, "PRAGMA user_version = 99")


@pytest.mark.parametrize(
    "damage",
    [
        shorten("tiles-32.bin"),
        shorten("tiles-128.bin"),
        shorten("*/vectors.f16"),
        blank("tiles-128.bin"),
        blank("*/vectors.f16"),
        without_numbers,
        scramble_database,
        newer,
        lambda library: (library.place.folder / "tiles-32.bin").unlink(),
        lambda library: (library.place.folder / "library.db").unlink(),
    ],
)
def test_what_is_damaged_there_counts_as_unknown(
    other: Library, found: OtherLibraries, picture: Path, damage: Callable[[Library], None]
) -> None:
    damage(other)
    assert found.find(content_hash(picture.read_bytes())) is None


def test_an_older_library_is_asked_too(other: Library, found: OtherLibraries, picture: Path) -> None:
    change(other, "PRAGMA user_version = 1")
    taken = found.find(content_hash(picture.read_bytes()))
    assert taken is not None
    assert taken.width_px == MARK_PX
    assert found.find(content_hash(b"unknown")) is None


def test_what_is_replaced_while_it_is_read_is_not_taken(
    other: Library, found: OtherLibraries, picture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `library clean` does."""
    known = StoreReader.known

    def renewed(*words: object) -> object:
        answer = known(*words)  # type: ignore[arg-type]
        tiles = other.place.folder / "tiles-128.bin"
        beside = tiles.with_name("new")
        beside.write_bytes(tiles.read_bytes())
        beside.replace(tiles)
        return answer

    monkeypatch.setattr(StoreReader, "known", renewed)
    assert found.find(content_hash(picture.read_bytes())) is None


def test_a_library_that_is_being_cleaned_is_not_asked(other: Library, found: OtherLibraries, picture: Path) -> None:
    """Its rows have new numbers, and its files may not."""
    change(other, f"INSERT INTO settings VALUES ('{CLEANING}', 'x')")
    assert found.find(content_hash(picture.read_bytes())) is None
