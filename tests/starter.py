"""The shipped model, its encoders, and pictures of known content, opened once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from atlas_rt.core.arrays import Floats
from atlas_rt.core.assets import assets_folder
from atlas_rt.encoders import registry
from atlas_rt.encoders.encoder import ImageEncoder, TextEncoder
from atlas_rt.encoders.preprocess import to_input
from atlas_rt.encoders.registry import Model


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return registry.load("starter", tmp_path_factory.mktemp("empty-cache"))


@pytest.fixture(scope="session")
def images(model: Model) -> ImageEncoder:
    return ImageEncoder(model)


@pytest.fixture(scope="session")
def text(model: Model) -> TextEncoder:
    return TextEncoder(model)


@pytest.fixture(scope="session")
def pictures() -> dict[str, Path]:
    """The demo's pictures by title."""
    files = sorted((assets_folder("models") / "demo").glob("*.webp"))
    return {file.stem.replace("-", " "): file for file in files}


@pytest.fixture(scope="session")
def pixels(pictures: dict[str, Path], model: Model) -> dict[str, Floats]:
    """Every third picture as the encoder wants it, (3, 224, 224)."""
    some = dict(list(pictures.items())[::3])
    return {
        title: to_input(Image.open(file).convert("RGBA"), model.image.preprocessing) for title, file in some.items()
    }


@pytest.fixture(scope="session")
def vectors(images: ImageEncoder, pixels: dict[str, Floats]) -> Floats:
    """Their vectors, in the order of `pixels`."""
    return images.encode(np.stack(list(pixels.values())))


@pytest.fixture(scope="session")
def crowd() -> Callable[[int], Floats]:
    """n unit vectors in twelve groups of different sizes, the same each time."""

    def make(n: int, dim: int = 32, seed: int = 0) -> Floats:
        rng = np.random.default_rng(seed)
        centres = rng.normal(size=(12, dim))
        group = (12 * rng.random(n) ** 2).astype(int)
        found = centres[group] + 0.45 * rng.normal(size=(n, dim))
        return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)

    return make
