"""Judges the model on captioned pictures it was never trained on, by the way the program itself takes: `report.md`.

Text to image: a query is a distinct caption; right is any picture with that caption; its rank is one more than the
number of pictures scored strictly higher than the best right one. Image to image: the share of a picture's five nearest
that lie in its folder of the package, which sorts them by kind.
"""

from __future__ import annotations

import argparse
import platform
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from calibrate import GCOMPRIS, SCRATCH, Captioned, Encoder, captioned
from debian_packages import default_folder, fetch
from numpy.typing import NDArray
from PIL import Image

from atlas_rt.core.arrays import Floats
from atlas_rt.encoders import registry
from atlas_rt.encoders.encoder import ImageEncoder, TextEncoder
from atlas_rt.encoders.preprocess import to_input
from atlas_rt.encoders.registry import Model
from atlas_rt.library.decoding.decode import read_image
from atlas_rt.search.query import vector_of

NEAREST = 5
PAIRS = 200
HUES = {"red": 0.0, "orange": 0.08, "yellow": 0.16, "green": 0.33, "blue": 0.63, "purple": 0.78, "pink": 0.92}
"""Parts of the circle that colours' names stand for."""
COLOURED, ONE_HUE = 0.12, 0.6
"""So much of a picture has a colour, and so much of that one hue: it can be turned into a picture of another."""

HEADER = """\
# How the starter was judged

On captioned pictures it was never trained on, encoded by this program. Made by `scripts/train-starter`.

| set | queries | pictures | recall at 1 / 5 / 10, % | median rank | five nearest of the same kind, % |
| --- | --- | --- | --- | --- | --- |"""
FOOTER = """

Of {asked} pairs of one picture in two hues the one of the asked colour came first in {colour:.1f} %.

An image takes {image_ms:.1f} ms and a phrase {phrase_ms:.1f} ms of one core ({machine}). Image tower {sizes[0]}, text
tower {sizes[1]}, tokenizer {sizes[2]}.
"""


def recall(scores: Floats, right: Sequence[Sequence[int]]) -> tuple[list[float], float]:
    """scores: (queries, pictures) -> percent within rank 1, 5, 10; median rank."""
    ranks = np.array([(row > row[list(rows)].max()).sum() + 1 for row, rows in zip(scores, right, strict=True)])
    return [float((ranks <= k).mean() * 100) for k in (1, 5, 10)], float(np.median(ranks))


def of_kind(vectors: Floats, files: Sequence[str]) -> float:
    """Percent of each picture's nearest that lie in the same folder; folders of one picture are not asked for."""
    folders = np.array([str(Path(file).parent) for file in files])
    likeness = vectors @ vectors.T
    np.fill_diagonal(likeness, -2.0)
    nearest = np.argsort(-likeness, axis=1)[:, :NEAREST]
    asked = np.array([(folders == folder).sum() > NEAREST for folder in folders])
    return float((folders[nearest] == folders[:, None])[asked].mean() * 100)


@dataclass(frozen=True)
class HuePair:
    """One picture turned to two hues. vectors: (2, dim), of the first hue first."""

    caption: str
    hues: tuple[str, str]
    vectors: Floats


def hue_pairs(pictures: list[Captioned], model: Model, seed: int) -> Iterator[HuePair]:
    """PAIRS of them, of pictures that have a main hue and no colour in their caption."""
    images, spec, chance = ImageEncoder(model), model.image.preprocessing, np.random.default_rng(seed)
    made = 0
    for row in chance.permutation(len(pictures)).tolist() * 9:
        picture = pictures[row]
        decoded = read_image(picture.content, target_px=spec.size_px, fit=spec.resize, suffix=Path(picture.file).suffix)
        two = chance.choice(list(HUES), 2, replace=False).tolist()
        turned = in_hues(np.asarray(decoded.image.convert("RGBA")), [HUES[colour] for colour in two])
        if turned is None or any(word in HUES for word in picture.caption.split()):
            continue
        vectors = np.concatenate([images.encode(to_input(Image.fromarray(image), spec)[None]) for image in turned])
        yield HuePair(picture.caption, (two[0], two[1]), vectors)
        made += 1
        if made == PAIRS:
            break


