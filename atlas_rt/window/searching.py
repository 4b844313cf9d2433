"""Searching by a picture, by earlier searches, and by how alike a match must be."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from atlas_rt.core.answers import SearchAnswer
from atlas_rt.core.match_threshold import ALL, CLOSEST, cut
from atlas_rt.core.query_history import PastQuery
from atlas_rt.core.query_picture import QueryPicture
from atlas_rt.core.requests import (
    ClearSearch,
    CloseOffer,
    ForgetPicture,
    MoreLike,
    RecallQuery,
    SearchByFile,
    SearchRequest,
    SetThreshold,
    ToggleReading,
)
from atlas_rt.window import filtering, selection
from atlas_rt.window.parts import Parts
from atlas_rt.window.session import Session
from atlas_rt.workers.query_pictures import why_not

PASTED = "the pasted picture"
THRESHOLD_STEP = 0.5
PREVIEW = "query"
"""What the picture of the search is called among those of the panels."""


def carry_out(parts: Parts, request: SearchRequest) -> None:
    """Do what was asked for in the console, in a panel, or by a click with the right button."""
    match request:
        case MoreLike(id_):
            more_like(parts, id_)
        case SearchByFile(path):
            by_file(parts, path)
        case ForgetPicture():
            _search_by(parts, None)
        case ClearSearch():
            selection.clear_search(parts)
        case SetThreshold(threshold):
            set_threshold(parts, threshold)
        case RecallQuery(step):
            _recall(parts, step)
        case ToggleReading():
            toggle_reading(parts)
        case CloseOffer():
            parts.panel_state.search.offer = None


# -- pictures ----------------------------------------------------------------------------------------------------------


def more_like(parts: Parts, id_: int) -> None:
    """Search by an image of the library, which is not among its own results."""
    vector = parts.session.vector_of(id_) if parts.session is not None else None
    if vector is None:
        parts.panel_state.say("this image is not on the map any more", "warning")
        return
    name = Path(parts.world.scene.paths[parts.world.row(id_)]).name
    selection.remember(parts)
    selection.search(parts, "")
    selection.open_search(parts)
    _search_by(parts, QueryPicture(name, vector, id_, listed=False))


def more_like_here(parts: Parts) -> None:
    """The same for the image that the person is at."""
    id_ = selection.at_hand(parts)
    if id_ >= 0:
        more_like(parts, id_)
    else:
        parts.panel_state.say("select an image first")


def by_file(parts: Parts, path: str) -> None:
    """Search by the picture in a file, or say why that cannot be done."""
    parts.panel_state.search.offer = None
    if reason := why_not(path):
        parts.panel_state.say(reason, "warning")
    else:
        _read(parts, Path(path).name, path)


def by_clipboard(parts: Parts) -> None:
    """Search by the picture that was copied in another program."""
    _read(parts, PASTED, "")


def _read(parts: Parts, name: str, path: str) -> None:
    if parts.session is None or parts.session.shown is None:
        parts.panel_state.say("there is nothing to search yet", "warning")
        return
    selection.open_search(parts)
    _search_by(parts, QueryPicture(name))
    if (picture := parts.panel_state.search.picture) is not None:
        parts.session.read_picture(picture, path)


def _search_by(parts: Parts, picture: QueryPicture | None) -> None:
    """Search by this beside the words that are there."""
    parts.panel_state.search.picture = picture
    parts.display.show_picture(PREVIEW, None if picture is None else picture.preview)
    selection.search(parts, parts.panel_state.query)


def renew_picture(parts: Parts) -> None:
    """Another model is in use, to which the picture that is searched by means another vector."""
    search, session = parts.panel_state.search, parts.session
    if session is None:
        return

    def renewed(picture: QueryPicture) -> QueryPicture | None:
        vector = session.vector_of(picture.id) if picture.id >= 0 else None
        return None if vector is None else replace(picture, vector=vector)

    search.history.renew(renewed)
    picture = search.picture
    if picture is None:
        return
    search.picture = renewed(picture)
    if search.picture is None:
        parts.display.show_picture(PREVIEW, None)
        if not parts.panel_state.query.strip():
            selection.search(parts, "")
        parts.panel_state.say(f"{picture.name} is to be given again: another model searches now")


# -- earlier searches, and how alike a match must be -------------------------------------------------------------------


def set_threshold(parts: Parts, threshold: float) -> None:
    """List only what is so much alike from now on."""
    search = parts.panel_state.search
    search.threshold = min(max(threshold, ALL), CLOSEST)
    if search.found is None:
        return
    _show(parts, search.found)
    if parts.panel_state.place_among(parts.world.answer) < 0:  # Enter goes to the best that is left
        parts.panel_state.result, parts.panel_state.result_id = -1, -1


def change_threshold(parts: Parts, *, closer: bool) -> None:
    """The same by a key, one step closer or wider."""
    step = THRESHOLD_STEP if closer else -THRESHOLD_STEP
    set_threshold(parts, parts.panel_state.search.threshold + step)


def toggle_reading(parts: Parts) -> None:
    """Search for what was typed alone, or again for what it means in English, too. Where a dictionary reads no word of
    it as another there is nothing to take back; before the answer nobody knows that."""
    state = parts.panel_state
    found = state.search.found
    coming = bool(state.query.strip()) and (found is None or found.query != state.query)
    if state.search.as_typed(state.query):
        state.search.undone = ""
    elif coming or (found is not None and found.reading is not None):
        state.search.undone = state.query
    else:
        return
    selection.ask_again(parts)


def _recall(parts: Parts, step: int) -> None:
    state = parts.panel_state
    now = PastQuery(state.query, state.search.picture, state.search.as_typed(state.query))
    entry = state.search.history.step(step, now)
    if entry is None:
        return
    state.search.picture, state.search.undone = entry.picture, entry.text if entry.as_typed else ""
    parts.display.show_picture(PREVIEW, None if entry.picture is None else entry.picture.preview)
    selection.search(parts, entry.text, recalled=True)


# -- what comes --------------------------------------------------------------------------------------------------------


def hear(parts: Parts) -> bool:
    """Take what the threads answered; whether there is anything new to see."""
    session, search = parts.session, parts.panel_state.search
    if session is None:
        return False
    earlier = session.query_texts.take()
    if earlier is not None and not parts.settings.kiosk:  # visitors do not learn what others looked for
        search.history.restore(earlier)
    heard = _hear_picture(parts)
    answer = session.answer()
    if answer is None or not _answers(parts, session, answer):
        return heard
    _show(parts, answer)
    filtering.ask(parts)
    return True


def _answers(parts: Parts, session: Session, answer: SearchAnswer) -> bool:
    """Whether it answers what is asked now, read as it is to be read now."""
    query, search = parts.panel_state.query, parts.panel_state.search
    if answer.query != query or answer.picture is not search.picture:
        return False
    return bool(answer.error) or (answer.language, answer.as_typed) == (session.spoken, search.as_typed(query))


def _hear_picture(parts: Parts) -> bool:
    """A picture that was read, unless the person has let go of it."""
    read = parts.session.query_pictures.take() if parts.session is not None else None
    if read is None:
        return False
    search = parts.panel_state.search
    search.history.renew(lambda picture: read.picture if picture is read.asked else picture)
    if read.asked is not search.picture:
        return False
    if read.remark:
        parts.panel_state.say(read.remark, "warning" if read.picture is None else "plain")
    _search_by(parts, read.picture)
    return True


def _show(parts: Parts, answer: SearchAnswer) -> None:
    """Light the cloud by an answer, without what is less alike than is asked for."""
    search = parts.panel_state.search
    search.found = answer
    parts.world.light_by(cut(answer, search.threshold))
