"""Each option is declared once: its help, its place in the settings and whether it takes a value come from there."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections import defaultdict

import pytest

from atlas_rt.arguments import COMMANDS, EVERYWHERE, MEASUREMENTS
from atlas_rt.commands import bench, library
from atlas_rt.commands import map as map_command
from atlas_rt.parsing import parse, parser_of, split_command
from atlas_rt.settings import DEFAULTS, MEANINGS, option_of
from tests.commands.person import environment


def actions_of(command: str) -> list[argparse.Action]:
    """Every word and option of a command, as its parser has them."""
    return parser_of(command)._actions


OPTIONS = [
    (command, action, flag) for command in COMMANDS for action in actions_of(command) for flag in action.option_strings
]
VALUES = [(command, flag, action.nargs or 1) for command, action, flag in OPTIONS if action.nargs not in (0, "?")]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_word_and_option_is_explained_in_the_help(command: str) -> None:
    text = " ".join(parser_of(command).format_help().split())
    for action in actions_of(command):
        assert action.help, f"{command} {action.dest} has no help"
        assert action.help is not argparse.SUPPRESS
        assert " ".join(action.help.split()) in text
        assert all(flag in text for flag in action.option_strings)


@pytest.mark.parametrize("name", MEANINGS)
def test_every_setting_says_what_it_is(name: str) -> None:
    assert len(MEANINGS[name].says) > 10
    option = next((action for command in COMMANDS for action in actions_of(command) if action.dest == name), None)
    if option is not None:
        assert option.option_strings == [option_of(name)]
        assert option.default is None, "an option that is not given leaves the setting to the environment and the file"
        assert (option.nargs == 0) == isinstance(getattr(DEFAULTS, name), bool)


def test_the_options_of_every_command_are_settings() -> None:
    for command in COMMANDS:
        assert set(EVERYWHERE) <= {action.dest for action in actions_of(command)}


@pytest.mark.parametrize(("command", "flag", "count"), VALUES)
def test_the_values_of_an_option_before_the_command_are_not_taken_for_the_command(
    command: str, flag: str, count: int
) -> None:
    """Each value is the name of another command."""
    values = ["index" if command != "index" else "search"] * count
    assert split_command([flag, *values, command, "there"]) == (command, [flag, *values, "there"])


def test_an_option_without_a_value_leaves_the_next_word_to_be_the_command() -> None:
    for _, action, flag in OPTIONS:
        if action.nargs in (0, "?"):
            assert split_command([flag, "index", "there"]) == ("index", [flag, "there"])


def test_one_option_takes_a_value_in_every_command_or_in_none() -> None:
    """Otherwise it could not stand before the command."""
    arity = defaultdict(set)
    for _, action, flag in OPTIONS:
        arity[flag].add(action.nargs)
    assert not {flag: found for flag, found in arity.items() if len(found) > 1}


def test_a_setting_reaches_the_settings_as_it_was_written() -> None:
    given = parse("view", ["--fps", "30", "--exclude", "*.gif", "--exclude", "-x", "--kiosk", "--webcam"])
    assert (given.fps, given.exclude, given.kiosk, given.webcam) == ("30", ["*.gif", "-x"], True, "0")
    assert (given.seed, given.fullscreen, given.quality) == (None, None, None)


def test_the_help_names_what_bench_library_and_map_can_do() -> None:
    assert set(bench.BENCHES) == set(MEASUREMENTS)
    assert "|".join(library.DOES) in parser_of("library").format_help()
    assert all(does in parser_of("map").format_help() for does in map_command.DOES)


def test_the_help_loads_nothing_slow() -> None:
    code = (
        "import sys; from atlas_rt import cli; cli.main(['shot', '--help']);"
        "sys.exit(str(sorted({'numpy', 'PIL', 'moderngl', 'atlas_rt.commands.shot'} & sys.modules.keys())))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment(), timeout=30)
    assert done.stderr.strip() == "[]"
    assert "--eye X,Y,Z" in done.stdout
