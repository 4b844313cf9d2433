"""Objects of S3 fetched for a window, by a process of its own: boto3 holds the interpreter for 1.5 ms a request, and
the window's frames would wait for that.

The child fetches one object at a time into the cache of originals, tells how far it is, and stops where it is told to.
It answers with plain bytes, never with pickled objects. One that does not stop within `STOPPING_SECS`, because nothing
comes from the network, is ended; the next object starts another.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from atlas_rt.core.objects import Fetch, Requests
from atlas_rt.core.s3_options import S3Options
from atlas_rt.engine import child
from atlas_rt.engine.child import Child
from atlas_rt.errors import AtlasError, DecodeError
from atlas_rt.excepthooks import ending_with_a_sentence
from atlas_rt.library.originals import Originals
from atlas_rt.library.whole_picture import AbandonedError

if TYPE_CHECKING:
    from atlas_rt.aws.s3_objects import S3Fetch

POLL_SECS = 0.05
STOPPING_SECS = 1.0
TELLING_SECS = 0.1
"""So often it is told how far an object is."""
_AT, _DONE, _REFUSED, _STOPPED, _ASKED, _STOP = b"@", b"+", b"-", b"x", b"#", b"stop"


class OriginalProcess:
    """The child process, started for the first object. May be used from several threads, which wait for their turn."""

    def __init__(self, options: S3Options, cache: Path, *, limit_bytes: int) -> None:
        """cache, limit_bytes: as of `Originals`."""
        self._options, self._cache, self._limit_bytes = options, cache, limit_bytes
        self._lock = threading.Lock()
        self._child: Child | None = None
        self._closed = False
        self._before = self._requests = Requests()

    @property
    def requests(self) -> Requests:
        """What the child, and those before it, have asked of S3 by the end of the last object."""
        return self._before + self._requests

    def fetch(
        self, path: str, etag: str, size: int, *, abandoned: Callable[[], bool], told: Callable[[int], None]
    ) -> Path:
        """The copy of an object, fetched where it is not here. told: hears how many bytes have come.

        Raises AbandonedError once `abandoned` says so and after `close`, DecodeError with the reason where it cannot be
        had.
        """
        while not self._lock.acquire(timeout=POLL_SECS):
            if abandoned():
                raise AbandonedError
        try:
            if self._closed:
                raise AbandonedError
            return self._fetched(json.dumps([path, etag, size]).encode(), abandoned, told)
        finally:
            self._lock.release()

    def _fetched(self, asked: bytes, abandoned: Callable[[], bool], told: Callable[[int], None]) -> Path:
        try:
            self._child = self._child or Child(
                serve, self._options, str(self._cache), self._limit_bytes, name="atlas-originals"
            )
            pipe = self._child.pipe
            pipe.send_bytes(asked)
            while not abandoned():
                if not pipe.poll(POLL_SECS):
                    continue
                answer = pipe.recv_bytes()
                if answer[:1] == _AT:
                    told(int(answer[1:]))
                elif answer[:1] == _ASKED:
                    self._requests = Requests(**json.loads(answer[1:]))
                elif answer[:1] == _DONE:
                    return Path(os.fsdecode(answer[1:]))
                else:
                    raise DecodeError(answer[1:].decode(errors="replace") or "it could not be fetched")
            self._stop(pipe)
        except (EOFError, OSError) as error:
            self._end()
            raise DecodeError("the process that fetches it has ended; try again") from error
        raise AbandonedError

    def close(self) -> None:
        """End the child whatever it does, and start no other; whoever waits for it hears that it failed."""
        self._closed = True
        if (running := self._child) is not None:
            running.kill()
        with self._lock:
            self._end()

    def _stop(self, pipe: Connection) -> None:
        pipe.send_bytes(_STOP)
        end = time.monotonic() + STOPPING_SECS
        while pipe.poll(max(end - time.monotonic(), 0.0)):
            if pipe.recv_bytes()[:1] not in (_AT, _ASKED):
                return
        self._end()

    def _end(self) -> None:
        if self._child is not None:
            self._child.end()
            self._child = None
            self._before, self._requests = self.requests, Requests()


def serve(pipe: Connection, options: S3Options, cache: str, limit_bytes: int) -> None:
    """The child process: fetch what comes through the pipe until it is closed."""
    child.begin(0)
    with ending_with_a_sentence("the process that fetches originals has ended"), contextlib.suppress(EOFError, OSError):
        from atlas_rt.aws.s3_objects import S3Fetch

        fetch = S3Fetch(options)

        def watched(path: str, etag: str, size: int, into: BinaryIO) -> str:
            return fetch(path, etag, size, cast("BinaryIO", _Watched(into, pipe)))

        originals = Originals(Path(cache), limit_bytes=limit_bytes, fetch=cast("Fetch", watched))
        while True:
            asked = pipe.recv_bytes()
            if asked == _STOP:  # it came too late
                continue
            with _progress_told(pipe, fetch):
                answer = _answer(originals, *json.loads(asked))
            pipe.send_bytes(_ASKED + json.dumps(asdict(fetch.requests)).encode())
            pipe.send_bytes(answer)


def _answer(originals: Originals, path: str, etag: str, size: int) -> bytes:
    try:
        return _DONE + os.fsencode(originals.local_file(path, etag, size=size))
    except _StoppedError:
        return _STOPPED
    except AtlasError as error:
        return _REFUSED + str(error).encode(errors="replace")


class _StoppedError(Exception):
    """Nobody waits for the object any more."""


@contextlib.contextmanager
def _progress_told(pipe: Connection, fetch: S3Fetch) -> Iterator[None]:
    """Inside, it is told every moment how many bytes have come: the parts of a large object come side by side, and are
    written long after."""
    before, ended = fetch.requests.bytes_read, threading.Event()

    def tell() -> None:
        with contextlib.suppress(OSError):
            while not ended.wait(TELLING_SECS):
                pipe.send_bytes(_AT + str(fetch.requests.bytes_read - before).encode())

    teller = threading.Thread(target=tell, name="progress", daemon=True)
    teller.start()
    try:
        yield
    finally:
        ended.set()
        teller.join()


class _Watched:
    """A file that is written until the other side says to stop."""

    def __init__(self, file: BinaryIO, pipe: Connection) -> None:
        self._file, self._pipe = file, pipe

    def write(self, data: bytes) -> int:
        if self._pipe.poll() and self._pipe.recv_bytes() == _STOP:
            raise _StoppedError
        return self._file.write(data)

    def writelines(self, pieces: Iterable[bytes]) -> None:
        for piece in pieces:
            self.write(piece)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)
