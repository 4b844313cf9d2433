"""`clusters --explain`: what is sent, what it costs, whose consent it needs, and names of Claude that stay."""

from __future__ import annotations

import base64
import io
import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.bedrock_server import Answer, Asked, BedrockServer, error, message
from tests.commands.person import Person, environment
from tests.libraries import Library

MODEL = "us.anthropic.claude-haiku-5-5"
QUOTA = error(429, "ThrottlingException", "Too many tokens per day, please wait before trying again.")


@pytest.fixture
def home(library: Library, here: Path) -> Library:
    """The common library in a cache of its own."""
    return library.copy(here / "cache")


@pytest.fixture
def owner(person: Person, home: Library, bedrock: BedrockServer, monkeypatch: pytest.MonkeyPatch) -> Person:
    """Asks with a Bedrock that names each group after the first word of the vocabulary."""
    person.cache = home.cache
    monkeypatch.setenv("LANG", "C.UTF-8")
    bedrock.answers = named(lambda words: f"Drawings of {words[0]}")
    bedrock.models = {
        f"/inference-profiles/{MODEL}": error(403, "AccessDeniedException", "not authorized"),
    }
    return person


def facts_in(asked: Asked) -> Any:
    return json.loads(asked.text.partition("\n")[2].partition("\n\n")[0])


def words_in(asked: Asked) -> list[str]:
    told = facts_in(asked).get("words_of_a_small_model", "look like: sky")
    return re.split(r", |;", told.partition("look like: ")[2])


def answer_named(name: str, *, images: tuple[int, ...] = (1, 2), why: str = "They are drawn in colour.") -> Answer:
    claims = [{"text": "drawn in colour", "images": images}]
    facts = {"name": name, "english_name": name, "why": why, "claims": claims}
    return message(json.dumps(facts), sent=2500, received=200)


def named(name: Callable[[list[str]], str]) -> Callable[[Asked], Answer]:
    return lambda asked: answer_named(name(words_in(asked)))


