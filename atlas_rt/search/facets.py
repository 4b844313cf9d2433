"""By what images divide, as small codes: which of them conditions let through, and how many have each value.

A condition becomes a table of values, and one look-up for each image: at 100,000 images 0.1 ms, and 3 ms for the counts
of all facets. What only the store can answer, such as words in a name, is no concern of this module.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from atlas_rt.core.arrays import Ids, Ints
from atlas_rt.core.rows import Mask
from atlas_rt.search.fields import Condition

Numbers = NDArray[np.int64]
Counts = NDArray[np.int64]
DAY_SECS = 86_400
NEVER = -(2**62)
"""When what nobody knows of was taken."""


@dataclass(frozen=True, slots=True)
class Facet:
    """One way in which images divide.

    field: of `search.fields`, which asks for its values; title: what the list calls it. values: (v,) as the field takes
    them, in the order of the list. rows, codes: (k,) int32, an image and the place of a value that it has; rows is None
    where every row has one code, -1 for no value. ends: (v,) of a tree, where values come before those that lie in
    them, the place behind the last of these; None where no value lies in another. words: (v,) each value as words with
    a space before each, by which it is found; made on a thread, as thousands take 20 ms. texts: (v,) how each reads to
    the person; empty where `values` is that.
    """

    field: str
    title: str
    values: tuple[str, ...]
    codes: Ints
    rows: Ints | None = None
    ends: Ints | None = None
    words: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()

    def text(self, value: str) -> str:
        """How a value reads; itself where no image has it."""
        return self.texts[self.values.index(value)] if self.texts and value in self.values else value

    def having(self, wanted: Sequence[str], count: int) -> Mask:
        """(count,) which rows have one of these values, in any case where none is the very one."""
        places = {value.casefold(): place for place, value in enumerate(self.values)}
        places |= {value: place for place, value in enumerate(self.values)}  # folders may differ in their case alone
        chosen = np.zeros(len(self.values) + 1, np.bool_)  # the last is for -1
        for value in wanted:
            place = places.get(value, places.get(value.casefold()))
            if place is not None:
                chosen[place : place + 1 if self.ends is None else int(self.ends[place])] = True
        if self.rows is None:
            return chosen[self.codes]
        mask = np.zeros(count, np.bool_)
        mask[self.rows[chosen[self.codes]]] = True
        return mask

    def counts(self, among: Mask | None = None) -> Counts:
        """(v,) how many images have each value, of all or `among` (n,) some."""
        if self.rows is None:
            codes = self.codes if among is None else self.codes[among]
        else:
            codes = self.codes if among is None else self.codes[among[self.rows]]
        counts = np.bincount(codes + 1, minlength=len(self.values) + 1)[1:]
        if self.ends is None:
            return counts
        before = np.concatenate([[0], np.cumsum(counts)])
        within: Counts = before[self.ends] - before[:-1]
        return within


@dataclass(frozen=True, slots=True)
class FacetTable:
    """What is known of a scene's images as codes and numbers, in its rows.

    ids: the scene's own array. taken, rating, pixels, bytes: (n,) as `library.finding` tells them, NEVER for dates that
    nobody knows. days: (d,) ascending, days since 1970 of which images are; day_codes: (n,) the place of each one's.
    """

    ids: Ids
    facets: tuple[Facet, ...]
    taken: Numbers
    rating: Numbers
    pixels: Numbers
    bytes: Numbers
    days: Numbers
    day_codes: Ints

    def passing(self, condition: Condition) -> Mask | None:
        """(n,) which images fulfil a condition; None where codes cannot tell."""
        if condition.field in ("date", "rating", "size"):
            within = reduce(np.bitwise_or, [self._within(each) for each in condition.alternatives])
            return within if condition.wanted else ~within
        facet = next((each for each in self.facets if each.field == condition.field), None)
        if facet is None or not condition.whole:
            return None
        having = facet.having(condition.values, len(self.ids))
        return having if condition.wanted else ~having

    def day_counts(self, among: Mask | None = None) -> Counts:
        """(d,) how many images are of each day."""
        return _bincount(self.day_codes, among, len(self.days))

    def _within(self, condition: Condition) -> Mask:
        low, high = condition.span
        if condition.field == "size":
            values = self.pixels if condition.pixels else self.bytes
        else:
            values = self.taken if condition.field == "date" else self.rating
        within: Mask = (values >= low) & (values < high)
        return within


def _bincount(codes: Ints, among: Mask | None, count: int) -> Counts:
    return np.bincount((codes if among is None else codes[among]) + 1, minlength=count + 1)[1:]


@dataclass(frozen=True, slots=True)
class Passing:
    """Which images some conditions let through. all: (n,); but_of: the same without the conditions of a field."""

    all: Mask | None
    _by_field: Mapping[str, Mask]

    def but_of(self, field: str) -> Mask | None:
        """(n,) what the conditions of all other fields let through, None for all images."""
        others = [mask for name, mask in self._by_field.items() if name != field]
        return reduce(np.bitwise_and, others) if others else None


def combined(conditions: Sequence[Condition], mask_of: Callable[[Condition], Mask], *, lit: Mask | None) -> Passing:
    """What conditions let through together. lit: (n,) what a query lights; it counts as a field, and is no filter."""
    by_field: dict[str, Mask] = {}
    for condition in conditions:
        mask = mask_of(condition)
        by_field[condition.field] = by_field[condition.field] & mask if condition.field in by_field else mask
    all_ = reduce(np.bitwise_and, by_field.values()) if by_field else None
    return Passing(all_, by_field if lit is None else by_field | {"": lit})
