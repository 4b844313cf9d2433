"""What is seen of pictures that are looked at whole, and the tiles that this takes."""

from __future__ import annotations

from atlas_rt.core.bucket_lines import amount
from atlas_rt.core.fact_lines import folder_of, lines_of, size_line
from atlas_rt.core.look import LookPane, LookPanel, Opened, PictureKey, Placed, TileKey
from atlas_rt.core.look_view import GAP_PX, Box, LookView, Point, Setting, TilePlace, panes
from atlas_rt.render.gl.look_tiles import TILES_MAX
from atlas_rt.ui.overlay import scale_for
from atlas_rt.ui.panels.look import BAR_HEIGHT
from atlas_rt.window.look_order import order_of
from atlas_rt.window.look_state import LookedAt
from atlas_rt.window.parts import Parts
from atlas_rt.workers.whole_pictures import Wish

PATIENCE_SECS = 0.15
"""A picture that comes sooner is not announced by a smaller one: that would only flicker."""
LOADING_SECS = 0.4
"""After this it is said that a picture is being read; frames end soon after, until something new is to be seen."""
WHOLE = 1.01
"""Up to this zoom all of a picture counts as seen."""


def panel(parts: Parts, dt_secs: float) -> LookPanel | None:
    """What is seen in this frame, None where nothing is looked at."""
    state = parts.panel_state.look
    if not state.open:
        return None
    for looked in state.shown:
        looked.waited_secs += dt_secs
    settings = settings_of(parts)
    panes_ = (
        _pane(parts, looked, setting, setting.clamped(state.view))
        for looked, setting in zip(state.shown, settings, strict=True)
    )
    return LookPanel(
        panes=_one_before(parts) or tuple(panes_),
        percent=settings[0].magnification(state.view) * 100.0,
        whole=state.view.zoom <= WHOLE,
        order=_order_words(parts),
        informed=state.informed,
        steps=state.alone is not None and parts.world.row(state.previous) >= 0,
    )


def _one_before(parts: Parts) -> tuple[LookPane, ...]:
    """The picture before the last step, as long as the next one may come any moment; none otherwise."""
    state = parts.panel_state.look
    alone = state.alone
    if state.before is None or alone is None or alone.waited_secs >= PATIENCE_SECS:
        return ()
    opened = alone.opened
    if opened is not None and (opened.error or parts.display.looked_at.has(_first_tile(alone.key, opened))):
        return ()
    looked, view = state.before
    pane = settings_of(parts)[0].pane
    setting = Setting(looked.size_px, pane, parts.window.framebuffer_px[0] / parts.window.size_px[0])
    return (_pane(parts, looked, setting, setting.clamped(view)),)


def _first_tile(key: PictureKey, opened: Opened) -> TileKey:
    return TileKey(key, TilePlace(opened.last, 0, 0))


def _needed(looked: LookedAt, setting: Setting, view: LookView) -> list[list[TileKey]]:
    """Tiles that can be seen, by level from the coarsest to the one that is sharp."""
    opened = looked.opened
    if opened is None or opened.error:
        return []
    sharp = min(max(setting.level(view), opened.first), opened.last)
    while sharp < opened.last and len(setting.tiles(view, sharp)) > TILES_MAX * 3 // 4:
        sharp += 1
    levels = range(opened.last, sharp - 1, -1)
    return [[TileKey(looked.key, place) for place in setting.tiles(view, level)] for level in levels]


def _pane(parts: Parts, looked: LookedAt, setting: Setting, view: LookView) -> LookPane:
    needed = _needed(looked, setting, view)
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
        loading=opened is None and looked.waited_secs >= LOADING_SECS,
        fetched=next((amount(each) for each in parts.panel_state.coming if each.path == looked.path), ""),
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


def _order_words(parts: Parts) -> str:
    """Where among what the picture is, in words."""
    alone = parts.panel_state.look.alone
    if alone is None:
        return f"{len(parts.panel_state.look.shown)} compared"
    order = order_of(parts, alone)
    if alone.key.id not in order.ids:
        return order.words
    return f"{order.ids.index(alone.key.id) + 1} of {len(order.ids)}  ·  {order.words}"


# -- asking ------------------------------------------------------------------------------------------------------------


def want_tiles(parts: Parts) -> None:
    """Have the tiles that are missing cut, unless they are being cut already: the coarsest first."""
    state, tiles = parts.panel_state.look, parts.display.looked_at
    if not state.open:
        return
    settings = settings_of(parts)
    wanted: dict[TileKey, None] = {}
    for looked, setting in zip(state.shown, settings, strict=True):
        needed = _needed(looked, setting, setting.clamped(state.view))
        wanted |= dict.fromkeys(key for keys in (*needed[:1], *needed[-1:]) for key in keys)
    tiles.magnify(max(setting.magnification(state.view) for setting in settings))
    if state.before is not None and not _one_before(parts):
        state.before = None
        tiles.keep(looked.key for looked in state.shown)
    missing = tuple(key for key in wanted if not tiles.has(key))
    if set(missing) - state.asked:
        wish(parts, missing)


def wish(parts: Parts, tiles: tuple[TileKey, ...]) -> None:
    """Have these pictures kept or decoded, and these tiles of them cut, instead of what was wished before."""
    state = parts.panel_state.look
    shown, state.asked = state.shown, set(tiles)
    before = [state.before[0].key] if state.before else []
    parts.display.looked_at.keep([*before, *(looked.key for looked in shown)])
    if parts.session is not None:
        pictures = tuple((looked.key, looked.path) for looked in shown)
        unheard = {looked.key: looked.look for looked in shown if looked.opened is None}
        parts.session.look_at(Wish(pictures, tiles, unheard))


# -- where pictures stand ----------------------------------------------------------------------------------------------


def settings_of(parts: Parts) -> list[Setting]:
    """Each picture in its pane: the window but for the bar below."""
    (width, height), shown = parts.window.size_px, parts.panel_state.look.shown
    scale = parts.settings.ui_scale or scale_for(parts.window.size_px, parts.window.dpi_scale)
    room: Box = (0.0, 0.0, float(width), max(height - BAR_HEIGHT * scale, 1.0))
    ratio = parts.window.framebuffer_px[0] / width
    places = panes(len(shown), room, GAP_PX * scale)
    return [Setting(looked.size_px, pane, ratio) for looked, pane in zip(shown, places, strict=True)]


def setting_at(parts: Parts, at_px: Point | None) -> tuple[Setting, Point]:
    """The picture under a place of the window, and the place; the first one and its middle unless told."""
    settings = settings_of(parts)
    for setting in settings:
        left, top, width, height = setting.pane
        if at_px is not None and left <= at_px[0] <= left + width and top <= at_px[1] <= top + height:
            return setting, at_px
    left, top, width, height = settings[0].pane
    return settings[0], (left + width / 2.0, top + height / 2.0)
