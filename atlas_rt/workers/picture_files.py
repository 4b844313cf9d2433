"""Pictures of the view, written to files on a thread: to encode one of 4K takes a second without frames."""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from PIL import Image

from atlas_rt.core.arrays import Bytes
from atlas_rt.core.channels import Closed, Inbox
from atlas_rt.workers.worker import Announce, Worker, unheard

WAITING_MAX = 8
"""Pictures that may wait to be written; the person who presses the key more often than that waits a moment."""


@dataclass(frozen=True, slots=True)
class SavedPicture:
    """Where a picture lies now, or why it could not be saved there."""

    path: Path
    error: str = ""


class PictureFiles(Worker):
    """A thread that writes PNG files, and never over another one."""

    part = "picture files"
    lost = "Pictures of the view cannot be saved"

    def __init__(self, *, announce: Announce = unheard) -> None:
        super().__init__(announce=announce)
        self._waiting: Inbox[tuple[Bytes, Path] | None] = Inbox(WAITING_MAX)
        self._saved: Inbox[SavedPicture] = Inbox(WAITING_MAX)
        self.start()

    def save(self, pixels: Bytes, folder: Path) -> None:
        """Write a picture (h, w, 3), named by the time, to a folder; `take` tells what became of it."""
        self._waiting.put((pixels, folder / f"atlas_rt {datetime.now():%Y-%m-%d %H.%M.%S}.png"))

    def take(self) -> SavedPicture | None:
        return next(iter(self._saved.drain(budget_secs=0.0)), None)

    def wake(self) -> None:
        self._saved.close()
        self._waiting.put(None)  # after the pictures that wait: what was asked for is written

    def work(self) -> None:
        while (picture := self._waiting.wait()) is not None:
            saved = _written(*picture)
            with contextlib.suppress(Closed):  # nobody looks any more
                self._saved.put(saved)
            self.went_well()


def _written(pixels: Bytes, path: Path) -> SavedPicture:
    png = io.BytesIO()
    Image.fromarray(pixels).save(png, "PNG")
    number, wanted = 1, path
    while True:
        try:
            with wanted.open("xb") as file:
                file.write(png.getvalue())
            return SavedPicture(wanted)
        except FileExistsError:
            number += 1
            wanted = path.with_stem(f"{path.stem} ({number})")
        except OSError as error:
            return SavedPicture(wanted, error.strerror or str(error))
