"""Words on the command line -> the command they choose and its arguments.

The first word that is neither an option nor an option's value chooses the command; if it names a path, or if there is
none, the command is `view`. Options may stand anywhere.
"""

from __future__ import annotations

import argparse
import difflib
import functools
import os
from collections.abc import Sequence
from typing import NoReturn

from atlas_rt.arguments import COMMANDS, EVERYWHERE, S3, add_setting
from atlas_rt.errors import UsageError

LATER = ("tour",)
"""Commands that are planned and not in this version."""
HIDDEN = "\0"
"""Put before words that argparse would take for options; no word of a command line can contain it."""


class Parser(argparse.ArgumentParser):
    """argparse whose errors are ours: one sentence, and the right words."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}\ntry: {self.prog} --help")

    def refuse(self, word: str) -> NoReturn:
        """Say that a word is unknown, and which option it may have meant."""
        name = word.partition("=")[0]
        near = difflib.get_close_matches(name, self._option_string_actions, n=1)
        meant = f"; did you mean {near[0]}?" if near else ""
        if os.path.lexists(word):
            meant = f"; name the path as .{os.sep}{word}"
        self.error(f"there is no option {name}{meant}" if name.startswith("-") else f"one word too many: {word!r}")

    def takes_value(self, word: str) -> bool:
        """Whether the next word is, or may be, the value of this option."""
        action = self._option_string_actions.get(word)
        return action is not None and action.nargs != 0

    def values_in(self, option: str, after: Sequence[str]) -> int:
        """How many of the words after an option are its values; an optional value (--webcam) is a number here."""
        action = self._option_string_actions.get(option)
        if action is None or action.nargs == "?":
            return int(action is not None and "".join(after[:1]).isdecimal())
        return 1 if action.nargs is None else int(action.nargs)

    def knows(self, word: str) -> bool:
        """Whether it is an option, with its value (--top=5) or without."""
        return word.partition("=")[0] in self._option_string_actions


def parser_of(name: str) -> Parser:
    """The parser of one command, with the help that `--help` prints."""
    command = COMMANDS[name]
    examples = "\n".join(f"  atlas-rt {example}" for example in command.examples)
    parser = Parser(
        prog=f"atlas-rt {name}",
        description=f"{command.does[0].upper()}{command.does[1:]}.",
        epilog=f"examples:\n{examples}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    common = parser.add_argument_group("options of every command")
    for setting in EVERYWHERE:
        add_setting(common, setting)
    buckets = parser.add_argument_group("S3", "where a SOURCE is s3://bucket or s3://bucket/prefix")
    for setting in S3:
        add_setting(buckets, setting)
    command.declare(parser)
    return parser


def split_command(words: Sequence[str]) -> tuple[str, list[str]]:
    """The command and the words without it. Raises UsageError for a word that is neither a command nor a path."""
    at = _first_plain_word(words)
    if at is None:
        return "view", list(words)
    word = words[at]
    if word in COMMANDS:
        return word, [*words[:at], *words[at + 1 :]]
    if os.sep in word or "." in word or os.path.lexists(os.path.expanduser(word)):  # noqa: PTH111  fails on ~x
        return "view", list(words)
    if word in LATER:
        raise UsageError(f"{word} is not in this version yet\ncommands: {', '.join(COMMANDS)}")
    near = difflib.get_close_matches(word, COMMANDS, n=1)
    meant = f"; did you mean {near[0]!r}?" if near else ""
    raise UsageError(f"{word!r} is neither a command nor a folder or file here{meant}\ncommands: {', '.join(COMMANDS)}")


def parse(name: str, words: Sequence[str]) -> argparse.Namespace:
    """The arguments of a command. Raises UsageError for a wrong word, SystemExit after `--help` was printed."""
    parser = parser_of(name)
    given, unknown = parser.parse_known_intermixed_args(_protected(parser, words, terms=COMMANDS[name].terms))
    if unknown:
        parser.refuse(unknown[0].removeprefix(HIDDEN))
    for key, value in vars(given).items():
        if isinstance(value, str):
            setattr(given, key, value.removeprefix(HIDDEN))
        elif isinstance(value, list):
            setattr(given, key, [each.removeprefix(HIDDEN) for each in value])
    return given


def _first_plain_word(words: Sequence[str]) -> int | None:
    """Where the first word stands that is neither an option nor the value of one; None if there is none before `--`."""
    at = 0
    while at < len(words) and words[at].startswith("-"):
        if words[at] == "--":
            return None
        at += 1 + max(parser.values_in(words[at], words[at + 1 :]) for parser in _parsers())
    return at if at < len(words) else None


@functools.cache
def _parsers() -> tuple[Parser, ...]:
    """Those of all commands: an option may stand before the command it belongs to."""
    return tuple(parser_of(name) for name in COMMANDS)


def _protected(parser: Parser, words: Sequence[str], *, terms: bool) -> list[str]:
    """The words, marked so that argparse reads them rightly.

    It takes whatever begins with a minus sign for an option; points, terms, phrases and names may begin so too. terms:
    unknown words with one minus sign are text.
    """
    result: list[str] = []
    for i, word in enumerate(words):
        before = words[i - 1] if i else ""
        if word == "--":
            return [*result, *(HIDDEN + each for each in words[i + 1 :])]
        if not word.startswith("-") or parser.knows(word):
            result.append(word)
        elif parser.takes_value(before):
            result[-1] = f"{before}={word}" if before.startswith("--") else before + word
        else:
            result.append(HIDDEN + word if terms and not word.startswith("--") else word)
    return result
