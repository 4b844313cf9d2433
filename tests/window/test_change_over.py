"""The map is drawn by OpenGL until the rasterizer is there, and by it from then on: nothing is missing in between."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, cast

import moderngl
import numpy as np
import pytest

from atlas_rt.core.arrays import Bytes, Ints
from atlas_rt.core.camera import pose_looking_at
from atlas_rt.core.images import MEDIUM_TILE_PX, Tile
from atlas_rt.core.scene import View
from atlas_rt.core.world import World
from atlas_rt.errors import MissingError
from atlas_rt.render.gl.offscreen import OffscreenTarget
from atlas_rt.render.gl.presenter import Presenter
from atlas_rt.render.soft import loading
from atlas_rt.render.soft.renderer import picture_of
from atlas_rt.window.change_over import LARGER_KEPT, ChangeOver
from atlas_rt.window.picture import WindowPicture
from atlas_rt.workers.scenes import Arrival
from tests.scenes import scene_of

SIZE_PX = (320, 200)
RED, BLUE = (220, 30, 40), (30, 60, 220)
PATIENCE_SECS = 60.0


class Keeper:
    """Notes what a rasterizer is told."""

    def __init__(self) -> None:
        self.told: list[object] = []

    def load_small(self, tiles: Ints, pixels: Bytes) -> None:  # noqa: ARG002
        self.told.append(tiles.tolist())

    def accept(self, tile: Tile) -> None:
        self.told.append(tile.record)

    def clear(self) -> None:
        self.told.append("clear")

    def release(self) -> None:
        self.told.append("release")


class Gate:
    """Makes what it is given, once it is opened."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make, self.opened = make, threading.Event()

    def __call__(self) -> Any:
        assert self.opened.wait(PATIENCE_SECS)
        return self._make()


def small(*records: int) -> tuple[Ints, Bytes]:
    return np.array(records, np.int32), np.zeros((len(records), 32, 32, 3), np.uint8)


def medium(record: int) -> Tile:
    return Tile(record, record, 1, (np.zeros((MEDIUM_TILE_PX, MEDIUM_TILE_PX, 4), np.uint8),))


def test_tiles_that_came_meanwhile_are_handed_over_in_their_order() -> None:
    keeper, gate = Keeper(), Gate(lambda: keeper)
    change = ChangeOver(gate)
    change.load_small(*small(1, 2))
    change.accept(medium(1))
    assert change.take() is None
    change.clear()  # another library is opened
    change.load_small(*small(3))
    for record in range(LARGER_KEPT + 5):
        change.accept(medium(record))
    gate.opened.set()
    assert cast("Keeper", change.take(patience_secs=None)) is keeper
    assert keeper.told == [[1, 2], "clear", [3], *range(5, LARGER_KEPT + 5)]
    assert (change.take(), change.failure) == (None, "")
    change.close()


def test_what_cannot_be_loaded_is_told_once_and_what_nobody_takes_is_released() -> None:
    def fail() -> Any:
        raise MissingError("there is no compiler")

    change = ChangeOver(fail)
    assert change.take(patience_secs=None) is None
    assert change.failure.endswith("does not work here: there is no compiler")
    change.close()
    keeper = Keeper()
    unwanted = ChangeOver(lambda: cast("Any", keeper))
    unwanted._over.wait(PATIENCE_SECS)
    unwanted.close()
    assert keeper.told == ["release"]


@pytest.fixture
def target(context: moderngl.Context) -> Iterator[OffscreenTarget]:
    target = OffscreenTarget(context, SIZE_PX)
    yield target
    target.release()


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    """The rasterizer is not compiled yet, and will be when the gate opens."""
    gate = Gate(loading.load_rasterizer)
    monkeypatch.setattr(loading, "load_beside_window", gate)
    monkeypatch.setattr(loading, "is_compiled", lambda: False)
    return gate


@pytest.fixture
def display(context: moderngl.Context, target: OffscreenTarget, gate: Gate) -> Iterator[WindowPicture]:
    """A window that opened before anything was compiled."""
    display = WindowPicture(context, quality="high", renderer="software", target=lambda: target.target)
    yield display
    gate.opened.set()
    display.release()
    assert context.error == "GL_NO_ERROR"


def arrival(*colours: tuple[int, int, int], first: int = 0) -> Arrival:
    """Images next to each other whose tiles have these colours, and whose mean colour is grey."""
    count = len(colours)
    scene = scene_of(list(range(1, count + 1)), [(0.3 * place - 0.15, 0.0, 0.0) for place in range(count)])
    records = np.arange(first, first + count, dtype=np.int32)
    pixels = np.broadcast_to(np.array(colours, np.uint8)[:, None, None], (count, 32, 32, 3)).copy()
    scene = replace(scene, node_size=0.2, tiles=records)
    return Arrival(scene, cast("Any", None), records, pixels, ())


def view_of(shown: Arrival) -> View:
    world = World(reduced_motion=True)
    world.view(SIZE_PX)
    world.morph_to(shown.scene)
    world.advance(20.0, frozenset())
    world.camera.pose = pose_looking_at((0.0, 0.0, 1.2), (0.0, 0.0, 0.0))
    return world.view(SIZE_PX)


def pixels_of(display: WindowPicture, target: OffscreenTarget, view: View) -> np.ndarray:
    display.draw(view, target.target, panels=False)
    return target.read().astype(np.int16)


