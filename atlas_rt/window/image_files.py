"""What a person does with an image's file outside of the window: open it, show it in its folder, copy it."""

from __future__ import annotations

from atlas_rt.core.fact_lines import text_of
from atlas_rt.core.requests import CopyPath, CopyPicture, CopyText, FileRequest, OpenFile, ShowInFolder
from atlas_rt.core.s3_address import is_s3
from atlas_rt.window import selection
from atlas_rt.window.parts import Parts
from atlas_rt.workers.errands import COPY, OPEN, SHOW, Done, Errand

FAILED = {OPEN: "the file could not be opened", SHOW: "its folder could not be shown", COPY: "it could not be copied"}


def carry_out(parts: Parts, request: FileRequest) -> None:
    """Do what was asked for; a kiosk's visitors may not."""
    if parts.settings.kiosk:
        return
    row = parts.world.row(request.id)
    if row < 0:
        parts.panel_state.say("this image is not on the map any more", "warning")
        return
    path = parts.world.scene.paths[row]
    match request:
        case CopyPath():
            parts.window.set_clipboard(path)
            parts.panel_state.say("address copied" if is_s3(path) else "path copied", "good")
        case CopyText(id_):
            _copy_text(parts, id_)
        case OpenFile():
            _ask(parts, Errand(OPEN, path))
        case ShowInFolder():
            _ask(parts, Errand(SHOW, path))
        case CopyPicture():
            _ask(parts, Errand(COPY, path))


def here(parts: Parts, request: type[FileRequest]) -> None:
    """The same for the image that the person is at."""
    id_ = selection.at_hand(parts)
    if id_ >= 0:
        carry_out(parts, request(id_))
    else:
        parts.panel_state.say("select an image first")


def hear(parts: Parts) -> bool:
    """Tell what came of it; whether there is anything to tell."""
    heard = False
    for done in parts.session.errands.take() if parts.session is not None else ():
        heard = True
        if done.error:
            parts.panel_state.say(f"{FAILED[done.errand.kind]}: {done.error}", "warning")
        elif done.errand.kind == COPY:
            _offer(parts, done)
    return heard


def _offer(parts: Parts, done: Done) -> None:
    if not parts.window.set_clipboard_picture(done.png, done.errand.path):
        parts.panel_state.say("pictures cannot be copied on this system; copy the path instead", "warning")
    elif done.size_px == done.of_px:
        parts.panel_state.say("picture copied", "good")
    else:
        (width, height), (of_width, of_height) = done.size_px, done.of_px
        parts.panel_state.say(f"picture copied at {width:,} × {height:,} of {of_width:,} × {of_height:,} px", "good")


def _ask(parts: Parts, errand: Errand) -> None:
    if parts.session is not None and not parts.session.errands.ask(errand):
        parts.panel_state.say("one moment: the desktop is still busy with what you asked for", "warning")


def _copy_text(parts: Parts, id_: int) -> None:
    facts = parts.panel_state.selected
    if facts is None or facts.id != id_:
        parts.panel_state.say("select the image first: what is known of it is not read yet")
        return
    parts.window.set_clipboard(text_of(facts))
    parts.panel_state.say("copied as text", "good")
