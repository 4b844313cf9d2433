"""Pictures as an encoder wants them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from atlas_rt.core.records import Floats
from atlas_rt.ml.encoder import ImageEncoder
from atlas_rt.ml.preprocess import Preprocessing, to_input
from atlas_rt.ml.registry import Model

RED = (200, 10, 20)


def padded_then_resized(image: Image.Image, size: int) -> Floats:
    """How the starter's training pictures were made, in the plainest way."""
    side = max(image.size)
    square = Image.new("RGB", (side, side), "white")
    square.paste(image, tuple((side - length) // 2 for length in image.size), image)
    return np.asarray(square.resize((size, size), Image.Resampling.BICUBIC), np.float32).transpose(2, 0, 1)


def test_a_letterbox_pads_with_the_fill_and_keeps_the_aspect() -> None:
    pixels = to_input(Image.new("RGB", (80, 40), RED), Preprocessing(16, fill=(255, 254, 253)))
    assert pixels.shape == (3, 16, 16)
    assert pixels.dtype == np.float32
    assert pixels[:, 0, 8].tolist() == [255, 254, 253]
    assert pixels[:, 8, 8].tolist() == list(RED)
    assert (pixels[1, :, 8] < 128).sum() == 8


def test_a_crop_takes_the_middle() -> None:
    image = Image.new("RGB", (90, 30), "black")
    image.paste(RED, (30, 0, 60, 30))
    pixels = to_input(image, Preprocessing(10, resize="crop"))
    assert pixels[:, 5, 5].tolist() == list(RED)
    assert pixels[0, 5, 1:-1].min() > 190


def test_a_squash_shows_everything() -> None:
    image = Image.new("RGB", (90, 30), "black")
    image.paste(RED, (0, 0, 45, 30))
    pixels = to_input(image, Preprocessing(10, resize="squash"))
    assert pixels[0, 5, 1] == 200
    assert pixels[0, 5, 8] == 0


def test_transparent_pixels_show_the_fill_and_not_their_hidden_colour() -> None:
    image = Image.new("RGBA", (40, 40), (*RED, 0))
    assert (to_input(image, Preprocessing(16)) == 255).all()


def test_mean_and_std_are_applied_in_the_given_range() -> None:
    spec = Preprocessing(8, pixel_max=1.0, mean=(0.5, 0.5, 0.5), std=(0.25, 0.5, 1.0))
    pixels = to_input(Image.new("RGB", (8, 8), "white"), spec)
    assert pixels[:, 0, 0] == pytest.approx([2.0, 1.0, 0.5])


@pytest.mark.parametrize("size", [(1, 1), (3000, 2), (2, 3000), (5, 224)])
@pytest.mark.parametrize("resize", ["letterbox", "crop", "squash"])
def test_odd_shapes_fit(size: tuple[int, int], resize: str) -> None:
    assert to_input(Image.new("RGB", size, RED), Preprocessing(32, resize=resize)).shape == (3, 32, 32)


def test_vectors_equal_those_of_the_training_s_preprocessing(
    pictures: dict[str, Path], images: ImageEncoder, model: Model
) -> None:
    files = list(pictures.values())[::16]
    opened = [Image.open(file).convert("RGBA") for file in files]
    opened += [image.resize((image.width * 6, image.height * 6)) for image in opened[:4]]  # reduced in boxes first
    ours = images.encode(np.stack([to_input(image, model.image.preprocessing) for image in opened]))
    theirs = images.encode(np.stack([padded_then_resized(image, 224) for image in opened]))
    cosines = (ours * theirs).sum(axis=1)
    assert cosines.mean() >= 0.999
    assert cosines.min() >= 0.99
