"""Earlier searches read when a library is opened, and new ones written, on a thread."""

from __future__ import annotations

from atlas_rt.core.channels import Inbox, Latest
from atlas_rt.core.images import LibraryPlace
from atlas_rt.library import personal_data
from atlas_rt.library.query_texts import QueryTexts
from atlas_rt.workers.worker import Announce, Worker, unheard

WAITING_MAX = 64


class QueryTextWorker(Worker):
    """A thread that owns this library's part of the file."""

    part = "searches"
    lost = "Earlier searches are not kept"

    def __init__(
        self, place: LibraryPlace, texts: QueryTexts, *, data_named: bool, announce: Announce = unheard
    ) -> None:
        """data_named: the person named the data folder, so that it may lie anywhere."""
        super().__init__(announce=announce)
        self._place, self._texts, self._data_named = place, texts, data_named
        self._new: Inbox[str | None] = Inbox(WAITING_MAX)
        self._earlier: Latest[tuple[str, ...]] = Latest()
        self._left: list[str] = []  # not written yet
        self._told = False
        self.start()

    def keep(self, text: str) -> None:
        """Write it; while that fails it is not kept longer than this window."""
        if not (self.trouble or self._new.full):
            self._new.put(text)

    def take(self) -> tuple[str, ...] | None:
        """Those of earlier sessions, the newest last; told once."""
        return self._earlier.take()

    def wake(self) -> None:
        if self._new.full:  # nobody takes any: whoever closes it must not wait
            self._new.close()
        else:
            self._new.put(None)

    def work(self) -> None:
        if not self._told:
            self._earlier.put(self._texts.of(self._library))
            self._told = True
        while True:
            self._write()
            came = (self._new.wait(), *self._new.drain(budget_secs=0.01))
            self._left += [text for text in came if text is not None]
            if None in came:
                self._write()
                return

    def _write(self) -> None:
        if not self._left:
            return
        personal_data.refuse_inside(self._texts.path.parent, self._place.sources, named=self._data_named)
        self._texts.add(self._library, self._left)
        self._left = []
        self.went_well()

    @property
    def _library(self) -> str:
        return self._place.folder.name
