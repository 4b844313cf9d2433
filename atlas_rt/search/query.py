"""What a person types to search, as one vector: plain words are a phrase, `+term -term word:2` mix several.

    red car                  one phrase, encoded as it stands
    beach +sunset -people    the mean of unit vectors by weight, minus terms subtracted
    apple:2 -"red car":0.5   a weight stands behind a word or a quoted phrase

A sign or a weight belongs to one word or one phrase in double quotes; plain words in a row stay one phrase.
What only looks like a sign is text: a lone `-`, the hyphen in `t-shirt`, the colon in `12:30`, the inches of `12"`.
Signs and quotes are read in the form that other keyboards have, too: `＋犬 －猫`, `„roter Apfel“:2`.
Fields such as `camera:contax` are taken out before (`fields`). A picture that is searched by is one more term.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from atlas_rt.core.arrays import Floats
from atlas_rt.core.vectors import unit

LEAST_LENGTH = 1e-3
"""Terms whose mean is shorter than this cancel each other out: what is left is rounding."""

_TOKEN = re.compile(
    r"""(?<!\S)(?:
        (?P<sign>[+-]?) (?: "(?P<quoted>[^"]+)" | (?P<word>[^\s"+-][^\s"]*?) )
        (?: :(?P<weight>\d+(?:\.\d*)?|\.\d+) )? (?!\S)
        | \S+ )""",
    re.VERBOSE,
)

_PLAIN = str.maketrans({"＋": "+", "－": "-", "−": "-"} | dict.fromkeys("＂“”„«»「」『』", '"'))
_DIRECTIONS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Marks that only say which way a text runs; they come along when words are copied."""


@dataclass(frozen=True, slots=True)
class Term:
    """A phrase and how much of it. weight: below zero for what is not wanted."""

    phrase: str
    weight: float


def parse(text: str) -> tuple[Term, ...]:
    """The terms of a text in their order; a text without sign or weight is one term, as it stands."""
    tokens = [_read(match) for match in _TOKEN.finditer(_plain(text))]
    if all(kind != "mixed" for kind, _ in tokens):
        return (Term(text, 1.0),)
    return tuple(_joined(tokens))


def sought(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The words of a text that are wanted, and those that are not. What stands in quotes is one, as is a path."""
    wanted: list[str] = []
    unwanted: list[str] = []
    for match in _TOKEN.finditer(_plain(text)):
        kind, term = _read(match)
        whole = kind == "quoted" or match["quoted"]
        words = [term.phrase] if whole else term.phrase.split()
        (unwanted if term.weight < 0.0 else wanted).extend(words)
    return tuple(dict.fromkeys(wanted)), tuple(dict.fromkeys(unwanted))


def vector_of(text: str, encode: Callable[[str], Floats], *, templates: Sequence[str] = ()) -> Floats:
    """(dim,) float32 of unit length. encode: phrase -> unit vector. templates: for `phrase_vector`.

    A text without sign or weight gives exactly the vector of its phrase, and so does one whose terms cancel each other
    out.
    """
    text = text.encode("utf-8", "replace").decode()  # bytes that are no text, from a command line, become `?`
    return mixed(parse(text), text, encode, templates)


def mixed(terms: Sequence[Term], text: str, encode: Callable[[str], Floats], templates: Sequence[str]) -> Floats:
    """`vector_of` a text's terms. text: is encoded where they cancel each other out."""
    if len(terms) == 1 and terms[0].weight > 0.0:
        return phrase_vector(terms[0].phrase, encode, templates)
    weights = np.array([term.weight for term in terms])
    vectors = np.stack([phrase_vector(term.phrase, encode, templates) for term in terms])  # (terms, dim)
    mean = weights @ vectors / max(float(np.abs(weights).sum()), LEAST_LENGTH)
    return _unit_or(mean, lambda: encode(text))


def written(terms: Sequence[Term]) -> str:
    """Terms as one types them."""
    if len(terms) == 1 and terms[0].weight == 1.0:
        return terms[0].phrase
    return " ".join(_written(term, at) for at, term in enumerate(terms))


def _written(term: Term, at: int) -> str:
    sign = "-" if term.weight < 0.0 else "+" if at else ""
    weight = f":{abs(term.weight):g}" if abs(term.weight) != 1.0 else ""
    phrase = f'"{term.phrase}"' if " " in term.phrase and (sign or weight) else term.phrase
    return f"{sign}{phrase}{weight}"


def vector_with(picture: Floats, words: Floats | None) -> Floats:
    """(dim,) float32 of unit length: a picture's vector, led by that of the words that stand beside it, if any."""
    return picture if words is None else _unit_or(picture + words, lambda: picture)


def phrase_vector(phrase: str, encode: Callable[[str], Floats], templates: Sequence[str]) -> Floats:
    """(dim,) float32 of unit length. A single word is put in place of `{}` in each template, and what the encoder makes
    of them averaged (Radford et al. 2021, section 3.1.4); longer phrases say enough themselves."""
    filled = in_templates(phrase, templates)
    if filled == (phrase,):
        return encode(phrase)
    return _unit_or(np.mean([encode(each) for each in filled], axis=0), lambda: encode(phrase))


def in_templates(phrase: str, templates: Sequence[str]) -> tuple[str, ...]:
    """What `phrase_vector` encodes for a phrase."""
    word = phrase.strip()
    if not templates or not word or len(word.split()) > 1:
        return (phrase,)
    return tuple(template.replace("{}", word) for template in templates)


def _unit_or(mean: Floats, otherwise: Callable[[], Floats]) -> Floats:
    """The mean at length one; the other vector where the mean has no direction, since its terms cancel each other."""
    return unit(mean) if float(np.linalg.norm(mean)) >= LEAST_LENGTH else otherwise()


def _plain(text: str) -> str:
    """The text with signs and quotes as `_TOKEN` knows them."""
    return text if text.isascii() else _DIRECTIONS.sub("", text).translate(_PLAIN)


def _read(match: re.Match[str]) -> tuple[str, Term]:
    """A token as ("mixed", "quoted" or "plain", term)."""
    phrase, weight = (match["quoted"] or match["word"] or "").strip(), match["weight"]
    if not phrase:
        return "plain", Term(match[0], 1.0)
    if weight and match["word"] and not any(letter.isalpha() or _is_symbol(letter) for letter in phrase):
        phrase, weight = f"{phrase}:{weight}", None
    kind = "mixed" if match["sign"] or weight else "quoted" if match["quoted"] else "plain"
    return kind, Term(phrase, float(weight or 1.0) * (-1.0 if match["sign"] == "-" else 1.0))


def _is_symbol(letter: str) -> bool:
    """Emoji, which stand for words."""
    return unicodedata.category(letter) == "So"


def _joined(tokens: list[tuple[str, Term]]) -> Iterator[Term]:
    """The terms, plain words in a row joined to one."""
    plain: list[str] = []
    for kind, term in [*tokens, ("end", Term("", 0.0))]:
        if kind == "plain":
            plain.append(term.phrase)
            continue
        if plain:
            yield Term(" ".join(plain), 1.0)
            plain = []
        if kind != "end":
            yield term
