"""The selected image's full picture, decoded on a thread as large as the panel shows it."""

from __future__ import annotations

from dataclasses import dataclass

from atlas_rt.core.arrays import Bytes
from atlas_rt.core.channels import Latest
from atlas_rt.core.troubles import reason_of
from atlas_rt.errors import AtlasError
from atlas_rt.library.tile_making import load_picture
from atlas_rt.library.whole_picture import AbandonedError
from atlas_rt.workers.image_sources import FileOf, own_file
from atlas_rt.workers.worker import Announce, Worker, unheard

PICTURE_PX = 1024
"""Long side of a picture in the panel: sharp on a 4K screen, decoded in 50 ms from 12 megapixels."""


@dataclass(frozen=True, slots=True)
class DecodedPicture:
    """(h, w, 4) uint8 RGBA of an image, or why there is none."""

    id: int
    pixels: Bytes | None
    error: str = ""


class PictureWorker(Worker):
    """A thread that decodes the picture asked for last. One that cannot be decoded is told with its reason."""

    part = "pictures"
    lost = "Full pictures cannot be shown"

    def __init__(self, *, file_of: FileOf = own_file, announce: Announce = unheard) -> None:
        super().__init__(announce=announce)
        self._file_of = file_of
        self._asked: Latest[tuple[int, str]] = Latest()
        self._pictures: Latest[DecodedPicture] = Latest()
        self.start()

    def ask(self, id_: int, path: str) -> None:
        self._asked.put((id_, path))

    def take(self) -> DecodedPicture | None:
        return self._pictures.take()

    def wake(self) -> None:
        self._asked.close()

    def _abandoned(self) -> bool:
        return self.closing or self._asked.peek() is not None

    def work(self) -> None:
        while True:
            id_, path = self._asked.wait()
            try:
                file = self._file_of(path, self._abandoned)
                self._pictures.put(DecodedPicture(id_, load_picture(str(file), PICTURE_PX)))
            except AbandonedError:
                continue
            except AtlasError as error:
                self._pictures.put(DecodedPicture(id_, None, str(error)))
            except Exception as error:
                self._pictures.put(DecodedPicture(id_, None, reason_of(error)))
                raise
            self.went_well()
