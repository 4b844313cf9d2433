"""What was asked of the engine and has not had its turn."""

from __future__ import annotations

from collections import deque
from multiprocessing.connection import Connection

from atlas_rt.engine.announcements import Announcements
from atlas_rt.engine.messages import Add, Added, Remove, Removed, Stop, ToEngine, UseModel
from atlas_rt.library.store_writer import StoreWriter


class Stopped(BaseException):
    """Someone asked the engine to stop; everything committed is kept."""


class ModelChanged(BaseException):
    """Someone asks for another encoder; everything committed is kept."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class PendingRequests:
    """The engine's end of the pipe, for hearing. Owned by its main thread."""

    def __init__(self, pipe: Connection, store: StoreWriter, announcements: Announcements) -> None:
        self._pipe, self._store, self._announcements = pipe, store, announcements
        self._requests: deque[ToEngine] = deque()

    def __len__(self) -> int:
        return len(self._requests)

    def wait(self, limit_secs: float) -> bool:
        """Hear the next request; False when none came in this time."""
        if not self._pipe.poll(limit_secs):
            return False
        self._keep(self._pipe.recv())
        return True

    def take(self) -> ToEngine:
        """The oldest request. Raises Stopped where it is to stop, ModelChanged where it is to use another model."""
        request = self._requests.popleft()
        if isinstance(request, Stop):
            raise Stopped
        if isinstance(request, UseModel):
            raise ModelChanged(request.name)
        return request

    @property
    def stop_asked(self) -> bool:
        """Whether someone asks to stop, or to go on with another model; what has come meanwhile is heard first."""
        while self._pipe.poll():
            self._keep(self._pipe.recv())
        return any(isinstance(request, Stop | UseModel) for request in self._requests)

    def obey_stop(self) -> None:
        """Called between steps of long work. Raises Stopped where someone asks to stop, ModelChanged with the newest
        model that was asked for."""
        if not self.stop_asked:
            return
        if any(isinstance(request, Stop) for request in self._requests):
            raise Stopped
        names = [request.name for request in self._requests if isinstance(request, UseModel)]
        self._requests = deque(request for request in self._requests if not isinstance(request, UseModel))
        raise ModelChanged(names[-1])

    def _keep(self, request: ToEngine) -> None:
        """Keep a request until its turn. What should be added or removed is stored at once: a Stop may come first."""
        if isinstance(request, Add):
            before = frozenset(self._store.extras())
            self._store.add_extras(request.paths)
            new = tuple(path for path in request.paths if path not in before)
            self._announcements.tell(Added(request.paths, new))
        elif isinstance(request, Remove):
            self._store.remove_extras(request.paths)
            self._announcements.tell(Removed(request.paths))
        self._requests.append(request)
