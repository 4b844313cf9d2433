"""What a model's `near_duplicate` and the hash's limit miss and mistake, on folders of pictures that all differ.

Each picture is changed in five ways, as copies are found in collections. Missed: changed ones that would not stack
under their original, of those whose original has at least LEAST_PX. Wrong: pairs of different pictures that would.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFont

from atlas_rt.core.arrays import Bytes, Floats
from atlas_rt.encoders import registry
from atlas_rt.encoders.encoder import ImageEncoder
from atlas_rt.encoders.preprocess import to_input
from atlas_rt.library.cache_layout import cache_folder
from atlas_rt.library.decoding.decode import read_image
from atlas_rt.library.formats import suffix_of
from atlas_rt.library.scanning import scan
from atlas_rt.library.tile_making import make_tiles
from atlas_rt.mapping.duplicates import COLOUR_LIMIT, outlines

LEAST_PX = 256
COSINES, BITS = (0.88, 0.90, 0.92, 0.94, 0.95), (10, 14, 18, 256)
CHANGES = ("quality 60", "halved", "cropped", "brighter", "text")


def changed(picture: Image.Image) -> Iterator[tuple[str, bytes]]:
    """The five copies, as files."""
    clear = picture.mode in ("RGBA", "LA") or "transparency" in picture.info
    picture = picture.convert("RGBA" if clear else "RGB")
    width, height = picture.size
    if not clear:
        yield CHANGES[0], as_file(picture, quality=60)
    yield CHANGES[1], as_file(picture.resize((max(width // 2, 1), max(height // 2, 1)), Image.Resampling.LANCZOS))
    across, down = width * 0.015, height * 0.015
    yield CHANGES[2], as_file(picture.crop((round(across), round(down), width - round(across), height - round(down))))
    brighter = ImageEnhance.Brightness(picture.convert("RGB")).enhance(1.08).convert(picture.mode)
    if clear:
        brighter.putalpha(picture.getchannel("A"))
    yield CHANGES[3], as_file(brighter)
    size = max(height // 16, 8)
    ImageDraw.Draw(picture).text(
        (width * 0.04, height * 0.9 - size / 2), "2024 sample", fill="white", font=ImageFont.load_default(size),
        stroke_width=1, stroke_fill="black",
    )  # fmt: skip
    yield CHANGES[4], as_file(picture)


def as_file(picture: Image.Image, *, quality: int = 92) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG" if picture.mode == "RGBA" else "JPEG", quality=quality)
    return file.getvalue()


def measure(folder: Path, model: registry.Model) -> None:
    encoder, spec = ImageEncoder(model), model.image.preprocessing
    vectors, tiles = list[Floats](), list[Bytes]()
    origins, kinds, large = list[int](), list[str](), list[bool]()

    def take(content: bytes, suffix: str, origin: int, kind: str) -> None:
        decoded = read_image(content, target_px=spec.size_px, fit=spec.resize, suffix=suffix)
        vectors.append(encoder.encode(to_input(decoded.image, spec)[None])[0])
        tiles.append(make_tiles(decoded).small)
        origins.append(origin)
        kinds.append(kind)

    for file in scan((str(folder),)).files:
        content = Path(file.path).read_bytes()
        picture = Image.open(io.BytesIO(content))
        origin = len(large)
        take(content, suffix_of(file.path), origin, "")
        for change, copy in changed(picture):
            take(copy, ".png" if copy.startswith(b"\x89PNG") else ".jpg", origin, change)
        large.append(max(picture.size) >= LEAST_PX)

    each, kind, of = np.stack(vectors), np.array(kinds), np.array(origins)
    bits, means = outlines(np.stack(tiles)), np.stack(tiles).reshape(len(tiles), -1, 3).mean(axis=1)
    first = np.flatnonzero(kind == "")
    copies = np.flatnonzero((kind != "") & np.array(large)[of])
    one, other = (first[rows] for rows in np.triu_indices(len(first), 1))

    def agree(a: np.ndarray, b: np.ndarray, cosine: float, limit: int) -> np.ndarray:
        near = np.flatnonzero(np.einsum("nd,nd->n", each[a], each[b]) >= cosine)
        found = np.zeros(len(a), bool)
        alike = (bits[a[near]] != bits[b[near]]).sum(axis=1) <= limit
        found[near] = alike & (np.abs(means[a[near]] - means[b[near]]).max(axis=1) <= COLOUR_LIMIT)
        return found

    print(f"{folder}: {len(first)} pictures, {len(one):,} pairs")
    for cosine in COSINES:
        for limit in BITS:
            stack = agree(first[of[copies]], copies, cosine, limit)
            missed = {name: 1.0 - stack[kind[copies] == name].mean() for name in CHANGES}
            wrong = int(agree(one, other, cosine, limit).sum())
            told = ", ".join(f"{name} {share:.1%}" for name, share in missed.items())
            print(f"{cosine:.2f}, {limit:3} bits: missed {1.0 - stack.mean():.1%} ({told}), wrong {wrong}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    parser.add_argument("--model", default="starter", metavar="NAME")
    arguments = parser.parse_args()
    model = registry.load(arguments.model, cache_folder(None))
    for folder in arguments.folders:
        measure(folder, model)


if __name__ == "__main__":
    main()
