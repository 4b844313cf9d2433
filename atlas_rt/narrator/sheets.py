"""The contact sheets that were made, so that what a person was shown is what is sent."""

from __future__ import annotations

import threading
from collections import OrderedDict

from atlas_rt.library.tile_files import TileFiles
from atlas_rt.narrator.contact_sheet import contact_sheets
from atlas_rt.narrator.subject import Picture, Subject

KEPT = 64
"""Subjects, with a sheet or two of 0.2 MB each."""


class Sheets:
    """Makes the sheets of a subject once. May be used by several threads."""

    def __init__(self, tiles: TileFiles) -> None:
        self._tiles = tiles
        self._made: OrderedDict[tuple[Picture, ...], tuple[bytes, ...]] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, subject: Subject) -> tuple[bytes, ...]:
        """JPEG files. Raises MissingError where a picture can be read neither from its file nor from its tile."""
        with self._lock:
            sheets = self._made.get(subject.pictures)
            if sheets is None:
                sheets = self._made[subject.pictures] = contact_sheets(subject, self._tiles)
            self._made.move_to_end(subject.pictures)
            while len(self._made) > KEPT:
                self._made.popitem(last=False)
            return sheets
