"""The contact sheets that were made, so that what a person was shown is what is sent."""

from __future__ import annotations

import threading
from collections import OrderedDict

from atlas_rt.library.tile_files import TileFiles
from atlas_rt.narrator.contact_sheet import contact_sheet
from atlas_rt.narrator.subject import Picture, Subject

KEPT = 64
"""Sheets, of 0.2 MB each."""


class Sheets:
    """Makes each sheet once. May be used by several threads."""

    def __init__(self, tiles: TileFiles) -> None:
        self._tiles = tiles
        self._made: OrderedDict[tuple[Picture, ...], bytes] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, subject: Subject) -> bytes:
        """A JPEG. Raises MissingError where a picture can be read neither from its file nor from its tile."""
        with self._lock:
            sheet = self._made.get(subject.pictures)
            if sheet is None:
                sheet = self._made[subject.pictures] = contact_sheet(subject.pictures, self._tiles)
            self._made.move_to_end(subject.pictures)
            while len(self._made) > KEPT:
                self._made.popitem(last=False)
            return sheet
