"""How many folders Linux lets a user watch, and whether that is used up. Other systems have no such limit.

A program that has no watch for a folder is told nothing of it, and watchdog passes over folders that it gets no watch
for. So it is asked here whether one more could be had.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import sys
from collections.abc import Iterator
from pathlib import Path

WATCHES, INSTANCES = "fs.inotify.max_user_watches", "fs.inotify.max_user_instances"
"""Limits, as `sysctl` names them: of folders that a user watches, and of programs that do."""
ENOUGH = {WATCHES: 524_288, INSTANCES: 1_024}
"""What to raise a limit to; where it is higher already, to four times as much."""
_IN_CREATE = 0x100


def limit_of(name: str) -> int:
    """What the system allows, 0 where it has no such limit."""
    try:
        return int((Path("/proc/sys") / name.replace(".", "/")).read_text())
    except (OSError, ValueError):
        return 0


def used_up() -> str:
    """The limit that is reached, empty where there is room for one more watch."""
    if not sys.platform.startswith("linux"):
        return ""
    libc = ctypes.CDLL(None, use_errno=True)
    instance = libc.inotify_init()
    if instance < 0:
        return INSTANCES if ctypes.get_errno() == errno.EMFILE else ""
    try:
        full = libc.inotify_add_watch(instance, b"/", _IN_CREATE) < 0 and ctypes.get_errno() == errno.ENOSPC
        return WATCHES if full else ""
    finally:
        os.close(instance)


def limit_behind(error: OSError) -> str:
    """The limit that an error tells of, empty for other errors."""
    return {errno.ENOSPC: WATCHES, errno.EMFILE: INSTANCES}.get(error.errno or 0, "")


def how_to_raise(name: str) -> str:
    """The command that raises a limit."""
    return f"sudo sysctl {name}={max(ENOUGH[name], 4 * limit_of(name))}"


def watches_in_use() -> int:
    """Folders watched now by this user's programs, as far as they can be looked into."""
    return sum(_watches_of(process) for process in Path("/proc").iterdir() if process.name.isdecimal())


def watches_needed(folder: str) -> int:
    """Folders at and below one; links are not followed. 10,000 folders: 0.1 s."""
    return sum(1 for _ in os.walk(folder))


def _watches_of(process: Path) -> int:
    return sum(len(info.read_bytes().split(b"inotify wd:")) - 1 for info in _inotify_instances(process))


def _inotify_instances(process: Path) -> Iterator[Path]:
    with contextlib.suppress(OSError):
        if process.stat().st_uid != os.getuid():
            return
        for number in os.listdir(process / "fd"):  # noqa: PTH208  a path is made of few of them
            with contextlib.suppress(OSError):
                if str((process / "fd" / number).readlink()) == "anon_inode:inotify":
                    yield process / "fdinfo" / number
