"""The model that ships: what `scripts/train-starter` promises of it."""

from __future__ import annotations

import numpy as np
import pytest
from calibrate import DEMO, Captioned, caption_of
from tokenizers import Tokenizer
from train_starter.report import PAIRS, hue_pairs

from atlas_rt.core.arrays import Floats
from atlas_rt.encoders.encoder import TextEncoder
from atlas_rt.encoders.preprocess import to_input
from atlas_rt.encoders.registry import Model
from atlas_rt.encoders.sessions import open_session
from atlas_rt.library.decoding.decode import read_image

SAME = 0.9999
"""Cosine of a vector made alone to the same made beside others."""
PHRASES = (
    *("red car", "dog", "a lighthouse on a cliff by the sea in the evening", "birthday cake", "the quick brown fox"),
    *("violin", "", "42", "Taj Mahal", "赤い車", "🎈", "hammer", "a green apple and a yellow banana on a white plate"),
    *("owl", "x", "castle"),
)


@pytest.fixture(scope="module")
def demo() -> list[Captioned]:
    return [Captioned(caption_of(path.stem), path.name, path.read_bytes()) for path in sorted(DEMO.glob("*.webp"))]


def test_it_is_small(model: Model) -> None:
    files = [path for path in model.folder.iterdir() if path.suffix in {".onnx", ".json", ".npy"}]
    dictionary = model.folder.parent / "dictionary.zip"
    assert sum(path.stat().st_size for path in (*files, dictionary)) < 48e6


def test_an_image_does_not_depend_on_what_shares_its_batch(model: Model, demo: list[Captioned]) -> None:
    spec, tower = model.image.preprocessing, model.image
    pixels = np.stack(
        [
            to_input(read_image(each.content, target_px=spec.size_px, fit=spec.resize, suffix=".webp").image, spec)
            for each in demo[:16]
        ]
    )
    session = open_session(tower.file.path, threads=1, sha256=tower.file.sha256)
    together = session.run(tower.output, {tower.input: pixels})
    alone = np.concatenate([session.run(tower.output, {tower.input: each[None]}) for each in pixels])
    assert cosines(together, alone).min() >= SAME


def test_a_phrase_does_not_depend_on_what_shares_its_batch_nor_on_padding(model: Model) -> None:
    tower = model.text
    tokenizer = Tokenizer.from_file(str(tower.tokenizer.path))
    tokenizer.enable_padding()
    encodings = tokenizer.encode_batch(list(PHRASES))
    feeds = {
        tower.inputs[0]: np.array([each.ids for each in encodings]),
        tower.inputs[1]: np.array([each.attention_mask for each in encodings]),
    }
    together = open_session(tower.file.path, threads=1, sha256=tower.file.sha256).run(tower.output, feeds)
    encoder = TextEncoder(model)
    assert cosines(together, np.stack([encoder.encode(phrase) for phrase in PHRASES])).min() >= SAME


def test_colour_words_find_the_colour(model: Model, demo: list[Captioned]) -> None:
    encode, pairs = TextEncoder(model).encode, list(hue_pairs(demo, model, seed=0))
    assert len(pairs) == PAIRS
    won = [np.argmax(pair.vectors @ encode(f"{pair.hues[0]} {pair.caption}")) == 0 for pair in pairs]
    assert np.mean(won) >= 0.8


def test_capitals_mean_what_small_letters_mean(model: Model) -> None:
    encode = TextEncoder(model).encode
    for words in ("Red Car", "VEHICLES", "Taj Mahal", "Ёлка", "Äpfel"):
        np.testing.assert_array_equal(encode(words), encode(words.lower()))


@pytest.mark.parametrize("dog", ["Hund", "chien", "perro", "cane", "собака", "犬", "كلب", "köpek", "pies", "hond"])
def test_it_reads_some_of_other_languages_itself(model: Model, dog: str) -> None:
    encode = TextEncoder(model).encode
    meant = {word: float(encode(dog) @ encode(word)) for word in ("dog", "car", "tree", "house", "piano")}
    assert max(meant, key=meant.__getitem__) == "dog"


def test_another_text_tower_leaves_the_image_tower_as_it_was(model: Model) -> None:
    """With another image tower every library would be encoded again."""
    assert model.image.file.sha256.startswith("5d9247167e8bf8da")


def test_a_phrase_without_a_colour_asks_for_none(model: Model) -> None:
    encoder = TextEncoder(model)
    colours = slice(-12, None)  # the last dimensions
    assert not encoder.encode("a car on the road")[colours].any()
    red, small_red, plain = (encoder.encode(words)[colours] for words in ("red", "small red sports car", "a the red"))
    assert np.linalg.norm(red) > np.linalg.norm(small_red) > 0.2
    np.testing.assert_allclose(red, plain, atol=1e-6)


def cosines(one: Floats, other: Floats) -> Floats:
    found: Floats = (one * other).sum(axis=1) / (np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1))
    return found
