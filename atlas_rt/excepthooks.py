"""Sentences in place of tracebacks, for errors that no code of ours catches: in threads, in destructors, in a log.

ATLAS_RT_DEBUG=1 leaves all of them as Python tells them.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
from collections.abc import Iterator
from types import TracebackType


def debugging() -> bool:
    """Whether the person asked for tracebacks."""
    return os.environ.get("ATLAS_RT_DEBUG", "") not in {"", "0"}


def install() -> None:
    """For the rest of this process."""
    if debugging():
        logging.basicConfig(level=logging.WARNING)
        logging.getLogger("atlas_rt").setLevel(logging.DEBUG)  # errors that are logged come with their traceback
        return
    sys.excepthook, threading.excepthook, sys.unraisablehook = _process_failed, _thread_failed, _clean_up_failed
    logging.getLogger().addHandler(_Sentences(logging.WARNING))


@contextlib.contextmanager
def ending_with_a_sentence(what: str) -> Iterator[None]:
    """For a process of ours: an error ends it with exit code 1 and a sentence, where multiprocessing would print a
    traceback. what: what it means to a person."""
    try:
        yield
    except Exception as error:
        if debugging():
            raise
        say(sentence(what, error))
        raise SystemExit(1) from error


def sentence(what: str, error: BaseException) -> str:
    """What happened, which error it was, and how to see where."""
    return f"{what}: {type(error).__name__}: {error}; ATLAS_RT_DEBUG=1 shows where it happened"


def say(text: str) -> None:
    """Write a sentence to standard error, once: an error of every frame would fill the terminal."""
    if text not in _said and sys.stderr is not None:
        _said.add(text)
        with contextlib.suppress(OSError, ValueError):  # closed, or whoever read it has gone
            sys.stderr.write(f"atlas-rt: {text}\n")


_said: set[str] = set()


class _Sentences(logging.Handler):
    """Says what is logged, without its traceback."""

    def emit(self, record: logging.LogRecord) -> None:
        say(record.getMessage())


def _process_failed(kind: type[BaseException], error: BaseException, _: TracebackType | None) -> None:
    say("interrupted" if issubclass(kind, KeyboardInterrupt) else sentence("a defect of this program", error))


def _thread_failed(failure: threading.ExceptHookArgs) -> None:
    name = failure.thread.name if failure.thread else "unknown"
    if failure.exc_value is not None and not issubclass(failure.exc_type, SystemExit):
        say(sentence(f"the thread {name!r} has ended, and what it does is missing from now on", failure.exc_value))


def _clean_up_failed(failure: sys.UnraisableHookArgs) -> None:
    if failure.exc_value is not None:
        say(sentence("something could not be cleaned up, which has no consequences", failure.exc_value))
