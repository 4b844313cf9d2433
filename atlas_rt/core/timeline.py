"""The timeline: how many images are of which days, as bars of days, months or years, and the span that is brushed.

Days are whole numbers since 1970-01-01; spans begin with their first day and end before their last.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]
Days = tuple[int, int]
"""From the first day to before the last."""
Sight = tuple[float, float]
"""The same of what is in sight, which may end within a day."""

DAY, MONTH, YEAR = "day", "month", "year"
STEPS = {DAY: "D", MONTH: "M", YEAR: "Y"}
MONTHS_FROM, YEARS_FROM = 120.0, 11_000.0
"""Days in sight from which on a bar is a month, and a year."""
LEAST_SIGHT = 14.0
ZOOM = 1.35
"""For each notch of the wheel."""
FAR_OUT = 0.005
"""Share of the images at either end that are not in sight at first: one clock that stood at 1970 would squeeze all."""
TICK_MONTHS = (1, 3, 6, 12, 24, 60, 120, 240, 600, 1200, 6000, 12000, 60000)
MONTH_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_FIRST, _LAST = (date.min - date(1970, 1, 1)).days, (date.max - date(1970, 1, 1)).days + 1
"""The first day that there is, and the one behind the last."""


@dataclass(frozen=True, slots=True)
class DayCounts:
    """days: (d,) ascending. images: (d,) how many are of each; shown: (d,) how many of them the other filters and the
    query let through."""

    days: Numbers
    images: Numbers
    shown: Numbers


@dataclass(frozen=True, slots=True)
class Bar:
    """Some days, how many images are of them, and how many of these are let through."""

    days: Days
    images: int
    shown: int


@dataclass(frozen=True, slots=True)
class Timeline:
    """What is seen of it. whole: of all images. unit: of a bar. brushed: the spans that are let through, none where all
    are. earlier, later: images beyond what is in sight. focused: arrows are the timeline's."""

    whole: Days
    sight: Sight
    unit: str
    bars: tuple[Bar, ...]
    brushed: tuple[Days, ...]
    earlier: int
    later: int
    focused: bool = False


def timeline(counts: DayCounts, sight: Sight | None, brushed: tuple[Days, ...], *, focused: bool = False) -> Timeline:
    """sight: None for as much as the library begins with."""
    sight = first_sight(counts) if sight is None else sight
    unit = unit_of(sight)
    edges = before(math.floor(sight[0]), unit), after(math.ceil(sight[1]) - 1, unit)
    inside = slice(*np.searchsorted(counts.days, edges).tolist())
    starts = _floored(counts.days[inside], unit)
    at = np.flatnonzero(np.append(True, starts[1:] != starts[:-1])[: len(starts)])
    bars: tuple[Bar, ...] = ()
    if len(at):
        images, shown = (np.add.reduceat(each[inside], at).tolist() for each in (counts.images, counts.shown))
        spans = [(first, after(first, unit)) for first in starts[at].tolist()]
        bars = tuple(Bar(*each) for each in zip(spans, images, shown, strict=True))
    return Timeline(
        whole=whole_of(counts),
        sight=sight,
        unit=unit,
        bars=bars,
        brushed=brushed,
        earlier=int(counts.images[: inside.start].sum()),
        later=int(counts.images[inside.stop :].sum()),
        focused=focused,
    )


def whole_of(counts: DayCounts) -> Days:
    """From the first image to the last."""
    return (int(counts.days[0]), int(counts.days[-1]) + 1) if len(counts.days) else (0, 1)


def first_sight(counts: DayCounts) -> Sight:
    """What is in sight at first: nearly all images, in whole years or months."""
    if not len(counts.days):
        return 0.0, LEAST_SIGHT
    seen = np.cumsum(counts.images)
    ends = np.searchsorted(seen, [1 + int(FAR_OUT * seen[-1]), seen[-1] - int(FAR_OUT * seen[-1])])
    first, last = counts.days[ends].tolist()
    unit = YEAR if last - first > 2 * 366 else MONTH
    return widened((float(before(first, unit)), float(after(last, unit))))


def widened(sight: Sight) -> Sight:
    """At least as much as can be told apart, within what a date can be."""
    middle, half = (sight[0] + sight[1]) / 2.0, max(sight[1] - sight[0], LEAST_SIGHT) / 2.0
    return max(middle - half, float(_FIRST)), min(middle + half, float(_LAST))


def zoomed(seen: Timeline, at_day: float, notches: float) -> Sight:
    """Nearer or farther; the day under the pointer stays there."""
    factor = ZOOM**-notches
    first, last = (at_day + (edge - at_day) * factor for edge in seen.sight)
    most = 1.2 * max(seen.whole[1] - seen.whole[0], LEAST_SIGHT)
    if last - first > most:
        middle = (seen.whole[0] + seen.whole[1]) / 2.0
        first, last = middle - most / 2.0, middle + most / 2.0
    return widened((first, last))


def panned(seen: Timeline, by_days: float) -> Sight:
    """Earlier or later; some of what images are of stays in sight."""
    half = (seen.sight[1] - seen.sight[0]) / 2.0
    middle = min(max(seen.sight[0] + half + by_days, float(seen.whole[0])), float(seen.whole[1]))
    return widened((middle - half, middle + half))


