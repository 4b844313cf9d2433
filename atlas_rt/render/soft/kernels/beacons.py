"""Light drawn pixel by pixel over all else: rings around cards, and the live marker."""

from __future__ import annotations

import math

from atlas_rt.render import look
from atlas_rt.render.soft.kernels.compiler import part
from atlas_rt.render.soft.kernels.pixels import HALF, ONE, TWO, ZERO, add_bright, f32, i32, nearness, smooth
from atlas_rt.render.soft.kernels.records import Depths, Pixels, Record, Records

CORNER = f32(look.CORNER)
RING_HALO, RING_HALO_REACH = f32(look.RING_HALO), f32(look.RING_HALO_REACH)
RED, GREEN, BLUE = (f32(each) for each in look.BEACON_TINT)
BEACON_LIGHT, BEACON_BEAT, BEACON_CLEAR = f32(look.BEACON_LIGHT), f32(look.BEACON_BEAT), f32(look.BEACON_CLEAR)
BEACON_SIDES, BEACON_LEAST, BEACON_MOST = f32(look.BEACON_SIDES), f32(look.BEACON_LEAST), f32(look.BEACON_MOST)
FOUR, SEVEN = f32(4.0), f32(7.0)


@part
def _ring_light(ring: Record, away_x: f32, away_y: f32) -> f32:
    """0..1, the light of a ring's line and of the halo outside it."""
    radius = min(ring.across, ring.down) * CORNER
    x, y = abs(away_x) - ring.across + radius, abs(away_y) - ring.down + radius
    outside = max(x, y) - radius
    if x > ZERO and y > ZERO:
        outside = f32(math.sqrt(x * x + y * y)) - radius
    line = min(max(ring.width * HALF + HALF - abs(outside), ZERO), ONE)
    if outside < ZERO:
        return f32(line)
    halo = f32(math.exp(-outside / (ring.width * RING_HALO_REACH))) * RING_HALO
    return f32(max(line, halo * (ONE - smooth(ring.width * FOUR, ring.width * SEVEN + FOUR, outside))))


@part
def draw_rings(rings: Records, picture: Pixels, depths: Depths, top: int, bottom: int) -> None:
    """Add the rings to the rows top..bottom, where nothing nearer covers them."""
    width = picture.shape[1]
    for at in range(len(rings)):
        ring = rings[at]
        margin = ring.width * SEVEN + FOUR
        near = nearness(ring.near)
        left = max(int(ring.x - ring.across - margin), 0)
        right = min(int(ring.x + ring.across + margin) + 1, width)
        for y in range(max(int(ring.y - ring.down - margin), top), min(int(ring.y + ring.down + margin) + 1, bottom)):
            for x in range(left, right):
                if near < i32(depths[y, x]):
                    continue
                light = _ring_light(ring, f32(x) + HALF - ring.x, f32(y) + HALF - ring.y)
                if light > f32(0.002):
                    add_bright(picture, y, x, ring.red * light, ring.green * light, ring.blue * light)


@part
def _wave(away: f32, phase: f32) -> f32:
    """The light of a ring that widens and fades, at a distance from the middle."""
    phase = phase - f32(math.floor(phase))
    radius, width = f32(0.16) + f32(0.80) * phase, f32(0.010) + f32(0.030) * phase
    off = (away - radius) / width
    return f32(math.exp(-off * off)) * (ONE - phase) * (ONE - phase) * smooth(ZERO, f32(0.1), phase)


@part
def _marker_light(frame: Record, x: f32, y: f32, away: f32) -> tuple[f32, f32]:
    """White light of the core, and tinted light around it: `beacon.frag`."""
    core, halo, line = away / f32(0.060), away / f32(0.17), (away - f32(0.20)) / f32(0.012)
    tinted = f32(0.60) * f32(math.exp(-halo * halo)) + f32(0.10) * f32(math.exp(-away * f32(3.5)))
    across = f32(math.exp(-abs(x) * f32(75.0) - abs(y) * f32(4.5)))
    down = f32(math.exp(-abs(y) * f32(75.0) - abs(x) * f32(4.5)))
    tinted += f32(0.45) * (across + down) + f32(0.55) * f32(math.exp(-line * line))
    beat = frame.pulse_secs * BEACON_BEAT
    moving = f32(0.25) + f32(0.75) * frame.ambient
    tinted += moving * (_wave(away, beat) + _wave(away, beat + HALF))
    return f32(1.6) * f32(math.exp(-core * core)), tinted


@part
def _standing(frame: Record, marker: Record, reach: f32) -> f32:
    """What is left of the marker before a visited card: it makes way as cards do. reach: half its side in pixels."""
    if not frame.glass > ZERO:
        return ONE
    x = (marker.x * frame.size_px[2] * TWO - ONE) / frame.clip_from_view[0, 0]
    y = (ONE - marker.y * frame.size_px[3] * TWO) / frame.clip_from_view[1, 1]
    across = frame.visited_card[2] - abs(x - frame.visited_card[0])
    down = frame.visited_card[3] - abs(y - frame.visited_card[1])
    overlap = (min(across, down) + reach / frame.focal_px) / frame.glass_margin + ONE
    return f32(ONE - frame.glass * smooth(ZERO, ONE, overlap))


@part
def draw_marker(frames: Records, marker: Record, picture: Pixels, top: int, bottom: int) -> None:
    """Add the live marker, a node, to the rows top..bottom; it shines through all else but a visited card."""
    frame = frames[0]
    if frame.marker[3] == ZERO or not marker.depth >= f32(0.02):
        return
    lines = frame.size_px[1]
    reach = min(
        max(frame.node_size * BEACON_SIDES * frame.focal_px / marker.depth, BEACON_LEAST * lines), BEACON_MOST * lines
    )
    fog = max(marker.clear, BEACON_CLEAR) * BEACON_LIGHT * _standing(frame, marker, reach)
    left, right = max(int(marker.x - reach), 0), min(int(marker.x + reach) + 1, picture.shape[1])
    for row in range(max(int(marker.y - reach), top), min(int(marker.y + reach) + 1, bottom)):
        y = (f32(row) + HALF - marker.y) / reach
        for column in range(left, right):
            x = (f32(column) + HALF - marker.x) / reach
            away = f32(math.sqrt(x * x + y * y))
            if away < ONE:
                white, tinted = _marker_light(frame, x, y, away)
                share = (ONE - smooth(f32(0.7), ONE, away)) * fog
                add_bright(
                    picture, row, column, (white + RED * tinted) * share, (white + GREEN * tinted) * share,
                    (white + BLUE * tinted) * share,
                )  # fmt: skip
