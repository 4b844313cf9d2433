"""Cards from front to back, each pixel written once: picture, rim, rounded corners, fog.

Two ways to fill a card. Small ones: the nearest texel, two colours in one product, rim by rows and columns. Large or
still ones: texels blended, two tiles cross-faded, the rim follows the corners.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from atlas_rt.core.arrays import Floats
from atlas_rt.core.images import LARGE_TILE_PX, MEDIUM_TILE_PX, SMALL_TILE_PX
from atlas_rt.render import look
from atlas_rt.render.soft.kernels.compiler import part
from atlas_rt.render.soft.kernels.pixels import (
    HALF,
    MOST,
    ONE,
    TWO,
    ZERO,
    f32,
    i32,
    nearness,
    packed,
    smooth,
    u16,
    u32,
    u64,
    vignette,
)
from atlas_rt.render.soft.kernels.records import Counts, Depths, Pixels, Record, Records

Tiles = tuple[Pixels, Pixels, Pixels]
"""The small, medium and large tiles: all of the finest level (slots * side * side), then all of the next, and so on.
What is small on screen lies close together so."""
SIDES = SMALL_TILE_PX, MEDIUM_TILE_PX, LARGE_TILE_PX
LEAST_SIDE = 4
"""What is smaller on screen is hardly more than its mean colour."""

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
FADE_SECS = f32(look.FADE_SECS)
FINEST = f32(2.0 ** (look.LEVEL_BIAS + 0.5))
"""Texels a pixel from which the next coarser level is nearer."""
SMOOTH_FROM_PX = f32(40.0)
"""Side of a card from which texels are blended: below, two texels differ by less than the eye follows in motion."""
SMALL_ONLY_PX = f32(16.0)
"""Half the long side up to which a card shows its small tile, whatever else is there."""
RED_BLUE, GREEN, BYTE = u32(0x00FF00FF), u32(0x0000FF00), u32(0xFF)
OPAQUE = u32(0xFF000000)
UNIT = f32(256.0)

Box = tuple[int, int, int, int]


class Paint(NamedTuple):
    """What a card is painted with: the radius of its corners; the weight of its picture; the plain colour under that,
    0..255; the fog's share; the rim's colour, width in pixels, and strength."""

    corner: f32
    gain: f32
    red: f32
    green: f32
    blue: f32
    fog: f32
    rim: u32
    rim_px: f32
    rim_share: f32


@part
def _box(node: Record, across: f32, down: f32, width: int, top: int, bottom: int) -> Box:
    """Left, right, top and bottom pixel of a card in the rows top..bottom."""
    left = max(int(math.ceil(node.x - across - HALF)), 0)
    right = min(int(math.floor(node.x + across - HALF)) + 1, width)
    upper = max(int(math.ceil(node.y - down - HALF)), top)
    lower = min(int(math.floor(node.y + down - HALF)) + 1, bottom)
    return left, right, upper, lower


@part
def _first_free(depths: Depths, box: Box) -> int:
    """The first row in which a pixel is not covered yet; the bottom if there is none."""
    left, right, top, bottom = box
    for y in range(top, bottom):
        line = depths[y]
        least = u16(65535)
        for x in range(u64(left), u64(right)):
            least = min(least, line[x])
        if least == 0:
            return y
    return bottom


@part
def _rim(card: Record, light: f32, clear: f32) -> u32:
    """The rim's colour, the fog in it."""
    gain = min(f32(math.sqrt(light / PICTURE_LIGHT)), RIM_LIGHT_MAX) * RIM_LIGHT
    red = min(card.hue_red * (card.hue_red + (ONE - card.hue_red) * RIM_WHITE) * gain, ONE) * MOST
    green = min(card.hue_green * (card.hue_green + (ONE - card.hue_green) * RIM_WHITE) * gain, ONE) * MOST
    blue = min(card.hue_blue * (card.hue_blue + (ONE - card.hue_blue) * RIM_WHITE) * gain, ONE) * MOST
    return packed(
        FOG_RED + (red - FOG_RED) * clear,
        FOG_GREEN + (green - FOG_GREEN) * clear,
        FOG_BLUE + (blue - FOG_BLUE) * clear,
    )


@part
def _paint(frame: Record, node: Record, card: Record, has_tile: bool, across: f32, down: f32) -> Paint:
    """Colours and sizes of a card with these half sides on screen."""
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
    rim = _rim(card, light, clear)
    rim_px = min(max(RIM_SHARE * shortest, RIM_LEAST_PX), RIM_MOST_PX)
    rim_share = min(max(shortest * RIM_SLOPE - RIM_FROM, ZERO), ONE)
    corner = shortest * (ONE if is_point else CORNER)
    return Paint(corner, gain * share, red, green, blue, ONE - clear, rim, rim_px, rim_share)


