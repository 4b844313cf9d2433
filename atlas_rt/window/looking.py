"""Looking at pictures whole: one over the whole window, or up to four side by side, while the map waits behind them.

Nothing here moves the map, and nothing is written: turning a picture turns the view of it alone.
"""

from __future__ import annotations

from atlas_rt.core.fact_lines import folder_of, lines_of, size_line
from atlas_rt.core.look import MOST, LookPane, LookPanel, LookTile, Opened, PictureKey, Placed, TileKey
from atlas_rt.core.look_view import GAP_PX, Box, LookView, Point, Setting, panes
from atlas_rt.core.requests import LookAt, LookMove, LookRequest, LookSize, LookZoom
from atlas_rt.ui.overlay import scale_for
from atlas_rt.ui.panels.look import BAR_HEIGHT
from atlas_rt.window import selection
from atlas_rt.window.look_state import LookedAt, LookState, Order
from atlas_rt.window.parts import Parts
from atlas_rt.workers.whole_pictures import Wish

UPLOAD_BUDGET_SECS = 0.002
NOTCH = 1.25
"""How much nearer one notch of the wheel brings a picture."""
PRESS = 1.5
"""How much nearer one press of + does."""
ZOOM_A_SECOND, PANES_A_SECOND = 4.0, 0.9
"""While a key is held: how much nearer a picture comes, and how many times its pane's height it moves."""
PATIENCE_SECS = 0.15
"""A picture that comes sooner is not announced by a smaller one: that would only flicker."""
MOVES = {"left": (1.0, 0.0), "right": (-1.0, 0.0), "forward": (0.0, 1.0), "back": (0.0, -1.0)}
"""Motion held -> where the picture moves, as if the eye flew over it."""
WHOLE = 1.01
"""Up to this zoom all of a picture counts as seen."""


def carry_out(parts: Parts, request: LookRequest) -> None:
    """Do what was asked for over a picture."""
    match request:
        case LookAt(ids):
            look_at(parts, ids)
        case LookZoom(notches, at_px):
            zoom(parts, NOTCH**notches, at_px)
        case LookMove(by_px):
            move(parts, by_px)
        case LookSize(at_px):
            change_size(parts, at_px)


# -- beginning and ending ----------------------------------------------------------------------------------------------


def toggle(parts: Parts) -> None:
    """V: look at what is selected, else at what is under the pointer; or no longer."""
    if parts.panel_state.look.open:
        leave(parts)
        return
    selected = parts.world.selected_ids
    if len(selected) > MOST:
        parts.panel_state.say(f"{MOST} pictures are compared at a time: the last {MOST} that you selected")
    ids = selected[-MOST:] or ((parts.world.hovered_id,) if parts.world.hovered_id >= 0 else ())
    if ids:
        look_at(parts, ids)
    else:
        parts.panel_state.say("select an image to look at it")


def look_at(parts: Parts, ids: tuple[int, ...]) -> None:
    """Show these images whole; those that are gone are passed over. One of those compared remembers the others."""
    state, world = parts.panel_state.look, parts.world
    shown = [looked for id_ in ids[:MOST] if (looked := _looked_at(parts, id_)) is not None]
    if not shown or parts.session is None:
        return
    compared = tuple(looked.key.id for looked in state.shown) if len(state.shown) > len(shown) else ()
    kept = {looked.key: looked for looked in state.shown}
    world.let_go()
    world.hovered_id = parts.panel_hovered = -1
    parts.panel_state.look = LookState(
        shown=[kept.get(looked.key, looked) for looked in shown], informed=state.informed, compared=compared
    )
    if len(shown) == 1 and world.selected_ids[-1:] != (shown[0].key.id,) and not compared:
        selection.select(parts, shown[0].key.id)
    _wish(parts, ())


def leave(parts: Parts) -> None:
    """Back to the map, which stays as it was."""
    for looked in parts.panel_state.look.shown:
        _tell_of_gone(parts, looked)
    parts.panel_state.look = LookState(informed=parts.panel_state.look.informed)
    parts.display.looked_at.keep(())
    if parts.session is not None:
        parts.session.look_at(Wish())


