"""Consent, answers and what they cost, as panels show them and as they are clicked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from atlas_rt.core.explanations import Claim, Explanation
from atlas_rt.core.hud import ClusterPage, Hud
from atlas_rt.core.narration import (
    AnswerCard,
    Asking,
    NarratorView,
    Offer,
    Proposal,
    ProposalPage,
    Spent,
    Topic,
)
from atlas_rt.core.requests import (
    Agree,
    AskClaude,
    CloseQuestion,
    Decline,
    FlyTo,
    OpenQuestion,
    Select,
    StopClaude,
    TurnPage,
)
from atlas_rt.ui.panels.canvas import Rect
from atlas_rt.ui.panels.explanation import model_name, source_of
from atlas_rt.ui.panels.status import spent_line
from tests.ui.huds import Sheet, make_facts, make_hud, make_page, make_panel, make_row

TOPICS = tuple(Topic("cluster", clusters=(id_,), names=(f"animals {id_}",)) for id_ in range(3))
VIEW = Topic("view", ids=(1, 2, 3))
OWN = Explanation("animals", "most look like: dog, cat", (Claim("dog: 3 of 3", (101, 102, 103)),), "vocabulary")
SAID = Explanation("Wild dogs", "They run.", (Claim("four legs", (104,)),), "claude", "us.anthropic.claude-haiku-5-5",
                   "2026-11-28", 0.00041)  # fmt: skip
PROPOSAL = Proposal(
    TOPICS, usd=(0.0004, 0.0003, 0.0004), model="us.anthropic.claude-haiku-5-5", region="us-east-1", language="English"
)
WORDS = "\n".join(f"a line of words that are sent, number {number}" for number in range(60))


def hud_of(view: NarratorView, **changes: Any) -> Hud:
    return make_hud(narrator=view, **changes)


def consent(**changes: Any) -> Hud:
    view = NarratorView(closed="", proposal=PROPOSAL, page=ProposalPage(0, (1092, 1092), WORDS))
    return hud_of(replace(view, **changes))


def card(**changes: Any) -> Hud:
    return hud_of(NarratorView(closed="", card=replace(AnswerCard(VIEW, own=OWN, usd=0.0004), **changes)))


def rect_of(sheet: Sheet, hud: Hud) -> Rect:
    """Where the card lies, which is built last."""
    sheet.show(hud, frames=4)
    return sheet.panels.covered[-1]


def blue(sheet: Sheet) -> int:
    """Pixels of the picture that is shown whole."""
    return int((sheet.pixels() == (0, 0, 255)).all(axis=2).sum())


@pytest.mark.parametrize(
    ("at", "request_"),
    [
        ((1000.0, 615.0), Agree(all=False)),
        ((850.0, 615.0), Agree(all=True)),
        ((280.0, 615.0), Decline()),
        ((677.0, 566.0), TurnPage(1)),
    ],
    ids=["one", "all", "nothing", "next"],
)
def test_what_would_be_sent_is_shown_and_agreed_to(sheet: Sheet, at: tuple[float, float], request_: object) -> None:
    hud = consent()
    sheet.show(hud, frames=3)
    assert blue(sheet) > 100_000
    assert sheet.click(hud, *at) == [request_]


def test_the_map_hears_nothing_while_consent_is_asked_for(sheet: Sheet) -> None:
    hud = consent()
    assert sheet.click(hud, 20.0, 400.0) == []
    assert sheet.overlay.wants_mouse
    sheet.show(hud_of(NarratorView(closed="")), frames=3)
    assert blue(sheet) == 0


def test_a_question_is_answered_here_and_claude_can_be_asked(sheet: Sheet) -> None:
    hud = card()
    rect = rect_of(sheet, hud)
    close, ask = (rect.right - 22.0, rect.y + 23.0), (rect.right - 90.0, rect.y + 23.0)
    assert sheet.click(hud, *close) == [CloseQuestion()]
    assert sheet.click(hud, *ask) == [AskClaude((VIEW,))]
    image = sheet.green()
    assert [each for each in sheet.click(hud, *image) if isinstance(each, FlyTo | Select)] == [FlyTo(101), Select(101)]
    closed = hud_of(replace(hud.narrator, closed="--offline"))
    assert AskClaude((VIEW,)) not in sheet.click(closed, *ask)


def test_the_card_of_what_is_pointed_at_leaves_the_answer_free(sheet: Sheet) -> None:
    hud = card()
    rect = rect_of(sheet, hud)
    inside = (slice(int(rect.y) + 2, int(rect.bottom) - 2), slice(int(rect.x) + 2, int(rect.right) - 2))
    before = sheet.pixels()[inside].copy()
    pointed = replace(hud, hovered=make_facts(7), hovered_at_px=(640.0, rect.y - 30.0, 20.0))
    sheet.show(pointed, frames=30)
    assert np.array_equal(sheet.pixels()[inside], before)
    sheet.show(replace(pointed, narrator=NarratorView(closed="")), frames=3)
    assert sheet.changed()[inside].any()  # without the answer the card may lie there


def test_an_answer_that_comes_can_be_stopped_and_one_that_came_says_whose_it_is(sheet: Sheet) -> None:
    asking = Asking(VIEW, "They run.\nfour le", 0, 1, None)
    hud = hud_of(NarratorView(closed="", card=AnswerCard(VIEW, own=OWN), asking=asking))
    rect = rect_of(sheet, hud)
    assert sheet.click(hud, rect.right - 45.0, rect.y + 55.0) == [StopClaude()]
    assert source_of(SAID) == "by Claude  ·  Haiku 5.5  ·  28 Nov 2026  ·  $0.00041"
    assert source_of(OWN) == "by the vocabulary, on this machine"


@pytest.mark.parametrize(
    ("id_", "name"),
    [
        ("us.anthropic.claude-haiku-5-5", "Haiku 5.5"),
        ("anthropic.claude-haiku-4-5-20251001-v1:0", "Haiku 4.5"),
        ("arn:aws:bedrock:us-east-1:123456789012:inference-profile/global.anthropic.claude-opus-5", "Opus 5"),
        ("own-model", "Own"),
    ],
    ids=["profile", "dated", "arn", "own"],
)
def test_models_have_names(id_: str, name: str) -> None:
    assert model_name(id_) == name


def test_all_clusters_are_explained_from_the_list_and_one_from_its_page(sheet: Sheet) -> None:
    view = NarratorView(closed="", offer=Offer(TOPICS, 0.0004))
    hud = hud_of(view, clusters=make_panel(3))
    bottom = 720.0 - 16.0 - 62.0 - 10.0  # of the panel, above the status
    sheet.show(hud, frames=3)
    assert AskClaude(TOPICS) in sheet.click(hud, 180.0, bottom - 53.0)
    asked = hud_of(replace(view, asking=Asking(TOPICS[1], "", 1, 3, 20.0)), clusters=make_panel(3))
    assert StopClaude() in sheet.click(asked, 320.0, bottom - 53.0)

    page = hud_of(view, clusters=make_panel(3, opened=make_row(0), page=ClusterPage(0)))
    sheet.show(page, frames=3)
    ask = 180.0, 140.0
    assert AskClaude((TOPICS[0],)) in sheet.click(page, *ask)
    said = hud_of(view, clusters=make_panel(3, opened=make_row(0), page=ClusterPage(0, said=SAID)))
    sheet.show(said, frames=3)
    assert AskClaude((TOPICS[0],)) not in sheet.click(said, *ask)


def test_how_two_clusters_differ_is_asked_on_a_page(sheet: Sheet) -> None:
    page = replace(make_page(0), borderline=(), typical=(1, 2))
    panel = make_panel(3, opened=make_row(0), page=page, nearest=make_row(1))
    hud = hud_of(NarratorView(closed=""), clusters=panel)
    sheet.show(hud, frames=3)
    topic = Topic("difference", clusters=(0, 1), names=("animals 0", "animals 1"))
    found = [request for y in range(300, 640, 8) for request in sheet.click(hud, 300.0, float(y))]
    assert OpenQuestion(topic) in found


def test_what_claude_has_cost_stays_in_sight() -> None:
    spent = Spent(0.0012, 0.5, 1.0, 5.0)
    assert spent_line(hud_of(NarratorView(closed="", spent=spent))) == (
        "Claude: $0.0012 of $1.00 spent here  ·  $0.50 of $5.00 this month"
    )
    assert spent_line(hud_of(NarratorView(closed="", spent=replace(spent, library=0.0, month=0.0)))) == ""
