"""Standard output and standard error, and the signals that end a program."""

from __future__ import annotations

import codecs
import contextlib
import io
import os
import signal
import sys
from collections.abc import Iterator
from typing import NoReturn

from atlas_rt.errors import MissingError


class Interrupted(KeyboardInterrupt):
    """Ctrl-C came. Python ends a program by the signal, and not with our exit code, if its own KeyboardInterrupt ever
    passed through an `exec`, for example while a dataclass was being made. A subclass is not affected."""


class Terminated(BaseException):
    """SIGTERM came. It unwinds like KeyboardInterrupt, so that everything found so far is kept."""


@contextlib.contextmanager
def signals_raised() -> Iterator[None]:
    """Ctrl-C and SIGTERM raise Interrupted and Terminated, so that everything is stopped in order.

    SIGINT is handled even if the parent ignored it, as a shell script does for a job in the background.
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


def prepare_streams() -> None:
    """Print file names that are not text as their bytes; lead a stream that the caller closed to the null device.

    A closed stream must not stay closed: the next file opened would get its number, and receive what a native library
    prints.
    """
    for number, name in ((1, "stdout"), (2, "stderr")):
        if getattr(sys, name) is None:
            _lead_nowhere(number)
            setattr(sys, name, open(number, "w", encoding="utf-8", closefd=False))  # noqa: SIM115
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="as named")


def flush_output() -> None:
    """Write out what was printed. Raises MissingError if that fails; a closed pipe (BrokenPipeError) is passed over.

    Python itself would complain of either on standard error at its end.
    """
    try:
        sys.stdout.flush()
    except OSError as error:
        _lead_nowhere(sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            raise MissingError(f"the results could not be written ({error.strerror})") from error


def complain(text: str) -> None:
    """Print a line on standard error, if that can still be written to."""
    with contextlib.suppress(OSError):
        print(text, file=sys.stderr)


def _as_named(error: UnicodeError) -> tuple[str | bytes, int]:
    """How to write what an encoding lacks: the bytes of a file name as they are, other characters as escapes."""
    try:
        return codecs.lookup_error("surrogateescape")(error)
    except UnicodeError:
        return codecs.lookup_error("backslashreplace")(error)


codecs.register_error("as named", _as_named)


def _lead_nowhere(number: int) -> None:
    """Connect a file descriptor to the null device."""
    null = os.open(os.devnull, os.O_RDWR)
    if null != number:
        os.dup2(null, number)
        os.close(null)
