"""The search console: why each was found, what is said of a query, filters that are offered, completions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from atlas_rt.core.answers import Completion, Match, Offer, SearchAnswer
from atlas_rt.core.requests import Search
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
