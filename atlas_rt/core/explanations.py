"""What a narrator says of a group of images."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Claim:
    """Something that is to be seen in some images of the group. images: their ids."""

    text: str
    images: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """A name and the reasons for it.

    name: empty where the narrator found none that fits. named_by: "vocabulary" or "claude". model, date: of Claude's
    answer, the date as 2026-11-28; empty for the vocabulary's. cost_usd: of all requests that led to it. remark: what a
    person should know of how it came about, empty else.
    """

    name: str
    why: str
    claims: tuple[Claim, ...]
    named_by: str
    model: str = ""
    date: str = ""
    cost_usd: float = 0.0
    remark: str = ""