def step_back(parts: Parts) -> bool:
    """Esc: from one of several back to all of them, or to the map; whether there was anything to leave."""
    state = parts.panel_state.look
    if not state.open:
        return False
    compared = tuple(id_ for id_ in state.compared if parts.world.row(id_) >= 0)
    if len(compared) > 1:
        look_at(parts, compared)
    else:
        leave(parts)
    return True


# -- one after the other -----------------------------------------------------------------------------------------------


def step(parts: Parts, by: int) -> None:
    """Look at the next or previous picture; the view begins whole again."""
    state = parts.panel_state.look
    alone = state.alone
    if alone is None:
        return
    order = state.order = _order(parts, alone)
    id_ = _by_name(parts, alone.path, by) if not order.ids else _next_of(parts, order, alone.key.id, by)
    looked = _looked_at(parts, id_)
    if looked is None or looked.key == alone.key:
        return
    _tell_of_gone(parts, alone)
    state.shown, state.view, state.compared = [looked], LookView(), ()
    selection.select(parts, id_)
    _wish(parts, ())


def _order(parts: Parts, looked: LookedAt) -> Order:
    """Through what the arrows go from here: results, else nearest images, else all by name."""
    state, answer, facts = parts.panel_state.look, parts.world.answer, parts.panel_state.selected
    if state.order is not None:
        return state.order
    results = tuple(match.id for match in answer.best) if answer is not None else ()
    if looked.key.id in results and answer is not None:
        return Order(f"results for “{answer.query}”", results)
    if facts is not None and facts.id == looked.key.id and facts.neighbours:
        return Order(f"nearest to {looked.name}", (looked.key.id, *(id_ for id_, _ in facts.neighbours)))
    return Order("by name")


def _next_of(parts: Parts, order: Order, id_: int, by: int) -> int:
    """The next of them that is still on the map."""
    at = order.ids.index(id_) if id_ in order.ids else 0
    turns = (order.ids[(at + by * step) % len(order.ids)] for step in range(1, len(order.ids)))
    return next((other for other in turns if parts.world.row(other) >= 0), id_)


def _by_name(parts: Parts, path: str, by: int) -> int:
    """The image whose path comes next, around the end; found in one pass: 100,000 paths take 5 ms."""
    scene = parts.world.scene
    if not scene.paths:
        return -1
    beyond = [each for each in scene.paths if (each > path if by > 0 else each < path)] or scene.paths
    found = min(beyond) if by > 0 else max(beyond)
    return int(scene.ids[scene.paths.index(found)])


# -- the view ----------------------------------------------------------------------------------------------------------


def zoom(parts: Parts, factor: float, at_px: Point | None = None) -> None:
    """Nearer or farther; what is at a place of the window, its middle unless told, stays there."""
    state = parts.panel_state.look
    if state.open:
        setting, at_px = _setting_at(parts, at_px)
        state.view = setting.zoomed(state.view, state.view.zoom * factor, at_px)


def move(parts: Parts, by_px: Point) -> None:
    state = parts.panel_state.look
    if state.open:
        state.view = _setting_at(parts, None)[0].panned(state.view, by_px)


def turn(parts: Parts, quarters: int) -> None:
    """Turn what is seen; the files stay as they are."""
    state = parts.panel_state.look
    if state.open:
        state.view = _setting_at(parts, None)[0].turned(state.view, quarters)


def change_size(parts: Parts, at_px: Point | None = None) -> None:
    """Pixel for pixel, or all of it where that is shown already."""
    state = parts.panel_state.look
    if not state.open:
        return
    setting, at_px = _setting_at(parts, at_px)
    one = setting.one_to_one(state.view.turns)
    is_one = abs(state.view.zoom / one - 1.0) < WHOLE - 1.0
    state.view = setting.zoomed(state.view, 1.0 if is_one else one, at_px)


