"""Which images of a map stack under which: near-duplicates by their vectors and tiles, as far as they are stored."""

from __future__ import annotations

import dataclasses

from atlas_rt.core.arrays import Bytes, Rows
from atlas_rt.core.maps import Map
from atlas_rt.encoders.registry import Model
from atlas_rt.engine.placing import Vectors
from atlas_rt.library.store import StoreReader
from atlas_rt.library.tile_files import TileFiles
from atlas_rt.mapping.duplicates import carried, stacked


class StackFinder:
    """Looks for near-duplicates among the images of one library and model. Owned by the engine's main thread."""

    def __init__(self, store: StoreReader, tiles: TileFiles, model: Model) -> None:
        self._store, self._tiles, self._model = store, tiles, model

    def apply(self, map_: Map, *, before: Map | None, vectors_at: Vectors) -> Map:
        """The map with its stacks. before: the map whose decisions stand, so that images that come change none of them.

        It is to be one that does not depend on when maps were shown.
        """

        def tiles_at(rows: Rows) -> Bytes:
            return self._tiles.small(self._store.tile_records(map_.ids[rows]))

        stacks = stacked(
            map_.ids,
            map_.edges,
            map_.weights,
            limit=self._model.calibration.near_duplicate,
            vectors_at=lambda rows: vectors_at(map_.rows[rows]),
            tiles_at=tiles_at,
            decided=carried(before.ids, before.rows, before.stacks, map_.ids, map_.rows) if before else None,
        )
        return dataclasses.replace(map_, stacks=stacks)
