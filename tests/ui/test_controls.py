"""The table of keys is sound, and the help shows all of it."""

from __future__ import annotations

import re

import pytest

from atlas_rt.core.controls import ACTIONS, BY_CHORD, BY_NAME, WHILE_LOOKING
from atlas_rt.ui import keys
from atlas_rt.ui.input import Modifiers
from atlas_rt.ui.panels.help import help_columns
from atlas_rt.ui.toolkit import key


def test_no_name_and_no_chord_stands_twice() -> None:
    assert len(BY_NAME) == len(ACTIONS)
    for where in ("", "look"):
        chords = [chord for action in ACTIONS if action.where == where for chord in action.chords]
        assert len(set(chords)) == len(chords)


def test_every_chord_is_one_that_the_window_can_make() -> None:
    known = set(keys.NAMED.values()) | {chr(code) for code in range(0x21, 0x7F)}
    for chord in (*BY_CHORD, *WHILE_LOOKING):
        *modifiers, last = re.split(r"\+(?!$)", chord)
        assert set(modifiers) <= {"Ctrl", "Alt", "Shift"}, chord
        assert last in known, chord


def test_no_action_hides_behind_a_key_of_motion() -> None:
    single = {chord for chord, action in BY_CHORD.items() if not action.held}
    assert not single & set(keys.MOTION)
    assert set(WHILE_LOOKING) & set(keys.MOTION) == {"Space"}  # the others move a picture as they move the eye


def test_the_help_lists_each_action_once() -> None:
    listed = [action.name for column in help_columns(kiosk=False) for _, actions in column for action in actions]
    assert sorted(listed) == sorted(BY_NAME)


def test_a_kiosk_tells_neither_the_way_out_nor_what_it_forbids() -> None:
    listed = {action.name for column in help_columns(kiosk=True) for _, actions in column for action in actions}
    assert "leave_kiosk" not in listed
    assert "quit" not in listed
    assert "search" in listed


@pytest.mark.parametrize(
    ("symbol", "modifiers", "chord"),
    [
        (key.F, Modifiers(ctrl=True), "Ctrl+F"),
        (key.Q, Modifiers(ctrl=True, alt=True), "Ctrl+Alt+Q"),
        (key.TAB, Modifiers(shift=True), "Shift+Tab"),
        (key.COMMA, Modifiers(ctrl=True), "Ctrl+,"),
        (key.QUESTION, Modifiers(shift=True), "?"),
        (key.LEFT, Modifiers(alt=True), "Alt+Left"),
    ],
)
def test_chords_are_written_as_in_the_table(symbol: int, modifiers: Modifiers, chord: str) -> None:
    assert keys.chord_of(keys.name_of(symbol), modifiers) == chord
    assert chord in BY_CHORD


def test_keys_without_latin_letters_are_known_by_their_place() -> None:
    cyrillic = 0x6C6  # what a Russian keyboard gives where a US one has F
    assert keys.name_of(cyrillic, keycode=41) == "F"
    assert keys.place_of(cyrillic, keycode=25) == "W"
    assert keys.place_of(key.Z, keycode=25) == "W"  # a French one
    assert keys.place_of(key.W, keycode=None) == "W"
