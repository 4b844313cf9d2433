"""Phrases without pictures: WordNet's nouns, ImageNet's classes and their kinds, and what each should find."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import numpy as np
import torch
from make_vocabulary import TAGGED, read_wordnet
from tokenizers import Tokenizer
from torch import Tensor

from train_starter.lexicon import PERSON, PLACE, Classes, Lexicon
from train_starter.sentence import Sentences, embed, tokenize
from train_starter.space import CLASSES, unit

RICH_TOKENS = 40
TEMPERATURE, KINSHIP = 0.035, 8.0
"""Of the softmax over classes: of the likeness of definitions, and what kinship in WordNet adds to it."""
LOOKS, LOOKS_TEMPERATURE = 0.35, 0.12
"""So much of a noun's share in a class goes to those that look like it, by the likeness of the classifier's weights."""

FILE_WEIGHTS = {5: 1, 6: 2.5, 8: 1, 13: 1.5, 14: 0.3, 15: 0.5, 17: 1, 18: 0.6, 19: 0.5, 20: 0.7, 25: 0.5, 27: 0.5}
"""How often nouns of WordNet's files are taken: things above all."""
LATIN_WEIGHT, LONG_WEIGHT, INSTANCE_WEIGHT = 0.15, 0.5, 2.0
"""Families and species have Latin names nobody types; of names of single places, buildings and people there are few."""
UNUSED, USES_POWER = 0.15, 0.6
"""A noun is taken in proportion to the power of its uses; one that is never used counts as used so often."""
WORDS_MAX = 4
COMPOUNDS, BUILDINGS = 0.25, 0.6
"""So many phrases are a name and a thing, `Reims cathedral` or `tower of Pisa`; so many of the things are buildings."""
BUILT = ("building", "structure", "memorial", "area", "way")

TEMPLATES = ("{}", "{}", "{}", "a {}", "a photo of a {}", "picture of a {}", "{} drawing", "the {}")


@dataclass(frozen=True)
class Noun:
    """senses: rows of the targets, with their weights."""

    text: str
    senses: tuple[tuple[int, float], ...]
    weight: float
    file: int
    instance: bool
    built: bool


def nouns(lexicon: Lexicon, uses: Callable[[str], int]) -> tuple[list[Noun], list[str]]:
    """All that can be seen, and the offsets of their senses by row.

    uses: of a noun in WordNet's texts and definitions.
    """
    rows: dict[str, int] = {}
    found: list[Noun] = []
    built = {offset for offset, synset in lexicon.synsets.items() if synset.words[0] in BUILT and synset.file == 6}
    for text in lexicon.senses:
        senses = lexicon.visible(text) if len(text) > 2 and text.count(" ") < WORDS_MAX else []
        if not senses:
            continue
        first = senses[0][0]
        written = next((word for word in first.words if word.lower() == text), text)
        weight = FILE_WEIGHTS[first.file] * (INSTANCE_WEIGHT if first.instance else 1.0)
        weight *= LATIN_WEIGHT if written[:1].isupper() and first.file in (5, 20) else 1.0
        weight *= LONG_WEIGHT if text.count(" ") > 2 else 1.0
        weight *= (UNUSED + uses(text)) ** USES_POWER
        parts = tuple((rows.setdefault(synset.offset, len(rows)), share) for synset, share in senses)
        is_built = first.file == 6 and bool(lexicon.above(first.offset).keys() & built)
        found.append(Noun(text, parts, weight, first.file, first.instance, is_built))
    return found, list(rows)


def word_uses(folder: Path) -> Callable[[str], int]:
    """How often a noun is used in WordNet's texts and definitions. folder: of the dictionary's files."""
    counted = read_wordnet(folder)

    def uses(noun: str) -> int:
        word = noun.replace(" ", "_")
        return counted.told[word] + TAGGED * counted.uses_by_class.get(word, Counter())["1"]

    return uses


def prototypes(classes: Classes, network: Sentences, tokenizer: Tokenizer) -> Tensor:
    """(p, 384) unit: what sentences say of each class and kind."""
    texts = classes.texts
    vectors = embed(network, tokenize([text for part in texts for text, _ in part], tokenizer, 64))
    weights = torch.tensor([weight for part in texts for _, weight in part])[:, None]
    owner = torch.tensor([row for row, part in enumerate(texts) for _ in part])
    return unit(torch.zeros(len(texts), vectors.shape[1]).index_add_(0, owner, vectors * weights))


