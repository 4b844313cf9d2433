"""What is done with an image's file outside of the window, on a thread: opened, shown in its folder, copied."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from dataclasses import dataclass

from PIL import Image

from atlas_rt.core.channels import Closed, Inbox
from atlas_rt.core.troubles import reason_of
from atlas_rt.errors import AtlasError
from atlas_rt.library.decoding.decode import read_picture
from atlas_rt.library.decoding.stored_picture import Enough
from atlas_rt.library.file_content import read
from atlas_rt.library.formats import suffix_of
from atlas_rt.workers.desktop import open_file, show_in_folder
from atlas_rt.workers.worker import Announce, Worker, unheard

OPEN, SHOW, COPY = "open", "show", "copy"
WAITING_MAX = 16
PNG_BYTES_MAX = 12_000_000
"""The X server takes 16 MB at a time."""
COPIED_PX = 4096
"""Long side of a picture that is copied, at most."""
SMALLER = 0.7


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

    def __init__(self, *, announce: Announce = unheard) -> None:
        super().__init__(announce=announce)
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

    def work(self) -> None:
        while True:
            errand = self._waiting.wait()
            try:
                done = _done(errand)
            except AtlasError as error:
                done = Done(errand, error=str(error))
            except Exception as error:
                with contextlib.suppress(Closed):
                    self._done.put(Done(errand, error=reason_of(error)))
                raise
            self._done.put(done)
            self.went_well()


def _done(errand: Errand) -> Done:
    if errand.kind == OPEN:
        open_file(errand.path)
    elif errand.kind == SHOW:
        show_in_folder(errand.path)
    else:
        return _copied(errand)
    return Done(errand)


def _copied(errand: Errand) -> Done:
    """The picture as PNG, upright and in sRGB, made smaller until the X server takes it."""
    decoded = read_picture(read(errand.path), enough=Enough(COPIED_PX, 1), suffix=suffix_of(errand.path))
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
