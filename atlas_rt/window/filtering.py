"""What a person does with filters: put on, taken off, brushed on the timeline; and what came of them.

A filter stays on until the person takes it off: Esc closes the list and the timeline, and no chip. It is applied to new
images and new maps as well. An image that the person goes to is shown as long as it is selected, and that is said.
"""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from atlas_rt.core import timeline as days
from atlas_rt.core.filter_panel import MORE, VALUE, FacetLine
from atlas_rt.core.requests import (
    BrushDates,
    ClearFilters,
    FilterBy,
    FilterRequest,
    FindFacets,
    HideFiltered,
    SightTimeline,
    TakeOffFilter,
    ToggleFilter,
    UnfoldFacet,
)
from atlas_rt.core.undo import Undoable
from atlas_rt.core.word_names import Words
from atlas_rt.search.fields import FIELDS, Condition, either, read
from atlas_rt.search.filters import Filters
from atlas_rt.window.filter_state import FilterState, Key, Spoken, chip_of, key_of
from atlas_rt.window.parts import Parts
from atlas_rt.workers import filtering
from atlas_rt.workers.conditions import called_so, in_english

LOOK_AGAIN_SECS = 4.0
"""What was written of the images since is looked for so often while filters or counts are to be seen."""


def carry_out(parts: Parts, request: FilterRequest) -> None:
    """Do what was asked for in the panels."""
    state = parts.panel_state.filters
    match request:
        case FilterBy(text):
            filter_by(parts, text)
        case ToggleFilter(field, value, wanted):
            state.cursor = (field, value)
            change(parts, state.filters.toggled(field, value, wanted=wanted))
        case TakeOffFilter(place) if place < len(state.filters.conditions):
            change(parts, state.filters.without(state.filters.conditions[place]))
        case ClearFilters():
            change(parts, Filters())
        case HideFiltered(hide):
            state.hides = hide
            apply(parts)
        case FindFacets(text):
            state.wanted, state.cursor = text, None
            state.moved += 1
        case UnfoldFacet(field, value, more):
            _unfold(state, field, value, more=more)
        case BrushDates(span, ended):
            brush(parts, span, ended=ended)
        case SightTimeline(sight):
            state.sight = sight
    if isinstance(request, BrushDates):
        state.focused, state.timeline_focused = False, state.timeline_open
    elif not isinstance(request, SightTimeline | FilterBy | HideFiltered):
        state.focused, state.timeline_focused = state.open, False


# -- the panels --------------------------------------------------------------------------------------------------------


def toggle(parts: Parts) -> None:
    """Ctrl+Shift+F: open the list of facets in the place of the clusters, or close it."""
    state = parts.panel_state.filters
    state.open = state.focused = not state.open
    state.timeline_focused = False
    if state.open:
        parts.panel_state.clusters.close()
        parts.world.light_cluster(-1)
        ask(parts)
    else:
        state.wanted, state.cursor = "", None


def toggle_timeline(parts: Parts) -> None:
    """J: open the timeline and give it the arrows, or close it."""
    state = parts.panel_state.filters
    state.timeline_open = state.timeline_focused = not state.timeline_open
    state.focused = False
    if state.timeline_open:
        parts.panel_state.clusters.focused = False
        ask(parts)


def step_back(parts: Parts) -> bool:
    """Esc: what is looked for, the list, the timeline, one at a time; no filter. Whether there was one of these."""
    state = parts.panel_state.filters
    if state.open and state.wanted:
        state.wanted = ""
    elif state.open:
        toggle(parts)
    elif state.timeline_open:
        toggle_timeline(parts)
    else:
        return False
    return True


def move(parts: Parts, right: int, down: int) -> bool:
    """An arrow key: through the list, or the brush along the timeline. Whether it was meant for these."""
    state = parts.panel_state.filters
    if state.timeline_focused:
        _step_brush(parts, right, down)
        return True
    if not state.focused:
        return False
    lines = state.lines()
    if down:
        _move_cursor(state, lines, down)
    elif (line := _line_at(state, lines)) is not None and line.unfolded is not None and line.unfolded != (right > 0):
        _unfold(state, line.field, line.value, more=line.kind == MORE)
    return True


