"""Everything a person can do, as one table: each action of `core.controls` has one function here."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from atlas_rt.core.controls import BY_NAME
from atlas_rt.core.requests import (
    AddPaths,
    BookmarkRequest,
    ClusterRequest,
    CopyPath,
    CopyPicture,
    CopyText,
    Deselect,
    Do,
    FileRequest,
    FilterRequest,
    FindCommand,
    FlyTo,
    HideFiltered,
    Hover,
    LookRequest,
    NarratorRequest,
    OpenFile,
    OpenSource,
    PaletteRequest,
    PreferenceRequest,
    Request,
    Retry,
    Search,
    SearchRequest,
    Select,
    ShowInFolder,
    StopFetching,
    UpgradeRequest,
)
from atlas_rt.core.tour import Tour
from atlas_rt.search.filters import Filters
from atlas_rt.settings import pictures_folder
from atlas_rt.window import (
    bookmarks,
    clusters,
    escape,
    filtering,
    given_files,
    image_files,
    looking,
    model_upgrade,
    narrating,
    opening,
    preferences,
    searching,
    selection,
    undoing,
    wall,
)
from atlas_rt.window.parts import Parts
from atlas_rt.window.search_state import SearchState


def carry_out(parts: Parts, request: Request) -> None:
    """Do what the person asked for, by a key, a click or in a panel."""
    match request:
        case Do(action):
            _do(parts, action)
        case Search(text):
            selection.search(parts, text)
        case FlyTo(id_):
            selection.fly_to(parts, id_)
        case Select(id_, add):
            selection.select(parts, id_, add=add)
        case Deselect():
            selection.deselect(parts)
        case Hover(id_):
            parts.panel_hovered = id_
        case OpenSource(paths, demo):
            opening.open_demo(parts) if demo else opening.open_paths(parts, paths)
        case AddPaths(paths):
            opening.add(parts, paths)
        case Retry(part) if parts.session:
            parts.session.try_again(part)
        case StopFetching() if parts.session:
            parts.session.originals.stop()
        case _:
            _carry_out_in_part(parts, request)


def _carry_out_in_part(parts: Parts, request: Request) -> None:
    """What one part of the window knows how to do."""
    match request:
        case _ if isinstance(request, SearchRequest):
            searching.carry_out(parts, request)
        case _ if isinstance(request, PaletteRequest):
            _in_palette(parts, request)
        case _ if isinstance(request, UpgradeRequest):
            model_upgrade.carry_out(parts, request)
        case _ if isinstance(request, PreferenceRequest):
            preferences.carry_out(parts, request)
        case _ if isinstance(request, BookmarkRequest):
            bookmarks.carry_out(parts, request)
        case _ if isinstance(request, FileRequest):
            image_files.carry_out(parts, request)
        case _ if isinstance(request, FilterRequest):
            filtering.carry_out(parts, request)
        case _ if isinstance(request, LookRequest):
            looking.carry_out(parts, request)
        case _ if isinstance(request, ClusterRequest):
            clusters.carry_out(parts, request)
        case _ if isinstance(request, NarratorRequest):
            narrating.carry_out(parts, request)


def _do(parts: Parts, name: str) -> None:
    if parts.settings.kiosk and not BY_NAME[name].kiosk:
        return
    state = parts.panel_state
    if state.look.open and name not in (IN_SETTINGS if state.settings_open else WHILE_LOOKING):
        return
    action = ACTIONS.get(name)
    if action is not None:
        action(parts)


def _in_palette(parts: Parts, request: PaletteRequest) -> None:
    if isinstance(request, FindCommand):
        parts.panel_state.palette.look_for(request.text)
    else:
        _run_command(parts, request.place)


def _run_command(parts: Parts, place: int) -> None:
    request = parts.panel_state.palette.choose(place, parts.world.scene, parts.panel_state.views)
    if request is not None:
        carry_out(parts, request)


def switch_live(parts: Parts, *, on: bool) -> None:
    """The camera on or off."""
    if parts.session is not None:
        parts.session.switch_live((parts.settings.webcam or "0") if on else None)
        parts.world.mark(None)


def go_home(parts: Parts) -> None:
    """See the whole map."""
    parts.world.let_go()
    parts.world.camera.fly_to(parts.world.home())


def start_tour(parts: Parts) -> None:
    parts.world.let_go()
    clusters.show_all(parts)
    if wall.fold(parts) or parts.world.scene.flat:
        parts.world.tour_when_folded = True
    elif len(parts.world.scene.ids):
        parts.world.tour = Tour(parts.world.scene, parts.world.camera.pose)


def make_fresh(parts: Parts) -> None:
    """A kiosk's visitor has gone: everything they opened closes, and the tour begins."""
    state = parts.panel_state
    state.help_open = state.settings_open = state.opening = state.palette.open = False
    looking.leave(parts)
    selection.close_search(parts)
    parts.panel_state.search = SearchState()
    selection.deselect(parts)
    clusters.close(parts)
    clusters.show_all(parts)
    filtering.forget(parts)
    narrating.close_question(parts)
    if parts.session is not None and parts.session.live and not parts.settings.webcam:
        switch_live(parts, on=False)
    wall.fold(parts)
    go_home(parts)
    if not parts.settings.reduced_motion:
        start_tour(parts)


