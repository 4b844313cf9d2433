"""Forgetting images in the database: what is used without them, and the transaction that renumbers the rest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from atlas_rt.core.arrays import Ids, Ints
from atlas_rt.library.store import CLEANING
from atlas_rt.library.store_writer import StoreWriter


@dataclass(frozen=True, slots=True)
class Renumbering:
    """What a cleaning makes of the library. doomed: ids of the images to forget. tiles: (n,) the records that stay, in
    their new order. rows: the same of the vectors of each model whose file is packed."""

    doomed: Ids
    tiles: Ints
    rows: Mapping[str, Ints]


class StoreCleaner(StoreWriter):
    """A writer that may forget. `cleaning` moves the files that belong to it."""

    def tiles_without(self, doomed: Ids) -> Ints:
        """(n,) the tile records that are used when these images are forgotten, ascending."""
        return _used(self.database.rows("SELECT id, tile FROM images WHERE tile IS NOT NULL"), doomed)

    def rows_without(self, doomed: Ids, model: str) -> Ints:
        """(n,) the rows of a model's vectors that are used when these images are forgotten, ascending."""
        return _used(self.database.rows("SELECT image_id, row FROM vectors WHERE model = ?", (model,)), doomed)

    def forget(self, renumbering: Renumbering, *, note: str) -> None:
        """Delete images and renumber the records of the others in one transaction, which outlasts a power cut.

        note: the setting CLEANING, to be emptied when all files are in their places.
        """
        self.database.execute("PRAGMA synchronous = FULL")
        with self.database.transaction():
            self.database.execute_each(
                "DELETE FROM images WHERE id = ?", [(id_,) for id_ in renumbering.doomed.tolist()]
            )
            self._renumber("UPDATE images SET tile = new FROM renumbered WHERE tile = old", renumbering.tiles)
            for model, rows in renumbering.rows.items():
                self._renumber(
                    "UPDATE vectors SET row = new FROM renumbered WHERE row = old AND model = ?", rows, model
                )
            missing = "SELECT path FROM absences WHERE state = 'missing'"
            self.database.execute(f"DELETE FROM extras WHERE path IN ({missing})")
            self.database.execute("UPDATE absences SET images = 0")
            while self._texts.renew():
                pass
            self.database.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (CLEANING, note))

    def _renumber(self, sql: str, kept: Ints, *values: object) -> None:
        self.database.execute("CREATE TEMP TABLE renumbered (old INTEGER PRIMARY KEY, new INTEGER NOT NULL)")
        pairs = [(old, new) for new, old in enumerate(kept.tolist())]
        self.database.execute_each("INSERT INTO renumbered VALUES (?, ?)", pairs)
        self.database.execute(sql, values)
        self.database.execute("DROP TABLE renumbered")


def _used(rows: Iterable[tuple[int, int]], doomed: Ids) -> Ints:
    """(n,) the second numbers of pairs whose first is none of these, ascending, each once."""
    pairs = np.array(list(rows), np.int64).reshape(-1, 2)
    used: Ints = np.unique(pairs[~np.isin(pairs[:, 0], doomed), 1]).astype(np.int32)
    return used
