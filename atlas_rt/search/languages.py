"""Whether a model reads the language of a phrase, and what to do where it does not.

A script is known by its letters. Languages in Latin letters are told from English by their little words and accents;
a single word without either is taken for English. So of those one speaks only where the search found nothing sure.

What a model makes of a word that it never saw is noise, and "nothing matches" would be a false answer to it. Such words
are told by their names, where the search knows no other word of the query and found nothing sure: whoever looks for a
name that stands in no file learns that it was looked for among names alone.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import cache

from atlas_rt.encoders.model_list import Entry, entries
from atlas_rt.errors import MissingError
from atlas_rt.search import dictionary
from atlas_rt.search.english_words import LOANED

ENGLISH = "English"
LATIN = "LATIN"
SCRIPTS = {"CJK": "Chinese or Japanese characters", "HIRAGANA": "Japanese", "KATAKANA": "Japanese", "HANGUL": "Korean"}
"""How to call a script that Unicode calls otherwise."""
LITTLE_WORDS = {
    "German": "der das ein eine einen einem und mit im auf am vom ohne für ist sind",
    "French": "le les un une des et avec du au aux dans sur sous est sont",
    "Spanish": "el los las una con y en sobre sin del es son",
    "Italian": "il gli una con di nel nella della sul senza sono",
    "Portuguese": "os um uma com em do da no na sem são",
    "Dutch": "het een en met van op zonder zijn voor",
    "English": "the a an of with and in on at by for without to is are from no do",
}
_AROUND = ".,;:!?…。、，．！？؟،؛।\"'«»„“”‘’()[]{}（）「」『』*#"
_NO_WORD = re.compile(r"[\d_./\\@=<>{}\[\]|&]")
"""Stands in numbers, names of files, addresses and code."""
NAMED_MAX, LETTERS_MAX = 3, 24
"""Words that a sentence names, and letters that it shows of each."""


def gains_by_english(model_name: str) -> bool:
    """Whether the registry says that a model reads English only, or best: it finds more by a query's English then. A
    multilingual one reads a query as it stands, and of a model that nobody knows nobody knows that."""
    return _languages_of(model_name).startswith(ENGLISH)


def reads_english_only(model_name: str) -> bool:
    """Whether the registry says so of a model, to which all else is noise then."""
    return _languages_of(model_name) == ENGLISH


def _languages_of(model_name: str) -> str:
    name = model_name.partition(":")[0]
    return next((each.languages for each in entries() if each.name == name), "")


def script_of(phrase: str) -> str:
    """The script of most of its letters, empty for Latin ones or none."""
    scripts = Counter(_script(letter) for letter in phrase if letter.isalpha())
    if 2 * scripts[LATIN] >= sum(scripts.values()):
        return ""
    script = scripts.most_common(1)[0][0]
    return SCRIPTS.get(script, script.capitalize())


def language_of(phrase: str) -> str:
    """The language of a phrase in Latin letters, as far as little words and accents tell; empty for English."""
    words = re.findall(r"[^\W\d_]+", unicodedata.normalize("NFC", phrase).lower())
    counts = {name: sum(map(set(little.split()).__contains__, words)) for name, little in LITTLE_WORDS.items()}
    best = max(counts, key=lambda name: (counts[name], name == ENGLISH))
    if best != ENGLISH:
        return best
    foreign = any(not word.isascii() and word not in LOANED for word in words)
    return "another language" if foreign and not counts[ENGLISH] else ""


def unread(phrase: str, model_name: str, *, sure: bool, language: str = dictionary.ENGLISH) -> str:
    """A sentence where a phrase is in a script or language that the model does not read, or not well, empty where it
    does or where nobody knows what it reads. sure: the search has found what answers the phrase. language: the code of
    that in which it was read already.
    """
    name = model_name.partition(":")[0]
    if not gains_by_english(name):
        return ""
    only = reads_english_only(name)
    looks_like = script_of(phrase) or language_of(phrase)
    if sure and not (only and script_of(phrase)):  # a word that was found may be English
        return ""
    if not looks_like:
        return ""
    reads = "reads English only" if only else "reads English best"
    return f"This looks like {looks_like}, and the model {name} {reads}.{_how(looks_like, language)}{_better()}"


def not_understood_words(words: Sequence[str], model_name: str) -> str:
    """The sentence for words that the search does not know. model_name: of one to name a better model for, or ""."""
    named = [f"“{word if len(word) <= LETTERS_MAX else word[:LETTERS_MAX] + '…'}”" for word in words[:NAMED_MAX]]
    more = len(words) - len(named)
    last = f"{more:,} more words" if more else named.pop()
    told = f"{', '.join(named)} and {last}" if named else last
    better = _better() if model_name and gains_by_english(model_name) else ""
    return f"The search did not understand {told}.{better}"


def words_of(phrase: str) -> tuple[str, ...]:
    """The words that may be understood or not: no numbers, no names of files, no little words."""
    words = (word.strip(_AROUND) for word in unicodedata.normalize("NFC", phrase).split())
    return tuple(dict.fromkeys(word for word in words if _is_word(word) and word.lower() not in _little()))


def _is_word(token: str) -> bool:
    return any(map(str.isalpha, token)) and not _NO_WORD.search(token)


@cache
def _little() -> frozenset[str]:
    return frozenset(" ".join(LITTLE_WORDS.values()).split())


def _how(looks_like: str, language: str) -> str:
    """How to have a language read that was not asked for."""
    try:
        codes = {english: code for code, (_, english) in dictionary.languages().items()}
    except MissingError:
        return ""
    code = codes.get(looks_like, "")
    if code and code != language:
        return f" With the language set to {looks_like} (--language {code}) it is read."
    return " With the language set to yours (--language) it is read." if language == dictionary.ENGLISH else ""


def _better() -> str:
    others: list[Entry] = [each for each in entries() if each.languages not in ("", ENGLISH) and each.hub]
    if not others:
        return ""
    best = max(others, key=lambda each: each.imagenet_accuracy or 0.0)
    return f" {best.name} reads {best.languages}: atlas-rt models get {best.name}"


def _script(letter: str) -> str:
    return unicodedata.name(letter, LATIN).partition(" ")[0]
