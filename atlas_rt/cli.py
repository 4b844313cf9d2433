"""Words on the command line -> settings -> one call. The only module that ends the program.

The first word that names a command chooses it; without one the words are what to `view`. Options stand anywhere.
"""

from __future__ import annotations

import argparse
import contextlib
import difflib
import importlib
import os
import signal
import sys
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

from atlas_rt import __version__
from atlas_rt.errors import AtlasError, UsageError
from atlas_rt.settings import QUALITIES, Settings, load_settings

COMMANDS = {
    "view": "open the window on a live map of the images (the default)",
    "index": "bring the library up to date without a window",
    "search": "the best images for a phrase, an image, or both",
    "neighbors": "the nearest images of one of the library",
    "locate": "where images outside the library would stand",
    "clusters": "the groups in the map, their names and exemplars",
    "shot": "one frame of the real renderer as a picture",
    "export": "ids, paths, vectors, positions and clusters as .npz or .csv",
    "models": "known encoders",
    "library": "libraries in the cache: list, forget",
    "doctor": "what works here and what does not",
    "bench": "measure this program here",
}
"""Command -> what it does. Each lives in the module of its name in `commands`."""

INTERRUPTED, TERMINATED = 130, 143


class Terminated(BaseException):
    """SIGTERM came; unwinds like KeyboardInterrupt, so that everything found so far is kept."""


class Parser(argparse.ArgumentParser):
    """argparse whose errors are ours: one sentence, and the right words."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}\ntry: {self.prog} --help")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code of the contract."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        with _terminations():
            return _run(words)
    except AtlasError as error:
        return _told(error)
    except KeyboardInterrupt:
        print("interrupted; everything found so far is kept", file=sys.stderr)
        return INTERRUPTED
    except Terminated:
        return TERMINATED
    except BrokenPipeError:
        # whoever read our output has gone; Python would complain once more when it flushes at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # noqa: BLE001 - whatever it is, a person gets a sentence
        return _defect(error)


def _run(words: list[str]) -> int:
    if words[:1] in (["-h"], ["--help"], ["help"]):
        print(overview())
        return 0
    if words[:1] in (["-V"], ["--version"], ["version"]):
        print(f"atlas_rt {__version__}")
        return 0
    command, rest = split_command(words)
    module: Any = importlib.import_module(f"atlas_rt.commands.{command}")
    parser = Parser(prog=f"atlas-rt {command}", description=COMMANDS[command], parents=[_common()], allow_abbrev=False)
    module.add_arguments(parser)
    given = parser.parse_intermixed_args(_joined(rest))
    settings = load_settings({name: value for name, value in vars(given).items() if name in SETTING_FLAGS})
    code: int = module.run(settings, given)
    sys.stdout.flush()
    return code


SETTING_FLAGS = frozenset(Settings.__dataclass_fields__)
VALUE_FLAGS = frozenset({"--model", "--cache", "--seed", "--exclude"})
"""Options with a value that may stand before the command."""


def split_command(words: Sequence[str]) -> tuple[str, list[str]]:
    """The command and the words without it. Raises UsageError for a word that is neither a command nor a path."""
    i = 0
    while i < len(words) and words[i].startswith("-"):
        i += 2 if words[i] in VALUE_FLAGS else 1
    if i >= len(words) or "--" in words[:i]:
        return "view", list(words)
    word = words[i]
    if word in COMMANDS:
        return word, [*words[:i], *words[i + 1 :]]
    if not Path(word).expanduser().exists() and not word.startswith("s3://") and os.sep not in word and "." not in word:
        near = difflib.get_close_matches(word, COMMANDS, n=1)
        meant = f"; did you mean {near[0]!r}?" if near else ""
        raise UsageError(
            f"{word!r} is neither a command nor a folder or file here{meant}\ncommands: {', '.join(COMMANDS)}"
        )
    return "view", list(words)


def _joined(words: Sequence[str]) -> list[str]:
    """Points may begin with a minus sign, which argparse takes for an option unless it is joined to its own."""
    result: list[str] = []
    for word in words:
        if result and result[-1] in {"--eye", "--look"}:
            result[-1] += f"={word}"
        else:
            result.append(word)
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
    group.add_argument("--exclude", action="append", metavar="PATTERN", help="file name or path pattern to leave out")
    return common


def add_quality(parser: argparse.ArgumentParser) -> None:
    """The option that view and bench share."""
    parser.add_argument("--quality", choices=QUALITIES, help="step of the quality ladder (default: auto)")


@contextlib.contextmanager
def _terminations() -> Iterator[None]:
    def unwind(*_: object) -> NoReturn:
        raise Terminated

    before = signal.signal(signal.SIGTERM, unwind)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _told(error: AtlasError) -> int:
    print(f"atlas-rt: {error}", file=sys.stderr)
    if _debugging():
        traceback.print_exc()
    return error.exit_code


def _defect(error: Exception) -> int:
    print(
        f"atlas-rt: a defect of this program: {type(error).__name__}: {error}\n"
        "nothing in your folders was changed; ATLAS_RT_DEBUG=1 shows where it happened",
        file=sys.stderr,
    )
    if _debugging():
        traceback.print_exc()
    return AtlasError.exit_code


def _debugging() -> bool:
    return os.environ.get("ATLAS_RT_DEBUG", "") not in {"", "0"}
