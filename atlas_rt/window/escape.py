"""Esc: the newest thing that is open goes, one at a time, and the program never."""

from __future__ import annotations

from collections.abc import Callable

from atlas_rt.window import clusters, filtering, looking, narrating, selection, wall
from atlas_rt.window.parts import Parts


def step_back(parts: Parts) -> None:
    """Take one step back, if there is one."""
    any(leave(parts) for leave in LAYERS)


def _palette(parts: Parts) -> bool:
    if is_open := parts.panel_state.palette.open:
        parts.panel_state.palette.toggle()
    return is_open


def _help(parts: Parts) -> bool:
    is_open, parts.panel_state.help_open = parts.panel_state.help_open, False
    return is_open


def _settings(parts: Parts) -> bool:
    is_open, parts.panel_state.settings_open = parts.panel_state.settings_open, False
    return is_open


def _opening(parts: Parts) -> bool:
    is_open, parts.panel_state.opening = parts.panel_state.opening, False
    return is_open


def _name(parts: Parts) -> bool:
    """The name of a cluster that is being typed."""
    is_typed, parts.panel_state.clusters.renaming = parts.panel_state.clusters.renaming >= 0, -1
    return is_typed


def _offer(parts: Parts) -> bool:
    """What may be done with a file that was dropped."""
    offer, parts.panel_state.search.offer = parts.panel_state.search.offer, None
    return offer is not None


def _query(parts: Parts) -> bool:
    is_asked = bool(parts.panel_state.query or parts.panel_state.search.picture)
    if is_asked:
        selection.clear_search(parts)
    return is_asked


def _console(parts: Parts) -> bool:
    is_open, parts.panel_state.searching = parts.panel_state.searching, False
    return is_open


def _clusters(parts: Parts) -> bool:
    if is_open := parts.panel_state.clusters.open:
        clusters.step_back(parts)
    return is_open


def _alone(parts: Parts) -> bool:
    """A cluster that is shown alone."""
    alone = parts.world.shown_clusters.alone
    if alone >= 0:
        clusters.isolate(parts, alone)
    return alone >= 0


def _selection(parts: Parts) -> bool:
    is_there = bool(parts.world.selected_ids) or parts.panel_state.selected is not None
    if is_there:
        selection.deselect(parts)
    return is_there


def _motion(parts: Parts) -> bool:
    """The tour, or circling."""
    is_moving = parts.world.tour is not None or parts.world.orbiting
    if is_moving:
        parts.world.let_go()
    return is_moving


def _full_screen(parts: Parts) -> bool:
    is_full = parts.window.fullscreen and not parts.settings.kiosk
    if is_full:
        parts.window.set_fullscreen(False)
    return is_full


LAYERS: tuple[Callable[[Parts], bool], ...] = (
    _palette,
    _help,
    _settings,
    _opening,
    looking.step_back,
    _name,
    narrating.step_back,
    _offer,
    _query,
    _console,
    _clusters,
    filtering.step_back,
    _alone,
    wall.fold,
    _selection,
    _motion,
    _full_screen,
)
"""What Esc takes off, the uppermost first: each says whether there was anything of it."""
