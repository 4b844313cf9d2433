"""Edges as additive light, tested against the depth of the cards, coloured only once a pixel of theirs is seen."""

from __future__ import annotations

import math

import numpy as np

from atlas_rt.core import pulse
from atlas_rt.render import look
from atlas_rt.render.soft.kernels.compiler import part
from atlas_rt.render.soft.kernels.pixels import HALF, ONE, ZERO, add_light, code_of, f32, i32, u64, vignette
from atlas_rt.render.soft.kernels.records import Counts, Depths, Pixels, Record, Records

EDGE_WHITE = f32(look.EDGE_WHITE)
FALL_STEPS = f32(256.0)
FALL = np.exp(-look.RIBBON_FALL * np.linspace(0.0, 1.0, 257)).astype(np.float32)
"""A ribbon's light across, by the square of the distance from its middle."""
MARKER_RED, MARKER_GREEN, MARKER_BLUE = (f32(each) for each in look.MARKER_LIGHT)
PACE, AMBIENT_PACE, SPACING = f32(pulse.PACE), f32(pulse.AMBIENT_PACE), f32(pulse.SPACING)
WIDTH, FADE, GAIN = f32(pulse.WIDTH), f32(pulse.FADE), f32(pulse.GAIN)
LEAST_STEPS = f32(0.5)
PULSE_STEPS = 4
"""Pixels along an edge that share one strength of the pulse: a front is several times as long."""

Light = tuple[f32, f32, f32, f32, f32, f32]


@part
def _clipped(start: f32, run: f32, low: f32, high: f32, span: tuple[f32, f32]) -> tuple[f32, f32]:
    """The part of 0..1 in which `start` + t * `run` lies in low..high."""
    if run == ZERO:
        return span if low <= start <= high else (ONE, ZERO)
    one, two = (low - start) / run, (high - start) / run
    return max(span[0], min(one, two)), min(span[1], max(one, two))


@part
def _light(cards: Records, row: int) -> tuple[f32, f32, f32]:
    """The colour of the light that a row gives its edges; the last row is the live marker."""
    if row == len(cards) - 1:
        return MARKER_RED, MARKER_GREEN, MARKER_BLUE
    card = cards[row]
    red, green, blue = card.hue_red, card.hue_green, card.hue_blue
    return (
        red * red * (red + (ONE - red) * EDGE_WHITE),
        green * green * (green + (ONE - green) * EDGE_WHITE),
        blue * blue * (blue + (ONE - blue) * EDGE_WHITE),
    )


@part
def _lights(frame: Record, segment: Record, cards: Records) -> Light:
    """Light at the start, and what is added on the way to the end."""
    near = vignette(frame, segment.x0, segment.y0) * segment.shine0
    far = vignette(frame, segment.x1, segment.y1) * segment.shine1
    red, green, blue = _light(cards, segment.a)
    other_red, other_green, other_blue = _light(cards, segment.b)
    red, green, blue = red * near, green * near, blue * near
    return red, green, blue, other_red * far - red, other_green * far - green, other_blue * far - blue


@part
def _pulse(frame: Record, segment: Record, share: f32) -> f32:
    """How much brighter the fronts that run along an edge make a point of it: see `core.pulse`."""
    # The middle of an edge on screen is not its middle in the world: the nearer end takes up more of it.
    share = share * segment.near1 / (segment.near0 + (segment.near1 - segment.near0) * share)
    share = segment.t0 + (segment.t1 - segment.t0) * share
    walked = min(segment.walk0 + segment.length * share, segment.walk1 + segment.length * (ONE - share))
    pace = PACE if frame.pulse_walks > ZERO else AMBIENT_PACE
    wave = (walked - pace * frame.pulse_secs) / SPACING
    off = (wave - f32(math.floor(wave)) - HALF) * SPACING / WIDTH
    light = f32(math.exp(-off * off - FADE * walked * frame.pulse_walks))
    return f32(ONE + GAIN * frame.pulse_strength * light)


