"""Makes `models/vocabulary.txt`: the everyday words that images are labelled and clusters are named with.

A word is a noun of WordNet or a name of a character in Unicode's CLDR. How familiar it is: the definitions and examples
of WordNet that use it, three times its uses in WordNet's tagged texts, and a bonus for a name or keyword in CLDR.
What can be seen is known by WordNet's own sorting of nouns: of animals, artefacts, food and plants every familiar word
is taken that `vocabulary.toml` does not refuse; of the other kinds, people above all, only the words it lists. A listed
word that no source knows, or a refusal that nothing needs, is an error. The same packages give the same file.
Called by `scripts/make-vocabulary`.
"""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from debian_packages import PackageError, default_folder, fetch

ROOT = Path(__file__).resolve().parents[1]
RULES = Path(__file__).with_name("vocabulary.toml")
WORDNET, CLDR = "wordnet-base", "unicode-cldr-core"

KINDS = {5: "animal", 6: "artifact", 13: "food", 20: "plant"}
"""Numbers of WordNet's lexicographer files of which most familiar nouns can be seen."""
TAGGED, NAMED, KEYWORD = 3, 25, 10
"""What a use in a tagged text, a name and a keyword in CLDR are worth, in definitions that use the word."""
NOUN_SHARE = 0.5
"""Of a word's tagged uses so many are those of a noun: `cover` and `still` are not what one would see."""
VISIBLE_SHARE = 0.4
"""Of the uses of a noun so many are in a visible sense."""
GENERAL = 60
"""Kinds below a word that CLDR does not know, from which on it is too general: `device`, `structure`, `vertebrate`."""
WORDS_MAX = 3


@dataclass(frozen=True)
class Synset:
    """A sense: its lexicographer file, its words as written with their numbers there, the offsets above it.

    instance: it is one thing with a name of its own.
    """

    file: int
    words: tuple[tuple[str, int], ...]
    above: tuple[str, ...]
    instance: bool


@dataclass
class WordNet:
    """synsets by offset; senses: noun -> offsets, commonest first; uses: (noun, offset) -> tagged uses.

    singulars: irregular plurals. uses_by_class: word -> tagged uses as noun, verb, adjective, adverb. told: word -> how
    many definitions and examples use it. below: offset -> how many kinds of it there are.
    """

    synsets: dict[str, Synset] = field(default_factory=dict)
    senses: dict[str, tuple[str, ...]] = field(default_factory=dict)
    uses: dict[tuple[str, str], int] = field(default_factory=dict)
    singulars: dict[str, str] = field(default_factory=dict)
    uses_by_class: dict[str, Counter[str]] = field(default_factory=dict)
    told: Counter[str] = field(default_factory=Counter)
    below: Counter[str] = field(default_factory=Counter)

    def singular(self, word: str) -> str:
        if word in self.singulars:
            return self.singulars[word]
        if word in self.senses:
            return word
        for plural, one in (("ies", "y"), ("ches", "ch"), ("shes", "sh"), ("xes", "x"), ("ses", "s"), ("s", "")):
            if word.endswith(plural) and word.removesuffix(plural) + one in self.senses:
                return word.removesuffix(plural) + one
        return word

    def above(self, offset: str) -> set[str]:
        """Everything a sense is a kind of, itself included."""
        found, todo = set(), [offset]
        while todo:
            if (here := todo.pop()) not in found:
                found.add(here)
                todo += self.synsets[here].above
        return found


def read_wordnet(folder: Path) -> WordNet:
    """Raises OSError."""
    net = WordNet()
    for parts in _lines(folder / "noun.exc"):
        net.singulars[parts[0]] = parts[1]
    for parts in _lines(folder / "index.noun"):
        net.senses[parts[0]] = tuple(parts[-int(parts[2]) :])
    keys: Counter[str] = Counter()
    for key, _, count in _lines(folder / "cntlist.rev"):
        keys[key] = int(count)
        word, _, rest = key.partition("%")
        net.uses_by_class.setdefault(word, Counter())[{"5": "3"}.get(rest[0], rest[0])] += int(count)
    for parts in _lines(folder / "data.noun"):
        offset, synset = parts[0], _synset(parts)
        net.synsets[offset] = synset
        for word, number in synset.words:
            net.uses[word.lower(), offset] = keys[f"{word.lower()}%1:{synset.file:02d}:{number:02d}::"]
    for offset in net.synsets:
        net.below.update(net.above(offset) - {offset})
    for part_of_speech in ("noun", "verb", "adj", "adv"):
        for line in (folder / f"data.{part_of_speech}").read_text("utf-8").splitlines():
            net.told.update(_told(net, line.partition("|")[2].lower()))
    return net


