"""What pyglet's events become: the cases a real keyboard under Xvfb cannot play."""

from __future__ import annotations

import pytest

from atlas_rt.ui.input import Input, Typed
from atlas_rt.ui.listener import Listener
from atlas_rt.ui.toolkit import key, mouse

HEIGHT = 600
CYRILLIC_F = 0x6C6


class Desk:
    """A listener with a hand on its keycode and its clock."""

    def __init__(self, **options: bool) -> None:
        self.keycode: int | None = None
        self.now = 100.0
        self.listener = Listener(
            height_px=lambda: HEIGHT, keycode=lambda: self.keycode, clock=lambda: self.now, **options
        )

    def press(self, symbol: int, keycode: int | None = None, bits: int = 0, text: str = "") -> None:
        self.keycode = keycode
        self.listener.on_key_press(symbol, bits)
        if text:
            self.listener.on_text(text)

    def click(self, x: float, y: float) -> None:
        self.listener.on_mouse_press(x, y, mouse.LEFT, 0)
        self.listener.on_mouse_release(x, y, mouse.LEFT, 0)


def typed(told: Input) -> str:
    """What was typed into a text field."""
    return "".join(event.text for event in told.events if isinstance(event, Typed))


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_french_keyboard_flies_where_w_lies_and_does_nothing_else(desk: Desk) -> None:
    desk.press(key.Z, keycode=25, text="z")
    told = desk.listener.take()
    assert (told.held, told.actions) == ({"forward"}, ())


def test_a_russian_keyboard_finds_actions_by_place(desk: Desk) -> None:
    desk.press(CYRILLIC_F, keycode=41, text="а")
    desk.press(CYRILLIC_F, keycode=41, bits=key.MOD_CTRL)
    assert desk.listener.take().actions == ("focus", "search")


def test_systems_without_keycodes_go_by_symbol(desk: Desk) -> None:
    desk.press(key.W, text="w")
    assert desk.listener.take().held == {"forward"}


def test_with_ctrl_no_key_flies(desk: Desk) -> None:
    desk.press(key.C, keycode=54, bits=key.MOD_CTRL)
    told = desk.listener.take()
    assert (told.held, told.actions) == (frozenset(), ("copy_path",))


def test_flying_stops_when_a_field_gets_the_focus(desk: Desk) -> None:
    desk.press(key.W, keycode=25)
    desk.press(key.SLASH, keycode=61, text="/")
    told = desk.listener.take()
    assert (told.held, told.actions, typed(told)) == (frozenset(), ("search",), "")


def test_while_a_picture_is_looked_at_its_keys_come_first(desk: Desk) -> None:
    desk.listener.looking = True
    desk.press(key.SPACE, keycode=65, text=" ")
    desk.press(key.R, keycode=27, text="r")
    desk.press(key.R, keycode=27, bits=key.MOD_SHIFT, text="R")
    desk.press(CYRILLIC_F, keycode=27, text="к")  # where R lies
    desk.press(key.LEFT)
    desk.press(key.EQUAL, text="+")
    desk.press(key.W, keycode=25, text="w")
    told = desk.listener.take()
    assert told.actions == ("look_size", "look_turn", "look_turn_back", "look_turn", "look_previous", "look_nearer")
    assert told.held == {"forward"}


def test_while_a_picture_is_looked_at_a_field_takes_its_letters(desk: Desk) -> None:
    desk.listener.looking = desk.listener.text_focused = True
    desk.press(key.R, keycode=27, text="r")
    told = desk.listener.take()
    assert (told.actions, typed(told)) == ((), "r")


def test_several_characters_at_once_are_one_text(desk: Desk) -> None:
    desk.listener.text_focused = True
    desk.listener.on_text("日本語")
    assert typed(desk.listener.take()) == "日本語"


def test_joiners_are_typed_and_control_characters_are_not(desk: Desk) -> None:
    desk.listener.text_focused = True
    for text in ("گل\u200cها", "\u200c", "\x08", "a\u202e"):
        desk.listener.on_text(text)
    assert typed(desk.listener.take()) == "گل\u200cها\u200c"


def test_repeated_text_is_no_second_action(desk: Desk) -> None:
    desk.press(key.L, keycode=46, text="l")
    desk.listener.on_text("l")
    assert desk.listener.take().actions == ("live",)


def test_positions_count_from_the_top_left(desk: Desk) -> None:
    desk.listener.on_mouse_motion(10, HEIGHT - 1, 0, 0)
    assert desk.listener.take().pointer_px == (10, 0)
    desk.listener.on_mouse_leave(0, 0)
    assert desk.listener.take().pointer_px is None


def test_two_slow_clicks_are_no_double_click(desk: Desk) -> None:
    desk.click(50, 50)
    desk.now += 0.6
    desk.click(50, 50)
    desk.now += 0.1
    desk.click(51, 50)
    assert [click.count for click in desk.listener.take().clicks] == [1, 1, 2]


def test_a_small_slip_is_a_click_and_a_long_one_a_drag(desk: Desk) -> None:
    desk.listener.on_mouse_press(50, 50, mouse.RIGHT, 0)
    desk.listener.on_mouse_drag(52, 50, 2, 0, mouse.RIGHT, 0)
    desk.listener.on_mouse_release(52, 50, mouse.RIGHT, 0)
    assert [click.button for click in desk.listener.take().clicks] == ["right"]
    desk.listener.on_mouse_press(50, 50, mouse.RIGHT, 0)
    desk.listener.on_mouse_drag(60, 50, 10, 0, mouse.RIGHT, 0)
    desk.listener.on_mouse_drag(65, 40, 5, -10, mouse.RIGHT, 0)
    desk.listener.on_mouse_release(65, 40, mouse.RIGHT, 0)
    told = desk.listener.take()
    assert (told.drag_right_px, told.clicks) == ((5, 10), ())


def test_idle_time_counts_from_the_last_input(desk: Desk) -> None:
    desk.press(key.H, keycode=43, text="h")
    desk.now += 7
    assert desk.listener.take().idle_secs == pytest.approx(7)


def test_a_closed_kiosk_stays_open() -> None:
    desk = Desk(kiosk=True)
    desk.listener.on_close()
    assert not desk.listener.take().closed
