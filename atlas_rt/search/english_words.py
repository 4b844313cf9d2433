"""Which words are English: those of WordNet and of the program's own lists, and their forms.

What is not there may be English all the same: names, slips of the pen, words of a trade.
"""

from __future__ import annotations

import lzma
import re
import unicodedata
from collections.abc import Iterator
from functools import cache

from atlas_rt.core.assets import assets_folder
from atlas_rt.errors import MissingError
from atlas_rt.search.labels import read_words

FILE = "english_words.xz"
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
LITTLE = frozenset(
    re.findall(
        r"\w+",
        """an and any are as at be both but by each every few for from had has have he her him his how i into
        is it its me my no not of off on onto or our out over she some that the their them then these they
        this those to too under up upon us very was we were what when where which who with without you your""",
    )
)
"""What WordNet lacks: it has nouns, verbs, adjectives and adverbs."""
ENDINGS = ("'s", "s", "es", "ed", "ing", "er", "est", "ers", "ly", "y")
"""What a word of the lists may end in besides."""
STEM = 3


def is_english(word: str) -> bool:
    """Whether a word, or what is left without its ending, is in a list. 0.05 ms. Raises MissingError."""
    low = word.lower()
    if not low.isascii():
        low = unicodedata.normalize("NFC", low)
        return low in LOANED
    parts = [part for part in re.split("[^a-z']+", low) if part]
    return bool(parts) and all(any(_stands_there(each) for each in _forms(part)) for part in parts)


def _forms(word: str) -> Iterator[str]:
    yield word
    for ending in ENDINGS:
        stem = word.removesuffix(ending)
        if stem != word and len(stem) >= STEM:
            yield from (stem, f"{stem}e", f"{stem[:-1]}y" if stem[-1] == "i" else stem.removesuffix(stem[-1]))


def _stands_there(word: str) -> bool:
    return word in _everyday() or word in LITTLE or _is_line_of(_listed(), word)


def _is_line_of(text: str, word: str) -> bool:
    """Whether a text of sorted lines has this one. A set of the same words would take 9 MB and 60 ms to make."""
    low, high = 0, len(text)
    while low < high:
        middle = (low + high) // 2
        start = text.rfind("\n", 0, middle) + 1
        line = text[start : text.index("\n", start)]
        if line == word:
            return True
        if line < word:
            low = start + len(line) + 1
        else:
            high = start
    return False


@cache
def _everyday() -> frozenset[str]:
    """The words of the vocabulary, names such as `Eiffel` among them."""
    words = (word for name in ("vocabulary.txt", "abstract.txt") for word in read_words(assets_folder("models") / name))
    return frozenset(part for word in words for part in re.findall("[a-z]+", word.lower()))


@cache
def _listed() -> str:
    file = assets_folder("models") / FILE
    try:
        return lzma.decompress(file.read_bytes()).decode()
    except (OSError, lzma.LZMAError, ValueError) as error:
        raise MissingError(
            f"The list of English words cannot be read ({error}); install the program again. {file}"
        ) from None
