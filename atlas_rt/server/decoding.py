"""Pictures decoded outside of the server's process: what comes from other programs may be made to harm a decoder.

One child process decodes, one picture at a time. It may take `MEMORY_BYTES` and `PATIENCE_SECS`; one that dies, takes
longer or answers nonsense is ended and started again for the next picture. It answers with plain bytes, never with
pickled objects, so a decoder that was taken over cannot reach into the server.
"""

from __future__ import annotations

import contextlib
import io
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
from PIL import Image

from atlas_rt.core.arrays import Floats
from atlas_rt.encoders.preprocess import Preprocessing, to_input
from atlas_rt.engine import child
from atlas_rt.engine.child import Child
from atlas_rt.errors import AtlasError, DecodeError
from atlas_rt.excepthooks import ending_with_a_sentence
from atlas_rt.library.decoding.decode import read_image
from atlas_rt.library.tile_files import TileFiles, read_tiles
from atlas_rt.library.tile_making import load_picture
from atlas_rt.narrator.contact_sheet import contact_sheet
from atlas_rt.narrator.subject import Picture
from atlas_rt.server.library_reader import TileRecord

MEMORY_BYTES = 3 * 2**30
"""Address space of the child, of which libraries take about half: a picture of 300 megapixels is refused."""
PATIENCE_SECS = 30.0
ANSWER_BYTES_MAX = 64 * 2**20
JPEG_QUALITY = 88
_DONE, _REFUSED = b"+", b"-"


@dataclass(frozen=True, slots=True)
class _Pixels:
    """The encoder's input from a file's bytes, as float32."""

    data: bytes
    suffix: str
    spec: Preprocessing

    def run(self) -> bytes:
        decoded = read_image(self.data, target_px=self.spec.size_px, fit=self.spec.resize, suffix=self.suffix)
        return to_input(decoded.image, self.spec).astype("<f4").tobytes()


@dataclass(frozen=True, slots=True)
class _Picture:
    """A file as a JPEG without any metadata, its long side at most `max_px`."""

    path: str
    max_px: int

    def run(self) -> bytes:
        return _jpeg(Image.fromarray(load_picture(self.path, self.max_px)).convert("RGB"))


@dataclass(frozen=True, slots=True)
class _Thumbnail:
    """A stored tile as a JPEG in the aspect of its image."""

    tile: TileRecord

    def run(self) -> bytes:
        tiles = read_tiles(self.tile.folder, self.tile.record, mean_rgb=(0, 0, 0), aspect=self.tile.aspect)
        with Image.open(io.BytesIO(tiles.medium), formats=["JPEG"]) as square:
            side_px, aspect = square.width, self.tile.aspect
            size = (side_px, round(side_px / aspect)) if aspect >= 1.0 else (round(side_px * aspect), side_px)
            return _jpeg(square.resize(size, Image.Resampling.BICUBIC))


@dataclass(frozen=True, slots=True)
class _Sheet:
    """The contact sheet of a group. folder: of the library, where the tiles lie."""

    pictures: tuple[Picture, ...]
    folder: Path

    def run(self) -> bytes:
        return contact_sheet(self.pictures, TileFiles(self.folder))


_Task = _Pixels | _Picture | _Thumbnail | _Sheet


class Decoder:
    """The child process. May be used from several threads at once, each of which waits for its turn."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._child: Child | None = None

    def pixels(self, data: bytes, *, suffix: str, spec: Preprocessing) -> Floats:
        """(3, size, size) float32, an encoder's input. Raises DecodeError with the reason if this is no picture."""
        answer = self._ask(_Pixels(data, suffix, spec))
        shape = (3, spec.size_px, spec.size_px)
        if len(answer) != 4 * int(np.prod(shape)):
            raise DecodeError("it could not be decoded")
        pixels: Floats = np.frombuffer(answer, "<f4").reshape(shape)
        return pixels

    def picture(self, path: str, max_px: int) -> bytes:
        """A file of the library as a JPEG, its long side at most `max_px`. Raises DecodeError."""
        return self._ask(_Picture(path, max_px))

    def thumbnail(self, tile: TileRecord) -> bytes:
        """A stored tile as a JPEG. Raises DecodeError."""
        return self._ask(_Thumbnail(tile))

    def sheet(self, pictures: Sequence[Picture], folder: Path) -> bytes:
        """The contact sheet of a group, the same as the narrator makes, not opened here. folder: of the library.

        Where a file ends the decoder or takes too long, all of the sheet is made from tiles, which are our own. Raises
        DecodeError where these cannot be read either.
        """
        try:
            return self._ask(_Sheet(tuple(pictures), folder))
        except DecodeError:
            return self._ask(_Sheet(tuple(replace(each, path="") for each in pictures), folder))

    def close(self) -> None:
        """End the child."""
        with self._lock:
            self._end()

    def _ask(self, task: _Task) -> bytes:
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

    def _end(self) -> None:
        if self._child is not None:
            self._child.end()
            self._child = None


def serve(pipe: Connection) -> None:
    """The child process: decode what comes through the pipe until it is closed."""
    child.begin(0)
    with ending_with_a_sentence("the decoder has ended"), contextlib.suppress(EOFError):
        _limit_memory()
        while True:
            pipe.send_bytes(_answer(pipe.recv()))


def _answer(task: _Task) -> bytes:
    try:
        return _DONE + task.run()
    except DecodeError as error:
        return _REFUSED + str(error).encode()
    except MemoryError:
        return _REFUSED + b"it needs more memory than is allowed"
    except AtlasError:  # of the library's files, whose sentences name their paths
        return _REFUSED + b"it cannot be read just now"


def _jpeg(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=JPEG_QUALITY)
    return file.getvalue()


def _limit_memory() -> None:
    if sys.platform == "win32":
        return
    import resource

    with contextlib.suppress(ValueError, OSError):  # macOS refuses
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
