"""Objects fetched ahead of the threads that decode them, by more threads, as most of their time is waiting.

An object goes to the disk first (`library/originals.py`), so what is fetched ahead takes no memory. Files are read
where they lie, when it is their turn.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from concurrent.futures import Future
from pathlib import Path
from queue import SimpleQueue

from atlas_rt.core.s3_address import is_s3
from atlas_rt.errors import DecodeError
from atlas_rt.library.changes import Todo
from atlas_rt.library.file_content import read
from atlas_rt.library.formats import FILE_BYTES_MAX
from atlas_rt.library.originals import Originals

READERS = 16
"""Threads. With 50 ms for each object they bring 320 a second."""
WAIT_SECS = 0.2


class ReadingStoppedError(Exception):
    """Nothing more is fetched, as somebody asked to stop."""


class ObjectReader:
    """Of one run of the pipeline, whose threads call `read`. Close it at the end."""

    def __init__(self, originals: Originals) -> None:
        self._originals = originals
        self._queue: SimpleQueue[tuple[Future[Path], Todo] | None] = SimpleQueue()
        self._coming: dict[int, Future[Path]] = {}
        self._threads = 0
        self.stopped = threading.Event()

    def begin(self, todo: Iterable[Todo]) -> None:
        """These are wanted soon, in this order. On the thread that owns the pipeline."""
        for each in todo:
            if is_s3(each.path) and 0 < each.size <= FILE_BYTES_MAX:
                future: Future[Path] = Future()
                self._coming[each.id] = future
                self._queue.put((future, each))
                if self._threads < READERS:
                    self._threads += 1
                    threading.Thread(target=self._run, name=f"objects-{self._threads}", daemon=True).start()

    def read(self, todo: Todo) -> bytes:
        """The bytes of a file, or of an object. Raises DecodeError with the reason it cannot be
        read, S3Error where an object cannot be fetched, ReadingStoppedError."""
        if not is_s3(todo.path):
            return read(todo.path)
        if todo.size > FILE_BYTES_MAX:
            raise DecodeError("the file is larger than 1 GB")
        if not todo.size:
            return b""
        coming = self._coming.pop(todo.id, None)
        file = self._awaited(coming) if coming is not None else self._fetched(todo)
        try:
            return read(str(file))
        except DecodeError:
            if file.exists():
                raise
            return read(str(self._fetched(todo)))  # it came so long ago that it had to make room

    def stop(self) -> None:
        """Nobody waits for what is still to come."""
        self.stopped.set()

    def close(self) -> None:
        """End the threads, once they have done what was begun."""
        for _ in range(self._threads):
            self._queue.put(None)

    def _awaited(self, future: Future[Path]) -> Path:
        while True:
            try:
                return future.result(WAIT_SECS)
            except TimeoutError:
                if self.stopped.is_set():
                    raise ReadingStoppedError from None

    def _fetched(self, todo: Todo) -> Path:
        return self._originals.local_file(todo.path, todo.etag, size=todo.size)

    def _run(self) -> None:
        while (task := self._queue.get()) is not None:
            future, todo = task
            if self.stopped.is_set():
                future.set_exception(ReadingStoppedError())
                continue
            try:
                future.set_result(self._fetched(todo))
            except BaseException as error:  # noqa: BLE001 - raised where the object is wanted
                future.set_exception(error)
