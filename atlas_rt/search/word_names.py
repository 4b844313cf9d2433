"""The vocabulary's words in a language, out of its dictionary."""

from __future__ import annotations

from functools import lru_cache

from atlas_rt.core.word_names import IN_ENGLISH, Words
from atlas_rt.errors import MissingError
from atlas_rt.search.dictionary import ENGLISH, HELD, load_dictionary
from atlas_rt.search.labels import all_words


@lru_cache(HELD)
def words_of(code: str) -> Words:
    """How labels are shown in a language, made in 30 ms; English for a code that has no dictionary.

    Raises MissingError where the dictionary's file is damaged.
    """
    dictionary = None if code == ENGLISH else load_dictionary(code)
    if dictionary is None:
        return IN_ENGLISH
    shipped, _ = all_words(())
    said = {word: called for word in shipped if (called := dictionary.word_for(word))}
    return Words(code, said, frozenset(shipped), dictionary.english_of)


def words_or_english(code: str) -> tuple[Words, str]:
    """The same, and English with a sentence why where the dictionary's file is damaged: pictures are seen all the
    same."""
    try:
        return words_of(code), ""
    except MissingError as error:
        return IN_ENGLISH, str(error)
