"""Light behind the cards, summed in a coarse grid: of every node, and of what a search found."""

from __future__ import annotations

import math

from atlas_rt.core.arrays import Floats
from atlas_rt.render import look
from atlas_rt.render.soft.kernels.compiler import kernel
from atlas_rt.render.soft.kernels.pixels import ONE, ZERO, f32, smooth
from atlas_rt.render.soft.kernels.records import Counts, Record, Records

GLOW_REST, GLOW_FOUND, GLOW_LEAST = f32(look.GLOW_REST), f32(look.GLOW_FOUND), f32(look.GLOW_LEAST)
GLOW_FROM_PX, GLOW_TO_PX = f32(look.GLOW_FROM_PX), f32(look.GLOW_TO_PX)
FOUND_FROM_PX, FOUND_TO_PX, FOUND_FADE = f32(look.FOUND_FROM_PX), f32(look.FOUND_TO_PX), f32(look.FOUND_FADE)
GLOW_SIDES, GLOW_HEIGHT = f32(look.GLOW_SIDES), f32(look.GLOW_HEIGHT)
DISC = f32(math.pi / 4.0)
"""Volume of (1 - r * r) ** 3 over the unit disc: what a disc of radius 1 adds up to."""
FOUND_LEAST = f32(0.02)


@kernel
def _radius(frame: Record, node: Record) -> f32:
    """Of the disc of light around a card, as a square's half side."""
    longest = max(node.across, node.down)
    return f32(math.sqrt(node.across * node.down)) + min(longest * GLOW_SIDES, GLOW_HEIGHT * frame.size_px[1])


@kernel
def sum_glow(frames: Records, nodes: Records, cards: Records, rows: Counts, count: int, cell: f32, grid: Floats) -> f32:
    """Add what the nodes of `rows` give to the corners of the grid (gh + 1, gw + 1, 3), as points of light.

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
        if column < 0 or row < 0 or column >= grid.shape[1] - 1 or row >= grid.shape[0] - 1:
            continue
        light = strength * DISC * radius * radius / (cell * cell)
        total += radius * light
        weights += light
        right, below = x - f32(column), y - f32(row)
        for c in range(3):
            hue = card.hue_red if c == 0 else card.hue_green if c == 1 else card.hue_blue
            give = hue * hue * hue * light
            grid[row, column, c] += give * (ONE - right) * (ONE - below)
            grid[row, column + 1, c] += give * right * (ONE - below)
            grid[row + 1, column, c] += give * (ONE - right) * below
            grid[row + 1, column + 1, c] += give * right * below
    return total / weights


@kernel
def _found_disc(node: Record, card: Record, radius: f32, strength: f32, cell: f32, grid: Floats) -> None:
    """One disc: at each corner of the grid the brightest wins."""
    left = max(int(math.ceil((node.x - radius) / cell)), 0)
    right = min(int(math.floor((node.x + radius) / cell)) + 1, grid.shape[1])
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
            grid[row, column, 0] = max(grid[row, column, 0], red * fall)
            grid[row, column, 1] = max(grid[row, column, 1], green * fall)
            grid[row, column, 2] = max(grid[row, column, 2], blue * fall)


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
