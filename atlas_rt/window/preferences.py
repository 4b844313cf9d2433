"""What a person sets in the window: done at once, and kept for the next start."""

from __future__ import annotations

from atlas_rt.core.flight import DIRECTIONS
from atlas_rt.core.preferences import PREFERENCES, PreferenceRow, PreferencesView, Value
from atlas_rt.core.requests import PreferenceRequest, SetPreference
from atlas_rt.core.world import World
from atlas_rt.library.window_settings import WindowSettings
from atlas_rt.settings import Settings, with_value
from atlas_rt.spoken import spoken_code
from atlas_rt.ui.input import Input
from atlas_rt.window import selection
from atlas_rt.window.parts import Parts
from atlas_rt.workers.preferences import ForgetHints, KeepSetting, LearnHint, PreferenceWorker, Wish


def carry_out(parts: Parts, request: PreferenceRequest) -> None:
    match request:
        case SetPreference(name, value):
            change(parts, name, value)


def begin(parts: Parts, file: WindowSettings) -> None:
    """Go on from what was kept: the hints that were learnt; values are in the settings already.

    A kiosk's visitors are no newcomers, and set nothing.
    """
    if parts.settings.kiosk:
        return
    kept = file.read()
    parts.hints.learnt = kept.learnt
    if kept.remark:
        parts.panel_state.say(kept.remark, "warning")
    parts.keeper = PreferenceWorker(file, data_named=bool(parts.settings.data))


def toggle(parts: Parts) -> None:
    """The settings panel, open or closed."""
    state = parts.panel_state
    state.settings_open = not state.settings_open
    state.help_open = False


def move(parts: Parts, step: int) -> None:
    """To another setting; beyond the last comes the first."""
    parts.panel_state.setting_at = (parts.panel_state.setting_at + step) % len(PREFERENCES)


def turn(parts: Parts, step: int) -> None:
    """To another value of the setting one is at."""
    preference = PREFERENCES[parts.panel_state.setting_at]
    change(parts, preference.name, preference.after(getattr(parts.settings, preference.name), step))


def change(parts: Parts, name: str, value: Value) -> None:
    """Set it, do what it asks for, and keep it."""
    before: Value = getattr(parts.settings, name)
    if before == value:
        return
    parts.settings = with_value(parts.settings, name, value)
    dress(parts.world, parts.settings)
    if name == "quality":
        parts.display.set_quality(parts.settings.quality)
    if name == "language":
        _speak(parts)
    if name == "hints" and value:  # who asks for them has forgotten them
        parts.hints.learnt = parts.hints.passed = frozenset()
        _keep(parts, ForgetHints(_sources(parts)))
    _keep(parts, KeepSetting(name, value, _sources(parts)))


def _speak(parts: Parts) -> None:
    """Go on in another language: what is searched for is read in it, and labels are shown in it."""
    if parts.session is not None:
        parts.session.speak(spoken_code(parts.settings))
        selection.ask_again(parts)


def dress(world: World, settings: Settings) -> None:
    """Let a world move and be seen as the person set it."""
    world.set_reduced_motion(settings.reduced_motion)
    world.set_field_of_view(settings.field_of_view)
    world.camera.set_usual_speed(settings.flying_speed)


def view(parts: Parts) -> PreferencesView | None:
    """What the panel shows, None while it is closed."""
    if not parts.panel_state.settings_open:
        return None
    rows = tuple(PreferenceRow(each, getattr(parts.settings, each.name)) for each in PREFERENCES)
    return PreferencesView(rows, parts.panel_state.setting_at)


def hear(parts: Parts) -> bool:
    """Say what could not be kept; whether there is any of it."""
    errors = parts.keeper.take() if parts.keeper is not None else ()
    for error in errors:
        parts.panel_state.say(error, "warning")
    return bool(errors)


# -- hints -------------------------------------------------------------------------------------------------------------


def follow_hints(parts: Parts, told: Input, dt_secs: float) -> bool:
    """Notice what the person does, and let time pass for the hint that is shown; whether another one is."""
    before = parts.hints.shown
    for name in _done(parts, told):
        if parts.hints.learn(name):
            _keep(parts, LearnHint(name, _sources(parts)))
    if has_room_for_hint(parts):
        parts.hints.advance(dt_secs, quiet_secs=parts.world.quiet_secs)
    return parts.hints.shown is not before


def has_room_for_hint(parts: Parts) -> bool:
    """Whether a hint can be seen: nothing else asks for attention."""
    state = parts.panel_state
    busy = (
        state.settings_open
        or state.help_open
        or state.opening
        or state.palette.open
        or state.look.open
        or state.searching
        or state.selected is not None
        or state.narrator.card is not None
        or parts.world.tour is not None
    )
    wanted = parts.settings.hints and not parts.settings.kiosk
    return wanted and not busy and bool(len(parts.world.scene.ids))


def _done(parts: Parts, told: Input) -> list[str]:
    """The hints that the person has just heeded, shown or not."""
    double = any(click.button == "left" and click.count >= 2 for click in told.clicks)
    done = ["fly"] if told.held & DIRECTIONS.keys() and not parts.panel_state.look.open else []
    done += ["visit"] if double and parts.world.hovered_id >= 0 else []
    return [*done, "find"] if parts.panel_state.searching else done


def _sources(parts: Parts) -> tuple[str, ...]:
    return parts.session.place.sources if parts.session is not None else ()


def _keep(parts: Parts, wish: Wish) -> None:
    if parts.keeper is not None:
        parts.keeper.ask(wish)
