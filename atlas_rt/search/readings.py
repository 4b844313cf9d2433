"""What a person types, read in their own language: each term in English as far as a dictionary knows it.

It is for models that find more by English (`languages.gains_by_english`). A reading stands beside
what was typed and never replaces it, since a word may be English too (`chat`, `gift`), and a name is what it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from atlas_rt.core.answers import QueryReading
from atlas_rt.errors import MissingError
from atlas_rt.search import english_words
from atlas_rt.search.dictionary import ENGLISH, Dictionary, load_dictionary
from atlas_rt.search.query import Term, parse, written


@dataclass(frozen=True, slots=True)
class Translated:
    """A text in English. terms: what is looked for. reading: what a person is told of it, None where nothing was read
    as another word than it is; unread: words that the dictionary does not know. knows: it knows at least one."""

    terms: tuple[Term, ...]
    reading: QueryReading | None
    unread: tuple[str, ...]
    knows: bool


def dictionary_for(text: str, language: str) -> Dictionary | None:
    """The dictionary that a text is read with, None for plain English. 30 ms for the first text of a language.

    Raises MissingError where the file is damaged.
    """
    if language in ("", ENGLISH) and text.isascii():
        return None
    return load_dictionary(language or ENGLISH)


def translated(text: str, dictionary: Dictionary, *, is_english: Callable[[str], bool]) -> Translated:
    """Each term of a text in English by itself. 0.1 ms once the dictionary is loaded. is_english: of a word that the
    dictionary does not know."""
    terms = parse(text)
    each = [dictionary.translate(term.phrase, is_english=_is_listed) for term in terms]
    english = tuple(replace(term, phrase=said.english) for term, said in zip(terms, each, strict=True))
    words = tuple(dict.fromkeys(pair for said in each for pair in said.read))
    unread = tuple(dict.fromkeys(word for said in each for word in said.unread))
    if all(typed.casefold() == meaning.casefold() for typed, meaning in words):
        return Translated(terms, None, unread, bool(words))
    unknown = tuple(word for phrase in unread for word in phrase.split() if not is_english(word))
    reading = QueryReading(dictionary.language, written(english), words, unknown)
    return Translated(english, reading, unread, knows=True)


def _is_listed(word: str) -> bool:
    try:
        return english_words.is_english(word)
    except MissingError:
        return False