def toggle_information(parts: Parts) -> None:
    parts.panel_state.look.informed = parts.panel_state.look.open and not parts.panel_state.look.informed


def left_for_map(parts: Parts, held: frozenset[str], dt_secs: float) -> frozenset[str]:
    """Motion keys move a picture that is looked at; what is left of them for the map."""
    state = parts.panel_state.look
    if not state.open:
        return held
    reach = PANES_A_SECOND * parts.window.size_px[1] * dt_secs
    steps = [MOVES[motion] for motion in held if motion in MOVES]
    if steps:
        move(parts, (sum(step[0] for step in steps) * reach, sum(step[1] for step in steps) * reach))
    nearer = ("up" in held) - ("down" in held)
    if nearer:
        zoom(parts, ZOOM_A_SECOND ** (nearer * dt_secs))
    return frozenset()


# -- what comes --------------------------------------------------------------------------------------------------------


def hear(parts: Parts) -> bool:
    """Take pictures that were opened, and tiles; whether there were any."""
    session, state, heard = parts.session, parts.panel_state.look, False
    if session is None:
        return False
    for told in session.looked_at(budget_secs=UPLOAD_BUDGET_SECS):
        heard = True
        if isinstance(told, LookTile):
            state.asked.discard(told.key)
            if any(told.key.picture == looked.key for looked in state.shown):
                parts.display.looked_at.accept(told)
        else:
            _note_opened(state, told)
    return heard


def follow(parts: Parts) -> None:
    """A new scene is shown: what is gone stays until it is left, a changed file is read anew."""
    state = parts.panel_state.look
    for looked in state.shown:
        row = parts.world.row(looked.key.id)
        looked.gone = row < 0
        if row < 0:
            continue
        looked.path = parts.world.scene.paths[row]
        key = PictureKey(looked.key.id, int(parts.world.scene.tiles[row]))
        if key != looked.key:
            looked.key, looked.opened, looked.waited_secs = key, None, 0.0
    if state.open:
        _wish(parts, ())


def panel(parts: Parts, dt_secs: float) -> LookPanel | None:
    """What is seen in this frame, None where nothing is looked at; the tiles that it lacks are asked for."""
    state = parts.panel_state.look
    if not state.open:
        return None
    settings = _settings(parts)
    wanted: list[TileKey] = []
    shown = []
    for looked, setting in zip(state.shown, settings, strict=True):
        looked.waited_secs += dt_secs
        view = setting.clamped(state.view)
        needed = _needed(looked, setting, view)
        wanted += [*needed[0], *needed[-1]] if needed else []
        shown.append(_pane(parts, looked, setting, view, needed))
    parts.display.looked_at.magnify(settings[0].share_shown(state.view))
    _ask_for(parts, wanted)
    return LookPanel(
        panes=tuple(shown),
        percent=settings[0].share_shown(state.view) * 100.0,
        whole=state.view.zoom <= WHOLE,
        order=_told_order(parts),
        informed=state.informed,
    )


def _needed(looked: LookedAt, setting: Setting, view: LookView) -> list[list[TileKey]]:
    """Tiles that can be seen, by level from the coarsest to the one that is sharp."""
    opened = looked.opened
    if opened is None or opened.error:
        return []
    sharp = min(max(setting.level(view), opened.first), opened.last)
    levels = range(opened.last, sharp - 1, -1)
    return [[TileKey(looked.key, place) for place in setting.tiles(view, level)] for level in levels]


def _pane(parts: Parts, looked: LookedAt, setting: Setting, view: LookView, needed: list[list[TileKey]]) -> LookPane:
    here = [[key for key in keys if parts.display.looked_at.has(key)] for keys in needed]
    covered = bool(needed) and len(here[-1]) == len(needed[-1])
    drawn = here[-1] if covered else [key for keys in here for key in keys]
    opened = looked.opened
    return LookPane(
        id=looked.key.id,
        name=looked.name,
        pane=setting.pane,
        corners=setting.corners(view, (0.0, 0.0, 1.0, 1.0)),
        tiles=tuple(Placed(key, setting.corners(view, setting.shares_of(key.place))) for key in drawn),
        stand_in=not (here and here[0]) and looked.waited_secs >= PATIENCE_SECS,
        lines=_lines(parts, looked),
        error=opened.error if opened else "",
        remark=opened.remark if opened else "",
    )