@part
def _draw_line(
    frame: Record,
    segment: Record,
    cards: Records,
    picture: Pixels,
    depths: Depths,
    top: int,
    bottom: int,
) -> None:
    """A line of one pixel within the rows top..bottom."""
    width = picture.shape[1]
    x0, y0, near0 = segment.x0, segment.y0, segment.near0
    run_x, run_y = segment.x1 - x0, segment.y1 - y0
    steps = max(abs(run_x), abs(run_y))
    if steps < LEAST_STEPS:
        return
    span = (ZERO, ONE)
    if min(y0, segment.y1) < f32(top) or max(y0, segment.y1) >= f32(bottom):
        span = _clipped(y0, run_y, f32(top), f32(bottom), span)
    if min(x0, segment.x1) < ZERO or max(x0, segment.x1) >= f32(width):
        span = _clipped(x0, run_x, ZERO, f32(width), span)
    if span[0] >= span[1]:
        return
    step = ONE / steps
    is_lit = False
    light = (ZERO, ZERO, ZERO, ZERO, ZERO, ZERO)
    gain = ONE
    step_x, step_y, step_near = run_x * step, run_y * step, (segment.near1 - near0) * step
    rows, columns = u64(bottom - top), u64(width)
    for k in range(i32(math.ceil(span[0] * steps)), i32(math.floor(span[1] * steps)) + 1):
        at = f32(k)
        x, y = u64(i32(x0 + step_x * at)), u64(i32(y0 + step_y * at))
        if y - u64(top) >= rows or x >= columns:
            continue
        if code_of(near0 + step_near * at) <= i32(depths[y, x]):
            continue
        share = step * at
        if not is_lit:
            light = _lights(frame, segment, cards)
        if frame.pulse_strength > ZERO and (not is_lit or k % PULSE_STEPS == 0):
            gain = _pulse(frame, segment, share)
        is_lit = True
        red, green, blue, red_run, green_run, blue_run = light
        run = share * gain
        r, g, b = red * gain + red_run * run, green * gain + green_run * run, blue * gain + blue_run * run
        add_light(picture, y, x, r, g, b)


@part
def _draw_ribbon(
    frame: Record,
    segment: Record,
    cards: Records,
    picture: Pixels,
    depths: Depths,
    top: int,
    bottom: int,
) -> None:
    """A soft ribbon: steps along the longer side, at each a few pixels across."""
    width = picture.shape[1]
    run_x, run_y = segment.x1 - segment.x0, segment.y1 - segment.y0
    is_flat = abs(run_x) >= abs(run_y)
    length = f32(math.sqrt(run_x * run_x + run_y * run_y))
    if not length > f32(1e-3):
        return
    along, run = (segment.x0, run_x) if is_flat else (segment.y0, run_y)
    across, slope = (segment.y0, run_y / run) if is_flat else (segment.x0, run_x / run)
    lean = abs(run) / length
    widest = max(segment.reach0, segment.reach1) / lean
    span = _clipped(segment.y0, run_y, f32(top) - widest, f32(bottom) + widest, (ZERO, ONE))
    span = _clipped(segment.x0, run_x, -widest, f32(width) + widest, span)
    if span[0] >= span[1]:
        return
    ends = along + run * span[0], along + run * span[1]
    low, high = (0, width) if is_flat else (top, bottom)
    first = max(int(math.ceil(min(ends[0], ends[1]) - HALF)), low)
    last = min(int(math.floor(max(ends[0], ends[1]) - HALF)) + 1, high)
    low, high = (top, bottom) if is_flat else (0, width)
    light = _lights(frame, segment, cards)
    red, green, blue, red_run, green_run, blue_run = light
    for k in range(first, last):
        share = (f32(k) + HALF - along) / run
        middle = across + slope * (f32(k) + HALF - along)
        reach = (segment.reach0 + (segment.reach1 - segment.reach0) * share) / lean
        near = code_of(segment.near0 + (segment.near1 - segment.near0) * share)
        gain = _pulse(frame, segment, share) if frame.pulse_strength > ZERO else ONE
        r, g, b = (red + red_run * share) * gain, (green + green_run * share) * gain, (blue + blue_run * share) * gain
        for off in range(
            max(int(math.ceil(middle - reach - HALF)), low), min(int(math.floor(middle + reach - HALF)) + 1, high)
        ):
            y, x = (off, k) if is_flat else (k, off)
            if near > i32(depths[y, x]):
                side = (f32(off) + HALF - middle) / reach
                fall = FALL[min(i32(side * side * FALL_STEPS), i32(FALL_STEPS))]
                add_light(picture, y, x, r * fall, g * fall, b * fall)


@part
def draw_segments(
    frames: Records, segments: Records, cards: Records, items: Counts, first: int, last: int,
    picture: Pixels, depths: Depths, top: int, bottom: int,
) -> None:  # fmt: skip
    """Add the light of the segments items[first:last] to the rows top..bottom."""
    frame = frames[0]
    for at in range(first, last):
        segment = segments[items[at]]
        if segment.reach0 > ZERO:
            _draw_ribbon(frame, segment, cards, picture, depths, top, bottom)
        else:
            _draw_line(frame, segment, cards, picture, depths, top, bottom)