def has(pixels: np.ndarray, colour: tuple[int, int, int]) -> bool:
    """Whether there is a card's worth of pixels that are red, or blue, as the colour is."""
    main = int(np.argmax(colour))
    others = np.delete(pixels, main, axis=2).max(axis=2)
    return int((pixels[..., main] - others > 60).sum()) > 200


def let_it_happen(display: WindowPicture, gate: Gate) -> None:
    gate.opened.set()
    assert display._change is not None
    assert display._change._over.wait(PATIENCE_SECS)
    assert display.change_over()


def test_it_changes_over_without_a_jump(display: WindowPicture, target: OffscreenTarget, gate: Gate) -> None:
    shown = arrival(RED, BLUE)
    view = view_of(shown)
    display.show(shown)
    before = pixels_of(display, target, view)
    assert "rasterizer" not in display.renderer_name
    assert not display.change_over()
    let_it_happen(display, gate)
    after = pixels_of(display, target, view)
    assert "rasterizer" in display.renderer_name
    assert all((has(before, RED), has(after, RED), has(after, BLUE)))
    assert np.abs(before - after).mean() < 3.0
    assert not display.change_over()
    assert display.picture_of(view).shape == (SIZE_PX[1], SIZE_PX[0], 3)


def test_another_library_may_be_opened_meanwhile(display: WindowPicture, target: OffscreenTarget, gate: Gate) -> None:
    display.show(arrival(RED, RED))
    display.clear()
    shown = arrival(BLUE, BLUE)
    display.show(shown)
    let_it_happen(display, gate)
    pixels = pixels_of(display, target, view_of(shown))
    assert (has(pixels, BLUE), has(pixels, RED)) == (True, False)


def test_where_it_fails_opengl_goes_on_and_it_is_told(
    display: WindowPicture, target: OffscreenTarget, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise MissingError("no way is right")

    monkeypatch.setattr(Presenter, "choose", refuse)
    shown = arrival(RED, BLUE)
    display.show(shown)
    gate.opened.set()
    assert display._change is not None
    assert display._change._over.wait(PATIENCE_SECS)
    assert not display.change_over()
    assert display.trouble.endswith("does not work here: no way is right")
    assert has(pixels_of(display, target, view_of(shown)), RED)
    assert "rasterizer" not in display.renderer_name


def test_windows_of_any_size_are_filled(context: moderngl.Context) -> None:
    shown = arrival(RED, BLUE)
    view = view_of(shown)
    picture = OffscreenTarget(context, SIZE_PX)
    display = WindowPicture(context, quality="auto", renderer="software", waits=True, target=lambda: picture.target)
    display.show(shown)
    for size_px in ((1, 1), (7, 3), (2, 300), (321, 199)):
        target = OffscreenTarget(context, size_px)
        display.draw(replace(view, size_px=size_px), target.target, panels=False)
        assert target.read().any(), size_px
        target.release()
    for size_px in ((0, 4), (4, 0)):
        display.draw(replace(view, size_px=size_px), picture.target, panels=False)
    for _ in range(200):  # far too slow: down to the fewest edges, and every pixel all the same
        display.observe(100.0)
    display.draw(view, picture.target, panels=False)
    assert display.step == "lowest, software"
    assert has(picture.read().astype(np.int16), RED)
    picture.release()
    display.release()
    assert context.error == "GL_NO_ERROR"


def test_it_gets_sharper_at_rest_and_then_has_no_more_to_do(
    display: WindowPicture, target: OffscreenTarget, gate: Gate
) -> None:
    shown = arrival(RED, BLUE)
    view = view_of(shown)
    display.show(shown)
    let_it_happen(display, gate)
    moving = pixels_of(display, target, view)
    assert not display.refines
    pictures = []
    while not pictures or display.refines:
        display.draw(view, target.target, panels=False, still=True)
        pictures.append(target.read().astype(np.int16))
    assert len(pictures) > 2
    assert np.any(pictures[0] != pictures[-1])
    display.draw(view, target.target, panels=False, still=True)  # the window was uncovered
    assert np.array_equal(target.read(), pictures[-1])
    assert np.array_equal(pixels_of(display, target, view), moving)  # the first motion ends it
    assert not display.refines
    assert np.array_equal(display.picture_of(view), pictures[-1])


def test_where_nothing_is_compiled_a_process_does_it(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []
    monkeypatch.setattr(loading, "is_compiled", lambda: False)
    monkeypatch.setattr(subprocess, "run", lambda words, **_: asked.append(words))
    loading.load_beside_window().release()
    (words,) = asked
    code = words[-1].replace("it.load_rasterizer()", "print(it.__file__)").replace("os.nice(5); ", "")
    monkeypatch.undo()
    told = subprocess.run([*words[:-1], code], capture_output=True, text=True, check=True, cwd="/")
    assert told.stdout.strip() == loading.__file__


def test_loading_compiles_every_kernel() -> None:
    """What the first frames draw must not have to compile: that would stop the window for seconds."""
    import sys

    rasterizer = loading.load_rasterizer()

    def signatures() -> dict[str, int]:
        modules = [each for name, each in sys.modules.items() if name.startswith("atlas_rt.render.soft.kernels")]
        functions = [each for module in modules for each in vars(module).values() if hasattr(each, "signatures")]
        return {str(each): len(each.signatures) for each in functions}

    before = signatures()
    shown = arrival(RED, BLUE, RED)
    rasterizer.load_small(shown.tiles, shown.pixels)
    rasterizer.draw(replace(view_of(shown), hovered=0, selected=(1,)), edge_share=0.5, glow=False)
    picture_of(rasterizer, view_of(shown))
    assert signatures() == before
    rasterizer.release()
