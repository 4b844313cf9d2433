"""What the pictures are called, one caption at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

NAME_SHARE = 0.6
"""A picture is called by its name so often, else by one of its keywords."""
FIRST_NAMES, ALONE = 0.25, 0.7
"""So often a person is given a first name, and so often it says nothing more."""
FEMALE = {"woman", "girl", "lady", "mother", "queen", "princess", "grandmother", "female", "businesswoman"}
MALE = {"man", "boy", "guy", "father", "king", "prince", "grandfather", "male", "businessman"}
PEOPLE = {"people", "person", "face", "human", "child", "kid", "head"} | FEMALE | MALE
PERSON_WEIGHT, SYMBOL_WEIGHT = 1.6, 0.4
"""How often pictures of people, of whom ImageNet knows nothing, and icons and signs are taken."""
SYMBOLS = (
    "openclipart/shapes",
    "openclipart/computer/icons",
    "openclipart/signs_and_symbols",
    "openclipart/buttons",
    "emoji/flag",
)


class Captions:
    """names, keywords: of each picture. weights: how often it is taken."""

    def __init__(
        self,
        paths: Sequence[str],
        names: Sequence[tuple[str, ...]],
        keywords: Sequence[tuple[str, ...]],
        first_names: dict[str, list[str]],
        chance: np.random.Generator,
    ) -> None:
        self._names, self._keywords, self._first_names, self._chance = names, keywords, first_names, chance
        self.all = [set(own) | set(more) for own, more in zip(names, keywords, strict=True)]
        self._person = [self._kind_of_person(words) for words in self.all]
        first = [(own or more)[0] for own, more in zip(names, keywords, strict=True)]
        alike = Counter(first)
        weights = np.array([alike[text] ** -0.5 for text in first])
        weights *= [SYMBOL_WEIGHT if path.startswith(SYMBOLS) else 1.0 for path in paths]
        weights *= [PERSON_WEIGHT if person else 1.0 for person in self._person]
        self.weights = weights / weights.sum()

    def take(self, row: int) -> str:
        chance, person = self._chance, self._person[row]
        if not person or chance.random() >= FIRST_NAMES:
            return self._plain(row)
        kind = person if person in self._first_names else ("female", "male")[chance.integers(2)]
        name = self._first_names[kind][chance.integers(len(self._first_names[kind]))]
        return name if chance.random() < ALONE else f"{name} {self._plain(row)}"

    def _plain(self, row: int) -> str:
        names, keywords = self._names[row], self._keywords[row]
        among = names if names and (not keywords or self._chance.random() < NAME_SHARE) else keywords
        return among[self._chance.integers(len(among))]

    @staticmethod
    def _kind_of_person(captions: set[str]) -> str:
        words = {word for caption in captions for word in caption.split()}
        if not words & PEOPLE:
            return ""
        if words & FEMALE and not words & MALE:
            return "female"
        return "male" if words & MALE and not words & FEMALE else "any"
