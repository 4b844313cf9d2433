"""Where a picture that is looked at whole stands in its pane: fit, 1:1, zoom, pan and quarter turns. Plain geometry.

One `LookView` may be shared by several pictures, whatever their sizes: zoom counts from where all of a picture is seen,
and places in a picture are shares of its width and height. So pictures that are compared stay locked together.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import NamedTuple

Point = tuple[float, float]
Box = tuple[float, float, float, float]
"""Left, top, width, height."""

TILE_PX = 512
"""Side of the tiles that a large picture is cut into."""
SCALE_MAX = 32.0
"""Pixels of the screen for a pixel of the picture, at most."""
GAP_PX = 2.0
"""Between pictures that are compared, before scaling."""


@dataclass(frozen=True, slots=True)
class LookView:
    """zoom: how many times as large as where all is seen. centre: which place of the upright picture stands in the
    middle of the pane. turns: quarter turns clockwise, 0 to 3."""

    zoom: float = 1.0
    centre: Point = (0.5, 0.5)
    turns: int = 0


class TilePlace(NamedTuple):
    """One tile of a picture. level: how often its sides were halved."""

    level: int
    column: int
    row: int


@dataclass(frozen=True, slots=True)
class Setting:
    """A picture in its pane. size_px: of the picture, upright. pane: window pixels. pixel_ratio: pixels of the screen
    for one of the window."""

    size_px: tuple[int, int]
    pane: Box
    pixel_ratio: float = 1.0

    # -- scale ---------------------------------------------------------------------------------------------------------

    def fit(self, turns: int) -> float:
        """Window pixels for a pixel of the picture where all of it is seen."""
        width, height = self.size_px if turns % 2 == 0 else self.size_px[::-1]
        return min(self.pane[2] / width, self.pane[3] / height)

    def scale(self, view: LookView) -> float:
        """Window pixels for a pixel of the picture."""
        return self.fit(view.turns) * view.zoom

    def magnification(self, view: LookView) -> float:
        """Pixels of the screen for one of the picture: 1 is 1:1."""
        return self.scale(view) * self.pixel_ratio

    def one_to_one(self, turns: int) -> float:
        """The zoom at which a pixel of the picture is a pixel of the screen."""
        return 1.0 / (self.fit(turns) * self.pixel_ratio)

    # -- what a person does --------------------------------------------------------------------------------------------

    def zoomed(self, view: LookView, zoom: float, at_px: Point) -> LookView:
        """The view with another zoom; the place of the picture at `at_px` stays where it is."""
        one = self.one_to_one(view.turns)
        zoom = min(max(zoom, min(1.0, one)), max(1.0, one * SCALE_MAX))
        before, after = self.place_at(view, at_px), self.place_at(replace(view, zoom=zoom), at_px)
        centre = view.centre[0] + before[0] - after[0], view.centre[1] + before[1] - after[1]
        return self.clamped(replace(view, zoom=zoom, centre=centre))

    def panned(self, view: LookView, by_px: Point) -> LookView:
        """The view with the picture moved on the screen."""
        middle = self._middle
        centre = self.place_at(view, (middle[0] - by_px[0], middle[1] - by_px[1]))
        return self.clamped(replace(view, centre=centre))

    def turned(self, view: LookView, quarters: int) -> LookView:
        """The view turned around the middle of the pane: as large as before, or seen whole as before."""
        turns = (view.turns + quarters) % 4
        zoom = 1.0 if view.zoom == 1.0 else self.scale(view) / self.fit(turns)
        return self.clamped(replace(view, turns=turns, zoom=zoom))

    def clamped(self, view: LookView) -> LookView:
        """The view with no empty space on one side while the picture is cut on the other."""
        scale = self.scale(view)
        pane = (self.pane[2], self.pane[3]) if view.turns % 2 == 0 else (self.pane[3], self.pane[2])
        centre = tuple(
            0.5 if half >= 0.5 else min(max(place, half), 1.0 - half)
            for place, half in zip(
                view.centre, (pane[axis] / 2.0 / (self.size_px[axis] * scale) for axis in (0, 1)), strict=True
            )
        )
        return replace(view, centre=(centre[0], centre[1]))

    # -- places --------------------------------------------------------------------------------------------------------

    @property
    def _middle(self) -> Point:
        return self.pane[0] + self.pane[2] / 2.0, self.pane[1] + self.pane[3] / 2.0

    def place_at(self, view: LookView, at_px: Point) -> Point:
        """Which place of the upright picture is there, as shares of its sides; outside of 0..1 beside the picture."""
        middle, scale = self._middle, self.scale(view)
        across, down = _turned((at_px[0] - middle[0], at_px[1] - middle[1]), -view.turns)
        return (
            view.centre[0] + across / (self.size_px[0] * scale),
            view.centre[1] + down / (self.size_px[1] * scale),
        )

    def corners(self, view: LookView, shares: Box) -> tuple[Point, Point, Point, Point]:
        """Where a part of the picture comes to stand: its upright top left, top right, bottom right, bottom left.

        The picture begins at a whole pixel of the screen, so that 1:1 is sharp, and is a pixel wide at least.
        """
        scale, middle = self.scale(view), self._middle
        wide, high = (max(side * scale, 1.0 / self.pixel_ratio) for side in self.size_px)
        origin = _turned((-view.centre[0] * wide, -view.centre[1] * high), view.turns)
        origin = self._snapped(middle[0] + origin[0]), self._snapped(middle[1] + origin[1])
        left, top, width, height = shares

        def at(x: float, y: float) -> Point:
            across, down = _turned((x * wide, y * high), view.turns)
            return origin[0] + across, origin[1] + down

        right, bottom = left + width, top + height
        return at(left, top), at(right, top), at(right, bottom), at(left, bottom)

    def _snapped(self, px: float) -> float:
        return round(px * self.pixel_ratio) / self.pixel_ratio

    # -- tiles ---------------------------------------------------------------------------------------------------------

    def level(self, view: LookView) -> int:
        """The coarsest level that still has a pixel for each pixel of the screen."""
        return max(math.floor(math.log2(1.0 / max(self.magnification(view), 1e-9)) + 1e-6), 0)

    def tiles(self, view: LookView, level: int) -> list[TilePlace]:
        """The tiles of a level that are to be seen, from the middle of the pane outwards."""
        width, height = level_size(self.size_px, level)
        left, top, wide, high = self.pane
        ends = [self.place_at(view, (left + wide * x, top + high * y)) for x, y in ((0.0, 0.0), (1.0, 1.0))]
        spans = []
        for axis, length in ((0, width), (1, height)):
            low, high_end = sorted((ends[0][axis], ends[1][axis]))
            last = (length - 1) // TILE_PX
            first = min(max(math.floor(low * length / TILE_PX), 0), last)
            spans.append(range(first, min(max(math.floor(high_end * length / TILE_PX), first), last) + 1))
        middle = view.centre[0] * width / TILE_PX - 0.5, view.centre[1] * height / TILE_PX - 0.5
        places = [TilePlace(level, column, row) for row in spans[1] for column in spans[0]]
        return sorted(places, key=lambda place: math.dist((place.column, place.row), middle))

    def shares_of(self, place: TilePlace) -> Box:
        """Which part of the picture a tile is."""
        width, height = level_size(self.size_px, place.level)
        left, top, right, bottom = tile_box((width, height), place)
        return left / width, top / height, (right - left) / width, (bottom - top) / height


def level_size(size_px: tuple[int, int], level: int) -> tuple[int, int]:
    """A picture's size after so many halvings, each rounded up."""
    step = 1 << level
    return -(-size_px[0] // step), -(-size_px[1] // step)


def tile_box(level_px: tuple[int, int], place: TilePlace) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of a tile in the pixels of its level."""
    left, top = place.column * TILE_PX, place.row * TILE_PX
    return left, top, min(left + TILE_PX, level_px[0]), min(top + TILE_PX, level_px[1])


def panes(count: int, whole: Box, gap: float) -> list[Box]:
    """Where so many pictures stand side by side: in one row, four in two rows; in one column where that is narrow."""
    left, top, width, height = whole
    columns = 2 if count == 4 else count
    if count in (2, 3) and height > width:
        columns = 1
    rows = -(-count // columns)
    wide, high = (width - gap * (columns - 1)) / columns, (height - gap * (rows - 1)) / rows
    steps = (divmod(number, columns) for number in range(count))
    return [(left + (wide + gap) * column, top + (high + gap) * row, wide, high) for row, column in steps]


def _turned(by: Point, turns: int) -> Point:
    """A step on the screen (y grows downwards) after quarter turns clockwise."""
    x, y = by
    for _ in range(turns % 4):
        x, y = -y, x
    return x, y
