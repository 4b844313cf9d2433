"""Text in pictures, read in the background after everything else, one picture at a time.

What was read is stored at once, so it goes on where it was stopped. Each try is noted before it begins: a picture at
which the engine died twice is not read a third time.
"""

from __future__ import annotations

import time

from atlas_rt.core.reports import Progress
from atlas_rt.engine.announcements import Announcements
from atlas_rt.engine.messages import Said
from atlas_rt.engine.text_reader import SIDE_PX, TextReader, is_installed
from atlas_rt.errors import DecodeError, MissingError
from atlas_rt.library.decoding.decode import read_picture
from atlas_rt.library.decoding.stored_picture import Enough
from atlas_rt.library.formats import FILE_BYTES_MAX, suffix_of
from atlas_rt.library.originals import Originals
from atlas_rt.library.readings import Unread
from atlas_rt.library.store_writer import StoreWriter

SMALLEST_PX = 16


class TextFiller:
    """Of one library. Owned by the engine's main thread."""

    def __init__(
        self, store: StoreWriter, *, wanted: bool, threads: int, originals: Originals, announcements: Announcements
    ) -> None:
        self._store, self._threads, self._announcements = store, threads, announcements
        self._originals = originals
        self._wanted = wanted and is_installed()
        self._unread: list[Unread] = []
        self._reader: TextReader | None = None
        self._total, self._begun_secs = 0, 0.0
        self._possible = True

    def begin(self) -> None:
        """After a round: see which pictures were not read."""
        self._unread = self._store.unread_pictures() if self._wanted and self._possible else []
        self._total, self._begun_secs = len(self._unread), time.monotonic()

    @property
    def left(self) -> int:
        """How many pictures it has not looked at yet."""
        return len(self._unread)

    def fill_some(self) -> None:
        """The next picture. A file that cannot be opened is left for the round after the next scan."""
        try:
            self._reader = self._reader or TextReader(threads=self._threads)
        except MissingError as error:
            self._announcements.tell(Said(str(error)))
            self._possible, self._unread = False, []
            return
        each = self._unread.pop(0)
        data = self._read(each.path)
        if data is not None:
            self._store.note_reading(each)  # before what may be the end of the engine
            self._store.put_reading(each, self._text_in(data, each, self._reader))
        done = self._total - len(self._unread)
        elapsed = time.monotonic() - self._begun_secs
        self._announcements.progress(
            Progress("reading", done, self._total, done / elapsed, elapsed / done * len(self._unread))
        )
        if not self._unread:
            self._reader = None

    def _read(self, path: str) -> bytes | None:
        """None where the file cannot be opened; nothing of one that is too large."""
        try:
            file = self._originals.local_file(path)
            return file.read_bytes() if file.stat().st_size <= FILE_BYTES_MAX else b""
        except (OSError, DecodeError, MissingError):
            return None

    def _text_in(self, data: bytes, each: Unread, reader: TextReader) -> str:
        """What is broken, or too large, has no text."""
        try:
            picture = read_picture(data, enough=Enough(SIDE_PX, 0), suffix=suffix_of(each.path)).image
            return reader.text_of(picture) if min(picture.size) >= SMALLEST_PX else ""
        except DecodeError:
            return ""
        except Exception:  # noqa: BLE001 - what a network stumbles over must not end the engine
            return ""