def _lines(file: Path) -> Iterator[list[str]]:
    """The fields of each line, the licence at the top left out."""
    for line in file.read_text("utf-8").splitlines():
        if not line.startswith(" "):
            yield line.split()


def _synset(parts: list[str]) -> Synset:
    count = int(parts[3], 16)
    words = tuple((parts[4 + 2 * i], int(parts[5 + 2 * i], 16)) for i in range(count))
    first = 5 + 2 * count
    pointers = [parts[first + 4 * i : first + 4 * i + 2] for i in range(int(parts[first - 1]))]
    above = tuple(offset for symbol, offset in pointers if symbol in ("@", "@i"))
    return Synset(int(parts[1]), words, above, any(symbol == "@i" for symbol, _ in pointers))


def _told(net: WordNet, text: str) -> set[str]:
    """The nouns, of up to three words, that a definition and its examples use, plurals as singulars."""
    words = [net.singular(word) for word in re.findall(r"[a-z][a-z'-]*", text)]
    runs = ("_".join(words[i : i + n]) for n in range(1, WORDS_MAX + 1) for i in range(len(words) - n + 1))
    return {run for run in runs if run in net.senses}


def read_cldr(folder: Path) -> tuple[set[str], set[str]]:
    """Names and keywords of characters in English, with lower case. Raises OSError, ParseError."""
    names: set[str] = set()
    keywords: set[str] = set()
    for part in ("annotations", "annotationsDerived"):
        for annotation in ET.parse(folder / "common" / part / "en.xml").iter("annotation"):
            texts = {text.strip().lower() for text in (annotation.text or "").split("|")}
            if annotation.get("type") == "tts":
                names |= {text for text in texts if ":" not in text}
            elif part == "annotations":
                keywords |= texts
    return names, keywords


@dataclass(frozen=True)
class Candidate:
    """A noun in its commonest visible sense."""

    word: str
    kind: str
    offset: str
    familiarity: int


class Chooser:
    """Applies the rules. rules: `vocabulary.toml`."""

    def __init__(self, net: WordNet, names: set[str], keywords: set[str], rules: dict[str, Any]) -> None:
        self._net, self._names, self._keywords = net, names, keywords
        self._least: dict[str, int] = rules["least"]
        self._listed = {word for text in rules["listed"].values() for word in _words(text)}
        self._refused = {word for text in rules["refused"].values() for word in _words(text)}
        self._branches = {self._branch(entry) for entry in _words(rules["refused_branches"]["of"])}
        self._known = {_joined(word) for word in (*net.senses, *names, *keywords)}
        self.needless: list[str] = []
        self.unknown = sorted(word for word in self._listed if not self._is_known(word))

    def chosen(self) -> dict[str, list[str]]:
        """Kind -> words; the listed ones are of the kind "listed"."""
        best: dict[str, Candidate] = {}  # by sense
        candidates = [each for noun in self._net.senses if (each := self._candidate(noun))]
        taken = {candidate.offset for candidate in candidates if candidate.word in self._listed}
        for candidate in candidates:
            rival = best.setdefault(candidate.offset, candidate)
            if (candidate.familiarity, candidate.word) > (rival.familiarity, rival.word):
                best[candidate.offset] = candidate
        found: dict[str, list[str]] = {kind: [] for kind in ("listed", *KINDS.values())}
        found["listed"] = list(self._listed)
        needed = set()
        for candidate in best.values():
            if candidate.offset in taken or candidate.familiarity < self._least[candidate.kind]:
                continue
            if candidate.word in self._refused:
                needed.add(candidate.word)
            else:
                found[candidate.kind].append(candidate.word)
        self.needless = sorted(self._refused - needed)
        return found

    def _candidate(self, noun: str) -> Candidate | None:
        net, word = self._net, noun.replace("_", " ")
        if len(word) < 3 or word.count(" ") >= WORDS_MAX or not re.fullmatch(r"[a-z][a-z' -]+", word):
            return None
        offsets = [offset for offset in net.senses[noun] if not net.synsets[offset].instance]
        weights = [net.uses.get((noun, offset), 0) + 2.0 / rank for rank, offset in enumerate(offsets, 1)]
        seen = [
            weight if net.synsets[offset].file in KINDS else 0.0
            for weight, offset in zip(weights, offsets, strict=True)
        ]
        in_cldr = word in self._names or word in self._keywords
        if not any(seen) or sum(seen) < VISIBLE_SHARE * sum(weights):
            return None
        if self._noun_share(noun) < NOUN_SHARE and word not in self._names:
            return None
        offset = offsets[seen.index(max(seen))]
        synset = net.synsets[offset]
        proper = any(text.lower() == noun and text != noun for text, _ in synset.words)
        if proper or (not in_cldr and (net.below[offset] >= GENERAL or net.above(offset) & self._branches)):
            return None
        return Candidate(word, KINDS[synset.file], offset, self._familiarity(noun))

    def familiarity(self, word: str) -> int:
        """Of a word however it is written: `t-shirt`, `t shirt`, `tshirt`."""
        written = {word, word.replace(" ", "-"), word.replace(" ", ""), word.replace("-", " ")}
        return max(self._familiarity(each.replace(" ", "_")) for each in written)

    def _familiarity(self, noun: str) -> int:
        word = noun.replace("_", " ")
        tagged = sum(self._net.uses.get((noun, offset), 0) for offset in self._net.senses.get(noun, ()))
        known = NAMED * (word in self._names) + KEYWORD * (word in self._keywords)
        return self._net.told[noun] + TAGGED * tagged + known

    def _noun_share(self, noun: str) -> float:
        uses = self._net.uses_by_class.get(noun, Counter())
        return (uses["1"] + 0.5) / (uses.total() + 0.5)

    def _branch(self, entry: str) -> str:
        """The offset of a sense named by its word and number: `drug 1`."""
        word, _, number = entry.rpartition(" ")
        return self._net.senses[word.replace(" ", "_")][int(number) - 1]

    def _is_known(self, word: str) -> bool:
        """Whether a source has it, spaces, hyphens and a plural at its end aside."""
        first, _, last = word.rpartition(" ")
        singular = f"{first} {self._net.singular(last)}"
        return bool({_joined(word), _joined(singular)} & self._known)


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.replace("\n", " ").split(",") if word.strip()]


