"""Opening a library in the window, and adding to the one that is open."""

from __future__ import annotations

from atlas_rt.core.assets import DEMO, demo_folder
from atlas_rt.core.s3_address import is_s3
from atlas_rt.core.world import World
from atlas_rt.errors import AtlasError
from atlas_rt.library import sources
from atlas_rt.library.cache_layout import real_sources
from atlas_rt.window import arrivals, model_upgrade, preferences
from atlas_rt.window.panel_state import PanelState
from atlas_rt.window.parts import Parts
from atlas_rt.window.search_state import SearchState
from atlas_rt.window.session import Session, source_name


def open_library(parts: Parts, paths: tuple[str, ...], *, name: str = "") -> None:
    """Show another library; the one that was open is closed in order, once the new one stands.

    Raises AtlasError where it cannot be opened; then what was open stays as it was.
    """
    if parts.session is not None and real_sources(parts.session.sources) == real_sources(paths):
        parts.panel_state.opening = False  # it is open; a second session would find it locked by the first
        return
    session = Session(parts.settings, paths, cache=parts.cache, model=parts.model)
    if parts.session is not None:
        parts.session.close()
    parts.session = session
    unfiltered = str(parts.panel_state.filters.filters)
    hides = parts.panel_state.filters.hides
    parts.world = World(reduced_motion=parts.settings.reduced_motion)
    threshold = parts.panel_state.search.threshold
    parts.panel_state = PanelState(source=name or source_name(paths), search=SearchState(threshold=threshold))
    preferences.dress(parts.world, parts.settings)
    parts.panel_state.narrator.closed = session.why_not_asked
    parts.panel_state.filters.hides = hides
    if unfiltered:
        parts.panel_state.say(f"the filters of the library before are not on here: {unfiltered}")
    parts.panel_hovered = -1
    parts.incoming = None
    parts.display.clear()
    parts.window.set_title(f"atlas_rt - {parts.panel_state.source}")
    model_upgrade.tell_at_opening(parts, session)
    first, session.first = session.first, None  # its tiles are of no use once they are shown
    if first is not None:
        arrivals.show(parts, first)


def open_paths(parts: Parts, paths: tuple[str, ...]) -> None:
    """Open what a person named or dropped, or say why it cannot be opened."""
    try:
        open_library(parts, sources.resolve(paths))
    except AtlasError as error:
        parts.panel_state.say(str(error), "warning")


def open_demo(parts: Parts) -> None:
    try:
        open_library(parts, sources.resolve((str(demo_folder()),)), name=DEMO)
    except AtlasError as error:
        parts.panel_state.say(str(error), "warning")


def add(parts: Parts, paths: tuple[str, ...]) -> None:
    """Take files and folders into the open library, or say why they cannot be added."""
    if parts.session is None:
        open_paths(parts, paths)
        return
    try:
        found = sources.resolve(paths)
    except AtlasError as error:
        parts.panel_state.say(str(error), "warning")
        return
    if parts.session.add(found):
        parts.panel_state.say(f"adding {source_name(found)}")
    else:
        parts.panel_state.say(f"Nothing was added. {parts.session.why_not_added}", "warning")


def paste(parts: Parts) -> None:
    """Add the files, or the address in S3, that were copied elsewhere."""
    paths = parts.window.clipboard_paths()
    if paths:
        add(parts, paths)
    elif is_s3(address := parts.window.clipboard().strip()):
        add(parts, (address,))
    else:
        parts.panel_state.say("there are no copied files to add")
