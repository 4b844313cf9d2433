"""The base of every thread of the window: what it does when its work fails."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from atlas_rt.core import retries
from atlas_rt.core.channels import Inbox, Latest
from atlas_rt.errors import MissingError
from atlas_rt.workers.worker import Change, State, Worker
from tests.libraries import wait_for

WAITING, RUNNING, FAILED, STOPPED = State


class Divider(Worker):
    """Divides 84 by what it is given; None is raised as a panic of a Rust library would be."""

    part = "divider"
    lost = "Nothing is divided"

    def __init__(self, announce: Callable[[Change], None], *, again: bool = True) -> None:
        super().__init__(announce=announce)
        self.again = again  # type: ignore[misc]
        self.divisors: Latest[int] = Latest()
        self.answers: Latest[int] = Latest()
        self.begun: list[float] = []
        self.start()

    def work(self) -> None:
        self.begun.append(time.monotonic())
        while True:
            divisor = self.divisors.wait()
            if divisor < 0:
                raise Panic("a panic")
            self.answers.put(84 // divisor)
            self.went_well()

    def wake(self) -> None:
        self.divisors.close()


class Panic(BaseException):
    """No Exception, as those of pyo3 are none."""


@pytest.fixture
def told() -> list[Change]:
    return []


@pytest.fixture
def divider(told: list[Change]) -> Iterator[Divider]:
    worker = Divider(told.append)
    yield worker
    worker.close()


def states(told: list[Change]) -> list[State]:
    return [change.state for change in told]


def fail(worker: Divider, told: list[Change], divisor: int = 0) -> None:
    """Let its work fail once."""
    wait_for(lambda: told and told[-1].state is RUNNING)
    before = len(told)
    worker.divisors.put(divisor)
    wait_for(lambda: len(told) > before)
    assert told[before].state in (WAITING, FAILED)


@pytest.mark.usefixtures("quick_retries")
def test_one_that_fails_goes_on_and_each_change_is_told(
    divider: Divider, told: list[Change], capfd: pytest.CaptureFixture[str]
) -> None:
    fail(divider, told)
    assert isinstance(divider.error, ZeroDivisionError)
    divider.divisors.put(2)
    assert wait_for(divider.answers.take) == 42
    wait_for(lambda: divider.error is None)
    divider.close()
    assert states(told) == [RUNNING, WAITING, RUNNING, STOPPED]
    trouble = "Nothing is divided: ZeroDivisionError: integer division or modulo by zero"
    assert [change.trouble for change in told] == ["", trouble, "", ""]
    assert capfd.readouterr() == ("", "")  # no traceback


def test_it_is_given_up_after_three_tries_with_growing_pauses(
    divider: Divider, told: list[Change], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retries, "PAUSES_SECS", (0.05, 0.15, 0.3))
    for _ in range(4):
        fail(divider, told)
    assert states(told) == [RUNNING, WAITING] * 3 + [RUNNING, FAILED]
    pauses = [later - sooner for sooner, later in zip(divider.begun, divider.begun[1:], strict=False)]
    assert [pause >= least for pause, least in zip(pauses, (0.05, 0.15, 0.3), strict=True)] == [True] * 3
    assert divider.trouble.startswith("Nothing is divided: ZeroDivisionError")
    divider.divisors.put(2)
    time.sleep(0.1)
    assert divider.answers.take() is None


@pytest.mark.usefixtures("quick_retries")
def test_another_try_that_is_asked_for_brings_all_tries_again(divider: Divider, told: list[Change]) -> None:
    for _ in range(4):
        fail(divider, told)
    divider.retry()
    wait_for(lambda: divider.state is RUNNING)
    assert divider.trouble == ""
    fail(divider, told)
    assert divider.state is not FAILED
    divider.divisors.put(2)
    assert wait_for(divider.answers.take) == 42


@pytest.mark.usefixtures("quick_retries")
def test_failures_with_something_done_in_between_are_not_added_up(divider: Divider, told: list[Change]) -> None:
    for _ in range(6):
        fail(divider, told)
        divider.divisors.put(2)
        assert wait_for(divider.answers.take) == 42
    assert FAILED not in states(told)


@pytest.mark.usefixtures("quick_retries")
def test_what_is_no_exception_is_caught_too(divider: Divider, told: list[Change]) -> None:
    fail(divider, told, -1)
    assert told[1].trouble == "Nothing is divided: Panic: a panic"
    divider.divisors.put(2)
    assert wait_for(divider.answers.take) == 42


def test_one_that_is_not_begun_again_has_failed_at_once(told: list[Change]) -> None:
    worker = Divider(told.append, again=False)
    fail(worker, told)
    assert worker.state is FAILED
    worker.close()
    assert states(told) == [RUNNING, FAILED, STOPPED]


def test_it_closes_at_once_in_a_pause_and_once_it_has_failed(told: list[Change]) -> None:
    """The pauses are those of every day: half a second at first."""
    pausing, failed = Divider(told.append), Divider(told.append, again=False)
    for worker in (pausing, failed):
        worker.divisors.put(0)
    wait_for(lambda: (pausing.state, failed.state) == (WAITING, FAILED))
    begun = time.monotonic()
    for worker in (pausing, failed):
        worker.close()
        assert worker.state is STOPPED
    assert time.monotonic() - begun < 0.3


def test_one_that_does_not_listen_is_left_behind_after_the_limit() -> None:
    class Deaf(Worker):
        part, lost = "deaf", "Nothing is heard"

        def work(self) -> None:
            time.sleep(1.0)

    worker = Deaf()
    worker.start()
    begun = time.monotonic()
    worker.close(limit_secs=0.1)
    assert 0.05 < time.monotonic() - begun < 0.6
    assert worker.state is RUNNING
    wait_for(lambda: worker.state is STOPPED)


def test_a_window_that_hears_nothing_any_more_stops_no_thread() -> None:
    changes: Inbox[Change] = Inbox(2)
    worker = Divider(changes.put)
    changes.close()
    worker.close()
    assert worker.state is STOPPED


def test_an_error_of_ours_is_told_as_it_is(divider: Divider, told: list[Change]) -> None:
    def work() -> None:
        raise MissingError("Some model is missing; get it.\nIn two lines.")

    divider.work = work  # type: ignore[method-assign]
    fail(divider, told)
    divider.retry()
    wait_for(lambda: len(told) >= 4)
    assert told[3].trouble == "Nothing is divided: Some model is missing; get it."
