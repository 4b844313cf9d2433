"""The thread that decodes pictures to look at whole."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from atlas_rt.core.look import LookTile, Opened, PictureKey, TileKey
from atlas_rt.core.look_view import TilePlace
from atlas_rt.workers.whole_pictures import WholePictureWorker, Wish
from tests.libraries import PICTURES, wait_for


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[WholePictureWorker]:
    worker = WholePictureWorker(tmp_path)
    yield worker
    worker.close()
    assert not worker._thread.is_alive()


def told(worker: WholePictureWorker) -> Opened | LookTile:
    found: Opened | LookTile = wait_for(lambda: next(worker.drain(budget_secs=0.0), None))
    return found


def wish_for(*pictures: tuple[int, Path], tiles: tuple[TileKey, ...] = (), look: int = 1) -> Wish:
    named = tuple((PictureKey(id_, id_), str(path)) for id_, path in pictures)
    return Wish(named, tiles, {key: look for key, _ in named})


def test_a_picture_is_opened_once_and_cut_as_wanted(worker: WholePictureWorker, tmp_path: Path) -> None:
    Image.new("RGB", (1200, 600), (9, 99, 199)).save(tmp_path / "one.png")
    worker.want(wish_for((7, tmp_path / "one.png")))
    key = PictureKey(7, 7)
    assert told(worker) == Opened(key, (1200, 600), 0, 2)
    (tmp_path / "one.png").unlink()  # it is shown until it is left
    worker.want(Wish(((key, str(tmp_path / "one.png")),), (TileKey(key, TilePlace(0, 2, 1)),)))
    tile = told(worker)
    assert isinstance(tile, LookTile)
    assert tile.key.place == TilePlace(0, 2, 1)
    assert (tile.pixels[..., :3] == (9, 99, 199)).all()


def test_whoever_missed_what_was_told_is_told_again(worker: WholePictureWorker) -> None:
    """Stepping on and back at once: the thread never heard of the step."""
    worker.want(wish_for((1, PICTURES[0])))
    opened = told(worker)
    worker.want(wish_for((1, PICTURES[0])))
    assert told(worker) == opened


def test_one_that_cannot_be_shown_is_told_with_its_reason_and_the_next_comes(
    worker: WholePictureWorker, tmp_path: Path
) -> None:
    (tmp_path / "broken.jpg").write_text("no picture")
    worker.want(wish_for((1, tmp_path / "broken.jpg"), (2, tmp_path / "gone.jpg"), (3, PICTURES[0])))
    broken, gone, sound = (told(worker) for _ in range(3))
    assert isinstance(broken, Opened)
    assert isinstance(gone, Opened)
    assert isinstance(sound, Opened)
    assert (broken.error, gone.error) == ("it is not a picture in a known format", "it is no longer there")
    assert sound.error == ""
    assert worker.trouble == ""


def test_one_that_could_not_be_shown_is_tried_again_at_the_next_look(
    worker: WholePictureWorker, tmp_path: Path
) -> None:
    """Left and looked at again at once, the thread never hears that it was left."""
    worker.want(wish_for((1, tmp_path / "late.png")))
    missed = told(worker)
    assert isinstance(missed, Opened)
    assert missed.error == "it is no longer there"
    Image.new("RGB", (40, 30)).save(tmp_path / "late.png")
    worker.want(wish_for((1, tmp_path / "late.png")))
    assert told(worker) == missed
    worker.want(wish_for((1, tmp_path / "late.png"), look=2))
    assert told(worker) == Opened(PictureKey(1, 1), (40, 30), 0, 0)


def test_only_the_newest_counts_while_a_large_one_is_decoded(worker: WholePictureWorker, tmp_path: Path) -> None:
    speckled = np.random.default_rng(3).integers(0, 255, (500, 500, 3), np.uint8)
    Image.fromarray(np.tile(speckled, (12, 12, 1))).save(tmp_path / "large.jpg")
    worker.want(wish_for((1, tmp_path / "large.jpg")))
    wait_for(lambda: worker._wishes.peek() is None)  # it has begun
    for id_, picture in enumerate(PICTURES[:5], start=2):
        worker.want(wish_for((id_, picture)))
    newest = told(worker)
    assert isinstance(newest, Opened)
    while newest.picture.id != 6:
        assert newest.picture.id != 1
        newest = told(worker)  # type: ignore[assignment]
