"""The dictionary that ships: our lists go before what Unicode's characters suggest."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from make_dictionary import LISTS, Entry, Pairs, read_list

from atlas_rt.core.assets import assets_folder
from atlas_rt.search.labels import read_words

CLDR = Pairs({"strand": "desert island", "bent": "bento box", "kai": "quay"}, {"beach": "strand", "quay": "kai"})
OURS = [
    Entry("beach", ("Strand", "Strände", "Rock")),
    Entry("skirt", ("Rock", "skirt", "dog")),
    Entry("lawn", ()),
]


def test_a_list_is_read_line_by_line(tmp_path: Path) -> None:
    file = tmp_path / "de.txt"
    file.write_text("# a comment\ndog = Hund | Hunde\n\nquicksand =\n", "utf-8")
    assert read_list(file) == [Entry("dog", ("Hund", "Hunde")), Entry("quicksand", ())]
    file.write_text("dog = Hund\ncat: Katze\n", "utf-8")
    with pytest.raises(ValueError, match="line 2"):
        read_list(file)


def test_our_lists_go_first() -> None:
    made = CLDR.corrected(OURS, {"endings": "e es", "red": "rot"}, {"dog", "beach", "skirt"})
    assert made.english["Strand"] == made.english["Strände"] == "beach"
    assert made.english["Rock"] == "skirt"  # what it is called goes before what else it may mean
    assert made.english["rote"] == "red"
    assert made.english["kai"] == "quay"
    assert made.words == {"beach": "Strand", "skirt": "Rock", "quay": "kai"}


def test_english_words_keep_their_meaning() -> None:
    made = CLDR.corrected(OURS, {}, {"dog", "beach", "skirt"})
    assert "bent" not in made.english
    assert "dog" not in made.english
    assert CLDR.corrected([], {}, ()).english["bent"] == "bento box"  # a language without a list takes all it can get


@pytest.mark.parametrize("file", sorted(LISTS.glob("*.txt")), ids=lambda file: file.stem)
def test_each_list_has_the_whole_vocabulary(file: Path) -> None:
    entries = read_list(file)
    english = [entry.english for entry in entries]
    assert len(set(english)) == len(english)
    assert set(read_words(assets_folder("models") / "vocabulary.txt")) <= set(english)
    assert sum(bool(entry.words) for entry in entries) >= 0.99 * len(entries)
    words = [word for entry in entries for word in entry.words]
    assert all(unicodedata.is_normalized("NFC", word) for word in words)
    assert all(len(set(entry.words)) == len(entry.words) for entry in entries)
