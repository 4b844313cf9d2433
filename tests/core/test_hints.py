"""Hints come one after the other, go when they were done or after a while, and do not come again."""

from __future__ import annotations

from atlas_rt.core.hints import HINTS, PAUSE_SECS, SHOWN_SECS, HintState

NAMES = [hint.name for hint in HINTS]


def shown(state: HintState) -> str:
    return state.shown.name if state.shown else ""


def test_who_is_away_gets_no_other_hint_before_they_are_back() -> None:
    state = HintState()
    state.advance(PAUSE_SECS)
    first = state.shown
    assert first is not None
    state.advance(SHOWN_SECS, quiet_secs=99.0)
    state.advance(PAUSE_SECS, quiet_secs=99.0)
    assert state.shown is None
    state.advance(PAUSE_SECS, quiet_secs=0.0)
    assert state.shown not in {None, first}


def test_each_has_its_turn_and_makes_way_for_the_next_after_a_while() -> None:
    state, seen = HintState(), []
    for _ in range(200):
        state.advance(0.5)
        seen.append(shown(state))
    assert [name for name in dict.fromkeys(seen) if name] == NAMES
    assert seen[0] == ""  # the person looks at the map first
    assert (seen.count("fly"), shown(state)) == (SHOWN_SECS / 0.5, "")
    assert state.learnt == frozenset()  # at the next start they come again


def test_what_was_done_goes_at_once_and_what_is_known_never_comes() -> None:
    state = HintState(learnt=frozenset({"visit"}))
    state.advance(PAUSE_SECS)
    assert shown(state) == "fly"
    assert state.learn("fly")
    assert not state.learn("fly")
    assert shown(state) == ""
    state.advance(PAUSE_SECS)
    assert shown(state) == "find"
    assert HintState(learnt=frozenset(NAMES)).turn is None
