"""Pictures decoded in a process of their own: what comes from elsewhere may be made to harm a decoder.

One child process decodes, one picture at a time. It may take `MEMORY_BYTES` and `PATIENCE_SECS`; one that dies, takes
longer or answers nonsense is ended and started again for the next picture. It answers with plain bytes, never with
pickled objects, so a decoder that was taken over cannot reach into the process that asked.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from multiprocessing.connection import Connection
from typing import Protocol

from atlas_rt.engine import child
from atlas_rt.engine.child import Child
from atlas_rt.errors import AtlasError, DecodeError
from atlas_rt.excepthooks import ending_with_a_sentence

MEMORY_BYTES = 3 * 2**30
"""Address space of the child, of which libraries take about half: a picture of 300 megapixels is refused."""
PATIENCE_SECS = 30.0
ANSWER_BYTES_MAX = 64 * 2**20
_DONE, _REFUSED = b"+", b"-"


class Task(Protocol):
    """What is done in the child; it goes there as a pickled object."""

    def run(self) -> bytes:
        """Raises AtlasError with the reason where it cannot be done."""


class DecoderProcess:
    """The child process. May be used from several threads at once, each of which waits for its turn."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._child: Child | None = None

    def ask(self, task: Task) -> bytes:
        """What the task gives. Raises DecodeError with the reason where it gives nothing."""
        with self._lock:
            try:
                self._child = self._child or Child(serve, name="atlas-decoder")
                self._child.pipe.send(task)
                if not self._child.pipe.poll(PATIENCE_SECS):
                    self._end()
                    raise DecodeError(f"it takes longer than {PATIENCE_SECS:.0f} s to decode")
                answer = self._child.pipe.recv_bytes(ANSWER_BYTES_MAX)
            except (EOFError, OSError) as error:
                self._end()
                raise DecodeError("the decoder failed on it") from error
        if answer[:1] != _DONE:
            raise DecodeError(answer[1:].decode(errors="replace") or "it could not be decoded")
        return answer[1:]

    def close(self) -> None:
        """End the child, once it has answered."""
        with self._lock:
            self._end()

    def interrupt(self) -> None:
        """End the child whatever it does; whoever waits for it hears that it failed."""
        if (running := self._child) is not None:
            running.kill()

    def _end(self) -> None:
        if self._child is not None:
            self._child.end()
            self._child = None


def serve(pipe: Connection) -> None:
    """The child process: do what comes through the pipe until it is closed."""
    child.begin(0)
    with ending_with_a_sentence("the decoder has ended"), contextlib.suppress(EOFError):
        _limit_memory()
        while True:
            pipe.send_bytes(_answer(pipe.recv()))


def _answer(task: Task) -> bytes:
    try:
        return _DONE + task.run()
    except DecodeError as error:
        return _REFUSED + str(error).encode()
    except MemoryError:
        return _REFUSED + b"it needs more memory than is allowed"
    except AtlasError:  # of the library's files, whose sentences name their paths
        return _REFUSED + b"it cannot be read just now"


def _limit_memory() -> None:
    if sys.platform == "win32":
        return
    import resource

    with contextlib.suppress(ValueError, OSError):  # macOS refuses
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
