"""Tiles for the cards that are near."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from atlas_rt.core.images import Tile
from atlas_rt.library.tile_files import TileFiles
from atlas_rt.library.tile_making import load_large
from atlas_rt.workers import tiles
from atlas_rt.workers.scenes import Arrival
from atlas_rt.workers.tiles import ARRIVALS_MAX, TileWorker, Want
from atlas_rt.workers.worker import State
from tests.libraries import Library, wait_for

MEDIUM, LARGE = 1, 2
Open = Callable[..., TileWorker]


@pytest.fixture
def open_service(library: Library) -> Iterator[Open]:
    """Opens a service on a copy of the library; closes it afterwards."""
    opened: list[TileWorker] = []

    def make(*, threads: int = 2) -> TileWorker:
        opened.append(TileWorker(library.place, threads=threads))
        return opened[-1]

    yield make
    for worker in opened:
        worker.close()
        assert {worker.state for worker in worker.workers} == {State.STOPPED}


def wants(arrival: Arrival, level: int, rows: range) -> list[Want]:
    scene = arrival.scene
    return [(int(scene.ids[row]), level, int(scene.tiles[row]), scene.paths[row]) for row in rows]


def drained(worker: TileWorker, count: int) -> list[Tile]:
    """The next tiles to come."""
    found: list[Tile] = []

    def enough() -> bool:
        found.extend(worker.drain(budget_secs=0.01))
        return len(found) >= count

    wait_for(enough, why=f"{count} tiles")
    return found


def test_a_medium_tile_comes_from_the_library_with_all_its_halves(
    open_service: Open, arrival: Arrival, library: Library
) -> None:
    worker = open_service()
    worker.want(wants(arrival, MEDIUM, range(5, 6)))
    (tile,) = drained(worker, 1)
    assert (tile.id, tile.level) == (arrival.scene.ids[5], MEDIUM)
    assert [mip.shape for mip in tile.mips] == [(side, side, 4) for side in (128, 64, 32, 16, 8, 4, 2, 1)]
    assert all(mip.flags.c_contiguous and mip.dtype == np.uint8 for mip in tile.mips)
    assert np.array_equal(tile.mips[0], TileFiles(library.place.folder).medium_rgba(int(arrival.scene.tiles[5])))


def test_a_large_tile_comes_from_the_image_itself(open_service: Open, arrival: Arrival) -> None:
    worker = open_service()
    (wanted,) = wants(arrival, LARGE, range(5, 6))
    worker.want([wanted])
    (tile,) = drained(worker, 1)
    assert (tile.id, tile.record, tile.level) == (wanted[0], wanted[2], LARGE)
    assert tile.mips[0].shape == (512, 512, 4)
    assert len(tile.mips) == 10
    assert np.array_equal(tile.mips[0], load_large(wanted[3]))


def test_a_file_that_is_another_picture_by_now_gives_no_large_tile(
    open_service: Open, arrival: Arrival, tmp_path: Path
) -> None:
    """It was overwritten, or has changed names with another, and the library does not know it yet."""
    Image.new("RGB", (800, 600), (10, 200, 30)).save(tmp_path / "green.png")
    worker = open_service()
    (wanted,) = wants(arrival, LARGE, range(5, 6))
    worker.want([(*wanted[:3], str(tmp_path / "green.png"))])
    wait_for(lambda: len(worker._failed) == 1)
    assert list(worker.drain(budget_secs=0.01)) == []


def test_a_file_that_comes_back_gives_its_tile_after_a_while(
    open_service: Open, arrival: Arrival, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The drive was away for a moment."""
    monkeypatch.setattr(tiles, "RETRY_SECS", 0.2)
    (wanted,) = wants(arrival, LARGE, range(5, 6))
    away = (*wanted[:3], str(tmp_path / "away.webp"))
    worker = open_service()
    worker.want([away])
    wait_for(lambda: len(worker._failed) == 1)
    shutil.copy(wanted[3], tmp_path / "away.webp")
    found: list[Tile] = []
    wait_for(lambda: worker.want([away]) or found.extend(worker.drain(budget_secs=0.01)) or found)


def test_the_nearest_comes_first(open_service: Open, arrival: Arrival) -> None:
    worker = open_service(threads=1)
    wanted = wants(arrival, MEDIUM, range(40))
    worker.want(wanted)
    assert [tile.id for tile in drained(worker, 40)] == [want[0] for want in wanted]


def test_what_is_no_longer_wanted_is_not_fetched(open_service: Open, arrival: Arrival) -> None:
    """A flight past a hundred cards, then one where it ends."""
    worker = open_service(threads=1)
    worker.want(wants(arrival, LARGE, range(100)))
    worker.want(wants(arrival, MEDIUM, range(120, 121)))
    found: list[Tile] = []
    last = arrival.scene.ids[120]
    wait_for(lambda: found.extend(worker.drain(budget_secs=0.01)) or last in [tile.id for tile in found])
    assert len(found) <= 2  # at most the one that was already in work
    time.sleep(0.05)
    assert list(worker.drain(budget_secs=0.01)) == []


def test_a_tile_in_work_is_not_fetched_twice(open_service: Open, arrival: Arrival) -> None:
    worker = open_service()
    for _ in range(20):
        worker.want(wants(arrival, MEDIUM, range(3)))
        time.sleep(0.002)
    found = drained(worker, 3)
    time.sleep(0.05)
    found += worker.drain(budget_secs=0.01)
    assert sorted(tile.id for tile in found) == arrival.scene.ids[:3].tolist()
    worker.want(wants(arrival, MEDIUM, range(3)))  # the card left, and comes back
    assert len(drained(worker, 3)) == 3


def test_a_tile_that_cannot_be_had_is_not_asked_for_again_and_stops_no_other(
    open_service: Open, arrival: Arrival, tmp_path: Path
) -> None:
    (tmp_path / "broken.png").write_text("no picture")
    broken = (1001, LARGE, 0, str(tmp_path / "broken.png"))
    gone = (1002, LARGE, 0, str(tmp_path / "gone.png"))
    beyond = (1003, MEDIUM, 99_999, "")
    worker = open_service()
    worker.want([broken, gone, beyond, *wants(arrival, MEDIUM, range(2))])
    assert sorted(tile.id for tile in drained(worker, 2)) == arrival.scene.ids[:2].tolist()
    wait_for(lambda: len(worker._failed) == 3)
    Image.new("RGB", (9, 9)).save(tmp_path / "gone.png")
    worker.want([broken, gone, beyond])
    time.sleep(0.05)
    assert list(worker.drain(budget_secs=0.01)) == []


def test_a_damaged_record_gives_no_tile(open_service: Open, arrival: Arrival, library: Library) -> None:
    record = int(arrival.scene.tiles[3])
    with (library.place.folder / "tiles-128.bin").open("r+b") as file:
        file.seek(record * 8192)
        file.write(bytes(8192))
    worker = open_service()
    worker.want(wants(arrival, MEDIUM, range(2, 5)))
    assert sorted(tile.id for tile in drained(worker, 2)) == arrival.scene.ids[[2, 4]].tolist()


def test_a_window_that_takes_nothing_is_not_flooded_and_closes_at_once(open_service: Open, arrival: Arrival) -> None:
    worker = open_service()
    worker.want(wants(arrival, MEDIUM, range(138)))
    wait_for(lambda: len(worker._busy) == ARRIVALS_MAX + 2)  # a full inbox, and a tile in the hand of each thread
    time.sleep(0.05)
    assert len(worker._busy) == ARRIVALS_MAX + 2
    begun = time.monotonic()
    worker.close()
    assert time.monotonic() - begun < 1.0