def in_hues(image: NDArray[np.uint8], hues: Sequence[float]) -> list[NDArray[np.uint8]] | None:
    """(h, w, 4), its main hue turned to each of these; None where it has no main hue. Opacity stays."""
    hsv = cv2.cvtColor(np.ascontiguousarray(image[..., :3]), cv2.COLOR_RGB2HSV).astype(np.int32)
    visible = image[..., 3] > 128
    coloured = (hsv[..., 1] > 80) & (hsv[..., 2] > 60) & visible
    if coloured.mean() < COLOURED:
        return None
    found = hsv[..., 0][coloured]
    if np.bincount(found // 15, minlength=12).max() < ONE_HUE * len(found):
        return None
    turned = []
    for hue in hues:
        other = hsv.copy()
        other[..., 0] = (other[..., 0] - int(np.median(found)) + round(hue * 180)) % 180
        rgb = cv2.cvtColor(other.astype(np.uint8), cv2.COLOR_HSV2RGB)
        turned.append(np.concatenate([rgb, image[..., 3:]], axis=2))
    return turned


def milliseconds(run: Callable[[], object], times: int = 60) -> float:
    """The median of so many runs."""
    spent = []
    for _ in range(times):
        start = time.perf_counter()
        run()
        spent.append(time.perf_counter() - start)
    return float(np.median(spent) * 1e3)


def report(model: Model, packages: Path) -> str:
    text, encode = TextEncoder(model), Encoder(model)
    templates = model.text.templates

    def phrase(words: str) -> Floats:
        return vector_of(words, text.encode, templates=templates)

    lines = [HEADER]
    every: list[Captioned] = []
    for name, pictures in captioned(fetch([GCOMPRIS, SCRATCH], packages)):
        vectors = np.concatenate([encode(picture.content, picture.file) for picture in pictures])
        right: dict[str, list[int]] = {}
        for row, picture in enumerate(pictures):
            right.setdefault(picture.caption, []).append(row)
        within, median = recall(np.stack([phrase(caption) for caption in right]) @ vectors.T, list(right.values()))
        kind = of_kind(vectors, [picture.file for picture in pictures])
        shares = " / ".join(f"{share:.1f}" for share in within)
        lines.append(f"| {name} | {len(right)} | {len(pictures)} | {shares} | {median:.0f} | {kind:.0f} |")
        every += pictures
    pairs = list(hue_pairs(every, model, seed=0))
    won = [np.argmax(pair.vectors @ phrase(f"{pair.hues[0]} {pair.caption}")) == 0 for pair in pairs]
    side = model.image.preprocessing.size_px
    pixels, images = np.full((1, 3, side, side), 127, np.float32), ImageEncoder(model)
    image_ms = milliseconds(lambda: images.encode(pixels))
    phrase_ms = milliseconds(lambda: text.encode("a red car on the road"))
    files = (model.image.file, model.text.file, model.text.tokenizer)
    sizes = [f"{file.verified().stat().st_size / 1e6:.1f} MB" for file in files]
    return "\n".join(lines) + FOOTER.format(
        asked=len(pairs),
        colour=100 * np.mean(won),
        image_ms=image_ms,
        phrase_ms=phrase_ms,
        machine=platform.machine(),
        sizes=sizes,
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="report")
    parser.add_argument("--folder", type=Path, required=True, help="of the model")
    parser.add_argument("--packages", type=Path, default=default_folder())
    args = parser.parse_args()
    model = registry.read_model(args.folder / "model.toml")
    found = report(model, args.packages)
    (model.folder / "report.md").write_text(found, encoding="utf-8")
    print(found)


if __name__ == "__main__":
    main()
