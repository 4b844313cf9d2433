"""Better search by one click: a stronger encoder is fetched, the library encoded with it, and its map shown.

Nothing is fetched before a person asks for it. Until the new map is there everything goes on with the old one, and
whatever ends the way (Cancel, a cut download, a full disk, the end of the program) leaves what has come so far: the
next try goes on from there. The choice is kept (`encoders.model_choice`), so the next start goes on by itself once the
model is here.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

from atlas_rt.core.command_list import Command
from atlas_rt.core.progress import STAGES, duration, pace
from atlas_rt.core.reports import Progress
from atlas_rt.core.requests import DismissModel, GetModel, StopModel, UpgradeRequest
from atlas_rt.core.undo import UndoStack
from atlas_rt.core.upgrade import UpgradeView, UpgradeWork
from atlas_rt.encoders import registry
from atlas_rt.encoders.hub import Fetching
from atlas_rt.encoders.model_choice import choose
from atlas_rt.encoders.model_offers import offers
from atlas_rt.encoders.registry import AUTO, Model
from atlas_rt.engine.model_fetch import Fetched, ModelFetch, NotFetched, WaitsForOther, begun_bytes
from atlas_rt.errors import AtlasError
from atlas_rt.window import clusters, narrating
from atlas_rt.window.parts import Parts
from atlas_rt.window.session import Session
from atlas_rt.window.upgrade_state import Download

GROUP = "Find"
SHOWN_EVERY_SECS = 1.0
"""So often a download is drawn anew in a window at rest."""
ENCODING = {"index": "encoding your images", "fit": "laying out the new map"}


def look_for_offers(parts: Parts) -> None:
    """Find out again what can be offered. Nothing where a person named the model, nor to a kiosk's visitor."""
    settings, cache = parts.settings, parts.cache
    closed = settings.model != AUTO or settings.kiosk
    found = () if closed else offers(cache, used=parts.model, offline=settings.offline)
    parts.upgrade.offers = tuple(replace(each, begun_mb=begun_bytes(each.name, cache) // 1_000_000) for each in found)


def carry_out(parts: Parts, request: UpgradeRequest) -> None:
    match request:
        case GetModel(name):
            _get(parts, name)
        case StopModel():
            _stop(parts)
        case DismissModel():
            parts.upgrade.offers, parts.upgrade.trouble = (), ""


def hear(parts: Parts) -> bool:
    """Take what the download told; whether any of it is to be seen at once."""
    download = parts.upgrade.download
    if download is None:
        return False
    seen = False
    for message in download.fetch.messages():
        match message:
            case Fetching():
                download.told, download.holder = message, ""
                seen |= _due(download)
            case WaitsForOther(holder):
                seen |= download.holder != holder
                download.holder = holder
            case Fetched(name):
                parts.upgrade.download, seen = None, True
                _use(parts, name)
            case NotFetched(reason):
                parts.upgrade.download, seen = None, True
                _fail(parts, download.name, reason)
                look_for_offers(parts)
    return seen


def tell_at_opening(parts: Parts, session: Session) -> None:
    """Say that a library is shown as another model sees it until the wanted one's map is there."""
    if session.coming is not None and not parts.settings.kiosk:
        parts.panel_state.say(f"Encoding for {session.coming.name} goes on; until its map is there you see the old one")


def begin_new_map(parts: Parts, session: Session) -> None:
    """The coming model's map is about to be shown. Its clusters are other ones: what hid or isolated the old ones, and
    would take that back, means nothing there."""
    state = parts.panel_state
    if state.clusters.renaming >= 0:
        state.say("the new map has other clusters: the name that you typed was not given", "warning")
    state.clusters.close()
    clusters.show_all(parts)
    narrating.forget_clusters(parts)
    state.undo, state.result_id = UndoStack(), -1
    if session.coming is not None and not parts.settings.kiosk:
        state.say(f"This is the map that {session.coming.name} made; searches use it from now on", "good")


def view(parts: Parts) -> UpgradeView | None:
    """What panels show of it, None for nothing."""
    upgrade, session = parts.upgrade, parts.session
    coming = session.coming if session is not None else None
    if upgrade.download is not None:
        return UpgradeView(work=_download_work(upgrade.download))
    if session is not None and coming is not None:
        return UpgradeView(work=_encoding_work(coming, session, parts.panel_state.progress))
    if not (upgrade.offers or upgrade.trouble):
        return None
    return UpgradeView(upgrade.offers, trouble=upgrade.trouble, again=upgrade.failed)


def commands(parts: Parts) -> tuple[Command, ...]:
    """What the palette offers of it."""
    shown = view(parts)
    if shown is None:
        return ()
    if shown.work is not None:
        return (Command("cancel better search: keep the model in use", GROUP, (), StopModel()),)
    return tuple(
        Command(
            f"better search: {'use' if each.here else 'get'} {each.name}, {each.size_mb:,} MB",
            GROUP,
            (),
            GetModel(each.name),
        )
        for each in shown.offers
    )


# -- steps -------------------------------------------------------------------------------------------------------------


def _get(parts: Parts, name: str) -> None:
    upgrade = parts.upgrade
    if upgrade.download is not None or (parts.session is not None and parts.session.coming is not None):
        return
    upgrade.trouble = upgrade.failed = ""
    if any(offer.name == name and offer.here for offer in upgrade.offers):
        _use(parts, name)
    elif parts.settings.offline:
        _fail(parts, name, "--offline forbids to fetch a model; start without it")
    else:
        upgrade.download = Download(name, ModelFetch(name, parts.cache))


def _stop(parts: Parts) -> None:
    """Cancel: the old model stays in use, and what came of the new one stays on the disk."""
    upgrade, session = parts.upgrade, parts.session
    if upgrade.download is not None:
        came = upgrade.download.told
        upgrade.close()
        kept = f"; the {came.done / 1e6:,.0f} MB that came are kept for the next time" if came else ""
        parts.panel_state.say(f"The download was stopped{kept}")
    elif session is not None and session.coming is not None:
        parts.panel_state.say(f"{session.model.name} stays in use; what was encoded is kept for the next time")
        _choose(parts, session.model)
        session.succeed(session.model)
        if parts.incoming is not None and parts.incoming.arrival.scene.model != session.model.id:
            parts.incoming = None  # it would be searched by the wrong model
    look_for_offers(parts)


def _use(parts: Parts, name: str) -> None:
    """The model is here: encode with it what is open, and whatever is opened from now on."""
    try:
        model = registry.load(name, parts.cache)
    except AtlasError as error:
        _fail(parts, name, str(error))
        return
    _choose(parts, model)
    if parts.session is not None:
        parts.session.succeed(model)
    look_for_offers(parts)


def _fail(parts: Parts, name: str, reason: str) -> None:
    """Say why it came to nothing: now, and in the search console as long as the person has not tried again."""
    parts.upgrade.trouble, parts.upgrade.failed = reason, name
    parts.panel_state.say(reason, "warning")


def _choose(parts: Parts, model: Model) -> None:
    """From now on, and after the next start unless a person named a model for this run alone."""
    parts.model = model
    if parts.settings.model == AUTO:
        try:
            choose(model.name, parts.cache)
        except AtlasError as error:
            parts.panel_state.say(str(error), "warning")


def _due(download: Download) -> bool:
    now = time.monotonic()
    due = now - download.shown_secs >= SHOWN_EVERY_SECS
    download.shown_secs = now if due else download.shown_secs
    return due


def _download_work(download: Download) -> UpgradeWork:
    told = download.told
    if download.holder:
        return UpgradeWork(f"waits: {download.holder} is fetching")
    if told is None:
        return UpgradeWork(f"asking for {download.name}")
    if told.done >= told.total:
        return UpgradeWork(f"checking {download.name}", share=1.0)
    amount = f"{told.done / 1e6:,.0f} of {told.total / 1e6:,.0f} MB"
    return UpgradeWork(
        f"fetching {download.name}", amount, "  ·  ".join(_download_pace(told)), told.done / max(told.total, 1)
    )


def _download_pace(told: Fetching) -> Iterator[str]:
    if told.rate > 0.0:
        yield f"{told.rate / 1e6:.1f} MB/s"
    if told.left_secs is not None:
        yield f"{duration(told.left_secs)} left"


def _encoding_work(coming: Model, session: Session, progress: Progress | None) -> UpgradeWork:
    if session.read_only:
        return UpgradeWork(f"waits: {session.read_only} is updating this library")
    if session.engine is None:
        return UpgradeWork("has stopped; the reason stands below")
    if progress is None or progress.stage not in STAGES:
        return UpgradeWork(f"making the map of {coming.name}")
    title = ENCODING.get(progress.stage, STAGES[progress.stage])
    if not progress.total:
        return UpgradeWork(title)
    percent = progress.total == 100 and progress.stage in ("fit", "search")
    amount = f"{progress.done} %" if percent else f"{progress.done:,} of {progress.total:,}"
    return UpgradeWork(title, amount, pace(progress), min(progress.done / progress.total, 1.0))
