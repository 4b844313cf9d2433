"""Looking at pictures whole: one over the whole window, or up to four side by side, while the map waits behind them.

Nothing here moves the map, and nothing is written: turning a picture turns the view of it alone.
"""

from __future__ import annotations

from atlas_rt.core.look import MOST, LookTile, Opened, PictureKey
from atlas_rt.core.look_view import LookView, Point
from atlas_rt.core.requests import LookAt, LookMove, LookRequest, LookSize, LookZoom
from atlas_rt.window import selection
from atlas_rt.window.look_order import next_by_name, next_of, order_of
from atlas_rt.window.look_panel import WHOLE, setting_at, wish
from atlas_rt.window.look_state import LookedAt, LookState
from atlas_rt.window.parts import Parts
from atlas_rt.workers.whole_pictures import Wish

UPLOAD_BUDGET_SECS = 0.002
NOTCH = 1.25
"""How much nearer one notch of the wheel brings a picture."""
PRESS = 1.5
"""How much nearer one press of + does."""
ZOOM_A_SECOND, PANES_A_SECOND = 4.0, 0.9
"""While a key is held: how much nearer a picture comes, and how many times its pane's height it moves."""
MOVES = {"left": (1.0, 0.0), "right": (-1.0, 0.0), "forward": (0.0, 1.0), "back": (0.0, -1.0)}
"""Motion held -> where the picture moves, as if the eye flew over it."""


def carry_out(parts: Parts, request: LookRequest) -> None:
    """Do what was asked for over a picture."""
    match request:
        case LookAt(ids):
            shown = parts.panel_state.look.shown
            look_at(parts, ids, back=tuple(looked.key.id for looked in shown) if len(shown) > 1 else ())
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


def look_at(parts: Parts, ids: tuple[int, ...], *, back: tuple[int, ...] = ()) -> None:
    """Show these images whole; those that are gone are passed over. back: what Esc shows again then."""
    state, world = parts.panel_state.look, parts.world
    shown = [looked for id_ in ids[:MOST] if (looked := _looked_at(parts, id_)) is not None]
    if not shown or parts.session is None:
        return
    kept = {looked.key: looked for looked in state.shown}
    world.let_go()
    parts.panel_hovered = -1
    parts.panel_state.opening = False
    parts.panel_state.look = LookState(
        shown=[kept.get(looked.key, looked) for looked in shown],
        informed=state.informed,
        order=state.order,
        previous=state.previous,
        back=back,
    )
    if len(shown) == 1 and not kept and world.selected_ids[-1:] != (shown[0].key.id,):
        selection.select(parts, shown[0].key.id)
    wish(parts, ())


def leave(parts: Parts) -> None:
    """Back to the map, which stays as it was."""
    for looked in parts.panel_state.look.shown:
        _tell_of_gone(parts, looked)
    parts.panel_state.look = LookState(informed=parts.panel_state.look.informed)
    parts.display.looked_at.keep(())
    if parts.session is not None:
        parts.session.look_at(Wish())


def step_back(parts: Parts) -> bool:
    """Esc: back to what was looked at before, or to the map; whether there was anything to leave."""
    state = parts.panel_state.look
    if not state.open:
        return False
    back = tuple(id_ for id_ in state.back if parts.world.row(id_) >= 0)
    if back:
        look_at(parts, back)
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
    order = state.order = order_of(parts, alone)
    id_ = next_by_name(parts, alone.path, by) if not order.ids else next_of(parts, order, alone.key.id, by)
    looked = _looked_at(parts, id_)
    if looked is None or looked.key == alone.key:
        return
    _tell_of_gone(parts, alone)
    state.before, state.previous = (alone, state.view), alone.key.id
    state.shown, state.view, state.back = [looked], LookView(), ()
    selection.select(parts, id_)
    wish(parts, ())


def compare(parts: Parts) -> None:
    """Enter: the picture next to the one before the last step."""
    state = parts.panel_state.look
    if state.alone is None:
        return
    id_ = state.alone.key.id
    if parts.world.row(state.previous) >= 0 and state.previous != id_:
        look_at(parts, (state.previous, id_), back=(id_,))
    else:
        parts.panel_state.say("step to another picture first, to compare it with this one")


# -- the view ----------------------------------------------------------------------------------------------------------


def zoom(parts: Parts, factor: float, at_px: Point | None = None) -> None:
    """Nearer or farther; what is at a place of the window, its middle unless told, stays there."""
    state = parts.panel_state.look
    if state.open:
        setting, at_px = setting_at(parts, at_px)
        state.view = setting.zoomed(state.view, state.view.zoom * factor, at_px)


def move(parts: Parts, by_px: Point) -> None:
    state = parts.panel_state.look
    if state.open:
        state.view = setting_at(parts, None)[0].panned(state.view, by_px)


def turn(parts: Parts, quarters: int) -> None:
    """Turn what is seen; the files stay as they are."""
    state = parts.panel_state.look
    if state.open:
        state.view = setting_at(parts, None)[0].turned(state.view, quarters)


def change_size(parts: Parts, at_px: Point | None = None) -> None:
    """Pixel for pixel, or all of it where that is shown already."""
    state = parts.panel_state.look
    if not state.open:
        return
    setting, at_px = setting_at(parts, at_px)
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
        wish(parts, ())


def _note_opened(state: LookState, told: Opened) -> None:
    for looked in state.shown:
        if looked.key == told.picture:
            looked.opened = told
            if not told.error:
                looked.size_px = told.size_px


def _looked_at(parts: Parts, id_: int) -> LookedAt | None:
    row, scene = parts.world.row(id_), parts.world.scene
    if row < 0:
        return None
    width, height = (max(int(side), 1) for side in scene.sizes_px[row])
    return LookedAt(PictureKey(id_, int(scene.tiles[row])), scene.paths[row], (width, height))


def _tell_of_gone(parts: Parts, looked: LookedAt) -> None:
    if looked.gone:
        parts.panel_state.say(f"{looked.name} is no longer on the map", "warning")
