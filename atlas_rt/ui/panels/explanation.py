"""What a narrator says of some images, within a panel: its reasons, each with the images that show it."""

from __future__ import annotations

from imgui_bundle import imgui

from atlas_rt.core.explanations import Claim, Explanation
from atlas_rt.core.money import money
from atlas_rt.core.narration import Asking, Topic
from atlas_rt.core.progress import duration
from atlas_rt.core.requests import AskClaude, StopClaude
from atlas_rt.ui import theme
from atlas_rt.ui.panels.canvas import Canvas, Rect
from atlas_rt.ui.panels.panel_context import PanelContext

LINE = 19.0
CELL, GAP = 44.0, 6.0
BUTTON = 34.0
WHY_LINES, CLAIM_LINES, SAID_LINES = 8, 4, 14
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def build_claims(context: PanelContext, canvas: Canvas, inside: Rect, claims: tuple[Claim, ...]) -> float:
    """Each claim, and below it as many of its images as fit in a line; where they end."""
    y = inside.y
    for number, claim in enumerate(claims):
        imgui.push_id(f"claim {number}")
        canvas.dot((inside.x + context.px(3.0), y + context.px(9.0)), context.px(2.5), theme.ACCENT)
        x = inside.x + context.px(14.0)
        for line in context.type.lines(claim.text, inside.right - x, theme.SMALL, most=CLAIM_LINES):
            canvas.text(x, y, line, theme.SMALL, theme.INK)
            y += context.px(LINE)
        y += context.px(4.0)
        cell, gap = context.px(CELL), context.px(GAP)
        room = int((inside.right - x + gap) / (cell + gap))
        for column, id_ in enumerate(claim.images[: max(room, 0)]):
            context.image_button(canvas, Rect(x + column * (cell + gap), y, cell, cell), id_)
        y += (cell if claim.images else 0.0) + context.px(12.0)
        imgui.pop_id()
    return y


def build_text(
    context: PanelContext, canvas: Canvas, inside: Rect, text: str, colour: theme.Colour, *, most: int = WHY_LINES
) -> float:
    """Sentences in lines; where they end."""
    y = inside.y
    for line in context.type.lines(text, inside.width, theme.SMALL, most=most):
        canvas.text(inside.x, y, line, theme.SMALL, colour)
        y += context.px(LINE)
    return y


def build_asking(context: PanelContext, canvas: Canvas, inside: Rect, asking: Asking) -> float:
    """An answer as it comes, and the way to stop it; where it ends."""
    y = inside.y
    told = "Claude writes" if asking.text else "Claude looks at the pictures"
    if asking.stopping:
        told = "Stopping"
    canvas.dot((inside.x + context.px(4.0), y + context.px(9.0)), context.px(4.0), theme.ACCENT)
    canvas.text(inside.x + context.px(16.0), y, f"{told} …", theme.SMALL, theme.INK, strong=True)
    if not asking.stopping:
        width = context.type.width("Stop", theme.CAPTION, strong=True) + context.px(20.0)
        place = Rect(inside.right - width, y - context.px(3.0), width, context.px(24.0))
        clicked, pointed = context.button("stop", place)
        canvas.fill(place, theme.FILL_HOVER if pointed else theme.FILL, place.height / 2.0)
        canvas.text_in(place, "Stop", theme.CAPTION, theme.INK, strong=True)
        if clicked:
            context.requests.append(StopClaude())
    y += context.px(26.0)
    for sentence in asking.text.splitlines():
        y = build_text(context, canvas, inside._replace(y=y), sentence, theme.INK_SOFT, most=SAID_LINES)
        y += context.px(5.0)
    return y + context.px(6.0)


def build_ask(context: PanelContext, canvas: Canvas, inside: Rect, topic: Topic, usd: float) -> float:
    """The button that asks Claude, with what that costs about; where it ends. Nothing where Claude is not asked."""
    narrator = context.hud.narrator
    if narrator.closed:
        return inside.y
    place = inside._replace(height=context.px(BUTTON))
    if narrator.waiting == topic:
        canvas.text(inside.x, inside.y + context.px(8.0), "Preparing what would be sent …", theme.SMALL, theme.INK_SOFT)
        return place.bottom
    about = f"  ·  about {money(usd)}" if usd else ""
    if context.labelled_button(canvas, place, f"Ask Claude{about}"):
        context.requests.append(AskClaude((topic,)))
    return place.bottom


def source_of(explanation: Explanation) -> str:
    """Who said it, when, and what it cost."""
    if explanation.named_by != "claude":
        return "by the vocabulary, on this machine"
    year, month, day = (int(part) for part in explanation.date.split("-"))
    when = f"{day} {MONTHS[month - 1]} {year}"
    return "  ·  ".join(("by Claude", model_name(explanation.model), when, money(explanation.cost_usd)))


def model_name(model_id: str) -> str:
    """A model's id as a person reads it: "us.anthropic.claude-haiku-5-5" is "Haiku 5.5"."""
    name = model_id.rpartition("/")[2].rpartition("anthropic.")[2].removeprefix("claude-")
    words = name.partition(":")[0].split("-")
    figures = [word for word in words[1:] if word.isdigit() and len(word) < 3]
    return " ".join(part for part in (words[0].capitalize(), ".".join(figures)) if part)


def left_words(asking: Asking) -> str:
    """How far a request about several is."""
    parts = [f"{asking.done + 1:,} of {asking.total:,}"] if asking.total > 1 else []
    if asking.secs_left is not None:
        parts.append(f"{duration(asking.secs_left)} left")
    return "  ·  ".join(parts)