def targets(
    lexicon: Lexicon,
    offsets: list[str],
    classes: Classes,
    network: Sentences,
    tokenizer: Tokenizer,
    likeness: Tensor,
    file: Path,
) -> Tensor:
    """(n, 1000) float16: what an image should be by ImageNet if a sense is its caption. Kept in `file`.

    By how alike definitions are and how near kin in WordNet; spread to classes of the same looks.
    likeness: (1000, 1000) cosines of the classifier's weights.
    """
    if not file.exists():
        rich = embed(
            network, tokenize([lexicon.rich_text(lexicon.synsets[o]) for o in offsets], tokenizer, RICH_TOKENS)
        )
        looks = torch.softmax(likeness / LOOKS_TEMPERATURE, dim=1)
        found = torch.empty(len(offsets), CLASSES, dtype=torch.float16)
        told = prototypes(classes, network, tokenizer)[:CLASSES]
        for start in range(0, len(offsets), 1024):
            near = torch.from_numpy(np.stack([classes.nearness(offset) for offset in offsets[start : start + 1024]]))
            shares = torch.softmax(rich[start : start + 1024] @ told.T / TEMPERATURE + KINSHIP * near, dim=1)
            found[start : start + 1024] = (1 - LOOKS) * shares + LOOKS * shares @ looks
        torch.save(found, file)
    return torch.load(file)


class Sampler:
    """Takes phrases at random."""

    def __init__(self, found: list[Noun], classes: Classes, wanted: Tensor, chance: np.random.Generator) -> None:
        self._nouns, self._wanted, self._chance = found, wanted, chance
        weights = np.array([noun.weight for noun in found])
        self._weights = weights / weights.sum()
        things = [noun for noun in found if noun.file == 6 and not noun.instance and " " not in noun.text]
        self._things, self._buildings = things, [noun for noun in things if noun.built]
        self._names = [noun.text for noun in found if noun.instance and noun.file in (PLACE, 17, PERSON)]
        lexicon = classes.lexicon
        self._class_names = [
            list(dict.fromkeys([name.lower(), *(word.lower() for word in lexicon.synsets[offset].words)]))
            for name, offset in zip(classes.names, classes.offsets, strict=True)
        ]
        self._kind_names = [lexicon.synsets[offset].words[:3] for offset in classes.kinds]
        size = classes.covers.sum(0)
        self._kind_weights = size**0.5 / (size**0.5).sum()
        self._kind_shares = torch.from_numpy((classes.covers / size).T.astype(np.float32))

    def nouns(self, count: int) -> tuple[list[str], Tensor]:
        """Phrases and (count, 1000) what they should find."""
        chance = self._chance
        taken = [self._nouns[row] for row in chance.choice(len(self._nouns), count, p=self._weights)]
        texts = [noun.text for noun in taken]
        for row in range(int(count * COMPOUNDS)):
            texts[row], taken[row] = self.compound()
        wanted = torch.zeros(count, CLASSES)
        for line, noun in enumerate(taken):
            for row, share in noun.senses:
                wanted[line] += share * self._wanted[row].float()
        return texts, wanted

    def compound(self) -> tuple[str, Noun]:
        """A name and a thing, and the thing."""
        chance = self._chance
        among = self._buildings if chance.random() < BUILDINGS else self._things
        thing = among[chance.integers(len(among))]
        name = self._names[chance.integers(len(self._names))].split(" ")[-1 if chance.random() < 0.5 else 0]
        return f"{name} {thing.text}" if chance.random() < 0.75 else f"{thing.text} of {name}", thing

    def class_names(self, count: int) -> tuple[list[str], Tensor]:
        """Phrases and (count,) classes."""
        rows = self._chance.choice(CLASSES, count, replace=False)
        return [self._phrase(self._class_names[row]) for row in rows], torch.from_numpy(rows)

    def kinds(self, count: int) -> tuple[list[str], Tensor]:
        """Phrases and (count, 1000) classes of that kind, alike."""
        rows = self._chance.choice(len(self._kind_names), count, p=self._kind_weights)
        return [self._phrase(self._kind_names[row]) for row in rows], self._kind_shares[rows]

    def _phrase(self, names: list[str] | tuple[str, ...]) -> str:
        name = names[self._chance.integers(len(names))]
        return TEMPLATES[self._chance.integers(len(TEMPLATES))].format(name)


def first_names() -> dict[str, list[str]]:
    """`female` and `male` -> their 400 commonest in the census of the United States of 1990 (package `names`)."""
    folder = Path(str(import_module("names").__file__)).parent
    return {
        kind: [line.split()[0].lower() for line in (folder / f"dist.{kind}.first").read_text().splitlines()[:400]]
        for kind in ("female", "male")
    }