def enter(parts: Parts) -> bool:
    """Enter: put the value on that the person is at, or take it off; whether the list has the keys. A text with fields
    that was typed into the list becomes filters."""
    state = parts.panel_state.filters
    if not state.focused:
        return False
    if read(state.wanted).conditions:
        text, state.wanted = state.wanted, ""
        filter_by(parts, text)
        return True
    lines = state.lines()
    line = _line_at(state, lines)
    if line is None and state.wanted:
        line = next((each for each in lines if each.kind == VALUE), None)
    if line is None:
        return True
    if line.kind == VALUE:
        carry_out(parts, ToggleFilter(line.field, line.value))
    else:
        _unfold(state, line.field, line.value, more=line.kind == MORE)
    return True


def _move_cursor(state: FilterState, lines: tuple[FacetLine, ...], down: int) -> None:
    keys = [key_of(line) for line in lines]
    if not keys:
        return
    at = keys.index(state.cursor) + down if state.cursor in keys else 0
    state.cursor = keys[min(max(at, 0), len(keys) - 1)]
    state.moved += 1


def _line_at(state: FilterState, lines: tuple[FacetLine, ...]) -> FacetLine | None:
    return next((line for line in lines if key_of(line) == state.cursor), None)


def _unfold(state: FilterState, field: str, value: str, *, more: bool) -> None:
    key: Key = (field, value)
    if more:
        state.whole ^= {field}
    elif value:
        state.unfolded ^= {key}
    else:
        state.folded ^= {field}


# -- filters -----------------------------------------------------------------------------------------------------------


def filter_by(parts: Parts, text: str) -> None:
    """Put the fields of a text on as filters; words that are no fields are said."""
    reading = read(text)
    for notice in reading.notices:
        parts.panel_state.say(notice, "warning")
    if not reading.empty and not reading.notices:
        parts.panel_state.say(f"“{reading.text}” is no filter; type it into the search, or write {FIELDS['camera']}")
    if reading.conditions:
        change(parts, parts.panel_state.filters.filters.plus(*reading.conditions))


def change(parts: Parts, filters: Filters) -> None:
    """Filter by these from now on, as one thing that the person did."""
    state = parts.panel_state.filters
    before, state.before = state.filters if state.before is None else state.before, None
    spoken = _spoken(parts)
    _set(parts, filters)
    if filters != before:
        parts.panel_state.undo.add(
            Undoable(
                undone=_told(before, spoken[0]),
                redone=_told(filters, spoken[0]),
                undo=lambda: _set(parts, _said_in(before, spoken, parts.world.scene.words)),
                redo=lambda: _set(parts, _said_in(filters, spoken, parts.world.scene.words)),
            )
        )


def brush(parts: Parts, span: days.Days | None, *, ended: bool) -> None:
    """Let only these days through. While the hand is on the brush nothing is remembered, then all of it as one."""
    state = parts.panel_state.filters
    filters = state.filters.dated(days.written(span) if span is not None and span[0] < span[1] else "")
    if ended:
        change(parts, filters)
    else:
        state.before = state.filters if state.before is None else state.before
        _set(parts, filters)


def forget(parts: Parts) -> None:
    """Take all filters off for another visitor: nobody takes that back."""
    state = parts.panel_state.filters
    parts.panel_state.filters = FilterState(hides=state.hides)
    apply(parts)


def _step_brush(parts: Parts, right: int, down: int) -> None:
    state = parts.panel_state.filters
    seen = state.timeline()
    if seen is None:
        return
    span = days.stepped(seen, right - down, widen=bool(down))
    state.sight = days.in_sight(seen, span) or state.sight
    brush(parts, span, ended=True)


def _set(parts: Parts, filters: Filters) -> str:
    state = parts.panel_state.filters
    state.spoken = _spoken(parts)
    if state.filters != filters:
        state.filters = filters
        ask(parts)
        if not filters:
            apply(parts)
    return ""


