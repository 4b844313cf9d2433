"""What the person filters by, and what the panels show of it. Owned by the main thread."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from atlas_rt.core.filter_panel import FACET, MORE, VALUE, Chip, FacetLine, FilterPanel
from atlas_rt.core.maps import Cluster
from atlas_rt.core.timeline import Days, Sight, Timeline, timeline, whole_of
from atlas_rt.core.word_names import IN_ENGLISH, Words
from atlas_rt.core.words import pieces_of
from atlas_rt.search.facets import DAY_SECS, Counts, Facet
from atlas_rt.search.fields import Condition
from atlas_rt.search.filters import Filters
from atlas_rt.workers.conditions import in_english
from atlas_rt.workers.filtering import FilterAnswer

LISTED = 6
"""Values of a facet that are listed before one asks for more."""
FOLDERS = 24
"""The same of folders, which may be unfolded."""
FOUND = 40
"""The same while one looks for some."""
IN_ORDER = ("date", "rating")
"""Facets that are listed in their own order, as is the tree of folders. Others have first what lets most through with
all else; a click on a value does not change the order of its own facet, as that leaves its own conditions out."""
STARS = {"0": "not rated", "-1": "rejected", "1": "1 star"}
CLOSED = FilterPanel()
Key = tuple[str, str]
"""A field and a value of it, empty for the facet itself."""
Spoken = tuple[Words, tuple[Cluster, ...]]
"""A language, and the clusters as they are called in it."""


@dataclass(slots=True)
class FilterState:
    """filters: what is on. hides: what does not pass is not drawn. answer: the newest that was found out about them,
    None before there is one. open, timeline_open: the list of facets and the timeline are; focused, timeline_focused:
    arrows are theirs. wanted: what is looked for in the list. folded: facets whose values are not listed; unfolded:
    folders whose own are; whole: facets of which all values are. cursor: the line the person is at, None for none;
    moved: how often the keyboard moved it. sight: the days in sight, None for as many as the library begins with.
    before: the filters as they were when a brush was begun, None while there is no hand on it. asked_at: when was last
    asked what they let through, by the monotonic clock. spoken: the language and the clusters of which
    the filters were typed.
    """

    filters: Filters = field(default_factory=Filters)
    hides: bool = False
    answer: FilterAnswer | None = None
    open: bool = False
    focused: bool = False
    timeline_open: bool = False
    timeline_focused: bool = False
    wanted: str = ""
    folded: frozenset[str] = frozenset()
    unfolded: frozenset[Key] = frozenset()
    whole: frozenset[str] = frozenset()
    cursor: Key | None = None
    moved: int = 0
    sight: Sight | None = None
    before: Filters | None = None
    asked_at: float = 0.0
    spoken: Spoken = (IN_ENGLISH, ())
    _panel: FilterPanel = CLOSED
    _panel_of: tuple[object, ...] = ()

    @property
    def current(self) -> bool:
        """What was found out is about the filters that are on."""
        return self.answer is not None and self.answer.conditions == self.filters.conditions

    @property
    def counted(self) -> bool:
        """Counts are to be seen."""
        return self.open or self.timeline_open

    def panel(self, total: int, words: Words = IN_ENGLISH) -> FilterPanel:
        """What the panels show in this frame; the same object until something about it changes. total: all images.
        words: the language of labels."""
        made_of = (
            self.filters, self.hides, self.answer, self.open, self.focused, self.timeline_open, self.timeline_focused,
            self.wanted, self.folded, self.unfolded, self.whole, self.cursor, self.moved, self.sight, total,
            words,
        )  # fmt: skip
        if made_of != self._panel_of:
            self._panel, self._panel_of = self._made(total, words), made_of
        return self._panel

    def lines(self) -> tuple[FacetLine, ...]:
        """The list as it is unfolded and searched."""
        facets = self.answer.facets if self.answer is not None else ()
        return tuple(line for facet, counts in facets for line in self._lines_of(facet, counts))

    def timeline(self) -> Timeline | None:
        """None while it is closed, or nothing is known of dates yet."""
        days = self.answer.days if self.answer is not None else None
        if not self.timeline_open or days is None or not len(days.days):
            return None
        return timeline(days, self.sight, brushed(self.filters, whole_of(days)), focused=self.timeline_focused)

    def _made(self, total: int, words: Words) -> FilterPanel:
        if not (self.open or self.timeline_open or self.filters):
            return CLOSED
        answer, lines = self.answer, self.lines() if self.open else ()
        passes = answer.passes if answer is not None else None
        known = answer is not None and self.current and not answer.error
        shown = -1 if not known else total if passes is None else int(np.count_nonzero(passes))
        keys = [key_of(line) for line in lines]
        return FilterPanel(
            open=self.open,
            chips=tuple(chip_of(each, words, self._facet(each.field)) for each in self.filters.conditions),
            shown=shown,
            total=total,
            hides=self.hides,
            remarks=self._remarks(answer),
            lines=lines,
            cursor=keys.index(self.cursor) if self.focused and self.cursor in keys else -1,
            moved=self.moved,
            wanted=self.wanted,
            timeline=self.timeline(),
        )

    def _facet(self, name: str) -> Facet | None:
        """What is known of the values of a field, None where nothing is yet."""
        facets = self.answer.facets if self.answer is not None else ()
        return next((facet for facet, _ in facets if facet.field == name), None)

    def _remarks(self, answer: FilterAnswer | None) -> tuple[str, ...]:
        if answer is None or not self.current:
            return ()
        return (f"The filters could not be applied: {answer.error}",) if answer.error else answer.remarks

    def _lines_of(self, facet: Facet, counts: Counts) -> Iterator[FacetLine]:
        """A facet's heading and what is listed of it; nothing where it cannot tell images apart."""
        on, off = (self.filters.chosen(facet.field, wanted=wanted) for wanted in (True, False))
        if not (on or off or _divides(facet)):
            return
        searched = pieces_of(self.wanted)
        shown = self._found(facet, searched) if searched else self._listed(facet)
        if facet.ends is None and facet.field not in IN_ORDER:
            shown = sorted(shown, key=lambda place: -counts[place])
        most = FOUND if searched else LISTED if facet.ends is None else FOLDERS
        if searched and not shown:
            return
        unfolded = bool(searched) or facet.field not in self.folded
        yield FacetLine(FACET, facet.field, facet.title, count=len(facet.values), unfolded=unfolded)
        if not unfolded:
            return
        kept = shown if facet.field in self.whole else _first(shown, most, facet, {*on, *off})
        is_tree, most_images = facet.ends is not None and not searched, max(int(counts.max(initial=0)), 1)
        for place in kept:
            value, count = facet.values[place], int(counts[place])
            text = facet.texts[place] if facet.texts else value_text(facet.field, value, short=is_tree)
            yield FacetLine(
                VALUE, facet.field, text, value, count, share=count / most_images,
                chosen=value in on, excluded=value in off, depth=value.count("/") if is_tree else 0,
                unfolded=self._unfolded(facet, place) if is_tree else None,
            )  # fmt: skip
        if len(kept) < len(shown) or facet.field in self.whole:
            more = len(shown) - len(kept)
            yield FacetLine(MORE, facet.field, f"{more:,} more" if more else "fewer", unfolded=not more)

    def _listed(self, facet: Facet) -> list[int]:
        """The places of its values; of folders those that lie in no other, and in those that are unfolded."""
        if facet.ends is None:
            return list(range(len(facet.values)))
        places, place = list[int](), 0
        while place < len(facet.values):
            places.append(place)
            folded = (facet.field, facet.values[place]) not in self.unfolded
            place = int(facet.ends[place]) if folded else place + 1
        return places

    def _found(self, facet: Facet, searched: tuple[str, ...]) -> list[int]:
        """The places of the values in which each word begins one."""
        return [place for place, text in enumerate(facet.words) if all(f" {word}" in text for word in searched)]

    def _unfolded(self, facet: Facet, place: int) -> bool | None:
        assert facet.ends is not None
        if facet.ends[place] == place + 1:
            return None
        return (facet.field, facet.values[place]) in self.unfolded


