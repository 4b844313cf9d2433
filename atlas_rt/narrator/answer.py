"""Claude's answer, held to be data: read, checked, and never followed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from atlas_rt.core.explanations import CAPTION_MAX, Kind
from atlas_rt.core.plain_text import is_plain
from atlas_rt.library.cluster_names import LENGTH_MAX
from atlas_rt.narrator.language import NAMES, is_in

NAME_WORDS_MAX, TITLE_WORDS_MAX = 7, 12
"""Of a sign on the map, and of the title of an answer that stands on a panel."""
WHY_MAX, CLAIM_MAX = 240, 200
CLAIMS_MAX = 6
_TITLE = "a short title, no sentence, at most 60 characters"
_NAMES: dict[Kind, str] = {
    "cluster": "two to five words, no sentence, at most 60 characters",
    "selection": _TITLE,
    "view": _TITLE,
    "difference": _TITLE,
}
_REASONS: dict[Kind, str] = {
    "cluster": "one line: what these pictures have in common",
    "selection": "one line: what these pictures have in common",
    "view": "one line: what is in sight",
    "difference": "one line: how the two groups differ",
}
_CLAIMS = {
    "type": "array",
    "items": {
        "type": "object",
        "additionalProperties": False,
        "required": ["text", "images"],
        "properties": {
            "text": {"type": "string", "description": "something that can be seen"},
            "images": {"type": "array", "items": {"type": "integer"}},
        },
    },
}
_MARKUP = re.compile(r"^#|[<>{}`*|\\]|\[.*?\]\(|__|https?://|&\w+;")


def schema_of(kind: Kind) -> dict[str, Any]:
    """What is asked for. Lengths and numbers are checked here: not every model takes them in a schema."""
    properties: dict[str, Any] = {
        "name": {"type": "string", "description": _NAMES[kind]},
        "english_name": {"type": "string", "description": "the same name in English"},
        "why": {"type": "string", "description": _REASONS[kind]},
        "claims": _CLAIMS,
    }
    if kind == "cluster":
        told = f"one or two sentences for a guided tour, at most {CAPTION_MAX} characters"
        properties["caption"] = {"type": "string", "description": told}
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(properties),
        "properties": properties,
    }


class AnswerError(Exception):
    """An answer that cannot be used; its text says to Claude what was wrong."""


@dataclass(frozen=True, slots=True)
class NumberedClaim:
    """Something that is to be seen in some pictures of the sheets. images: their numbers, from 1."""

    text: str
    images: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """A usable answer. english_name: the same name, for encoders that read English best. caption: empty for
    none."""

    name: str
    english_name: str
    why: str
    claims: tuple[NumberedClaim, ...]
    caption: str = ""


def read_answer(facts: Mapping[str, Any], *, pictures: int, language: str, kind: Kind = "cluster") -> Answer:
    """The answer in a JSON object. pictures: how many the sheets had. Raises AnswerError.

    A claim about pictures that do not exist is left out; there must be one about those that do. A caption may be
    missing: no name is worth less without one.
    """
    name, why = _line(facts, "name", LENGTH_MAX), _line(facts, "why", WHY_MAX)
    caption = _line(facts, "caption", CAPTION_MAX) if kind == "cluster" and "caption" in facts else ""
    _refuse_sentence(name, kind)
    english = name if language == "en" else _line(facts, "english_name", LENGTH_MAX)
    claims = tuple(claim for each in _list(facts, "claims")[:CLAIMS_MAX] if (claim := _claim(each, pictures)))
    if not claims:
        raise AnswerError(f"no claim names pictures by their numbers from 1 to {pictures}")
    if not is_in(" ".join((name, why, caption, *(claim.text for claim in claims))), language):
        raise AnswerError(f"it is not written in {NAMES[language]}")
    return Answer(name, english, why, claims, caption)


def _line(facts: Mapping[str, Any], key: str, longest: int) -> str:
    value = facts.get(key)
    if not isinstance(value, str):
        raise AnswerError(f"{key} is missing")
    line = " ".join(value.split())
    if not line:
        raise AnswerError(f"{key} is empty")
    if len(line) > longest:
        raise AnswerError(f"{key} has {len(line)} characters, and at most {longest} are allowed")
    if not is_plain(line) or _MARKUP.search(line):
        raise AnswerError(f"{key} holds markup or characters that cannot be printed")
    return line


def _refuse_sentence(name: str, kind: Kind) -> None:
    longest, wanted = (NAME_WORDS_MAX, "two to five words") if kind == "cluster" else (TITLE_WORDS_MAX, "a short title")
    if len(name.split()) > longest or name.endswith((".", "!", "?", "。", "！", "？", ":")) or ". " in name:
        raise AnswerError(f"the name is a sentence, and must be {wanted}")


def _claim(facts: Any, pictures: int) -> NumberedClaim | None:
    if not isinstance(facts, Mapping):
        return None
    images = facts.get("images")
    if not isinstance(images, list) or not images:
        return None
    numbers = {image for image in images if isinstance(image, int) and not isinstance(image, bool)}
    if len(numbers) < len(set(map(str, images))) or not all(1 <= number <= pictures for number in numbers):
        return None
    return NumberedClaim(_line(facts, "text", CLAIM_MAX), tuple(sorted(numbers)))


def _list(facts: Mapping[str, Any], key: str) -> list[Any]:
    value = facts.get(key)
    return value if isinstance(value, list) else []
