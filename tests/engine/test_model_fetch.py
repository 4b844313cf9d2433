"""Fetching a model in a process of its own: cut short, refused, killed, and two at once."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from atlas_rt.core.images import LibraryPlace
from atlas_rt.encoders import registry
from atlas_rt.encoders.hub import Fetching
from atlas_rt.engine.model_fetch import Fetched, ModelFetch, NotFetched, Told, WaitsForOther, begun_bytes
from atlas_rt.library.lock import Lock
from tests import hubs, towers
from tests.hubs import Hub
from tests.libraries import wait_for

NAME = "ViT-B-32-laion2b"
HUB, COMMIT = "immich-app/ViT-B-32__laion2b-s34b-b79k", "6e4b2ebb0ec5f1726a919aec359fad92cd3ec021"
BIG = "visual/model.onnx"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """The one that the process asks."""
    with hubs.running(towers.older_export(), name=HUB, commit=COMMIT) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        yield hub


@pytest.fixture
def fetch(tmp_path: Path) -> Iterator[Callable[[], ModelFetch]]:
    begun: list[ModelFetch] = []

    def begin() -> ModelFetch:
        begun.append(ModelFetch(NAME, tmp_path))
        return begun[-1]

    yield begin
    for each in begun:
        each.stop()


def heard(fetch: ModelFetch, kind: type[Told] | Any) -> Any:
    """The first message of a kind."""
    return wait_for(lambda: [each for each in fetch.messages() if isinstance(each, kind)], secs=30.0, why=str(kind))[0]


def pid_of(fetch: ModelFetch) -> int:
    assert fetch._child is not None
    return fetch._child.pid


def test_a_model_comes_and_a_second_one_who_asks_waits_and_finds_it_here(
    hub: Hub, tmp_path: Path, fetch: Callable[[], ModelFetch]
) -> None:
    (tmp_path / "models").mkdir()
    lock = Lock(LibraryPlace(tmp_path / "models", ()))
    assert lock.acquire()
    waiting = fetch()
    assert str(os.getpid()) in heard(waiting, WaitsForOther).holder
    assert hub.headers == []
    lock.release()
    assert heard(waiting, Fetched) == Fetched(NAME)
    assert registry.usable(tmp_path / "models" / NAME) is not None
    hub.headers.clear()
    assert heard(fetch(), Fetched) == Fetched(NAME)
    assert hub.headers == []  # it is here


def test_what_came_before_it_was_killed_or_stopped_is_not_fetched_again(
    hub: Hub, tmp_path: Path, fetch: Callable[[], ModelFetch]
) -> None:
    hub.stall[BIG] = 10_000
    killed = fetch()
    wait_for(lambda: heard(killed, Fetching).done >= 10_000)
    os.kill(pid_of(killed), signal.SIGKILL)
    assert "ended unexpectedly (ended by SIGKILL" in heard(killed, NotFetched).reason
    stopped = fetch()
    heard(stopped, Fetching)
    stopped.stop()
    assert list(stopped.messages()) == []
    here = begun_bytes(NAME, tmp_path)
    assert here >= 10_000
    hub.stall.clear()
    assert heard(fetch(), Fetched)
    assert hub.sent(BIG) == len(hub.files[BIG])
    assert begun_bytes(NAME, tmp_path) == 0


def test_another_content_and_a_hub_that_is_away_are_told_and_leave_nothing_installed(
    hub: Hub, tmp_path: Path, fetch: Callable[[], ModelFetch], monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.served[BIG] = bytes(len(hub.files[BIG]))
    assert "is not the file that the hub recorded" in heard(fetch(), NotFetched).reason
    monkeypatch.setenv("HF_ENDPOINT", hubs.closed_port())
    assert "The hub cannot be reached" in heard(fetch(), NotFetched).reason
    assert registry.usable(tmp_path / "models" / NAME) is None