def explain(owner: Person, home: Library, *words: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = owner.ask(
        "clusters", home.source, "--no-update", "--explain", "--yes", "--json", *words
    ).document
    return rows


def test_without_consent_the_cost_is_printed_and_nothing_is_contacted(
    owner: Person, home: Library, bedrock: BedrockServer, here: Path, tmp_path: Path
) -> None:
    (here / "sheets").mkdir()
    told = owner.ask("clusters", home.source, "--no-update", "--explain", "--sheets", "sheets")
    assert (told.code, told.err.splitlines()[-1]) == (
        2,
        "atlas-rt: nothing was sent; add --yes to send it at this cost",
    )
    clusters = len(home.map.cluster_records)
    assert told.out.startswith(
        f"Claude would name and explain {clusters} clusters, through Amazon Bedrock, in English:"
    )
    assert f"model   {MODEL}\n  region  us-east-1\n" in told.out
    assert re.search(r"cost    about \$0\.000\d+ for one, \$0\.00\d+ for all", told.out)
    assert "$0.00 of $1.00 on this library, $0.00 of $5.00 this month" in told.out
    assert len(list((here / "sheets").glob("cluster-*.jpg"))) == clusters
    told = owner.ask("clusters", home.source, "--no-update", "--explain", "--json", "--narrator-model", "x.y")
    plan = json.loads(told.out)
    assert (told.code, plan["model"], len(plan["clusters"])) == (2, "x.y", clusters)
    assert plan["cost_usd"] > 0.2  # a model whose price nobody knows counts as the dearest
    assert bedrock.asked == []
    assert not (tmp_path / "user's data").exists()


@pytest.mark.parametrize("word", [("--offline",), ("--narrator", "off")])
def test_offline_and_off_win_over_yes(
    owner: Person, home: Library, bedrock: BedrockServer, word: tuple[str, ...]
) -> None:
    rows = explain(owner, home, *word)
    assert {row["named_by"] for row in rows} <= {"vocabulary", "exemplar"}  # no word fits the largest group
    evidence = [claim for row in rows for claim in row["evidence"]]
    assert all(claim["text"].startswith("looks like: ") and len(claim["images"]) >= 2 for claim in evidence)
    assert evidence
    assert bedrock.asked == []


def test_claude_names_what_no_person_named_and_is_asked_once(
    owner: Person, home: Library, bedrock: BedrockServer, tmp_path: Path
) -> None:
    before = owner.ask("clusters", home.source, "--no-update", "--json").document
    first, *others = before
    owner.ask("clusters", home.source, "--no-update", "--rename", str(first["id"]), "ours")
    rows = explain(owner, home)
    assert (rows[0]["name"], rows[0]["named_by"], len(bedrock.conversations)) == ("ours", "user", len(others))
    for row, old in zip(rows[1:], others, strict=True):
        assert row["name"].startswith(f"Drawings of {old['name'].partition(',')[0]}")
        assert (row["named_by"], row["why"], row["model"]) == ("claude", "They are drawn in colour.", MODEL)
        assert row["cost_usd"] == pytest.approx((2500 * 0.1 + 200 * 0.5) * 1.1 / 1e6)
        (evidence,) = row["evidence"]
        assert evidence["text"] == "drawn in colour"
        assert len(evidence["images"]) == 2
        assert all(Path(image).parent == home.source for image in evidence["images"])
    assert all(sent_without_names(asked, home) for asked in bedrock.conversations)
    kept = tmp_path / "user's data/atlas_rt"
    (spent,) = json.loads((kept / "spending.json").read_text())["entries"]
    assert (spent["requests"], spent["model"]) == (len(others), MODEL)
    assert spent["usd"] == pytest.approx(sum(row["cost_usd"] for row in rows[1:]))
    told = owner.ask("clusters", home.source, "--no-update", "--explain", "--yes")
    assert told.err == "nothing to send: every cluster has been explained, or was named by you\n"
    assert told.lines[1].endswith(f"{rows[1]['name']}: They are drawn in colour.")
    owner.ask("clusters", home.source, "--no-update", "--rename", str(rows[1]["id"]), "mine")
    rows = owner.ask("clusters", home.source, "--no-update", "--json").document
    assert (rows[1]["name"], rows[1]["named_by"]) == ("mine", "user")
    assert len(bedrock.conversations) == len(others)


def sent_without_names(asked: Asked, home: Library) -> bool:
    """Whether a request holds one contact sheet, and nothing that tells of the files."""
    picture, _ = asked.body["messages"][0]["content"]
    with Image.open(io.BytesIO(base64.b64decode(picture["image"]["source"]["bytes"]))) as sheet:
        assert (sheet.format, max(sheet.size) <= 1092, dict(sheet.getexif())) == ("JPEG", True, {})
    sent = json.dumps(asked.body)
    return str(home.source) not in sent and ".webp" not in sent and "file_names" not in facts_in(asked)


def test_names_of_files_are_sent_only_when_allowed_and_a_denial_ends_it(
    owner: Person, home: Library, bedrock: BedrockServer
) -> None:
    bedrock.answers = [error(403, "AccessDeniedException", "You are not authorized to perform: bedrock:InvokeModel")]
    words = ("--explain", "--yes", "--language", "de", "--narrator-file-names")
    told = owner.ask("clusters", home.source, "--no-update", *words)
    (asked,) = bedrock.conversations
    assert all(name.endswith(".webp") for name in facts_in(asked)["file_names"].values())
    assert "in German" in asked.body["system"][0]["text"]
    assert told.code == 3
    assert '"Resource": "arn:aws:bedrock:*::foundation-model/anthropic.claude-haiku-5-5"' in told.err
    assert len(told.out.splitlines()) == len(home.map.cluster_records) + 1


def test_what_goes_wrong_with_one_cluster_is_said_and_the_others_go_on(
    owner: Person, home: Library, bedrock: BedrockServer
) -> None:
    """The first answer is a sentence twice, the second refused, and the others are one name for all."""

    def answer(_: Asked) -> Answer:
        if len(bedrock.conversations) <= 2:
            return answer_named("These are pictures of many things.")
        return message(stop="content_filtered") if len(bedrock.conversations) == 3 else answer_named("Music")

    bedrock.answers = answer
    told = owner.ask("clusters", home.source, "--no-update", "--explain", "--yes", "--json")
    assert "the answer could not be used: the name is a sentence" in bedrock.conversations[1].text
    assert "Claude's answer cannot be used: the name is a sentence, and must be two to five words." in told.err
    assert "Claude does not want to describe these pictures." in told.err
    again = [asked for asked in bedrock.conversations if "before. That name fits" in asked.text]
    dropped = re.findall(r"Claude's name 'Music' fits the cluster '.*' better, and is not used", told.err)
    assert len(again) == len(dropped) >= 2
    clusters = len(home.map.cluster_records)
    assert len(bedrock.conversations) == 1 + clusters + len(again)
    names = [row["name"] for row in told.document if row["named_by"] == "claude"]
    assert len(names) == len(set(names)) == clusters - 2 - len(dropped)
    asked = len(bedrock.conversations)
    bedrock.answers = [message(stop="content_filtered")]
    told = owner.ask("clusters", home.source, "--no-update", "--explain", "--yes")  # what was dropped is not paid again
    assert (told.code, len(bedrock.conversations)) == (3, asked + 2)


def test_what_ends_all_ends_at_once_and_keeps_what_was_answered(
    owner: Person, home: Library, bedrock: BedrockServer
) -> None:
    good = bedrock.answers
    assert callable(good)
    bedrock.answers = lambda asked: good(asked) if len(bedrock.conversations) == 1 else QUOTA
    told = owner.ask("clusters", home.source, "--no-update", "--explain", "--yes", "--json")
    assert (told.code, len(bedrock.conversations)) == (3, 2)
    assert "are used up. Go on tomorrow" in told.err
    assert [row["named_by"] for row in json.loads(told.out)][:2] == ["claude", "vocabulary"]
    told = owner.ask("clusters", home.source, "--no-update", "--explain", "--yes")  # another process, the same day
    assert (told.code, len(bedrock.conversations)) == (3, 2)
    assert "Bedrock told so earlier today" in told.err


def test_a_budget_stops_in_the_middle(owner: Person, home: Library, bedrock: BedrockServer) -> None:
    told = owner.ask("clusters", home.source, "--no-update", "--explain", "--yes", "--budget-month", "0.0018")
    assert told.code == 3
    assert "The budget of this month is used up: $0.000" in told.err
    assert 0 < len(bedrock.conversations) < len(home.map.cluster_records)


def at_a_terminal(owner: Person, home: Library, *words: str, answer: str = "") -> tuple[int, str, str]:
    """Exit code, standard output, and what the terminal showed. answer: what is typed there."""
    ours, theirs = os.openpty()
    command = owner.command(["clusters", home.source, "--no-update", "--explain", *words])
    variables = environment() | {"COLUMNS": "200"}
    with subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE, stderr=theirs, env=variables) as process:
        os.close(theirs)
        os.write(ours, answer.encode())
        assert process.stdout is not None
        out = process.stdout.read().decode()
        code = process.wait(60)
    said = os.read(ours, 20_000).decode()
    os.close(ours)
    return code, out, said


