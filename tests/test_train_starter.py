"""The parts of `scripts/train-starter` that need no torch: captions, words, looks of pictures, how it is judged."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from train_starter import views
from train_starter.captions import Captions
from train_starter.lexicon import KIND_CLASSES, Classes, Lexicon, Synset
from train_starter.pairs import SIDE_PX, cleaned, fitted
from train_starter.report import NEAREST, in_hues, of_kind, recall

# -- captions ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "caption"),
    [
        ("redApple", "red apple"),
        ("Bee on a flower (by mimooh)", "bee on a flower"),
        ("car_02 http://example.org/a", "car"),
        ("clip art", ""),
        ("a drawing that tells a whole story in many words", ""),
        ("42", ""),
    ],
)
def test_a_title_becomes_a_caption_as_one_would_type_it(written: str, caption: str) -> None:
    assert cleaned(written) == caption


def test_people_are_given_first_names_of_their_kind() -> None:
    names = {"female": ["anna"], "male": ["paul"]}
    captions = Captions(
        ["a", "b", "c"], [("queen",), ("old man",), ("teapot",)], [(), ("man",), ()], names, np.random.default_rng(0)
    )
    taken = [{captions.take(row) for _ in range(200)} for row in range(3)]
    assert {"queen", "anna", "anna queen"} == taken[0]
    assert "paul" in taken[1]
    assert not any("anna" in caption for caption in taken[1])
    assert taken[2] == {"teapot"}
    assert captions.weights.sum() == pytest.approx(1.0)
    assert captions.weights[0] > captions.weights[2]  # there are few people


# -- words -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def animals() -> Lexicon:
    """entity > animal > (bird > (hen, kingfisher), dog); a tool that is called hen too."""

    def synset(offset: str, words: str, above: str, file: int = 5) -> Synset:
        return Synset(offset, tuple(words.split("/")), f"a {words}", file, (above,) if above else (), instance=False)

    synsets = [
        *(synset("1", "entity", "", 3), synset("2", "animal", "1"), synset("3", "bird", "2"), synset("6", "dog", "2")),
        *(synset("4", "hen/biddy", "3"), synset("5", "kingfisher", "3"), synset("7", "hen", "1", 25)),
        synset("8", "thought", "1", 9),
    ]
    senses = {"hen": ("4", "7"), "kingfisher": ("5",), "dog": ("6",), "thought": ("8",), "bird": ("3",)}
    return Lexicon({each.offset: each for each in synsets}, senses)


def test_a_noun_is_what_can_be_seen_of_it(animals: Lexicon) -> None:
    (bird, most), (shape, least) = animals.visible("hen")
    assert (bird.offset, shape.offset) == ("4", "7")
    assert (most, least) == pytest.approx((0.8, 0.2))  # second, and a shape
    assert animals.visible("thought") == []
    assert animals.rich_text(bird) == "hen, biddy, bird: a hen/biddy"


def test_kin_are_near_and_a_class_is_nearest_to_itself(animals: Lexicon) -> None:
    classes = Classes(animals, ("hen", "dog"), ("", ""), ("4", "6"), ("2",), np.ones((2, 1), np.bool_))
    assert KIND_CLASSES[0] <= classes.covers[:, 0].sum()
    hen, dog = classes.nearness("5")
    assert hen > dog > 0
    assert classes.nearness("4")[0] > 1.0 > hen


# -- pictures ----------------------------------------------------------------------------------------------------------


def test_a_picture_is_fitted_whole_and_looks_like_itself_on_white() -> None:
    buffer = io.BytesIO()
    Image.new("RGBA", (200, 100), (200, 0, 0, 255)).save(buffer, "PNG")
    rgba = fitted(buffer.getvalue(), SIDE_PX)
    assert rgba.shape == (SIDE_PX, SIDE_PX, 4)
    assert not rgba[0].any()  # clear above and below
    assert rgba[SIDE_PX // 2, :, 3].all()
    plain = views.plain(rgba, 224)
    assert plain[0, 0].tolist() == [255, 255, 255]
    assert plain[112, 112].tolist() == [200, 0, 0]


def test_the_same_seed_gives_the_same_look() -> None:
    rgba = np.random.default_rng(0).integers(0, 256, (SIDE_PX, SIDE_PX, 4), np.uint8)
    one, same, other = (views.varied(rgba, 224, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert one.shape == (224, 224, 3)
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


# -- the report's measures ---------------------------------------------------------------------------------------------


def test_recall_counts_pictures_scored_strictly_higher() -> None:
    scores = np.array([[0.9, 0.5, 0.9], [0.1, 0.2, 0.3]], np.float32)
    within, median = recall(scores, [[0], [0, 1]])
    assert within == [50.0, 100.0, 100.0]
    assert median == 1.5


def test_kinds_are_folders_of_more_pictures_than_are_looked_at() -> None:
    vectors = np.eye(NEAREST + 3, dtype=np.float32)
    vectors[: NEAREST + 1] += 1.0
    files = [f"birds/{row}" for row in range(NEAREST + 1)] + ["cars/a", "cars/b"]
    assert of_kind(vectors, files) == 100.0


def test_a_picture_is_turned_to_a_hue() -> None:
    flat = np.zeros((32, 32, 4), np.uint8)
    flat[..., :] = (200, 40, 40, 255)
    turned = in_hues(flat, [0.33])
    assert turned is not None
    assert turned[0][0, 0].argmax() in {1, 3}
    assert turned[0][0, 0, 1] > 150 > turned[0][0, 0, 0]
    assert in_hues(np.full((32, 32, 4), 128, np.uint8), [0.33]) is None  # grey has no hue to turn
