"""Pictures that are looked at whole: upright tiles in full resolution, within bounds of memory."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from atlas_rt.core.arrays import Bytes
from atlas_rt.core.look_view import TILE_PX, TilePlace, level_size
from atlas_rt.errors import DecodeError
from atlas_rt.library import whole_picture
from atlas_rt.library.decoding import paged_image
from atlas_rt.library.decoding.decode import UPRIGHT, read_image
from atlas_rt.library.tile_making import SLATE
from atlas_rt.library.whole_picture import AbandonedError, WholePicture, open_whole

SIZE = (1100, 700)
Open = Callable[..., WholePicture]


@pytest.fixture
def open_(tmp_path: Path) -> Open:
    def opened(data: bytes, suffix: str = ".png", **limits: object) -> WholePicture:
        return open_whole(data, suffix=suffix, folder=tmp_path, **limits)  # type: ignore[arg-type]

    return opened


def noise(size: tuple[int, int] = SIZE) -> Image.Image:
    """Colours that change slowly enough for JPEG, and are another at each place."""
    x, y = np.meshgrid(np.linspace(0, 255, size[0]), np.linspace(0, 255, size[1]))
    return Image.fromarray(np.stack([x, y, 255 - x], axis=-1).astype(np.uint8))


def file_of(image: Image.Image, format_: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, format_, **options)
    return file.getvalue()


def joined(picture: WholePicture, level: int = 0) -> Bytes:
    """(h, w, 3) a level, put together from its tiles."""
    width, height = level_size(picture.size_px, level)
    whole = np.zeros((height, width, 3), np.uint8)
    for row in range(-(-height // TILE_PX)):
        for column in range(-(-width // TILE_PX)):
            tile = picture.cut(TilePlace(level, column, row))
            high, wide = tile.pixels.shape[:2]
            left, top, right, bottom = (round(s * n) for s, n in zip(tile.inner, (wide, high) * 2, strict=True))
            part = whole[row * TILE_PX :, column * TILE_PX :]
            assert (tile.pixels[..., 3] == 255).all()
            part[: bottom - top, : right - left] = tile.pixels[top:bottom, left:right, :3]
    return whole


@pytest.mark.parametrize("orientation", range(1, 9))
def test_tiles_are_upright_whatever_the_file_says(open_: Open, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = noise()
    upright = stored.transpose(UPRIGHT[orientation]) if orientation in UPRIGHT else stored
    picture = open_(file_of(stored, "PNG", exif=exif))
    assert picture.size_px == upright.size
    assert np.array_equal(joined(picture), np.asarray(upright))


def test_each_level_is_half_the_one_before_and_the_last_is_one_tile(open_: Open) -> None:
    picture = open_(file_of(noise(), "PNG"))
    assert (picture.first, picture.last) == (0, 2)
    whole = joined(picture).astype(float)
    half = joined(picture, 1).astype(float)
    assert half.shape == (350, 550, 3)
    assert np.abs(half - (whole[::2, ::2] + whole[1::2, 1::2]) / 2).max() < 3
    assert picture.cut(TilePlace(picture.last, 0, 0)).pixels.shape == (175, 275, 4)


def test_a_tile_has_a_border_of_its_neighbours(open_: Open) -> None:
    tile = open_(file_of(noise(), "PNG")).cut(TilePlace(0, 1, 0))
    assert tile.pixels.shape == (TILE_PX + 1, TILE_PX + 2, 4)
    assert tile.inner == pytest.approx((1 / 514, 0.0, 513 / 514, 512 / 513))


@pytest.mark.parametrize("size", [(1, 30000), (30000, 1), (1, 1)])
def test_lines_and_points_are_pictures_too(open_: Open, size: tuple[int, int]) -> None:
    picture = open_(file_of(Image.new("RGB", size, (200, 40, 10)), "PNG"))
    assert picture.size_px == size
    assert max(level_size(size, picture.last)) <= TILE_PX
    assert (picture.cut(TilePlace(picture.last, 0, 0)).pixels[..., 0] == 200).all()


def test_every_kind_of_pixels_is_shown_as_srgb(open_: Open) -> None:
    deep = Image.fromarray(np.full((40, 60), 128 * 257, np.uint16))
    clear = Image.new("RGBA", (60, 40), (250, 250, 0, 0))
    clear.paste((0, 200, 0, 255), (0, 0, 30, 40))
    film = [Image.new("P", (60, 40), index) for index in (0, 1)]
    for frame in film:
        frame.putpalette([10, 20, 200, 200, 20, 10])
    for data, left, right in (
        (file_of(deep, "PNG"), (128, 128, 128), (128, 128, 128)),
        (file_of(clear, "PNG"), (0, 200, 0), SLATE),
        (file_of(Image.new("CMYK", (60, 40), (0, 0, 0, 0)), "JPEG"), (255, 255, 255), (255, 255, 255)),
        (film_file(film), (10, 20, 200), (10, 20, 200)),
    ):
        pixels = joined(open_(data)).astype(int)
        assert np.abs(pixels[:, 5] - left).max() <= 4
        assert np.abs(pixels[:, -5] - right).max() <= 4


def film_file(frames: list[Image.Image]) -> bytes:
    file = io.BytesIO()
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:])
    return file.getvalue()


@pytest.mark.parametrize("format_", ["JPEG", "PNG"])
def test_a_large_picture_lies_in_a_file_that_nobody_sees_and_is_the_same(
    open_: Open, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, format_: str
) -> None:
    made: list[tuple[int, int]] = []
    paged = whole_picture.paged_image

    def noted(mode: str, size: tuple[int, int], folder: Path) -> Image.Image:
        made.append(size)
        return paged(mode, size, folder)

    data = file_of(noise((2300, 1501)), format_)
    in_memory = joined(open_(data))
    monkeypatch.setattr(whole_picture, "IN_MEMORY_PX", 500_000)
    monkeypatch.setattr(whole_picture, "paged_image", noted)
    picture = open_(data)
    assert made == [(2300, 1501), (1150, 751)]
    assert list(tmp_path.iterdir()) == []
    assert np.array_equal(joined(picture), in_memory)
    assert np.abs(joined(picture, 1).astype(int) - np.asarray(noise((2300, 1501)).reduce(2))).max() <= 6


def test_where_the_disk_has_no_room_a_jpeg_is_shown_smaller_and_says_so(
    open_: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whole_picture, "IN_MEMORY_PX", 500_000)
    monkeypatch.setattr(whole_picture, "room_in", lambda _folder: 0)
    monkeypatch.setattr(paged_image, "room_in", lambda _folder: 0)
    picture = open_(file_of(noise((2300, 1501)), "JPEG"), ".jpg")
    assert (picture.size_px, picture.first) == ((2300, 1501), 2)
    assert "shown at 1/4 of its size" in picture.remark
    assert np.abs(joined(picture, 2).astype(int) - np.asarray(noise((2300, 1501)).reduce(4))).max() <= 8


def test_a_file_that_is_cut_short_is_shown_as_far_as_it_goes(open_: Open) -> None:
    data = file_of(noise(), "JPEG")
    picture = open_(data[: len(data) // 2], ".jpg")
    assert picture.size_px == SIZE
    assert picture.remark


def test_what_is_no_picture_is_refused_with_its_reason(open_: Open) -> None:
    for data, reason in ((b"", "empty"), (b"no picture at all", "not a picture in a known format")):
        with pytest.raises(DecodeError, match=reason):
            open_(data)


def test_decoding_ends_soon_when_nobody_wants_the_picture(open_: Open) -> None:
    asked = []

    def abandoned() -> bool:
        asked.append(True)
        return len(asked) > 2

    speckled = Image.fromarray(np.random.default_rng(1).integers(0, 255, (900, 900, 3), np.uint8))
    with pytest.raises(AbandonedError):
        open_(file_of(speckled, "PNG"), abandoned=abandoned)
    assert len(asked) == 3


def test_a_panorama_of_more_pixels_than_are_held_is_indexed_from_a_jpeg() -> None:
    """Of 304 megapixels an eighth of each side is decoded; a PNG of that size is refused."""
    wide = file_of(Image.new("L", (38_000, 8_000), 90), "JPEG", quality=30)
    decoded = read_image(wide, target_px=224)
    assert (decoded.width_px, decoded.height_px) == (38_000, 8_000)
    assert max(decoded.image.size) < 10_000
