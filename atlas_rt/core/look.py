"""What crosses threads and folders about pictures that are looked at whole. Frozen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from atlas_rt.core.arrays import Bytes
from atlas_rt.core.look_view import Box, Point, TilePlace

MOST = 4
"""Pictures that are compared at a time."""


class PictureKey(NamedTuple):
    """An image as it is now: a changed file has another tile record."""

    id: int
    record: int


class TileKey(NamedTuple):
    """One tile of a picture."""

    picture: PictureKey
    place: TilePlace


@dataclass(frozen=True, slots=True)
class Opened:
    """A picture that was decoded. size_px: upright, in full resolution. first, last: the finest and the coarsest level
    that are there. remark: what is missing of it, error: why it cannot be shown; empty where there is nothing to say.
    """

    picture: PictureKey
    size_px: tuple[int, int] = (1, 1)
    first: int = 0
    last: int = 0
    remark: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class LookTile:
    """A tile ready to upload. pixels: (h, w, 4) uint8; inner: left, top, right, bottom of the tile in them, as shares:
    what is outside belongs to its neighbours."""

    key: TileKey
    pixels: Bytes
    inner: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Placed:
    """A tile where it stands on the screen: its upright top left, top right, bottom right and bottom left corner."""

    key: TileKey
    corners: tuple[Point, Point, Point, Point]


@dataclass(frozen=True, slots=True)
class LookPane:
    """One picture that is looked at. pane: window pixels. corners: of the whole picture. tiles: those that are there,
    from the coarsest. stand_in: something smaller is shown until they come. lines: what is told of it, (what, value).
    loading: it has been read for a while, and still is. fetched: how much of it has come from S3 by now. error: why it
    cannot be shown; remark: what is missing of it; empty where there is nothing to say.
    """

    id: int
    name: str
    pane: Box
    corners: tuple[Point, Point, Point, Point]
    tiles: tuple[Placed, ...] = ()
    stand_in: bool = False
    loading: bool = False
    fetched: str = ""
    lines: tuple[tuple[str, str], ...] = ()
    error: str = ""
    remark: str = ""


@dataclass(frozen=True, slots=True)
class LookPanel:
    """Pictures that are looked at whole, in one frame.

    percent: pixels of the screen for 100 of the (first) picture. whole: all of it is seen. order: what the arrows go
    through, and where in it the picture is. informed: what is known of the pictures is shown. steps: there was one
    before, to compare it with.
    """

    panes: tuple[LookPane, ...]
    percent: float
    whole: bool
    order: str
    informed: bool
    steps: bool = False
