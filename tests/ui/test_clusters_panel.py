"""The panel of clusters on software OpenGL: what its rows, fields and signs ask for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from atlas_rt.core.hud import Hud
from atlas_rt.core.requests import (
    BeginRename,
    Do,
    FindClusters,
    FlyTo,
    HideCluster,
    Hover,
    IsolateCluster,
    OpenClusterPage,
    PointAtCluster,
    PointAtSubcluster,
    RenameCluster,
    Request,
    Select,
    ShowAllClusters,
    SortClusters,
    VisitCluster,
    VisitSubcluster,
)
from atlas_rt.ui.input import Button, KeyStroke, Modifiers, PointerMoved
from atlas_rt.ui.panels.canvas import Rect
from atlas_rt.ui.panels.cluster_page import spans
from tests.ui.huds import SIZE_PX, Sheet, make_facts, make_hud, make_page, make_panel, make_parts, make_row, typed

ROW_PX = 112
FIRST_ROW_Y = 16 + 122


def hud_of(**changes: Any) -> Hud:
    return make_hud(clusters=make_panel(12, **changes))


def asked(requests: list[Request]) -> list[Request]:
    """Without what the pointer lights on its way."""
    return [request for request in requests if not isinstance(request, PointAtCluster | PointAtSubcluster | Hover)]


def name_of(row: int) -> tuple[float, float]:
    """Where a row's name stands."""
    return 80.0, FIRST_ROW_Y + row * ROW_PX + 20.0


def signs_of(row: int) -> list[tuple[float, float]]:
    """Where its signs stand: rename, hide, more."""
    return [(x, name_of(row)[1]) for x in (269.0, 295.0, 321.0)]


def panel_of(sheet: Sheet, hud: Hud) -> Rect:
    sheet.show(hud, frames=3)
    return max(sheet.panels.covered, key=lambda rect: rect.height)


def test_a_row_is_lit_visited_at_a_click_and_shown_alone_at_a_second(sheet: Sheet) -> None:
    hud = hud_of()
    sheet.show(hud, frames=3)
    assert sheet.show(hud, PointerMoved(name_of(1)), frames=2) == [PointAtCluster(1)]
    assert asked(sheet.click(hud, *name_of(1))) == [VisitCluster(1)]
    down, up = (Button("left", down=down, at_px=name_of(1), modifiers=Modifiers()) for down in (True, False))
    assert asked(sheet.show(hud, down, frames=1) + sheet.show(hud, up, frames=2)) == [IsolateCluster(1)]
    assert sheet.show(hud, PointerMoved((900.0, 400.0)), frames=2) == [PointAtCluster(-1)]
    exemplar = sheet.click(hud, 60.0, FIRST_ROW_Y + 80.0)
    assert [request.id for request in exemplar if isinstance(request, Select)] == [make_row(0).cluster.exemplars[0]]


def test_the_signs_of_a_row_rename_hide_and_tell_more(sheet: Sheet) -> None:
    hud = hud_of()
    sheet.show(hud, frames=3)
    wanted: list[Request] = [BeginRename(2), HideCluster(2), OpenClusterPage(2)]
    assert [request for sign in signs_of(2) for request in asked(sheet.click(hud, *sign))] == wanted
    hidden = hud_of(rows=(make_row(0, hidden=True), make_row(1)), concealed=1)
    sheet.show(hidden, PointerMoved((900.0, 400.0)), frames=2)
    assert asked(sheet.click(hidden, 321.0, name_of(0)[1])) == [OpenClusterPage(0)]  # under the pointer all signs come
    assert asked(sheet.click(hidden, 306.0, 117.0)) == [ShowAllClusters()]
    assert asked(sheet.click(hud, 125.0, 117.0)) == [SortClusters("name")]
    assert asked(sheet.click(hud, 334.0, 41.0)) == [Do("clusters")]


def test_a_kiosk_renames_nothing(sheet: Sheet) -> None:
    hud = replace(hud_of(), kiosk=True)
    sheet.show(hud, frames=3)
    assert asked(sheet.click(hud, *signs_of(1)[0])) == [VisitCluster(1)]


def test_letters_in_its_field_are_text_and_arrows_move_through_the_list(sheet: Sheet) -> None:
    hud = hud_of()
    sheet.show(hud, frames=3)
    sheet.click(hud, 150.0, 78.0)
    assert sheet.panels.wants_text
    requests = sheet.show(hud, *typed("cup"), frames=8)
    assert [request for request in requests if isinstance(request, FindClusters)][-1] == FindClusters("cup")
    keys = [KeyStroke("Down", down, Modifiers()) for down in (True, False)]
    assert Do("neighbour_down") in sheet.show(replace(hud, clusters=make_panel(12, wanted="cup")), *keys, frames=3)
    sheet.show(make_hud(), frames=2)
    assert not sheet.panels.wants_text


@pytest.mark.parametrize("page", [False, True])
def test_a_name_is_typed_over_the_old_one_and_given_by_enter_or_a_click_elsewhere(sheet: Sheet, page: bool) -> None:
    plain = hud_of(opened=make_row(1), page=make_page(1)) if page else hud_of()
    renaming = replace(plain, clusters=replace(plain.clusters, renaming=1))
    enter = [KeyStroke("Enter", down, Modifiers()) for down in (True, False)]
    sheet.show(plain, frames=3)
    sheet.show(renaming, frames=4)
    assert sheet.panels.wants_text
    sheet.show(renaming, *typed("pets"), frames=10)
    assert asked(sheet.show(renaming, *enter, frames=2))[0] == RenameCluster(1, "pets")
    sheet.show(plain, frames=2)
    sheet.show(renaming, frames=4)
    sheet.show(renaming, *typed("dogs"), frames=10)
    assert RenameCluster(1, "dogs") in sheet.click(renaming, 900.0, 400.0)
    sheet.show(plain, frames=2)
    sheet.show(renaming, *typed("cats"), frames=10)
    assert sheet.show(plain, frames=3) == []  # Esc: the app ended it
    assert not sheet.panels.wants_text


