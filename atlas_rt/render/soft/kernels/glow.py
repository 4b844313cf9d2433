"""Light behind the cards, summed in a coarse grid: of every node, and of what a search found."""

from __future__ import annotations

import math

import numpy as np

from atlas_rt.core.arrays import Floats
from atlas_rt.render import look
from atlas_rt.render.soft.kernels.compiler import kernel, part
from atlas_rt.render.soft.kernels.pixels import HALF, ONE, ZERO, f32, smooth
from atlas_rt.render.soft.kernels.records import Counts, Record, Records

GLOW_REST, GLOW_FOUND, GLOW_LEAST = f32(look.GLOW_REST), f32(look.GLOW_FOUND), f32(look.GLOW_LEAST)
GLOW_FROM_PX, GLOW_TO_PX = f32(look.GLOW_FROM_PX), f32(look.GLOW_TO_PX)
FOUND_FROM_PX, FOUND_TO_PX, FOUND_FADE = f32(look.FOUND_FROM_PX), f32(look.FOUND_TO_PX), f32(look.FOUND_FADE)
GLOW_SIDES, GLOW_HEIGHT = f32(look.GLOW_SIDES), f32(look.GLOW_HEIGHT)
DISC = f32(math.pi / 4.0)
"""Volume of (1 - r * r) ** 3 over the unit disc: what a disc of radius 1 adds up to."""
FOUND_LEAST = f32(0.02)
DISC_SIGMA, LEAST_SIGMA = f32(0.316), f32(0.3)
"""Standard deviation of a disc's light along one direction, of its radius; and the least in cells."""
MOST_TAPS = 60


@part
def _radius(frame: Record, node: Record) -> f32:
    """Of the disc of light around a card, as a square's half side."""
    longest = max(node.across, node.down)
    return f32(math.sqrt(node.across * node.down) + min(longest * GLOW_SIDES, GLOW_HEIGHT * frame.size_px[1]))


@kernel
def sum_glow(frames: Records, nodes: Records, cards: Records, rows: Counts, count: int, cell: f32, grid: Floats) -> f32:
    """Add what the nodes of `rows` give to the corners of the grid (gh + 1, 3, gw + 1), as points of light.

    cell: side of a cell in pixels. Returns the radius of their discs in pixels, the mean by their light.
    """
    frame = frames[0]
    total, weights = ZERO, f32(1e-9)
    for at in range(count):
        node, card = nodes[rows[at]], cards[rows[at]]
        longest = max(node.across, node.down)
        strength = GLOW_REST * frame.glow_gain * (ONE - smooth(GLOW_FROM_PX, GLOW_TO_PX, longest)) * node.clear
        strength *= ONE + frame.light_mix * (node.brightness - ONE)
        if strength < f32(0.1) * GLOW_LEAST or node.depth <= frame.node_size:
            continue
        radius = _radius(frame, node)
        x, y = node.x / cell, node.y / cell
        column, row = int(math.floor(x)), int(math.floor(y))
        if column < 0 or row < 0 or column >= grid.shape[2] - 1 or row >= grid.shape[0] - 1:
            continue
        light = strength * DISC * radius * radius / (cell * cell)
        total += radius * light
        weights += light
        right, below = x - f32(column), y - f32(row)
        for c in range(3):
            hue = card.hue_red if c == 0 else card.hue_green if c == 1 else card.hue_blue
            give = hue * hue * hue * light
            grid[row, c, column] += give * (ONE - right) * (ONE - below)
            grid[row, c, column + 1] += give * right * (ONE - below)
            grid[row + 1, c, column] += give * (ONE - right) * below
            grid[row + 1, c, column + 1] += give * right * below
    return total / weights


@kernel
def blur(summed: Floats, radius: f32, room: Floats, light: Floats) -> None:
    """Spread points of light over discs of so many cells, as a gaussian does, and add them to `light`.

    (gh + 1, 3, gw + 1) each; room: to work in. The inner loops run along rows, or they are not vectorised.
    """
    sigma = max(radius * DISC_SIGMA, LEAST_SIGMA)
    reach = min(int(math.ceil(f32(2.7) * sigma)), MOST_TAPS)
    taps, total = np.empty(2 * reach + 1, np.float32), ZERO
    for k in range(2 * reach + 1):
        away = f32(k - reach) / sigma
        taps[k] = f32(math.exp(-HALF * away * away))
        total += taps[k]
    for k in range(2 * reach + 1):
        taps[k] /= total
    rows, columns = summed.shape[0], summed.shape[2]
    for row in range(rows):
        for c in range(3):
            out = room[row, c]
            for x in range(columns):
                out[x] = ZERO
            for k in range(max(row - reach, 0), min(row + reach + 1, rows)):
                tap, source = taps[k - row + reach], summed[k, c]
                for x in range(columns):
                    out[x] += source[x] * tap
            whole = light[row, c]
            for k in range(-reach, reach + 1):
                tap = taps[k + reach]
                start, stop = max(-k, 0), min(columns - k, columns)
                if start < stop:
                    target, source = whole[start:stop], out[start + k : stop + k]
                    for x in range(len(target)):
                        target[x] += source[x] * tap


@part
def _found_disc(node: Record, card: Record, radius: f32, strength: f32, cell: f32, grid: Floats) -> None:
    """One disc: at each corner of the grid the brightest wins."""
    left = max(int(math.ceil((node.x - radius) / cell)), 0)
    right = min(int(math.floor((node.x + radius) / cell)) + 1, grid.shape[2])
    top = max(int(math.ceil((node.y - radius) / cell)), 0)
    bottom = min(int(math.floor((node.y + radius) / cell)) + 1, grid.shape[0])
    red = card.hue_red * card.hue_red * card.hue_red * strength
    green = card.hue_green * card.hue_green * card.hue_green * strength
    blue = card.hue_blue * card.hue_blue * card.hue_blue * strength
    for row in range(top, bottom):
        down = (f32(row) * cell - node.y) / radius
        for column in range(left, right):
            across = (f32(column) * cell - node.x) / radius
            fall = max(ONE - across * across - down * down, ZERO)
            fall = fall * fall * fall
            grid[row, 0, column] = max(grid[row, 0, column], red * fall)
            grid[row, 1, column] = max(grid[row, 1, column], green * fall)
            grid[row, 2, column] = max(grid[row, 2, column], blue * fall)


@kernel
def find_glow(
    frames: Records, nodes: Records, cards: Records, rows: Counts, count: int, cell: f32, grid: Floats
) -> None:
    """Raise the grid to what each node that a search found gives: matches that lie together would otherwise add up to
    a white blot."""
    frame = frames[0]
    for at in range(count):
        node = nodes[rows[at]]
        if node.light <= FOUND_LEAST or node.depth <= frame.node_size:
            continue
        longest = max(node.across, node.down)
        strength = GLOW_FOUND * node.light * node.light * frame.light_mix * node.clear
        strength *= ONE - FOUND_FADE * smooth(FOUND_FROM_PX, FOUND_TO_PX, longest)
        if strength >= GLOW_LEAST:
            _found_disc(node, cards[rows[at]], _radius(frame, node), strength, cell, grid)
