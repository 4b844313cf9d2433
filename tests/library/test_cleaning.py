"""What is away leaves the disk for good, whole or not at all, whenever the program dies on the way."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from atlas_rt.core.images import SMALL_TILE_PX, LibraryPlace
from atlas_rt.core.maps import Cluster, Map
from atlas_rt.errors import UsageError
from atlas_rt.library import cleaning, maps
from atlas_rt.library.cleaning import clean, finish_cleaning
from atlas_rt.library.database import Database
from atlas_rt.library.file_content import content_hash
from atlas_rt.library.lock import Lock
from atlas_rt.library.scanning import Scan
from atlas_rt.library.store import StoreReader
from atlas_rt.library.store_cleaner import StoreCleaner
from atlas_rt.library.store_writer import Ready, StoreWriter
from atlas_rt.library.tile_files import TileFiles, TileSet
from atlas_rt.library.vectors import VectorFile
from atlas_rt.library.walking import FoundFile

MODEL, DIM = "model-1", 4
NAMES = "abcdef"
AWAY = "bd"
Facts = dict[str, tuple[int, int, int, tuple[float, ...]]]
"""Name -> id, the colour of its small and the first byte of its medium tile, its vector."""


def scan_of(names: str) -> Scan:
    return Scan(tuple(FoundFile(f"/photos/{name}", ord(name), 1) for name in names), 0, ())


def index(place: LibraryPlace, names: str) -> None:
    """As an engine does, with tiles and vectors by which each file is known."""
    with StoreWriter.open(place.folder) as store:
        store.note_dim(MODEL, DIM)
        plan = store.reconcile(scan_of(names), MODEL)
        tiles = TileFiles(place.folder, writable=True, count=store.named_tiles())
        (place.folder / MODEL).mkdir(exist_ok=True)
        path = place.folder / MODEL / "vectors.f16"
        vectors = VectorFile(path, DIM, writable=True, rows=store.named_vectors(MODEL))
        for todo in plan.todo:
            number = ord(todo.path[-1])
            small = np.full((SMALL_TILE_PX, SMALL_TILE_PX, 3), number, np.uint8)
            tile = tiles.append([TileSet(small, bytes([number]), (number, 0, 0), 1.0)])
            row = vectors.append(np.full((1, DIM), number, np.float32))
            facts = (content_hash(bytes([number])), 4, 3, (1, 2, 3), 4 / 3, tile, row)
            labels = {todo.id: [("word", 0.5)]}
            store.commit(MODEL, [Ready(todo.id, todo.path, ord(todo.path[-1]), 1, *facts)], labels=labels)


def map_of(ids: list[int], rows: list[int], *, generation: int, fit: int) -> Map:
    """A map where the image of id k stands at (k, fit, 0); all are joined in a row, the first two stack."""
    n = len(ids)
    return Map(
        ids=np.array(ids, np.int64),
        rows=np.array(rows, np.int32),
        positions=np.array([(id_, fit, 0) for id_ in ids], np.float32),
        edges=np.array([(row, row + 1) for row in range(n - 1)], np.int32),
        weights=np.ones(n - 1, np.float32),
        clusters=np.array([id_ % 2 for id_ in ids], np.int32),
        fitted=np.ones(n, np.bool_),
        cluster_records=tuple(
            Cluster(odd, "name", "", "user", n // 2, tuple(id_ for id_ in ids if id_ % 2 == odd), (), (0.0, 0.0, 0.0))
            for odd in (0, 1)
        ),
        generation=generation,
        kind=maps.FIT,
        model=MODEL,
        seed=1,
        fit=fit,
        stacks=np.array([ids[0], ids[0], *ids[2:]], np.int64),
    )


@pytest.fixture
def place(tmp_path: Path) -> LibraryPlace:
    """Six images with two maps of them; the second and the fourth are away."""
    place = LibraryPlace(tmp_path / "library", ("/photos",))
    index(place, NAMES)
    for fit in (1, 2):
        maps.write_map(place.folder / MODEL, map_of([1, 2, 3, 4, 5, 6], list(range(6)), generation=fit, fit=fit))
    (place.folder / MODEL / "search-6.ivf").write_bytes(b"made of the old rows")
    index(place, "".join(name for name in NAMES if name not in AWAY))
    return place


def away_of(place: LibraryPlace) -> list[int]:
    with StoreReader.open(place.folder) as store:
        return store.away_ids().tolist()


def facts_of(place: LibraryPlace) -> Facts:
    """What is known of the images that are shown."""
    with StoreReader.open(place.folder) as store:
        catalogue = store.catalogue(MODEL)
        rows = store.vector_rows(MODEL, catalogue.ids)
        tiles = TileFiles(place.folder, count=store.named_tiles())
        vectors = VectorFile(place.folder / MODEL / "vectors.f16", DIM, rows=store.named_vectors(MODEL)).array()
    medium = np.fromfile(place.folder / "tiles-128.bin", np.uint8).reshape(-1, 8192)
    return {
        path[-1]: (id_, int(tiles.small([tile]).flat[0]), int(medium[tile, 2]), tuple(vectors[row].tolist()))
        for id_, path, tile, row in zip(catalogue.ids.tolist(), catalogue.paths, catalogue.tiles, rows, strict=True)
    }


def expected(names: str, ids: list[int]) -> Facts:
    return {name: (id_, ord(name), ord(name), (float(ord(name)),) * DIM) for id_, name in zip(ids, names, strict=True)}


def test_tiles_vectors_rows_and_places_of_what_is_away_leave_the_disk(place: LibraryPlace) -> None:
    before = sum(path.stat().st_size for path in place.folder.rglob("*") if path.is_file())
    cleaned = clean(place, np.array([2, 4]))
    after = sum(path.stat().st_size for path in place.folder.rglob("*") if path.is_file())
    assert cleaned.bytes_freed == before - after > 2 * 8192
    assert (cleaned.images, away_of(place)) == (2, [])
    assert facts_of(place) == expected("acef", [1, 3, 5, 6])
    assert (place.folder / "tiles-32.bin").stat().st_size == 4 * 3072
    assert (place.folder / MODEL / "vectors.f16").stat().st_size == 4 * DIM * 2
    database = (place.folder / "library.db").read_bytes()
    assert b"/photos/a" in database
    assert b"/photos/b" not in database
    assert not list(place.folder.glob("library.db-wal")) or not (place.folder / "library.db-wal").stat().st_size
    assert {path.name for path in (place.folder / MODEL).iterdir()} == {"vectors.f16", "map-3", "map-4"}
    assert not (place.folder / cleaning.BESIDE).exists()


def test_the_maps_that_one_can_go_back_to_go_on_without_them(place: LibraryPlace) -> None:
    made = [each.made_secs for each in maps.kept(place.folder / MODEL)]
    clean(place, np.array([2, 4]))
    for generation, fit in ((3, 1), (4, 2)):
        map_ = maps.read_map(place.folder / MODEL, generation)
        assert (map_.ids.tolist(), map_.rows.tolist()) == ([1, 3, 5, 6], [0, 1, 2, 3])
        assert map_.positions.tolist() == [[id_, fit, 0] for id_ in (1, 3, 5, 6)]
        assert map_.edges.tolist() == [[2, 3]]
        assert map_.stacks.tolist() == [1, 3, 5, 6]
        assert [(each.id, each.size, each.exemplars) for each in map_.cluster_records] == [
            (0, 1, (6,)),
            (1, 3, (1, 3, 5)),
        ]
    assert [each.made_secs for each in maps.kept(place.folder / MODEL)] == made


def test_ids_are_not_given_again_and_what_comes_back_is_new(place: LibraryPlace) -> None:
    index(place, "abcde")
    clean(place, np.array(away_of(place)))  # the highest id of all
    index(place, "abcdefg")
    facts = facts_of(place)
    assert [facts[name][0] for name in "abcdefg"] == [1, 2, 3, 4, 5, 7, 8]
    assert {name: fact[1:] for name, fact in facts.items()} == {
        name: fact[1:] for name, fact in expected("abcdefg", [0] * 7).items()
    }


def test_records_that_another_image_shares_stay(place: LibraryPlace) -> None:
    """As copies do."""
    with StoreWriter.open(place.folder) as store:
        store.database.write("UPDATE images SET tile = 1 WHERE id = ?", [(6,)])
        store.database.write("UPDATE vectors SET row = 1 WHERE image_id = ?", [(6,)])
    clean(place, np.array([2, 4]))
    assert facts_of(place)["f"][1:] == expected("b", [6])["b"][1:]


def test_only_what_is_still_away_is_forgotten(place: LibraryPlace) -> None:
    index(place, "abcef")
    assert clean(place, np.array([2, 4])).images == 1
    assert facts_of(place) == expected("abcef", [1, 2, 3, 5, 6])
    assert clean(place, np.array([2, 4])).images == 0


def test_all_images_may_be_forgotten(place: LibraryPlace) -> None:
    index(place, "")
    assert clean(place, np.array(away_of(place))).images == 6
    assert facts_of(place) == {}
    (generation,) = maps.generations(place.folder / MODEL)
    assert generation > 2
    assert len(maps.read_map(place.folder / MODEL, generation).ids) == 0


def test_vectors_of_unknown_length_stay_as_they_are(place: LibraryPlace) -> None:
    """Of a model that was last used by version 0.1.0."""
    with StoreWriter.open(place.folder) as store:
        store.database.write("DELETE FROM settings WHERE key LIKE ?", [("dimensions%",)])
    clean(place, np.array([2, 4]))
    assert facts_of(place) == expected("acef", [1, 3, 5, 6])
    assert maps.read_map(place.folder / MODEL, 4).rows.tolist() == [0, 2, 4, 5]


def test_a_library_that_is_open_elsewhere_is_not_cleaned(place: LibraryPlace) -> None:
    with Lock(place) as lock:
        assert lock.acquire()
        with pytest.raises(UsageError, match="The library is open in "):
            clean(place, np.array([2, 4]))
    assert away_of(place) == [2, 4]


def test_a_full_disk_forgets_nothing(place: LibraryPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    from atlas_rt.errors import MissingError

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(maps, "write_map", full)
    with pytest.raises(MissingError, match="The disk is full; everything found so far is kept"):
        clean(place, np.array([2, 4]))
    assert not (place.folder / cleaning.BESIDE).exists()
    assert (away_of(place), facts_of(place)) == ([2, 4], expected("acef", [1, 3, 5, 6]))


POINTS: list[tuple[Any, str, int]] = [
    *((cleaning, "copy_records", call) for call in (1, 3)),
    (maps, "write_map", 2),
    *((StoreCleaner, "forget", when) for when in (0, 1)),
    *((cleaning, "_move", call) for call in (0, 1, 2, 3, 4)),
    *((Database, "shrink", when) for when in (0, 1)),
    (StoreWriter, "set_setting", 1),
]
"""Where the program dies: in which function, after so many of its calls (with 0 before the first)."""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a process that dies midway is forked")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(("owner", "name", "calls"), POINTS, ids=[f"{name}-{calls}" for _, name, calls in POINTS])
def test_a_program_that_dies_midway_loses_nothing(
    place: LibraryPlace, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, calls: int
) -> None:
    def dying(real: Callable[..., Any]) -> Callable[..., Any]:
        done = 0

        def call(*arguments: Any, **named: Any) -> Any:
            nonlocal done
            if done == calls:
                os._exit(9)
            result, done = real(*arguments, **named), done + 1
            if done == calls:
                os._exit(9)
            return result

        return call

    child = os.fork()
    if not child:
        setattr(owner, name, dying(getattr(owner, name)))
        clean(place, np.array([2, 4]))
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    with StoreReader.open(place.folder) as store:
        noted = bool(store.cleaning)
    with StoreWriter.open(place.folder) as store:
        assert finish_cleaning(place.folder, store) == noted
        assert not store.cleaning
    assert not (place.folder / cleaning.BESIDE).exists()
    assert facts_of(place) == expected("acef", [1, 3, 5, 6])
    done = away_of(place) == []
    newest = maps.read_latest(place.folder / MODEL)
    assert newest is not None
    assert newest.ids.tolist() == ([1, 3, 5, 6] if done else [1, 2, 3, 4, 5, 6])
    assert clean(place, np.array([2, 4])).images == (0 if done else 2)
    assert facts_of(place) == expected("acef", [1, 3, 5, 6])
