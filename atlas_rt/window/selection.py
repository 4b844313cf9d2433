"""Which image the person is at: selecting, visiting, stepping through results, sights and neighbours."""

from __future__ import annotations

from atlas_rt.core.answers import SearchAnswer
from atlas_rt.core.query_history import PastQuery
from atlas_rt.core.visibility import neighbour_towards, rows_in_sight
from atlas_rt.window import clusters, filtering
from atlas_rt.window.parts import Parts

IN_SIGHT = 60
"""Images that Tab steps through when nothing is searched: the largest on screen."""


def select(parts: Parts, id_: int, *, add: bool = False) -> None:
    """Select an image and ask for what its panel shows. add: to what is selected."""
    world, session = parts.world, parts.session
    if world.row(id_) < 0 or session is None:
        return
    if world.answer is not None and any(match.id == id_ for match in world.answer.best):
        remember(parts)
    clusters.reveal(parts, id_)
    filtering.reveal(parts, id_)
    _take_keys(parts)
    kept = tuple(other for other in world.selected_ids if other != id_) if add else ()
    world.selected_ids = (*kept, id_)
    parts.display.show_picture("selected", None)
    session.tell_of(id_, neighbours=True)
    session.ask_picture(id_)


def deselect(parts: Parts) -> None:
    """Close the panel."""
    parts.world.selected_ids = ()
    parts.world.leave()
    parts.panel_state.selected = None
    _take_keys(parts)
    parts.display.show_picture("selected", None)


def fly_to(parts: Parts, id_: int) -> None:
    """Fly until an image's card stands, wholly seen, in what the panels leave of the view."""
    parts.world.visit(id_, parts.display.free_view)


def visit(parts: Parts, id_: int) -> None:
    """Fly to an image and select it."""
    fly_to(parts, id_)
    select(parts, id_)


def at_hand(parts: Parts) -> int:
    """The id of the image that an action is about: looked at, else selected, else under the pointer, else -1."""
    world, looked_at = parts.world, parts.panel_state.look.shown
    if looked_at:
        return looked_at[-1].key.id
    return world.selected_ids[-1] if world.selected_ids else world.hovered_id


def focus(parts: Parts) -> None:
    """Fly to the selected image."""
    if at_hand(parts) >= 0:
        fly_to(parts, at_hand(parts))


def _take_keys(parts: Parts) -> None:
    """Arrows and Enter are about images again."""
    state = parts.panel_state
    state.clusters.focused = state.filters.focused = state.filters.timeline_focused = False


# -- results -----------------------------------------------------------------------------------------------------------


def search(parts: Parts, text: str, *, recalled: bool = False) -> None:
    """Ask for what was typed, and for the picture beside it; neither lets the light go. recalled: it is an earlier
    search, from which one goes on to others."""
    panel_state, searched = parts.panel_state, parts.panel_state.search
    panel_state.query, panel_state.result, panel_state.result_id = text, -1, -1
    if not recalled:
        searched.history.leave()
    if not (text.strip() or searched.picture):
        searched.found = None
        parts.world.light_by(None)
        filtering.ask(parts)
    else:
        ask_again(parts)


def ask_again(parts: Parts) -> None:
    """Search for the same as before, of which something has changed: the images, the language, the filters."""
    query, searched = parts.panel_state.query, parts.panel_state.search
    if parts.session is not None and (query.strip() or searched.picture):
        parts.session.ask(query, searched.picture, within=parts.world.passing, as_typed=searched.as_typed(query))


def remember(parts: Parts) -> None:
    """Keep the search as one that was made use of, or let go of; a kiosk's visitors leave no traces."""
    panel_state, session, picture = parts.panel_state, parts.session, parts.panel_state.search.picture
    if session is None or parts.settings.kiosk or (picture is not None and picture.vector is None):
        return
    as_typed = panel_state.search.as_typed(panel_state.query)
    entry = PastQuery(panel_state.query.strip(), picture, as_typed)
    if not panel_state.search.history.add(entry):
        return
    if entry.picture is None:
        session.query_texts.keep(entry.text)


def clear_search(parts: Parts) -> None:
    """Let go of the words, and of the picture."""
    remember(parts)
    parts.panel_state.search.picture, parts.panel_state.search.undone = None, ""
    search(parts, "")


def open_search(parts: Parts) -> None:
    """Open the search console, or put the caret back into it after a click elsewhere."""
    parts.panel_state.searching = True
    _take_keys(parts)
    parts.display.focus_search()


def close_search(parts: Parts) -> None:
    parts.panel_state.searching = False
    clear_search(parts)


def fly_to_best(parts: Parts) -> None:
    """Fly to the result the person stands at, at first to the best; to none while the one they stood at is gone."""
    answer, panel_state = parts.world.answer, parts.panel_state
    if answer is None or not answer.best:
        return
    place = panel_state.place_among(answer)
    if place < 0 and panel_state.result_id >= 0:
        return
    panel_state.searching = False
    _visit_result(parts, answer, max(place, 0))


def complete(parts: Parts) -> bool:
    """Go on with what is typed as the first completion does, where one is shown; whether there was one."""
    answer, panel_state = parts.world.answer, parts.panel_state
    if not panel_state.searching or answer is None or answer.query != panel_state.query or not answer.completions:
        return False
    search(parts, answer.completions[0].query)
    return True


def step_result(parts: Parts, step: int) -> None:
    """Visit the next or previous result; without a search, select the next image in sight. While completions are shown
    forward takes the first of them."""
    if step > 0 and complete(parts):
        return
    answer, panel_state = parts.world.answer, parts.panel_state
    if answer is None or not answer.best:
        _step_in_sight(parts, step)
        return
    place = panel_state.place_among(answer)
    if place >= 0:
        place += step
    elif panel_state.result >= 0:  # the one that stood there is gone, and the next has taken its place
        place = panel_state.result - (step < 0)
    else:
        place = min(step, 0)
    _visit_result(parts, answer, place % len(answer.best))


def _visit_result(parts: Parts, answer: SearchAnswer, place: int) -> None:
    parts.panel_state.result, parts.panel_state.result_id = place, answer.best[place].id
    visit(parts, answer.best[place].id)


# -- what is in sight --------------------------------------------------------------------------------------------------


def _step_in_sight(parts: Parts, step: int) -> None:
    """Select the next of the largest cards on screen, from left to right; the view stays."""
    world = parts.world
    rows = rows_in_sight(world.view(parts.window.framebuffer_px), IN_SIGHT)
    ids = [id_ for id_ in world.scene.ids[rows].tolist() if not world.filtered_away(id_)]
    if not ids:
        return
    chosen = world.selected_ids[-1] if world.selected_ids else -1
    at = ids.index(chosen) + step if chosen in ids else min(step, 0)
    select(parts, ids[at % len(ids)])


def go_to_neighbour(parts: Parts, right: float, down: float) -> None:
    """Visit the neighbour of the selected image that lies most in a direction on screen."""
    world = parts.world
    row = world.row(world.selected_ids[-1]) if world.selected_ids else -1
    if row < 0:
        _step_in_sight(parts, 1)
        return
    found = neighbour_towards(world.view(parts.window.framebuffer_px), row, (right, down))
    if found >= 0:
        visit(parts, int(world.scene.ids[found]))
