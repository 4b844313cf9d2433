"""Names that a person gives to clusters, written on a thread."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass

from atlas_rt.core.arrays import Ids
from atlas_rt.core.channels import Closed, Inbox
from atlas_rt.core.images import LibraryPlace
from atlas_rt.core.troubles import reason_of
from atlas_rt.core.undo import Undoable
from atlas_rt.errors import AtlasError
from atlas_rt.library import personal_data
from atlas_rt.library.cluster_names import ClusterName, ClusterNames, NameChange
from atlas_rt.library.store import StoreReader
from atlas_rt.workers.worker import Announce, Worker, unheard

WAITING_MAX = 64
"""Names that may wait to be written."""


@dataclass(frozen=True, slots=True)
class GiveName:
    """Name a cluster. called: what it is called now. ids: of its images. instead_of: what a person named it before."""

    cluster: int
    name: str
    called: str
    ids: Ids
    instead_of: ClusterName | None


@dataclass(frozen=True, slots=True)
class ChangeNames:
    """Make an earlier change again, or take it back; `undoable` is what asks for it."""

    change: NameChange
    undoable: Undoable


@dataclass(frozen=True, slots=True)
class NamesWritten:
    """What became of what was asked: the change of the file, or why there is none."""

    asked: GiveName | ChangeNames
    change: NameChange | None
    error: str = ""


class RenamingWorker(Worker):
    """A thread that writes names, one after the other. What was asked for before it is closed is written."""

    part = "names"
    lost = "Names cannot be given to clusters"

    def __init__(
        self, place: LibraryPlace, names: ClusterNames, *, data_named: bool, announce: Announce = unheard
    ) -> None:
        """data_named: the person named the data folder, so that it may lie anywhere."""
        super().__init__(announce=announce)
        self._place, self._names, self._data_named = place, names, data_named
        self._asked: Inbox[GiveName | ChangeNames | None] = Inbox(WAITING_MAX)
        self._written: Inbox[NamesWritten] = Inbox(2 * WAITING_MAX)
        self.start()

    def ask(self, wish: GiveName | ChangeNames) -> None:
        """Write it; `take` tells what became of it."""
        if self.trouble:
            self._tell(NamesWritten(wish, None, self.trouble))
        else:
            self._asked.put(wish)

    def take(self) -> Sequence[NamesWritten]:
        return tuple(self._written.drain(budget_secs=0.001))

    def wake(self) -> None:
        self._written.close()
        self._asked.put(None)

    def work(self) -> None:
        while (asked := self._asked.wait()) is not None:
            try:
                written = NamesWritten(asked, self._write(asked))
            except AtlasError as error:
                written = NamesWritten(asked, None, str(error))
            except Exception as error:
                self._tell(NamesWritten(asked, None, reason_of(error)))
                raise
            self._tell(written)
            self.went_well()

    def _tell(self, written: NamesWritten) -> None:
        with contextlib.suppress(Closed):  # nobody looks any more
            self._written.put(written)

    def _write(self, asked: GiveName | ChangeNames) -> NameChange:
        personal_data.refuse_inside(self._names.path.parent, self._place.sources, named=self._data_named)
        if isinstance(asked, ChangeNames):
            self._names.make(asked.change)
            return asked.change
        with StoreReader.open(self._place.folder) as store:
            contents = store.content_hashes(asked.ids.tolist())
        return self._names.give(asked.name, contents, instead_of=asked.instead_of)
