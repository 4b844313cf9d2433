"""The value of an option as a size, a port, a point or a count. Any other text raises ArgumentTypeError."""

from __future__ import annotations

import argparse

Triple = tuple[float, float, float]

SIZE_MIN_PX, SIZE_MAX_PX = 16, 16384
AREA_MAX_PX = SIZE_MAX_PX * SIZE_MAX_PX // 2
"""The half-float target of the whole square would be 2 GB, which drivers refuse."""
FAR = 1e6
"""World units beyond which nothing is seen and float32 ends."""
NODES, NODES_MIN, NODES_MAX = 10_000, 100, 1_000_000
"""Images of the scene that `bench frame` makes."""


def size(text: str) -> tuple[int, int]:
    """Width and height in pixels, written as 1280x720."""
    width, cross, height = text.lower().partition("x")
    if not (cross and width.isdecimal() and height.isdecimal()):
        raise argparse.ArgumentTypeError(f"{text!r} is not a size; write it as 1280x720")
    sides = int(width), int(height)
    if not all(SIZE_MIN_PX <= side <= SIZE_MAX_PX for side in sides):
        raise argparse.ArgumentTypeError(f"{text!r} is out of range; each side is {SIZE_MIN_PX} to {SIZE_MAX_PX}")
    if sides[0] * sides[1] > AREA_MAX_PX:
        raise argparse.ArgumentTypeError(f"{text!r} is too large; the limit is {AREA_MAX_PX // 10**6} million pixels")
    return sides


def port(text: str) -> int:
    """A port of this machine; 0 for any that is free."""
    if not (text.isdecimal() and int(text) < 2**16):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port; name a number from 0 (any free one) to 65535")
    return int(text)


def point(text: str) -> Triple:
    """A place in world units, written as 0.5,0,2."""
    try:
        x, y, z = (float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a point; write it as 0.5,0,2") from None
    if not all(abs(value) <= FAR for value in (x, y, z)):  # also refuses what is not a number
        raise argparse.ArgumentTypeError(f"{text!r} is too far away; the images lie within about 1 of 0,0,0")
    return x, y, z


def count(text: str) -> int:
    """How many images: 1 or more."""
    if not (text.isdecimal() and int(text)):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of images; write 1 or more")
    return int(text)


def nodes(text: str) -> int:
    """How many images the scene of `bench frame` has."""
    if not text.isdecimal() or not NODES_MIN <= int(text) <= NODES_MAX:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from {NODES_MIN} to {NODES_MAX:,}")
    return int(text)
