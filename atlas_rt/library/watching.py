"""Whether anything in the sources changed since one last looked: native events, polling where there are none.

Events only say that it is time for a scan, and of which files and folders; the scan finds out what changed. So none of
them can be misread, and a burst of a thousand costs one scan. Folders on network drives tell nothing of what others
change, and are polled; so are those for which the system has no watches left, as long as that lasts.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver, ObservedWatch

from atlas_rt.library.drives import is_remote
from atlas_rt.library.formats import SIDECAR_SUFFIX, is_readable, suffix_of
from atlas_rt.library.hidden import is_passed_over
from atlas_rt.library.inotify_limits import how_to_raise, limit_behind, limit_of, used_up
from atlas_rt.library.polling import Poller
from atlas_rt.library.scanning import Scanner, matcher

QUIET_SECS, CLOSED_SECS, LONGEST_SECS = 0.55, 0.15, 1.0
"""A change is told of once it has been quiet so long, sooner where it is of files alone that whoever wrote them has
closed, and at the latest so long after the first."""
ANYWAY_SECS = 600.0
"""It is time for a scan of everything so long after the last one of all, as events can be lost; and to ask again for
watches that could not be had."""
ROOTS_EVERY_SECS = 1.0
"""How often it is looked whether a source or a mount point in it vanished or came back, which no event tells."""
CHANGES = {"created", "modified", "moved", "deleted", "closed"}
"""Events that matter. (Reading a file has some, too.)"""
WatchKey = tuple[str, bool]
"""A folder, and whether what lies deeper is watched, too."""
Identity = tuple[int, int] | None
"""Device and inode of a source, None while it is not there."""
NOT_LOOKED_AT: Identity = (-1, -1)
"""No source has this one."""


class Watcher:
    """Watches sources until closed. Owned by one thread; events come on watchdog's.

    exclude, hidden, cache: as for a scan (`scanning.scan`); what that leaves out is nothing to tell of.
    """

    def __init__(self, exclude: Sequence[str] = (), *, hidden: bool = False, cache: Path | None = None) -> None:
        self._excluded, self._hidden = matcher(exclude), hidden
        self._cache = os.path.realpath(cache) if cache else ""
        self._make_scanner = partial(Scanner, exclude, hidden=hidden, cache=cache)
        self._lock = threading.Lock()
        self._first_secs = self._last_secs = 0.0
        self._paths: set[str] = set()
        self._closed: set[str] = set()
        self.closed: frozenset[str] = frozenset()
        """Of what was taken last, the files that whoever wrote them has closed: they are whole."""
        self._anywhere = True
        self._observer: BaseObserver | None = None
        self._watched: dict[WatchKey, _Watch] = {}
        self._unwatched: dict[WatchKey, _Limit] = {}
        self._known: dict[str, Identity] = {}
        self._mounts: dict[str, Identity] = {}
        self._looked_secs = self._looked_anywhere_secs = time.monotonic()

    def watch(self, sources: Sequence[str]) -> None:
        """Watch exactly these folders and files from now on."""
        wanted = dict.fromkeys(sources)
        if self._known.keys() != wanted.keys():
            self._known = {source: self._known.get(source, _identity(source)) for source in wanted}
            self._arrange()

    def doubt(self, sources: Collection[str]) -> None:
        """A scan found these sources gone or back, and they may have changed since: the next look tells of them even
        where it finds them as the last one did."""
        self._known |= dict.fromkeys(self._known.keys() & sources, NOT_LOOKED_AT)

    def look_at(self, mounts: Collection[str]) -> None:
        """Look also whether a drive comes to or leaves exactly these folders within the sources."""
        self._mounts = {folder: self._mounts.get(folder, _identity(folder)) for folder in mounts}

    def due(self) -> bool:
        """Whether it is time to scan; told once for each burst of changes. Raises what ended a thread that polls."""
        now = time.monotonic()
        if now - self._looked_secs > ROOTS_EVERY_SECS:
            self._looked_secs = now
            self._look_at_roots()
        if now - self._looked_anywhere_secs > ANYWAY_SECS:
            self._arrange(set(self._unwatched))
            self._changed(None)
        with self._lock:
            quiet_secs = QUIET_SECS if self._anywhere or self._paths - self._closed else CLOSED_SECS
            quiet = now - self._last_secs >= quiet_secs or now - self._first_secs >= LONGEST_SECS
            if not self._first_secs or not quiet:
                return False
            self._first_secs = 0.0
            return True

    @property
    def stirs(self) -> bool:
        """Whether something has changed that `due` will tell of in a moment."""
        return self._first_secs > 0.0 and bool(self._paths)

    def take_paths(self) -> frozenset[str] | None:
        """Files that changed since one last asked, and folders in which something did; None where it may have been
        anywhere."""
        with self._lock:
            paths, anywhere = frozenset(self._paths), self._anywhere
            self.closed = frozenset(self._closed)
            self._paths.clear()
            self._closed.clear()
            self._anywhere = False
        if anywhere:
            self._looked_anywhere_secs = time.monotonic()
        return None if anywhere else paths

    @property
    def trouble(self) -> str:
        """That folders are polled since the system's watches are used up, and how to raise the limit; empty where they
        are not."""
        if not self._unwatched:
            return ""
        limit = next(iter(self._unwatched.values()))
        return (
            f"Changes in the folder are found late: the system's limit of watched folders is used up ({limit.name} = "
            f"{limit.value:,}), so it is looked through every few seconds. Raise it with: "
            f"{how_to_raise(limit.name)}"
        )

    def close(self) -> None:
        for watch in self._watched.values():
            if isinstance(watch, Poller):
                watch.stop()
        if self._observer is not None:
            self._observer.stop()
            self._observer.join(2.0)

    def _changed(self, paths: Collection[str] | None, *, closed: bool = False) -> None:
        """These files did, or something in these folders or, with None, who knows where. closed: nobody writes to them
        any more."""
        with self._lock:
            self._anywhere |= paths is None
            self._paths.update(paths or ())
            self._closed.difference_update(paths or ())
            if closed:
                self._closed.update(paths or ())
            self._last_secs = time.monotonic()
            self._first_secs = self._first_secs or self._last_secs

    def _look_at_roots(self) -> None:
        now = {source: _identity(source) for source in self._known}
        for watch in self._watched.values():
            if watch.error is not None:
                raise watch.error
        outdated = {place for place, watch in self._watched.items() if watch.outdated}
        outdated |= {place for place, limit in self._unwatched.items() if limit.value != limit_of(limit.name)}
        if now != self._known or outdated:
            for source, identity in now.items():
                if identity != self._known[source]:
                    outdated |= {(source, True), (str(Path(source).parent), False)}
            self._known = now
            self._arrange(outdated)
            self._changed(None)  # nobody looked in between
        mounts = {folder: _identity(folder) for folder in self._mounts}
        if mounts != self._mounts:
            self._mounts = mounts
            self._arrange(set(self._watched))  # what lies on a drive that came is not watched yet
            self._changed(None)

    def _arrange(self, outdated: Collection[WatchKey] = ()) -> None:
        """One watch for each folder, and one for each folder that holds single files; a source that is not there waits.

        outdated: places to be watched afresh.
        """
        files: dict[WatchKey, set[str]] = {}
        for source, identity in self._known.items():
            if identity is None:
                continue
            folder = Path(source).is_dir()
            place = (source, True) if folder else (str(Path(source).parent), False)
            files.setdefault(place, set()).update(() if folder else (source,))
        for place in [place for place in self._watched if place not in files or place in outdated]:
            self._leave(place)
        for place, names in files.items():
            if place in self._watched:
                self._watched[place].look_for(frozenset(names))
            else:
                self._watched[place] = self._events(place, frozenset(names)) or self._poller(place, names)

    def _events(self, place: WatchKey, files: frozenset[str]) -> _Events | None:
        """Native events, None where they do not come or cannot be had for every folder."""
        folder, recursive = place
        if is_remote(folder):
            return None
        handler = _Handler(folder, files, self._excluded, self._changed, hidden=self._hidden, cache=self._cache)
        try:
            observer = self._running_observer()
            events = _Events(observer, observer.schedule(handler, folder, recursive=recursive), handler)
        except OSError as error:
            self._note_limit(place, limit_behind(error))
            return None
        if self._note_limit(place, used_up()):
            events.stop()  # some folders may have no watch; let others have those that are left
            return None
        return events

    def _note_limit(self, place: WatchKey, name: str) -> bool:
        """Keep in mind that a limit, if any, kept a place from being watched; whether it did."""
        if name:
            self._unwatched[place] = _Limit(name, limit_of(name))
        return bool(name)

    def _poller(self, place: WatchKey, files: Collection[str]) -> Poller:
        return Poller(tuple(files) or (place[0],), self._make_scanner(), self._changed)

    def _leave(self, place: WatchKey) -> None:
        self._unwatched.pop(place, None)
        self._watched.pop(place).stop()

    def _running_observer(self) -> BaseObserver:
        if self._observer is None:
            observer = Observer()
            observer.daemon = True
            observer.start()
            self._observer = observer
        return self._observer


class _Handler(FileSystemEventHandler):
    """Passes on changes of images and folders below a folder; where `files` are named, of these alone.

    outdated: a folder with things in it came, whose content watchdog does not watch.
    """

    def __init__(
        self,
        folder: str,
        files: frozenset[str],
        excluded: Callable[[str, str], bool],
        changed: Changed,
        *,
        hidden: bool,
        cache: str,
    ) -> None:
        self.files, self.outdated = files, False
        self._cache = cache + os.sep if cache.startswith(folder.rstrip(os.sep) + os.sep) else ""
        self._folder, self._excluded, self._changed, self._hidden = folder, excluded, changed, hidden

    def on_any_event(self, event: FileSystemEvent) -> None:
        if event.event_type not in CHANGES or (event.is_directory and event.event_type == "modified"):
            return  # a folder is modified by whatever comes into it, which has an event of its own
        paths = [os.fsdecode(path) for path in (event.src_path, event.dest_path) if path]
        if any(self._matters(path, is_folder=event.is_directory) for path in paths):
            self.outdated |= event.is_directory and event.event_type in {"created", "moved"}
            changed = [str(Path(path).parent) for path in paths] if event.is_directory else paths
            self._changed(changed, closed=event.event_type == "closed")

    def _matters(self, path: str, *, is_folder: bool) -> bool:
        if self.files:
            return path in self.files
        if self._cache and (path + os.sep).startswith(self._cache):
            return False
        parts = Path(os.path.relpath(path, self._folder)).parts
        for depth, name in enumerate(parts, 1):
            parent = parts[depth - 2] if depth > 1 else Path(self._folder).name
            if is_passed_over(name, parent, hidden=self._hidden) or self._excluded(name, "/".join(parts[:depth])):
                return False
        return is_folder or is_readable(path) or suffix_of(path) == SIDECAR_SUFFIX


class Changed(Protocol):
    """Hears of files and folders that changed, as `Watcher._changed`."""

    def __call__(self, paths: Collection[str], *, closed: bool = False) -> None: ...


class _Watch(Protocol):
    """One place that is watched or polled. outdated: it must be watched afresh. error: what ended its thread."""

    @property
    def outdated(self) -> bool: ...

    @property
    def error(self) -> Exception | None: ...

    def look_for(self, files: frozenset[str]) -> None:
        """Tell of these files alone, where there are any."""

    def stop(self) -> None: ...


@dataclass(frozen=True, slots=True)
class _Events:
    """A place of which the system tells by itself."""

    observer: BaseObserver
    watch: ObservedWatch
    handler: _Handler
    error: Exception | None = None

    @property
    def outdated(self) -> bool:
        return self.handler.outdated

    def look_for(self, files: frozenset[str]) -> None:
        self.handler.files = files

    def stop(self) -> None:
        with contextlib.suppress(OSError, KeyError):  # what it watched may be gone
            self.observer.unschedule(self.watch)


@dataclass(frozen=True, slots=True)
class _Limit:
    """A limit of the system that was reached, and what it was then."""

    name: str
    value: int


def _identity(source: str) -> Identity:
    try:
        status = Path(source).stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
