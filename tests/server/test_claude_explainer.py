"""`serve --narrator on`: what Claude is asked for, for whom, and what other programs hear when it is not answered."""

from __future__ import annotations

import http.client
import json
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from atlas_rt.aws.bedrock_errors import (
    BrokenAnswerError,
    RequestRefusedError,
    StoppedError,
    ThrottledError,
    UnreachableError,
)
from atlas_rt.aws.model_memory import NAME
from atlas_rt.errors import AtlasError, MissingError
from atlas_rt.library.cluster_names import ClusterNames
from atlas_rt.library.store import StoreReader
from atlas_rt.server.answers import Explanation
from atlas_rt.server.library_reader import LibraryReader
from atlas_rt.server.rest import Services, build
from tests.bedrock_server import Answer, Asked, BedrockServer, error, message, settings_for
from tests.commands.person import Person, environment
from tests.commands.test_explain import QUOTA, named
from tests.libraries import Library, wait_for
from tests.server.door import Answered, Door

MODEL = "us.anthropic.claude-haiku-5-5"
GOOD = named(lambda words: f"Drawings of {words[0]}")
DENIED = error(403, "AccessDeniedException", "You are not authorized to perform: bedrock:InvokeModel")


def started(library: Library, here: Path, variables: dict[str, str], *words: str) -> Door:
    """A server with Claude at work, once it listens."""
    data = here / "data"
    command = Person(here, library.cache).command(
        ("serve", library.source, "--data", data, "--no-update", "--narrator", "on", "--language", "en", *words)
    )
    with (here / "out").open("wb") as out, (here / "err").open("wb") as err:
        process = subprocess.Popen(command, cwd=here, env=environment() | variables, stdout=out, stderr=err)
    wait_for(lambda: process.poll() is not None or (here / "out").read_text().endswith("\n"), secs=30.0)
    assert process.poll() is None, (here / "err").read_text()
    told = json.loads((here / "out").read_text())
    return Door(process, library, data, told["url"], Path(told["token_file"]), here / "err")


@pytest.fixture(scope="module")
def asking(
    indexed: Library, tmp_path_factory: pytest.TempPathFactory, bedrock_listening: BedrockServer
) -> Iterator[Door]:
    """For all tests here: each asks about clusters of its own."""
    here = tmp_path_factory.mktemp("asking")
    door = started(indexed.copy(here / "cache"), here, settings_for(bedrock_listening))
    yield door
    if door.process.poll() is None:
        door.process.terminate()
        assert door.process.wait(15.0) == 143


@pytest.fixture
def claude(bedrock: BedrockServer, asking: Door) -> BedrockServer:
    """Names each cluster after its words. What was remembered of models is forgotten."""
    (asking.library.cache / NAME).unlink(missing_ok=True)
    bedrock.answers = GOOD
    return bedrock


def late(asked: Asked) -> Answer:
    """The same after a silence of 1.5 seconds."""
    return replace(GOOD(asked), fault="silence")


def explain(door: Door, cluster: int) -> Answered:
    return door.ask(f"/clusters/{cluster}/explain", method="POST")


def free(door: Door) -> list[int]:
    """Clusters that nobody has named yet, the largest first."""
    return [each["id"] for each in door.ask("/clusters").document if each["named_by"] == "vocabulary"]


def spent(door: Door) -> float:
    file = door.data / "spending.json"
    return sum(each["usd"] for each in json.loads(file.read_text())["entries"]) if file.exists() else 0.0


def test_it_says_what_was_agreed_to_and_has_asked_nothing(asking: Door, bedrock: BedrockServer) -> None:
    assert asking.errors.read_text() == (
        f"Claude is asked when a program wants a cluster explained: {MODEL} in us-east-1, for at most $1.00 on this "
        "library and $5.00 a month\n"
    )
    assert bedrock.asked == []


def test_a_cluster_is_asked_for_once_and_its_answer_is_kept(asking: Door, claude: BedrockServer) -> None:
    largest, second, third = free(asking)[:3]
    before = spent(asking)
    with ThreadPoolExecutor(9) as people:
        told = list(people.map(lambda cluster: explain(asking, cluster), [largest, second, third] * 3))
    assert len(claude.conversations) == 3  # one for each cluster
    assert all(each.status == 200 for each in told), [each.body for each in told]
    why = told[0].document
    assert [each.document for each in told[::3]] == [why] * 3
    facts = asking.ask(f"/clusters/{largest}").document
    assert why["name"] == facts["cluster"]["name"]
    assert why["name"].startswith("Drawings of ")
    assert (why["text"], why["explained_by"], why["model"]) == ("They are drawn in colour.", "claude", MODEL)
    assert why["cost_usd"] == pytest.approx((2500 * 0.1 + 200 * 0.5) * 1.1 / 1e6)
    assert spent(asking) - before == pytest.approx(3 * why["cost_usd"])
    assert len(why["evidence"]) == 2
    assert set(why["evidence"]) <= set(facts["images"])
    assert explain(asking, largest).document == why
    assert len(claude.conversations) == 3
    assert json.dumps([asked.body for asked in claude.conversations]).find(".webp") < 0


