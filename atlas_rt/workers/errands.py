"""What is done with an image's file outside of the window, on a thread: opened, shown in its folder, copied."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from atlas_rt.core.channels import Closed, Inbox
from atlas_rt.core.s3_address import is_s3
from atlas_rt.core.troubles import reason_of
from atlas_rt.errors import AtlasError, MissingError
from atlas_rt.library.decoding.decode import read_picture
from atlas_rt.library.decoding.stored_picture import Enough
from atlas_rt.library.disk_errors import reason_of as disk_reason_of
from atlas_rt.library.file_content import read
from atlas_rt.library.formats import suffix_of
from atlas_rt.library.whole_picture import AbandonedError
from atlas_rt.workers.desktop import open_file, show_in_folder
from atlas_rt.workers.image_sources import FileOf, own_file
from atlas_rt.workers.worker import Announce, Worker, unheard

OPEN, SHOW, COPY = "open", "show", "copy"
WAITING_MAX = 16
PNG_BYTES_MAX = 12_000_000
"""The X server takes 16 MB at a time."""
COPIED_PX = 4096
"""Long side of a picture that is copied, at most."""
SMALLER = 0.7
NAME_BYTES_MAX = 200
"""A key may be longer than a file's name."""


@dataclass(frozen=True, slots=True)
class Errand:
    """kind: OPEN, SHOW or COPY."""

    kind: str
    path: str


@dataclass(frozen=True, slots=True)
class Done:
    """What came of an errand. png: the picture to copy, of `size_px`; of_px: what it is in the file. error: why nothing
    came of it."""

    errand: Errand
    png: bytes = b""
    size_px: tuple[int, int] = (0, 0)
    of_px: tuple[int, int] = (0, 0)
    error: str = ""


class ErrandWorker(Worker):
    """A thread that does one errand after the other."""

    part = "errands"
    lost = "Files cannot be opened or copied"

    def __init__(self, *, file_of: FileOf = own_file, announce: Announce = unheard) -> None:
        super().__init__(announce=announce)
        self._file_of = file_of
        self._lent = tempfile.TemporaryDirectory(prefix="atlas_rt-", ignore_cleanup_errors=True)
        self._waiting: Inbox[Errand] = Inbox(WAITING_MAX)
        self._done: Inbox[Done] = Inbox(WAITING_MAX)
        self.start()

    def ask(self, errand: Errand) -> bool:
        """False where too many wait already."""
        if self._waiting.full:
            return False
        self._waiting.put(errand)
        return True

    def take(self) -> Iterator[Done]:
        return self._done.drain(budget_secs=0.0)

    def wake(self) -> None:
        self._waiting.close()
        self._done.close()

    def close(self, *, limit_secs: float = 2.0) -> None:
        super().close(limit_secs=limit_secs)
        self._lent.cleanup()

    def work(self) -> None:
        while True:
            errand = self._waiting.wait()
            try:
                done = self._carry_out(errand)
            except AbandonedError:
                done = Done(errand, error="it was stopped")
            except AtlasError as error:
                done = Done(errand, error=str(error))
            except Exception as error:
                with contextlib.suppress(Closed):
                    self._done.put(Done(errand, error=reason_of(error)))
                raise
            self._done.put(done)
            self.went_well()

    def _carry_out(self, errand: Errand) -> Done:
        if errand.kind == SHOW and is_s3(errand.path):
            raise MissingError("it lies in a bucket, which no file manager shows; copy its address instead")
        if errand.kind == SHOW:
            show_in_folder(errand.path)
            return Done(errand)
        file = self._file_of(errand.path, lambda: self.closing)
        if errand.kind == COPY:
            return _copied(errand, file)
        open_file(str(self._lent_copy(errand.path, file) if is_s3(errand.path) else file))
        return Done(errand)

    def _lent_copy(self, path: str, file: Path) -> Path:
        """A copy of an original for another program, under its own name: what that one writes changes no cache."""
        folder = Path(tempfile.mkdtemp(dir=self._lent.name))
        name = path.rpartition("/")[2].replace("\0", "_") or "image"
        copy = folder / (name if len(os.fsencode(name)) < NAME_BYTES_MAX else f"image{file.suffix}")
        try:
            shutil.copyfile(file, copy)
        except OSError as error:
            raise MissingError(disk_reason_of(error)) from error
        return copy


def _copied(errand: Errand, file: Path) -> Done:
    """The picture as PNG, upright and in sRGB, made smaller until the X server takes it."""
    decoded = read_picture(read(str(file)), enough=Enough(COPIED_PX, 1), suffix=suffix_of(errand.path))
    image = decoded.image
    if max(image.size) > COPIED_PX:
        image.thumbnail((COPIED_PX, COPIED_PX), Image.Resampling.BICUBIC)
    while len(png := _png(image)) > PNG_BYTES_MAX:
        size = max(round(image.width * SMALLER), 1), max(round(image.height * SMALLER), 1)
        image = image.resize(size, Image.Resampling.BICUBIC)
    return Done(errand, png, image.size, (decoded.width_px, decoded.height_px))


def _png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=1)
    return file.getvalue()
