"""The golden pictures of both ways to draw, and the harness itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import moderngl
import numpy as np
import pytest

from atlas_rt.core.arrays import Bytes
from atlas_rt.core.scene import View
from atlas_rt.render.gl.offscreen import OffscreenTarget
from atlas_rt.render.gl.renderer import Renderer
from atlas_rt.render.soft.rasterizer import Rasterizer
from tests.render import golden
from tests.render.soft.conftest import rgb_of

STATES = golden.states()


@pytest.fixture(scope="module")
def draw(context: moderngl.Context) -> Iterator[Callable[[View], Bytes]]:
    """Draws views of the golden scene with OpenGL, as richly as can be."""
    arrival = golden.arrival()
    renderer = Renderer(context, quality="high")
    renderer.load_small(arrival.tiles, arrival.pixels)
    target = OffscreenTarget(context, golden.SIZE_PX)

    def pixels_of(view: View) -> Bytes:
        renderer.draw(view, target.target)
        return target.read()

    yield pixels_of
    target.release()
    renderer.release()


@pytest.fixture(scope="module")
def rasterize() -> Iterator[Callable[[View], Bytes]]:
    """Draws views of the golden scene with the rasterizer, as in flight with all edges and glow."""
    arrival = golden.arrival()
    rasterizer = Rasterizer()
    rasterizer.load_small(arrival.tiles, arrival.pixels)

    def pixels_of(view: View) -> Bytes:
        return rgb_of(rasterizer.draw(view))

    yield pixels_of
    rasterizer.release()


@pytest.mark.gpu
@pytest.mark.parametrize("state", STATES)
def test_opengl_draws_its_golden_pictures(draw: Callable[[View], Bytes], state: str) -> None:
    drawn = draw(STATES[state])
    assert np.array_equal(drawn, draw(STATES[state])), "the same view is not drawn alike twice"
    golden.compare("gl", state, drawn)


@pytest.mark.parametrize("state", STATES)
def test_the_rasterizer_draws_its_golden_pictures(rasterize: Callable[[View], Bytes], state: str) -> None:
    drawn = rasterize(STATES[state])
    assert np.array_equal(drawn, rasterize(STATES[state])), "the same view is not drawn alike twice"
    golden.compare("soft", state, drawn)


def test_a_golden_picture_is_small_and_belongs_to_a_state() -> None:
    pictures = list(golden.FOLDER.glob("*.png"))
    assert len(pictures) == 2 * len(STATES)
    for picture in pictures:
        assert picture.stem.partition("-")[2] in STATES
        assert picture.stat().st_size <= 40_000


def test_another_look_is_told_and_saved_and_another_rounding_is_not(
    monkeypatch: pytest.MonkeyPatch, tmp_path: golden.Path
) -> None:
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 200, (20, 30, 3)).astype(np.uint8)
    monkeypatch.setattr(golden, "FOLDER", tmp_path)
    monkeypatch.setattr(golden.tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("ATLAS_RT_GOLDEN", "write")
    golden.compare("test", "state", picture)
    monkeypatch.delenv("ATLAS_RT_GOLDEN")
    golden.compare("test", "state", picture + rng.integers(0, 2, picture.shape).astype(np.uint8))
    for other, told in (
        (picture + np.uint8(3), r"brighter or darker by [23]\."),
        (np.where(np.arange(30)[None, :, None] < 2, 255, picture).astype(np.uint8), "6.7% of its pixels"),
        (picture[:10], "its size is 30x10, not 30x20"),
    ):
        with pytest.raises(AssertionError, match=told) as failure:
            golden.compare("test", "state", other)
        folder = golden.Path(str(failure.value).rpartition(": ")[2])
        assert (folder / "test-state-new.png").is_file()
    with pytest.raises(AssertionError, match="there is no golden picture"):
        golden.compare("test", "nothing", picture)
