"""Cards from front to back, each pixel written once: picture, rim, rounded corners, fog.

Two ways to fill a card. Small ones: the nearest texel, two colours in one product, rim by rows and columns. Large or
still ones: texels blended, two tiles cross-faded, the rim follows the corners.
"""

from __future__ import annotations

import math

import numpy as np

from atlas_rt.core.arrays import Floats
from atlas_rt.render import look
from atlas_rt.render.soft.kernels.compiler import kernel
from atlas_rt.render.soft.kernels.pixels import HALF, MOST, ONE, TWO, ZERO, f32, i32, nearness, packed, smooth, u16, u32, vignette
from atlas_rt.render.soft.kernels.records import Counts, Depths, Pixels, Record, Records

Tiles = tuple[Pixels, ...]
"""Every level of the small, medium and large tiles: (slots, side * side) pixels each."""
SMALL_LEVELS, MEDIUM_LEVELS, LARGE_LEVELS = 4, 6, 8
"""As OpenGL has them: 32..4, 128..4 and 512..4 pixels."""

FOG_RED, FOG_GREEN, FOG_BLUE = (f32(math.sqrt(each) * 255.0) for each in look.FOG_COLOUR)
CLEAR_LEAST, PICTURE_LIGHT = f32(look.CLEAR_LEAST), f32(look.PICTURE_LIGHT)
SMALL_FROM, SMALL_TO, SMALL_GAIN = f32(look.SMALL_FROM), f32(look.SMALL_TO), f32(look.SMALL_GAIN)
TINY_FROM, TINY_TO = f32(look.TINY_FROM), f32(look.TINY_TO)
TINY_HUE, TINY_FADE = f32(look.TINY_HUE), f32(look.TINY_FADE)
CORNER, POINT_LEAST_PX = f32(look.CORNER), f32(look.POINT_LEAST_PX)
FACE_TOP, FACE_FALL = f32(look.FACE_TOP), f32(look.FACE_FALL)
RIM_SHARE, RIM_LEAST_PX, RIM_MOST_PX = f32(look.RIM_SHARE), f32(look.RIM_LEAST_PX), f32(look.RIM_MOST_PX)
RIM_LIGHT, RIM_WHITE, RIM_COVER = f32(look.RIM_LIGHT), f32(look.RIM_WHITE), f32(look.RIM_COVER)
RIM_FROM, RIM_SLOPE, RIM_LIGHT_MAX = f32(look.RIM_FROM), f32(look.RIM_SLOPE), f32(look.RIM_LIGHT_MAX)
LEVEL_BIAS, FADE_SECS = f32(look.LEVEL_BIAS), f32(look.FADE_SECS)
SMOOTH_FROM_PX = f32(24.0)
"""Side of a card from which texels are blended: below, two texels differ by less than the eye follows in motion."""
SMALL_ONLY_PX = f32(16.0)
"""Half the long side up to which a card shows its small tile, whatever else is there."""
RED_BLUE, GREEN, BYTE = u32(0x00FF00FF), u32(0x0000FF00), u32(0xFF)
OPAQUE = u32(0xFF000000)
UNIT = f32(256.0)

Box = tuple[int, int, int, int]
Paint = tuple[f32, f32, f32, f32, f32, f32, f32, f32, f32, f32, f32, f32]
Colour = tuple[f32, f32, f32]


@kernel
def _box(node: Record, across: f32, down: f32, width: int, top: int, bottom: int) -> Box:
    """Left, right, top and bottom pixel of a card in the rows top..bottom."""
    left = max(int(math.ceil(node.x - across - HALF)), 0)
    right = min(int(math.floor(node.x + across - HALF)) + 1, width)
    upper = max(int(math.ceil(node.y - down - HALF)), top)
    lower = min(int(math.floor(node.y + down - HALF)) + 1, bottom)
    return left, right, upper, lower


@kernel
def _first_free(depths: Depths, box: Box) -> int:
    """The first row in which a pixel is not covered yet; the bottom if there is none."""
    left, right, top, bottom = box
    for y in range(top, bottom):
        line = depths[y]
        least = u16(65535)
        for x in range(left, right):
            least = min(least, line[x])
        if least == 0:
            return y
    return bottom


