"""What a person drops on the window or pastes: searched by, added to the map, or both offered."""

from __future__ import annotations

from dataclasses import replace

from atlas_rt.core.drop_offer import DropOffer
from atlas_rt.core.requests import AddPaths, OpenSource, Request, SearchByFile
from atlas_rt.ui.input import Input, KeyStroke
from atlas_rt.window import opening, searching
from atlas_rt.window.parts import Parts
from atlas_rt.workers.query_pictures import why_not


def request_of_drop(parts: Parts, paths: tuple[str, ...]) -> Request | None:
    """What to do with files that were dropped; None where the person is asked."""
    state = parts.panel_state
    if state.opening or parts.session is None:
        return OpenSource(paths) if state.opening else AddPaths(paths)
    reason = why_not(paths[0]) if len(paths) == 1 else "to search by a picture, drop a single one"
    if state.searching and not reason:
        return SearchByFile(paths[0])
    if parts.settings.kiosk or (reason and not state.searching):
        return AddPaths(paths)
    state.search.offer = DropOffer(paths, reason)
    return None


def paste(parts: Parts) -> None:
    """Ctrl+V. With the console open search by what was copied; else add copied files, or search by a copied picture."""
    if parts.panel_state.searching and _paste_picture(parts):
        return
    if parts.window.clipboard_paths() or not parts.window.clipboard_has_picture():
        opening.paste(parts)
    else:
        searching.by_clipboard(parts)


def paste_over_text(parts: Parts, told: Input) -> Input:
    """A frame's input without the Ctrl+V that pasted a picture into the search field, where a text would have gone."""
    into_field = parts.panel_state.searching and parts.display.search_has_focus and not parts.settings.kiosk
    if not (into_field and any(map(_pastes, told.events))):
        return told
    if not _paste_picture(parts):
        return told
    return replace(told, events=tuple(event for event in told.events if not _pastes(event)))


def _pastes(event: object) -> bool:
    return isinstance(event, KeyStroke) and event.key == "V" and event.down and event.modifiers.ctrl


def _paste_picture(parts: Parts) -> bool:
    """Search by the file or the picture that was copied; False where it is neither."""
    paths = parts.window.clipboard_paths()
    if len(paths) > 1:
        parts.panel_state.say("to search by a picture, copy a single one", "warning")
    elif paths:
        searching.by_file(parts, paths[0])
    elif parts.window.clipboard_has_picture():
        searching.by_clipboard(parts)
    else:
        return False
    return True
