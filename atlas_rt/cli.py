"""Words on the command line -> settings -> one call. The only module that ends the program.

The first word that names a command chooses it; without one the words are what to `view`. Options stand anywhere.
"""

from __future__ import annotations

import argparse
import codecs
import contextlib
import difflib
import importlib
import io
import os
import signal
import sys
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

from atlas_rt import __version__
from atlas_rt.errors import AtlasError, MissingError, UsageError
from atlas_rt.settings import Settings, load_settings

COMMANDS = {
    "view": "open the window on a live map of the images (the default)",
    "index": "bring the library up to date without a window",
    "search": "the best images for a phrase, an image, or both",
    "neighbors": "the nearest images of one of the library",
    "locate": "where images outside the library would stand",
    "map": "the library's maps: list, refit, undo",
    "clusters": "the groups in the map, their names and exemplars",
    "shot": "one frame of the real renderer as a picture",
    "export": "ids, paths, vectors, positions and clusters as .npz or .csv",
    "models": "the encoders that are here and can be had: list, get, export",
    "library": "libraries in the cache: list, forget",
    "doctor": "what works here and what does not",
    "bench": "measure this program here",
}
"""Command -> what it does. Each lives in the module of its name in `commands`."""

WITHOUT_GPU = ("doctor",)
"""Commands that tell of a GPU that is required and missing, instead of failing."""

LATER = ("tour",)
"""Commands of the contract that are not in this version."""

INTERRUPTED, TERMINATED = 130, 143


class Interrupted(KeyboardInterrupt):
    """Ctrl-C came. Python itself ends a program in which its own KeyboardInterrupt once passed an `exec`, as of every
    dataclass that is just being made, by the signal and not by our exit code."""


class Terminated(BaseException):
    """SIGTERM came; unwinds like KeyboardInterrupt, so that everything found so far is kept."""


