"""How far every image is from what is selected or found, along edges: for the light that runs there, on a thread."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from atlas_rt.core.arrays import Floats
from atlas_rt.core.channels import Latest
from atlas_rt.core.graph import Graph, reached_from
from atlas_rt.core.pulse import REACH
from atlas_rt.workers.worker import Announce, Worker, unheard


@dataclass(frozen=True, slots=True)
class Reached:
    """distances: (n,) of a graph's rows from the sources, world units along edges."""

    graph: Graph
    sources: tuple[int, ...]
    distances: Floats


class PulseWorker(Worker):
    """A thread that answers the newest question."""

    part = "pulses"
    lost = "No light runs along the edges"

    def __init__(self, *, announce: Announce = unheard) -> None:
        super().__init__(announce=announce)
        self._asked: Latest[tuple[Graph, tuple[int, ...]]] = Latest()
        self._answers: Latest[Reached] = Latest()
        self.start()

    def ask(self, graph: Graph, sources: tuple[int, ...]) -> None:
        """sources: rows of the graph."""
        self._asked.put((graph, sources))

    def take(self) -> Reached | None:
        return self._answers.take()

    def wake(self) -> None:
        self._asked.close()

    def work(self) -> None:
        while True:
            graph, sources = self._asked.wait()
            distances = reached_from(graph, np.array(sources, np.intp), limit=REACH)
            self._answers.put(Reached(graph, sources, distances))
            self.went_well()
