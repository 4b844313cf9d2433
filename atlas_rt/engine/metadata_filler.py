"""What files tell of their pictures, read for images that are stored without it.

A new image brings it along (`pipeline`). It lacks where an older version of the program stored the image, and it is
outdated where another version of ours read it, or where a sidecar came, went or changed. Then a little of the file is
read, and nothing is decoded. A command waits for all of it; a window's engine does it in parts while it has nothing
else to do, so no request waits for longer than a part takes.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from atlas_rt.core.reports import Progress
from atlas_rt.errors import DecodeError, MissingError
from atlas_rt.library.metadata.file_metadata import FileMetadata
from atlas_rt.library.metadata.reading import read_file
from atlas_rt.library.metadata.sidecars import Sidecars
from atlas_rt.library.metadata.table import Unread
from atlas_rt.library.originals import Originals
from atlas_rt.library.store_writer import StoreWriter

PART = 128
"""Files read and stored together: 60 ms where they lie in the computer's own memory."""


class MetadataFiller:
    """Of one library. Owned by the engine's main thread; other threads only read files."""

    def __init__(
        self, store: StoreWriter, *, threads: int, originals: Originals, told: Callable[[Progress], None]
    ) -> None:
        self._store, self._threads, self._originals, self._told = store, threads, originals, told
        self._sidecars = Sidecars({})
        self._unread: list[Unread] = []
        self._total, self._begun_secs = 0, 0.0

    def begin(self, sidecars: Sidecars) -> None:
        """After a scan: see what lacks. sidecars: those it found."""
        self._sidecars = sidecars
        self._unread = self._store.without_metadata(sidecars)
        self._total, self._begun_secs = len(self._unread), time.monotonic()

    @property
    def left(self) -> int:
        """How many images it has not looked at yet."""
        return len(self._unread)

    def fill_some(self) -> None:
        """The next part. A file that cannot be opened is left for the round after the next scan."""
        part, self._unread = self._unread[:PART], self._unread[PART:]
        with ThreadPoolExecutor(self._threads, thread_name_prefix="metadata") as pool:
            read = list(pool.map(self._read, part))
        self._store.put_metadata({each.id: known for each, known in zip(part, read, strict=True) if known})
        done = self._total - len(self._unread)
        left_secs = (time.monotonic() - self._begun_secs) / done * len(self._unread)
        self._told(Progress("metadata", done, self._total, 0.0, left_secs))

    def _read(self, each: Unread) -> FileMetadata | None:
        try:
            file = self._originals.local_file(each.path)
        except (DecodeError, MissingError):  # an object that cannot be fetched now
            return None
        return read_file(each.path, mtime_ns=each.mtime_ns, sidecars=self._sidecars, file=file)
