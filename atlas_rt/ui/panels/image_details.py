"""What a picture's file tells of it, as the panel of the image shows it: long texts in three lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from atlas_rt.core.hud import ImageFacts
from atlas_rt.core.metadata_words import words_of
from atlas_rt.ui import theme
from atlas_rt.ui.panels.canvas import Canvas, Rect
from atlas_rt.ui.panels.panel_context import PanelContext

NAMES, LINE, BETWEEN, BELOW = 74.0, 18.0, 3.0, 12.0
"""Width of the column of names; height of a line; space between two things, and below the last."""
MOST_LINES = 3
SHOWN = 300
"""Characters that are looked at; three lines hold half as many."""
LEFT_OUT = frozenset(["GPS", "Software"])
"""What is told by `atlas-rt info` alone: figures that say little to a person."""


@dataclass(frozen=True, slots=True)
class Detail:
    """One thing that is told."""

    name: str
    lines: tuple[str, ...]


def details_of(context: PanelContext, facts: ImageFacts, width: float) -> tuple[Detail, ...]:
    """What is known, in lines of that width."""
    told = _told(facts, kiosk=context.hud.kiosk)
    return tuple(_detail(context, name, words, width - context.px(NAMES)) for name, words in told)


def height_of(context: PanelContext, details: Sequence[Detail]) -> float:
    """In pixels, with the space below."""
    lines = sum(len(detail.lines) for detail in details)
    return context.px(lines * LINE + len(details) * BETWEEN + BELOW) if details else 0.0


def draw_details(
    context: PanelContext, canvas: Canvas, x: float, y: float, details: Sequence[Detail], *, link: str = ""
) -> bool:
    """link: the name of the one that can be clicked. Whether it was."""
    followed = False
    for detail in details:
        canvas.text(x, y, detail.name, theme.CAPTION, theme.INK_FAINT)
        colour = theme.ACCENT if detail.name == "Rating" else theme.INK_SOFT
        if detail.name == link:
            width = max(context.type.width(line, theme.CAPTION) for line in detail.lines)
            place = Rect(x + context.px(NAMES), y - 1.0, max(width, 1.0), context.px(LINE * len(detail.lines)))
            clicked, pointed = context.button(link, place)
            followed |= clicked
            colour = theme.ACCENT if pointed else theme.INK
        for line in detail.lines:
            canvas.text(x + context.px(NAMES), y, line, theme.CAPTION, colour)
            y += context.px(LINE)
        y += context.px(BETWEEN)
    return followed


def _detail(context: PanelContext, name: str, words: str, width: float) -> Detail:
    if name == "Folder":
        return Detail(name, (context.type.fit(words, width, theme.CAPTION, middle=True),))
    return Detail(name, tuple(context.type.lines(words, width, theme.CAPTION, most=MOST_LINES)))


def _told(facts: ImageFacts, *, kiosk: bool) -> list[tuple[str, str]]:
    """(name, words), what matters most first. A kiosk's visitors do not learn where files lie."""
    metadata = facts.metadata
    folder = "" if kiosk else facts.path.replace("\\", "/").rpartition("/")[0]
    told = [
        ("Folder", folder),
        ("Title", metadata.title),
        *((name, words) for name, words in words_of(metadata, place=facts.place) if name not in LEFT_OUT),
        ("Keywords", ", ".join(metadata.keywords)),
        ("Caption", metadata.caption),
        ("Prompt", metadata.prompt),
        ("Text", facts.text),
        ("RAW", facts.raw),
    ]
    return [(name, words[:SHOWN]) for name, words in told if words]
