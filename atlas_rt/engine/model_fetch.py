"""Fetching an encoder in a process of its own, while a window goes on.

A process, because the client for the hub is Python that would make frames late, because the proof that the model
runs takes a gigabyte for some seconds, and because it can be ended at any moment: what came so far stays on the disk,
and the next fetch goes on from there. One process of a cache fetches at a time; another one waits, and finds the model
there when it is its turn.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from atlas_rt.core.images import LibraryPlace
from atlas_rt.encoders.hub import Fetching
from atlas_rt.engine import child
from atlas_rt.engine.child import Child
from atlas_rt.errors import AtlasError
from atlas_rt.excepthooks import ending_with_a_sentence
from atlas_rt.library import disk_errors
from atlas_rt.library.lock import Lock

NICENESS = 10
ASK_AGAIN_SECS = 1.0
"""How often one who waits looks whether it is their turn."""


@dataclass(frozen=True, slots=True)
class WaitsForOther:
    """Another process is fetching a model."""

    holder: str


@dataclass(frozen=True, slots=True)
class Fetched:
    """The model is installed."""

    name: str


@dataclass(frozen=True, slots=True)
class NotFetched:
    """Why it is not, as a sentence."""

    reason: str


Told = Fetching | WaitsForOther | Fetched | NotFetched


class ModelFetch:
    """One model on its way. Owned by the thread that made it; nothing in it waits."""

    def __init__(self, name: str, cache: Path) -> None:
        """name: of a model in the registry that has a ready export."""
        self._child: Child | None = Child(serve, name, cache, name="atlas-fetch")

    def messages(self) -> Iterator[Told]:
        """What it told since the last call; the last one is Fetched or NotFetched."""
        try:
            while self._child is not None and self._child.pipe.poll():
                message: Told = self._child.pipe.recv()
                if isinstance(message, Fetched | NotFetched):
                    self.stop()
                yield message
        except (EOFError, OSError):
            reason, self._child = self._child.end() if self._child else "", None
            yield NotFetched(f"The download ended unexpectedly ({reason}); what came so far is kept.")

    def stop(self) -> None:
        """End it now; what came so far stays for the next time."""
        running, self._child = self._child, None
        if running is not None:
            running.end()


def serve(pipe: Connection, name: str, cache: Path) -> None:
    """The process: step back, fetch, tell how it ended."""
    child.begin(NICENESS)
    with ending_with_a_sentence("the download has ended"):
        try:
            fetch(name, cache, tell=pipe.send)
            pipe.send(Fetched(name))
        except AtlasError as error:
            pipe.send(NotFetched(str(error)))
        except BrokenPipeError:
            pass  # nobody waits for it any more


def fetch(name: str, cache: Path, *, tell: Callable[[Told], None]) -> None:
    """Bring a model of the registry here, unless it is here already. Raises AtlasError where that cannot be done."""
    from atlas_rt.encoders import hub_import, model_list
    from atlas_rt.encoders.registry import usable

    entry, models = model_list.entry(name), cache / "models"
    with disk_errors.writing(models):
        models.mkdir(parents=True, exist_ok=True)
    with Lock(LibraryPlace(models, ())) as lock:
        while not lock.acquire():
            tell(WaitsForOther(lock.holder()))
            time.sleep(ASK_AGAIN_SECS)
        if usable(models / name) is None:
            hub_import.get(entry, cache, repository=entry.hub, revision=entry.hub_revision, tell=tell)


def begun_bytes(name: str, cache: Path) -> int:
    """How much of a model that is not here has come already."""
    beside = cache / "models" / f".{name}.part"
    try:
        return sum(file.stat().st_size for file in beside.iterdir())
    except OSError:
        return 0