@kernel
def _rim(frame: Record, card: Record, light: f32, clear: f32) -> Colour:
    """The rim's colour, 0..255, the fog in it."""
    gain = min(f32(math.sqrt(light / PICTURE_LIGHT)), RIM_LIGHT_MAX) * RIM_LIGHT
    red = min(card.hue_red * (card.hue_red + (ONE - card.hue_red) * RIM_WHITE) * gain, ONE) * MOST
    green = min(card.hue_green * (card.hue_green + (ONE - card.hue_green) * RIM_WHITE) * gain, ONE) * MOST
    blue = min(card.hue_blue * (card.hue_blue + (ONE - card.hue_blue) * RIM_WHITE) * gain, ONE) * MOST
    return FOG_RED + (red - FOG_RED) * clear, FOG_GREEN + (green - FOG_GREEN) * clear, FOG_BLUE + (blue - FOG_BLUE) * clear


@kernel
def _paint(frame: Record, node: Record, card: Record, has_tile: bool, across: f32, down: f32) -> Paint:
    """Corner radius; gain of the picture; plain colour under it; share of the fog; rim: colour, width, strength."""
    longest, shortest = max(across, down), min(across, down)
    tiny = ONE - smooth(TINY_FROM, TINY_TO, longest)
    light = PICTURE_LIGHT * node.brightness * (ONE + SMALL_GAIN * (ONE - smooth(SMALL_FROM, SMALL_TO, longest)))
    light *= card.dim * vignette(frame, node.x, node.y)
    clear = f32(math.sqrt(max(node.clear, CLEAR_LEAST)))
    is_point = longest < frame.card_px
    share = ZERO if is_point or not has_tile else ONE - TINY_FADE * tiny
    gain = min(f32(math.sqrt(light)), ONE) * clear
    hue = TINY_HUE * tiny
    plain = gain * (ONE - share) * MOST
    red = (card.mean_red + (card.hue_red - card.mean_red) * hue) * plain
    green = (card.mean_green + (card.hue_green - card.mean_green) * hue) * plain
    blue = (card.mean_blue + (card.hue_blue - card.mean_blue) * hue) * plain
    rim_red, rim_green, rim_blue = _rim(frame, card, light, clear)
    rim_px = min(max(RIM_SHARE * shortest, RIM_LEAST_PX), RIM_MOST_PX)
    rim_share = min(max(shortest * RIM_SLOPE - RIM_FROM, ZERO), ONE)
    corner = shortest * (ONE if is_point else CORNER)
    return corner, gain * share, red, green, blue, ONE - clear, rim_red, rim_green, rim_blue, rim_px, rim_share, longest


@kernel
def _level(side: int, side_px: f32, levels: int) -> int:
    """The level of a tile for a card of this size, the nearest."""
    level = f32(math.log2(f32(side) / max(side_px, ONE))) - LEVEL_BIAS
    return int(min(max(level, ZERO), f32(levels - 1)) + HALF)


@kernel
def _choose(slots: Floats, longest: f32, fade: f32) -> tuple[int, int, f32]:
    """Which sizes of tile a card shows (0 small, 1 medium, 2 large): below, above, and how much of that."""
    has_medium, has_large = slots[1] >= ZERO, slots[2] >= ZERO
    if longest <= SMALL_ONLY_PX or not (has_medium or has_large):
        return 0, 0, ZERO
    best = 2 if has_large else 1
    if fade >= ONE or slots[0] < ZERO:
        return best, best, ZERO
    return (1 if has_medium and has_large else 0), best, fade


@kernel
def _texels(tiles: Tiles, size: int, slot: f32, side_px: f32) -> tuple[Pixels, int]:
    """The texels of a tile at the right level, and their side. Without one, a single black texel."""
    if slot < ZERO:
        return tiles[0][0], 1
    if size == 0:
        level = _level(32, side_px, SMALL_LEVELS)
        return tiles[level][int(slot)], 32 >> level
    if size == 1:
        level = _level(128, side_px, MEDIUM_LEVELS)
        return tiles[SMALL_LEVELS + level][int(slot)], 128 >> level
    level = _level(512, side_px, LARGE_LEVELS)
    return tiles[SMALL_LEVELS + MEDIUM_LEVELS + level][int(slot)], 512 >> level