def _toggle_tour(parts: Parts) -> None:
    if parts.world.tour is None:
        start_tour(parts)
    else:
        parts.world.let_go()


def _toggle_orbit(parts: Parts) -> None:
    if parts.world.scene.flat:
        parts.panel_state.say("one circles on the map: G folds the wall back")
        return
    begin = not parts.world.orbiting
    parts.world.let_go()
    parts.world.orbiting = begin


def _toggle_live(parts: Parts) -> None:
    switch_live(parts, on=parts.session is not None and not parts.session.live)


def _toggle_opening(parts: Parts) -> None:
    parts.panel_state.opening = not parts.panel_state.opening


def _toggle_figures(parts: Parts) -> None:
    parts.panel_state.figures_open = not parts.panel_state.figures_open


def _toggle_minimap(parts: Parts) -> None:
    parts.panel_state.minimap_open = not parts.panel_state.minimap_open


def _toggle_help(parts: Parts) -> None:
    parts.panel_state.help_open = not parts.panel_state.help_open
    parts.panel_state.settings_open = False


def _toggle_fullscreen(parts: Parts) -> None:
    parts.window.set_fullscreen(not parts.window.fullscreen)


def _save_picture(parts: Parts) -> None:
    """Save what is seen, without the panels, at its best; it is encoded and written on a thread."""
    pixels = parts.display.picture_of(parts.world.view(parts.window.framebuffer_px))
    parts.picture_files.save(pixels, pictures_folder() or parts.cache)


def _quit(parts: Parts) -> None:
    parts.running = False


def _fly_to_best(parts: Parts) -> None:
    """Enter: the line of the palette, what is asked before all else, the cluster the person is at in the list, or the
    best result."""
    palette, proposed = parts.panel_state.palette, parts.panel_state.narrator.proposed
    if palette.open:
        _run_command(parts, palette.cursor)
    elif parts.panel_state.settings_open:
        preferences.turn(parts, 1)
    elif proposed is not None:
        narrating.agree(parts, all_topics=proposed.proposal.all)
    elif parts.panel_state.clusters.focused:
        clusters.enter(parts)
    elif not filtering.enter(parts):
        selection.fly_to_best(parts)


def _step(parts: Parts, step: int) -> None:
    """Tab: another line of the palette, or another result."""
    if parts.panel_state.palette.open:
        parts.panel_state.palette.move(step, parts.world.scene, parts.panel_state.views)
    elif parts.panel_state.settings_open:
        preferences.move(parts, step)
    else:
        selection.step_result(parts, step=step)


