"""Which pictures stack: the same one twice, and no others."""

from __future__ import annotations

import io
import time
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageEnhance

from atlas_rt.core.arrays import Bytes, Floats, Ids, Ints
from atlas_rt.encoders.encoder import ImageEncoder
from atlas_rt.encoders.preprocess import to_input
from atlas_rt.library.decoding.decode import read_image
from atlas_rt.library.tile_making import make_tiles
from atlas_rt.mapping.duplicates import HASH_LIMIT, carried, lowest_joined, outlines, stacked
from atlas_rt.mapping.neighbours import knn_edges

LIMIT = 0.92


def unit(vectors: NDArray[np.floating]) -> Floats:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / lengths).astype(np.float32)


def along(*degrees: float) -> Floats:
    """Vectors in one plane: the cosine of two is that of the angle between them."""
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def noise(count: int, seed: int = 1) -> Bytes:
    """Tiles that have nothing in common."""
    return np.random.default_rng(seed).integers(0, 256, (count, 32, 32, 3)).astype(np.uint8)


def same(count: int) -> Bytes:
    return np.repeat(noise(1), count, axis=0)


def leaders(
    vectors: Floats,
    tiles: Bytes,
    *,
    edges: tuple[Ints, Floats] | None = None,
    decided: Ids | None = None,
    limit: float = LIMIT,
) -> list[int]:
    """The leaders of images with ids 1, 2, 3, ..."""
    ids = np.arange(1, len(vectors) + 1, dtype=np.int64)
    pairs, weights = edges or knn_edges(vectors, 5)
    found = stacked(
        ids,
        pairs,
        weights,
        limit=limit,
        vectors_at=lambda rows: vectors[rows],
        tiles_at=lambda rows: tiles[rows],
        decided=decided,
    )
    return found.tolist()


# Real pictures


@pytest.fixture(scope="module")
def photograph(pictures: dict[str, Path]) -> Image.Image:
    """The drawing with most in it, on white."""
    drawing = Image.open(pictures["tiger walking"]).convert("RGBA")
    ground = Image.new("RGB", drawing.size, "white")
    ground.paste(drawing, mask=drawing.getchannel("A"))
    return ground


def jpeg(image: Image.Image, quality: int = 90) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def seen(files: list[bytes], images: ImageEncoder) -> tuple[Floats, Bytes]:
    """Vectors and tiles, as the engine makes them."""
    decoded = [read_image(file, target_px=images.model.image.preprocessing.size_px) for file in files]
    pixels = np.stack([to_input(each.image, images.model.image.preprocessing) for each in decoded])
    return images.encode(pixels), np.stack([make_tiles(each).small for each in decoded])