def stepped(seen: Timeline, step: int, *, widen: bool) -> Days:
    """The brush moved by bars, or its end by as many; without a brush the last bar, or the first for a step back."""
    unit, step = seen.unit, int(step)
    if not seen.brushed:
        bars = [bar.days for bar in seen.bars] or [(seen.whole[0], after(seen.whole[0], unit))]
        return bars[-1 if step > 0 else 0]
    first, last = seen.brushed[-1]
    if not widen:
        return _moved(first, step, unit), _moved(before(last - 1, unit), step, unit, end=True)
    end = _moved(before(last - 1, unit), step, unit, end=True)
    return first, max(end, after(first, unit))


@dataclass(frozen=True, slots=True)
class Hold:
    """What a hand took hold of. span: what is brushed. at_day: where. moves: all of it; else its end is drawn, from the
    other end, `anchor`."""

    span: Days
    at_day: float
    anchor: int
    moves: bool = False


def held(seen: Timeline, at_day: float, *, reach: float) -> Hold:
    """What lies there: an end of the brush within `reach` days, the brush, or the beginning of a new one."""
    first = before(math.floor(at_day), seen.unit)
    if len(seen.brushed) == 1:
        span = seen.brushed[0]
        for edge, other in ((span[1], span[0]), (span[0], span[1] - 1)):
            if abs(at_day - edge) <= reach:
                return Hold(span, at_day, other)
        if span[0] <= at_day < span[1]:
            return Hold(span, at_day, first, moves=True)
    return Hold((first, after(first, seen.unit)), at_day, first)


def dragged(hold: Hold, day: float, unit: str) -> Days:
    """The span that is brushed once the hand is at another day, in whole bars."""
    at = math.floor(day)
    if not hold.moves:
        low, high = min(at, hold.anchor), max(at, hold.anchor)
        return before(low, unit), after(high, unit)
    bars = _bar(at, unit) - _bar(math.floor(hold.at_day), unit)
    first, last = hold.span
    return _moved(first, bars, unit), _moved(before(last - 1, unit), bars, unit, end=True)


def in_sight(seen: Timeline, brushed: Days) -> Sight | None:
    """What to look at so that a brush is in sight; None where it is."""
    first, last = seen.sight
    if first <= brushed[0] and brushed[1] <= last:
        return None
    width = max(last - first, 1.2 * (brushed[1] - brushed[0]))
    middle = (brushed[0] + brushed[1]) / 2.0
    return widened((middle - width / 2.0, middle + width / 2.0))


def unit_of(sight: Sight) -> str:
    """Of what a bar is."""
    width = sight[1] - sight[0]
    return YEAR if width >= YEARS_FROM else MONTH if width >= MONTHS_FROM else DAY


def before(day: int, unit: str) -> int:
    """The first day of the bar that a day is in."""
    return _moved(day, 0, unit)


def after(day: int, unit: str) -> int:
    """The first day behind it."""
    return _moved(day, 0, unit, end=True)


def ticks(sight: Sight, most: int) -> list[tuple[int, str, bool]]:
    """At most about so many places to name: the day, its name, whether a year begins there."""
    first, last = sight
    if (last - first) / 31.0 < most / 6.0:
        step = max(math.ceil((last - first) / max(most, 1)), 1)
        days = range(math.ceil(first), int(last) + 1, step)
        return [
            (day, f"{(d := _date(day)).day} {MONTH_NAMES[d.month - 1]}", d.timetuple().tm_yday == 1) for day in days
        ]
    step = next((each for each in TICK_MONTHS if (last - first) / 30.44 / each <= most), TICK_MONTHS[-1])
    months = range(-(-_month(math.ceil(first)) // step) * step, _month(int(last)) + 1, step)
    return [
        (day, str(1970 + month // 12) if month % 12 == 0 else MONTH_NAMES[month % 12], month % 12 == 0)
        for month in months
        if first <= (day := _first_of(month)) <= last
    ]


def written(days: Days) -> str:
    """A span as the field `date:` takes it, in years or months where it begins and ends with them."""
    first, last, behind = _date(days[0]), _date(days[1] - 1), _date(days[1])
    if first.day == 1 and behind.day == 1:
        if first.month == 1 and behind.month == 1:
            names = [f"{each.year:04}" for each in (first, last)]
        else:
            names = [f"{each.year:04}-{each.month:02}" for each in (first, last)]
    else:
        names = [each.isoformat() for each in (first, last)]
    return "..".join(dict.fromkeys(names))


def _moved(day: int, step: int, unit: str, *, end: bool = False) -> int:
    """The first day of the bar so many bars farther; end: of the one behind it."""
    step += end
    if unit == DAY:
        return min(max(day + step, _FIRST), _LAST)
    month = _month(day)
    return _first_of(month + step if unit == MONTH else month // 12 * 12 + 12 * step)


def _bar(day: int, unit: str) -> int:
    """The number of the bar that a day is in."""
    return day if unit == DAY else _month(day) // (1 if unit == MONTH else 12)


def _month(day: int) -> int:
    """The months between January 1970 and a day's."""
    date_ = _date(day)
    return (date_.year - 1970) * 12 + date_.month - 1


def _first_of(month: int) -> int:
    """The first day of a month, or the nearest day that there is."""
    year = 1970 + month // 12
    if not date.min.year <= year <= date.max.year:
        return _FIRST if month < 0 else _LAST
    return (date(year, month % 12 + 1, 1) - date(1970, 1, 1)).days


def _floored(days: Numbers, unit: str) -> Numbers:
    floored: Numbers = days.astype("M8[D]").astype(f"M8[{STEPS[unit]}]").astype("M8[D]").astype(np.int64)
    return floored


def _date(day: int) -> date:
    return date(1970, 1, 1) + timedelta(days=min(max(day, _FIRST), _LAST - 1))
