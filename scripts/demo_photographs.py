"""Photographs of 12 megapixels, cut from wallpapers in Debian packages: what a camera writes, for measuring."""

from __future__ import annotations

import math
import random
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from debian_packages import Package
from PIL import Image

SIZE_PX = (4000, 3000)
QUALITY = 90
SMALLEST_CROP = 0.55
"""Width, of the widest 4:3 rectangle in a wallpaper."""

WALLPAPERS: dict[str, list[str]] = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))
"""By package, paths below /usr/share."""


@dataclass(frozen=True)
class Wallpaper:
    """One wallpaper and how many photographs to cut from it."""

    package: str
    path: Path
    crops: int

    @property
    def title(self) -> str:
        """In Plasma's packages the folder has the name, and the files are called by their size."""
        in_plasma = self.path.parent.name == "images"
        return self.path.parents[2].name if in_plasma else self.path.stem.replace("_", " ")


def share_out(packages: Mapping[str, Package], count: int) -> list[Wallpaper]:
    """`count` photographs over the wallpapers that are there, each getting as many as the others, or one more."""
    known = [(name, packages[name].share / inside) for name, paths in WALLPAPERS.items() for inside in paths]
    present: Sequence[tuple[str, Path]] = [(name, path) for name, path in known if path.is_file()]
    return [
        Wallpaper(name, path, crops)
        for index, (name, path) in enumerate(present)
        if (crops := (count + len(present) - 1 - index) // len(present))
    ]


def write(wallpaper: Wallpaper, folder: Path, seed: int) -> int:
    """Cut, scale and write the photographs of one wallpaper, which is decoded once. Returns their bytes in all."""
    folder.mkdir(parents=True, exist_ok=True)
    with Image.open(wallpaper.path) as opened:
        whole = opened.convert("RGB")
    written = 0
    for number in range(1, wallpaper.crops + 1):
        box = crop_box(whole.size, random.Random(f"{seed} {wallpaper.title} {number}"))
        path = folder / f"{wallpaper.title} {number:04}.jpg"
        whole.resize(SIZE_PX, Image.Resampling.BICUBIC, box=box).save(path, quality=QUALITY)
        written += path.stat().st_size
    return written


def crop_box(size_px: tuple[int, int], chance: random.Random) -> tuple[float, float, float, float]:
    """A rectangle of the photographs' aspect somewhere inside: left, top, right, bottom."""
    aspect = SIZE_PX[0] / SIZE_PX[1]
    width = min(size_px[0], size_px[1] * aspect) * math.sqrt(chance.uniform(SMALLEST_CROP**2, 1))
    height = width / aspect
    left, top = chance.uniform(0, size_px[0] - width), chance.uniform(0, size_px[1] - height)
    return left, top, left + width, top + height
