"""Pictures that a person gives to search by: dropped, named or pasted; read on a thread, decoded elsewhere.

One that the library holds is recognised by its content, and its own vector is used.
"""

from __future__ import annotations

import stat
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np

from atlas_rt.core.arrays import Bytes, Floats
from atlas_rt.core.channels import Latest
from atlas_rt.core.freed_memory import give_back
from atlas_rt.core.images import LibraryPlace
from atlas_rt.core.query_picture import QueryPicture
from atlas_rt.core.rows import row_of
from atlas_rt.core.scene import Scene
from atlas_rt.core.troubles import reason_of
from atlas_rt.errors import AtlasError, DecodeError
from atlas_rt.library.disk_errors import reason_of as disk_reason_of
from atlas_rt.library.file_content import content_hash, read
from atlas_rt.library.formats import suffix_of
from atlas_rt.library.store import StoreReader
from atlas_rt.search.vector_index import VectorIndex
from atlas_rt.workers.worker import Announce, Worker, unheard

PREVIEW_PX = 192
"""Long side of what the search console shows of a picture."""
IN_LIBRARY = "this picture is in the library"


@dataclass(frozen=True, slots=True)
class Sample:
    """What is needed of a picture. pixels: (3, size, size) float32, an encoder's input. preview: (h, w, 3) uint8.
    incomplete: which part of it is missing, in a few words."""

    pixels: Floats
    preview: Bytes
    incomplete: str


class Outside(Protocol):
    """Whoever opens what may be made to harm: outside of the window's process. Both raise DecodeError."""

    def pasted(self) -> bytes:
        """The picture on the clipboard, as a file's bytes."""

    def sample(self, data: bytes, suffix: str) -> Sample:
        """What is needed of a file's bytes."""

    def close(self) -> None:
        """Let go of what that takes."""

    def interrupt(self) -> None:
        """Whoever waits for an answer need not wait any longer. From any thread."""


Encode = Callable[[Floats], Floats]
"""Pixels (1, 3, size, size) -> vectors (1, dim)."""


@dataclass(frozen=True, slots=True)
class PictureRequest:
    """Read this picture. picture: as it is shown meanwhile. path: of its file, empty for the clipboard. scene,
    vector_index: where it may be found."""

    picture: QueryPicture
    path: str
    scene: Scene
    vector_index: VectorIndex


@dataclass(frozen=True, slots=True)
class PictureRead:
    """asked: the picture of the request. picture: the same with its vector, None where it cannot be searched by.
    remark: what a person should know of it, or why not."""

    asked: QueryPicture
    picture: QueryPicture | None
    remark: str = ""


class QueryPictureWorker(Worker):
    """A thread that reads the picture given last.

    Encoder and decoder are made for each: that takes 0.8 s, and what they hold is wanted rarely (100 MB for the
    decoder, with a large model over a GB for the encoder).
    """

    part = "query pictures"
    lost = "Pictures cannot be searched by"

    def __init__(
        self,
        place: LibraryPlace,
        outside: Outside,
        make_encode: Callable[[], Encode],
        *,
        announce: Announce = unheard,
    ) -> None:
        super().__init__(announce=announce)
        self._place, self._outside, self._make_encode = place, outside, make_encode
        self._asked: Latest[PictureRequest] = Latest()
        self._read: Latest[PictureRead] = Latest()
        self.start()

    def ask(self, request: PictureRequest) -> None:
        """Read it; `take` tells what came of it."""
        if self.trouble:
            self._read.put(PictureRead(request.picture, None, self.trouble))
        else:
            self._asked.put(request)

    def take(self) -> PictureRead | None:
        return self._read.take()

    def wake(self) -> None:
        self._asked.close()
        self._outside.interrupt()

    def work(self) -> None:
        while True:
            request = self._asked.wait()
            try:
                self._read.put(self._answer(request))
            except DecodeError as error:
                self._read.put(PictureRead(request.picture, None, f"{request.picture.name}: {error}"))
            except Exception as error:
                self._read.put(PictureRead(request.picture, None, f"{request.picture.name}: {reason_of(error)}"))
                raise
            finally:
                self._outside.close()
                give_back()
            self.went_well()

    def _answer(self, request: PictureRequest) -> PictureRead:
        data = _content(request.path) if request.path else self._outside.pasted()
        asked, scene = request.picture, request.scene
        row = row_of(scene.ids, self._known(data))
        if row is not None:
            vector = request.vector_index.at(np.array([row], np.int32))[0]
            return PictureRead(asked, replace(asked, vector=vector, id=int(scene.ids[row])), IN_LIBRARY)
        sample = self._outside.sample(data, suffix_of(request.path))
        vector = self._make_encode()(sample.pixels[None])[0]
        remark = f"{asked.name} is searched by as far as it goes: {sample.incomplete}" if sample.incomplete else ""
        return PictureRead(asked, replace(asked, vector=vector, preview=sample.preview), remark)

    def _known(self, data: bytes) -> int:
        """The image of the library that holds this content, -1 for none, or while that cannot be read."""
        content = content_hash(data)
        try:
            with StoreReader.open(self._place.folder) as store:
                return store.ids_with((content,)).get(content, -1)
        except AtlasError:
            return -1


def why_not(path: str) -> str:
    """Why a file cannot be searched by, as far as its place tells; empty where it may."""
    name = Path(path).name or path
    try:
        mode = Path(path).stat().st_mode
    except OSError as error:
        return f"{name} cannot be searched by: {disk_reason_of(error)}"
    if stat.S_ISDIR(mode):
        return f"{name} is a folder; to search by a picture, give a single one"
    if not stat.S_ISREG(mode):
        return f"{name} is no file that can be read"
    return ""


def _content(path: str) -> bytes:
    """A whole file. Whether it is one is looked at again: to open a pipe would wait for ever."""
    if reason := why_not(path):
        raise DecodeError(reason)
    return read(path)