@part
def _choose(slots: Floats, longest: f32, fade: f32) -> tuple[int, int, f32]:
    """Which sizes of tile a card shows (0 small, 1 medium, 2 large): below, above, and how much of that."""
    has_medium, has_large = slots[1] >= ZERO, slots[2] >= ZERO
    if longest <= SMALL_ONLY_PX or not (has_medium or has_large):
        return 0, 0, ZERO
    best = 2 if has_large else 1
    if fade >= ONE or slots[0] < ZERO:
        return best, best, ZERO
    return (1 if has_medium and has_large else 0), best, fade


@part
def _texels(tiles: Tiles, size: int, slot: f32, side_px: f32) -> tuple[Pixels, int]:
    """The texels of a tile at the level that suits a card of this size, and their side; without one any texel."""
    texels = tiles[0] if size == 0 else tiles[1] if size == 1 else tiles[2]
    side = SIDES[size]
    if slot < ZERO:
        return texels[:1], 1
    whole = 4 * side * side - LEAST_SIDE * LEAST_SIDE  # three times the texels of all levels of a tile
    slots = 3 * len(texels) // whole
    begin = 0
    # The nearest level, where one more halves the side: log2(side / side_px) - LEVEL_BIAS, rounded.
    while f32(side) > side_px * FINEST and side > LEAST_SIDE:
        begin += slots * side * side
        side >>= 1
    begin += int(slot) * side * side
    return texels[begin : begin + side * side], side


@part
def _row_span(node: Record, across: f32, into: f32, corner: f32, left: int, right: int) -> tuple[int, int]:
    """The pixels of a row that lie inside the rounded corners. into: how far the row is into them."""
    if into <= ZERO:
        return left, right
    reach = across - corner + f32(math.sqrt(max(corner * corner - into * into, ZERO)))
    start = max(left, int(math.ceil(node.x - reach - HALF)))
    return start, max(start, min(right, int(math.floor(node.x + reach - HALF)) + 1))


@part
def _mixed(one: u32, other: u32, share: u32) -> u32:
    """Two colours mixed, share 0..256 of the other."""
    rest = u32(256) - share
    rb = (((one & RED_BLUE) * rest + (other & RED_BLUE) * share) >> u32(8)) & RED_BLUE
    ag = (((one & GREEN) >> u32(8)) * rest + ((other & GREEN) >> u32(8)) * share) & GREEN
    return rb | ag


@part
def _shaded(paint: Paint, v: f32) -> tuple[u32, u32]:
    """What a row of the card, v 0..1 from its top, is without its picture, and by how many 256ths that is weighted."""
    falling = FACE_TOP - FACE_FALL * v
    red, green, blue = paint.red * falling, paint.green * falling, paint.blue * falling
    red, green, blue = red + FOG_RED * paint.fog, green + FOG_GREEN * paint.fog, blue + FOG_BLUE * paint.fog
    room = (MOST - max(red, green, blue)) * (UNIT / MOST)
    return packed(red, green, blue), u32(max(min(paint.gain * falling * UNIT, room), ZERO))


@part
def _lit(texel: u32, base: u32, scale: u32) -> u32:
    """The picture's colour over what is without it."""
    rb = (((texel & RED_BLUE) * scale) >> u32(8)) & RED_BLUE
    ag = (((texel & GREEN) >> u32(8)) * scale) & GREEN
    return u32(base + (rb | ag))


@part
def _rim_at(away: f32, half: f32, paint: Paint) -> u32:
    """0..256, how much of the rim's colour a pixel has, by its distance from the middle along one direction."""
    on_rim = min(max((abs(away) - half + paint.rim_px + HALF) * RIM_COVER, ZERO), RIM_COVER)
    return u32(on_rim * paint.rim_share * UNIT)


@part
def _rim_in_corner(away: f32, across: f32, into: f32, paint: Paint, on_rim: u32) -> u32:
    """The same in a row that touches the corners, into which it reaches so far: there the rim is round."""
    aside = abs(away) - across + paint.corner
    if aside > ZERO:
        return _rim_at(f32(math.sqrt(aside * aside + into * into)), paint.corner, paint)
    return on_rim


@part
def _fill(
    node: Record, box: Box, paint: Paint, across: f32, down: f32, texels: Pixels, side: int,
    columns: Pixels, picture: Pixels, depths: Depths, near: u16,
) -> None:  # fmt: skip
    """Fill a small card."""
    left, right, top, bottom = box
    texel_of, rim_of = columns[0], columns[1]
    scale_x, scale_y, most = f32(side) / (TWO * across), f32(side) / (TWO * down), f32(side) - HALF
    shrink = HALF / down
    for x in range(u64(left), u64(right)):
        away = f32(i32(x)) + HALF - node.x
        texel_of[x] = u32(min(max((away + across) * scale_x, ZERO), most))
        rim_of[x] = _rim_at(away, across, paint)
    for y in range(u64(top), u64(bottom)):
        away = f32(i32(y)) + HALF - node.y
        row = u32(min(max((away + down) * scale_y, ZERO), most)) * u32(side)
        base, scale = _shaded(paint, (away + down) * shrink)
        row_rim = _rim_at(away, down, paint)
        start, stop = _row_span(node, across, abs(away) - down + paint.corner, paint.corner, left, right)
        out, covered = picture[y], depths[y]
        for x in range(u64(start), u64(stop)):
            if covered[x] == 0:
                colour = _lit(texels[u64(row + texel_of[x])], base, scale)
                out[x] = OPAQUE | _mixed(colour, paint.rim, max(rim_of[x], row_rim))
                covered[x] = near


