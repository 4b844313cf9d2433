"""Views that a person kept, with names, known by what stands in them.

A view is kept with the contents of the images around what it looks at, and where these stood. So it belongs to every
library that holds them, and follows them when a new map moves them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from atlas_rt.core.scene import Pose
from atlas_rt.library.personal_data import Kept, PersonalFile

Point = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Bookmark:
    """pose: of the eye. anchors: contents of images in the view, and where they stood, the nearest first."""

    name: str
    pose: Pose
    anchors: tuple[tuple[bytes, Point], ...]


class Bookmarks:
    """The file of all bookmarks, of all libraries."""

    def __init__(self, folder: Path) -> None:
        self._file = PersonalFile(folder, "bookmarks", read=_read, write=_write)

    @property
    def path(self) -> Path:
        return self._file.path

    def read(self) -> Kept[Bookmark]:
        """All bookmarks, the oldest first. Raises MissingError where they may not be read."""
        return self._file.read()

    def keep(self, bookmark: Bookmark) -> None:
        """Raises MissingError where it cannot be kept."""
        self._file.change(lambda kept: (*(each for each in kept if each != bookmark), bookmark))

    def drop(self, bookmark: Bookmark) -> None:
        """Raises MissingError where that cannot be written."""
        self._file.change(lambda kept: tuple(each for each in kept if each != bookmark))


def _read(facts: object) -> Bookmark:
    if not isinstance(facts, dict):
        raise TypeError
    pose = Pose(_point(facts["eye"]), float(facts["yaw"]), float(facts["pitch"]))
    anchors = tuple((bytes.fromhex(content), _point(at)) for content, at in facts["anchors"])
    return Bookmark(str(facts["name"]), pose, anchors)


def _write(bookmark: Bookmark) -> dict[str, object]:
    pose = bookmark.pose
    return {
        "name": bookmark.name,
        "eye": list(pose.eye),
        "yaw": pose.yaw,
        "pitch": pose.pitch,
        "anchors": [[content.hex(), list(at)] for content, at in bookmark.anchors],
    }


def _point(values: object) -> Point:
    if not isinstance(values, list):
        raise TypeError
    x, y, z = (float(each) for each in values)
    return x, y, z