def _go(parts: Parts, right: int, down: int) -> None:
    """An arrow key: in the list of clusters, or to a neighbour of the selected image."""
    if parts.panel_state.palette.open:
        parts.panel_state.palette.move(right + down, parts.world.scene, parts.panel_state.views)
    elif parts.panel_state.settings_open:
        preferences.turn(parts, right) if right else preferences.move(parts, down)
    elif parts.panel_state.narrator.proposed is not None:
        narrating.turn_page(parts, right + down)
    elif filtering.move(parts, right, down):
        return
    elif not parts.panel_state.clusters.focused:
        selection.go_to_neighbour(parts, right=float(right), down=float(down))
    elif down:
        clusters.move(parts, down)
    else:
        clusters.turn(parts, right=right > 0)


ACTIONS: dict[str, Callable[[Parts], object]] = {
    "home": go_home,
    "focus": selection.focus,
    "previous_place": lambda parts: parts.world.camera.step_back(),
    "next_place": lambda parts: parts.world.camera.step_forward(),
    "orbit": _toggle_orbit,
    "tour": _toggle_tour,
    "search": selection.open_search,
    "clusters": clusters.toggle,
    "filters": filtering.toggle,
    "timeline": filtering.toggle_timeline,
    "clear_filters": lambda parts: filtering.change(parts, Filters()),
    "hide_filtered": lambda parts: filtering.carry_out(parts, HideFiltered(not parts.panel_state.filters.hides)),
    "rename_cluster": clusters.rename_here,
    "why": narrating.why,
    "more_like_this": searching.more_like_here,
    "closer_matches": partial(searching.change_threshold, closer=True),
    "more_matches": partial(searching.change_threshold, closer=False),
    "as_typed": searching.toggle_reading,
    "fly_to_best": _fly_to_best,
    "next_result": partial(_step, step=1),
    "previous_result": partial(_step, step=-1),
    "neighbour_left": partial(_go, right=-1, down=0),
    "neighbour_right": partial(_go, right=1, down=0),
    "neighbour_up": partial(_go, right=0, down=-1),
    "neighbour_down": partial(_go, right=0, down=1),
    "look_whole": looking.toggle,
    "look_nearer": partial(looking.zoom, factor=looking.PRESS),
    "look_farther": partial(looking.zoom, factor=1.0 / looking.PRESS),
    "look_size": looking.change_size,
    "look_next": partial(looking.step, by=1),
    "look_previous": partial(looking.step, by=-1),
    "look_compare": looking.compare,
    "look_turn": partial(looking.turn, quarters=1),
    "look_turn_back": partial(looking.turn, quarters=-1),
    "look_information": looking.toggle_information,
    "open": _toggle_opening,
    "live": _toggle_live,
    "open_file": partial(image_files.here, request=OpenFile),
    "show_in_folder": partial(image_files.here, request=ShowInFolder),
    "copy_path": partial(image_files.here, request=CopyPath),
    "copy_picture": partial(image_files.here, request=CopyPicture),
    "copy_text": partial(image_files.here, request=CopyText),
    "paste": given_files.paste,
    "undo": undoing.undo,
    "redo": undoing.redo,
    "picture": _save_picture,
    "fullscreen": _toggle_fullscreen,
    "figures": _toggle_figures,
    "wall": wall.toggle,
    "minimap": _toggle_minimap,
    "bookmark": lambda parts: parts.panel_state.palette.toggle(naming=True),
    "palette": lambda parts: parts.panel_state.palette.toggle(more=model_upgrade.commands(parts)),
    "help": _toggle_help,
    "step_back": escape.step_back,
    "settings": preferences.toggle,
    "quit": _quit,
}
"""Name of an action -> what does it. Motion and mouse gestures are `steering`'s."""

WHILE_LOOKING = frozenset(name for name in ACTIONS if name.startswith("look_")) | {
    "step_back", "fullscreen", "help", "settings", "quit", "picture",
    "open_file", "show_in_folder", "copy_path", "copy_picture", "copy_text",
}  # fmt: skip
"""What is done while a picture is looked at whole; all else is about the map."""
IN_SETTINGS = frozenset(name for name in ACTIONS if name.startswith("neighbour_")) | {
    "next_result", "previous_result", "fly_to_best", "step_back", "settings", "fullscreen", "help", "quit",
}  # fmt: skip
"""What is done in the settings over such a picture."""
