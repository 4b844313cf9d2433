"""The files of a library's images, for the threads of its window: its own, or the copies of objects in S3.

What is in the cache of originals already is opened at once. All else is fetched by a process for each door, so that a
large file that is to be opened elsewhere does not keep the person from looking at another picture.
"""

from __future__ import annotations

import threading
from pathlib import Path

from atlas_rt.core.images import LibraryPlace
from atlas_rt.core.objects import Coming, Requests
from atlas_rt.core.s3_address import is_s3
from atlas_rt.engine.original_process import OriginalProcess
from atlas_rt.errors import DecodeError
from atlas_rt.library.originals import Originals
from atlas_rt.library.store import StoreReader
from atlas_rt.settings import Settings
from atlas_rt.workers.image_sources import Abandoned

OFFLINE = "its original lies in S3, and --offline forbids to fetch it"


class OriginalFiles:
    """Makes doors, and knows what comes through them. Owned by the main thread."""

    def __init__(self, place: LibraryPlace, settings: Settings, cache: Path) -> None:
        self._place, self._settings, self._cache = place, settings, cache
        self._doors: list[Door] = []

    def door(self) -> Door:
        """A door for one thread."""
        door = Door(self._place, self._settings, self._cache)
        self._doors.append(door)
        return door

    @property
    def coming(self) -> tuple[Coming, ...]:
        """What is being fetched just now."""
        return tuple(coming for door in self._doors if (coming := door.coming) is not None)

    @property
    def requests(self) -> Requests:
        """What that has asked of S3 so far."""
        return sum((door.requests for door in self._doors), Requests())

    def stop(self) -> None:
        """Fetch nothing of this any more."""
        for door in self._doors:
            door.stop()

    def close(self) -> None:
        for door in self._doors:
            door.close()


class Door:
    """Files for one thread, as `FileOf` has it. `coming`, `stop` and `close` are for the main thread."""

    def __init__(self, place: LibraryPlace, settings: Settings, cache: Path) -> None:
        self._folder, self._offline = place.folder, settings.offline
        limit_bytes = int(settings.originals_gb * 1e9)
        self._kept = Originals(cache, limit_bytes=limit_bytes)
        self._process = OriginalProcess(settings.s3, cache, limit_bytes=limit_bytes)
        self._stopped = threading.Event()
        self.coming: Coming | None = None

    def __call__(self, path: str, abandoned: Abandoned) -> Path:
        if not is_s3(path):
            return Path(path)
        etag, size = self._stamp_of(path)
        kept = self._kept.kept_file(path, etag, size=size)
        if kept is not None:
            return kept
        if self._offline:
            raise DecodeError(OFFLINE)
        self._stopped.clear()

        def told(done: int) -> None:
            self.coming = Coming(path, done, size)

        told(0)
        try:
            return self._process.fetch(
                path, etag, size, abandoned=lambda: abandoned() or self._stopped.is_set(), told=told
            )
        finally:
            self.coming = None

    @property
    def requests(self) -> Requests:
        return self._process.requests

    def stop(self) -> None:
        self._stopped.set()

    def close(self) -> None:
        self._stopped.set()
        self._process.close()

    def _stamp_of(self, path: str) -> tuple[str, int]:
        """ETag and size of an object as the library knows it; ("", -1) where it does not."""
        with StoreReader.open(self._folder) as store:
            return store.stamp_of(path)
