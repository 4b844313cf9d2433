"""What a command prints and writes: results on standard output, everything else on standard error, files whole."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TextIO

from atlas_rt.core.progress import STAGES, duration
from atlas_rt.core.reports import Progress
from atlas_rt.errors import MissingError, UsageError
from atlas_rt.library.sources import absolute
from atlas_rt.settings import Settings

QUIET_LINES_SECS = 10.0
"""If standard error is not a terminal, one line of progress this often."""


def tell(text: str) -> None:
    """Print a result on standard output. Raises MissingError if that fails, BrokenPipeError if the reader has gone."""
    try:
        print(text)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise MissingError(f"the results could not be written ({error.strerror})") from error


def print_json(document: Any) -> None:
    """Print one JSON document on standard output. File names that are not text keep their bytes, as escapes."""
    text = json.dumps(document, ensure_ascii=False)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(document)
    tell(text)


def say(settings: Settings, text: str) -> None:
    """A message for the person, unless they asked for quiet."""
    if not settings.quiet:
        print(text, file=sys.stderr)


def asks(settings: Settings) -> bool:
    """Whether there is a person at a terminal to be asked."""
    return not (settings.json or settings.quiet) and sys.stdin.isatty() and sys.stderr.isatty()


def answers_yes(question: str) -> bool:
    """Ask on standard error; anything but yes is no."""
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def output_path(word: str, endings: Sequence[str]) -> Path:
    """The path of a file named with `-o`, checked before slow work begins. Raises UsageError or MissingError."""
    path = absolute(word)
    if path.suffix.lower() not in endings:
        raise UsageError(f"the file's name must end in {' or '.join(endings)}: {path}")
    if path.is_dir():
        raise UsageError(f"a folder already has this name; choose another: {path}")
    if not path.parent.is_dir():
        raise UsageError(f"this folder does not exist: {path.parent}")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise MissingError(f"this folder cannot be written to; choose another with -o: {path.parent}")
    return path


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Write a temporary file in the same folder and rename it: the old file is replaced by a whole new one, or stays.

    Raises MissingError if the disk refuses.
    """
    temporary = path.with_name(f".{path.stem[:80]}-{os.getpid()}{path.suffix}")
    try:
        try:
            write(temporary)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise MissingError(f"the file could not be written ({error.strerror or error}): {path}") from error


class ProgressLine:
    """One line that shows the progress: rewritten in place on a terminal, repeated now and then elsewhere."""

    def __init__(self, settings: Settings, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._live = self._stream.isatty()
        self._shown = not settings.quiet
        self._width = 0
        self._told_secs = time.monotonic()

    def show(self, progress: Progress) -> None:
        if progress.stage != "idle":
            self.write(describe(progress))

    def write(self, text: str) -> None:
        if not self._shown:
            return
        if self._live:
            self._stream.write("\r" + text.ljust(self._width))
            self._stream.flush()
            self._width = len(text)
        elif time.monotonic() - self._told_secs > QUIET_LINES_SECS:
            self._told_secs = time.monotonic()
            print(text, file=self._stream, flush=True)

    def clear(self) -> None:
        """Leave an empty line for what is printed next."""
        if self._live and self._width:
            self._stream.write("\r" + " " * self._width + "\r")
            self._stream.flush()
            self._width = 0


def describe(progress: Progress) -> str:
    """Progress as a person reads it: "indexing 1,234 of 5,000 · 61 a second · 1 min 2 s left"."""
    parts = [STAGES.get(progress.stage, progress.stage)]
    if progress.stage == "fit":
        parts[0] += f" {progress.done} %"
    elif progress.total:
        parts[0] += f" {progress.done:,} of {progress.total:,}"
    if progress.rate >= 0.05:
        parts.append(f"{progress.rate:.0f} a second" if progress.rate >= 10 else f"{progress.rate:.1f} a second")
    if progress.eta_secs is not None:
        parts.append(f"{duration(progress.eta_secs)} left")
    if progress.failed:
        parts.append(f"{progress.failed:,} failed")
    return " · ".join(parts)
