"""Thumbnails look right, fit their records, and are found again beside a writer that goes on or dies."""

from __future__ import annotations

import io
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from atlas_rt.errors import DecodeError, MissingError
from atlas_rt.library import tile_making
from atlas_rt.library.decoding.decode import Decoded
from atlas_rt.library.tile_files import MEDIUM_RECORD_BYTES, TileFiles, TileSet
from atlas_rt.library.tile_making import PALE_SLATE, SLATE, make_tiles, mips

RED, GREEN = (220, 30, 30), (30, 200, 40)


def decoded(image: Image.Image) -> Decoded:
    return Decoded(image, *image.size)


def medium_of(made: TileSet) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(made.medium)))


def halves(width: int, height: int) -> Image.Image:
    """Red above green."""
    image = Image.new("RGB", (width, height), RED)
    image.paste(GREEN, (0, height // 2, width, height))
    return image


def shape(colour: tuple[int, int, int]) -> Image.Image:
    """A filled circle on nothing."""
    image = Image.new("RGBA", (300, 200), (0, 0, 0, 0))
    ImageDraw.Draw(image).ellipse((50, 10, 230, 190), fill=(*colour, 255))
    return image


def tile_set(level: int) -> TileSet:
    return make_tiles(decoded(Image.new("RGB", (20, 20), (level, level, level))))


def test_a_picture_fills_both_tiles_top_row_first() -> None:
    made = make_tiles(decoded(halves(400, 200)))
    assert made.small.shape == (32, 32, 3)
    assert made.small.dtype == np.uint8
    assert medium_of(made).shape == (128, 128, 3)
    assert made.aspect == 2.0
    for tile in (made.small, medium_of(made)):
        side = len(tile)
        assert np.abs(tile[: side // 2 - 6].astype(int) - RED).max() < 8
        assert np.abs(tile[side // 2 + 6 :].astype(int) - GREEN).max() < 8
    assert np.abs(np.array(made.mean_rgb) - (np.array(RED) + GREEN) / 2).max() < 3


def test_long_pictures_are_cut_around_their_middle() -> None:
    panorama = Image.new("RGB", (1000, 100), RED)
    panorama.paste(GREEN, (350, 0, 650, 100))
    made = make_tiles(decoded(panorama))
    assert made.aspect == pytest.approx(3.0)
    assert np.abs(made.small.astype(int) - GREEN).max() < 8
    assert made.mean_rgb == GREEN
    assert make_tiles(decoded(panorama.transpose(Image.Transpose.ROTATE_90))).aspect == pytest.approx(1 / 3)
    assert make_tiles(decoded(Image.new("RGB", (1, 5000)))).aspect == pytest.approx(1 / 3)


def test_transparent_pictures_lie_on_slate_with_a_margin() -> None:
    made = make_tiles(decoded(shape((250, 210, 60))))
    assert np.abs(medium_of(made)[1, 1].astype(int) - SLATE).max() < 6
    assert made.aspect == pytest.approx((300 + 36) / (200 + 36))
    assert np.abs(np.array(made.mean_rgb) - (250, 210, 60)).max() <= 1  # as lively as the drawing, not dulled by slate


def test_dark_drawings_lie_on_pale_slate() -> None:
    made = make_tiles(decoded(shape((20, 10, 30))))
    assert np.abs(medium_of(made)[1, 1].astype(int) - PALE_SLATE).max() < 6
    assert np.abs(np.array(made.mean_rgb) - made.small.reshape(-1, 3).mean(axis=0)).max() <= 1  # seen from afar: pale


def test_a_picture_of_nothing_is_slate() -> None:
    made = make_tiles(decoded(Image.new("RGBA", (50, 50), (0, 0, 0, 0))))
    assert np.abs(made.small.astype(int) - SLATE).max() == 0


def test_half_transparent_edges_do_not_darken_the_mean() -> None:
    image = Image.new("RGBA", (40, 40), (*RED, 128))
    assert np.abs(np.array(make_tiles(decoded(image)).mean_rgb) - RED).max() <= 1


def test_even_noise_fits_its_record() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (128, 128, 3), np.uint8)
    made = make_tiles(decoded(Image.fromarray(noise)))
    assert 2000 < len(made.medium) <= MEDIUM_RECORD_BYTES - 2


def test_fine_stripes_are_averaged_not_sampled() -> None:
    """One black row in two: without antialiasing a tile of it would be black, white or a moiré."""
    stripes = np.zeros((512, 512, 3), np.uint8)
    stripes[::2] = 255
    made = make_tiles(decoded(Image.fromarray(stripes)))
    assert np.abs(made.small.astype(int) - 128).max() <= 3
    assert np.abs(medium_of(made).astype(int) - 128).max() <= 10


def test_tiles_come_back_as_they_went_in(tmp_path: Path) -> None:
    writer = TileFiles(tmp_path, writable=True)
    assert writer.append([tile_set(10), tile_set(20)]) == 0
    assert writer.append([]) == 2
    assert writer.append([tile_set(30)]) == 2
    writer.flush()
    assert writer.count == 3
    reader = TileFiles(tmp_path, count=3)
    assert reader.small(slice(0, 3))[:, 5, 5, 0].tolist() == [10, 20, 30]
    assert reader.small(np.array([2, 0]))[:, 5, 5, 0].tolist() == [30, 10]
    assert reader.small(np.zeros(0, np.int64)).shape == (0, 32, 32, 3)
    medium = reader.medium_rgba(1)
    assert medium.shape == (128, 128, 4)
    assert medium.flags.c_contiguous
    assert np.abs(medium[..., :3].astype(int) - 20).max() <= 2
    assert (medium[..., 3] == 255).all()
    assert (tmp_path / "tiles-32.bin").stat().st_size == 3 * 32 * 32 * 3
    assert (tmp_path / "tiles-128.bin").stat().st_size == 3 * MEDIUM_RECORD_BYTES


def test_a_reader_follows_the_writer(tmp_path: Path) -> None:
    writer, reader = TileFiles(tmp_path, writable=True), TileFiles(tmp_path)
    assert reader.small(slice(0, 0)).shape == (0, 32, 32, 3)
    writer.append([tile_set(10)])
    early = reader.small(slice(0, 1))
    writer.append([tile_set(20)])
    assert reader.small([1])[0, 0, 0, 0] == 20
    assert np.abs(reader.medium_rgba(1)[0, 0, :3].astype(int) - 20).max() <= 2
    assert early[0, 0, 0, 0] == 10


def test_the_unnamed_tail_of_a_crash_is_written_over(tmp_path: Path) -> None:
    crashed = TileFiles(tmp_path, writable=True)
    crashed.append([tile_set(10), tile_set(99)])  # the second was never named
    crashed.close()
    mapped = TileFiles(tmp_path, count=1).small(slice(0, 1))
    writer = TileFiles(tmp_path, writable=True, count=1)
    assert writer.append([tile_set(20), tile_set(30)]) == 1
    assert TileFiles(tmp_path, count=3).small(slice(0, 3))[:, 0, 0, 0].tolist() == [10, 20, 30]
    assert mapped[0, 0, 0, 0] == 10


def test_files_shorter_than_the_database_says_are_damaged(tmp_path: Path) -> None:
    TileFiles(tmp_path, writable=True).append([tile_set(10)])
    with pytest.raises(MissingError, match=r"damaged.*library forget SOURCE"):
        TileFiles(tmp_path, count=2)
    with pytest.raises(MissingError, match="damaged"):
        TileFiles(tmp_path).small([5])
    with (tmp_path / "tiles-128.bin").open("r+b") as file:
        file.write(bytes(MEDIUM_RECORD_BYTES))
    with pytest.raises(MissingError, match="damaged"):
        TileFiles(tmp_path, count=1).medium_rgba(0)


def test_a_reader_cannot_write(tmp_path: Path) -> None:
    with pytest.raises(PermissionError):
        TileFiles(tmp_path).append([tile_set(1)])
    assert list(tmp_path.iterdir()) == []


@settings(max_examples=25, deadline=None)
@given(side=st.sampled_from([1, 2, 8, 64]), seed=st.integers(0, 99), batch=st.sampled_from([(), (3,), (2, 2)]))
def test_mips_are_area_means(side: int, seed: int, batch: tuple[int, ...]) -> None:
    rgba = np.random.default_rng(seed).integers(0, 256, (*batch, side, side, 4), np.uint8)
    levels = mips(rgba)
    assert [level.shape[-2] for level in levels] == [side >> k for k in range(len(levels))]
    assert levels[-1].shape == (*batch, 1, 1, 4)
    assert all(level.flags.c_contiguous and level.dtype == np.uint8 for level in levels)
    for fine, coarse in pairwise(levels):
        half = coarse.shape[-2]
        means = fine.reshape(*batch, half, 2, half, 2, 4).mean(axis=(-4, -2))
        assert np.abs(coarse - means).max() <= 1.0
    assert abs(float(levels[0].mean()) - float(levels[min(3, len(levels) - 1)].mean())) < 0.6  # no drift to the dark


def test_large_tiles_and_panel_pictures_come_from_the_source(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    halves(1600, 800).save(path, quality=95)
    large = tile_making.load_large(str(path))
    assert large.shape == (512, 512, 4)
    assert large.flags.c_contiguous
    assert np.abs(large[:250, :, :3].astype(int) - RED).max() < 12
    panel = tile_making.load_picture(str(path), 600)
    assert panel.shape == (300, 600, 4)
    assert np.abs(panel[200:, :, :3].astype(int) - GREEN).max() < 12
    assert (panel[..., 3] == 255).all()


def test_a_small_picture_is_not_blown_up_for_the_panel(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    halves(20, 10).save(path)
    assert tile_making.load_picture(str(path), 600).shape == (10, 20, 4)
    assert tile_making.load_large(str(path)).shape == (512, 512, 4)


def test_a_source_that_is_gone_gives_a_reason(tmp_path: Path) -> None:
    with pytest.raises(DecodeError, match="no longer there"):
        tile_making.load_large(str(tmp_path / "gone.jpg"))
