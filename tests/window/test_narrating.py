"""Claude in the real app, with a Bedrock on loopback: consent, answers as they come, budgets, and states in between."""

from __future__ import annotations

import base64
import dataclasses
import json
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import moderngl
import numpy as np
import pytest

from atlas_rt.core.maps import Cluster
from atlas_rt.core.narration import AnswerCard, Topic
from atlas_rt.core.requests import (
    AskClaude,
    Decline,
    Deselect,
    OpenClusterPage,
    OpenQuestion,
    OpenSource,
    RenameCluster,
    Select,
    StopClaude,
    TurnPage,
)
from atlas_rt.library.explanations import Explanations
from atlas_rt.narrator.sheets import Sheets
from atlas_rt.narrator.spending import Budget, Ledger
from atlas_rt.settings import Settings
from atlas_rt.window import arrivals
from atlas_rt.window.narrator_state import NarratorState
from tests.bedrock_server import Answer, Asked, BedrockServer, error, stream
from tests.libraries import Library
from tests.window.player import Player

SIZE_PX = (1000, 560)
WHY = "They are drawn in flat colours."
NAME = "Drawings"

Play = Callable[..., Player]


@pytest.fixture(scope="module")
def home(indexed: Library, tmp_path_factory: pytest.TempPathFactory) -> Library:
    return indexed.copy(tmp_path_factory.mktemp("narrating"))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def play(context: moderngl.Context, home: Library, data: Path, bedrock: BedrockServer) -> Iterator[Play]:
    """Opens the common library with nothing agreed to. Each name that is asked for is another one."""
    bedrock.answers = answers()
    players: list[Player] = []

    def opened(*paths: Path, **changes: Any) -> Player:
        settings = Settings(cache=str(home.cache), data=str(data), quality="low", language="en")
        player = Player(context, replace(settings, **changes), *(paths or (home.source,)), size_px=SIZE_PX)
        players.append(player)
        player.see(lambda: len(player.app.parts.world.scene.cluster_records))
        return player

    yield opened
    for player in players:
        player.close()


def answers(pause_secs: float = 0.0, fault: str = "") -> Callable[[Asked], Answer]:
    def answer(asked: Asked) -> Answer:
        words = re.search(r"look like: (\w+)", asked.text)
        name = f"{NAME} of {words[1] if words else 'sky'}"  # or the check of names would ask for another one
        claims = [{"text": "an outline around each", "images": [1, 2]}]
        facts = {"name": name, "english_name": name, "why": WHY, "claims": claims, "caption": "They stand alone."}
        whole = json.dumps(facts)
        pieces = (whole[at : at + 30] for at in range(0, len(whole), 30))
        return stream(*pieces, sent=2500, received=200, pause_secs=pause_secs, fault=fault)

    return answer


def state(player: Player) -> NarratorState:
    return player.app.parts.panel_state.narrator


def records(player: Player) -> dict[int, Cluster]:
    return {record.id: record for record in player.app.parts.world.scene.cluster_records}


def topic_of(player: Player, cluster: int) -> Topic:
    return Topic("cluster", clusters=(cluster,), names=(records(player)[cluster].name,))


def notices(player: Player) -> list[str]:
    return [notice.text for notice in player.app.parts.panel_state.notices]


def card(player: Player) -> AnswerCard:
    shown = state(player).card
    assert shown is not None
    return shown


def ended(player: Player) -> bool:
    return state(player).asking is None and state(player).waiting is None


def test_nothing_is_contacted_before_consent_and_what_was_shown_is_sent(
    play: Play, bedrock: BedrockServer, data: Path
) -> None:
    player = play()
    player.do("clusters")
    offer = player.see(lambda: state(player).offer.left and state(player).offer)
    assert {topic.clusters[0] for topic in offer.left} == set(records(player))
    cluster = offer.left[1].clusters[0]
    player.do(OpenClusterPage(cluster), AskClaude((topic_of(player, cluster),)))
    page = player.see(lambda: state(player).page)
    proposed = state(player).proposed
    assert proposed is not None
    proposal = proposed.proposal
    assert (proposal.region, proposal.model) == ("us-east-1", "us.anthropic.claude-haiku-5-5")
    assert proposal.usd[0] == pytest.approx(offer.usd, rel=0.3)
    assert proposal.topics[0].clusters == (cluster,)
    assert len(proposal.topics) == len(offer.left)
    player.do(TurnPage(1))
    player.see(lambda: state(player).page != page and state(player).page.at == 1)
    player.do(TurnPage(-1))
    player.see(lambda: state(player).page == page)
    player.do("step_back")
    assert (state(player).proposed, state(player).page) == (None, None)
    player.do(AskClaude((topic_of(player, cluster),)), Decline())
    player.frame(20)
    assert state(player).proposed is None
    assert not bedrock.asked
    assert not data.exists()

    player.do(AskClaude((topic_of(player, cluster),)))
    page = player.see(lambda: state(player).page)
    subject = state(player).proposed.subjects[0]
    player.do("fly_to_best")  # Enter
    player.see(lambda: ended(player))
    (asked,) = bedrock.conversations
    sent = asked.body["messages"][0]["content"]
    session = player.app.parts.session
    assert session is not None
    sheets: Sheets = session.questions._sheets
    assert [base64.b64decode(each["image"]["source"]["bytes"]) for each in sent if "image" in each] == [
        *sheets.of(subject)
    ]
    assert page.text.startswith(sent[-1]["text"])
    assert page.text.endswith(asked.body["system"][0]["text"])
    player.see(lambda: records(player)[cluster].named_by == "claude")
    assert records(player)[cluster].name.startswith(NAME)
    said = player.see(lambda: (page := player.app.parts.panel_state.clusters.page) and page.said)
    assert (said.why, said.claims[0].images) == (WHY, tuple(sorted(p.id for p in subject.pictures[:2])))
    assert player.see(lambda: state(player).spent and state(player).spent.library) > 0.0

    player.do(AskClaude((topic_of(player, offer.left[0].clusters[0]),)))  # agreed to once, for this library and model
    player.see(lambda: len(bedrock.conversations) == 2 and ended(player))


