"""What a person types to search, as one vector: plain words are a phrase, `+term -term word:2` mix several.

    red car                  one phrase, encoded as it stands
    beach +sunset -people    the mean of unit vectors by weight, minus terms subtracted
    apple:2 -"red car":0.5   a weight stands behind a word or a quoted phrase

A sign or a weight belongs to one word or one phrase in double quotes; plain words beside each other stay one phrase.
What only looks like a sign is text: a lone `-`, the hyphen in `t-shirt`, the colon in `12:30`, the inches of `12"`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from atlas_rt.core.records import Floats

LEAST_LENGTH = 1e-3
"""Terms whose mean is shorter than this cancel each other out: what is left is rounding."""

_TOKEN = re.compile(
    r"""(?<!\S)(?:
        (?P<sign>[+-]?) (?: "(?P<quoted>[^"]+)" | (?P<word>[^\s"+-][^\s"]*?) )
        (?: :(?P<weight>\d+(?:\.\d*)?|\.\d+) )? (?!\S)
        | \S+ )""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Term:
    """A phrase and how much of it. weight: below zero for what is not wanted."""

    phrase: str
    weight: float


def parse(text: str) -> tuple[Term, ...]:
    """The terms of a text in their order; a text without sign or weight is one term, as it stands."""
    tokens = [_read(match) for match in _TOKEN.finditer(text)]
    if all(kind != "mixed" for kind, _ in tokens):
        return (Term(text, 1.0),)
    return tuple(_joined(tokens))


def vector_of(text: str, encode: Callable[[str], Floats]) -> Floats:
    """(dim,) float32 of unit length. encode: phrase -> unit vector.

    A text without sign or weight gives exactly its own vector, and so does one whose terms cancel each other out.
    """
    text = text.encode("utf-8", "replace").decode()  # bytes that are no text, from a command line, become `?`
    terms = parse(text)
    if len(terms) == 1 and terms[0].weight > 0.0:
        return encode(terms[0].phrase)
    weights = np.array([term.weight for term in terms])
    vectors = np.stack([encode(term.phrase) for term in terms])  # (terms, dim)
    mean = weights @ vectors / max(float(np.abs(weights).sum()), LEAST_LENGTH)
    length = float(np.linalg.norm(mean))
    if length < LEAST_LENGTH:
        return encode(text)
    vector: Floats = (mean / length).astype(np.float32)
    return vector


def _read(match: re.Match[str]) -> tuple[str, Term]:
    """A token as ("mixed", "quoted" or "plain", term)."""
    phrase, weight = (match["quoted"] or match["word"] or "").strip(), match["weight"]
    if not phrase:
        return "plain", Term(match[0], 1.0)
    if weight and match["word"] and not any(letter.isalpha() for letter in phrase):
        phrase, weight = f"{phrase}:{weight}", None
    kind = "mixed" if match["sign"] or weight else "quoted" if match["quoted"] else "plain"
    return kind, Term(phrase, float(weight or 1.0) * (-1.0 if match["sign"] == "-" else 1.0))


def _joined(tokens: list[tuple[str, Term]]) -> Iterator[Term]:
    """The terms, plain words beside each other joined to one."""
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
