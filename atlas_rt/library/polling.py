"""Looking again and again whether anything changed, for folders of which no events come.

A quick look reads the folders whose own time changed: something came or went. A thorough look reads the size and time
of every file, too, which alone tells of files that were written over. After each the poller rests twenty times as long
as it took, so neither costs more than a twentieth of a core: 100,000 files in 200 folders are looked through every 5 s
for what came and went, and every 12 s thoroughly.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Collection, Sequence

from atlas_rt.library.scanning import Scanner
from atlas_rt.library.walking import FoundFile

POLL_SECS = 5.0
"""At least so long between two looks."""
REST = 20.0
"""Times as long as a look took, until the next of its kind."""
RECENT_NS = 5_000_000_000
"""What was written to so shortly before the first look began may have changed since the engine read it: the clock of a
network drive may be wrong by that much."""


class Poller:
    """Looks through some sources on a thread of its own, until stopped.

    changed: told the folders in which something did. error: what ended the thread
    before its time.
    """

    def __init__(self, sources: Sequence[str], scanner: Scanner, changed: Callable[[Collection[str]], None]) -> None:
        self._sources = tuple(sources)
        self.error: Exception | None = None
        self.outdated = False
        self._scanner, self._changed = scanner, changed
        self._files: frozenset[FoundFile] = frozenset()
        self._thorough_after = 0.0
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="poller", daemon=True)
        self._thread.start()

    def look_for(self, files: Collection[str]) -> None:
        """Look at these files from now on, where there are any, instead of those named before."""
        self._sources = tuple(files) or self._sources

    def stop(self) -> None:
        """Nothing is told afterwards."""
        self._stopped.set()
        self._thread.join(2.0)

    def _run(self) -> None:
        try:
            begun_ns = time.time_ns() - RECENT_NS
            rest_secs = self._timed(thorough=True)
            self._tell({file for file in self._files if file.mtime_ns >= begun_ns})  # and look at what came meanwhile
            while not self._stopped.wait(rest_secs):
                before = self._files
                rest_secs = self._timed(thorough=time.monotonic() >= self._thorough_after)
                if before != self._files:
                    self._tell(before ^ self._files)
        except Exception as error:  # noqa: BLE001 - told by the watcher
            self.error = error

    def _timed(self, *, thorough: bool) -> float:
        """Look once; how long to rest then."""
        begun = time.monotonic()
        found = self._scanner.scan(self._sources, changed=None if thorough else ())
        self._files = frozenset(found.files).union(FoundFile(path, 0, time) for path, time in found.sidecars.items())
        ended = time.monotonic()
        rest_secs = max(POLL_SECS, REST * (ended - begun))
        if not thorough:
            return rest_secs
        self._thorough_after = ended + rest_secs
        return POLL_SECS

    def _tell(self, files: Collection[FoundFile]) -> None:
        if not self._stopped.is_set():
            self._changed({os.path.split(file.path)[0] for file in files})