def _lines(parts: Parts, looked: LookedAt) -> tuple[tuple[str, str], ...]:
    facts, kiosk = parts.panel_state.selected, parts.settings.kiosk
    if facts is not None and facts.id == looked.key.id:
        return lines_of(facts, with_folder=not kiosk)
    lines = (size_line(*looked.size_px), ("Folder", "" if kiosk else folder_of(looked.path)))
    return tuple(line for line in lines if line[1])


def _told_order(parts: Parts) -> str:
    """Where among what the picture is, in words."""
    alone = parts.panel_state.look.alone
    if alone is None:
        return f"{len(parts.panel_state.look.shown)} compared"
    order = _order(parts, alone)
    if alone.key.id not in order.ids:
        return order.words
    return f"{order.ids.index(alone.key.id) + 1} of {len(order.ids)}  ·  {order.words}"


def _note_opened(state: LookState, told: Opened) -> None:
    for looked in state.shown:
        if looked.key == told.picture:
            looked.opened = told
            if not told.error:
                looked.size_px = told.size_px


# -- asking ------------------------------------------------------------------------------------------------------------


def _ask_for(parts: Parts, wanted: list[TileKey]) -> None:
    """Have the tiles that are missing cut, unless they are being cut already: the coarsest first."""
    state = parts.panel_state.look
    missing = [key for key in wanted if not parts.display.looked_at.has(key)]
    if set(missing) - state.asked:
        _wish(parts, tuple(missing))


def _wish(parts: Parts, tiles: tuple[TileKey, ...]) -> None:
    """Have these pictures kept or decoded, and these tiles of them cut, instead of what was wished before."""
    state = parts.panel_state.look
    shown, state.asked = state.shown, set(tiles)
    parts.display.looked_at.keep(looked.key for looked in shown)
    if parts.session is not None:
        parts.session.look_at(Wish(tuple((looked.key, looked.path) for looked in shown), tiles))


def _looked_at(parts: Parts, id_: int) -> LookedAt | None:
    row, scene = parts.world.row(id_), parts.world.scene
    if row < 0:
        return None
    width, height = (max(int(side), 1) for side in scene.sizes_px[row])
    return LookedAt(PictureKey(id_, int(scene.tiles[row])), scene.paths[row], (width, height))


def _tell_of_gone(parts: Parts, looked: LookedAt) -> None:
    if looked.gone:
        parts.panel_state.say(f"{looked.name} is no longer on the map", "warning")


# -- where pictures stand ----------------------------------------------------------------------------------------------


def _settings(parts: Parts) -> list[Setting]:
    """Each picture in its pane: the window but for the bar below."""
    (width, height), shown = parts.window.size_px, parts.panel_state.look.shown
    scale = scale_for(parts.window.size_px, parts.window.dpi_scale)
    room: Box = (0.0, 0.0, float(width), max(height - BAR_HEIGHT * scale, 1.0))
    ratio = parts.window.framebuffer_px[0] / width
    places = panes(len(shown), room, GAP_PX * scale)
    return [Setting(looked.size_px, pane, ratio) for looked, pane in zip(shown, places, strict=True)]


def _setting_at(parts: Parts, at_px: Point | None) -> tuple[Setting, Point]:
    """The picture under a place of the window, and the place; the first one and its middle unless told."""
    settings = _settings(parts)
    for setting in settings:
        left, top, width, height = setting.pane
        if at_px is not None and left <= at_px[0] <= left + width and top <= at_px[1] <= top + height:
            return setting, at_px
    left, top, width, height = settings[0].pane
    return settings[0], (left + width / 2.0, top + height / 2.0)
