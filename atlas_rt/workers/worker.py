"""A thread of the window that cannot die unheard.

Whatever its work raises is kept and announced, and the work is begun again: after growing pauses, and when the last of
them did not help, only when the person asks for it. So a worker is

    waiting    not begun yet, or pausing before another try
    running    at work, or waiting for something to do
    failed     given up until `retry`
    stopped    closed
"""

from __future__ import annotations

import contextlib
import enum
import threading
from collections.abc import Callable
from dataclasses import dataclass

from atlas_rt.core.channels import Closed
from atlas_rt.core.retries import Retries
from atlas_rt.core.troubles import reason_of


class State(enum.Enum):
    """What a worker does now."""

    WAITING = "waiting"
    RUNNING = "running"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Change:
    """A worker's change to another state. trouble: what no longer works and why, empty where nothing failed."""

    part: str
    state: State
    trouble: str = ""


Announce = Callable[[Change], None]
"""Called on the worker's thread with each change of its state; must not block."""


def unheard(_change: Change) -> None:
    """For a worker outside a window."""


class Worker:
    """A thread that does `work` until it is closed.

    A subclass sets `part` and `lost`, overrides `work` and `wake`, and calls `start` at the end of its `__init__`.
    """

    part = ""
    """What the worker is called in threads and troubles."""
    lost = ""
    """What no longer works when it has failed, as the beginning of a sentence: "Search does not work"."""
    again = True
    """Whether it makes sense to begin the work again by itself."""

    def __init__(self, *, announce: Announce = unheard, number: int | None = None) -> None:
        """number: where several threads do the same work."""
        self._announce = announce
        self._retries = Retries()
        self._stopping, self._try_now = threading.Event(), threading.Event()
        self._change = Change(self.part, State.WAITING)
        self._error: BaseException | None = None
        name = self.part if number is None else f"{self.part}-{number}"
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def state(self) -> State:
        return self._change.state

    @property
    def trouble(self) -> str:
        """What does not work until something changes, and why; empty while it works or is tried again by itself."""
        return self._change.trouble if self.state is State.FAILED else ""

    @property
    def error(self) -> BaseException | None:
        """What the work raised last, None once it went well again."""
        return self._error

    def start(self) -> None:
        self._thread.start()

    def retry(self) -> None:
        """Begin the work again at once, if it waits for that or has failed."""
        self._try_now.set()

    def close(self, *, limit_secs: float = 2.0) -> None:
        """End the thread; one that does not listen is left behind after the limit (it is a daemon)."""
        self._stopping.set()
        self._try_now.set()
        self.wake()
        self._thread.join(limit_secs)

    # -- for subclasses ----------------------------------------------------------------------------------------------

    def work(self) -> None:
        """Do the work until it is over, `closing`, or a channel raises Closed. Whatever else it raises is a failure."""
        raise NotImplementedError

    def wake(self) -> None:
        """Make `work` return soon, whatever it waits for; called when the worker is closed."""

    def failed(self, error: BaseException) -> None:
        """Called on the worker's thread after each failure, to answer whoever waits."""

    @property
    def closing(self) -> bool:
        return self._stopping.is_set()

    def rest(self, secs: float) -> None:
        """Do nothing for so long, or until the worker is closed."""
        self._stopping.wait(secs)

    def went_well(self) -> None:
        """Something was done: earlier failures no longer count."""
        self._retries.went_well()
        self._error = None

    # -- the thread --------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self.closing:
            self._become(State.RUNNING)
            try:
                self.work()
                break
            except Closed:
                break
            except BaseException as error:  # noqa: BLE001 - a panic of a Rust library is no Exception
                if not self.closing:
                    self._give_pause(error)
        self._become(State.STOPPED)

    def _give_pause(self, error: BaseException) -> None:
        """Tell of a failure, and wait for the next try."""
        self._error = error
        self._try_now.clear()
        pause_secs = self._retries.failed() if self.again else None
        trouble = f"{self.lost}: {reason_of(error)}"
        self.failed(error)
        self._become(State.FAILED if pause_secs is None else State.WAITING, trouble)
        if not self.closing:
            self._try_now.wait(pause_secs)
        if pause_secs is None:
            self._retries.went_well()  # who asks for it gets all the tries again

    def _become(self, state: State, trouble: str = "") -> None:
        self._change = Change(self.part, state, trouble)
        with contextlib.suppress(Closed):  # whoever heard it has gone
            self._announce(self._change)
