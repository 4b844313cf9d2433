"""A process started by another of ours: how it is started, what it does first, and why it ended.

Children are spawned, never forked (OpenGL, OpenMP). What one writes to standard error, an interpreter that dies at its
first import included, does not reach the terminal: it is kept, and its last line is the reason that a person is told.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import tempfile
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from multiprocessing import connection, resource_tracker
from typing import Any

from atlas_rt.engine.priority import step_back_to
from atlas_rt.excepthooks import install

SPAWN = multiprocessing.get_context("spawn")
LAST_BYTES = 4096
"""Of what a child wrote to standard error, to look for its last line."""
LINE_MAX = 300
"""Characters of that line."""


class Child:
    """A running process of ours and the pipe to it. Owned by the thread that started it."""

    def __init__(self, target: Callable[..., None], *args: Any, name: str) -> None:
        """target: called in the child with its end of the pipe and these arguments."""
        self.pipe, theirs = SPAWN.Pipe()
        self._errors = _error_file()
        self._close_errors = weakref.finalize(self, _close, self._errors)
        self._process = SPAWN.Process(target=target, args=(theirs, *args), name=name)
        with _interrupts_held(), _standard_error(self._errors):
            self._process.start()
        theirs.close()

    @property
    def pid(self) -> int:
        return self._process.pid or 0

    @property
    def alive(self) -> bool:
        return self._process.is_alive()

    @property
    def exit_code(self) -> int | None:
        """None while it runs; below 0 the signal that ended it."""
        return self._process.exitcode

    def end(self, *, limit_secs: float = 0.0) -> str:
        """Wait for its end, at most so long, then kill it. How it came to its end, e.g. "exit code 1, ImportError: no
        module named umap"."""
        self._process.join(limit_secs)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self.pipe.close()
        code, line = self.exit_code or 0, self._last_line()
        how = f"exit code {code}" if code >= 0 else f"ended by {_signal_name(-code)}"
        self._close_errors()
        return f"{how}, {line}" if line else how

    def kill(self) -> None:
        """End it whatever it does. From any thread; `end` is still to be called."""
        self._process.kill()

    def forget_errors(self) -> None:
        """Let go of what it has written to standard error: a process may run for weeks."""
        if self._errors is not None:
            os.ftruncate(self._errors, 0)

    def _last_line(self) -> str:
        if self._errors is None or not self._close_errors.alive:
            return ""
        os.lseek(self._errors, max(os.fstat(self._errors).st_size - LAST_BYTES, 0), os.SEEK_SET)
        lines = os.read(self._errors, LAST_BYTES).decode(errors="replace").strip().splitlines()
        return lines[-1].strip()[:LINE_MAX] if lines else ""


def begin(niceness: int) -> None:
    """What a child does before its work: step back behind other processes, and end when its parent does.

    niceness: 0 to 19, at least. Ctrl-C reaches the whole group of a terminal; the parent decides what it means.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    step_back_to(niceness)
    install()
    _end_with_parent()


def _end_with_parent() -> None:
    """End this process within moments of its parent's death, however that came; daemon processes do not."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        connection.wait([parent.sentinel])
        time.sleep(0.2)  # a parent that ends in order closes the pipe first, and we end by ourselves
        os._exit(3)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _error_file() -> int | None:
    """A nameless file in which a child's standard error is kept; None where it goes to ours."""
    if sys.platform == "win32":  # a spawned process inherits no handle there
        return None
    try:
        with tempfile.TemporaryFile("a+b", buffering=0) as file:
            return os.dup(file.fileno())
    except OSError:
        return None


def _close(file: int | None) -> None:
    if file is not None:
        os.close(file)


@contextlib.contextmanager
def _standard_error(file: int | None) -> Iterator[None]:
    """Let what is started in here write its standard error to a file: it inherits ours, which is exchanged so long."""
    if file is None:
        yield
        return
    try:
        ours = os.dup(2)
    except OSError:  # we have none
        yield
        return
    os.dup2(file, 2)
    try:
        yield
    finally:
        os.dup2(ours, 2)
        os.close(ours)


@contextlib.contextmanager
def _interrupts_held() -> Iterator[None]:
    """Start a process deaf to Ctrl-C, which reaches the whole group: one that came while it still imports would end it
    with a traceback. What comes meanwhile waits for us."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # it opens the mask again when it is first started
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
