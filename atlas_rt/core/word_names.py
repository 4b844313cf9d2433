"""English words of the vocabulary in the language of whoever looks at them: labels, names of clusters, reasons.

What is stored stays English; `Words` says how it is shown, and what somebody typed means.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

RIGHT_TO_LEFT = frozenset(("ar", "he", "fa", "ur", "ps", "sd", "ug", "yi", "ckb", "ku_Arab", "pa_Arab", "dv", "ks"))
"""Languages in whose lines an English word with its brackets must be kept together by signs of direction."""
JOINT = ", "
"""Between the words of a cluster's name and of its reason."""
LOOKS = "most look like: "
RATHER = " rather than "

_LEFT_TO_RIGHT = "\u200e"
_BRACKETED = re.compile(r"\((?P<word>[^()]*)\)")
_NUMBERED = re.compile(r"(?P<word>.+) (?P<number>\d+)")
_REASON = re.compile(rf"{LOOKS}(?P<words>[^;]*)(?:; (?P<mine>[^;]*){RATHER}(?P<theirs>[^;]*))?")


def _unread(typed: str) -> str:  # noqa: ARG001  it has the form of what reads
    return ""


@dataclass(frozen=True, slots=True, eq=False)
class Words:
    """How English words are shown in a language. Any thread may ask; each answer is a look-up.

    code: of the language, as in `search.dictionary`. said: English word -> what the language calls it. vocabulary: the
    English words that have no owner: those that the language has no word for are shown in brackets. A person's own
    words are in neither, and shown as they are. read: the English of a word that is not among the shown ones, "" where
    it is not known.
    """

    code: str = "en"
    said: Mapping[str, str] = field(default_factory=dict)
    vocabulary: frozenset[str] = frozenset()
    read: Callable[[str], str] = _unread
    _meant: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Words that are shown alike are all meant, the more familiar one first; `said` begins with it."""
        for word, shown in self.said.items():
            self._meant[shown.casefold()] = (*self._meant.get(shown.casefold(), ()), word)

    def shown(self, word: str) -> str:
        """A label: `Hund`, `(lighthouse)`."""
        said = self.said.get(word)
        if said is not None:
            return said
        return self._bracketed(word) if word in self.vocabulary else word

    def told_apart(self, shown: str, english: str) -> str:
        """What is shown for more than one thing, with its English: `bureau (desk)`."""
        return f"{shown} {self._bracketed(english)}"

    def listed(self, words: Sequence[str]) -> tuple[str, ...]:
        """Labels that stand in one list, those apart that are called alike."""
        shown = [*map(self.shown, words)]
        alike = Counter(shown) if len({*shown}) < len(shown) else {}
        return tuple(
            self.told_apart(each, word) if alike.get(each, 1) > 1 and each != word else each
            for each, word in zip(shown, words, strict=True)
        )

    def plain(self, word: str) -> str:
        """The same without brackets, as one would type it."""
        return self.said.get(word, word)

    def name(self, name: str) -> str:
        """A cluster's name that is made of the vocabulary's words: `dog, cat`, `dog 2`."""
        if not self.vocabulary:
            return name
        return JOINT.join(dict.fromkeys(self._part(part) for part in name.split(JOINT)))

    def reason(self, why: str) -> str:
        """A cluster's reason, where it is the vocabulary's."""
        match = _REASON.fullmatch(why) if self.vocabulary else None
        if match is None:
            return why
        told = LOOKS + JOINT.join(dict.fromkeys(map(self.shown, match["words"].split(JOINT))))
        mine, theirs = (self.shown(match[part] or "") for part in ("mine", "theirs"))
        return f"{told}; {mine}{RATHER}{theirs}" if mine and mine != theirs else told

    def english(self, typed: str) -> str:
        """What a word means that somebody typed as a label, in either language; itself where that is not known."""
        return self.meanings(typed)[0]

    def meanings(self, typed: str) -> tuple[str, ...]:
        """The same, all words that it may be: French calls both an office and a desk `bureau`."""
        bare = typed.strip(f" {_LEFT_TO_RIGHT}")
        if match := _BRACKETED.fullmatch(bare):
            bare = match["word"]
        if meant := self._meant.get(bare.casefold()):
            return meant
        if bare.lower() in self.vocabulary:
            return (bare.lower(),)
        several = bare.lower().removesuffix("s")
        known = (self.read(bare), several if several in self.vocabulary else "")
        return tuple(dict.fromkeys(filter(None, known))) or (typed,)

    def _bracketed(self, word: str) -> str:
        return f"{_LEFT_TO_RIGHT}({word}){_LEFT_TO_RIGHT}" if self.code in RIGHT_TO_LEFT else f"({word})"

    def _part(self, part: str) -> str:
        match = None if part in self.vocabulary else _NUMBERED.fullmatch(part)
        return self.shown(part) if match is None else f"{self.shown(match['word'])} {match['number']}"


IN_ENGLISH = Words()


def unbracketed(name: str) -> str:
    """A name that is shown as one would type it."""
    return name.translate(dict.fromkeys(map(ord, f"(){_LEFT_TO_RIGHT}")))


def begun(sentence: str) -> str:
    """A sentence with a capital, in scripts that begin sentences with one: Georgian's capitals are for whole lines."""
    first = sentence[:1]
    return sentence if "\u10d0" <= first <= "\u10ff" else f"{first.upper()}{sentence[1:]}"
