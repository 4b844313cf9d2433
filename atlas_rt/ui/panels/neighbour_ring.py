"""The images nearest to a visited one, by their vectors, in a ring around its card: a click flies on to one of them."""

from __future__ import annotations

from atlas_rt.core.framing import FreeView
from atlas_rt.core.hud import VisitedImage
from atlas_rt.ui import theme
from atlas_rt.ui.panels.canvas import Rect
from atlas_rt.ui.panels.panel_context import PanelContext

SIDE, LEAST_SIDE = 72.0, 44.0
"""Of a thumbnail, in scaled pixels: as large as there is room for."""
SIDE_SHARE = 0.1
"""Of the window's height, at most."""
AWAY, BETWEEN, MARGIN = 18.0, 8.0, 4.0
"""From the card, between thumbnails, and from what is covered."""
MOST = 12
SHOWN_FROM = 0.5
"""How far cards have made way when the ring begins to fade in."""
LINE = 0.5


class NeighbourRing:
    """Shown while the card stands still enough to be looked at."""

    def __init__(self) -> None:
        self.covered: list[Rect] = []
        """Where it and the card lay in the last frame: names of clusters stand elsewhere."""

    def build(self, context: PanelContext, free: FreeView) -> None:
        """free: what the panels left of the window."""
        visited, facts = context.hud.visited, context.hud.selected
        self.covered = []
        if visited is None:
            return
        card = card_of(visited)
        self.covered.append(card)
        alpha = min(max((visited.glass - SHOWN_FROM) / (1.0 - SHOWN_FROM), 0.0), 1.0)
        if alpha <= 0.0 or facts is None or facts.id != visited.id:
            return
        ids = [id_ for id_, _ in facts.neighbours[:MOST]]
        width, height = context.size
        room = Rect(free.left * width, free.top * height, 0.0, 0.0)
        room = room._replace(width=free.right * width - room.x, height=free.bottom * height - room.y)
        places = ring(context, card, room.inset(context.px(MARGIN)), len(ids))
        for id_, place in zip(ids, places, strict=False):
            self._thumbnail(context, card, place, id_, alpha)
        self.covered += places

    def _thumbnail(self, context: PanelContext, card: Rect, place: Rect, id_: int, alpha: float) -> None:
        """One image, and the line that joins it to the card."""
        x, y = place.centre
        end = min(max(x, card.x), card.right), min(max(y, card.y), card.bottom)
        colour = theme.faded(theme.ACCENT, LINE * alpha)
        context.under().line((x, y), end, colour, context.px(1.5))
        with context.panel(f"neighbour {id_}", place, alpha=alpha, glass=False, covers=False) as canvas:
            context.image_button(canvas, place, id_)
        if context.pointed_id == id_:
            context.pointed_beside = card


def card_of(visited: VisitedImage) -> Rect:
    """The card of a visited image."""
    return Rect(visited.left, visited.top, visited.right - visited.left, visited.bottom - visited.top)


def ring(context: PanelContext, card: Rect, room: Rect, count: int) -> list[Rect]:
    """Where so many thumbnails stand around a card, clockwise from its upper left corner: along those of its sides
    where there is room for them, so large that all of them find a place if that can be."""
    best: list[Rect] = []
    largest, least = min(context.px(SIDE), SIDE_SHARE * context.size[1]), context.px(LEAST_SIDE)
    for side in (largest, (largest + least) / 2.0, least):
        places = _along(context, card, room, side, count)
        best = max(best, places, key=len)
        if len(best) == count:
            break
    return best


def _along(context: PanelContext, card: Rect, room: Rect, side: float, count: int) -> list[Rect]:
    """At most so many squares along the sides of a card, as evenly as the sides are long."""
    out, apart = context.px(AWAY) + side / 2.0, side + context.px(BETWEEN)
    middle, level = card.centre
    # The middle of each row, the way along it, and how long it is: above, right, below, left.
    sides = (
        (middle, card.y - out, 1.0, 0.0, card.width),
        (card.right + out, level, 0.0, 1.0, card.height),
        (middle, card.bottom + out, -1.0, 0.0, card.width),
        (card.x - out, level, 0.0, -1.0, card.height),
    )
    rows = [row for row in sides if _within(Rect(row[0] - side / 2.0, row[1] - side / 2.0, side, side), room)]
    most = [max(int((row[4] + context.px(BETWEEN)) / apart), 1) for row in rows]
    taken = [0] * len(rows)
    for _ in range(min(count, sum(most))):
        fullest = [(taken[at] + 1) / length for at, (*_, length) in enumerate(rows)]
        at = min((at for at in range(len(rows)) if taken[at] < most[at]), key=lambda at: fullest[at])
        taken[at] += 1
    places: list[Rect] = []
    for (x, y, right, down, length), number in zip(rows, taken, strict=True):
        step = max(length / max(number, 1), apart)
        for place in range(number):
            walked = (place - (number - 1) / 2.0) * step
            at_x, at_y = x + right * walked, y + down * walked
            places.append(Rect(at_x - side / 2.0, at_y - side / 2.0, side, side))
    return [place for place in places if _within(place, room)]


def _within(place: Rect, room: Rect) -> bool:
    return place.x >= room.x and place.y >= room.y and place.right <= room.right and place.bottom <= room.bottom