def test_an_answer_is_read_as_it_comes_and_can_be_stopped(play: Play, bedrock: BedrockServer, data: Path) -> None:
    bedrock.answers = answers(pause_secs=0.3)
    player = play(narrator="on")
    cluster = next(iter(records(player)))
    player.do("clusters", OpenClusterPage(cluster), "why")
    player.see(lambda: state(player).asking and WHY.startswith(state(player).asking.text.strip()[:10] or "-"))
    player.do("step_back")  # Esc stops it, and closes nothing
    player.see(lambda: ended(player))
    assert player.app.parts.panel_state.clusters.opened == cluster
    assert any("stopped: not answered" in each for each in notices(player))
    assert Explanations(data).read().entries == ()
    bedrock.answers = answers()
    player.do("why")
    player.see(lambda: records(player)[cluster].named_by == "claude")


def test_all_are_explained_until_the_person_or_another_window_stops_it(
    play: Play, bedrock: BedrockServer, data: Path, home: Library
) -> None:
    player = play(narrator="on", budget_library=0.006)
    player.do("clusters")
    left = player.see(lambda: state(player).offer.left)
    assert len(left) >= 4
    bedrock.answers = answers(pause_secs=0.02)
    player.do(AskClaude(left))
    player.see(lambda: state(player).asking and state(player).asking.done == 1)
    assert state(player).asking.total == len(left)
    player.do(StopClaude())
    player.see(lambda: ended(player))
    named = [record for record in records(player).values() if record.named_by == "claude"]
    assert 1 <= len(named) < len(left)
    assert any(f"of {len(left)} answered" in each for each in notices(player))

    bedrock.answers = answers()
    other = Ledger(data, home.place.folder.name, Budget(1.0, 5.0))  # of another window, with a larger budget
    left = player.see(lambda: len(state(player).offer.left) == len(left) - len(named) and state(player).offer.left)
    other.reserve("m", 0.0045)
    before = len(bedrock.conversations)
    player.do(AskClaude(left))
    player.see(lambda: ended(player))
    trouble = next(each for each in state(player).troubles.values() if each)
    assert "The budget of this library is used up" in trouble
    assert "--budget-library USD" in trouble
    assert len(bedrock.conversations) - before < len(left)


@pytest.mark.parametrize(
    ("changes", "closed"),
    [({"offline": True}, "--offline"), ({"narrator": "off"}, "--narrator off"), ({"kiosk": True}, "kiosk")],
    ids=["offline", "off", "kiosk"],
)
def test_where_claude_may_not_be_asked_the_vocabulary_answers(
    play: Play, bedrock: BedrockServer, changes: dict[str, Any], closed: str
) -> None:
    player = play(**changes)
    player.do("clusters", "why")
    said = player.see(lambda: card(player).own)
    assert said.named_by == "vocabulary"
    assert said.why.startswith("in sight: ")
    assert player.app.hud(player.app.parts.world.view(SIZE_PX), 0.0).narrator.closed == closed
    player.do(AskClaude((topic_of(player, next(iter(records(player)))),)), "why")
    player.frame(10)
    assert ended(player)
    assert not bedrock.asked
    player.do("step_back")
    assert state(player).card is None


def test_questions_about_a_selection_a_view_and_two_clusters(play: Play, bedrock: BedrockServer) -> None:
    player = play(narrator="on")
    first, second = list(records(player))[:2]
    scene = player.app.parts.world.scene
    ids = scene.ids[scene.clusters == first][:3].tolist()
    player.do(*(Select(id_, add=True) for id_ in ids), "why")
    assert card(player).topic.title == "Why are these 3 together?"
    said = player.see(lambda: card(player).own)
    assert {image for claim in said.claims for image in claim.images} <= set(ids)
    player.do("why")
    claude = player.see(lambda: card(player).claude)
    assert claude.name.startswith(NAME)
    assert set(claude.claims[0].images) <= set(ids)
    names = records(player)[first].name, records(player)[second].name
    player.do(Deselect(), OpenQuestion(Topic("difference", clusters=(first, second), names=names)))
    player.see(lambda: card(player).own)
    player.do(AskClaude((card(player).topic,)))
    player.see(lambda: card(player).claude)
    sheets = [each for each in bedrock.conversations[-1].body["messages"][0]["content"] if "image" in each]
    assert len(sheets) == 2
    assert {record.named_by for record in records(player).values()} <= {"vocabulary", "exemplar"}  # nothing was named

    gone = Topic("selection", ids=(10**9, 10**9 + 1))
    player.do(OpenQuestion(gone))
    assert "Fewer than two" in player.see(lambda: card(player).trouble)


