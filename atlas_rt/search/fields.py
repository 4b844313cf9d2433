"""What a person types, taken apart: fields such as `camera:contax` ask which images come into question at all, and the
rest is what is looked for.

    beach folder:2023 -label:boat       among the images in folders called 2023, none of boats
    date:2023..2024-06 rating:>=4       spans and comparisons, of dates, ratings and sizes
    camera:"EOS 5D" type:raw            quotes for values with spaces
    type:png|webp                       one of several values
    camera:="EOS 5D"                    this value and no longer one; of folders this one and what lies in it

Each field may stand with `-` for images without, or with `+`, which changes nothing. What only looks like a field is
text, and that is said. `tag:` has its place in FIELDS once there are tags.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial

Span = tuple[float, float]
"""From the first value to below the second."""

FIELDS = {
    "name": "name:img_0042", "folder": "folder:holiday/beach", "keyword": "keyword:grandma", "label": "label:guitar",
    "camera": "camera:contax", "lens": "lens:35mm", "date": "date:2023..2024-06", "rating": "rating:>=4",
    "type": "type:png", "size": "size:>12mp", "near": "near:Lisbon", "cluster": "cluster:birds",
}  # fmt: skip
"""Field -> an example."""
NEAR = 0.7
"""Share of a field's name that has to agree for it to be offered."""
ABOUT = 0.05
"""A size that is no comparison is met by what differs by this share at most."""
UNITS = {"mp": 1e6, "kb": 1e3, "mb": 1e6, "gb": 1e9}
PIXELS = "mp"

OR = "|"
"""Between values of which one is enough."""

_FIELD = re.compile(
    r"(?<!\S)(?P<sign>[+-]?)(?P<field>[^\W\d_]+):(?P<whole>=?)(?:\"(?P<quoted>[^\"]*)\"|(?P<word>[^\s\"]*))(?!\S)"
)
_WEIGHT = re.compile(r"[\d.:]+")
_OPEN_QUOTE = re.compile(r'(?<!\S)[+-]?(?:[^\W\d_]+:=?)?"')
_DATE = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?")
_SIZE = re.compile(r"(\d+(?:\.\d*)?|\.\d+)\s*([a-z]{2})", re.IGNORECASE)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Condition:
    """One field. wanted: False where images must not fulfil it. span: of a date in seconds since 1970, of a rating, of
    a size in pixels or bytes; pixels: which of these. whole: the value is no beginning of a longer one. others: values
    that would do as well."""

    field: str
    value: str
    wanted: bool = True
    span: Span = (0.0, 0.0)
    pixels: bool = False
    whole: bool = False
    others: tuple[Condition, ...] = ()

    @property
    def alternatives(self) -> tuple[Condition, ...]:
        """One condition for each value of which one is enough."""
        return (self, *self.others)

    @property
    def values(self) -> tuple[str, ...]:
        return tuple(each.value for each in self.alternatives)

    def __str__(self) -> str:
        value = OR.join(self.values).encode("utf-8", "replace").decode()  # a folder's name may be no text
        value = f'"{value}"' if re.search(r"\s", value) else value
        return f"{'' if self.wanted else '-'}{self.field}:{'=' if self.whole else ''}{value}"


def condition_of(field: str, value: str, *, wanted: bool = True, whole: bool = False) -> Condition | None:
    """A field with a single value, None where that is no value of it. whole counts for fields that hold words."""
    if field not in _SPANS:
        return Condition(field, value, wanted, whole=whole)
    span = _SPANS[field](value)
    return span and Condition(field, value, wanted, span, pixels=field == "size" and value.lower().endswith(PIXELS))


def either(conditions: Sequence[Condition]) -> Condition:
    """One condition that is met where one of these is."""
    return replace(conditions[0], others=tuple(replace(each, others=()) for each in conditions[1:]))


@dataclass(frozen=True, slots=True)
class Reading:
    """A text without its fields, these, and sentences on what could not be read as it was meant."""

    text: str
    conditions: tuple[Condition, ...] = ()
    notices: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """Nothing is left to look for, or only signs."""
        return not self.text.strip(" \t\r\n+-:\"'.,*()^&|!?/\\")


