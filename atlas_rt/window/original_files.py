"""The files of a library's images, for the threads of its window: its own, or the copies of objects in S3.

What is in the cache of originals already is opened at once. All else is fetched, by one process for what is looked at
and another for what other programs get, so that a large file for these does not keep the person from looking. What the
panel of an image shows is not worth a large file: that is fetched once the person looks at it whole.
"""

from __future__ import annotations

import threading
from pathlib import Path

from atlas_rt.core.data_sizes import data_size
from atlas_rt.core.images import LibraryPlace
from atlas_rt.core.objects import Coming, Requests
from atlas_rt.core.s3_address import is_s3
from atlas_rt.engine.original_process import OriginalProcess
from atlas_rt.errors import DecodeError
from atlas_rt.library.originals import Originals
from atlas_rt.library.store import StoreReader
from atlas_rt.settings import Settings
from atlas_rt.workers.image_sources import Abandoned

SMALL_BYTES = 16_000_000
"""What is larger is not fetched for the panel of an image."""
OFFLINE = "its original lies in S3, and --offline forbids to fetch it"


class OriginalFiles:
    """Makes doors, and knows what comes through them. Owned by the main thread."""

    def __init__(self, place: LibraryPlace, settings: Settings, cache: Path) -> None:
        self._place, self._settings, self._cache = place, settings, cache
        self._processes: list[OriginalProcess] = []
        self._doors: list[Door] = []
        seen, lent = self._process(), self._process()
        self.for_panel = self._door(seen, small=True)
        self.for_looking, self.for_errands = self._door(seen), self._door(lent)

    def _process(self) -> OriginalProcess:
        limit_bytes = int(self._settings.originals_gb * 1e9)
        self._processes.append(OriginalProcess(self._settings.s3, self._cache, limit_bytes=limit_bytes))
        return self._processes[-1]

    def _door(self, process: OriginalProcess, *, small: bool = False) -> Door:
        kept = Originals(self._cache, limit_bytes=0)  # it fetches nothing, so it deletes nothing
        self._doors.append(Door(self._place, kept, process, offline=self._settings.offline, small=small))
        return self._doors[-1]

    @property
    def coming(self) -> tuple[Coming, ...]:
        """What is being fetched just now."""
        return tuple(coming for door in self._doors if (coming := door.coming) is not None)

    @property
    def requests(self) -> Requests:
        """What that has asked of S3 so far."""
        return sum((process.requests for process in self._processes), Requests())

    def stop(self) -> None:
        """Fetch nothing of this any more."""
        for door in self._doors:
            door.stop()

    def close(self) -> None:
        self.stop()
        for process in self._processes:
            process.close()


class Door:
    """Files for one thread, as `FileOf` has it. `coming` and `stop` are for the main thread. small: nothing large."""

    def __init__(
        self, place: LibraryPlace, kept: Originals, process: OriginalProcess, *, offline: bool, small: bool
    ) -> None:
        self._folder, self._offline, self._small = place.folder, offline, small
        self._kept, self._process = kept, process
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
        if self._small and size > SMALL_BYTES:
            raise DecodeError(f"its {data_size(size)} are fetched once you look at it (V)")
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

    def stop(self) -> None:
        self._stopped.set()

    def _stamp_of(self, path: str) -> tuple[str, int]:
        """ETag and size of an object as the library knows it; ("", -1) where it does not."""
        with StoreReader.open(self._folder) as store:
            return store.stamp_of(path)
