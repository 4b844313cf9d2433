"""One source in S3, listed on a thread of its own: its first images are read before the last ones are listed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

from atlas_rt.core.objects import ListedObject
from atlas_rt.core.s3_errors import S3Error, S3NoBucketError
from atlas_rt.library.object_listing import ListedObjects, ObjectListing


class BucketListing:
    """A listing that runs, or has ended. Owned by the engine's main thread."""

    def __init__(
        self,
        listing: ObjectListing,
        pages: Callable[[], Iterator[list[ListedObject]]],
        *,
        device: Callable[[], str],
        grown: Callable[[], None],
    ) -> None:
        """pages: called on the thread. device: as in ListedObjects, known at the end. grown: called on the thread after
        each page and at the end."""
        self._listing, self._pages, self._device, self._grown = listing, pages, device, grown
        self._lock = threading.Lock()
        self._stopped = False
        self.count = 0
        """Objects listed so far."""
        self.ended = False
        self.error: Exception | None = None
        """What ended it before its time."""
        threading.Thread(target=self._run, name="listing", daemon=True).start()

    def stop(self) -> None:
        """No more pages are asked for; the page that is on its way comes to nothing."""
        self._stopped = True

    def so_far(self) -> ListedObjects:
        """What is listed by now. Raises what ended the thread if that has nothing to do with S3."""
        with self._lock:
            error, ended = self.error, self.ended
            if error is None:
                return self._listing.so_far(whole=ended, device=self._device() if ended else "")
            if not isinstance(error, S3Error):
                raise error
            state = "missing" if isinstance(error, S3NoBucketError) else "partly" if self.count else "unreadable"
            return self._listing.so_far(whole=False, state=state, reason=str(error))

    def _run(self) -> None:
        error: Exception | None = None
        try:
            for page in self._pages():
                if self._stopped:
                    break
                with self._lock:
                    self._listing.take(page)
                    self.count += len(page)
                self._grown()
        except Exception as caught:  # noqa: BLE001 - told by `so_far`
            error = caught
        with self._lock:
            self.error, self.ended = error, True
        self._grown()
