"""The filters that are on: fields of `search.fields`, all of which an image must fulfil to be shown as it is.

Each is a chip before the person. A click on a value of a facet changes the chip of that facet, whose values are
alternatives; what is typed becomes a chip of its own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from atlas_rt.search.fields import Condition, condition_of, either

_SPAN = re.compile(r"\.\.|[<>=]")
SPANS = ("date", "rating", "size")


@dataclass(frozen=True, slots=True)
class Filters:
    """conditions: in the order in which they were put on."""

    conditions: tuple[Condition, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.conditions)

    def __str__(self) -> str:
        return " ".join(map(str, self.conditions))

    def plus(self, *conditions: Condition) -> Filters:
        """With these too; what is on already stays where it is."""
        return Filters(tuple(dict.fromkeys((*self.conditions, *conditions))))

    def without(self, condition: Condition) -> Filters:
        return Filters(tuple(each for each in self.conditions if each != condition))

    def toggled(self, field: str, value: str, *, wanted: bool = True) -> Filters:
        """With one more value of a facet, or without it where it is on. wanted: False for images that have it not."""
        asked = condition_of(field, value, wanted=wanted, whole=True)
        if asked is None:
            return self
        before = self.choice(field, wanted=wanted)
        if before is None:
            return self.plus(asked)
        values = [each for each in before.alternatives if each.value != value]
        after = (
            either(values if len(values) <= len(before.others) else [*before.alternatives, asked]) if values else None
        )
        return self._with(before, after)

    def choice(self, field: str, *, wanted: bool = True) -> Condition | None:
        """The chip to which a click on a value of this facet belongs; None where it makes a new one."""
        for each in reversed(self.conditions):
            if each.field == field and each.wanted == wanted and _is_choice(each):
                return each
        return None

    def chosen(self, field: str, *, wanted: bool = True) -> tuple[str, ...]:
        """The values of a facet that are on."""
        before = self.choice(field, wanted=wanted)
        return () if before is None else before.values

    @property
    def dates(self) -> Condition | None:
        """The chip that a brush on the timeline changes."""
        return next((each for each in reversed(self.conditions) if each.field == "date" and each.wanted), None)

    def dated(self, value: str) -> Filters:
        """With this span of dates in place of the one before; empty for none."""
        return self._with(self.dates, condition_of("date", value) if value else None)

    def _with(self, before: Condition | None, after: Condition | None) -> Filters:
        """With a chip in the place of another one."""
        if before is None:
            return self if after is None else self.plus(after)
        if after is None:
            return self.without(before)
        return Filters(tuple(after if each == before else each for each in self.conditions))


def _is_choice(condition: Condition) -> bool:
    """Whether it names values of a facet, and no span and no beginnings of words."""
    if condition.field in SPANS:
        return not any(map(_SPAN.search, condition.values))
    return condition.whole
