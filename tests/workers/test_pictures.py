"""The selected image's full picture."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from atlas_rt.workers.pictures import PICTURE_PX, DecodedPicture, PictureWorker
from tests.libraries import PICTURES, wait_for


@pytest.fixture
def worker() -> Iterator[PictureWorker]:
    worker = PictureWorker()
    yield worker
    worker.close()
    assert not worker._thread.is_alive()


def shown(worker: PictureWorker, id_: int, path: Path) -> DecodedPicture:
    worker.ask(id_, str(path))
    picture: DecodedPicture = wait_for(worker.take)
    return picture


def test_a_picture_comes_as_it_is_where_it_fits(worker: PictureWorker, tmp_path: Path) -> None:
    colours = np.random.default_rng(1).integers(0, 255, (30, 40, 3), np.uint8)
    Image.fromarray(colours).save(tmp_path / "small.png")
    picture = shown(worker, 7, tmp_path / "small.png")
    assert (picture.id, picture.error) == (7, "")
    assert picture.pixels is not None
    assert np.array_equal(picture.pixels[..., :3], colours)
    assert (picture.pixels[..., 3] == 255).all()


def test_a_large_one_is_reduced_to_what_the_panel_shows(worker: PictureWorker, tmp_path: Path) -> None:
    Image.new("RGB", (3000, 1500), (200, 10, 10)).save(tmp_path / "large.jpg")
    picture = shown(worker, 8, tmp_path / "large.jpg")
    assert picture.pixels is not None
    assert picture.pixels.shape == (PICTURE_PX // 2, PICTURE_PX, 4)


def test_one_that_cannot_be_read_is_told_with_its_reason(worker: PictureWorker, tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_text("no picture")
    for name, reason in (
        ("broken.png", "it is not a picture in a known format"),
        ("gone.png", "it is no longer there"),
    ):
        picture = shown(worker, 9, tmp_path / name)
        assert (picture.pixels, picture.error) == (None, reason)
    assert shown(worker, 10, PICTURES[0]).error == ""


def test_the_newest_one_asked_for_comes_last(worker: PictureWorker) -> None:
    for id_, path in enumerate(PICTURES[:30]):
        worker.ask(id_, str(path))
    begun = time.monotonic()
    wait_for(lambda: (picture := worker.take()) and picture.id == 29)
    assert time.monotonic() - begun < 2.0