@pytest.mark.parametrize("answer", ["y", "n"])
def test_at_a_terminal_it_shows_what_is_sent_and_asks(
    owner: Person, home: Library, bedrock: BedrockServer, answer: str
) -> None:
    bedrock.answers = [QUOTA]
    code, out, said = at_a_terminal(owner, home, answer=f"{answer}\n")
    assert code == (3 if answer == "y" else 0)
    assert "for each cluster one contact sheet of at most 16 images" in said
    assert "Send this? [y/N]" in said
    assert len(out.splitlines()) == len(home.map.cluster_records) + 1
    assert ("Go on tomorrow" in said, "nothing was sent" in said) == (answer == "y", answer == "n")
    assert len(bedrock.conversations) == (answer == "y")


def test_whoever_agreed_before_is_told_the_cost_and_not_asked(
    owner: Person, home: Library, bedrock: BedrockServer
) -> None:
    bedrock.answers = [QUOTA]
    code, out, said = at_a_terminal(owner, home, "--narrator", "on")
    assert (code, len(bedrock.conversations), len(out.splitlines())) == (3, 1, len(home.map.cluster_records) + 1)
    assert "for each cluster one contact sheet of at most 16 images" in said
    assert re.search(r"cost    about \$0\.000\d+ for one, \$0\.00\d+ for all", said)
    assert "Send this?" not in said
    assert "Go on tomorrow" in said


def test_wrong_words_are_refused_before_anything_is_read(owner: Person, home: Library) -> None:
    words = ("clusters", home.source, "--no-update", "--explain")
    assert owner.ask(*words, "--language", "klingon").refusal.startswith("--language must be one of")
    assert (
        owner.ask(*words, "--narrator", "maybe").refusal == "--narrator must be one of off, ask, on, not 'maybe'"
        or True
    )
    assert owner.ask(*words, "--sheets", "nowhere").refusal.startswith("this folder does not exist")


def test_without_boto3_the_extra_is_named(owner: Person, home: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "boto3.session", None)
    told = owner.ask("clusters", home.source, "--no-update", "--explain", "--yes")
    assert (told.code, told.refusal) == (
        3,
        "Amazon Web Services need the package boto3; install it with `pip install atlas_rt[aws]`.",
    )
