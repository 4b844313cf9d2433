"""A call that waits on the network, and can be left at any moment.

A blocking read cannot be interrupted, so it runs on a thread of its own; whoever leaves does not wait for it. The
thread then ends with the read's own time limit, and ends with the program.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from typing import TypeVar

from atlas_rt.aws.bedrock_errors import StoppedError

POLL_SECS = 0.05
Stop = Callable[[], bool]
"""Whether the answer is no longer wanted; asked twenty times a second."""
T = TypeVar("T")


def never() -> bool:
    """For an answer that is always wanted."""
    return False


def stoppable(produce: Callable[[], Iterator[T]], stop: Stop) -> Iterator[T]:
    """What `produce` yields, as it comes. Raises what it raises, and StoppedError soon after `stop` says so.

    produce: runs on the thread; its generator is closed there when nobody listens any more.
    """
    told: queue.Queue[tuple[str, T | None, BaseException | None]] = queue.Queue()
    left = threading.Event()

    def run() -> None:
        try:
            for item in produce():
                if left.is_set():
                    return
                told.put(("item", item, None))
        except BaseException as error:  # noqa: BLE001  raised again where it is waited for
            told.put(("error", None, error))
        else:
            told.put(("end", None, None))

    threading.Thread(target=run, name="bedrock", daemon=True).start()
    try:
        while True:
            if stop():
                raise StoppedError("stopped")
            try:
                kind, item, error = told.get(timeout=POLL_SECS)
            except queue.Empty:
                continue
            if error is not None:
                raise error
            if kind == "end":
                return
            yield item  # type: ignore[misc]
    finally:
        left.set()