@part
def _blended(texels: Pixels, side: int, u: f32, v: f32) -> u32:
    """The colour at a point of a tile, between its four nearest texels. u, v: 0..1."""
    most = f32(side - 1)
    across = min(max(u * f32(side) - HALF, ZERO), most)
    down = min(max(v * f32(side) - HALF, ZERO), most)
    x, y = u64(across), u64(down)
    fx, fy = u32((across - f32(i32(x))) * UNIT), u32((down - f32(i32(y))) * UNIT)
    right = u64(1 if x + u64(1) < u64(side) else 0)
    at = y * u64(side) + x
    below = at + u64(side if y + u64(1) < u64(side) else 0)
    upper = _mixed(texels[at], texels[at + right], fx)
    lower = _mixed(texels[below], texels[below + right], fx)
    return _mixed(upper, lower, fy)


@part
def _fill_smooth(
    node: Record, box: Box, paint: Paint, across: f32, down: f32, texels: Pixels, side: int,
    above: Pixels, above_side: int, fade: f32, columns: Pixels, picture: Pixels, depths: Depths, near: u16,
) -> None:  # fmt: skip
    """Fill a large card. above, fade: the tile that fades in over the other, and how far it has."""
    left, right, top, bottom = box
    corner, share = paint.corner, u32(fade * UNIT)
    scale_x, scale_y, most, shrink = f32(side) / (TWO * across), f32(side) / (TWO * down), f32(side - 1), HALF / down
    texel_of, rim_of, beside, share_of = columns[0], columns[1], columns[2], columns[3]
    for x in range(u64(left), u64(right)):
        away_x = f32(i32(x)) + HALF - node.x
        at = min(max((away_x + across) * scale_x - HALF, ZERO), most)
        texel_of[x], beside[x] = u32(at), u32(min(at + ONE, most))
        share_of[x] = u32((at - f32(i32(at))) * UNIT)
        rim_of[x] = _rim_at(away_x, across, paint)
    for y in range(u64(top), u64(bottom)):
        away_y = f32(i32(y)) + HALF - node.y
        v = (away_y + down) * shrink
        base, scale = _shaded(paint, v)
        at = min(max((away_y + down) * scale_y - HALF, ZERO), most)
        upper, lower = u32(at) * u32(side), u32(min(at + ONE, most)) * u32(side)
        below = u32((at - f32(i32(at))) * UNIT)
        row_rim = _rim_at(away_y, down, paint)
        into = abs(away_y) - down + corner
        start, stop = _row_span(node, across, into, corner, left, right)
        out, covered = picture[y], depths[y]
        for x in range(u64(start), u64(stop)):
            if covered[x] == 0:
                one, other = texel_of[x], beside[x]
                texel = _mixed(texels[u64(upper + one)], texels[u64(upper + other)], share_of[x])
                under = _mixed(texels[u64(lower + one)], texels[u64(lower + other)], share_of[x])
                texel = _mixed(texel, under, below)
                if share:
                    u = (f32(i32(x)) + HALF - node.x + across) * HALF / across
                    texel = _mixed(texel, _blended(above, above_side, u, v), share)
                colour = _lit(texel, base, scale)
                on_rim = max(rim_of[x], row_rim)
                if into > ZERO:
                    on_rim = _rim_in_corner(f32(i32(x)) + HALF - node.x, across, into, paint, on_rim)
                if on_rim:
                    colour = _mixed(colour, paint.rim, on_rim)
                out[x] = OPAQUE | colour
                covered[x] = near


@part
def draw_card(
    frame: Record, node: Record, card: Record, slots: Floats, tiles: Tiles, is_still: bool, columns: Pixels,
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
            node, box, paint, across, down, texels, side, over, over_side, fade, columns, picture, depths, near
        )
    else:
        _fill(node, box, paint, across, down, texels, side, columns, picture, depths, near)


@part
def draw_cards(
    frames: Records, nodes: Records, cards: Records, table: Floats, tiles: Tiles, is_still: bool,
    items: Counts, first: int, last: int, columns: Pixels, picture: Pixels, depths: Depths, top: int, bottom: int,
) -> None:  # fmt: skip
    """Draw the cards items[first:last], front to back, into the rows top..bottom. columns: (4, w) to work in."""
    frame = frames[0]
    for at in range(first, last):
        row = items[at]
        draw_card(frame, nodes[row], cards[row], table[row], tiles, is_still, columns, picture, depths, top, bottom)
