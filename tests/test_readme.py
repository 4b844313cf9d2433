"""What README.md tells a person to type exists: commands, options, scripts and keys."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from atlas_rt.arguments import COMMANDS, MEASUREMENTS
from atlas_rt.commands import library
from atlas_rt.commands import map as map_command
from atlas_rt.core.controls import ACTIONS
from atlas_rt.parsing import parser_of

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text("utf-8")
LINES = README.splitlines()
TYPED = [span.split() for line in LINES for span in re.findall(r"`([^`]+)`", line)] + [
    line.partition("#")[0].split() for line in LINES if line.startswith("    ")
]
"""The words of all that stands between backticks or in an indented block."""
SHORTENED = [words for words in TYPED if words[0] in COMMANDS and words[1:]]
"""Commands that stand without the program's name, after one that has it."""
COMMAND_LINES = [
    words[1:] for words in TYPED if words[0] == "atlas-rt" and words[1:2] and words[1] in COMMANDS
] + SHORTENED
WHAT = {
    "map": set(map_command.DOES),
    "library": set(library.DOES),
    "models": {"list", "get", "export", "remove"},
    "bench": set(MEASUREMENTS),
}
"""Command -> the words that choose what it does."""


def flags_of(command: str) -> set[str]:
    return {flag for action in parser_of(command)._actions for flag in action.option_strings}


def options_in(words: list[str]) -> set[str]:
    return {word for word in words if word.startswith("--")}


def test_readme_names_every_command() -> None:
    assert {words[0] for words in COMMAND_LINES} == COMMANDS.keys() - {"view"}
    others = {words[1] for words in TYPED if words[0] == "atlas-rt" and words[1:]} - COMMANDS.keys()
    assert {word for word in others if not word.startswith("s3://")} == {"[FOLDER", "~", "COMMAND"}


def test_options_named_in_readme_exist() -> None:
    ours = [words for words in TYPED if words[0] not in {"curl", "scripts/deploy-aws"}]
    named = set[str]().union(*map(options_in, ours))
    assert len(named) > 20
    assert named <= set[str]().union(*map(flags_of, COMMANDS))


@pytest.mark.parametrize("words", COMMAND_LINES, ids=" ".join)
def test_a_command_line_of_readme_is_one_that_the_program_knows(words: list[str]) -> None:
    command, *rest = words
    assert options_in(rest) <= flags_of(command)
    if command in WHAT:
        plain = {word for word in rest if word.islower() and not word.startswith("-")}
        assert plain
        assert plain <= WHAT[command]


def test_scripts_named_in_readme_exist() -> None:
    named = {words[0] for words in TYPED if words[0].startswith("scripts/")}
    assert "scripts/atlas" in named
    assert not [name for name in named if not (ROOT / name).is_file()]


def test_keys_named_in_readme_exist() -> None:
    known = {chord.casefold() for action in ACTIONS for chord in action.chords}
    told = re.findall(
        r"Ctrl\+(?:Shift\+)?\w+|Alt\+\w+|\bF\d+", README.partition("\n## Keys\n")[2].partition("\n## ")[0]
    )
    assert len(told) > 10
    assert {chord.casefold() for chord in told} - {"ctrl+click"} <= known