def _joined(word: str) -> str:
    return re.sub("[ _-]", "", word)


HEADER = """\
# Everyday words that images are labelled and clusters named with: one a line, the most familiar first.
# Made by scripts/make-vocabulary from WordNet 3.0 (Debian {wordnet}), copyright 2006 by Princeton University,
# all rights reserved (WordNet licence), and Unicode CLDR (Debian {cldr}), copyright 1991-2022 Unicode,
# Inc. (Unicode-DFS-2016).
"""


def write(file: Path, words: list[str], *, wordnet: str, cldr: str) -> None:
    """Raises OSError."""
    file.write_text(HEADER.format(wordnet=wordnet, cldr=cldr) + "\n".join(words) + "\n", encoding="utf-8")


def stop(message: str, code: int) -> NoReturn:
    print(f"make-vocabulary: {message}", file=sys.stderr)
    raise SystemExit(code)


def main(words: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="make-vocabulary", description=(__doc__ or "").split("\n\n", maxsplit=1)[0])
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "models" / "vocabulary.txt", metavar="FILE")
    parser.add_argument(
        "--packages", type=Path, default=default_folder(), metavar="DIR", help="where packages are kept"
    )
    args = parser.parse_args(words)
    try:
        fetched = fetch([WORDNET, CLDR], args.packages)
        net = read_wordnet(fetched[WORDNET].share / "wordnet")
        names, keywords = read_cldr(fetched[CLDR].share / "unicode" / "cldr")
        chooser = Chooser(net, names, keywords, tomllib.loads(RULES.read_text("utf-8")))
        found = chooser.chosen()
        if chooser.unknown or chooser.needless:
            unknown = f"not in the sources: {', '.join(chooser.unknown)}" if chooser.unknown else ""
            needless = f"refused without need: {', '.join(chooser.needless)}" if chooser.needless else ""
            stop("; ".join(filter(None, (unknown, needless))) + f" ({RULES.name})", 2)
        chosen = sorted({word for words in found.values() for word in words})
        chosen.sort(key=chooser.familiarity, reverse=True)
        versions = {name: f"{name} {package.version}" for name, package in fetched.items()}
        write(args.output, chosen, wordnet=versions[WORDNET], cldr=versions[CLDR])
    except PackageError as error:
        stop(str(error), 3)
    except (OSError, ET.ParseError) as error:
        stop(str(error), 3)
    print(f"{len(chosen):,} words: {', '.join(f'{len(words):,} {kind}' for kind, words in found.items())}")


if __name__ == "__main__":
    main()
