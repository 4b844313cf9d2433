"""What the engine and the threads have told since the last frame, put where it is seen."""

from __future__ import annotations

from collections.abc import Callable

from atlas_rt.core.images import Failure
from atlas_rt.core.objects import Requests
from atlas_rt.core.reports import IndexReport, Progress
from atlas_rt.engine.messages import Added, FromEngine, Locked, Provider, Published, Refused, Said, SourceState
from atlas_rt.library.formats import missing_words
from atlas_rt.window import (
    bookmarks,
    clusters,
    filtering,
    image_files,
    looking,
    model_upgrade,
    narrating,
    preferences,
    searching,
    selection,
    undoing,
)
from atlas_rt.window.incoming import Incoming
from atlas_rt.window.panel_state import PanelState
from atlas_rt.window.parts import Parts
from atlas_rt.window.session import Session
from atlas_rt.workers.scenes import Arrival

UPLOAD_BUDGET_SECS = 0.002
UNSEEN = Progress | IndexReport | Provider | Requests
"""What need not be drawn at once: the window draws work that lasts every second, a report is shown once its images are
there, and the name of what encodes stands in a corner."""


def hear(parts: Parts) -> bool:
    """Take everything that came; whether any of it is to be seen."""
    heard = _hear_engine(parts), _hear_threads(parts), _hear_saved(parts), model_upgrade.hear(parts), _hear_s3(parts)
    _tell_of_new(parts)
    return any(heard) or preferences.hear(parts)


def show(parts: Parts, arrival: Arrival) -> None:
    """Show a scene at once, however long it takes to upload."""
    parts.incoming = None
    parts.display.show(arrival)
    show_staged(parts, arrival)


def show_staged(parts: Parts, arrival: Arrival) -> None:
    """Show a scene that is uploaded. Whatever was told of an older one follows it: the selection, its panel, the
    search."""
    before, was_alone = _selected_record(parts), parts.world.shown_clusters.alone >= 0
    parts.display.show_staged(arrival)
    succeeded = parts.session is not None and parts.session.is_successor(arrival)
    if parts.session is not None and succeeded:
        model_upgrade.begin_new_map(parts, parts.session)
    parts.world.morph_to(arrival.scene, prepared=arrival.prepared)
    if parts.session is not None:
        parts.session.follow(arrival, aspect=parts.world.aspect)
    if succeeded:
        searching.renew_picture(parts)
    parts.panel_state.failures, parts.panel_state.absence = arrival.failures, arrival.absence
    parts.panel_state.keep_to(arrival.scene, selected=parts.world.selected_ids)
    _keep_clusters(parts, was_alone=was_alone)
    filtering.follow(parts)
    narrating.follow(parts)
    looking.follow(parts)
    changed = _selected_record(parts) != before
    if changed:  # the selected image is gone, or its file is another picture now
        parts.display.show_picture("selected", None)
    if parts.session is None:
        return
    if parts.world.selected_ids:
        parts.session.tell_of(parts.world.selected_ids[-1], neighbours=True)
        if changed:
            parts.session.ask_picture(parts.world.selected_ids[-1])
    if parts.world.hovered_id >= 0:  # its file may have another name now
        parts.session.tell_of(parts.world.hovered_id, neighbours=False)
    selection.ask_again(parts)


def take_scene(parts: Parts, newest: Callable[[], Arrival | None]) -> bool:
    """Go on with the scene that is coming, and show it once it is whole; whether there is one.

    One at a time: what comes meanwhile waits, and gives way to what is newer still.
    """
    if parts.incoming is None:
        if (arrival := newest()) is None:
            return False
        parts.incoming = Incoming(arrival, parts.display.staging(arrival))
    elif parts.incoming.advance(budget_secs=UPLOAD_BUDGET_SECS):
        arrival, parts.incoming = parts.incoming.arrival, None
        show_staged(parts, arrival)
    return True


def _keep_clusters(parts: Parts, *, was_alone: bool) -> None:
    """The panel of clusters follows the scene that is shown now."""
    state, scene = parts.panel_state.clusters, parts.world.scene
    if not state.keep_to(scene):
        parts.panel_state.say("the cluster whose name you typed is not on the new map", "warning")
    if was_alone and parts.world.shown_clusters.alone < 0:
        parts.panel_state.say("the cluster that was shown alone is not on the new map; everything is shown again")
    parts.world.light_cluster(state.pointed)
    if state.opened >= 0 and parts.session is not None:
        parts.session.ask_page(state.opened)


def _selected_record(parts: Parts) -> int:
    """The tile record of the newest selected image: another one means another picture. -1 for none."""
    world = parts.world
    row = world.row(world.selected_ids[-1]) if world.selected_ids else -1
    return int(world.scene.tiles[row]) if row >= 0 else -1


