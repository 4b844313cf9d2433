"""What a narrator says of images: of a cluster, of a selection, of a view, or of how two groups differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["cluster", "selection", "view", "difference"]
"""What is explained: a cluster of the map, images that a person selected, those in sight, how two groups differ."""
CAPTION_MAX = 300
"""Characters of a caption: two lines under a flight."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Something that is to be seen in some of the images. images: their ids."""

    text: str
    images: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """A name and the reasons for it.

    name: of a cluster, else a short title; empty where the narrator found none that fits. named_by: "vocabulary" or
    "claude". model, date: of Claude's answer, the date as 2026-11-28; empty for the vocabulary's. cost_usd: of all
    requests that led to it. remark: what a person should know of how it came about, empty else. caption: one or two
    sentences for the guided tour, of clusters only; empty where there is none.
    """

    name: str
    why: str
    claims: tuple[Claim, ...]
    named_by: str
    model: str = ""
    date: str = ""
    cost_usd: float = 0.0
    remark: str = ""
    caption: str = ""