@kernel
def _row_span(node: Record, across: f32, into: f32, corner: f32, left: int, right: int) -> tuple[int, int]:
    """The pixels of a row that lie inside the rounded corners. into: how far the row is into them."""
    if into <= ZERO:
        return left, right
    reach = across - corner + f32(math.sqrt(max(corner * corner - into * into, ZERO)))
    return (
        max(left, int(math.ceil(node.x - reach - HALF))),
        min(right, int(math.floor(node.x + reach - HALF)) + 1),
    )


@kernel
def _fill(
    node: Record, box: Box, paint: Paint, across: f32, down: f32, texels: Pixels, side: int,
    columns: Counts, picture: Pixels, depths: Depths, near: u16,
) -> None:  # fmt: skip
    """Fill a small card."""
    left, right, top, bottom = box
    corner, gain, red, green, blue, fog, rim_red, rim_green, rim_blue, rim_px, rim_share, _ = paint
    rim = packed(rim_red, rim_green, rim_blue)
    rim_ag, rim_rb = (rim & GREEN) >> u32(8), rim & RED_BLUE
    edge, rim_gain = rim_px + HALF, rim_share * UNIT
    scale_x, scale_y = f32(side) / (TWO * across), f32(side) / (TWO * down)
    for x in range(left, right):
        away = f32(x) + HALF - node.x
        columns[x, 0] = min(max(i32((away + across) * scale_x), i32(0)), i32(side - 1))
        columns[x, 1] = i32(min(max((abs(away) - across + edge) * RIM_COVER, ZERO), RIM_COVER) * rim_gain)
    for y in range(top, bottom):
        away = f32(y) + HALF - node.y
        row = min(max(int((away + down) * scale_y), 0), side - 1) * side
        falling = FACE_TOP - FACE_FALL * (away + down) / (TWO * down)
        r, g, b = red * falling + FOG_RED * fog, green * falling + FOG_GREEN * fog, blue * falling + FOG_BLUE * fog
        room = UNIT * (MOST - max(r, max(g, b))) / MOST
        scale = u32(max(min(gain * falling * UNIT, room), ZERO))
        base = packed(r, g, b)
        row_rim = i32(min(max((abs(away) - down + edge) * RIM_COVER, ZERO), RIM_COVER) * rim_gain)
        start, stop = _row_span(node, across, abs(away) - down + corner, corner, left, right)
        out, covered = picture[y], depths[y]
        for x in range(start, stop):
            if covered[x] == 0:
                texel = texels[row + columns[x, 0]]
                rb = (((texel & RED_BLUE) * scale) >> u32(8)) & RED_BLUE
                ag = (((texel & GREEN) >> u32(8)) * scale) & GREEN
                colour = u32(base + (rb | ag))
                on_rim = u32(max(columns[x, 1], row_rim))
                rest = u32(256) - on_rim
                rb = (((colour & RED_BLUE) * rest + rim_rb * on_rim) >> u32(8)) & RED_BLUE
                ag = (((colour & GREEN) >> u32(8)) * rest + rim_ag * on_rim) & GREEN
                out[x] = OPAQUE | rb | ag
                covered[x] = near


@kernel
def _blended(texels: Pixels, side: int, u: f32, v: f32) -> u32:
    """The colour at a point of a tile, between its four nearest texels. u, v: 0..1."""
    most = f32(side - 1)
    across = min(max(u * f32(side) - HALF, ZERO), most)
    down = min(max(v * f32(side) - HALF, ZERO), most)
    x, y = int(across), int(down)
    fx, fy = u32((across - f32(x)) * UNIT), u32((down - f32(y)) * UNIT)
    right = 1 if x + 1 < side else 0
    at = y * side + x
    below = at + side if y + 1 < side else at
    upper = _mixed(texels[at], texels[at + right], fx)
    lower = _mixed(texels[below], texels[below + right], fx)
    return _mixed(upper, lower, fy)


@kernel
def _mixed(one: u32, other: u32, share: u32) -> u32:
    """Two colours mixed, share 0..256 of the other."""
    rest = u32(256) - share
    rb = (((one & RED_BLUE) * rest + (other & RED_BLUE) * share) >> u32(8)) & RED_BLUE
    ag = (((one & GREEN) >> u32(8)) * rest + ((other & GREEN) >> u32(8)) * share) & GREEN
    return rb | ag


@kernel
def _outside(away_x: f32, away_y: f32, across: f32, down: f32, corner: f32) -> f32:
    """How far a point lies outside of a rounded card, pixels; negative inside."""
    x, y = abs(away_x) - across + corner, abs(away_y) - down + corner
    if x > ZERO and y > ZERO:
        return f32(math.sqrt(x * x + y * y)) - corner
    return max(x, y) - corner


