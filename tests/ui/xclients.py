"""Other programs on the same screen, played with python-xlib: a drag source, a clipboard, a window manager's close."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from Xlib import X, Xatom
from Xlib.display import Display
from Xlib.protocol import event

PATIENCE_SECS = 4.0


class Owner(Protocol):
    """Whoever has a window: the title it bears, and the screen it is on."""

    title: str
    screen: str


def window_of(display: Any, title: str) -> Any:
    """The newest top level window of that title."""
    found = [window for window in display.screen().root.query_tree().children if window.get_wm_name() == title]
    return found[-1]


def give_focus(owner: Owner) -> None:
    """The keyboard belongs to this window again: from one that closes the server takes it, and gives it to none."""
    with opened(owner.screen) as display:
        window_of(display, owner.title).set_input_focus(X.RevertToParent, X.CurrentTime)


def close_politely(owner: Owner) -> None:
    """What a window manager sends when the cross is clicked."""
    with opened(owner.screen) as display:
        window = window_of(display, owner.title)
        data = (32, [display.intern_atom("WM_DELETE_WINDOW"), X.CurrentTime, 0, 0, 0])
        message = event.ClientMessage(window=window, client_type=display.intern_atom("WM_PROTOCOLS"), data=data)
        window.send_event(message, event_mask=0)
        display.sync()


def drop(owner: Owner, uri_list: str, *, types: int) -> bool:
    """Drag a text/uri-list that is offered as so many types over the window and let it go; whether it was taken."""
    with opened(owner.screen) as display:
        atom, target, root = display.intern_atom, window_of(display, owner.title), display.screen().root
        source = root.create_window(0, 0, 1, 1, 0, X.CopyFromParent)
        names = ["text/uri-list", "UTF8_STRING", "STRING", "TEXT"][:types]
        atoms = [atom(name) for name in names]
        source.change_property(atom("XdndTypeList"), Xatom.ATOM, 32, atoms)
        source.set_selection_owner(atom("XdndSelection"), X.CurrentTime)

        def send(name: str, *words: int) -> None:
            data = (32, (list(words) + [0] * 5)[:5])
            target.send_event(event.ClientMessage(window=target, client_type=atom(name), data=data), event_mask=0)
            display.flush()

        send("XdndEnter", source.id, 5 << 24 | (types > 3), *(atoms if types <= 3 else []))
        send("XdndPosition", source.id, 0, 100 << 16 | 100, X.CurrentTime, atom("XdndActionCopy"))
        for got in events_of(display):
            if got.type == X.ClientMessage and got.client_type == atom("XdndStatus"):
                if not got.data[1][1] & 1:
                    return False
                send("XdndDrop", source.id, 0, X.CurrentTime)
            elif got.type == X.SelectionRequest:
                hand_over(display, got, uri_list.encode())
                return True
    return False


class Clipboard:
    """A program that owns the clipboard and offers some types, in a thread of its own."""

    def __init__(self, screen: str, offers: dict[str, bytes], *, silent: bool = False) -> None:
        self._display = Display(screen)
        self._offers = {self._display.intern_atom(name): data for name, data in offers.items()}
        self._silent = silent
        window = self._display.screen().root.create_window(0, 0, 1, 1, 0, X.CopyFromParent)
        window.set_selection_owner(self._display.intern_atom("CLIPBOARD"), X.CurrentTime)
        self._display.sync()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> Clipboard:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        self._thread.join()
        self._display.close()

    def _serve(self) -> None:
        while not self._stop.is_set():
            if not self._display.pending_events():
                time.sleep(0.002)
                continue
            got = self._display.next_event()
            if got.type == X.SelectionRequest and not self._silent:
                hand_over(self._display, got, self._offers.get(got.target))

    @staticmethod
    def read(owner: Owner, target: str) -> str:
        """What another program pastes as text."""
        return Clipboard.read_bytes(owner, target).decode()

    @staticmethod
    def read_bytes(owner: Owner, target: str) -> bytes:
        """What another program pastes."""
        done = subprocess.Popen(
            ["xclip", "-o", "-selection", "clipboard", "-t", target, "-display", owner.screen],
            stdout=subprocess.PIPE,
        )
        assert done.stdout is not None
        with done.stdout as pipe:
            pasted = pipe.read()
        assert done.wait(5) == 0
        return pasted


@contextmanager
def focus_elsewhere(screen: str) -> Iterator[None]:
    """The keyboard belongs to another window meanwhile."""
    with opened(screen) as display:
        other = display.screen().root.create_window(900, 0, 50, 50, 0, X.CopyFromParent)
        other.map()
        display.sync()
        before = display.get_input_focus().focus
        other.set_input_focus(X.RevertToParent, X.CurrentTime)
        display.sync()
        yield
        before.set_input_focus(X.RevertToParent, X.CurrentTime)
        other.destroy()
        display.sync()


def hand_over(display: Any, request: Any, data: bytes | None) -> None:
    """Answer another program's request for a selection; None: there is no such type."""
    if data is not None:
        request.requestor.change_property(request.property, request.target, 8, data)
    answer = event.SelectionNotify(
        time=request.time,
        requestor=request.requestor,
        selection=request.selection,
        target=request.target,
        property=request.property if data is not None else X.NONE,
    )
    request.requestor.send_event(answer)
    display.flush()


def events_of(display: Any) -> Iterator[Any]:
    """What arrives, until patience ends."""
    deadline = time.monotonic() + PATIENCE_SECS
    while time.monotonic() < deadline:
        if display.pending_events():
            yield display.next_event()
        else:
            time.sleep(0.005)


@contextmanager
def opened(screen: str) -> Iterator[Any]:
    """A connection that is closed when the server has done everything it was asked for."""
    display = Display(screen)
    try:
        yield display
        display.sync()
    finally:
        display.close()
