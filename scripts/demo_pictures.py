"""Small pictures out of Debian packages: drawings, emoji, photographs of animals and things, paintings."""

from __future__ import annotations

import hashlib
import io
import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from debian_packages import Package
from emoji_font import read_emoji
from PIL import Image, ImageOps
from qt_resources import read_resources

SUFFIXES = {".png", ".jpg", ".jpeg", ".gif", ".webp"}
LARGEST_PIXELS = 40_000_000
"""A few drawings are rendered at up to 169 megapixels; one of them would take as long as a thousand others."""
LARGEST_COPY_PX = 1024
SYMBOLS = (
    "buttons/",
    "computer/icons/",
    "logos/",
    "shapes/",
    "signs_and_symbols/",
    "special/",
    "transportation/roadsigns/",
)
"""Folders of openclipart that are taken after everything else: much alike, and little to look at."""


@dataclass(frozen=True)
class Picture:
    """One file to write.

    name: its path in the folder that is filled.
    rank: 0, or 1 for what is taken only when everything of rank 0 has been.
    copy: 0 for the picture as it is, else the number of the copy, which decides how it is changed.
    """

    package: str
    name: str
    content: bytes
    rank: int = 0
    copy: int = 0


def openclipart(package: Package) -> Iterator[Picture]:
    """Drawings by hundreds of people; flags, shapes and icons last."""
    root = package.share / "openclipart/png"
    for path in _pictures_below(root):
        inside = path.relative_to(root).as_posix()
        yield Picture(package.name, f"openclipart/{inside}", path.read_bytes(), int(inside.startswith(SYMBOLS)))


def emoji(package: Package) -> Iterator[Picture]:
    """The emoji of one font; flags and the variations of a person's skin last."""
    for name, png in read_emoji(package.share / "fonts/truetype/noto/NotoColorEmoji.ttf"):
        variation = name.startswith("flag ") or "skin-" in name
        yield Picture(package.name, f"emoji/{name.replace('/', ' ')}.png", png, int(variation))


def gcompris(package: Package) -> Iterator[Picture]:
    """Paintings, monuments, animals and things from a program for children."""
    for path in sorted((package.share / "gcompris-qt/rcc").glob("*.rcc")):
        for name, content in read_resources(path):
            if Path(name).suffix.lower() in SUFFIXES:
                yield Picture(package.name, f"gcompris/{path.stem}/{Path(name).name}", content)


def scratch(package: Package) -> Iterator[Picture]:
    """Figures and backdrops from a program that teaches programming; drawn letters last."""
    root = package.share / "scratch/Media"
    for path in _pictures_below(root):
        inside = path.relative_to(root)
        yield Picture(package.name, f"scratch/{inside.as_posix()}", path.read_bytes(), int("Letters" in inside.parts))


READERS: dict[str, Callable[[Package], Iterator[Picture]]] = {
    "openclipart-png": openclipart,
    "fonts-noto-color-emoji": emoji,
    "gcompris-qt-data": gcompris,
    "scratch": scratch,
}
"""By package."""


def _pictures_below(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())


def choose(pictures: Iterable[Picture], *, count: int, repeat: bool, seed: int) -> list[Picture]:
    """At most `count` pictures, no two alike in bytes or name, mixed; with `repeat` filled up with copies to change."""
    by_content = {hashlib.sha256(picture.content).digest(): picture for picture in pictures if _usable(picture.content)}
    different = list({picture.name.lower(): picture for picture in by_content.values()}.values())
    random.Random(seed).shuffle(different)
    different.sort(key=lambda picture: picture.rank)
    chosen = different[:count]
    while repeat and chosen and len(chosen) < count:
        number = chosen[-1].copy + 1
        chosen += [replace(picture, copy=number) for picture in different[: count - len(chosen)]]
    return chosen


def _usable(content: bytes) -> bool:
    try:
        with Image.open(io.BytesIO(content)) as image:
            return 0 < image.width * image.height <= LARGEST_PIXELS
    except (OSError, Image.DecompressionBombError):
        return False


def write(picture: Picture, folder: Path, seed: int) -> int:
    """Write one picture or changed copy into the folder. Returns its size in bytes."""
    path, content = folder / picture.name, picture.content
    if picture.copy:
        path = path.with_name(f"{path.stem}, copy {picture.copy}.png")
        content = changed(content, random.Random(f"{seed} {picture.name} {picture.copy}"))
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.write_bytes(content)


def changed(content: bytes, chance: random.Random) -> bytes:
    """The picture cut by up to a tenth on each side, hues turned, mirrored or not: alike, and not the same. PNG."""
    with Image.open(io.BytesIO(content)) as opened:
        image = opened.convert("RGBA")
    left, top, right, bottom = (chance.uniform(0, 0.1) for _ in range(4))
    width, height = image.size
    image = image.crop(
        (int(width * left), int(height * top), width - int(width * right), height - int(height * bottom))
    )
    if chance.random() < 0.5:
        image = ImageOps.mirror(image)
    image.thumbnail((LARGEST_COPY_PX, LARGEST_COPY_PX))
    image = _with_hues_turned(image, by=chance.randrange(-24, 25))
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=1)
    return out.getvalue()


def _with_hues_turned(image: Image.Image, *, by: int) -> Image.Image:
    """By a part of the 256 that Pillow divides the circle into; the opacity stays."""
    hue, saturation, value = image.convert("RGB").convert("HSV").split()
    turned = hue.point([(old + by) % 256 for old in range(256)])
    result = Image.merge("HSV", (turned, saturation, value)).convert("RGB")
    result.putalpha(image.getchannel("A"))
    return result
