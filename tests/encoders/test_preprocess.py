"""Pictures as an encoder wants them."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from atlas_rt.core.arrays import Floats
from atlas_rt.encoders.encoder import ImageEncoder
from atlas_rt.encoders.preprocess import Preprocessing, to_input
from atlas_rt.encoders.registry import Model
from atlas_rt.library.decoding.decode import read_image

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


# -- open_clip's transforms, as torchvision does them with Pillow ------------------------------------------------------


def as_open_clip(image: Image.Image, spec: Preprocessing) -> Floats:
    """(3, size, size): torchvision 0.29's Resize (an int: the short side; the long one cut off to whole pixels) and
    CenterCrop (rounded half to even), then convert("RGB"), ToTensor, Normalize, as open_clip 3.3 puts them together."""
    size = spec.size_px
    if spec.resize == "squash":
        square = image.resize((size, size), Image.Resampling.BICUBIC)
    else:
        width, height = image.size
        if width <= height:
            resized = image.resize((size, int(size * height / width)), Image.Resampling.BICUBIC)
        else:
            resized = image.resize((int(size * width / height), size), Image.Resampling.BICUBIC)
        top, left = round((resized.height - size) / 2.0), round((resized.width - size) / 2.0)
        square = resized.crop((left, top, left + size, top + size))
    pixels = np.asarray(square.convert("RGB"), np.float32) / np.float32(255)
    return ((pixels - np.array(spec.mean, np.float32)) / np.array(spec.std, np.float32)).transpose(2, 0, 1)


CLIP = Preprocessing(
    224,
    resize="crop",
    pixel_max=1.0,
    mean=(0.48145466, 0.4578275, 0.40821073),
    std=(0.26862954, 0.26130258, 0.27577711),
)
SIGLIP = Preprocessing(256, resize="squash", pixel_max=1.0, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))
FAMILIES = pytest.mark.parametrize("spec", [CLIP, SIGLIP], ids=["clip", "siglip"])


def scene(width: int, height: int) -> Image.Image:
    """A picture with detail everywhere, smooth and sharp."""
    rng = np.random.default_rng(width * height)
    coarse = Image.fromarray(rng.integers(0, 256, (12, 16, 3), dtype=np.uint8)).resize((width, height))
    noise = rng.integers(-20, 21, (height, width, 1))
    return Image.fromarray(np.clip(np.asarray(coarse) + noise, 0, 255).astype(np.uint8))


@FAMILIES
@pytest.mark.parametrize("size", [(640, 427), (427, 640), (333, 500), (224, 224), (225, 301), (301, 225), (90, 61)])
def test_pixels_are_open_clip_s_where_nothing_is_reduced(spec: Preprocessing, size: tuple[int, int]) -> None:
    image = scene(*size)
    assert np.abs(to_input(image, spec) - as_open_clip(image, spec)).max() < 1e-5


@FAMILIES
def test_what_is_transparent_is_what_open_clip_makes_of_it(spec: Preprocessing, pictures: dict[str, Path]) -> None:
    image = Image.open(pictures["acorn"]).convert("RGBA")
    assert image.getextrema()[3][0] == 0
    assert np.abs(to_input(image, spec) - as_open_clip(image, spec)).max() < 1e-5


def test_a_long_picture_is_averaged_on_its_long_side_only() -> None:
    image = scene(4000, 300)
    difference = np.abs(to_input(image, SIGLIP) - as_open_clip(image, SIGLIP))
    assert difference.mean() < 0.03


@FAMILIES
def test_vectors_equal_those_of_open_clip_s_transforms(
    spec: Preprocessing, pictures: dict[str, Path], images: ImageEncoder
) -> None:
    """Files as they are met: drawings, and JPEG of sizes that meet every DCT scale; judged by the shipped network."""
    files = [path.read_bytes() for path in list(pictures.values())[::24]]
    for number, size in enumerate([(480, 320), (900, 1200), (2000, 1333), (2500, 3750)]):
        out = io.BytesIO()
        picture = Image.open(list(pictures.values())[number * 7]).convert("RGB").resize(size, Image.Resampling.LANCZOS)
        picture.save(out, "JPEG", quality=90)
        files.append(out.getvalue())
    ours = [to_input(read_image(data, target_px=spec.size_px, fit=spec.resize).image, spec) for data in files]
    theirs = [as_open_clip(Image.open(io.BytesIO(data)), spec) for data in files]
    mean, std = np.array(spec.mean, np.float32)[:, None, None], np.array(spec.std, np.float32)[:, None, None]
    first, second = (
        images.encode(np.stack([shown(pixels * std + mean) for pixels in each])) for each in (ours, theirs)
    )
    cosines = (first * second).sum(axis=1)
    assert cosines.mean() >= 0.999
    assert cosines.min() >= 0.99


def shown(pixels: Floats) -> Floats:
    """(3, size, size) in 0..1 -> as the shipped network wants it, (3, 224, 224) in 0..255."""
    square = Image.fromarray(np.rint(pixels.clip(0, 1) * 255).astype(np.uint8).transpose(1, 2, 0))
    return np.asarray(square.resize((224, 224), Image.Resampling.BICUBIC), np.float32).transpose(2, 0, 1)