def test_the_row_the_keyboard_goes_to_comes_into_sight(sheet: Sheet) -> None:
    sheet.show(hud_of(cursor=0), frames=3)
    sheet.show(hud_of(cursor=11, moved=1), frames=3)
    rows = [
        request.id
        for y in range(FIRST_ROW_Y + 20, 560, ROW_PX // 2)
        for request in sheet.show(hud_of(cursor=11, moved=1), PointerMoved((80.0, float(y))), frames=2)
        if isinstance(request, PointAtCluster)
    ]
    assert 11 in rows
    assert 0 not in rows


def test_the_page_leads_to_the_nearest_cluster_and_back(sheet: Sheet) -> None:
    hud = hud_of(opened=make_row(1), page=make_page(1), nearest=make_row(2))
    sheet.show(hud, frames=3)
    assert asked(sheet.click(hud, 36.0, 41.0)) == [OpenClusterPage(-1)]
    found = [
        request
        for y in range(430, 560, 10)
        for request in asked(sheet.click(hud, 150.0, float(y)))
        if isinstance(request, OpenClusterPage)
    ]
    assert set(found) == {OpenClusterPage(2)}


def test_the_parts_of_a_cluster_are_lit_visited_and_let_go_of(sheet: Sheet) -> None:
    page = replace(make_page(1), subclusters=make_parts(1))
    hud = hud_of(opened=make_row(1), page=page, nearest=make_row(2))
    sheet.show(hud, frames=3)
    lines = [(60.0, y) for y in (455.0, 505.0, 555.0)]
    for place, line in enumerate(lines):
        assert PointAtSubcluster(10 + place) in sheet.show(hud, PointerMoved(line), frames=2)
    assert asked(sheet.click(hud, *lines[0])) == [VisitSubcluster(10)]
    assert asked(sheet.click(hud, 220.0, lines[1][1])) == [FlyTo(102), Select(102)]
    assert PointAtSubcluster(-1) in sheet.show(hud, PointerMoved((900.0, 300.0)), frames=2)
    whole = replace(hud, clusters=replace(hud.clusters, page=make_page(1)))
    for without in (hud_of(), whole, replace(hud, clusters=replace(hud.clusters, open=False))):  # Esc, a refit, K
        sheet.show(hud, PointerMoved((10.0, 10.0)), frames=3)
        sheet.show(hud, PointerMoved(lines[2]), frames=3)
        assert PointAtSubcluster(-1) in sheet.show(without, frames=3)


def test_what_is_hidden_is_told_with_the_panel_closed(sheet: Sheet) -> None:
    hud = make_hud(clusters=replace(make_panel(0), open=False, concealed=2, alone="a name " * 40))
    sheet.show(hud, frames=3)
    pill = next(rect for rect in sheet.panels.covered if rect.y < 100.0)
    assert pill.right < SIZE_PX[0]
    assert asked(sheet.click(hud, pill.right - 30.0, pill.centre[1])) == [ShowAllClusters()]


def test_where_nothing_is_found_it_says_so(sheet: Sheet) -> None:
    for panel in (make_panel(0, wanted="zebra " * 20, total=3), make_panel(0)):
        sheet.show(make_hud(clusters=panel), frames=3)
        words = sheet.pixels()[FIRST_ROW_Y : FIRST_ROW_Y + 90, 30:320].max(axis=2)
        assert (words > 140).any()


def test_it_gives_way_to_a_selected_image_where_both_have_no_room(
    make_sheet: Callable[[tuple[int, int]], Sheet],
) -> None:
    for size_px, both in (((1280, 720), True), ((900, 600), False)):
        sheet = make_sheet(size_px)
        hud = replace(hud_of(), size_px=size_px, selected=make_facts())
        sheet.show(hud, frames=4)
        assert any(rect.x < 20.0 and rect.height > 300.0 for rect in sheet.panels.covered) is both
        assert (sheet.panels.free.left > 0.0) is both
        assert sheet.panels.free.right < 0.8


def test_hundreds_of_clusters_cost_what_a_screenful_costs(sheet: Sheet) -> None:
    costs = {}
    for count in (6, 300):
        hud = make_hud(clusters=make_panel(count))
        sheet.show(hud, frames=5)
        times_ms = []
        for _ in range(15):
            sheet.show(hud)
            times_ms.append(sheet.build_ms)
        costs[count] = sorted(times_ms)[7]
    assert costs[300] < 1.6 * costs[6] + 0.2, costs


def test_dates_are_told_by_months_and_beyond_three_years_by_years() -> None:
    assert spans(((2024, 11, 3), (2025, 2, 4))) == ("Nov 2024", "Feb 2025", [3, 0, 0, 4])
    assert spans(((2019, 5, 1), (2019, 6, 2), (2025, 1, 4))) == ("2019", "2025", [3, 0, 0, 0, 0, 0, 4])
