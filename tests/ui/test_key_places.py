"""Keys by place on each system: the tables, and that pyglet's windows tell the place of the key that is pressed."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyglet
import pytest

from atlas_rt.ui import keys
from atlas_rt.ui.key_places import BY_SYSTEM, MACOS, WINDOWS, X11, scan_code
from atlas_rt.ui.listener import Listener
from atlas_rt.ui.native_keys import with_scan_codes, with_virtual_keys
from atlas_rt.ui.toolkit import key


def quartz() -> Any:
    """pyglet's own key codes of macOS, as a file, since the package around it can be imported there only."""
    file = Path(pyglet.__file__).parent / "libs" / "darwin" / "quartzkey.py"
    spec = importlib.util.spec_from_file_location("quartzkey", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("system", BY_SYSTEM)
def test_each_system_knows_every_place_that_moves(system: str) -> None:
    names = list(BY_SYSTEM[system].values())
    assert {place for place in keys.MOTION if len(place) == 1} | {"Space", "Shift", "Tab"} <= set(names)
    assert sorted(name for name in names if len(name) == 1) == sorted("1234567890QWERTYUIOPASDFGHJKLZXCVBNM")


def test_the_places_of_a_mac_are_those_of_its_keyboards() -> None:
    names = {"Tab": ["TAB"], "Space": ["SPACE"], "Shift": ["LSHIFT", "RSHIFT"]}
    theirs = quartz()
    for code, place in MACOS.items():
        assert code in {getattr(theirs, f"QZ_{name}") for name in names.get(place, [place.lower()])}, place


def test_the_places_of_windows_are_those_of_linux() -> None:
    """Linux numbers the main block by the scan codes of set 1, and X11 adds 8."""
    assert {code + 8: place for code, place in WINDOWS.items()} == X11


@pytest.mark.parametrize(("message", "code"), [(0x00110001, 0x11), (0xC0110001, 0x11), (0x01480001, 0xE048)])
def test_the_scan_code_is_read_from_the_message(message: int, code: int) -> None:
    assert scan_code(message) == code


class Dispatching:
    """The part of pyglet's windows that tells events."""

    def __init__(self) -> None:
        self.listener: Any = None

    def dispatch_event(self, name: str, *arguments: Any) -> None:
        getattr(self.listener, name)(*arguments)


class Win32Like(Dispatching):
    def _event_key(self, msg: int, virtual_key: int, message: int) -> int:
        assert message
        self.dispatch_event("on_key_press" if msg == 0x100 else "on_key_release", virtual_key, 0)
        return 7

    _event_key.__dict__["_platform_event_data"] = (0x100, 0x101)


def listening(window: Any) -> Listener:
    window.listener = Listener(height_px=lambda: 600.0, keycode=lambda: window.keycode)
    return window.listener  # type: ignore[no-any-return]


def test_windows_flies_by_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """A French keyboard has Z where a US keyboard has W."""
    monkeypatch.setattr(keys, "PLACES", WINDOWS)
    french = {0x11: ord("Z"), 0x10: ord("A"), 0x02: ord("&")}
    user32 = SimpleNamespace(MapVirtualKeyW=lambda code, kind: french.get(code, 0) if kind == 1 else code)
    window = with_scan_codes(Win32Like, user32)()
    assert window._event_key._platform_event_data == (0x100, 0x101)  # or pyglet would not register it
    listener = listening(window)
    assert window._event_key(0x100, key.Z, 0x00110001) == 7
    assert listener.take().held == {"forward"}
    window.dispatch_event("on_key_press", key.LSHIFT, key.MOD_SHIFT)  # pyglet tells Shift by another way
    assert listener.take().held == {"forward", "faster"}
    window._event_key(0x101, key.Z, 0xC0110001)
    assert listener.take().held == {"faster"}
    assert window.layout() == {"W": "Z", "Q": "A"}


def test_a_mac_flies_by_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "PLACES", MACOS)
    symbols = {0x0D: key.Z, 0x00: key.Q, 0x0A: None}
    view = SimpleNamespace(getSymbol=lambda event: symbols[event.keyCode()])
    window = with_virtual_keys(Dispatching, view)()
    listener = listening(window)

    def press(code: int, name: str = "on_key_press") -> None:
        window.dispatch_event(name, view.getSymbol(SimpleNamespace(keyCode=lambda: code)), 0)

    press(0x0D)
    press(0x00)
    assert listener.take().held == {"forward", "left"}
    window.dispatch_event("on_key_press", key.LSHIFT, key.MOD_SHIFT)
    press(0x0D, "on_key_release")
    press(0x0A)  # a key that pyglet does not know
    assert listener.take().held == {"left", "faster"}


def test_an_unknown_key_without_a_place_has_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a Mac, 0 is the place of A."""
    monkeypatch.setattr(keys, "PLACES", MACOS)
    assert keys.name_of(0xFE00) == ""
    assert keys.name_of(0xFE00, 0) == "A"
