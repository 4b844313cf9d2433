"""What was searched for, by library, in the data folder."""

from __future__ import annotations

from pathlib import Path

from atlas_rt.library.query_texts import CHARACTERS_MAX, LIBRARIES_MAX, TEXTS_MAX, QueryTexts


def test_each_library_has_its_own_and_the_newest_stay(tmp_path: Path) -> None:
    texts = QueryTexts(tmp_path)
    assert texts.of("a") == ()
    texts.add("a", ["one", "two", "one"])
    texts.add("b", ["three", "x" * (CHARACTERS_MAX + 1)])
    assert QueryTexts(tmp_path).of("a") == ("two", "one")
    assert texts.of("b") == ("three",)
    texts.add("a", ["two"])
    assert texts.of("a") == ("one", "two")
    texts.add("a", [str(number) for number in range(TEXTS_MAX)])
    assert texts.of("a") == tuple(str(number) for number in range(TEXTS_MAX))
    for number in range(LIBRARIES_MAX):
        texts.add(f"library {number}", ["a"])
    assert texts.of("a") == ()


def test_a_damaged_file_costs_nothing_but_itself(tmp_path: Path) -> None:
    texts = QueryTexts(tmp_path)
    texts.add("a", ["one"])
    texts.path.write_text('{"format": 1, "entries": [{"library": "a", "texts": "one"}]}')
    assert texts.of("a") == ("one",)  # of its copy
    texts.add("a", ["two"])
    assert texts.of("a") == ("one", "two")
