"""Everyday words of other languages in English, and English ones in those: `models/dictionary.zip`.

A dictionary knows single words and some phrases, no grammar. What it cannot read stays as it stands, so a phrase of
which it knows a part is still worth a search.
"""

from __future__ import annotations

import bisect
import itertools
import lzma
import re
import unicodedata
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache

from atlas_rt.core.assets import assets_folder
from atlas_rt.errors import MissingError

ENGLISH = "en"
FILE = "dictionary.zip"
PHRASE_MAX = 400
"""Characters that are read; models read no more either."""
RUN = 4
"""Words of a phrase that are looked up together at most."""
STEM, CUT, LONGER = 4, 3, 2
"""A word that is not known is read as one with another ending: of what is left without its last `CUT` letters at least
`STEM` must begin a known word, which may be `LONGER` letters longer."""
PART, COMPOUND = 4, 8
"""Letters of each part of a word of at least `COMPOUND` that is read as two: `Gartenstuhl`."""
UNSPACED = frozenset(("ja", "zh", "zh_Hant", "yue", "yue_Hans", "th", "lo", "km", "my"))
COMPOUNDING = frozenset(("de", "nl", "sv", "da", "no", "nn", "fi", "hu", "is", "et", "af", "fo", "lb"))
OTHER_CODES = {"nb": "no", "iw": "he", "tl": "fil", "in": "id", "sh": "sr_Latn"}
"""What locales call a language that CLDR calls otherwise."""
EMOJI_MAX = 14
"""Characters of the longest: a family."""
HELD = 8
"""Dictionaries that are kept in memory, 1.5 MB each."""
_DIRECTIONS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Marks that say which way a text runs."""
_MARKS = re.compile("[\u0000-\u001f\u00ad\u200b-\u200d\ufeff\u0591-\u05bd\u05bf-\u05c7\u0640\u064b-\u0652\u0670]")
"""Marks that one sees or types now and then: joiners, the vowels of Hebrew and Arabic."""
_WIDE = re.compile("[\uff01-\uff9f\u3000]+")
"""Letters as wide as Chinese characters, and Japanese ones that are half as wide."""
_UNIT = re.compile("[A-Za-z0-9\u00c0-\u024f'’-]+|\\S")
"""A word in Latin letters, or one character of a script that sets no spaces."""
_BETWEEN = re.compile(r"[\s,;/|،؛]+")
_EDGES = " \t\r\n.,;:!?…。、，．！？؟،؛।\"'«»„“”‘’()[]{}（）「」『』/\\|*#\u200d\ufe0f"


@dataclass(frozen=True, slots=True)
class Translation:
    """A phrase in English as far as it is known. read: what was typed and what it was read as, in their order; unread:
    what is not known, and stands in `english` as it was typed."""

    english: str
    read: tuple[tuple[str, str], ...] = ()
    unread: tuple[str, ...] = ()


Words = Iterator[tuple[str, str]]
"""(a run of words as it is looked up, its English or "") each."""


class Dictionary:
    """Between one language and English. What it answers depends on the words alone; any thread may ask.

    little, particles, prefixes: as in `scripts/dictionary.toml`, by blanks.
    """

    def __init__(
        self,
        language: str,
        english: dict[str, str],
        words: dict[str, str],
        *,
        little: str = "",
        particles: str = "",
        prefixes: str = "",
    ) -> None:
        """english: word as written -> English. words: English, lower case -> word as written."""
        self.language = language
        self._words = words
        self._little, self._particles, self._prefixes = frozenset(little.split()), particles, tuple(prefixes.split())
        self._english: dict[str, str] = {}
        for word, meaning in english.items():
            self._english.setdefault(self._key(word), meaning)

    def translate(self, phrase: str, *, is_english: Callable[[str], bool] | None = None) -> Translation:
        """A phrase in English, emoji by their names. Linear in its length; 0.1 ms. is_english: of a word that only a
        guess makes one of this language: `castle` is no castor, a beaver in French."""
        english: list[str] = []
        read: list[tuple[str, str]] = []
        unread: list[str] = []
        for part, name in split_emoji(phrase[:PHRASE_MAX]):
            found = [(part, name)] if name else self._read(part, is_english)
            english += [meaning or word for word, meaning in found]
            read += [(_as_typed(word, part), meaning) for word, meaning in found if meaning]
            unread += [_as_typed(word, part) for word, meaning in found if not meaning]
        if not read:
            plain = _narrow(phrase)
            if plain == phrase or not plain.isascii():
                return Translation(phrase, (), tuple(unread))
            return Translation(plain, ((phrase.strip(), plain.strip()),), tuple(unread))
        return Translation(" ".join(english), tuple(read), tuple(unread))

    def word_for(self, english: str) -> str:
        """What an English word is called, as the language writes it; "" where that is not known."""
        return self._words.get(english.lower(), "")

    def english_of(self, word: str) -> str:
        """The English of one word or fixed phrase; "" where it is not known."""
        key = self._key(word)
        return self._by_word.get(key) or (self._form(key) if key else "")

    @cached_property
    def _by_word(self) -> dict[str, str]:
        """What an English word is called means that word before all else: what `word_for` shows can be typed. Of
        several English words that are called alike it is the one that the word means in a phrase."""
        by_key = [(self._key(word), english) for english, word in reversed(self._words.items())]
        several = dict(by_key)
        return several | {key: english for key, english in by_key if self._english.get(key) == english}

    def _read(self, part: str, is_english: Callable[[str], bool] | None) -> list[tuple[str, str]]:
        key = self._key(part)
        if not key:
            return []
        if self.language == ENGLISH:
            return [(part.strip(), "")]
        unspaced = self.language in UNSPACED
        if (meaning := self._english.get(key)) and not (unspaced and key.isascii()):
            return [(key, meaning)]
        return list(self._covered(key) if unspaced else self._by_words(key, is_english))

    def _key(self, text: str) -> str:
        return key_of(text, self.language)

    # -- words -----------------------------------------------------------------------------------------------------

    def _by_words(self, key: str, is_english: Callable[[str], bool] | None) -> Words:
        """The longest runs first, little words left out."""
        words, at = [word for each in _BETWEEN.split(key) if (word := each.strip(_EDGES))], 0
        while at < len(words):
            for end in range(min(len(words), at + RUN), at + 1, -1):
                run = " ".join(words[at:end])
                if run in self._english:
                    yield run, self._english[run]
                    at = end
                    break
            else:
                word = words[at]
                at += 1
                if word not in self._little:
                    yield from self._word(word, is_english)

    def _word(self, word: str, is_english: Callable[[str], bool] | None) -> Words:
        """A word, or the parts of one with hyphens that is not known as it stands: `Hund-Katze`."""
        known = self._form(word, is_english)
        parts = [] if known else [(part, self._form(part, is_english)) for part in word.split("-") if part]
        yield from parts if any(meaning for _, meaning in parts) else [(word, known)]

    def _form(self, word: str, is_english: Callable[[str], bool] | None = None) -> str:
        """The English of a word in any of its forms, "" where none is known. A word that is English too is read as it
        stands, or without its last letter: `chats`."""
        bare = _without_accents(word)
        for each in (word, *(word.removeprefix(prefix) for prefix in self._prefixes if len(word) > len(prefix) + 1)):
            if known := self._english.get(each):
                return known
        if is_english and is_english(word):
            return self._english.get(word[:-1], "") if len(word) > STEM else ""
        if known := self._bare.get(bare):
            return known
        if _is_syllabic(word):
            return self._english.get(word[:-1], "") if len(word) > 1 else ""
        return (
            self._inflected(word)
            or (self._inflected(bare) if bare != word else "")
            or (self._compound(word) if self.language in COMPOUNDING else "")
        )

    def _inflected(self, word: str) -> str:
        for cut in range(1, CUT + 1):
            if len(word) - cut >= STEM and (known := self._bare.get(word[:-cut])):
                return known
        for cut in range(CUT):
            if len(word) - cut >= STEM and (known := self._beginning(word[: len(word) - cut])):
                return known
        return ""

    def _beginning(self, stem: str) -> str:
        """The English of the shortest known word that begins so."""
        place, near = bisect.bisect_left(self._sorted, stem), list[str]()
        while place < len(self._sorted) and self._sorted[place].startswith(stem):
            near.append(self._sorted[place])
            place += 1
        near = [word for word in near if len(word) <= len(stem) + LONGER and " " not in word]
        return self._bare[min(near, key=lambda word: (len(word), word))] if near else ""

    def _compound(self, word: str) -> str:
        """`Gartenstuhl`: what its end means, told by what stands before it."""
        if len(word) < COMPOUND:
            return ""
        for at in range(PART, len(word) - PART + 1):
            last = self._english.get(word[at:])
            if last and (first := next(filter(None, map(self._english.get, _joints(word[:at]))), "")):
                return f"{first} {last}"
        return ""

    @cached_property
    def _bare(self) -> dict[str, str]:
        """Words with and without their accents; what is written without keeps its own meaning."""
        return {_without_accents(word): meaning for word, meaning in reversed(self._english.items())} | self._english

    @cached_property
    def _sorted(self) -> list[str]:
        return sorted(self._bare)

    # -- languages without spaces ----------------------------------------------------------------------------------

    def _covered(self, key: str) -> Words:
        """The cover with the fewest unknown characters, then the fewest words."""
        places = [match.span() for match in _UNIT.finditer(key) if match[0] not in _EDGES]
        text = "".join(key[begin:end] for begin, end in places)
        ends = [0, *itertools.accumulate(end - begin for begin, end in places)]
        best: list[tuple[float, int]] = [(0.0, 0), *[(float("inf"), 0)] * len(places)]
        for at in range(len(places)):
            for end in range(at + 1, min(len(places), at + self._longest) + 1):
                cost = best[at][0] + self._price(text[ends[at] : ends[end]], alone=end == at + 1)
                if cost < best[end][0]:
                    best[end] = (cost, at)
        runs, end = list[tuple[int, int]](), len(places)
        while end:
            runs.append((best[end][1], end))
            end = best[end][1]
        unknown: tuple[int, int] | None = None
        for at, end in reversed(runs):
            run, alone = text[ends[at] : ends[end]], end == at + 1
            known = "" if self._is_particle(run) else self._known(run, alone=alone)
            if not known and not self._is_particle(run):
                unknown = (unknown[0] if unknown else places[at][0], places[end - 1][1])
                continue
            if unknown:
                yield key[slice(*unknown)], ""
                unknown = None
            if known:
                yield run, known
        if unknown:
            yield key[slice(*unknown)], ""

    def _price(self, run: str, *, alone: bool) -> float:
        if self._is_particle(run):
            return 0.2
        if self._known(run, alone=alone):
            return 1.6 if alone else 1.0
        return 2.5 if alone else float("inf")

    def _known(self, run: str, *, alone: bool) -> str:
        """The English of units in a row; a word in Latin letters alone is English, or a name."""
        return "" if alone and run.isascii() else self._english.get(run, "")

    def _is_particle(self, run: str) -> bool:
        return len(run) == 1 and run in self._particles

    @cached_property
    def _longest(self) -> int:
        return max(map(len, self._english), default=1)


def key_of(text: str, language: str = "") -> str:
    """How a text is looked up: NFC, in lower case, without what stands around it, spaces single."""
    if language in ("tr", "az"):
        text = text.replace("İ", "i").replace("I", "ı")
    if not text.isascii():
        text = _narrow(_DIRECTIONS.sub("", text))
    low = unicodedata.normalize("NFC", text).lower().replace("ё", "е").replace("’", "'").replace("\u0301", "")
    if "'" in low:  # l'arbre, un'arancia
        low = re.sub(r"(?<=\b[^\W\d_])'(?=\w)|(?<=\b[^\W\d_]{2})'(?=\w)", " ", low)
    return " ".join(_MARKS.sub("", " ".join(low.split())).split()).strip(_EDGES)


def _narrow(text: str) -> str:
    """Letters in the width that dictionaries write them: `ｄｏｇ`, `ﾈｺ`."""
    return _WIDE.sub(lambda run: unicodedata.normalize("NFKC", run[0]), text)


def split_emoji(text: str) -> Iterator[tuple[str, str]]:
    """The parts of a text in their order: emoji with their English names, what lies between with "" each."""
    names, between, at = _emoji() if not text.isascii() else {}, 0, 0
    while names and at < len(text):
        ends = range(min(len(text), at + EMOJI_MAX), at, -1)
        run = next((text[at:end] for end in ends if _bare_emoji(text[at:end]) in names), "")
        if run:
            yield text[between:at], ""
            yield run, names[_bare_emoji(run)]
            between = at + len(run)
        at += len(run) or 1
    yield text[between:], ""


@cache
def languages() -> dict[str, tuple[str, str]]:
    """Language -> its name in itself and in English, English among them. Raises MissingError."""
    rows = (line.split("\t") for line in _member("languages").splitlines())
    return {code: (own, name) for code, own, name in rows}


def code_of(language: str) -> str:
    """The name that a language has in `languages`, "" where it is not there (`C`, `xx_YY`).

    language: as a locale or a person names it: "de", "de_AT.UTF-8", "zh-TW", "sr_RS@latin".
    """
    parts = [part for part in re.split(r"[-_]", re.split(r"[.@]", language.strip())[0]) if part]
    if not parts:
        return ""
    first = OTHER_CODES.get(parts[0].lower(), parts[0].lower())
    script = next((part.title() for part in parts[1:] if len(part) == 4), "")
    if first == "zh" and not script and {"TW", "HK", "MO"} & {part.upper() for part in parts[1:]}:
        script = "Hant"
    if "@latin" in language.lower():
        script = "Latn"
    known = languages()
    return next((code for code in (f"{first}_{script}" if script else first, first) if code in known), "")


@lru_cache(HELD)
def load_dictionary(code: str) -> Dictionary | None:
    """The dictionary of a language, in 30 ms where it was not asked for lately; of English one that knows emoji alone.

    code: of `languages`; None for any other. Raises MissingError where the file is damaged.
    """
    if code not in languages():
        return None
    if code == ENGLISH:
        return Dictionary(ENGLISH, {}, {})
    english: dict[str, str] = {}
    words: dict[str, str] = {}
    for meaning, line in zip(_member("english").split("\n"), _member(code).split("\n"), strict=True):
        for entry in filter(None, line.split("|")):
            word = entry.lstrip("=>")
            if entry[0] in "=>":
                words[meaning] = word
            if entry[0] != ">":
                english[word] = meaning
    hints = {kind: _hints(kind).get(code, "") for kind in ("little", "particles", "prefixes")}
    return Dictionary(code, english, words, **hints)


@cache
def _hints(kind: str) -> dict[str, str]:
    return {code: text for code, _, text in (line.partition("\t") for line in _member(kind).splitlines())}


@cache
def _emoji() -> dict[str, str]:
    return {emoji: name for emoji, _, name in (line.partition("\t") for line in _member("emoji").splitlines())}


@cache
def _member(name: str) -> str:
    file = assets_folder("models") / FILE
    try:
        with zipfile.ZipFile(file) as archive:
            return archive.read(name).decode()
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile, lzma.LZMAError, RuntimeError) as error:
        raise MissingError(f"The dictionary cannot be read ({error}); install the program again. {file}") from None


def _bare_emoji(run: str) -> str:
    """Without what asks for colour, and without tones of skin."""
    return "".join(each for each in run if each not in "\ufe0e\ufe0f" and not "\U0001f3fb" <= each <= "\U0001f3ff")


def _as_typed(word: str, part: str) -> str:
    """A word that was looked up, in the capitals it was typed in."""
    composed = unicodedata.normalize("NFC", part)
    low = composed.lower()
    place = low.find(word) if len(low) == len(composed) else -1
    return composed[place : place + len(word)] if place >= 0 else word


def _joints(part: str) -> Iterator[str]:
    """The first part of a compound, and without the letters that join it: `Sonnenblume`, `Geburtstagstorte`."""
    yield part
    for joint in ("s", "n", "en", "es", "e", "er"):
        if part.endswith(joint) and len(part) - len(joint) >= PART - 1:
            yield part.removesuffix(joint)
    yield f"{part}e"


def _without_accents(word: str) -> str:
    """Of a word in an alphabet with accents; in other scripts marks are letters."""
    if word.isascii() or not unicodedata.name(word[0], "").startswith(("LATIN", "GREEK")):
        return word
    plain = "".join(each for each in unicodedata.normalize("NFD", word) if not unicodedata.combining(each))
    return plain.replace("ı", "i").replace("ø", "o").replace("ł", "l").replace("ß", "ss").replace("đ", "d")


def _is_syllabic(word: str) -> bool:
    return unicodedata.name(word[-1], "").startswith(("HANGUL", "CJK", "HIRAGANA", "KATAKANA", "ETHIOPIC"))
