"""Small signs drawn with lines, each about 16 pixels wide before scaling, around its middle."""

from __future__ import annotations

import math

from atlas_rt.ui.panels.canvas import Canvas
from atlas_rt.ui.theme import Colour

Point = tuple[float, float]


def magnifier(canvas: Canvas, at_px: Point, colour: Colour, *, size: float = 1.0) -> None:
    """Where something is looked for. size: 1 next to large type."""
    x, y = at_px
    radius, slant = canvas.px(7.0 * size), math.sqrt(0.5)
    centre = (x - canvas.px(2.0 * size), y - canvas.px(2.0 * size))
    canvas.ring(centre, radius, colour, canvas.px(2.0 * size))
    start = (centre[0] + radius * slant, centre[1] + radius * slant)
    arm = canvas.px(6.0 * size)
    canvas.line(start, (start[0] + arm, start[1] + arm), colour, canvas.px(2.4 * size))


def menu(canvas: Canvas, at_px: Point, colour: Colour) -> None:
    """All that can be done."""
    x, y = at_px
    half = canvas.px(6.5)
    for down in (-4.5, 0.0, 4.5):
        canvas.line((x - half, y + canvas.px(down)), (x + half, y + canvas.px(down)), colour, canvas.px(1.6))


def chevron(
    canvas: Canvas, at_px: Point, colour: Colour, *, back: bool = False, down: bool = False, size: float = 1.0
) -> None:
    """There is more behind it; back: to where one came from; down: it is open below."""
    x, y = at_px
    short, long = canvas.px((-3.0 if back else 3.0) * size), canvas.px(5.5 * size)
    points = [(-short, -long), (short, 0.0), (-short, long)]
    canvas.curve([(x + (b if down else a), y + (a if down else b)) for a, b in points], colour, canvas.px(1.7))


def chevron_down(canvas: Canvas, at_px: Point, colour: Colour) -> None:
    """What lies in it stands below."""
    x, y = at_px
    across, down = canvas.px(5.0), canvas.px(2.7)
    canvas.curve([(x - across, y - down), (x, y + down), (x + across, y - down)], colour, canvas.px(1.7))


def check(canvas: Canvas, at_px: Point, colour: Colour) -> None:
    """It is on."""
    (x, y), unit = at_px, canvas.px(1.0)
    corners = [(x - 3.8 * unit, y + 0.2 * unit), (x - 1.0 * unit, y + 3.0 * unit), (x + 4.0 * unit, y - 3.0 * unit)]
    canvas.curve(corners, colour, 1.8 * unit)


def funnel(canvas: Canvas, at_px: Point, colour: Colour) -> None:
    """Filters."""
    (x, y), unit = at_px, canvas.px(1.0)
    outline = [(-6.5, -5.5), (6.5, -5.5), (1.8, 0.4), (1.8, 5.6), (-1.8, 3.6), (-1.8, 0.4), (-6.5, -5.5), (6.5, -5.5)]
    canvas.curve([(x + across * unit, y + down * unit) for across, down in outline], colour, 1.4 * unit)


def eye(canvas: Canvas, at_px: Point, colour: Colour, *, struck: bool = False) -> None:
    """Whether something is drawn; struck: it is not."""
    x, y = at_px
    half, lid = canvas.px(7.5), canvas.px(4.6)
    steps = [step / 10.0 for step in range(-10, 11)]
    for side in (-1.0, 1.0):
        arc = [(x + half * step, y + side * lid * (1.0 - step * step)) for step in steps]
        canvas.curve(arc, colour, canvas.px(1.4))
    canvas.dot((x, y), canvas.px(2.2), colour)
    if struck:
        reach = canvas.px(6.5)
        canvas.line((x - reach, y + reach), (x + reach, y - reach), colour, canvas.px(1.6))


def pencil(canvas: Canvas, at_px: Point, colour: Colour) -> None:
    """Something can be written anew."""
    x, y = at_px
    thick = canvas.px(1.4)
    reach, half = canvas.px(6.0), canvas.px(2.2)
    tip, butt = (x - reach, y + reach), (x + reach * 0.75, y - reach * 0.75)
    for side in (-1.0, 1.0):
        away = side * half * math.sqrt(0.5)
        near = (tip[0] + half * 1.5 + away, tip[1] - half * 1.5 + away)
        far = (butt[0] + away, butt[1] + away)
        canvas.line(near, far, colour, thick)
        canvas.line(tip, near, colour, thick)
    away = half * math.sqrt(0.5)
    canvas.line((butt[0] - away, butt[1] - away), (butt[0] + away, butt[1] + away), colour, thick)


def cross(canvas: Canvas, at_px: Point, colour: Colour, *, size: float = 1.0) -> None:
    """Close it."""
    (x, y), arm = at_px, canvas.px(5.0 * size)
    canvas.line((x - arm, y - arm), (x + arm, y + arm), colour, canvas.px(1.6))
    canvas.line((x - arm, y + arm), (x + arm, y - arm), colour, canvas.px(1.6))


def back(canvas: Canvas, at_px: Point, colour: Colour) -> None:
    """The one before."""
    chevron(canvas, at_px, colour, back=True)


def minus(canvas: Canvas, at_px: Point, colour: Colour) -> None:
    (x, y), arm = at_px, canvas.px(6.0)
    canvas.line((x - arm, y), (x + arm, y), colour, canvas.px(1.7))


def plus(canvas: Canvas, at_px: Point, colour: Colour) -> None:
    (x, y), arm = at_px, canvas.px(6.0)
    minus(canvas, at_px, colour)
    canvas.line((x, y - arm), (x, y + arm), colour, canvas.px(1.7))


def turn(canvas: Canvas, at_px: Point, colour: Colour, *, back: bool = False) -> None:
    """A quarter turn clockwise; back: the other way."""
    (x, y), radius, side = at_px, canvas.px(6.5), -1.0 if back else 1.0
    angles = [math.radians(-60.0 - 270.0 * step / 20.0) for step in range(21)]
    arc = [(x + side * radius * math.cos(angle), y + radius * math.sin(angle)) for angle in angles]
    canvas.curve(arc, colour, canvas.px(1.7))
    tip, arm = arc[0], canvas.px(4.5)
    canvas.curve(
        [(tip[0] - side * arm, tip[1] - arm * 0.6), tip, (tip[0] - side * arm * 0.4, tip[1] + arm)],
        colour,
        canvas.px(1.7),
    )


def turn_back(canvas: Canvas, at_px: Point, colour: Colour) -> None:
    """A quarter turn against the clock."""
    turn(canvas, at_px, colour, back=True)


def two_pictures(canvas: Canvas, at_px: Point, colour: Colour) -> None:
    """Compare."""
    (x, y), wide, high = at_px, canvas.px(6.5), canvas.px(6.0)
    for left in (x - wide - canvas.px(1.0), x + canvas.px(1.0)):
        box = [(left, y - high), (left + wide, y - high), (left + wide, y + high), (left, y + high), (left, y - high)]
        canvas.curve(box, colour, canvas.px(1.5))
