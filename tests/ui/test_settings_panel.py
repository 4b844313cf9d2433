"""The settings, a stronger model and hints as panels: what a click asks for, at any size."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from atlas_rt.core.hints import HINTS
from atlas_rt.core.preferences import PREFERENCES, PreferenceRow, PreferencesView
from atlas_rt.core.requests import Do, FindCommand, GetModel, SetPreference, StopModel
from atlas_rt.core.upgrade import ModelOffer, UpgradeView, UpgradeWork
from atlas_rt.settings import Settings
from tests.ui.huds import SIZE_PX, Sheet, make_answer, make_hud

VIEW = PreferencesView(tuple(PreferenceRow(each, getattr(Settings(), each.name)) for each in PREFERENCES), 0)
OFFERS = (
    ModelOffer("ViT-B-32-laion2b", 605, "scenes and styles, in English", 66.56, begun_mb=120),
    ModelOffer("ViT-B-16-SigLIP2", 1501, "the same in 109 languages", 78.2),
)


def test_a_value_is_set_with_a_click_and_a_click_beside_closes(sheet: Sheet) -> None:
    hud = make_hud(settings=VIEW)
    sheet.show(hud, frames=4)
    x, y = SIZE_PX[0] / 2 + 390 - 52, SIZE_PX[1] / 2 - 267 + 62 + 27
    assert SetPreference("quality", "high") in sheet.click(hud, x, y)
    assert Do("settings") in sheet.click(hud, 20.0, 20.0)


def test_the_language_is_stepped_through_or_found_by_words(sheet: Sheet) -> None:
    hud = make_hud(settings=VIEW)
    sheet.show(hud, frames=4)
    row = [each.name for each in PREFERENCES].index("language")
    y, right = SIZE_PX[1] / 2 - 267 + 62 + 54 * row + 27, SIZE_PX[0] / 2 + 390 - 26
    assert SetPreference("language", "en") in sheet.click(hud, right - 15, y)
    found = sheet.click(hud, right - 125, y)
    assert found == [Do("settings"), Do("palette"), FindCommand("language: ")]


def test_the_settings_fit_into_any_window(make_sheet: Callable[[tuple[int, int]], Sheet]) -> None:
    for size_px in ((900, 600), (64, 48), (1, 1)):
        sheet = make_sheet(size_px)
        sheet.show(make_hud(size_px=size_px, settings=VIEW), frames=4)
    assert sheet.panels.covered is not None


def test_an_offer_is_taken_with_a_click_where_nothing_sure_was_found(sheet: Sheet) -> None:
    hud = make_hud(searching=True, upgrade=UpgradeView(OFFERS))
    sheet.show(hud, frames=4)
    shown = sheet.pixels().copy()
    assert GetModel("ViT-B-32-laion2b") in sheet.click(hud, SIZE_PX[0] / 2 + 300.0, 196.0)
    assert GetModel("ViT-B-16-SigLIP2") in sheet.click(hud, SIZE_PX[0] / 2 + 300.0, 250.0)
    sheet.show(make_hud(searching=True), frames=4)
    assert (sheet.pixels() != shown).any()
    for band, offered in (("strong", False), ("none", True)):
        answer = make_answer("dog", band)
        rows = []
        for upgrade in (None, UpgradeView(OFFERS)):
            sheet.show(make_hud(searching=True, query="dog", answer=answer, upgrade=upgrade), frames=4)
            rows.append(np.count_nonzero(sheet.changed()[:500, SIZE_PX[0] // 2]))
        assert bool(rows[1] > rows[0]) is offered


def test_work_on_it_can_be_cancelled_wherever_the_person_is(sheet: Sheet) -> None:
    work = UpgradeWork("fetching ViT-B-32-laion2b", "120 of 605 MB", "3.1 MB/s  ·  2 min 36 s left", 0.2)
    hud = make_hud(upgrade=UpgradeView(work=work))
    sheet.show(hud, frames=4)
    cancel = 16.0 + 440.0 - 16.0 - 20.0, SIZE_PX[1] - 16.0 - 62.0 - 8.0 - 74.0 + 22.0
    assert StopModel() in sheet.click(hud, *cancel)


def test_the_mouse_alone_finds_everything(sheet: Sheet) -> None:
    """By three lines in the status panel, which open the palette."""
    hud = make_hud()
    sheet.show(hud, frames=4)
    columns = np.flatnonzero(sheet.changed()[SIZE_PX[1] - 40])
    right = float(columns[columns < SIZE_PX[0] / 2].max())
    assert Do("palette") in sheet.click(hud, right - 24.0, SIZE_PX[1] - 16.0 - 62.0 + 21.0)


def test_a_hint_is_a_line_at_the_bottom(sheet: Sheet) -> None:
    sheet.show(make_hud(), frames=4)
    assert not sheet.changed()[-60:, SIZE_PX[0] // 2 : SIZE_PX[0] // 2 + 200].any()
    sheet.show(make_hud(hint=HINTS[0]), frames=4)
    assert sheet.changed()[-60:, SIZE_PX[0] // 2 : SIZE_PX[0] // 2 + 200].any()
