"""Where pictures stand that are looked at whole: fit, 1:1, zoom to the pointer, pan, turns, tiles."""

from __future__ import annotations

import math
from itertools import product

import pytest

from atlas_rt.core.look_view import TILE_PX, LookView, Setting, TilePlace, level_size, panes

PANE = (100.0, 50.0, 800.0, 600.0)
MIDDLE = (500.0, 350.0)
SIZES = [(4000, 3000), (3000, 4000), (40000, 12500), (1, 30000), (30000, 1), (32, 32), (1, 1)]
TURNS = range(4)


def settings() -> list[Setting]:
    return [Setting(size, PANE, ratio) for size, ratio in product(SIZES, (1.0, 2.0))]


def spread(setting: Setting, view: LookView) -> tuple[float, float, float, float]:
    """Left, top, right, bottom of the picture on the screen."""
    corners = setting.corners(view, (0.0, 0.0, 1.0, 1.0))
    return (
        min(x for x, _ in corners),
        min(y for _, y in corners),
        max(x for x, _ in corners),
        max(y for _, y in corners),
    )


@pytest.mark.parametrize("turns", TURNS)
def test_fit_fills_the_pane_in_one_direction_and_stands_in_its_middle(turns: int) -> None:
    for setting in settings():
        left, top, right, bottom = spread(setting, LookView(turns=turns))
        assert left >= PANE[0] - 1 and right <= PANE[0] + PANE[2] + 1  # noqa: PT018
        assert top >= PANE[1] - 1 and bottom <= PANE[1] + PANE[3] + 1  # noqa: PT018
        assert right - left == pytest.approx(PANE[2]) or bottom - top == pytest.approx(PANE[3])
        assert ((left + right) / 2, (top + bottom) / 2) == pytest.approx(MIDDLE, abs=1.0)


def test_a_picture_is_a_pixel_wide_at_least() -> None:
    left, _, right, _ = spread(Setting((1, 30000), PANE, 2.0), LookView())
    assert right - left == 0.5


@pytest.mark.parametrize("turns", TURNS)
def test_one_to_one_is_a_pixel_for_a_pixel_and_begins_at_one(turns: int) -> None:
    for setting in settings():
        view = setting.zoomed(LookView(turns=turns), setting.one_to_one(turns), MIDDLE)
        assert setting.magnification(view) == pytest.approx(1.0)
        for corner in setting.corners(view, (0.0, 0.0, 1.0, 1.0))[0]:
            assert corner * setting.pixel_ratio == pytest.approx(round(corner * setting.pixel_ratio))


@pytest.mark.parametrize("turns", TURNS)
def test_zooming_keeps_what_is_under_the_pointer(turns: int) -> None:
    setting = Setting((4000, 3000), PANE)
    view = setting.zoomed(LookView(turns=turns), 5.0, MIDDLE)
    for at_px in ((300.0, 200.0), (700.0, 500.0)):
        nearer = setting.zoomed(view, view.zoom * 1.7, at_px)
        assert setting.place_at(nearer, at_px) == pytest.approx(setting.place_at(view, at_px))
        assert nearer.zoom == pytest.approx(view.zoom * 1.7)


def test_zoom_ends_at_fit_or_one_to_one_and_at_large_pixels() -> None:
    large, small = Setting((4000, 3000), PANE), Setting((32, 32), PANE)
    assert large.zoomed(LookView(), 0.01, MIDDLE).zoom == 1.0
    assert small.magnification(small.zoomed(LookView(), 0.01, MIDDLE)) == pytest.approx(1.0)
    assert large.magnification(large.zoomed(LookView(), 1e9, MIDDLE)) == pytest.approx(32.0)