def _hear_engine(parts: Parts) -> bool:
    session, panel_state, heard = parts.session, parts.panel_state, False
    for message in session.messages() if session else ():
        if isinstance(message, Published) and session is not None:
            if message.model == session.model.name:
                session.scenes.poke()
            continue
        _note(panel_state, message)
        if isinstance(message, Added) and message.new and session is not None:
            panel_state.undo.add(undoing.added(session, message.new))
        heard |= not isinstance(message, UNSEEN)
    before, panel_state.troubles = panel_state.troubles, session.troubles() if session else ()
    return heard or panel_state.troubles != before


def _note(panel_state: PanelState, message: FromEngine) -> None:
    match message:
        case Progress():
            panel_state.progress = None if message.stage == "idle" else message
        case Provider():
            panel_state.provider = message.provider
        case Failure():
            panel_state.failures = (*panel_state.failures, message)
        case IndexReport():
            panel_state.progress = None
            if message.images == message.away == 0 and message.source_state not in {"missing", "unreadable"}:
                panel_state.say("no images were found here; drop some on the window", "warning")
            for name, count in message.missing_formats.items():
                panel_state.say_once(missing_words(name, count))
            panel_state.new, panel_state.new_at = panel_state.new + message.new, message.generation
        case SourceState():
            panel_state.source_trouble = message.text
        case Requests():
            panel_state.requests = message
        case Said():
            panel_state.say(message.text)
        case Refused() | Locked():
            panel_state.progress = None  # `Session.troubles` says why


def _hear_s3(parts: Parts) -> bool:
    """How far what is fetched for the person has come; whether that is another than before."""
    if parts.session is None:
        return False
    state, originals = parts.panel_state, parts.session.originals
    before = state.coming, state.fetching_requests
    state.coming, state.fetching_requests = originals.coming, originals.requests
    return before != (state.coming, state.fetching_requests)


def _hear_threads(parts: Parts) -> bool:
    session, world, panel_state, display = parts.session, parts.world, parts.panel_state, parts.display
    if session is None:
        return False
    changed = False
    if take_scene(parts, session.arrival):
        changed = True
    changed |= searching.hear(parts)
    for facts in session.told():
        changed = True
        panel_state.take_facts(facts, scene=world.scene, selected=world.selected_ids, hovered=world.hovered_id)
    if (page := session.page()) is not None and page.id == panel_state.clusters.opened:
        changed = True
        panel_state.clusters.page = page
    changed |= clusters.hear_names(parts)
    changed |= filtering.hear(parts)
    changed |= bookmarks.hear(parts)
    changed |= narrating.hear(parts)
    picture = session.picture()
    if picture is not None and world.selected_ids[-1:] == (picture.id,):
        changed = True
        display.show_picture("selected", picture.pixels)
        panel_state.picture_error = picture.id, picture.error
    if (fix := session.fix()) is not None:
        changed = True
        world.mark(fix)
        display.show_picture("live", fix.picture)
    changed |= looking.hear(parts)
    changed |= image_files.hear(parts)
    changed |= _hear_pulses(parts, session)
    for tile in session.drain_tiles(budget_secs=UPLOAD_BUDGET_SECS):
        changed = True
        display.accept(tile)
    return changed


def _hear_pulses(parts: Parts, session: Session) -> bool:
    """Let light run out from what is selected or found, once it is known how far all else is from it."""
    world, prepared = parts.world, parts.world.prepared
    reached, sources = session.pulses.take(), world.pulse_sources
    if reached is not None and prepared is not None and reached.graph is prepared.graph and reached.sources == sources:
        world.reach(sources, reached.distances)
        return True
    if sources != world.reached_from and prepared is not None:
        world.reach(sources, None)
        if sources:
            session.pulses.ask(prepared.graph, sources)
        return True
    return False


def _tell_of_new(parts: Parts) -> None:
    """Say how many images are new once they are to be seen."""
    panel_state, session = parts.panel_state, parts.session
    if session is not None and session.coming is not None:  # they are encoded by a model whose map is not shown yet
        return
    if panel_state.new and parts.world.scene.generation >= panel_state.new_at:
        images = "1 new image is" if panel_state.new == 1 else f"{panel_state.new:,} new images are"
        panel_state.say(f"{images} on the map", "good")
        panel_state.new = 0


def _hear_saved(parts: Parts) -> bool:
    saved = parts.picture_files.take()
    if saved is None:
        return False
    if saved.error:
        parts.panel_state.say(f"the picture could not be saved ({saved.error}): {saved.path}", "warning")
    else:
        parts.panel_state.say(f"picture saved: {saved.path}", "good")
    return True
