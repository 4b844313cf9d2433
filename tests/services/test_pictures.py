"""The selected image's full picture."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from atlas_rt.services.pictures import PICTURE_PX, Picture, PictureService
from tests.libraries import PICTURES, wait_for


@pytest.fixture
def service() -> Iterator[PictureService]:
    service = PictureService()
    yield service
    service.close()
    assert not service._thread.is_alive()


def shown(service: PictureService, id_: int, path: Path) -> Picture:
    service.ask(id_, str(path))
    picture: Picture = wait_for(service.take)
    return picture


def test_a_picture_comes_as_it_is_where_it_fits(service: PictureService, tmp_path: Path) -> None:
    colours = np.random.default_rng(1).integers(0, 255, (30, 40, 3), np.uint8)
    Image.fromarray(colours).save(tmp_path / "small.png")
    picture = shown(service, 7, tmp_path / "small.png")
    assert (picture.id, picture.error) == (7, "")
    assert picture.pixels is not None
    assert np.array_equal(picture.pixels[..., :3], colours)
    assert (picture.pixels[..., 3] == 255).all()


def test_a_large_one_is_reduced_to_what_the_panel_shows(service: PictureService, tmp_path: Path) -> None:
    Image.new("RGB", (3000, 1500), (200, 10, 10)).save(tmp_path / "large.jpg")
    picture = shown(service, 8, tmp_path / "large.jpg")
    assert picture.pixels is not None
    assert picture.pixels.shape == (PICTURE_PX // 2, PICTURE_PX, 4)


def test_one_that_cannot_be_read_is_told_with_its_reason(service: PictureService, tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_text("no picture")
    for name, reason in (
        ("broken.png", "it is not a picture in a known format"),
        ("gone.png", "it is no longer there"),
    ):
        picture = shown(service, 9, tmp_path / name)
        assert (picture.pixels, picture.error) == (None, reason)
    assert shown(service, 10, PICTURES[0]).error == ""


def test_the_newest_one_asked_for_comes_last(service: PictureService) -> None:
    for id_, path in enumerate(PICTURES[:30]):
        service.ask(id_, str(path))
    begun = time.monotonic()
    wait_for(lambda: (picture := service.take()) and picture.id == 29)
    assert time.monotonic() - begun < 2.0
