"""What the other libraries of a cache hold: an image that one of them knows need not be decoded and encoded again.

They are only read, whoever writes them, and nothing in them is trusted: what cannot be read, or is no unit vector or no
picture, counts as not there. An entry is read twice, and its files must be the same before and after, since others may
be put in their place meanwhile.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from atlas_rt.core.arrays import Floats
from atlas_rt.core.images import LibraryPlace
from atlas_rt.errors import MissingError
from atlas_rt.library import disk_errors
from atlas_rt.library.store import Known, StoreReader
from atlas_rt.library.tile_files import MEDIUM_FILE, SMALL_FILE, TileSet, read_tiles
from atlas_rt.library.vectors import FILE_NAME, read_vector

UNIT_TOLERANCE = 0.01
"""By how much a vector's length may differ from one; float16 alone makes it 0.001."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What another library holds of some content. vector: (dim,) float32, unit length."""

    width_px: int
    height_px: int
    tiles: TileSet
    vector: Floats
    incomplete: str


class OtherLibraries:
    """The other libraries of a cache, as far as they hold vectors of one model. Any number of threads may ask."""

    def __init__(self, places: Sequence[LibraryPlace], *, model_id: str, dim: int) -> None:
        """places: those to look in, in this order. They are opened when one first asks."""
        self._places = places
        self._model_id, self._dim = model_id, dim
        self._lock = threading.Lock()
        self._opened: list[tuple[Path, StoreReader]] | None = None

    def find(self, hash_: bytes) -> Taken | None:
        """What one of them holds of a content, None where none does."""
        with self._lock:
            if self._opened is None:
                self._opened = self._open()
            for folder, store in self._opened:
                try:
                    if taken := self._taken(folder, store, hash_):
                        return taken
                except MissingError:
                    continue
        return None

    def close(self) -> None:
        with self._lock:
            for _, store in self._opened or ():
                store.close()
            self._opened = []

    def __enter__(self) -> OtherLibraries:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open(self) -> list[tuple[Path, StoreReader]]:
        opened = []
        for place in self._places:
            if not (place.folder / self._model_id / FILE_NAME).exists():
                continue
            try:
                opened.append((place.folder, StoreReader.open_older(place.folder)))
            except MissingError:
                continue
        return opened

    def _taken(self, folder: Path, store: StoreReader, hash_: bytes) -> Taken | None:
        known = store.known(hash_, self._model_id)
        if known is None or known.vector_row is None:
            return None
        with self._same_files(folder) as still_same:
            if store.known(hash_, self._model_id) != known:
                return None
            taken = self._read(folder, known, known.vector_row)
            same = store.known(hash_, self._model_id) == known and still_same() and not store.cleaning
        with np.errstate(all="ignore"):
            whole = (
                abs(float(np.linalg.norm(taken.vector)) - 1.0) < UNIT_TOLERANCE
            )  # what is no number is not less either
        return taken if same and whole else None

    def _read(self, folder: Path, known: Known, row: int) -> Taken:
        tiles = read_tiles(folder, known.tile, mean_rgb=known.mean_rgb, aspect=known.aspect)
        vector = read_vector(folder / self._model_id, row, self._dim)
        return Taken(known.width_px, known.height_px, tiles, vector, known.incomplete)

    @contextmanager
    def _same_files(self, folder: Path) -> Iterator[Callable[[], bool]]:
        """Tells whether the files of a library are still those that they were when it began. They are held open, so
        that no other file can get their numbers. Raises MissingError where one is not there."""
        paths = [folder / SMALL_FILE, folder / MEDIUM_FILE, folder / self._model_id / FILE_NAME]
        try:
            with ExitStack() as held:
                before = [os.fstat(held.enter_context(path.open("rb")).fileno()).st_ino for path in paths]
                yield lambda: [path.stat().st_ino for path in paths] == before
        except OSError as error:
            raise disk_errors.damaged(folder) from error
