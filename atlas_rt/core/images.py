"""Images as a library knows them, and their tiles. Frozen: they cross threads, processes and folders.

Colours are sRGB bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from atlas_rt.core.arrays import Bytes, Floats, Ids, Ints

SMALL_TILE_PX = 32
"""Side of the tile every image has on the GPU."""
MEDIUM_TILE_PX = 128
"""Side of the tile kept on disk for cards that are near."""
LARGE_TILE_PX = 512
"""Side of the tile decoded from the source for the few nearest cards."""
CARD_ASPECT_MAX = 3.0
"""Tiles of images longer than this (width / height, or its inverse) are cut to it around the centre."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What the library knows of all its images, in arrays.

    ids: (n,) int64 ascending; paths: n absolute paths; aspects: (n,) float32 width / height of the tile, within
    1/CARD_ASPECT_MAX..CARD_ASPECT_MAX; mean_rgb: (n, 3) uint8; tiles: (n,) int32 tile records; sizes_px: (n, 2) int32;
    away: (n,) bool, whose files were not found by the last scan.
    """

    ids: Ids
    paths: tuple[str, ...]
    aspects: Floats
    mean_rgb: Bytes
    tiles: Ints
    sizes_px: Ints
    away: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Tile:
    """An image's thumbnail, ready to upload.

    id, record: the image, and its tile record when the tile was asked for; a changed image has another record, so what
    is kept by record never shows it as it was. level: 0 small, 1 medium, 2 large (sides SMALL_, MEDIUM_,
    LARGE_TILE_PX). mips: RGBA arrays (side, side, 4) uint8, C-contiguous, each half the side of the one before, top row
    first. The image fills the square: cards restore its aspect.
    """

    id: int
    record: int
    level: int
    mips: tuple[Bytes, ...]


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that could not become an image, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Absence:
    """A source, or a folder in one, that could not be looked into or lacks what was known of it, such as a drive that
    is not plugged in. state: "missing", "empty", "unreadable", or "partly": most of what was known is not there.
    images: how many known ones below it were not found, and are shown all the same."""

    path: str
    state: str
    images: int


@dataclass(frozen=True, slots=True)
class LibraryPlace:
    """Where one library lives on disk: `folder` in the cache, `sources` in the person's files."""

    folder: Path
    sources: tuple[str, ...]
