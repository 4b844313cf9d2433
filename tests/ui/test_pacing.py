"""Pacing with a clock that only moves when somebody sleeps or works."""

from __future__ import annotations

import pytest

from atlas_rt.ui.pacing import Pacer

PERIOD = 1 / 60


class Clock:
    """Each look at it takes a hundredth of a millisecond, so that spinning ends."""

    def __init__(self) -> None:
        self.now, self.slept = 10.0, 0.0

    def __call__(self) -> float:
        self.now += 1e-5
        return self.now

    def sleep(self, secs: float) -> None:
        self.now += secs
        self.slept += secs


@pytest.fixture
def clock() -> Clock:
    return Clock()


def run(pacer: Pacer, clock: Clock, *works_secs: float) -> list[float]:
    elapsed = []
    for work in works_secs:
        elapsed.append(pacer.begin())
        clock.now += work
        pacer.end()
    return elapsed


def test_frames_begin_a_period_apart(clock: Clock) -> None:
    pacer = Pacer(60, clock=clock, sleep=clock.sleep)
    elapsed = run(pacer, clock, *[0.004, 0.012, 0.001] * 20)
    assert elapsed[1:] == pytest.approx([PERIOD] * 59, abs=1e-4)
    assert (pacer.late_frames, pacer.due_frames) == (0, 60)
    assert 0.60 < clock.slept < 0.63  # 0.98 s without the work and the half milliseconds that are spun


def test_half_a_period_over_is_late_and_less_is_not(clock: Clock) -> None:
    pacer = Pacer(60, clock=clock, sleep=clock.sleep)
    run(pacer, clock, 0.004, PERIOD + 0.0080, 0.001)
    assert pacer.late_frames == 0
    run(pacer, clock, PERIOD + 0.0085, 0.001)
    assert pacer.late_frames == 1


def test_lateness_adds_up_and_missed_deadlines_count(clock: Clock) -> None:
    pacer = Pacer(60, clock=clock, sleep=clock.sleep)
    run(pacer, clock, *[0.020] * 60)  # a fifth too slow for 60 a second
    assert 0.5 < pacer.late_frames / pacer.due_frames < 0.9
    assert pacer.due_frames == pytest.approx(60 * 0.020 / PERIOD, abs=2)


def test_after_a_hiccup_the_pace_is_kept_again(clock: Clock) -> None:
    pacer = Pacer(60, clock=clock, sleep=clock.sleep)
    elapsed = run(pacer, clock, 0.004, 0.5, *[0.004] * 10)
    assert elapsed[-5:] == pytest.approx([PERIOD] * 5, abs=1e-4)
    assert pacer.late_frames == 30


def test_no_limit_never_waits(clock: Clock) -> None:
    pacer = Pacer(0, clock=clock, sleep=clock.sleep)
    run(pacer, clock, *[0.002] * 50)
    assert (clock.slept, pacer.late_frames) == (0.0, 0)
    assert pacer.figures().fps == pytest.approx(500, rel=0.1)


def test_the_figures_tell_work_and_rate(clock: Clock) -> None:
    pacer = Pacer(60, clock=clock, sleep=clock.sleep)
    run(pacer, clock, *[0.005] * 99, 0.015)
    figures = pacer.figures(step="normal", drawn="12 cards")
    assert figures.fps == pytest.approx(60, rel=0.03)
    assert figures.median_ms == pytest.approx(5, abs=0.1)
    assert 5 < figures.p99_ms < 15
    assert (figures.late, figures.step, figures.drawn, len(figures.times_ms)) == (0, "normal", "12 cards", 100)
