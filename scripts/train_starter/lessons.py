"""Phrases of many languages, each with the English one that says the same: what the multilingual tower learns from."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from train_starter.translations import READ_BY_ENCODER, Translation

T = TypeVar("T")
LANGUAGES = Path(__file__).with_name("languages.toml")
FORMS = ("frames", "joined", "english", "coloured")
"""What a table holds besides colours."""
READ_WEIGHT = 4.0
"""How often phrases of languages that the encoder was made for are taken; others are left to the dictionary, mostly."""
UNKNOWN_WEIGHT = 0.4
"""Of translations whose English is no noun and no caption: names of symbols and long descriptions."""
ENGLISH_WEIGHT = 12.0
"""The same of composed English phrases."""
FRAMED = 0.35
"""So many translations stand in a frame such as `a photo of ...`."""
COMPOSED = 50_000
COLOUR_ALONE, COLOUR_AND_THING = 0.12, 0.38
"""Shares of the composed phrases; the others are two things."""
WORDS_MAX = 2
"""A thing that is composed has at most so many words in English."""


@dataclass(frozen=True)
class Lesson:
    """phrase: as it is typed. english: the phrase whose vector it should get."""

    phrase: str
    english: str


@dataclass(frozen=True)
class Language:
    """One table of languages.toml. colours: by their English names."""

    frames: tuple[str, ...]
    joined: tuple[tuple[str, str], ...]
    coloured: tuple[str, ...]
    colours: dict[str, tuple[str, ...]]


def read_languages(file: Path = LANGUAGES) -> dict[str, Language]:
    found = {}
    for name, table in tomllib.loads(file.read_text("utf-8")).items():
        joined = tuple(zip(table["joined"], table["english"], strict=True))
        colours = {colour: tuple(forms) for colour, forms in table.items() if colour not in FORMS}
        found[name] = Language(tuple(table["frames"]), joined, tuple(table["coloured"]), colours)
    return found


class Lessons:
    """english: phrases with how often they are taken. The composed ones are the same whatever the seed of training."""

    def __init__(
        self, english: dict[str, float], translations: Sequence[Translation], composed: int = COMPOSED
    ) -> None:
        self._languages = read_languages()
        self._english = list(english)
        self._english_weights = _shares(english.values())
        self.translations = list(translations)
        self._foreign_weights = self._weigh(english)
        self.abroad: dict[str, list[Translation]] = {}
        for each in self.translations:
            self.abroad.setdefault(each.english, []).append(each)
        self._composed = self._compose(composed, np.random.default_rng(0))
        wanted = [*self._english, *(each.english for each in self.translations)]
        self.targets = list(dict.fromkeys([*wanted, *(each.english for each in self._composed)]))
        """The English phrases that the teacher is asked for."""
        self._row = {text: row for row, text in enumerate(self.targets)}

    def phrases(self) -> list[str]:
        """All that may be taken, without frames."""
        foreign = (each.foreign for each in self.translations)
        return [*self.targets, *foreign, *(each.phrase for each in self._composed)]

    def take(
        self, chance: np.random.Generator, *, english: int, foreign: int, composed: int
    ) -> tuple[list[str], NDArray[np.int64]]:
        """So many phrases of each kind, and their rows among the targets."""
        taken = [Lesson(text, text) for text in _some(chance, self._english, english, self._english_weights)]
        translated = _some(chance, self.translations, foreign, self._foreign_weights)
        taken += [Lesson(self._framed(each, chance), each.english) for each in translated]
        taken += _some(chance, self._composed, composed, None)
        return [each.phrase for each in taken], np.array([self._row[each.english] for each in taken])

    def translated(self, phrase: str, chance: np.random.Generator) -> str:
        """The phrase in a language taken at random of those that have it; itself where none has."""
        among = self.abroad.get(phrase)
        if not among:
            return phrase
        weights = _shares(_of_language(each.language) for each in among)
        return among[chance.choice(len(among), p=weights)].foreign

    def _weigh(self, english: dict[str, float]) -> NDArray[np.float64]:
        sizes = Counter(each.language for each in self.translations)
        return _shares(
            _of_language(each.language) * (1.0 if each.english in english else UNKNOWN_WEIGHT) / sizes[each.language]
            for each in self.translations
        )

    def _framed(self, translation: Translation, chance: np.random.Generator) -> str:
        language = self._languages.get(translation.language)
        if language is None or chance.random() >= FRAMED:
            return translation.foreign
        return language.frames[chance.integers(len(language.frames))].format(translation.foreign)

    def _compose(self, count: int, chance: np.random.Generator) -> list[Lesson]:
        known = set(self._english)
        things: dict[str, list[Translation]] = {name: [] for name in self._languages}
        for each in self.translations:
            if each.language in things and each.english in known and each.english.count(" ") < WORDS_MAX:
                things[each.language].append(each)
        short = [text for text in self._english if text.count(" ") < WORDS_MAX]
        things["en"] = [Translation("en", text, text) for text in short]
        weights: dict[str, NDArray[np.float64] | None] = dict.fromkeys(things)
        by_text = dict(zip(self._english, self._english_weights, strict=True))
        weights["en"] = _shares(by_text[text] for text in short)
        names = [name for name in self._languages if things[name]]
        often = _shares(_of_language(name) for name in names)
        found = []
        for number in chance.choice(len(names), count, p=often).tolist():
            name = names[number]
            two = chance.choice(len(things[name]), 2, p=weights[name]).tolist()
            found.append(self._composed_of(self._languages[name], [things[name][row] for row in two], chance))
        return found

    @staticmethod
    def _composed_of(language: Language, two: list[Translation], chance: np.random.Generator) -> Lesson:
        kind = chance.random()
        if kind >= COLOUR_ALONE + COLOUR_AND_THING:
            joined, english = language.joined[chance.integers(len(language.joined))]
            return Lesson(joined.format(two[0].foreign, two[1].foreign), english.format(two[0].english, two[1].english))
        colour = list(language.colours)[chance.integers(len(language.colours))]
        forms = language.colours[colour]
        form = forms[chance.integers(len(forms))]
        if kind < COLOUR_ALONE:
            return Lesson(form, colour)
        frame = language.coloured[chance.integers(len(language.coloured))]
        return Lesson(frame.format(form, two[0].foreign), f"{colour} {two[0].english}")


def _some(chance: np.random.Generator, among: Sequence[T], count: int, weights: NDArray[np.float64] | None) -> list[T]:
    return [among[row] for row in chance.choice(len(among), count, p=weights).tolist()]


def _of_language(name: str) -> float:
    if name == "en":
        return ENGLISH_WEIGHT
    return READ_WEIGHT if name in READ_BY_ENCODER else 1.0


def _shares(weights: Iterable[float]) -> NDArray[np.float64]:
    found = np.array(list(weights), np.float64)
    return found / max(found.sum(), 1e-12)
