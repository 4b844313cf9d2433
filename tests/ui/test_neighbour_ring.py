"""The ring of nearest images around a visited card, and what panels leave free of the window."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from atlas_rt.core.framing import FreeView
from atlas_rt.core.hud import CountTag, Hud, NameTag, VisitedImage
from atlas_rt.core.requests import FlyTo, Hover, Select
from atlas_rt.ui.input import PointerMoved
from atlas_rt.ui.panels.canvas import Rect
from atlas_rt.ui.panels.free_space import free_view
from tests.ui.huds import GREY, Sheet, make_answer, make_facts, make_hud, make_panel

SIZE_PX = (1280, 720)
CARD = VisitedImage(1, 330.0, 230.0, 610.0, 510.0, 1.0)
GREEN = (0, 255, 0)


def hud_of(card: VisitedImage = CARD, **changes: object) -> Hud:
    return replace(make_hud(selected=make_facts(), visited=card), **changes)  # type: ignore[arg-type]


def thumbnails(sheet: Sheet) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    """(h, w) where thumbnails are seen beside the panel of the image."""
    green = (sheet.pixels() == GREEN).all(axis=2)
    green[:, round(sheet.panels.free.right * SIZE_PX[0]) :] = False
    return np.asarray(green)


def test_the_nearest_stand_around_the_card_and_not_over_it(sheet: Sheet) -> None:
    sheet.show(hud_of(), frames=4)
    shown = thumbnails(sheet)
    rows, columns = np.nonzero(shown)
    sides = (rows < CARD.top, rows >= CARD.bottom, columns < CARD.left, columns >= CARD.right)
    assert all(side.any() for side in sides)
    assert np.any(sides, axis=0).all()
    assert len(rows) > 12 * 60 * 60  # all twelve


@pytest.mark.parametrize(
    "card",
    [
        replace(CARD, left=200.0, right=720.0, top=330.0, bottom=440.0),
        replace(CARD, left=440.0, right=500.0, top=150.0, bottom=560.0),
        replace(CARD, top=10.0, bottom=300.0),
    ],
)
def test_cards_of_any_shape_and_place_have_theirs(sheet: Sheet, card: VisitedImage) -> None:
    sheet.show(hud_of(card), frames=4)
    shown = thumbnails(sheet)
    assert not shown[round(card.top) : round(card.bottom), round(card.left) : round(card.right)].any()
    assert shown.sum() > 8 * 40 * 40


def test_a_click_flies_on_and_the_pointer_asks_what_it_is(sheet: Sheet) -> None:
    hud = hud_of()
    sheet.show(hud, frames=4)
    rows, columns = np.nonzero(thumbnails(sheet))
    at = float(columns[0] + 10), float(rows[0] + 10)
    requests = sheet.click(hud, *at)
    first = make_facts().neighbours[0][0]
    assert [request for request in requests if not isinstance(request, Hover)] == [FlyTo(first), Select(first)]
    assert Hover(first) in requests


def test_what_is_told_of_a_neighbour_does_not_lie_over_the_card(sheet: Sheet) -> None:
    hud = hud_of(hovered=make_facts(2), hovered_at_px=(470.0, 370.0, 20.0))
    sheet.show(hud, frames=4)
    rows, columns = np.nonzero(thumbnails(sheet))
    sheet.show(hud, PointerMoved((float(columns[0] + 10), float(rows[0] + 10))), frames=30)
    inside = sheet.pixels()[round(CARD.top) : round(CARD.bottom), round(CARD.left) : round(CARD.right)]
    assert (np.abs(inside.astype(int) - round(GREY * 255)) <= 2).all()


def test_it_waits_for_the_glass_and_for_its_image(sheet: Sheet) -> None:
    for hud in (hud_of(replace(CARD, glass=0.4)), hud_of(replace(CARD, id=2)), hud_of(visited=None)):
        sheet.show(hud, frames=4)
        assert not thumbnails(sheet).any()
    assert sheet.show(hud_of(selected=make_facts(neighbours=())), frames=2) == []


def test_no_name_and_no_count_lies_over_the_card(sheet: Sheet) -> None:
    tags = (NameTag("birds", (470.0, 300.0), 1.0, (255, 255, 255), 40),)
    counts = (CountTag(3, (605.0, 240.0), 1.0),)
    sheet.show(hud_of(name_tags=tags, count_tags=counts), frames=8)
    inside = sheet.pixels()[round(CARD.top) : round(CARD.bottom), round(CARD.left) : round(CARD.right)]
    assert (np.abs(inside.astype(int) - round(GREY * 255)) <= 2).all()


@pytest.mark.parametrize("size_px", [SIZE_PX, (900, 600), (3840, 2160)])
def test_no_panel_lies_in_what_is_free(
    make_sheet: Callable[[tuple[int, int]], Sheet], size_px: tuple[int, int]
) -> None:
    sheet = make_sheet(size_px)
    answer = make_answer("bird", *("strong",) * 8)
    hud = hud_of(visited=None, size_px=size_px, clusters=make_panel(8), searching=True, query="bird", answer=answer)
    sheet.show(hud, frames=4)
    free, (width, height) = sheet.panels.free, size_px
    room = Rect(free.left * width, free.top * height, (free.right - free.left) * width, 0.0)
    room = room._replace(height=(free.bottom - free.top) * height).inset(0.5)
    assert not any(room.overlaps(rect) for rect in sheet.panels.covered)
    assert room.width > 0.2 * width
    assert room.height > 0.3 * height


def test_each_panel_cuts_where_it_costs_least() -> None:
    whole, size = FreeView(), (1000.0, 800.0)
    assert free_view(size, (0.0, 0.0), []) == whole
    assert free_view(size, (100.0, 200.0), []) == FreeView(left=0.1, right=0.8)
    below = Rect(10.0, 700.0, 300.0, 90.0)
    assert free_view(size, (0.0, 0.0), [below]) == FreeView(bottom=0.875)
    tall = Rect(20.0, 100.0, 100.0, 690.0)
    assert free_view(size, (0.0, 0.0), [below, tall]) == FreeView(left=0.12, bottom=0.875)
    assert free_view(size, (0.0, 0.0), [Rect(0.0, 0.0, *size)]) == whole  # the help lies over all
