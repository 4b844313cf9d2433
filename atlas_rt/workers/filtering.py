"""Which images filters let through and how many have each value, on a thread: it holds what is known of them as codes,
so that a click asks the store for nothing.

The codes are read again when the scene is another one, and when others have written the library since; then the answer
from what was known comes first.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from atlas_rt.core.arrays import Floats, Ids
from atlas_rt.core.channels import Latest
from atlas_rt.core.images import LibraryPlace
from atlas_rt.core.rows import IdMask, Mask
from atlas_rt.core.scene import Scene
from atlas_rt.core.timeline import DayCounts
from atlas_rt.core.troubles import reason_of
from atlas_rt.core.visibility import LIGHT_FROM
from atlas_rt.errors import AtlasError
from atlas_rt.library.store import StoreReader
from atlas_rt.search.facets import Counts, Facet, FacetTable, combined
from atlas_rt.search.fields import Condition
from atlas_rt.workers.conditions import in_english, passing
from atlas_rt.workers.facet_tables import facet_table
from atlas_rt.workers.worker import Announce, State, Worker, unheard

READ_AGAIN_SECS = 2.0
"""While a library is indexed, what is known is read again so often at most."""


@dataclass(frozen=True, slots=True)
class FilterRequest:
    """conditions: all of which must hold. lit: (n,) the lights of a query over the same scene, None without one; counts
    are of what it lights. counted: the facets are to be counted, too. again: answered before, and answered only where
    the library was written since."""

    conditions: tuple[Condition, ...]
    scene: Scene
    lit: Floats | None = None
    counted: bool = True
    again: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class FilterAnswer:
    """ids: the very array of the scene it was asked for. passes: (n,) which images all conditions let through, None
    for all. facets: with counts, (v,) of each in its values' order; empty where they were not asked for or are still
    being counted. remarks: on conditions that no image fulfils. error: why nothing could be found out."""

    conditions: tuple[Condition, ...]
    ids: Ids
    passes: Mask | None
    facets: tuple[tuple[Facet, Counts], ...] = ()
    days: DayCounts | None = None
    remarks: tuple[str, ...] = ()
    error: str = ""


@dataclass(slots=True)
class _Table:
    """What is known of one scene. version: of the database when it was read. asked: what the store answered."""

    scene: Scene
    codes: FacetTable
    images: IdMask
    version: int
    read_at: float
    asked: dict[Condition, tuple[Mask, tuple[str, ...]]] = field(default_factory=dict)


def answer_of(request: FilterRequest, store: StoreReader, model_id: str) -> FilterAnswer:
    """The whole answer to one request, for whoever can wait for it. Raises AtlasError where the library cannot be
    read."""
    *_, answer = _answers(request, _read(request.scene, store, model_id), store, model_id)
    return answer


class FilterWorker(Worker):
    """A thread that answers the newest request: first which images pass, then the counts."""

    part = "filters"
    lost = "Filters do not work"

    def __init__(self, place: LibraryPlace, *, announce: Announce = unheard) -> None:
        super().__init__(announce=announce)
        self._place = place
        self._requests: Latest[FilterRequest] = Latest()
        self._answers: Latest[FilterAnswer] = Latest()
        self._waiting: FilterRequest | None = None
        self._table: _Table | None = None
        self.start()

    def ask(self, request: FilterRequest) -> None:
        """Answer this one next; one that waits is replaced."""
        self._requests.put(request)
        if self.state is State.FAILED and self.error is not None:
            self._answers.put(_without_answer(request, reason_of(self.error)))

    def take(self) -> FilterAnswer | None:
        """The newest answer, or None; never waits."""
        return self._answers.take()

    def wake(self) -> None:
        self._requests.close()

    def work(self) -> None:
        store: StoreReader | None = None
        if self._waiting is not None:
            self._requests.put_if_empty(self._waiting)
        try:
            while True:
                request = self._waiting = self._requests.wait()
                try:
                    store = store or StoreReader.open(self._place.folder)
                    self._answer(request, store)
                except AtlasError as error:
                    self._answers.put(_without_answer(request, str(error)))
                    if store is not None:
                        store.close()
                    store = self._table = None  # the next request opens it again
                self._waiting = None
                self.went_well()
        finally:
            if store is not None:
                store.close()

    def failed(self, error: BaseException) -> None:
        """Whoever waits is told the reason now, and answered once the work goes on."""
        self._table = None
        if self._waiting is not None:
            self._answers.put(_without_answer(self._waiting, reason_of(error)))

    def _answer(self, request: FilterRequest, store: StoreReader) -> None:
        """From what is known; once more where the library was written since it was read."""
        version = store.database.number("PRAGMA data_version")
        table = self._table
        if table is None or table.scene is not request.scene:
            table = self._table = _read(request.scene, store, request.scene.model)
        elif table.version != version and time.monotonic() - table.read_at > READ_AGAIN_SECS:
            if not request.again:
                self._tell(request, table, store)
            table = self._table = _read(request.scene, store, request.scene.model)
        elif request.again:
            return
        self._tell(request, table, store)

    def _tell(self, request: FilterRequest, table: _Table, store: StoreReader) -> None:
        for answer in _answers(request, table, store, request.scene.model):
            self._answers.put(answer)


def _read(scene: Scene, store: StoreReader, model_id: str) -> _Table:
    version = store.database.number("PRAGMA data_version")
    return _Table(scene, facet_table(scene, store, model_id), IdMask(scene.ids), version, time.monotonic())


def _answers(request: FilterRequest, table: _Table, store: StoreReader, model_id: str) -> Iterator[FilterAnswer]:
    """First without counts, as images are waited for most."""
    remarks: list[str] = []
    labels = next((facet.values for facet in table.codes.facets if facet.field == "label"), ())

    def mask_of(asked_for: Condition) -> Mask:
        condition = in_english(asked_for, table.scene.words, labels) if asked_for.whole else asked_for
        mask = table.codes.passing(condition)
        if mask is not None and (mask.any() or not condition.wanted):
            return mask
        if condition not in table.asked:
            asked = passing((condition,), table.images, store=store, scene=table.scene, model_id=model_id)
            table.asked[condition] = asked[0], tuple(asked[1])
        remarks.extend(table.asked[condition][1])
        return table.asked[condition][0]

    lit = None if request.lit is None else request.lit > LIGHT_FROM
    found = combined(request.conditions, mask_of, lit=lit)
    answer = FilterAnswer(request.conditions, request.scene.ids, found.all, remarks=tuple(remarks))
    yield answer
    if request.counted:
        codes = table.codes
        facets = tuple((facet, facet.counts(found.but_of(facet.field))) for facet in codes.facets)
        days = DayCounts(codes.days, codes.day_counts(), codes.day_counts(found.but_of("date")))
        yield replace(answer, facets=facets, days=days)


def _without_answer(request: FilterRequest, error: str) -> FilterAnswer:
    return FilterAnswer(request.conditions, request.scene.ids, None, error=error)