class Parser(argparse.ArgumentParser):
    """argparse whose errors are ours: one sentence, and the right words."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}\ntry: {self.prog} --help")

    def refuse(self, word: str) -> NoReturn:
        """Say that a word is none of ours, and what it may have been."""
        name = word.partition("=")[0]
        near = difflib.get_close_matches(name, self._option_string_actions, n=1)
        meant = f"; did you mean {near[0]}?" if near else ""
        if os.path.lexists(word):
            meant = f"; name the path as .{os.sep}{word}"
        self.error(f"there is no option {name}{meant}" if name.startswith("-") else f"one word too many: {word!r}")

    def values(self, word: str) -> bool:
        """Whether an option expects a value behind it."""
        action = self._option_string_actions.get(word)
        return action is not None and action.nargs != 0

    def knows(self, word: str) -> bool:
        """Whether it is one of the options, with its value or without."""
        return word.partition("=")[0] in self._option_string_actions


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code of the contract."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    _prepare_streams()
    try:
        with _signals():
            return _settled(_run(words))
    except SystemExit as end:  # argparse, after the help
        return _settled(int(end.code or 0))
    except AtlasError as error:
        return _settled(_told(error))
    except KeyboardInterrupt:
        _say("interrupted; everything found so far is kept")
        return _settled(INTERRUPTED)
    except Terminated:
        return _settled(TERMINATED)
    except BrokenPipeError:
        return _settled(0)  # whoever read our output has gone
    except Exception as error:  # noqa: BLE001 - whatever it is, a person gets a sentence
        return _settled(_defect(error))


def _run(words: list[str]) -> int:
    if words[:1] in (["-h"], ["--help"], ["help"]):
        print(overview())
        return 0
    if words[:1] in (["-V"], ["--version"], ["version"]):
        print(f"atlas_rt {__version__}")
        return 0
    command, rest = split_command(words)
    _refuse_lost_folder()
    module: Any = importlib.import_module(f"atlas_rt.commands.{command}")
    parser = Parser(prog=f"atlas-rt {command}", description=COMMANDS[command], parents=[_common()], allow_abbrev=False)
    module.add_arguments(parser)
    given = _parsed(parser, rest, terms=getattr(module, "TERMS", False))
    settings = load_settings({name: value for name, value in vars(given).items() if name in SETTING_FLAGS})
    if settings.require_gpu and command not in WITHOUT_GPU:
        from atlas_rt.encoders.sessions import check_gpu

        check_gpu(settings.runtime())
    code: int = module.run(settings, given)
    return code


SETTING_FLAGS = frozenset(Settings.__dataclass_fields__)
VALUE_FLAGS = {
    "--model",
    "--cache",
    "--seed",
    "--granularity",
    "--exclude",
    "--quality",
    "--screen",
    "--fps",
    "-o",
    "--output",
    "--top",
}
VALUE_FLAGS |= {"--image", "--queries", "--size", "--search", "--select", "--eye", "--look", "--nodes"}
VALUE_FLAGS |= {"--while-indexing", "--repo", "--pretrained", "--revision", "--checkpoint", "--tokenizer", "--config"}
"""Options with a value, which may stand before the command. (`--webcam` may have one.)"""
HIDDEN = "\0"
"""Put before words that argparse would take for options; no word from a command line can hold it."""


def split_command(words: Sequence[str]) -> tuple[str, list[str]]:
    """The command and the words without it. Raises UsageError for a word that is neither a command nor a path."""
    i = 0
    while i < len(words) and words[i].startswith("-"):
        if words[i] == "--":
            return "view", list(words)
        camera = words[i] == "--webcam" and "".join(words[i + 1 : i + 2]).isdecimal()
        i += 2 if camera or words[i] in VALUE_FLAGS else 1
    if i >= len(words):
        return "view", list(words)
    word = words[i]
    if word in COMMANDS:
        return word, [*words[:i], *words[i + 1 :]]
    if os.sep in word or "." in word or os.path.lexists(os.path.expanduser(word)):  # noqa: PTH111  fails on ~x
        return "view", list(words)
    if word in LATER:
        raise UsageError(f"{word} is not in this version yet\ncommands: {', '.join(COMMANDS)}")
    near = difflib.get_close_matches(word, COMMANDS, n=1)
    meant = f"; did you mean {near[0]!r}?" if near else ""
    raise UsageError(f"{word!r} is neither a command nor a folder or file here{meant}\ncommands: {', '.join(COMMANDS)}")


def _parsed(parser: Parser, words: Sequence[str], *, terms: bool) -> argparse.Namespace:
    """The words as settings and arguments. terms: unknown words with one minus sign are text."""
    given, unknown = parser.parse_known_intermixed_args(_protected(parser, words, terms=terms))
    if unknown:
        parser.refuse(unknown[0].removeprefix(HIDDEN))
    for name, value in vars(given).items():
        if isinstance(value, str):
            setattr(given, name, value.removeprefix(HIDDEN))
        elif isinstance(value, list):
            setattr(given, name, [each.removeprefix(HIDDEN) for each in value])
    return given


def _protected(parser: Parser, words: Sequence[str], *, terms: bool) -> list[str]:
    """Words as argparse takes them rightly: it holds whatever begins with a minus sign for an option, which points,
    terms, phrases and names may do too."""
    result: list[str] = []
    for i, word in enumerate(words):
        before = words[i - 1] if i else ""
        if word == "--":
            return [*result, *(HIDDEN + each for each in words[i + 1 :])]
        if not word.startswith("-") or parser.knows(word):
            result.append(word)
        elif parser.values(before):
            result[-1] = f"{before}={word}" if before.startswith("--") else before + word
        else:
            result.append(HIDDEN + word if terms and not word.startswith("--") else word)
    return result


def overview() -> str:
    """The help of the whole program."""
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {does}" for name, does in COMMANDS.items()]
    return "\n".join(
        [
            "atlas-rt: a live, explorable 3D map of a folder of images",
            "",
            "usage: atlas-rt [COMMAND] [SOURCE ...] [options]",
            "",
            "SOURCE is one or more folders or files, or --demo for the pictures that come with the program.",
            "",
            "commands:",
            *lines,
            "",
            "atlas-rt COMMAND --help tells the options of one. In the window, F1 shows every key.",
        ]
    )


def _common() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    group = common.add_argument_group("options of every command")
    group.add_argument("--model", metavar="NAME", help="encoder to use (default: the best that is here)")
    group.add_argument("--cache", metavar="DIR", help="folder of the libraries (default: the user's cache folder)")
    group.add_argument("--offline", action="store_true", default=None, help="never open an internet socket")
    group.add_argument("--json", action="store_true", default=None, help="print one JSON document on standard output")
    group.add_argument("--quiet", action="store_true", default=None, help="no progress on standard error")
    group.add_argument("--seed", type=int, metavar="N", help="seed of the map (default 42)")
    group.add_argument("--granularity", metavar="few|some|many", help="how many clusters (default: as the map has)")
    group.add_argument("--require-gpu", action="store_true", default=None, help="fail where no GPU runs the encoders")
    group.add_argument("--exclude", action="append", metavar="PATTERN", help="file name or path pattern to leave out")
    return common


def _refuse_lost_folder() -> None:
    """Relative paths, and the processes to be started, need a current folder."""
    try:
        Path.cwd()
    except OSError as error:
        raise UsageError("the current folder is no longer there; change to another one first") from error


@contextlib.contextmanager
def _signals() -> Iterator[None]:
    """Ctrl-C and SIGTERM unwind, so that everything is stopped in order.

    Ctrl-C does also where it is ignored, as a shell script has it for what it starts in the background.
    """

    def interrupt(*_: object) -> NoReturn:
        raise Interrupted

    def terminate(*_: object) -> NoReturn:
        raise Terminated

    before = [(signal.SIGINT, signal.signal(signal.SIGINT, interrupt))]
    before += [(signal.SIGTERM, signal.signal(signal.SIGTERM, terminate))]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler or signal.SIG_DFL)


# -- standard output and standard error --------------------------------------------------------------------------------


def _prepare_streams() -> None:
    """Names that are no text are printed as the bytes they are, and streams that the caller closed lead nowhere.

    A closed one must not stay closed: the next file opened would get its number, and what a library of C prints there.
    """
    for number, name in ((1, "stdout"), (2, "stderr")):
        if getattr(sys, name) is None:
            _lead_nowhere(number)
            setattr(sys, name, open(number, "w", encoding="utf-8", closefd=False))  # noqa: SIM115
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="as named")


def _as_named(error: UnicodeError) -> tuple[str | bytes, int]:
    """How to write what an encoding lacks: bytes of a name as they are, other characters as escapes."""
    try:
        return codecs.lookup_error("surrogateescape")(error)
    except UnicodeError:
        return codecs.lookup_error("backslashreplace")(error)


codecs.register_error("as named", _as_named)


def _lead_nowhere(number: int) -> None:
    null = os.open(os.devnull, os.O_RDWR)
    if null != number:
        os.dup2(null, number)
        os.close(null)


def _settled(code: int) -> int:
    """Bring the output to its reader; Python itself would only complain when it ends."""
    try:
        sys.stdout.flush()
    except OSError as error:
        _lead_nowhere(sys.stdout.fileno())
        if code == 0 and not isinstance(error, BrokenPipeError):
            return _told(MissingError(f"the results could not be written ({error.strerror})"))
    return code


def _say(text: str) -> None:
    """Tell the person, if there is still someone to tell."""
    with contextlib.suppress(OSError):
        print(text, file=sys.stderr)


def _told(error: AtlasError) -> int:
    _say(f"atlas-rt: {error}")
    if _debugging():
        traceback.print_exc()
    return error.exit_code


def _defect(error: Exception) -> int:
    _say(
        f"atlas-rt: a defect of this program: {type(error).__name__}: {error}\n"
        "nothing in your folders was changed; ATLAS_RT_DEBUG=1 shows where it happened"
    )
    if _debugging():
        traceback.print_exc()
    return AtlasError.exit_code


def _debugging() -> bool:
    return os.environ.get("ATLAS_RT_DEBUG", "") not in {"", "0"}
