"""The command line: words -> settings -> one call. The only module that ends the program."""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from atlas_rt import __version__
from atlas_rt.arguments import COMMANDS
from atlas_rt.errors import AtlasError, MissingError, UsageError
from atlas_rt.excepthooks import debugging
from atlas_rt.parsing import parse, split_command
from atlas_rt.settings import MEANINGS, load_settings
from atlas_rt.streams import Terminated, complain, flush_output, prepare_streams, signals_raised

INTERRUPTED, TERMINATED = 130, 143
"""Exit codes after Ctrl-C and SIGTERM."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    prepare_streams()
    try:
        with signals_raised():
            return _flushed(_run(words))
    except SystemExit as end:  # argparse, after the help
        return _flushed(int(end.code or 0))
    except AtlasError as error:
        return _flushed(_reported(error))
    except KeyboardInterrupt:
        complain("interrupted; everything found so far is kept")
        return _flushed(INTERRUPTED)
    except Terminated:
        return _flushed(TERMINATED)
    except BrokenPipeError:
        return _flushed(0)  # whoever read our output has gone
    except Exception as error:  # noqa: BLE001 - whatever it is, a person gets a sentence
        return _flushed(_reported_defect(error))


def _run(words: list[str]) -> int:
    if words[:1] in (["-h"], ["--help"], ["help"]):
        print(overview())
        return 0
    if words[:1] in (["-V"], ["--version"], ["version"]):
        print(f"atlas_rt {__version__}")
        return 0
    name, rest = split_command(words)
    _refuse_lost_folder()
    given = parse(name, rest)
    settings = load_settings({key: value for key, value in vars(given).items() if key in MEANINGS})
    if settings.require_gpu and not COMMANDS[name].reports_gpu:
        from atlas_rt.encoders.sessions import check_gpu

        check_gpu(settings.runtime())
    if settings.language:
        from atlas_rt.spoken import spoken_code

        spoken_code(settings)  # a wrong one is said before anything begins
    module: Any = importlib.import_module(f"atlas_rt.commands.{COMMANDS[name].module or name}")
    code: int = module.run(settings, given)
    return code


def overview() -> str:
    """The help of the whole program."""
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {command.does}" for name, command in COMMANDS.items()]
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
            "atlas-rt COMMAND --help explains a command. In the window, F1 shows every key.",
        ]
    )


def _refuse_lost_folder() -> None:
    """Relative paths, and the processes to be started, need a current folder that this user may enter."""
    try:
        os.chdir(Path.cwd())
    except FileNotFoundError as error:
        raise UsageError("the current folder no longer exists; change to another one first") from error
    except OSError as error:
        raise UsageError(
            f"the current folder cannot be used ({error.strerror}); change to another one first"
        ) from error


def _flushed(code: int) -> int:
    """The exit code once the output is written: an error of the command wins over one of the output."""
    try:
        flush_output()
    except MissingError as error:
        return code or _reported(error)
    return code


def _reported(error: AtlasError) -> int:
    complain(f"atlas-rt: {error}")
    if debugging():
        traceback.print_exc()
    return error.exit_code


def _reported_defect(error: Exception) -> int:
    complain(
        f"atlas-rt: a defect of this program: {type(error).__name__}: {error}\n"
        "nothing in your folders was changed; ATLAS_RT_DEBUG=1 shows where it happened"
    )
    if debugging():
        traceback.print_exc()
    return AtlasError.exit_code
