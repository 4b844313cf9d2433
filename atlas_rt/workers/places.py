"""Where a vector belongs in the newest map, for the live marker.

A projector of 100,000 images takes two seconds to make. So it is made on a thread of its own, while places still come
from the one before: the marker never stands still because an image came.
"""

from __future__ import annotations

from dataclasses import dataclass

from atlas_rt.core.arrays import Floats, Ids
from atlas_rt.core.channels import Latest
from atlas_rt.core.maps import Placement
from atlas_rt.mapping.projector import Projector
from atlas_rt.workers.scenes import Arrival
from atlas_rt.workers.worker import Announce, Worker, unheard

REST_SECS = 3.0
"""Between two projectors: while a folder is indexed, maps come once a second."""


@dataclass(frozen=True, slots=True)
class _Ready:
    """A projector and the ids of its rows."""

    projector: Projector
    ids: Ids


class PlaceWorker(Worker):
    """A thread that makes a projector of the newest scene."""

    part = "places"
    lost = "The live marker does not follow the map"

    def __init__(self, *, announce: Announce = unheard) -> None:
        super().__init__(announce=announce)
        self._arrivals: Latest[Arrival] = Latest()
        self._ready: _Ready | None = None
        self.start()

    def show(self, arrival: Arrival) -> None:
        """From now on, or as soon as its projector is made, places are in this scene."""
        self._arrivals.put(arrival)

    def place(self, vector: Floats) -> tuple[Placement, tuple[int, ...]] | None:
        """The placement of a vector and the ids of its neighbours; None while there is no map. From any thread."""
        ready = self._ready
        if ready is None:
            return None
        placement = ready.projector.place(vector[None])[0]
        return placement, tuple(int(ready.ids[row]) for row in placement.neighbours)

    def wake(self) -> None:
        self._arrivals.close()

    def work(self) -> None:
        while True:
            self._ready = _ready(self._arrivals.wait())
            self.went_well()
            self.rest(REST_SECS)


def _ready(arrival: Arrival) -> _Ready | None:
    if not len(arrival.scene.ids):
        return None
    vectors = arrival.vector_index.whole()
    projector = Projector(vectors, arrival.scene.positions)
    projector.place(vectors[:1])  # the first placing reads what is usual in the map
    return _Ready(projector, arrival.scene.ids)
