"""The places of images from their GPS, looked up in the background once files have been read."""

from __future__ import annotations

import time

import numpy as np

from atlas_rt.core.reports import Progress
from atlas_rt.engine.announcements import Announcements
from atlas_rt.engine.geonames import GeoNames
from atlas_rt.engine.messages import Said
from atlas_rt.errors import MissingError
from atlas_rt.library.places import Unplaced
from atlas_rt.library.store_writer import StoreWriter

PART = 256
"""Images looked up and stored together: 0.2 s."""


class PlaceFinder:
    """Of one library. Owned by the engine's main thread."""

    def __init__(self, store: StoreWriter, *, announcements: Announcements) -> None:
        self._store, self._announcements = store, announcements
        self._unplaced: list[Unplaced] = []
        self._names: GeoNames | None = None
        self._put: set[int] = set()
        self._total, self._begun_secs = 0, 0.0
        self._possible = True

    def begin(self) -> None:
        """After files were read: see which images lack their place."""
        self._unplaced = self._store.unplaced() if self._possible else []
        self._total, self._begun_secs = len(self._unplaced), time.monotonic()

    @property
    def left(self) -> int:
        """How many images it has not looked at yet."""
        return len(self._unplaced)

    def fill_some(self) -> None:
        """The next part. The names are read with the first one, and let go after the last."""
        try:
            self._names = self._names or GeoNames()
        except MissingError as error:
            self._announcements.tell(Said(str(error)))
            self._possible, self._unplaced = False, []
            return
        part, self._unplaced = self._unplaced[:PART], self._unplaced[PART:]
        found = [self._names.around(each) for each in part]
        rows = set(np.concatenate([each.rows for each in found]).tolist()) - self._put
        self._store.put_places([each.image for each in found], self._names.named(rows))
        self._put |= rows
        done = self._total - len(self._unplaced)
        left_secs = (time.monotonic() - self._begun_secs) / done * len(self._unplaced)
        self._announcements.progress(Progress("places", done, self._total, 0.0, left_secs))
        if not self._unplaced:
            self._names, self._put = None, set()