def key_of(line: FacetLine) -> Key:
    """By what a line is known while the list changes."""
    return line.field, {FACET: "", MORE: MORE + " "}.get(line.kind, line.value)


def chip_of(condition: Condition, words: Words = IN_ENGLISH, facet: Facet | None = None) -> Chip:
    """A filter in words. facet: of its field, where its values are known."""
    if condition.field == "label":
        stored = words.vocabulary if facet is None else facet.values
        meant = in_english(condition, words, stored if condition.whole else ())
        told = facet if facet is not None and condition.whole else None
        values = [*dict.fromkeys(_label_text(each, words, told) for each in meant.values)]
    else:
        known = facet if facet is not None and facet.texts else None
        values = [known.text(each) if known else value_text(condition.field, each) for each in condition.values]
    title = "dates" if condition.field == "date" else condition.field
    return Chip(title, " or ".join(values), condition.wanted)


def _label_text(word: str, words: Words, facet: Facet | None) -> str:
    return facet.text(word) if facet is not None and word in facet.values else words.shown(word)


def value_text(field_: str, value: str, *, short: bool = False) -> str:
    """A value as it reads. short: of a folder its own name alone. Bytes of a name that are no text become `?`."""
    value = value.encode("utf-8", "replace").decode()
    match field_:
        case "rating":
            return STARS.get(value, f"{value} stars" if value.isdecimal() else value.replace(">=", "≥ "))
        case "type":
            return value.upper()
        case "date":
            return value.replace("..", " – ").strip()
        case "folder" if short:
            return value[value.rfind("/") + 1 :]
    return value


def brushed(filters: Filters, whole: Days) -> tuple[Days, ...]:
    """The spans of days that the filters let through, none for all. whole: of all images."""
    dates = filters.dates
    spans = [] if dates is None else [each.span for each in dates.alternatives]
    return tuple(
        (whole[0] if low == -np.inf else int(low // DAY_SECS), whole[1] if high == np.inf else int(high // DAY_SECS))
        for low, high in spans
    )


def _divides(facet: Facet) -> bool:
    """Whether some images have a value and others have not."""
    return len(facet.values) > 1 or (len(facet.values) == 1 and facet.rows is None and bool((facet.codes < 0).any()))


def _first(places: list[int], most: int, facet: Facet, kept: set[str]) -> list[int]:
    """As many as are listed at first, and those that are on; one more is listed rather than told of."""
    if len(places) <= most + 1:
        return places
    return places[:most] + [place for place in places[most:] if facet.values[place] in kept]