@pytest.mark.parametrize("turns", TURNS)
def test_a_drag_moves_the_picture_with_the_pointer_and_stops_at_its_edge(turns: int) -> None:
    setting = Setting((4000, 3000), PANE)
    view = setting.zoomed(LookView(turns=turns), 6.0, MIDDLE)
    place = setting.place_at(view, (400.0, 300.0))
    moved = setting.panned(view, (70.0, -40.0))
    assert setting.place_at(moved, (470.0, 260.0)) == pytest.approx(place)
    left, top, right, bottom = spread(setting, setting.panned(view, (1e6, 1e6)))
    assert (left, top) == pytest.approx(PANE[:2], abs=1.0)
    assert right > PANE[0] + PANE[2]
    assert bottom > PANE[1] + PANE[3]


def test_what_fits_stays_in_the_middle() -> None:
    setting = Setting((4000, 3000), PANE)
    assert setting.panned(LookView(), (200.0, 100.0)).centre == (0.5, 0.5)


def test_four_turns_are_none_and_a_turn_keeps_the_size() -> None:
    setting = Setting((4000, 3000), PANE)
    view = setting.zoomed(LookView(), setting.one_to_one(0), (300.0, 200.0))
    turned = setting.turned(view, 1)
    assert setting.magnification(turned) == pytest.approx(1.0)
    back = setting.turned(setting.turned(turned, 1), 2)
    assert back.turns == 0
    assert back.zoom == pytest.approx(view.zoom)
    assert setting.turned(LookView(), 1).zoom == 1.0


def test_a_quarter_turn_brings_the_top_to_the_right() -> None:
    setting = Setting((4000, 3000), PANE)
    top_left, top_right, bottom_right, bottom_left = setting.corners(LookView(turns=1), (0.0, 0.0, 1.0, 1.0))
    assert top_left[0] > bottom_left[0]
    assert top_left[1] < top_right[1]
    assert bottom_right[0] < top_right[0]


@pytest.mark.parametrize("turns", TURNS)
def test_tiles_cover_all_that_is_seen_of_the_picture(turns: int) -> None:
    """Every place of the pane that shows the picture lies in a tile, at the place where the tile is drawn."""
    for setting, zoom in product(settings(), (1.0, 3.0, 40.0)):
        view = setting.zoomed(LookView(turns=turns), zoom, (250.0, 180.0))
        level = setting.level(view)
        size = level_size(setting.size_px, level)
        tiles = set(setting.tiles(view, level))
        for across, down in product((0.01, 0.31, 0.77, 0.99), repeat=2):
            x, y = setting.place_at(view, (PANE[0] + PANE[2] * across, PANE[1] + PANE[3] * down))
            if 0.0 < x < 1.0 and 0.0 < y < 1.0:
                column, row = (int(share * side) // TILE_PX for share, side in zip((x, y), size, strict=True))
                assert TilePlace(level, column, row) in tiles
        assert len(tiles) <= math.ceil(1600 / TILE_PX + 1) ** 2 * 4


def test_the_level_has_a_pixel_for_each_of_the_screen() -> None:
    for setting in settings():
        view = LookView()
        level = setting.level(view)
        density = 1.0 / (setting.magnification(view) * 2**level)
        assert density >= 0.999 or level == 0
        assert density < 2.001 or setting.magnification(view) > 1.0


def test_tiles_begin_in_the_middle_of_what_is_seen() -> None:
    setting = Setting((40000, 12500), PANE)
    view = setting.zoomed(LookView(), setting.one_to_one(0), MIDDLE)
    first = setting.tiles(view, 0)[0]
    assert abs(first.column - 20000 // TILE_PX) <= 1
    assert abs(first.row - 6250 // TILE_PX) <= 1


def test_panes_stand_side_by_side_without_overlap() -> None:
    for count, whole in product((1, 2, 3, 4), (PANE, (0.0, 0.0, 300.0, 900.0))):
        boxes = panes(count, whole, 4.0)
        assert len(boxes) == count
        for left, top, width, height in boxes:
            assert left >= whole[0]
            assert top >= whole[1]
            assert left + width <= whole[0] + whole[2] + 0.01
            assert top + height <= whole[1] + whole[3] + 0.01
        assert sum(width * height for _, _, width, height in boxes) > whole[2] * whole[3] * 0.95
