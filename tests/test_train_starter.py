"""The parts of `scripts/train-starter` that need no torch: captions, words, looks of pictures, how it is judged."""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from train_starter import views
from train_starter.captions import Captions
from train_starter.lessons import Lessons, read_languages
from train_starter.lexicon import KIND_CLASSES, Classes, Lexicon, Synset
from train_starter.pairs import SIDE_PX, cleaned, fitted
from train_starter.pieces import chosen, read_pieces, tokenizer_of
from train_starter.report import NEAREST, in_hues, of_kind, recall
from train_starter.translations import READ_BY_ENCODER, read_translations

from atlas_rt.core.assets import assets_folder

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


# -- many languages ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def lessons() -> Lessons:
    with zipfile.ZipFile(assets_folder("models") / "dictionary.zip") as archive:
        texts = {name: archive.read(name).decode() for name in archive.namelist()}
    return Lessons({"dog": 2.0, "cat": 1.0, "red car": 1.0}, read_translations(texts), composed=500)


def test_phrases_to_learn_come_with_the_english_ones_that_say_the_same(lessons: Lessons) -> None:
    assert any(each.foreign == "hund" and each.language == "de" for each in lessons.abroad["dog"])
    assert not any(each.foreign == "rock" for each in lessons.translations)  # a skirt in German, and a word of English
    phrases, rows = lessons.take(np.random.default_rng(3), english=5, foreign=50, composed=50)
    assert len(phrases) == len(rows) == 105
    assert [lessons.targets[row] for row in rows[:5]] == phrases[:5]
    again, same = lessons.take(np.random.default_rng(3), english=5, foreign=50, composed=50)
    assert (again, same.tolist()) == (phrases, rows.tolist())


def test_a_caption_is_translated_where_a_language_has_it(lessons: Lessons) -> None:
    chance = np.random.default_rng(0)
    known = {each.foreign for each in lessons.abroad["dog"]}
    assert {lessons.translated("dog", chance) for _ in range(20)} <= known
    assert lessons.translated("no word of any language", chance) == "no word of any language"


def test_each_language_that_the_encoder_reads_has_its_frames_and_colours() -> None:
    languages = read_languages()
    assert languages.keys() >= {"en", *READ_BY_ENCODER}
    colours = languages["en"].colours.keys()
    for name, language in languages.items():
        assert language.colours.keys() == colours, name
        assert all(frame.count("{}") == 1 for frame in language.frames), name
        assert all(ours.count("{}") == theirs.count("{}") == 2 for ours, theirs in language.joined), name


def test_a_sentencepiece_model_is_read_with_fewer_pieces(tmp_path: Path) -> None:
    """A field is its number and kind, a length, and the bytes; scores are four bytes, little-endian."""

    def field(number: int, value: bytes) -> bytes:
        return bytes([number << 3 | 2, len(value)]) + value

    texts = ("<unk>", "<s>", "</s>", "▁", "d", "o", "g", "▁do", "▁dog", "dog")
    pieces = b"".join(
        field(1, field(1, text.encode()) + bytes([2 << 3 | 5]) + struct.pack("<f", -float(row)))
        for row, text in enumerate(texts)
    )
    # A trie of one empty node, and no replacements: text stays as it is.
    charsmap = struct.pack("<I", 1024) + bytes(1024) + b"\0"
    inside = bytes([2 << 3 | 2, 0x80 | len(charsmap) & 127, len(charsmap) >> 7]) + charsmap
    file = tmp_path / "sp.model"
    file.write_bytes(pieces + bytes([3 << 3 | 2, 0x80 | len(inside) & 127, len(inside) >> 7]) + inside)
    read = read_pieces(file)
    assert [text for text, _ in read.pieces] == list(texts)
    assert tokenizer_of(read).encode("dog").tokens == ["<s>", "▁dog", "</s>"]
    kept = chosen(read, 8, [[1, 7, 6, 2], [1, 7, 2]])  # two phrases use "▁do"
    assert [texts[row] for row in kept] == list(texts[:8])
    assert tokenizer_of(read, kept).encode("dog").tokens == ["<s>", "▁do", "g", "</s>"]
    file.write_bytes(pieces)  # nothing says how text is normalised
    with pytest.raises(ValueError, match="no SentencePiece model"):
        read_pieces(file)


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
