"""The search console: why each was found, what is said of a query, filters that are offered, completions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from atlas_rt.core.answers import Completion, Match, Offer, QueryReading, SearchAnswer
from atlas_rt.core.drop_offer import DropOffer
from atlas_rt.core.match_threshold import ALL, WEAK, share_of
from atlas_rt.core.query_picture import QueryPicture
from atlas_rt.core.requests import (
    AddPaths,
    ClearSearch,
    CloseOffer,
    FlyTo,
    ForgetPicture,
    MoreLike,
    RecallQuery,
    Search,
    SearchByFile,
    SetThreshold,
    ToggleReading,
)
from atlas_rt.ui.input import Button, KeyStroke, Modifiers, PointerMoved
from atlas_rt.ui.panels import reading_line
from tests.ui.huds import SIZE_PX, Sheet, make_answer, make_hud, typed

OFFER = Offer("folder:archive", "“archive” is in the folder names of", "folder:archive dog", 71)
COMPLETIONS = (Completion("camera:canon", "camera:canon "), Completion('camera:"CONTAX T3"', 'camera:"CONTAX T3" '))


def heights(sheet: Sheet, answer: SearchAnswer) -> int:
    """How far down the console and its results reach, in the window's middle."""
    sheet.show(make_hud(searching=True, query=answer.query, answer=answer), frames=4)
    rows = np.nonzero(sheet.changed()[: SIZE_PX[1] // 2, SIZE_PX[0] // 2])[0]
    return int(rows.max())


def test_each_sentence_takes_its_line_above_the_results(sheet: Sheet) -> None:
    plain = make_answer("dog", *["strong"] * 8)
    once = heights(sheet, replace(plain, notices=("There is no field colour:, so it is read as text.",)))
    twice = heights(sheet, replace(plain, notices=("One sentence.", "Another one.")))
    long = heights(sheet, replace(plain, notices=("This sentence needs more than a line. " * 4,)))
    bare = heights(sheet, plain)
    assert bare < once < twice
    assert long == twice


def test_an_exact_result_says_where_its_words_stand(sheet: Sheet) -> None:
    """Its caption differs from a score and from another reason."""
    seen = []
    for why in (("name",), ("keyword", "meaning")):
        best = (Match(10, 0.3, "exact", why),)
        sheet.show(make_hud(searching=True, query="x", answer=replace(make_answer("x"), best=best)), frames=4)
        seen.append(sheet.pixels().copy())
    assert (seen[0] != seen[1]).any()


def test_a_filter_that_is_offered_is_taken_with_a_click(sheet: Sheet) -> None:
    hud = make_hud(searching=True, query="archive dog", answer=replace(make_answer("archive dog"), offers=(OFFER,)))
    sheet.show(hud, frames=4)
    assert Search("folder:archive dog") in sheet.click(hud, SIZE_PX[0] * 0.26, 128.0)
    assert sheet.panels.wants_text  # the field has the focus again


@pytest.mark.parametrize(("x", "query"), [(0.33, "camera:canon "), (0.43, 'camera:"CONTAX T3" ')])
def test_a_completion_is_taken_with_a_click(sheet: Sheet, x: float, query: str) -> None:
    answer = replace(make_answer("camera:c"), completions=COMPLETIONS)
    hud = make_hud(searching=True, query="camera:c", answer=answer)
    sheet.show(hud, frames=4)
    assert Search(query) in sheet.click(hud, SIZE_PX[0] * x, 100.0)
    assert sheet.panels.wants_text
    taken = make_hud(searching=True, query=query)
    sheet.show(taken, frames=4)
    assert sheet.show(taken, *typed("x"), frames=6)[-1] == Search(f"{query}x")  # the caret is at the end


def test_completions_of_an_older_text_are_not_shown(sheet: Sheet) -> None:
    answer = replace(make_answer("camera:c"), completions=COMPLETIONS)
    hud = make_hud(searching=True, query="camera:cx", answer=answer)
    sheet.show(hud, frames=4)
    assert sheet.click(hud, SIZE_PX[0] * 0.33, 100.0) == []


def test_a_picture_stands_in_the_field_and_is_taken_out_again(sheet: Sheet) -> None:
    picture = QueryPicture("a name of 255 bytes " * 12, np.zeros(4, np.float32), id=7)
    hud = make_hud(searching=True, query_picture=picture, answer=replace(make_answer("", "strong"), picture=picture))
    sheet.show(hud, frames=4)
    x, y = sheet.green()
    assert FlyTo(7) in sheet.click(hud, x, y)
    crosses = [at for at in range(int(x), int(x) + 300, 6) if ForgetPicture() in sheet.click(hud, at, 45.0)]
    assert 0 < len(crosses) < 6
    sheet.panels.focus_search()
    sheet.show(hud, frames=4)
    backspace = KeyStroke("Backspace", True, Modifiers()), KeyStroke("Backspace", False, Modifiers())
    assert ForgetPicture() in sheet.show(hud, *backspace, frames=4)
    sheet.show(hud, *typed("x"), frames=6)
    assert sheet.show(replace(hud, query="x"), *backspace, frames=4) == [Search("")]


def test_up_and_down_go_through_earlier_searches_and_the_cross_clears(sheet: Sheet) -> None:
    hud = make_hud(searching=True, query="dog", answer=make_answer("dog", "strong"))
    sheet.show(hud, frames=4)
    for key, step in (("Up", -1), ("Down", 1)):
        strokes = KeyStroke(key, True, Modifiers()), KeyStroke(key, False, Modifiers())
        assert sheet.show(hud, *strokes, frames=4) == [RecallQuery(step)]
    held = KeyStroke("Up", True, Modifiers(ctrl=True)), KeyStroke("Up", False, Modifiers(ctrl=True))
    assert sheet.show(hud, *held, frames=4) == []
    right = int(np.nonzero(sheet.changed()[45])[0].max())
    assert ClearSearch() in sheet.click(hud, right - 34.0, 45.0)


@pytest.mark.parametrize(("share", "threshold"), [(0.0, ALL), (0.2, WEAK), (0.7, 2.5)])
def test_the_slider_below_the_results_sets_how_alike_a_match_must_be(
    sheet: Sheet, share: float, threshold: float
) -> None:
    answer = replace(make_answer("dog", "strong", "none"), levels=np.zeros(2000, np.float32), matching=3)
    hud = make_hud(searching=True, query="dog", answer=answer, threshold=0.5)
    sheet.show(hud, frames=4)
    red, _, blue = np.moveaxis(sheet.pixels().astype(int), 2, 0)
    accent = (red > 150) & (red - blue > 50)
    y = int(accent[:300].sum(axis=1).argmax())
    columns = np.nonzero(accent[y])[0]
    knob, right = float(columns.min()) + 7.0, float(columns.max())
    width = (right - knob) / (1.0 - share_of(0.5))
    asked = sheet.click(hud, right - width * (1.0 - share), float(y))
    assert [request for request in asked if isinstance(request, SetThreshold)][:1] == [
        SetThreshold(pytest.approx(threshold, abs=0.12))  # type: ignore[arg-type]
    ]


def test_nothing_that_matches_so_closely_is_said_in_words(sheet: Sheet) -> None:
    """A line more than where nothing is said, and no strip."""
    empty = replace(make_answer("dog"), levels=np.zeros(2000, np.float32), matching=0)
    said = heights(sheet, empty)
    sheet.show(make_hud(searching=True, query="dog", answer=empty, threshold=2.0), frames=4)
    closer = sheet.pixels().copy()
    sheet.show(make_hud(searching=True, query="dog", answer=empty), frames=4)
    assert said < 200
    assert (closer != sheet.pixels()).any()


def test_a_dropped_picture_is_searched_by_or_added(sheet: Sheet) -> None:
    offer = DropOffer(("/pictures/a name of 255 bytes.png",))
    hud = make_hud(drop_offer=offer)
    sheet.show(hud, frames=4)
    red, _, blue = np.moveaxis(sheet.pixels().astype(int)[:, SIZE_PX[0] // 2 - 60], 1, 0)
    y = float(np.nonzero((red > 150) & (red - blue > 50))[0].mean())  # the middle of the button that is meant
    assert SearchByFile(offer.paths[0]) in sheet.click(hud, SIZE_PX[0] / 2.0 - 100.0, y)
    asked = sheet.click(hud, SIZE_PX[0] / 2.0 + 100.0, y)
    assert [AddPaths(offer.paths), CloseOffer()] == [each for each in asked if isinstance(each, AddPaths | CloseOffer)]
    folder = make_hud(drop_offer=replace(offer, why_not="trips is a folder; to search by a picture, give a single one"))
    sheet.show(folder, frames=4)
    asked = sheet.click(folder, SIZE_PX[0] / 2.0 - 100.0, y)
    assert AddPaths(offer.paths) in asked
    assert SearchByFile(offer.paths[0]) not in asked


def test_the_right_button_finds_more_like_a_thumbnail(sheet: Sheet) -> None:
    hud = make_hud(searching=True, query="dog", answer=make_answer("dog", "strong"))
    sheet.show(hud, frames=4)
    at_px = sheet.green()
    sheet.show(hud, PointerMoved(at_px), frames=2)
    assert MoreLike(10) in sheet.show(hud, Button("right", down=True, at_px=at_px, modifiers=Modifiers()), frames=2)


@pytest.mark.parametrize("undone", [False, True])
@pytest.mark.parametrize("words", [(("Hund", "dog"),), (("كلب", "dog"),) * 40, (("犬" * 400, "dog " * 300),)])
def test_a_reading_is_a_line_below_the_words_and_a_click_takes_it_back(
    make_sheet: Callable[[tuple[int, int]], Sheet], words: tuple[tuple[str, str], ...], undone: bool
) -> None:
    plain = make_answer("Hund", "strong")
    told = replace(plain, reading=QueryReading("de", " ".join(english for _, english in words), words, (), undone))
    for size_px in (SIZE_PX, (64, 48)):
        sheet = make_sheet(size_px)
        hud = make_hud(size_px=size_px, searching=True, query="Hund", answer=told)
        sheet.show(hud, frames=4)
    sheet = make_sheet(SIZE_PX)
    lower = heights(sheet, told) - heights(sheet, plain)
    assert lower == round(reading_line.HEIGHT)
    hud = make_hud(searching=True, query="Hund", answer=told)
    assert ToggleReading() in sheet.click(hud, SIZE_PX[0] / 2.0, 16.0 + 58.0 + 8.0)
    assert ToggleReading() not in sheet.click(hud, SIZE_PX[0] / 2.0, 16.0 + 30.0)


def test_what_was_not_understood_is_not_called_missing(sheet: Sheet) -> None:
    answer = replace(make_answer("qwrtz", "none"), notices=("The search did not understand “qwrtz”.",))
    seen = [heights(sheet, answer)]
    pixels = sheet.pixels().copy()
    seen.append(heights(sheet, replace(answer, not_understood=("qwrtz",))))
    assert seen[0] == seen[1]
    assert (sheet.pixels() != pixels).any()
