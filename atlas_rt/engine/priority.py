"""Letting other processes go first, in each system's own way. Steps are niceness as Unix counts it, 0 to 19."""

from __future__ import annotations

import os
import sys
from typing import Any

IDLE_FROM = 19
"""From this niceness on, Linux is told to let others go first at any time. A process at nice 19 is preempted only when
its slice ends, and each drawing thread waits for it up to three milliseconds: 49 % of the frames of 13 ms were late
beside decoding at nice 19 alone, 1 % so, and twice as much was decoded."""
BELOW_NORMAL, IDLE = 0x4000, 0x40
"""Windows' priority classes (BELOW_NORMAL_PRIORITY_CLASS, IDLE_PRIORITY_CLASS)."""


def step_back(niceness: int) -> None:
    """Lower this process's priority by so much.

    macOS knows niceness too. Its "background" state is not asked for: it keeps a process on the slow cores even while
    the fast ones have nothing to do.
    """
    if niceness <= 0:
        return
    if sys.platform == "win32":
        set_class(windows_class(niceness))
        return
    os.nice(niceness)
    if niceness >= IDLE_FROM and hasattr(os, "SCHED_IDLE"):
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


def step_back_to(niceness: int) -> None:
    """Lower this process's priority so far at least; one that is lower already stays. (On Windows a child begins with
    its parent's class where that is below normal.)"""
    if sys.platform == "win32":
        if current_class() not in (BELOW_NORMAL, IDLE):
            set_class(windows_class(niceness))
        return
    os.nice(max(0, niceness - os.nice(0)))


def windows_class(niceness: int) -> int:
    """Windows' priority class for a niceness above 0."""
    return IDLE if niceness >= IDLE_FROM else BELOW_NORMAL


def set_class(priority_class: int) -> None:
    """Give this process one of Windows' priority classes; a refusal leaves it as it is."""
    library = _kernel32()
    library.SetPriorityClass(library.GetCurrentProcess(), priority_class)


def current_class() -> int:
    """This process's priority class on Windows, 0 if it is not told."""
    library = _kernel32()
    return int(library.GetPriorityClass(library.GetCurrentProcess()))


def _kernel32() -> Any:
    import ctypes

    windll: Any = getattr(ctypes, "windll")  # noqa: B009 - exists on Windows only
    library = windll.kernel32
    # A handle is as wide as a pointer, and ctypes takes whatever is undeclared for an int.
    library.GetCurrentProcess.restype = ctypes.c_void_p
    library.GetPriorityClass.argtypes = [ctypes.c_void_p]
    library.GetPriorityClass.restype = ctypes.c_uint32
    library.SetPriorityClass.argtypes = [ctypes.c_void_p, ctypes.c_uint32]
    return library