def test_what_a_person_named_is_not_sent(asking: Door, claude: BedrockServer) -> None:
    cluster = free(asking)[-1]
    images = asking.ask(f"/clusters/{cluster}").document["images"]
    with StoreReader.open(asking.library.place.folder) as store:
        ClusterNames(asking.data).give("ours", store.content_hashes(images))
    wait_for(lambda: cluster not in free(asking))
    why = explain(asking, cluster).document
    assert (why["name"], why["explained_by"], why["cost_usd"]) == ("ours", "vocabulary", 0.0)
    assert claude.asked == []


@pytest.mark.parametrize(
    ("answer", "status", "words", "retry"),
    [
        (DENIED, 502, "may not use us.anthropic.claude-haiku-5-5", None),
        (message(stop="content_filtered"), 422, "Claude does not want to describe these pictures", None),
        (message("I see cats."), 502, "Claude's answer is not in the form", None),
        (QUOTA, 429, "Go on tomorrow", 86_401),
    ],
)
def test_what_claude_does_not_answer_is_said(
    asking: Door, claude: BedrockServer, answer: Answer, status: int, words: str, retry: int | None
) -> None:
    claude.answers = [answer]
    told = explain(asking, free(asking)[0])
    assert (told.status, words in told.sentence) == (status, True), told.body
    said = told.headers.get("retry-after")
    assert (said is None) == (retry is None)
    assert retry is None or 0 < int(said or 0) <= retry
    assert asking.ask("/health").status == 200


class Failing:
    """An explainer that never answers."""

    def __init__(self, failure: AtlasError) -> None:
        self.failure = failure

    async def explain(self, reader: LibraryReader, cluster: int) -> Explanation:  # noqa: ARG002
        raise self.failure

    def close(self) -> None:
        """It has nothing to end."""


@pytest.mark.parametrize(
    ("failure", "status", "said"),
    [
        (ThrottledError("too many requests"), 429, "too many requests"),
        (UnreachableError("no connection"), 504, "no connection"),
        (RequestRefusedError("a 400"), 502, "a 400"),
        (BrokenAnswerError("cut off"), 502, "cut off"),
        (StoppedError("the server ends"), 503, "the server ends"),
        (MissingError("/home/me/spending.json"), 503, "the server's standard error says more"),
    ],
)
def test_every_failure_has_a_status_that_the_description_names(failure: AtlasError, status: int, said: str) -> None:
    told: list[str] = []
    nothing: Any = None
    app = build(Services(nothing, nothing, Failing(failure), nothing, nothing, told.append))
    answer = TestClient(app, raise_server_exceptions=False).post("/clusters/1/explain")
    assert (answer.status_code, said in answer.json()["detail"]) == (status, True)
    assert answer.headers.get("retry-after") == ("60" if status == 429 else None)
    assert str(status) in app.openapi()["paths"]["/clusters/{id}/explain"]["post"]["responses"]
    assert told == ([str(failure)] if "/home" in str(failure) else [])


def test_a_client_that_leaves_stops_the_request(asking: Door, claude: BedrockServer) -> None:
    cluster = free(asking)[0]
    claude.answers = lambda asked: GOOD(asked) if len(claude.conversations) > 1 else late(asked)
    leaving = http.client.HTTPConnection("127.0.0.1", asking.port)
    leaving.request("POST", f"/clusters/{cluster}/explain", headers=asking.authorized)
    wait_for(lambda: claude.conversations)
    begun_secs = time.monotonic()
    leaving.close()
    time.sleep(0.4)  # the server looks five times a second
    assert explain(asking, cluster).document["explained_by"] == "claude"
    assert time.monotonic() - begun_secs < 1.4  # the silence lasts 1.5 s
    assert len(claude.conversations) == 2


def test_budgets_stop_it_and_the_end_of_the_server_too(
    indexed: Library, tmp_path: Path, bedrock: BedrockServer
) -> None:
    words = ("--budget-month", "0.0015", "--narrator-model", MODEL)
    door = started(indexed.copy(tmp_path / "cache"), tmp_path, settings_for(bedrock), *words)
    first, second, third = free(door)[:3]
    bedrock.answers = GOOD
    assert explain(door, first).status == 200
    told = explain(door, second)
    assert (told.status, "The budget of this month is used up" in told.sentence) == (402, True)
    (door.data / "spending.json").unlink()
    for copy in (door.data / "copies").glob("spending-*"):
        copy.unlink()
    bedrock.answers = late
    with ThreadPoolExecutor(2) as people:
        waiting = [people.submit(explain, door, cluster) for cluster in (second, third)]
        wait_for(lambda: len(bedrock.conversations) == 2)
        time.sleep(0.1)
        begun_secs = time.monotonic()
        door.process.terminate()
        assert [each.result().status for each in waiting] == [503, 503]
        assert "the server ends" in waiting[0].result().sentence
    assert door.process.wait(15.0) == 143
    assert time.monotonic() - begun_secs < 1.4
    assert "Traceback" not in door.errors.read_text()


def test_without_credentials_or_boto3_it_does_not_start(
    library: Library, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    person = Person(tmp_path, library.cache, capsys)
    words = ("serve", library.source, "--no-update", "--narrator", "on", "--data", tmp_path / "data")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/nonexistent")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_BEARER_TOKEN_BEDROCK"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    told = person.ask(*words)
    assert (told.code, told.refusal[:27]) == (3, "No AWS credentials were fou")
    monkeypatch.setitem(__import__("sys").modules, "boto3.session", None)
    told = person.ask(*words)
    assert (told.code, "pip install atlas_rt[aws]" in told.refusal) == (3, True)
