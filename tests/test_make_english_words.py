"""The list of English words: made of WordNet's files, the same each time."""

from __future__ import annotations

import lzma
from pathlib import Path

from make_english_words import packed, words_of

from atlas_rt.core.assets import assets_folder
from atlas_rt.search.english_words import FILE

FILES = {"noun": "dog n 1\ndog_pound n 1\nDNA n 1\n", "verb": "run v 1\n", "adj": "a 1\nred a 1\n", "adv": "up r 1\n"}


def test_single_words_and_irregular_forms_are_listed(tmp_path: Path) -> None:
    for part, lines in FILES.items():
        (tmp_path / f"index.{part}").write_text(f"  1 the licence\n{lines}")
        (tmp_path / f"{part}.exc").write_text("ran run\n" if part == "verb" else "")
    assert set(words_of(tmp_path)) == {"dog", "run", "ran", "red", "up"}
    assert packed(words_of(tmp_path)) == packed(["up", "red", "ran", "run", "dog", "dog"])


def test_what_ships_is_sorted() -> None:
    words = lzma.decompress((assets_folder("models") / FILE).read_bytes()).decode().splitlines()
    assert words == sorted(set(words))
    assert len(words) > 80_000