@dataclass(slots=True)
class _Reader:
    """What is found in a text, from field to field."""

    conditions: list[Condition] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)

    def take(self, match: re.Match[str]) -> str:
        """What stays in the text where a field stood."""
        name, value = match["field"].lower(), (match["quoted"] or match["word"] or "").strip()
        if name not in FIELDS:
            if not _WEIGHT.fullmatch(value) and value:
                self.notices.append(_no_field(match["field"]))
            return match[0]
        parts = [part for each in value.split(OR) if (part := each.strip())]
        wanted, whole = match["sign"] != "-", bool(match["whole"])
        conditions = [condition_of(name, part, wanted=wanted, whole=whole) for part in parts]
        wrong = [part for part, condition in zip(parts, conditions, strict=True) if condition is None]
        if not parts:
            self.notices.append(f"{name}: needs a value right after the colon, such as {FIELDS[name]}.")
        elif wrong:
            self.notices.append(f"“{wrong[0]}” is no {name}; write {_FORMS[name]}.")
        else:
            self.conditions.append(either([condition for condition in conditions if condition is not None]))
        return " "


def read(text: str) -> Reading:
    """The fields of a text and the rest. A text without fields is left as it stands. Any text can be read."""
    text = text.encode("utf-8", "replace").decode()  # bytes that are no text, from a command line, become `?`
    reader = _Reader()
    rest = _FIELD.sub(reader.take, text)
    if rest != text:
        rest = " ".join(rest.split())
    if rest.count('"') % 2 and _OPEN_QUOTE.search(rest):
        reader.notices.append("A quotation mark is not closed, so it is read as text.")
    notices = tuple(dict.fromkeys(reader.notices))
    return Reading(rest, tuple(dict.fromkeys(reader.conditions)), notices)


def _no_field(name: str) -> str:
    near = difflib.get_close_matches(name.lower(), FIELDS, n=1, cutoff=NEAR)
    which = f"did you mean {near[0]}:?" if near else f"there are {', '.join(FIELDS)}."
    return f"There is no field {name}:, so it is read as text; {which}"


# -- values ------------------------------------------------------------------------------------------------------------

_FORMS = {
    "date": "date:2023, date:2023-06, date:2023-06-04 or a span such as date:2021..2023-06",
    "rating": "rating:4, rating:>=4 or rating:1..3, from 0 to 5 and -1 for what is rejected",
    "size": "size:>12mp for megapixels, or size:<500kb, size:2mb..5mb for the file",
}


def _span_of(one: Callable[[str], Span | None], value: str) -> Span | None:
    """`a`, `>a`, `>=a`, `<a`, `<=a`, `a..b`, `..b`, `a..`; None for what is none of these. one: reads an `a`."""
    low, dots, high = value.partition("..")
    if dots:
        span = _between(low.strip(), high.strip(), one)
        return span if span is not None and span[0] < span[1] else None
    sign = re.match("[<>]?=?", value)
    assert sign is not None
    exact = one(value[sign.end() :].strip())
    if exact is None:
        return None
    return _compared(sign[0], exact)


def _between(low: str, high: str, one: Callable[[str], Span | None]) -> Span | None:
    first = one(low) if low else (-math.inf, -math.inf)
    last = one(high) if high else (math.inf, math.inf)
    if first is None or last is None or not (low or high):
        return None
    return first[0], max(last[1], math.nextafter(last[0], math.inf))


def _compared(sign: str, exact: Span) -> Span:
    """exact: the values that are equal; of sizes a single one."""
    low, high = exact
    above = max(high, math.nextafter(low, math.inf))
    match sign:
        case ">":
            return above, math.inf
        case ">=":
            return low, math.inf
        case "<":
            return -math.inf, low
        case "<=":
            return -math.inf, above
    return exact if low < high else (low * (1.0 - ABOUT), low * (1.0 + ABOUT))


def _date(text: str) -> Span | None:
    """A year, a month or a day, in seconds since 1970."""
    match = _DATE.fullmatch(text)
    if match is None:
        return None
    year, month, day = int(match[1]), int(match[2] or 1), int(match[3] or 1)
    try:
        begin = date(year, month, day)
        if match[3]:
            end = begin + timedelta(days=1)
        else:
            end = date(year + (not match[2] or month == 12), month % 12 + 1 if match[2] else 1, 1)
    except (ValueError, OverflowError):
        return None
    return _secs(begin), _secs(end)


def _secs(day: date) -> float:
    return (datetime(day.year, day.month, day.day, tzinfo=UTC) - _EPOCH).total_seconds()


def _rating(text: str) -> Span | None:
    return (float(text), float(text) + 1.0) if re.fullmatch("-1|[0-5]", text) else None


def _size(text: str) -> Span | None:
    match = _SIZE.fullmatch(text)
    unit = UNITS.get(match[2].lower()) if match else None
    if match is None or unit is None:
        return None
    size = float(match[1]) * unit
    return size, size


_SPANS = {name: partial(_span_of, one) for name, one in (("date", _date), ("rating", _rating), ("size", _size))}
"""Fields of which a value is a span."""
