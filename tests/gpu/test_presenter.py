"""What the processor drew gets into a target as it is, by whichever way works and is faster."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial

import moderngl
import numpy as np
import pytest

from atlas_rt.core.arrays import Bytes
from atlas_rt.errors import AtlasError, MissingError
from atlas_rt.render.gl.offscreen import OffscreenTarget
from atlas_rt.render.gl.presenter import Blit, Pixels, Presenter, Triangle, Way

SIZES = ((1, 1), (3, 5), (64, 48), (65, 48), (2000, 7))


class Upside(Triangle):
    """A driver that shows pictures upside down."""

    name = "upside down"

    def show(self, pixels: Pixels, target: moderngl.Framebuffer) -> None:
        super().show(np.ascontiguousarray(pixels[::-1]), target)


class Broken(Triangle):
    """A driver that refuses."""

    name = "broken"

    def show(self, pixels: Pixels, target: moderngl.Framebuffer) -> None:  # noqa: ARG002
        raise AtlasError("refused")


class Slow(Blit):
    """A driver that blits, but slowly."""

    name = "slow"

    def show(self, pixels: Pixels, target: moderngl.Framebuffer) -> None:
        super().show(pixels, target)
        time.sleep(0.02)


@pytest.fixture
def target(ctx: moderngl.Context) -> Iterator[OffscreenTarget]:
    target = OffscreenTarget(ctx, (64, 48))
    yield target
    target.release()


def noise(width: int, height: int) -> Pixels:
    return np.random.default_rng(0).integers(0, 1 << 24, (height, width)).astype(np.uint32) | np.uint32(0xFF000000)


def rgb(pixels: Pixels) -> Bytes:
    return np.stack([pixels >> 16 & 255, pixels >> 8 & 255, pixels & 255], axis=2).astype(np.uint8)


@pytest.mark.parametrize("way", [Blit, Triangle])
def test_each_way_shows_every_pixel_in_every_size(ctx: moderngl.Context, way: type[Blit] | type[Triangle]) -> None:
    shown = way(ctx)
    for size_px in SIZES:  # the window changes its size in each frame
        target = OffscreenTarget(ctx, size_px)
        pixels = noise(*size_px)
        shown.show(pixels, target.target)
        assert np.array_equal(target.read(), rgb(pixels)), size_px
        target.release()
    shown.release()


@pytest.mark.parametrize(
    ("ways", "taken"),
    [
        ((Upside, Triangle), "triangle"),
        ((Broken, Triangle), "triangle"),
        ((Slow, Triangle), "triangle"),
        ((Blit, Upside), "blit"),
    ],
)
def test_the_faster_way_that_is_right_is_taken(
    ctx: moderngl.Context, target: OffscreenTarget, ways: tuple[type[Way], ...], taken: str
) -> None:
    presenter = Presenter(ctx, ways=ways)  # type: ignore[arg-type]
    presenter.choose(target.target)
    assert presenter.way == taken
    pixels = noise(64, 48)
    presenter.show(pixels, target.target)
    assert np.array_equal(target.read(), rgb(pixels))
    presenter.release()


def test_where_no_way_is_right_it_says_so(ctx: moderngl.Context, target: OffscreenTarget) -> None:
    with pytest.raises(MissingError, match="try --renderer gl"):
        Presenter(ctx, ways=(Upside, partial(Broken))).choose(target.target)
