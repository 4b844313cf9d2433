"""The script behind the vocabulary, on a WordNet and a CLDR of a few lines in their own formats."""

from __future__ import annotations

from pathlib import Path

import pytest
from make_vocabulary import Chooser, read_cldr, read_wordnet

SYNSETS = {
    # offset: file, words, above, gloss
    "00000001": (3, ["entity"], "", "what is"),
    "00000010": (5, ["animal"], "00000001", "a living being"),
    "00000011": (5, ["dog", "domestic_dog"], "00000010", 'a kind animal; "the dog barked"'),
    "00000012": (5, ["pug"], "00000011", "a small dog with a curly tail"),
    "00000013": (5, ["germ"], "00000010", "too small to be seen"),
    "00000020": (6, ["artifact"], "00000001", "what was made"),
    "00000021": (6, ["cover"], "00000020", "what lies over a pot"),
    "00000022": (6, ["Big_Ben"], "00000020", "a dog heard it: a bell"),
    "00000023": (6, ["pot"], "00000020", "a vessel, as dogs eat from; the pot of a dog"),
    "00000030": (18, ["baker", "bread_maker"], "00000001", "one who bakes"),
    "00000031": (18, ["fool"], "00000001", "a dog is none"),
    "00000040": (9, ["idea"], "00000001", "what a dog has none of"),
}
USES = {"dog%1:05:00::": 9, "cover%1:06:00::": 1, "cover%2:35:00::": 8, "pot%1:06:00::": 2, "idea%1:09:00::": 50}
RULES = {
    "least": {"animal": 2, "artifact": 2, "food": 2, "plant": 2},
    "refused_branches": {"of": "germ 1"},
    "listed": {"people": "baker, t-shirt"},
    "refused": {"x": ""},
}


@pytest.fixture
def chooser(tmp_path: Path) -> Chooser:
    index: dict[str, list[str]] = {}
    lines = ["  1 a licence comes first"]
    for offset, (file, words, above, gloss) in SYNSETS.items():
        for word in words:
            index.setdefault(word.lower(), []).append(offset)
        named = "".join(f" {word} 0" for word in words)
        pointers = f" 001 @ {above} n 0000" if above else " 000"
        lines.append(f"{offset} {file:02d} n {len(words):02x}{named}{pointers} | {gloss}  ")
    (tmp_path / "data.noun").write_text("\n".join(lines) + "\n")
    for name in ("verb", "adj", "adv"):
        (tmp_path / f"data.{name}").write_text("00000001 29 v 01 bark 0 000 00 | as a dog does; the dogs bark\n")
    (tmp_path / "index.noun").write_text(
        "".join(f"{word} n {len(at)} 0 {len(at)} 0 {' '.join(at)}\n" for word, at in index.items())
    )
    (tmp_path / "noun.exc").write_text("doggies dog\n")
    (tmp_path / "cntlist.rev").write_text("".join(f"{key} 1 {count}\n" for key, count in USES.items()))
    for name in ("annotations", "annotationsDerived"):
        (tmp_path / "common" / name).mkdir(parents=True)
        (tmp_path / "common" / name / "en.xml").write_text(
            '<ldml><annotations><annotation cp="a">T-shirt | shirt</annotation>'
            '<annotation cp="a" type="tts">t-shirt</annotation></annotations></ldml>'
        )
    names, keywords = read_cldr(tmp_path)
    return Chooser(read_wordnet(tmp_path), names, keywords, RULES)


def test_familiar_nouns_of_what_can_be_seen_are_taken(chooser: Chooser) -> None:
    chosen = chooser.chosen()
    # no second word of a sense, no rare word (pug), verb (cover), name (Big Ben), general word (entity) or idea
    assert chosen["animal"] == ["dog"]
    assert chosen["artifact"] == ["pot"]
    assert sorted(chosen["listed"]) == ["baker", "t-shirt"]
    assert (chooser.unknown, chooser.needless) == ([], [])


def test_familiarity_counts_definitions_tagged_uses_and_names(chooser: Chooser) -> None:
    assert chooser.familiarity("dog") == 3 * 9 + 6 + 3  # six glosses of nouns, one of each other class
    assert chooser.familiarity("t shirt") == chooser.familiarity("t-shirt") == 25 + 10  # a name and a keyword


def test_words_that_no_source_knows_and_idle_refusals_are_told(chooser: Chooser) -> None:
    rules = RULES | {"listed": {"x": "bakers, flying carpet"}, "refused": {"x": "pot, elephant"}}
    strict = Chooser(chooser._net, chooser._names, chooser._keywords, rules)
    assert strict.chosen()["artifact"] == []
    assert (strict.unknown, strict.needless) == (["flying carpet"], ["elephant"])
