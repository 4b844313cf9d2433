"""Who else writes the library, looked at on a thread: a lock on a network's disk may answer late."""

from __future__ import annotations

from atlas_rt.core.channels import Latest
from atlas_rt.core.images import LibraryPlace
from atlas_rt.library.lock import Lock
from atlas_rt.workers.worker import Announce, Worker, unheard

LOOK_SECS = 1.0


class LockLookout(Worker):
    """A thread that waits, when it is asked to, until nobody writes the library any more."""

    part = "lookout"
    lost = "This window will not notice when the other one stops updating this library"

    def __init__(self, place: LibraryPlace, *, announce: Announce = unheard) -> None:
        super().__init__(announce=announce)
        self._lock = Lock(place)
        self._begun: Latest[bool] = Latest()
        self._holders: Latest[str] = Latest()
        self.start()

    def begin(self) -> None:
        """Look, until nobody holds the lock."""
        self._begun.put(True)

    def take(self) -> str | None:
        """Who writes the library, as `Lock.holder`: empty once nobody does. None where nothing is known since the last
        call; never waits."""
        return self._holders.take()

    def wake(self) -> None:
        self._begun.close()

    def work(self) -> None:
        while True:
            self._begun.wait()
            try:
                self._look()
            except BaseException:
                self.begin()  # at the next try
                raise

    def _look(self) -> None:
        while not self.closing:
            holder = self._lock.holder()
            self._holders.put(holder)
            self.went_well()
            if not holder:
                return
            self.rest(LOOK_SECS)
