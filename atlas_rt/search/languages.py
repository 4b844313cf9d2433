"""Whether a model reads the language of a phrase, and what to do where it does not.

A script is known by its letters. Languages in Latin letters are told from English by their little words and accents;
a single word without either is taken for English. So of those one speaks only where the search found nothing sure.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

from atlas_rt.encoders.model_list import Entry, entries

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
LOANED = [
    "café",
    "cafés",
    "crème",
    "brûlée",
    "façade",
    "naïve",
    "résumé",
    "piñata",
    "jalapeño",
    "fiancé",
    "fiancée",
    "entrée",
    "soufflé",
]
"""Words with an accent that are English too."""


def unread(phrase: str, model_name: str, *, sure: bool) -> str:
    """A sentence where a phrase is in a script or language that the model does not read, empty where it does or where
    nobody knows what it reads. sure: the search has found what answers the phrase.
    """
    name = model_name.partition(":")[0]
    known = next((each for each in entries() if each.name == name), None)
    if known is None or known.languages != ENGLISH:
        return ""
    language = script_of(phrase) or ("" if sure else language_of(phrase))
    if not language:
        return ""
    return f"This looks like {language}, and the model {name} reads English only.{_better()}"


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


def _better() -> str:
    others: list[Entry] = [each for each in entries() if each.languages not in ("", ENGLISH) and each.hub]
    if not others:
        return ""
    best = max(others, key=lambda each: each.imagenet_accuracy or 0.0)
    return f" {best.name} reads {best.languages}: atlas-rt models get {best.name}"


def _script(letter: str) -> str:
    return unicodedata.name(letter, LATIN).partition(" ")[0]
