"""Filters on software OpenGL: what the list, the chips and the timeline ask for, and where they lie."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from atlas_rt.core.filter_panel import FACET, MORE, VALUE, Chip, FacetLine, FilterPanel
from atlas_rt.core.hud import Hud
from atlas_rt.core.requests import (
    BrushDates,
    ClearFilters,
    Do,
    FindFacets,
    HideFiltered,
    Hover,
    PointAtCluster,
    Request,
    SightTimeline,
    TakeOffFilter,
    ToggleFilter,
    UnfoldFacet,
)
from atlas_rt.core.timeline import DayCounts, timeline, written
from atlas_rt.ui.input import Button, Event, Modifiers, PointerMoved, Wheel
from atlas_rt.ui.panels.canvas import Rect
from tests.ui.huds import SIZE_PX, Sheet, make_answer, make_hud, typed

LINES = (
    FacetLine(FACET, "camera", "Camera", count=3, unfolded=True),
    FacetLine(VALUE, "camera", "NIKON D90", "NIKON D90", 120, 1.0, chosen=True),
    FacetLine(VALUE, "camera", "CONTAX T3", "CONTAX T3", 12, 0.1),
    FacetLine(MORE, "camera", "4 more"),
    FacetLine(FACET, "folder", "Folder", count=9, unfolded=False),
    FacetLine(VALUE, "folder", "holiday", "holiday", 7, 0.5, unfolded=False),
    FacetLine(VALUE, "folder", "w?rk", "w\udcffrk", 0, excluded=True),
)
CHIPS = (Chip("camera", "NIKON D90"), Chip("folder", "work", wanted=False))
FIRST_Y, ROW_PX = 16.0 + 122.0, 28.0
DAYS = np.arange(16_000, 19_000, 10)


def hud_of(**changes: Any) -> Hud:
    panel = FilterPanel(open=True, chips=CHIPS, shown=120, total=2000, lines=LINES)
    return make_hud(filters=replace(panel, **changes))


def with_timeline(*brushed: tuple[int, int]) -> Hud:
    counts = DayCounts(DAYS, np.full(len(DAYS), 4), np.full(len(DAYS), 1))
    return hud_of(open=False, chips=(), timeline=timeline(counts, None, brushed))


def asked(requests: list[Request]) -> list[Request]:
    return [request for request in requests if not isinstance(request, Hover | PointAtCluster)]


def line_at(place: int, x: float = 120.0) -> tuple[float, float]:
    return x, FIRST_Y + (place + 0.5) * ROW_PX


def panel_of(sheet: Sheet, hud: Hud, choose: Callable[[Rect], float]) -> Rect:
    sheet.show(hud, frames=3)
    return max(sheet.panels.covered, key=choose)


def test_a_click_on_a_line_toggles_it_unfolds_it_or_leaves_it_out(sheet: Sheet) -> None:
    hud = hud_of()
    sheet.show(hud, frames=3)
    assert asked(sheet.click(hud, *line_at(2))) == [ToggleFilter("camera", "CONTAX T3")]
    assert asked(sheet.click(hud, *line_at(0))) == [UnfoldFacet("camera")]
    assert asked(sheet.click(hud, *line_at(3))) == [UnfoldFacet("camera", more=True)]
    assert asked(sheet.click(hud, *line_at(5, x=36.0))) == [UnfoldFacet("folder", "holiday")]
    assert asked(sheet.click(hud, *line_at(6))) == [ToggleFilter("folder", "w\udcffrk")]
    assert asked(sheet.click(hud, *line_at(5))) == [ToggleFilter("folder", "holiday")]
    assert asked(sheet.click(hud, *line_at(2, x=308.0))) == [ToggleFilter("camera", "CONTAX T3", wanted=False)]


def test_the_head_closes_finds_and_switches(sheet: Sheet) -> None:
    hud = hud_of()
    sheet.show(hud, frames=3)
    assert asked(sheet.click(hud, 314.0, 40.0)) == [Do("filters")]
    assert asked(sheet.click(hud, 64.0, 117.0)) == [Do("timeline")]
    assert asked(sheet.click(hud, 142.0, 117.0)) == [HideFiltered(True)]
    sheet.click(hud, 150.0, 78.0)
    assert sheet.panels.wants_text
    assert asked(sheet.show(hud, *typed("b"), frames=4)) == [FindFacets("b")]
    empty = hud_of(lines=(), wanted="zz")
    sheet.show(empty, frames=3)
    assert sheet.changed()[int(FIRST_Y + 24), 40:300].any()  # it says so


def test_chips_are_taken_off_and_stand_below_the_search_field(sheet: Sheet) -> None:
    hud = hud_of(open=False)
    chips = panel_of(sheet, hud, lambda rect: -rect.y)
    assert asked(sheet.click(hud, chips.x + 30.0, chips.centre[1])) == [TakeOffFilter(0)]
    assert asked(sheet.click(hud, chips.right - 30.0, chips.centre[1])) == [ClearFilters()]
    assert asked(sheet.click(hud, chips.right - 120.0, chips.centre[1])) == [HideFiltered(True)]
    searching = replace(hud, searching=True, query="b", answer=make_answer("b", "strong"))
    sheet.show(searching, frames=4)
    console, row, results = sorted((rect for rect in sheet.panels.covered if rect.y < 400.0), key=lambda rect: rect.y)
    assert console.bottom < row.y < row.bottom < results.y
    none = hud_of(open=False, chips=())
    sheet.show(none, frames=3)
    assert all(rect.y > 400.0 for rect in sheet.panels.covered)


def test_what_nothing_fulfils_is_said_and_many_chips_take_several_rows(sheet: Sheet) -> None:
    one = panel_of(sheet, hud_of(open=False), lambda rect: -rect.y)
    told = panel_of(sheet, hud_of(open=False, shown=0), lambda rect: -rect.y)
    assert told.height > one.height
    many = panel_of(sheet, hud_of(open=False, chips=CHIPS * 8), lambda rect: -rect.y)
    assert many.height > 2.0 * one.height
    assert 0.0 <= many.x < many.right <= SIZE_PX[0]


@pytest.mark.parametrize(
    ("field", "values"), [("folder", ("a", "s")), ("rating", ("5", "4")), ("label", ("cat", "sun"))]
)
def test_a_chip_tells_its_value_however_short(sheet: Sheet, field: str, values: tuple[str, str]) -> None:
    pictures = []
    for value in values:
        sheet.show(hud_of(open=False, chips=(Chip(field, value),)), frames=3)
        pictures.append(sheet.pixels().copy())
        middle = max(sheet.panels.covered, key=lambda rect: -rect.y)
    left, right, top, bottom = (round(each) for each in (middle.x, middle.x + 90.0, middle.y, middle.bottom))
    one, other = (picture[top:bottom, left:right].astype(int) for picture in pictures)
    assert np.abs(one - other).max() > 40


def strip_of(sheet: Sheet, hud: Hud) -> Rect:
    return panel_of(sheet, hud, lambda rect: rect.width)


def drag(sheet: Sheet, hud: Hud, start: tuple[float, float], end: tuple[float, float]) -> list[Request]:
    def button(at_px: tuple[float, float], *, down: bool) -> Event:
        return Button("left", down=down, at_px=at_px, modifiers=Modifiers())

    sheet.show(hud, PointerMoved(start), frames=2)
    requests = sheet.show(hud, button(start, down=True), frames=2)
    requests += sheet.show(hud, PointerMoved(end), frames=2)
    return asked(requests + sheet.show(hud, button(end, down=False), frames=3))


def test_a_brush_is_drawn_and_moved_and_ends_with_the_hand(sheet: Sheet) -> None:
    hud = with_timeline()
    strip = strip_of(sheet, hud)
    y = strip.centre[1]
    *drawn, ended = drag(sheet, hud, (strip.x + 100.0, y), (strip.x + 300.0, y))
    assert isinstance(ended, BrushDates)
    assert ended.ended
    assert ended.days is not None
    assert [request.ended for request in drawn if isinstance(request, BrushDates)] == [False]
    brushed = with_timeline(ended.days)
    *_, moved = drag(sheet, brushed, (strip.x + 200.0, y), (strip.x + 500.0, y))
    assert isinstance(moved, BrushDates)
    assert moved.days is not None
    assert moved.days[0] > ended.days[0]
    assert moved.days[1] - moved.days[0] == pytest.approx(ended.days[1] - ended.days[0], abs=4)


def test_a_click_takes_a_bar_or_a_year_and_the_wheel_zooms(sheet: Sheet) -> None:
    hud = with_timeline()
    strip = strip_of(sheet, hud)
    (bar,) = asked(sheet.click(hud, strip.x + 333.0, strip.centre[1]))
    assert isinstance(bar, BrushDates)
    assert bar.days is not None
    assert 28 <= bar.days[1] - bar.days[0] <= 31
    at_year = next(
        x for x in np.arange(strip.x + 20.0, strip.right, 9.0) if asked(sheet.click(hud, x, strip.bottom - 15.0))
    )
    (year,) = asked(sheet.click(hud, at_year, strip.bottom - 15.0))
    assert isinstance(year, BrushDates)
    assert year.days is not None
    assert written(year.days).isdecimal()
    sheet.show(hud, PointerMoved((strip.x + 300.0, strip.centre[1])), frames=2)
    (zoom,) = asked(sheet.show(hud, Wheel(0.0, 1.0), frames=3))
    assert isinstance(zoom, SightTimeline)
    assert hud.filters.timeline is not None
    before = hud.filters.timeline.sight
    assert zoom.days is not None
    assert zoom.days[1] - zoom.days[0] < before[1] - before[0]


def test_a_double_click_lets_all_through(sheet: Sheet) -> None:
    hud = with_timeline((17_000, 17_300))
    strip = strip_of(sheet, hud)
    at_px = (strip.x + 60.0, strip.centre[1])
    assert asked(sheet.click(hud, *at_px)) != [BrushDates(None)]
    assert asked(sheet.click(hud, *at_px)) == [BrushDates(None)]


def test_a_timeline_that_closes_under_the_hand_keeps_what_was_brushed(sheet: Sheet) -> None:
    hud = with_timeline()
    strip = strip_of(sheet, hud)
    start, end = (strip.x + 100.0, strip.centre[1]), (strip.x + 300.0, strip.centre[1])
    sheet.show(hud, PointerMoved(start), frames=2)
    sheet.show(hud, Button("left", down=True, at_px=start, modifiers=Modifiers()), frames=2)
    sheet.show(hud, PointerMoved(end), frames=2)
    (kept,) = asked(sheet.show(hud_of(open=False, chips=()), frames=2))
    assert isinstance(kept, BrushDates)
    assert kept.ended


@pytest.mark.parametrize("size_px", [(900, 600), (3840, 2160), (64, 48), (1, 1)])
def test_all_of_it_fits_any_window(make_sheet: Callable[[tuple[int, int]], Sheet], size_px: tuple[int, int]) -> None:
    hud = replace(with_timeline((17_000, 17_300)), size_px=size_px)
    hud = replace(hud, filters=replace(hud.filters, open=True, chips=CHIPS * 3, lines=LINES * 3, remarks=("so " * 60,)))
    sheet = make_sheet(size_px)
    sheet.show(hud, frames=3)
    if size_px[0] > 500:
        assert all(rect.x >= 0.0 and rect.right <= size_px[0] + 1.0 for rect in sheet.panels.covered)
