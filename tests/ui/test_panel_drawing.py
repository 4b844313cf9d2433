"""Panels that did not change come from a layer, and what changed is there in the very next frame."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import moderngl
import numpy as np
import pytest

from atlas_rt.core.hud import CountTag, FrameFigures, Hud
from atlas_rt.render.gl.panel_layer import PanelLayer
from atlas_rt.ui.input import PointerMoved
from atlas_rt.ui.overlay import Overlay
from atlas_rt.ui.panel_drawing import arrange
from atlas_rt.ui.panels import Panels
from tests.ui.huds import SIZE_PX, Sheet, Tiles, make_answer, make_facts, make_hud, make_panel

SETTLED = 40
"""Frames after which nothing fades in any more."""
BANDS = ("strong",) * 4
IDLE = make_hud()
SEARCHING = make_hud(searching=True, query="bird", answer=make_answer("bird", *BANDS))
FULL = replace(
    SEARCHING,
    selected=make_facts(),
    clusters=make_panel(9),
    figures=FrameFigures(60.0, 5.7, 8.1, 0.0, np.full(240, 5.7, np.float32), "high", "2,000 cards"),
)


@pytest.fixture
def layered(
    context: moderngl.Context, tiles: Tiles, targets: dict[tuple[int, int], moderngl.Framebuffer]
) -> Iterator[Callable[[tuple[int, int]], Sheet]]:
    made: list[Sheet] = []

    def make(size_px: tuple[int, int]) -> Sheet:
        made.append(Sheet(targets[size_px], Overlay(layer=PanelLayer(context)), Panels(tiles)))
        return made[-1]

    yield make
    for sheet in made:
        sheet.release()
    assert context.error == "GL_NO_ERROR"


def drawn_anew(sheet: Sheet) -> int:
    drawing = sheet.overlay._drawing
    assert drawing is not None
    return drawing.drawn_anew


def difference(one: Sheet, other: np.ndarray) -> int:
    return int(np.abs(one.pixels().astype(np.int16) - other).max())


@pytest.mark.parametrize("hud", [IDLE, SEARCHING, FULL], ids=["idle", "searching", "full"])
def test_a_layer_looks_like_the_panels(
    make_sheet: Callable[[tuple[int, int]], Sheet], layered: Callable[[tuple[int, int]], Sheet], hud: Hud
) -> None:
    plain, sheet = make_sheet(SIZE_PX), layered(SIZE_PX)
    plain.show(hud, frames=SETTLED)
    wanted = plain.pixels().astype(np.int16)
    sheet.show(hud, frames=SETTLED)
    assert drawn_anew(sheet) == 0
    assert difference(sheet, wanted) <= 3  # a layer rounds once more


def test_a_changed_text_is_there_in_the_next_frame(layered: Callable[[tuple[int, int]], Sheet]) -> None:
    sheet = layered(SIZE_PX)
    sheet.show(IDLE, frames=SETTLED)
    before = sheet.pixels().copy()
    sheet.show(replace(IDLE, source="mountain"))
    assert drawn_anew(sheet) in (1, 2)  # the status, and what lies next to it
    assert np.any(sheet.pixels() != before)
    sheet.show(IDLE)
    assert np.abs(sheet.pixels().astype(np.int16) - before).max() <= 3


def test_what_the_pointer_rests_on_lights_up_in_the_same_frame_as_without_a_layer(
    make_sheet: Callable[[tuple[int, int]], Sheet], layered: Callable[[tuple[int, int]], Sheet]
) -> None:
    plain, sheet = make_sheet(SIZE_PX), layered(SIZE_PX)
    for each in (plain, sheet):
        each.show(SEARCHING, frames=SETTLED)
    before, at_px = plain.pixels().copy(), plain.green()
    changed = 0
    for _ in range(8):
        for each in (plain, sheet):
            each.show(SEARCHING, PointerMoved(at_px))
        assert difference(sheet, plain.pixels().astype(np.int16)) <= 3
        changed = max(changed, int(np.any(plain.pixels() != before, axis=2).sum()))
    assert changed > 100


def test_a_thumbnail_that_came_is_there_in_the_next_frame(
    context: moderngl.Context, targets: dict[tuple[int, int], moderngl.Framebuffer]
) -> None:
    tiles = Tiles(context)
    sheet = Sheet(targets[SIZE_PX], Overlay(layer=PanelLayer(context)), Panels(tiles))
    sheet.show(SEARCHING, frames=SETTLED)
    assert (sheet.pixels() == (0, 255, 0)).all(axis=2).any()
    tiles._texture.write(bytes((255, 0, 0, 255)) * 16)
    sheet.show(SEARCHING, pictures=1)
    assert (sheet.pixels() == (255, 0, 0)).all(axis=2).any()
    assert not (sheet.pixels() == (0, 255, 0)).all(axis=2).any()
    sheet.release()


@pytest.mark.parametrize("size_px", [(1, 1), (64, 48), (900, 600)])
def test_windows_of_any_size_change_it_in_each_frame(
    layered: Callable[[tuple[int, int]], Sheet], size_px: tuple[int, int]
) -> None:
    sheet = layered(size_px)
    for width in (size_px[0], max(size_px[0] // 2, 1), size_px[0]):
        sheet._size_px = (width, size_px[1])
        sheet.show(make_hud(size_px=sheet._size_px, searching=True), frames=2)


def test_tags_that_move_are_drawn_and_the_panels_are_not(layered: Callable[[tuple[int, int]], Sheet]) -> None:
    sheet = layered(SIZE_PX)
    for step in range(SETTLED):
        sheet.show(replace(SEARCHING, count_tags=(CountTag(12, (400.0 + step, 500.0), 1.0),)))
        if step == SETTLED - 1:
            assert drawn_anew(sheet) == 1


def test_the_order_from_below_to_above_is_kept() -> None:
    low, high, far = (0, 0, 10, 10), (5, 5, 10, 10), (50, 50, 5, 5)
    assert arrange([low, far], [True, True]) == ([], [((1,), far), ((0,), low)])
    assert arrange([low, high], [True, True]) == ([], [((0, 1), (0, 0, 15, 15))])
    assert arrange([low, high], [False, True]) == ([0], [((1,), high)])
    assert arrange([low, high, far], [True, False, True]) == ([0, 1], [((2,), far)])
    assert arrange([low, high, (0, 0, 0, 0)], [True, False, False]) == ([0, 1], [])
