"""Whether anything in the sources changed since one last looked: native events, polling where there are none.

Events only say that it is time for a scan, which finds out what changed; so none of them can be misread, and a burst of
a thousand costs one scan. Folders on network drives tell nothing of what others change, and are polled.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver, ObservedWatch
from watchdog.observers.polling import PollingObserver

from atlas_rt.library.sources import is_passed_over, is_readable

QUIET_SECS, LONGEST_SECS = 0.55, 1.0
"""A change is told of once it has been quiet so long, and at the latest so long after the first."""
POLL_SECS = 2.0
ROOTS_EVERY_SECS = 1.0
"""How often it is looked whether a source itself vanished or came back, which no event tells."""
CHANGES = {"created", "modified", "moved", "deleted", "closed"}
"""Events that matter. (Reading a file has some, too.)"""
REMOTE = {
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "smbfs",
    "9p",
    "afs",
    "ceph",
    "glusterfs",
    "fuse.sshfs",
    "fuse.rclone",
    "davfs",
}
"""File systems whose changes by others cause no events here."""

Identity = tuple[int, int] | None
"""Device and inode of a source, None while it is not there."""


class Watcher:
    """Watches sources until closed. Owned by one thread; events come on watchdog's."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._first_secs = self._last_secs = 0.0
        self._observers: dict[bool, BaseObserver] = {}
        self._watches: dict[str, tuple[BaseObserver, ObservedWatch]] = {}
        self._known: dict[str, Identity] = {}
        self._looked_secs = 0.0

    def watch(self, sources: Sequence[str]) -> None:
        """Watch exactly these folders and files from now on."""
        for gone in self._known.keys() - set(sources):
            self._leave(gone)
            del self._known[gone]
        for source in sources:
            if source not in self._known:
                self._known[source] = _identity(source)
                self._join(source)

    def due(self) -> bool:
        """Whether it is time to scan; told once for each burst of changes."""
        now = time.monotonic()
        if now - self._looked_secs > ROOTS_EVERY_SECS:
            self._looked_secs = now
            self._look_at_roots()
        with self._lock:
            if not self._first_secs or (now - self._last_secs < QUIET_SECS and now - self._first_secs < LONGEST_SECS):
                return False
            self._first_secs = 0.0
            return True

    def close(self) -> None:
        for observer in self._observers.values():
            observer.stop()
        for observer in self._observers.values():
            observer.join(2.0)

    def _changed(self) -> None:
        with self._lock:
            self._last_secs = time.monotonic()
            self._first_secs = self._first_secs or self._last_secs

    def _look_at_roots(self) -> None:
        for source, before in self._known.items():
            now = _identity(source)
            if now != before:
                self._known[source] = now
                self._leave(source)
                self._join(source)
                self._changed()

    def _join(self, source: str) -> None:
        """Native events where they come and can be had, polling otherwise; a source that is not there waits."""
        if self._known[source] is None:
            return
        folder = Path(source).is_dir()
        handler = _Handler(source, self._changed)
        for polled in (True,) if _is_remote(source) else (False, True):
            # the system's limit of watches is an OSError
            with contextlib.suppress(OSError):
                observer = self._observer(polled=polled)
                watch = observer.schedule(handler, source if folder else str(Path(source).parent), recursive=folder)
                self._watches[source] = observer, watch
                return

    def _leave(self, source: str) -> None:
        if source in self._watches:
            observer, watch = self._watches.pop(source)
            with contextlib.suppress(OSError, KeyError):  # what it watched may be gone
                observer.unschedule(watch)

    def _observer(self, *, polled: bool) -> BaseObserver:
        if polled not in self._observers:
            observer = PollingObserver(timeout=POLL_SECS) if polled else Observer()
            observer.daemon = True
            observer.start()
            self._observers[polled] = observer
        return self._observers[polled]


class _Handler(FileSystemEventHandler):
    """Passes on changes of images and folders, below a folder or of one file."""

    def __init__(self, source: str, changed: Callable[[], None]) -> None:
        self._source, self._changed = source, changed
        self._folder = Path(source).is_dir()

    def on_any_event(self, event: FileSystemEvent) -> None:
        if event.event_type not in CHANGES or (event.is_directory and event.event_type == "modified"):
            return  # a folder is modified by whatever comes into it, which has an event of its own
        paths = [os.fsdecode(path) for path in (event.src_path, event.dest_path) if path]
        if any(self._matters(path, is_folder=event.is_directory) for path in paths):
            self._changed()

    def _matters(self, path: str, *, is_folder: bool) -> bool:
        if not self._folder:
            return path == self._source
        parts = Path(os.path.relpath(path, self._source)).parts
        if any(is_passed_over(part) for part in parts if part != os.curdir):
            return False
        return is_folder or is_readable(path)


def _identity(source: str) -> Identity:
    try:
        status = Path(source).stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _is_remote(source: str) -> bool:
    """Whether it lies on a network drive, as Linux tells it; elsewhere nobody asks."""
    try:
        lines = Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
    except OSError:
        return False
    real, best, kind = os.path.realpath(source), "", ""
    for line in lines:
        _, place, found, *_ = line.split(" ")
        place = place.encode().decode("unicode_escape")
        inside = real == place or real.startswith(place.rstrip("/") + "/")
        if inside and len(place) >= len(best):
            best, kind = place, found
    return kind in REMOTE
