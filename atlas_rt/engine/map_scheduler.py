"""Which map is published when: sketches and ever larger fits while a library is first indexed, placing ever after.

* A *sketch* shows principal axes of what is known so far; it is made anew whenever the library has doubled, and images
  in between are placed into it. It is provisional and says so.
* *Fits* (UMAP, in a process of its own) replace it while a library is first indexed: of exactly its first 300 images,
  its first 1,000, its first 3,000 and so on, each starting from the one before and turned to it, and the last of all.
  Images that no fit knows yet are placed in the newest. All fits are made in every run, however fast the images come,
  and none starts before its images are settled: so the last map depends on the images alone, not on the time they took.
* Fewer than ten images have no fit: a sketch of exactly these is their map, whatever was shown on the way.
* From then on new images are placed by the projector, and the others do not move by a single bit. They are placed
  among those that the map held when the round began, never among each other: so their places do not depend on when a
  map was shown.
* Images that are away keep their places on the map, take part in its fits and are only not shown: whatever comes back
  stands where it stood, and nothing else moves. They leave the map when the library forgets them.
* A *refit* is made when it is asked for, or when a fifth of the images are newer than the fit: springs hold the old
  images near their places (`mapping.anchored_refit`).
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np

from atlas_rt.core.arrays import Ids, Ints
from atlas_rt.core.maps import Map
from atlas_rt.engine.fit_in_hand import Begun, FitInHand
from atlas_rt.engine.fit_process import Waiting
from atlas_rt.engine.fitting import Fitted
from atlas_rt.engine.map_making import (
    FIT,
    PARTIAL,
    SKETCH,
    MapMaker,
    alike,
    counted,
    has_stacks,
    has_wall,
    map_to_go_on_from,
    same,
)
from atlas_rt.engine.placing import EDGES
from atlas_rt.engine.stack_finder import StackFinder
from atlas_rt.errors import FitError
from atlas_rt.library import maps
from atlas_rt.library.store import StoreReader
from atlas_rt.library.vectors import VectorFile
from atlas_rt.mapping.clusters import USUAL
from atlas_rt.mapping.fit import SMALLEST_FIT
from atlas_rt.mapping.neighbours import knn_edges
from atlas_rt.search.labels import Vocabulary

LAST = np.iinfo(np.int64).max
"""No image has a greater id."""
LOOK_EVERY_SECS = 1.0
READY_TO = 200_000
"""Images up to which what new ones need is made ready before any sign of them: 300 MB of vectors at 384 dimensions."""
SKETCH_GROWTH = 2.0
REFIT_SHARE = 0.2
"""A fit is due again when so many of the images are newer than it."""
FIRST_STAGES = (300, 1_000)
"""Images of the first fits; each after them has ten times as many as the last but one."""


class MapScheduler:
    """Makes and publishes the maps of one library and one model. Owned by the engine's main thread."""

    def __init__(
        self,
        folder: Path,
        *,
        store: StoreReader,
        vectors: VectorFile,
        vocabulary: Callable[[], Vocabulary],
        stack_finder: StackFinder,
        model_id: str,
        seed: int,
        published: Callable[[Map], None],
        words_ready: Callable[[], bool] = lambda: True,
        granularity: str = "",
        threads: int = 1,
    ) -> None:
        """folder: of the model, where its maps lie. vocabulary: gives it, and may wait for it; only a fit asks.
        words_ready: whether it is there without waiting; fits that others follow don't wait for it, and their clusters
        have no names then. granularity: of the clusters; empty for what the map has.
        threads: of a fit's search for neighbours.

        published is called with each map once it is in its place.
        """
        self._folder, self._store, self._published = folder, store, published
        self._model_id, self._wanted_granularity = model_id, granularity
        self._make = MapMaker(folder, vectors=vectors, stack_finder=stack_finder, model_id=model_id, seed=seed)
        self._fit = FitInHand(
            folder,
            store=store,
            vectors_at=self._make.vectors_at,
            vocabulary=vocabulary,
            words_ready=words_ready,
            seed=seed,
            threads=threads,
        )
        self._sketched = 0
        self._looked_at_secs = -LOOK_EVERY_SECS
        self.map: Map | None = map_to_go_on_from(folder)
        fitted = self._make.fitted_part(self.map)
        self._reference = self._make.reference(fitted) if fitted is not None else None
        self.fit_secs = 0.0

    def begin(self) -> None:
        """A round begins: what is new in it will be placed among what the map holds now."""
        holds = self._reference.map if self._reference else None
        if holds is not self.map and (self.map is None or self.map.kind != PARTIAL):
            self._reference = self._make.reference(self.map) if self.map is not None else None
        self.fit_secs = 0.0

    @property
    def quick_to_make_ready(self) -> bool:
        """So few images that what placing needs is read in a moment, and is small."""
        return self.map is not None and len(self.map.ids) <= READY_TO

    def make_ready(self) -> None:
        """New images may be coming: do now what placing them needs."""
        self.begin()
        if self._reference is not None:
            self._reference.make_ready()

    def rest(self) -> None:
        """Nothing has come for a while: let go of what is only held to be quick, unless a fit runs."""
        if self._reference is not None:
            self._reference.rest()
        if self._fit.begun is None:
            self.close()

    def expect_fit(self, coming: int) -> None:
        """Warm the fitting process up beside the decoding, if so many images to come will need a fit."""
        if not self._fit.started and self._fit_due(self._store.encoded_images(self._model_id) + coming):
            self._fit.start()

    @property
    def in_need(self) -> bool:
        """A first fit is to come, and its process is still warming up for it, or at it."""
        growing = self._is_growing and self._growing_from() is None
        return growing and self._fit.started and (self._fit.begun is not None or not self._fit.warm)

    def look_on(self, settled_before: int, *, shown: bool) -> None:
        """While images come in: take what a first indexing fitted, begin the fit whose images are there, and, where it
        is `shown`, publish what is known so far, at most once a second.

        settled_before: no image of a smaller id is still to come.
        """
        if self._is_growing:
            with contextlib.suppress(FitError):  # it is made again at the end, and told of then
                self.take(shown=shown)
        ends = settled_before == LAST and not self._is_growing  # then `finish` shows the same in a moment
        if ends or time.monotonic() - self._looked_at_secs < LOOK_EVERY_SECS:
            return
        ids, rows = self._encoded()
        if self._is_growing and self._fit.started and self._fit.begun is None:
            size = self._next_stage()
            # a fit of all is the last one, which waits for words: `finish` makes it
            if np.searchsorted(ids, settled_before) >= size and size < len(ids):
                self._begin_growing(ids[:size], rows[:size], last=False)
        if shown:
            self._show(ids, rows)
        self._looked_at_secs = time.monotonic()

    def finish(self, *, fit: bool, waiting: Waiting, refits_beside: bool = False) -> None:
        """Bring the map up to date with the library: places for what is new, and a fit where one is due.

        waiting: called while a fit runs. refits_beside: a refit is only begun, and `take` brings it. Raises
        Cancelled when `waiting` says so, FitError when the fit fails.
        """
        ids, rows = self._encoded()
        if fit and self._is_growing and self._fit_due(len(ids)):
            self._grow(ids, rows, waiting, shown=refits_beside)
            return
        if not len(ids) or (not self._is_fitted and len(ids) < SMALLEST_FIT):
            last = self._small_map(ids, rows)  # what was shown on the way has images where they came
            if not self._is_newest or not alike(self.map, last):
                self._publish(last)
        elif (before := self._before_shown()) is not None:
            last = self._extension(before, ids, rows)  # as if nothing had been shown on the way
            if not self._is_newest or not alike(self.map, last):
                self._publish(last)
        elif not same(self.map, ids, rows) or not self._is_complete:
            self._publish(self._extended(ids, rows))
        elif not self._is_newest:
            self.publish_again()
        if not fit or not self._is_fitted:
            return
        if self._fit_due(len(ids)):
            self.refit(None if refits_beside else waiting)
        elif self.map is not None and self.map.granularity != self._granularity:
            self._regroup(waiting)

    def publish_again(self) -> None:
        """The same map as a new generation: other images of it are shown, or the newest one on disk is of no use."""
        if self.map is not None:
            self._publish(self.map)

    def refit(self, waiting: Waiting | None) -> bool:
        """A new map of all images, the old ones held near their places; False where there are too few for one.

        waiting: called while it runs; None begins it only.
        """
        ids, rows = self._encoded()
        if len(ids) < SMALLEST_FIT or not self._is_fitted:
            return False
        if self._fit.begun is None:
            self._fit.begin(ids, rows, old=self.map, granularity=self._granularity, anchored=True)
        if waiting:
            begun = time.monotonic()
            self._take_in(*self._fit.wait(waiting), shown=True)
            self.fit_secs += time.monotonic() - begun
        return True

    def place_as_given(self, places: Mapping[int, tuple[float, float, float]], waiting: Waiting) -> bool:
        """A new map on which images stand where they are said to, the others placed among them; False where none is.

        places: by id, world units; brought to them, in one piece, where they are others.
        """
        ids, rows = self._encoded()
        given = np.array([id_ in places for id_ in ids.tolist()], np.bool_)
        if not given.any():
            return False
        if self._fit.begun is not None:  # a refit, whose places are not wanted any more
            self.close()
        positions = np.array([places[id_] for id_ in ids[given].tolist()], np.float32)
        made = self._make.given(ids[given], rows[given], positions, shown=self.map)
        self._reference = self._make.reference(made)
        self._publish(self._extension(made, ids, rows))
        if len(ids) >= SMALLEST_FIT:
            self._regroup(waiting)
        return True

    def _regroup(self, waiting: Waiting) -> None:
        """Other clusters on the same map."""
        assert self.map is not None
        before = self.map
        if self._fit.begun is not None:  # a refit, which will have them
            return
        self._fit.begin(before.ids, before.rows, old=before, granularity=self._granularity, only_clusters=True)
        found = self._map_of(*self._fit.wait(waiting), FIT)
        self._publish(dataclasses.replace(found, fit=before.fit, fitted=before.fitted, seed=before.seed))
        self._reference = self._make.reference(self.map)

    @property
    def _granularity(self) -> str:
        return self._wanted_granularity or (self.map.granularity if self.map else USUAL)

    @property
    def fitting(self) -> float | None:
        """The share that is done of a fit beside other work, None where there is none."""
        return self._fit.share

    def take(self, *, shown: bool = True) -> bool:
        """What a fit beside other work came to, if it is done; if it is `shown`, with the images it does not know.

        Raises FitError where it failed: no image is lost for it, and it is made again when it is due.
        """
        done = self._fit.poll()
        if done is not None:
            self._take_in(*done, shown=shown)
        return done is not None

    def _take_in(self, begun: Begun, fitted: Fitted, *, shown: bool) -> None:
        made = self._map_of(begun, fitted, FIT if begun.anchored else PARTIAL)
        self._reference = self._make.reference(made)
        self._publish(self._extension(made, *self._encoded()) if shown else made)

    def undo(self) -> bool:
        """Back to the map before the newest fit, with what came since placed in it; False where none is kept."""
        before = maps.read_before(self._folder, self.map.fit) if self.map else None
        if before is None:
            return False
        if self._fit.begun is not None:
            self.close()
        ids, rows = self._encoded()
        self._reference = self._make.reference(before)
        back = self._extension(before, ids, rows)
        # all count as old, or what one has just gone back from would be due again
        self._publish(counted(dataclasses.replace(back, fitted=np.ones(len(ids), np.bool_)), self.map))
        return True

    def go_without_fit(self) -> None:
        """The fit that was due failed: publish what is known without it."""
        self.close()
        self._show(*self._encoded())

    def close(self) -> None:
        """End the fitting process, whatever it does."""
        self._fit.close()

    # -- what is due -------------------------------------------------------------------------------------------------

    @property
    def _is_fitted(self) -> bool:
        return self.map is not None and self.map.kind == FIT

    @property
    def _is_growing(self) -> bool:
        """The library is indexed for the first time."""
        return not self._is_fitted

    def _fit_due(self, images: int) -> bool:
        if images < SMALLEST_FIT:
            return False
        if self.map is None or not self._is_fitted:
            return True
        return images - int(self.map.fitted.sum()) >= REFIT_SHARE * images

    @property
    def _is_newest(self) -> bool:
        """No map on disk is newer than ours, as one is that we passed over because it was damaged or empty."""
        return self.map is not None and maps.generations(self._folder)[-1:] == [self.map.generation]

    def _is_current(self, ids: Ids, rows: Ints) -> bool:
        return self._is_newest and same(self.map, ids, rows)

    @property
    def _is_stacked(self) -> bool:
        """It was looked for near-duplicates: not in a sketch on the way, nor in a map written before they stacked."""
        return self.map is not None and has_stacks(self.map)

    @property
    def _is_complete(self) -> bool:
        """Stacked, and with a flat wall, which maps lack that were written before there were walls."""
        return self._is_stacked and self.map is not None and has_wall(self.map)

    def _before_shown(self) -> Map | None:
        """The fitted map that this round began with, where some of what came since was shown already."""
        began = self._reference.map if self._reference is not None else None
        return began if self._is_fitted and began is not None and began.kind == FIT and began is not self.map else None

    def _next_stage(self) -> int:
        """How many of the first images the next fit is made of, while there are more to come."""
        so_far = self._growing_from()
        return next(size for size in stages() if size > (len(so_far.ids) if so_far else 0))

    # -- fits --------------------------------------------------------------------------------------------------------

    def _grow(self, ids: Ids, rows: Ints, waiting: Waiting, *, shown: bool) -> None:
        """The fits that are left of a first indexing, one after the other, and the last of all."""
        begun = time.monotonic()
        while True:
            so_far = self._growing_from()
            if self._fit.begun is None and so_far and same(so_far, ids, rows):
                # after a resumption they are in another order
                edges, weights = knn_edges(self._make.vectors_at(rows), EDGES)
                self._publish(dataclasses.replace(so_far, kind=FIT, edges=edges, weights=weights))
                if any(not record.name for record in so_far.cluster_records):  # it was begun before the words came
                    self._regroup(waiting)
                break
            if self._fit.begun is None:
                size = min(self._next_stage(), len(ids))
                self._begin_growing(ids[:size], rows[:size], last=size == len(ids))
            job, found = self._fit.wait(waiting)
            last = job.worded and np.array_equal(job.ids, ids)
            fitted = self._map_of(job, found, FIT if last else PARTIAL)
            self._reference = self._make.reference(fitted)
            self._publish(fitted if last or not shown else self._extension(fitted, ids, rows))
            if last:
                break
        self.fit_secs += time.monotonic() - begun

    def _begin_growing(self, ids: Ids, rows: Ints, *, last: bool) -> None:
        self._fit.begin(ids, rows, old=self._growing_from(), granularity=self._granularity, last=last)

    def _growing_from(self) -> Map | None:
        return self._reference.map if self._reference is not None and self._reference.map.kind == PARTIAL else None

    def _map_of(self, begun: Begun, fitted: Fitted, kind: str) -> Map:
        return self._make.fitted(begun, fitted, kind=kind, granularity=self._granularity, shown=self.map)

    # -- maps --------------------------------------------------------------------------------------------------------

    def _show(self, ids: Ids, rows: Ints) -> None:
        """Publish what is known so far, where something is new."""
        sketching = self.map is None or self.map.kind == SKETCH
        stays = self.map is not None and not (sketching and len(ids) >= SKETCH_GROWTH * self._sketched)
        if len(ids) < 2 or self._is_current(ids, rows):
            return
        if stays:
            self._publish(self._extended(ids, rows))
        else:
            made = self._small_map(ids, rows) if self._is_stacked else self._make.sketch(ids, rows, before=self.map)
            made = self._publish(made)
            self._sketched, self._reference = len(ids), self._make.reference(made)

    def _small_map(self, ids: Ids, rows: Ints) -> Map:
        """The map of too few images for a fit."""
        sketch = self._make.sketch(ids, rows, before=self.map)
        return self._make.completed(sketch, before=self._reference.map if self._reference else None)

    def _extended(self, ids: Ids, rows: Ints) -> Map:
        assert self.map is not None
        return self._extension(self.map, ids, rows)

    def _extension(self, map_: Map, ids: Ids, rows: Ints) -> Map:
        return self._make.extension(map_, ids, rows, reference=self._reference)

    def _publish(self, map_: Map) -> Map:
        generations = maps.generations(self._folder)
        made = dataclasses.replace(map_, generation=generations[-1] + 1 if generations else 1)
        maps.write_map(self._folder, made)
        self.map = made
        self._published(made)
        return made

    def _encoded(self) -> tuple[Ids, Ints]:
        """The images that the map is of: (n,) ids ascending, (n,) int32 rows of their vectors. Of those that are hidden
        only the ones it holds already: nothing moves to make room for what is not there."""
        ids, rows = self._store.encoded(self._model_id)
        hidden = self._store.hidden_ids()
        if not len(hidden):
            return ids, rows
        strange = np.setdiff1d(hidden, self.map.ids) if self.map is not None else hidden
        kept = ~np.isin(ids, strange)
        return ids[kept], rows[kept]


def stages() -> Iterator[int]:
    """300, 1,000, 3,000, 10,000, ..."""
    for power in itertools.count():
        for size in FIRST_STAGES:
            yield size * 10**power
