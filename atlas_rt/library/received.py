"""Images that other programs have sent: files in the data folder, one folder for each library.

<data>/received/<the library's 16 hex digits>/beach-3f9c....jpg

A file is named by its content, so the same image is kept once, however often it comes. Whoever writes the library takes
the folder in as one of its sources (`engine.received`). A person takes an image out by deleting its file.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from atlas_rt.core.images import LibraryPlace
from atlas_rt.errors import MissingError
from atlas_rt.library import disk_errors
from atlas_rt.library.file_content import content_hash
from atlas_rt.library.personal_data import KIND

STEM_MAX = 60
"""Characters of the sender's name that are kept."""
_UNSAFE = re.compile(r"[^\w-]+")


def received_folder(data: Path, place: LibraryPlace) -> Path:
    """Where the images sent to one library lie. data: the folder of what a person made. Makes nothing."""
    return data / "received" / place.folder.name


def keep(folder: Path, image: bytes, *, name: str, suffix: str) -> tuple[Path, bool]:
    """The file of an image in `received_folder`, whole on the disk, and whether it is new.

    name: what the sender calls it; only letters, digits and dashes of it count. suffix: of the file, with its dot.
    Raises MissingError where the disk refuses.
    """
    try:
        with disk_errors.writing(folder, kind=KIND):
            return _keep(folder, image, stem=_UNSAFE.sub("-", Path(name).stem)[:STEM_MAX].strip("-"), suffix=suffix)
    except (FileExistsError, NotADirectoryError) as error:
        raise MissingError(f"A file stands where the folder for received images must be: {folder}") from error


def _keep(folder: Path, image: bytes, *, stem: str, suffix: str) -> tuple[Path, bool]:
    content = content_hash(image).hex()
    if kept := sorted(folder.glob(f"*{content}.*")):
        return kept[0], False
    incoming = folder.parent / ".incoming"
    incoming.mkdir(parents=True, exist_ok=True)
    temporary = incoming / f"{content}-{os.urandom(4).hex()}"
    try:
        with temporary.open("wb") as file:
            file.write(image)
            file.flush()
            os.fsync(file.fileno())
        folder.mkdir(exist_ok=True)  # only now: an empty source would look like a drive that is not plugged in
        target = folder / f"{stem}{'-' if stem else ''}{content}{suffix}"
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
    disk_errors.sync_folder(folder)
    return target, True
