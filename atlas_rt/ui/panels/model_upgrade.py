"""A stronger encoder: below the search console what is offered, above the status how far the way to it is."""

from __future__ import annotations

from atlas_rt.core.hud import Hud
from atlas_rt.core.requests import DismissModel, GetModel, StopModel
from atlas_rt.core.upgrade import ModelOffer, UpgradeWork
from atlas_rt.ui import theme
from atlas_rt.ui.panels.canvas import Canvas, Rect
from atlas_rt.ui.panels.panel_context import PanelContext

HEAD, OFFER, LINE, PAD = 30.0, 54.0, 20.0, 14.0
LINES_MAX = 3
"""Of why the last try came to nothing."""
BUTTON = 34.0
SURE = {"exact", "strong"}
WORK_WIDTH = 440.0


def build_offers(context: PanelContext, console: Rect) -> None:
    """Below the search console and what it shows, where nothing is typed yet or nothing sure was found."""
    hud = context.hud
    view = hud.upgrade
    if view is None or view.work is not None or not _is_wanted(hud):
        return
    lines = context.type.lines(view.trouble, console.width - context.px(2 * PAD), theme.SMALL, most=LINES_MAX)
    height = context.px(HEAD + OFFER * len(view.offers) + LINE * len(lines) + 2 * PAD - 4.0)
    rect = Rect(console.x, console.bottom + context.px(8.0), console.width, height)
    if rect.bottom > context.size[1] - context.px(theme.MARGIN):
        return
    with context.panel("better search", rect) as canvas:
        inside = Rect(rect.x + context.px(PAD), rect.y + context.px(PAD - 2.0), rect.width - context.px(2 * PAD), 0.0)
        y = _head(context, canvas, inside)
        for line in lines:
            canvas.text(inside.x, y, line, theme.SMALL, theme.WARNING)
            y += context.px(LINE)
        for number, offer in enumerate(view.offers):
            row = inside._replace(y=y, height=context.px(OFFER))
            _offer(context, canvas, row, offer, again=offer.name == view.again, first=number == 0)
            y = row.bottom


def build_work(context: PanelContext, status: Rect) -> None:
    """Above the status panel, as long as something is done for it."""
    view = context.hud.upgrade
    if view is None or view.work is None:
        return
    width = min(context.px(WORK_WIDTH), context.size[0] - context.px(2 * theme.MARGIN))
    height = context.px(74.0)
    rect = Rect(status.x, status.y - context.px(8.0) - height, width, height)
    with context.panel("better search at work", rect) as canvas:
        _work(context, canvas, rect.inset(context.px(theme.PAD)), view.work)


def _is_wanted(hud: Hud) -> bool:
    """Where nothing is typed, or what is typed was not found for sure."""
    if not hud.query.strip():
        return True
    answer = hud.answer
    return answer is not None and answer.query == hud.query and not any(match.band in SURE for match in answer.best)


def _head(context: PanelContext, canvas: Canvas, inside: Rect) -> float:
    end = canvas.text(inside.x, inside.y, "Better search", theme.SMALL, theme.INK, strong=True)
    label = "Not now"
    width = context.type.width(label, theme.SMALL)
    place = Rect(inside.right - width, inside.y, width, context.px(LINE))
    clicked, pointed = context.button(label, place)
    canvas.text(place.x, place.y, label, theme.SMALL, theme.INK if pointed else theme.INK_FAINT)
    if clicked:
        context.requests.append(DismissModel())
    told = context.type.fit(how(context.hud), place.x - end - context.px(24.0), theme.CAPTION)
    canvas.text(end + context.px(12.0), inside.y + context.px(1.0), told, theme.CAPTION, theme.INK_FAINT)
    return inside.y + context.px(HEAD)


def _offer(context: PanelContext, canvas: Canvas, row: Rect, offer: ModelOffer, *, again: bool, first: bool) -> None:
    label = button_label(offer, again=again)
    width = max(context.type.width(label, theme.SMALL, strong=True) + context.px(32.0), context.px(156.0))
    side = context.px(BUTTON)
    place = Rect(row.right - width, row.y + (row.height - side) / 2.0, width, side)
    if context.labelled_button(canvas, place, label, accent=first):
        context.requests.append(GetModel(offer.name))
    room, y = place.x - row.x - context.px(16.0), row.y + context.px(8.0)
    good_for = offer.good_for[:1].upper() + offer.good_for[1:] or offer.name
    canvas.text(row.x, y, context.type.fit(good_for, room, theme.SMALL), theme.SMALL, theme.INK)
    about = context.type.fit(facts(offer), room, theme.CAPTION)
    canvas.text(row.x, y + context.px(LINE), about, theme.CAPTION, theme.INK_FAINT)


def button_label(offer: ModelOffer, *, again: bool = False) -> str:
    """What a click does, and for a download how much comes."""
    if offer.here:
        return "Use it"
    verb = "Try again" if again else "Go on" if offer.begun_mb else "Get it"
    return f"{verb}  ·  {megabytes(max(offer.size_mb - offer.begun_mb, 1))}"


def megabytes(count: int) -> str:
    return f"{count / 1000:.1f} GB" if count >= 1000 else f"{count:,} MB"


def how(hud: Hud) -> str:
    """What happens after a click."""
    fetched = hud.upgrade is not None and not all(offer.here for offer in hud.upgrade.offers)
    model = "A larger model from huggingface.co" if fetched else "A larger model is installed"
    images = f"your {hud.images:,} images are" if hud.images > 1 else "your images are"
    return f"{model}; {images} encoded again meanwhile."


def facts(offer: ModelOffer) -> str:
    """What else to know before one clicks."""
    parts = [offer.name]
    if offer.accuracy is not None:
        parts.append(f"names {offer.accuracy:.0f} of 100 ImageNet photos right")
    if offer.begun_mb:
        parts.append(f"{megabytes(offer.begun_mb)} of it are here")
    return "  ·  ".join(parts)


def _work(context: PanelContext, canvas: Canvas, inside: Rect, work: UpgradeWork) -> None:
    label = "Cancel"
    width = context.type.width(label, theme.SMALL)
    place = Rect(inside.right - width, inside.y - context.px(4.0), width, context.px(LINE))
    clicked, pointed = context.button(label, place)
    canvas.text(place.x, place.y, label, theme.SMALL, theme.INK if pointed else theme.INK_SOFT, strong=pointed)
    canvas.line((place.x, place.bottom - 1.0), (place.right, place.bottom - 1.0), theme.INK_FAINT, context.px(1.0))
    if clicked:
        context.requests.append(StopModel())
    end = canvas.text(inside.x, place.y, "Better search", theme.SMALL, theme.INK, strong=True) + context.px(10.0)
    title = context.type.fit(work.title, place.x - end - context.px(12.0), theme.SMALL)
    canvas.text(end, place.y, title, theme.SMALL, theme.INK_SOFT)
    y = place.y + context.px(LINE + 3.0)
    canvas.text(inside.x, y, work.amount, theme.CAPTION, theme.INK_SOFT)
    canvas.text_right(inside.right, y, work.pace, theme.CAPTION, theme.INK_SOFT)
    bar = Rect(inside.x, inside.bottom - context.px(3.0), inside.width, context.px(3.0))
    canvas.fill(bar, theme.FILL_HOVER, context.px(1.5))
    if work.share is not None:
        filled = bar._replace(width=max(bar.width * min(work.share, 1.0), bar.height))
        canvas.fill(filled, theme.ACCENT, context.px(1.5))