def test_what_is_wrong_stands_where_the_answer_would(play: Play, bedrock: BedrockServer) -> None:
    denied = "User: arn:aws:iam::123456789012:user/ada is not authorized to perform: bedrock:InvokeModel"
    bedrock.answers = [error(403, "AccessDeniedException", f"{denied} on resource: arn:aws:bedrock:us-east-1::x")]
    player = play(narrator="on")
    cluster = next(iter(records(player)))
    player.do("clusters", OpenClusterPage(cluster), "why")
    trouble = player.see(lambda: ended(player) and state(player).troubles.get(cluster))
    assert '"bedrock:InvokeModelWithResponseStream"' in trouble
    assert player.app.hud(player.app.parts.world.view(SIZE_PX), 0.0).narrator.trouble == trouble
    bedrock.answers = answers(fault="short")
    player.do("why")
    assert "cut off" in player.see(lambda: ended(player) and state(player).troubles.get(cluster))
    bedrock.answers = answers()
    player.do("why")
    player.see(lambda: records(player)[cluster].named_by == "claude")
    assert state(player).troubles[cluster] == ""


def test_without_a_region_that_is_told_instead_of_asking_for_consent(
    play: Play, bedrock: BedrockServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    player = play()
    cluster = next(iter(records(player)))
    player.do("clusters", OpenClusterPage(cluster), "why")
    assert "No AWS region is set" in player.see(lambda: state(player).troubles.get(cluster))
    assert state(player).proposed is None
    assert not bedrock.asked


def test_an_answer_that_comes_after_a_refit_or_after_its_library_was_closed_hurts_nothing(
    play: Play, bedrock: BedrockServer, tmp_path: Path, data: Path
) -> None:
    bedrock.answers = answers(pause_secs=0.03)
    player = play(narrator="on")
    parts = player.app.parts
    cluster = next(iter(records(player)))
    player.do("clusters", OpenClusterPage(cluster), "why")
    player.see(lambda: state(player).asking and state(player).asking.text)
    scene, first = parts.world.scene, parts.session._arrival if parts.session else None
    assert first is not None
    kept = [place for place, record in enumerate(scene.cluster_records) if record.id != cluster]
    later = dataclasses.replace(
        scene,
        generation=scene.generation + 1,
        clusters=np.where(scene.clusters == cluster, 500, scene.clusters).astype(np.int32),
        cluster_records=tuple(scene.cluster_records[place] for place in kept),
        cluster_hues=scene.cluster_hues[kept],
    )
    arrivals.show(parts, dataclasses.replace(first, scene=later, tiles=first.tiles[:0]))
    player.see(lambda: ended(player))
    assert any(NAME in each for each in notices(player))
    assert [each.name.startswith(NAME) for each in Explanations(data).read().entries] == [True]

    player.see(lambda: records(player).get(cluster, None) is not None)
    other = next(id_ for id_ in records(player) if id_ != cluster)
    player.do(OpenClusterPage(other), "why")
    player.see(lambda: state(player).asking and state(player).asking.text)
    (tmp_path / "empty").mkdir()
    player.do(OpenSource((str(tmp_path / "empty"),)))
    player.frame(10)
    assert state(player).asking is None
    assert len(Explanations(data).read().entries) == 1


@pytest.mark.slow
def test_names_stand_after_a_hand_a_deleted_cache_and_a_restart(play: Play, home: Library, tmp_path: Path) -> None:
    """The whole way: Claude names, a person renames one, the cache is deleted, the program starts anew and fits."""
    cache = home.copy(tmp_path / "cache").cache
    player = play(cache=str(cache), narrator="on")
    player.do("clusters")
    player.do(AskClaude(player.see(lambda: state(player).offer.left)))
    player.see(lambda: ended(player))
    player.see(lambda: {record.named_by for record in records(player).values()} == {"claude"})
    names = {record.size: record.name for record in records(player).values()}
    largest = next(iter(records(player).values()))
    player.do(RenameCluster(largest.id, "My own"))
    player.see(lambda: records(player)[largest.id].name == "My own")
    player.app.close()
    shutil.rmtree(cache / "libraries")

    player = play(cache=str(cache), offline=True)
    player.settle(len(home.map.ids))
    player.see(lambda: "My own" in {record.name for record in records(player).values()})
    found = {record.name for record in records(player).values() if record.named_by == "claude"}
    assert len(found & set(names.values())) >= len(names) // 2
