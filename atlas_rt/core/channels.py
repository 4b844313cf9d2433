"""The channels between threads: `Inbox` (each item matters), `Latest` and `LatestOfEach` (only the newest matters, of
all or of each kind).

What crosses is frozen. The frame never waits on either: it drains an inbox within a time budget and takes the
latest value if there is one.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Iterator
from typing import Generic, TypeVar

Item = TypeVar("Item")
Key = TypeVar("Key")


class Closed(Exception):  # noqa: N818 - no error: the way a thread learns that it may end
    """The channel was closed while a thread waited on it."""


class Inbox(Generic[Item]):
    """A bounded queue; a full one makes the sender wait, never the reader."""

    def __init__(self, capacity: int) -> None:
        self._queue: queue.Queue[Item] = queue.Queue(capacity)
        self._closed = threading.Event()

    @property
    def full(self) -> bool:
        """Whether who puts an item now would wait."""
        return self._queue.full()

    def put(self, item: Item) -> None:
        """Add an item, waiting while the inbox is full. Raises Closed once the reader has gone."""
        while not self._closed.is_set():
            try:
                self._queue.put(item, timeout=0.1)
                return
            except queue.Full:
                continue
        raise Closed

    def drain(self, *, budget_secs: float) -> Iterator[Item]:
        """Items that are here now, oldest first, until none is left or the budget is spent."""
        deadline = time.perf_counter() + budget_secs
        while True:
            try:
                yield self._queue.get_nowait()
            except queue.Empty:
                return
            if time.perf_counter() >= deadline:
                return

    def wait(self) -> Item:
        """The oldest item, waiting for one. Raises Closed once the inbox is closed."""
        while not self._closed.is_set():
            with contextlib.suppress(queue.Empty):
                return self._queue.get(timeout=0.5)
        raise Closed

    def close(self) -> None:
        """Let whoever waits go with Closed."""
        self._closed.set()


class Latest(Generic[Item]):
    """One slot: putting replaces what was there, taking empties it."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._item: Item | None = None
        self._closed = False

    def put(self, item: Item) -> None:
        with self._condition:
            self._item = item
            self._condition.notify()

    def put_if_empty(self, item: Item) -> None:
        """Put an item back that nothing newer has replaced."""
        with self._condition:
            if self._item is None:
                self._item = item
                self._condition.notify()

    def peek(self) -> Item | None:
        """The newest item, or None, left where it is."""
        with self._condition:
            return self._item

    def take(self) -> Item | None:
        """The newest item, or None; never waits."""
        with self._condition:
            item, self._item = self._item, None
            return item

    def wait(self) -> Item:
        """The newest item, waiting for one. Raises Closed when the channel is closed."""
        with self._condition:
            while self._item is None:
                if self._closed:
                    raise Closed
                self._condition.wait()
            item, self._item = self._item, None
            return item

    def close(self) -> None:
        with self._condition:
            self._closed = True
            self._condition.notify_all()


class LatestOfEach(Generic[Key, Item]):
    """A slot for each key: putting replaces what was there under that key, and nothing else."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._items: dict[Key, Item] = {}
        self._closed = False

    def put(self, key: Key, item: Item) -> None:
        with self._condition:
            self._items.pop(key, None)
            self._items[key] = item
            self._condition.notify()

    def take(self) -> tuple[Item, ...]:
        """The newest item of each key, the one put first first; never waits."""
        with self._condition:
            items, self._items = self._items, {}
            return tuple(items.values())

    def wait(self) -> Item:
        """The item that has waited longest, waiting for one. Raises Closed when the channel is closed."""
        with self._condition:
            while not self._items:
                if self._closed:
                    raise Closed
                self._condition.wait()
            return self._items.pop(next(iter(self._items)))

    def close(self) -> None:
        with self._condition:
            self._closed = True
            self._condition.notify_all()