@kernel
def _fill_smooth(
    node: Record, box: Box, paint: Paint, across: f32, down: f32, texels: Pixels, side: int,
    above: Pixels, above_side: int, fade: f32, picture: Pixels, depths: Depths, near: u16,
) -> None:  # fmt: skip
    """Fill a large card. above, fade: the tile that fades in over the other, and how far it has."""
    left, right, top, bottom = box
    corner, gain, red, green, blue, fog, rim_red, rim_green, rim_blue, rim_px, rim_share, _ = paint
    share = u32(fade * UNIT)
    rim = packed(rim_red, rim_green, rim_blue)
    for y in range(top, bottom):
        away_y = f32(y) + HALF - node.y
        v = (away_y + down) / (TWO * down)
        falling = FACE_TOP - FACE_FALL * v
        r, g, b = red * falling + FOG_RED * fog, green * falling + FOG_GREEN * fog, blue * falling + FOG_BLUE * fog
        room = UNIT * (MOST - max(r, max(g, b))) / MOST
        scale = u32(max(min(gain * falling * UNIT, room), ZERO))
        base = packed(r, g, b)
        start, stop = _row_span(node, across, abs(away_y) - down + corner, corner, left, right)
        out, covered = picture[y], depths[y]
        for x in range(start, stop):
            if covered[x] == 0:
                away_x = f32(x) + HALF - node.x
                u = (away_x + across) / (TWO * across)
                texel = _blended(texels, side, u, v)
                if share:
                    texel = _mixed(texel, _blended(above, above_side, u, v), share)
                rb = (((texel & RED_BLUE) * scale) >> u32(8)) & RED_BLUE
                ag = (((texel & GREEN) >> u32(8)) * scale) & GREEN
                colour = u32(base + (rb | ag))
                on_rim = (_outside(away_x, away_y, across, down, corner) + rim_px + HALF) * RIM_COVER
                if on_rim > ZERO:
                    colour = _mixed(colour, rim, u32(min(on_rim, RIM_COVER) * rim_share * UNIT))
                out[x] = OPAQUE | colour
                covered[x] = near


@kernel
def draw_card(
    frame: Record, node: Record, card: Record, slots: Floats, tiles: Tiles, is_still: bool, columns: Counts,
    picture: Pixels, depths: Depths, top: int, bottom: int,
) -> None:  # fmt: skip
    """Draw what of a card lies in the rows top..bottom and is not covered. slots: its row of the table of tiles."""
    across, down = max(node.across, POINT_LEAST_PX), max(node.down, POINT_LEAST_PX)
    left, right, upper, lower = _box(node, across, down, picture.shape[1], top, bottom)
    if left >= right:
        return
    upper = _first_free(depths, (left, right, upper, lower))
    if upper >= lower:
        return
    box = (left, right, upper, lower)
    near = u16(nearness(ONE / max(node.covering, f32(1e-9))))
    fade = min(max((frame.time_secs - slots[3]) / FADE_SECS, ZERO), ONE)
    below, above, fade = _choose(slots, max(across, down), fade)
    side_px = TWO * f32(math.sqrt(across * down))
    paint = _paint(frame, node, card, slots[below] >= ZERO, across, down)
    texels, side = _texels(tiles, below, slots[below], side_px)
    if is_still or side_px > SMOOTH_FROM_PX:
        over, over_side = _texels(tiles, above, slots[above], side_px)
        _fill_smooth(
            node, box, paint, across, down, texels, side, over, over_side, fade, picture, depths, near
        )  # fmt: skip
    else:
        _fill(node, box, paint, across, down, texels, side, columns, picture, depths, near)


@kernel
def draw_cards(
    frames: Records, nodes: Records, cards: Records, table: Floats, tiles: Tiles, is_still: bool,
    items: Counts, first: int, last: int, columns: Counts, picture: Pixels, depths: Depths, top: int, bottom: int,
) -> None:  # fmt: skip
    """Draw the cards items[first:last], front to back, into the rows top..bottom. columns: (w, 2) to work in."""
    frame = frames[0]
    for at in range(first, last):
        row = items[at]
        draw_card(frame, nodes[row], cards[row], table[row], tiles, is_still, columns, picture, depths, top, bottom)
