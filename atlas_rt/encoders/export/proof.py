"""The proof that a graph gives the vectors of the model it was made from, in any company."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from atlas_rt.core.arrays import Floats
from atlas_rt.core.assets import assets_folder
from atlas_rt.encoders.preprocess import Preprocessing, to_input
from atlas_rt.encoders.sessions import Session
from atlas_rt.errors import AtlasError

EQUAL = 0.9999
"""Cosine below which a vector is another one."""
BATCHES = (1, 3, 16)
COUNT = 64
SPEED_RUNS = 8
TEMPLATES = ("{}", "a photo of a {}", "two {}s, seen from above, on a very long and sunny afternoon", "{}, {} & {}!")

Rows = NDArray[np.int64] | Floats


@dataclass(frozen=True, slots=True)
class Equality:
    """How one graph compares. mean, worst: cosine to the model's own vectors, over every batch size that was tried.
    company: worst cosine between a vector computed alone and the same in a batch with 15 others."""

    mean: float
    worst: float
    company: float


def pictures(spec: Preprocessing, count: int = COUNT) -> Floats:
    """(count, 3, size, size): drawings of the demo, evenly spread, as this encoder wants them."""
    files = sorted((assets_folder("models") / "demo").glob("*.webp"))
    if len(files) < count:
        raise AtlasError("the pictures that come with the program are missing; install it again")
    chosen = [files[place * len(files) // count] for place in range(count)]
    return np.stack([to_input(Image.open(file).convert("RGBA"), spec) for file in chosen])


def phrases(count: int = COUNT) -> list[str]:
    """Words of the vocabulary in sentences of different lengths; the first empty, the second too long for any."""
    words = (assets_folder("models") / "vocabulary.txt").read_text(encoding="utf-8").split("\n")
    words = [word for word in words if word and not word.startswith("#")]
    chosen = [words[place * len(words) // count] for place in range(count - 2)]
    return ["", " ".join(chosen * 2), *(TEMPLATES[i % 4].format(*[word] * 3) for i, word in enumerate(chosen))]


def random_ids(source_vocabulary: int, length: int, pad_id: int, count: int, seed: int) -> NDArray[np.int64]:
    """(count, length) tokens of no meaning, where no tokenizer can be had; ended by the highest, then padded."""
    rng = np.random.default_rng(seed)
    ids = rng.integers(1, source_vocabulary - 2, (count, length))
    for row, end in zip(ids, rng.integers(1, length, count), strict=True):
        row[end], row[end + 1 :] = source_vocabulary - 1, pad_id
    return ids.astype(np.int64)


def compare(session: Session, rows: Rows, expected: Floats, *, trimmed: bool, batches: tuple[int, ...]) -> Equality:
    """Run every row in every batch size. trimmed: rows are token ids, of which a batch keeps only the columns that one
    of its phrases fills: alone a phrase runs unpadded, with longer ones padded."""
    found = {size: _vectors(session, rows, size, trimmed) for size in batches}
    cosines = np.stack([(vectors * expected).sum(axis=1) for vectors in found.values()])
    company = (found[batches[0]] * found[batches[-1]]).sum(axis=1)
    return Equality(float(cosines.mean()), float(cosines.min()), float(company.min()))


def images_per_second(session: Session, rows: Floats) -> float:
    """Of the quickest run with one image: others are slowed by whatever else the machine does."""
    run = _runner(session)
    run(rows[:1])
    seconds = []
    for row in range(min(SPEED_RUNS, len(rows))):
        begin = time.perf_counter()
        run(rows[row : row + 1])
        seconds.append(time.perf_counter() - begin)
    return 1.0 / min(seconds)


def refuse(what: str, equality: Equality, file: Path) -> None:
    """Raise AtlasError where a graph is not the model."""
    if not equality.worst >= EQUAL:  # NaN is not either
        raise AtlasError(
            f"The exported {what} tower is not the model: cosine {equality.worst:.6f} at worst, {EQUAL} is wanted. "
            f"Nothing was registered. ({file.name})"
        )
    if not equality.company >= EQUAL:
        raise AtlasError(
            f"A vector of the exported {what} tower depends on what shares its batch: cosine {equality.company:.6f}, "
            f"{EQUAL} is wanted. Nothing was registered. ({file.name})"
        )


def _vectors(session: Session, rows: Rows, batch: int, trimmed: bool) -> Floats:
    run = _runner(session)
    vectors = np.concatenate([run(part) for part in _parts(rows, batch, trimmed)])
    unit: Floats = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)  # half precision normalises to three digits
    return unit


def _runner(session: Session) -> Callable[[Rows], Floats]:
    return lambda part: session.run(session.outputs[0], {session.inputs[0]: part})


def _parts(rows: Rows, batch: int, trimmed: bool) -> Iterator[Rows]:
    for start in range(0, len(rows), batch):
        part = rows[start : start + batch]
        if trimmed:  # the end token has the highest id
            part = part[:, : int(part.argmax(axis=1).max()) + 1]
        yield part
