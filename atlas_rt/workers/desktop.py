"""The desktop's own programs: opening a file in its viewer, showing it in the file manager. Without a shell, detached.

On Linux the file manager is asked over D-Bus (org.freedesktop.FileManager1), which selects the file; where no file
manager answers, the folder is opened. Nothing here uses the network.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

from atlas_rt.errors import MissingError

OPENING_SECS = 3.0
"""Whoever opens a file has failed by then, if they do; some stay as long as the viewer is open."""
ASKING_SECS = 4.0
"""The file manager may have to be started first."""
_SERVICE, _OBJECT = "org.freedesktop.FileManager1", "/org/freedesktop/FileManager1"


def open_file(path: str) -> None:
    """Open a file or folder in the program that the system has for it. Raises MissingError with the reason."""
    if not Path(path).exists():
        raise MissingError("the file is not there any more")
    if sys.platform == "win32":
        _start_on_windows(path)
    else:
        _run("open" if sys.platform == "darwin" else "xdg-open", path)


def show_in_folder(path: str) -> None:
    """Show a file in the file manager, selected where that is possible. Raises MissingError with the reason."""
    if not Path(path).exists():
        raise MissingError("the file is not there any more")
    if sys.platform == "win32":
        subprocess.Popen(f'explorer /select,"{path}"')  # it reads its words by rules of its own
    elif sys.platform == "darwin":
        _run("open", "-R", path)
    elif not _asked_file_manager(path):
        open_file(str(Path(path).parent))


def _start_on_windows(path: str) -> None:
    try:
        os.startfile(path)  # type: ignore[attr-defined, unused-ignore]
    except OSError as error:
        raise MissingError(error.strerror or str(error)) from error


def _run(program: str, *words: str) -> None:
    """Start a program of its own, and wait only for its refusal."""
    try:
        process = _started(program, *words)
    except OSError as error:
        raise MissingError(f"{program} is not here: install xdg-utils") from error
    try:
        code = process.wait(OPENING_SECS)
    except subprocess.TimeoutExpired:
        return
    if code:
        raise MissingError(f"{program} found no program for it (it ended with {code})")


def _asked_file_manager(path: str) -> bool:
    """Whether a file manager took the file. In addresses of files, commas and quotes are written as numbers."""
    address = "file://" + quote(path, safe="/")
    ways = (
        ("gdbus", "call", "--session", "--dest", _SERVICE, "--object-path", _OBJECT,
         "--method", f"{_SERVICE}.ShowItems", f"['{address}']", ""),
        ("dbus-send", "--session", "--print-reply", f"--dest={_SERVICE}", _OBJECT, f"{_SERVICE}.ShowItems",
         f"array:string:{address}", "string:"),
    )  # fmt: skip
    return any(_succeeds(*words) for words in ways)


def _succeeds(*words: str) -> bool:
    try:
        process = _started(*words)
    except OSError:
        return False
    try:
        return process.wait(ASKING_SECS) == 0
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return False


def _started(*words: str) -> subprocess.Popen[bytes]:
    """In a session of its own: it outlives the window, and hears none of its signals."""
    nowhere = subprocess.DEVNULL
    return subprocess.Popen(words, stdin=nowhere, stdout=nowhere, stderr=nowhere, start_new_session=True)