def test_a_picture_saved_again_smaller_or_brighter_stacks_under_the_first_and_others_do_not(
    photograph: Image.Image, pictures: dict[str, Path], images: ImageEncoder
) -> None:
    width, height = photograph.size
    others = [pictures[name].read_bytes() for name in sorted(pictures)[:12]]
    files = [
        jpeg(photograph),
        jpeg(photograph, 60),
        jpeg(photograph.resize((width * 3 // 4, height * 3 // 4))),
        jpeg(ImageEnhance.Brightness(photograph).enhance(1.08)),
        jpeg(photograph.crop((width // 66, height // 66, width - width // 66, height - height // 66))),
        *others,
    ]
    found = leaders(*seen(files, images), limit=images.model.calibration.near_duplicate)
    assert found == [1, 1, 1, 1, 1, *range(6, 6 + len(others))]


def test_a_picture_that_is_mirrored_is_another(photograph: Image.Image, images: ImageEncoder) -> None:
    files = [jpeg(photograph), jpeg(photograph.transpose(Image.Transpose.FLIP_LEFT_RIGHT))]
    vectors, tiles = seen(files, images)
    assert leaders(np.repeat(vectors[:1], 2, axis=0), tiles) == [1, 2]  # however alike the model finds them


# The hash


def test_what_is_flat_has_no_bits_whatever_its_noise() -> None:
    wavering = (200 + np.random.default_rng(2).integers(-2, 3, (1, 32, 32, 3))).astype(np.uint8)
    assert not outlines(wavering).any()


def test_a_step_is_told_by_its_side_and_a_ramp_by_its_direction() -> None:
    tile = np.full((2, 32, 32, 3), 40, np.uint8)
    tile[0, :, 16:] = 200
    tile[1, :, :16] = 200
    one, other = outlines(tile)
    assert one[:64].sum() >= 8  # brighter to the right, in every line
    assert not one[64:].any()
    assert np.array_equal(one[:64], other[128:192])
    assert (one != other).sum() > HASH_LIMIT - 3


@pytest.mark.parametrize("other", [(40, 90, 200), (120, 40, 40), (240, 240, 240)])
def test_plain_pictures_of_two_colours_do_not_stack(other: tuple[int, int, int]) -> None:
    tiles = np.stack([np.full((32, 32, 3), colour, np.uint8) for colour in ((200, 40, 40), other, (204, 42, 41))])
    assert leaders(np.repeat(along(0.0), 3, axis=0), tiles) == [1, 2, 1]


# Who leads


def test_both_must_agree_the_model_and_the_eye() -> None:
    alike = along(0.0, 5.0)
    assert leaders(alike, same(2)) == [1, 1]
    assert leaders(alike, noise(2)) == [1, 2]
    assert leaders(along(0.0, 40.0), same(2)) == [1, 2]


def test_a_long_film_stacks_in_seconds_and_its_frames_beside_each_other() -> None:
    """Thousands of frames, each nearly that before: one group with hundreds of leaders."""
    count = 6_000
    rng = np.random.default_rng(0)
    vectors = np.empty((count, 48), np.float32)
    vectors[0] = unit(rng.normal(size=(1, 48)))
    for frame in range(1, count):
        vectors[frame] = unit(vectors[frame - 1 : frame] + 0.025 * rng.normal(size=(1, 48)))
    pairs = np.concatenate([np.stack([np.arange(count - k), np.arange(k, count)], axis=1) for k in range(1, 4)])
    edges = pairs.astype(np.int32), np.einsum("nd,nd->n", vectors[pairs[:, 0]], vectors[pairs[:, 1]])
    begun = time.perf_counter()
    found = np.array(leaders(vectors, same(count), edges=edges)) - 1
    assert time.perf_counter() - begun < 5.0
    assert 64 < len(np.unique(found)) < count / 2
    assert (np.einsum("nd,nd->n", vectors, vectors[found]) >= LIMIT).all()
    assert (found[found] == found).all()  # a leader leads itself
    late = np.array(leaders(vectors, same(count), edges=edges, decided=np.append(found[:-1] + 1, -1))) - 1
    assert (late[:-1] == found[:-1]).all()


def test_frames_that_drift_make_short_stacks_and_no_chain() -> None:
    """Each is 8 degrees from the next, and the limit is 23."""
    found = leaders(along(*np.arange(0.0, 96.0, 8.0)), same(12))
    assert found == [1, 1, 1, 4, 4, 4, 7, 7, 7, 10, 10, 10]


def test_one_between_two_leaders_joins_the_earlier() -> None:
    assert leaders(along(30.0, 0.0, 15.0), same(3)) == [1, 2, 1]


def test_a_thousand_of_one_picture_come_together_at_once() -> None:
    random = np.random.default_rng(3)
    others = unit(random.normal(size=(200, 64)))
    one = np.repeat(unit(random.normal(size=(1, 64))), 1000, axis=0)
    vectors = np.concatenate([others[:100], one, others[100:]])
    tiles = np.concatenate([noise(100), same(1000), noise(100)])
    edges = knn_edges(vectors, 5)
    begun = time.perf_counter()
    found = leaders(vectors, tiles, edges=edges)
    assert time.perf_counter() - begun < 1.0
    assert found == [*range(1, 101), *[101] * 1000, *range(1101, 1201)]


def test_images_that_come_change_nothing_among_the_old() -> None:
    """The third joins two that nobody knew to be alike, as no edge joined them."""
    vectors = along(0.0, 20.0, 10.0)
    alone = (np.zeros((0, 2), np.int32), np.zeros(0, np.float32))
    before = leaders(vectors[:2], same(2), edges=alone)
    assert before == [1, 2]
    assert leaders(vectors, same(3), decided=np.array([*before, -1])) == [1, 2, 1]
    assert leaders(vectors, same(3)) == [1, 1, 1]


def test_a_newcomer_joins_a_stack_by_one_of_its_members() -> None:
    vectors, edge = along(0.0, 15.0, 20.0), np.array([[1, 2]], np.int32)
    found = leaders(vectors, same(3), edges=(edge, np.array([0.99], np.float32)), decided=np.array([1, 1, -1]))
    assert found == [1, 1, 1]


def test_what_was_decided_is_carried_as_long_as_image_and_leader_are_the_same() -> None:
    old_ids, old_rows = np.array([1, 2, 3, 4, 7]), np.array([0, 1, 2, 3, 6], np.int32)
    old_leaders = np.array([1, 1, 3, 3, 7])
    ids, rows = np.array([2, 3, 4, 7, 9]), np.array([1, 2, 3, 8, 9], np.int32)
    found = carried(old_ids, old_rows, old_leaders, ids, rows)
    assert found.tolist() == [-1, 3, 3, -1, -1]  # 1 is gone, 7 has changed, 9 is new
    assert carried(old_ids, old_rows, old_leaders[:0], ids, rows).tolist() == [-1] * 5  # a map of before


def test_rows_that_are_joined_know_the_lowest_of_them() -> None:
    chain = np.array([[9, 4], [4, 7], [7, 2], [5, 6]])
    assert lowest_joined(10, chain).tolist() == [0, 1, 2, 3, 2, 5, 5, 2, 8, 2]
    assert lowest_joined(3, np.zeros((0, 2), np.int32)).tolist() == [0, 1, 2]
    order = np.random.default_rng(5).permutation(5000)
    assert not lowest_joined(5000, np.stack([order[:-1], order[1:]], axis=1)).any()


def test_nothing_stacks_where_nothing_is() -> None:
    assert leaders(np.zeros((0, 4), np.float32), noise(0)) == []