def _said_in(filters: Filters, before: Spoken, words: Words) -> Filters:
    """Filters that were put on in one language, for another one: labels and clusters by what they are in the store."""
    if before[0] is words:
        return filters
    return Filters(tuple(dict.fromkeys(_stored(each, before) for each in filters.conditions)))


def _stored(condition: Condition, before: Spoken) -> Condition:
    words, records = before
    match condition.field:
        case "label":
            values = in_english(condition, words, words.vocabulary if condition.whole else ()).values
        case "cluster":
            called = [each for value in condition.values for each in called_so(value, records, whole=condition.whole)]
            values = tuple(dict.fromkeys(each.english[0] for each in called))
        case _:
            values = ()
    one = replace(condition, whole=True, others=())
    return either([replace(one, value=value) for value in values]) if values else condition


def _spoken(parts: Parts) -> Spoken:
    return parts.world.scene.words, parts.world.scene.cluster_records


def _told(filters: Filters, words: Words) -> str:
    """The notice once these filters are on again."""
    chips = [chip_of(condition, words) for condition in filters.conditions]
    told = ", ".join(f"{'' if chip.wanted else 'not '}{chip.title} {chip.text}" for chip in chips)
    return f"filtered by {told} again" if told else "no filters are on any more"


# -- what came of them -------------------------------------------------------------------------------------------------


def ask(parts: Parts, *, again: bool = False) -> None:
    """Find out what the filters let through. again: only where something was written since."""
    state, world, session = parts.panel_state.filters, parts.world, parts.session
    if session is None or not len(world.scene.ids) or not (state.filters or state.counted):
        return
    state.asked_at, answer = time.monotonic(), world.answer
    lit = answer.lights if answer is not None and not answer.error and answer.ids is world.scene.ids else None
    known = state.current and state.answer is not None and state.answer.ids is world.scene.ids
    session.filters.ask(  # what was not answered yet is asked as if it were new: it takes the place of what waits
        filtering.FilterRequest(
            state.filters.conditions, world.scene, lit, counted=state.counted, again=again and known
        )
    )


def hear(parts: Parts) -> bool:
    """Take what was found out; whether anything was."""
    session, state, world = parts.session, parts.panel_state.filters, parts.world
    answer = session.filters.take() if session is not None else None
    if time.monotonic() - state.asked_at > LOOK_AGAIN_SECS:
        ask(parts, again=True)
    if answer is None or answer.ids is not world.scene.ids or answer.conditions != state.filters.conditions:
        return False
    last = state.answer
    if state.counted and last is not None and not answer.facets:  # they are still being counted
        answer = replace(answer, facets=last.facets, days=last.days)
    state.answer = answer
    if not (last is not None and _same_images(parts, answer)):
        apply(parts)
    return True


def apply(parts: Parts) -> None:
    """Show what the filters let through, as far as that is known, and search among that alone."""
    state, world = parts.panel_state.filters, parts.world
    if not state.filters:
        passing = None
    elif state.current and state.answer is not None and state.answer.ids is world.scene.ids:
        passing = state.answer.passes
    else:
        passing = world.passing
    world.filter_by(passing, hides=state.hides)
    search = parts.panel_state.search
    query = parts.panel_state.query
    if parts.session is not None and (query or search.picture):
        parts.session.ask(query, search.picture, within=passing, as_typed=search.as_typed(query))


def follow(parts: Parts) -> None:
    """Another scene is shown, perhaps in another language: find out what the filters let through of it."""
    state = parts.panel_state.filters
    state.filters, state.spoken = _said_in(state.filters, state.spoken, parts.world.scene.words), _spoken(parts)
    ask(parts)


def reveal(parts: Parts, id_: int) -> None:
    """Say where an image that the person goes to is not among what the filters let through."""
    if parts.world.filtered_away(id_):
        parts.panel_state.say("the filters leave this image out; it is shown as long as it is selected")


def _same_images(parts: Parts, answer: filtering.FilterAnswer) -> bool:
    """Whether the world shows just what an answer lets through."""
    shown = parts.world.passing
    if shown is None or answer.passes is None:
        return shown is None and answer.passes is None
    return bool(np.array_equal(shown, answer.passes))
