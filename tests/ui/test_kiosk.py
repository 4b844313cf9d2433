"""The kiosk's rules on a clock of their own."""

from __future__ import annotations

from atlas_rt.ui.kiosk import Kiosk, KioskOrder

DT = 0.1


def run(
    kiosk: Kiosk, secs: float, *, held: bool = False, idle_from: float = 0.0, moved: bool = False
) -> list[KioskOrder]:
    """Some seconds of frames, the last input `idle_from` seconds before the first."""
    return [
        kiosk.advance(DT, idle_secs=idle_from + frame * DT, pointer_moved=moved, leave_held=held)
        for frame in range(round(secs / DT))
    ]


def test_only_three_seconds_of_the_chord_leave() -> None:
    kiosk = Kiosk(idle_secs=60)
    assert not any(order.leave for order in run(kiosk, 2.8, held=True))
    assert not any(order.leave for order in run(kiosk, 0.1, held=False))
    assert not any(order.leave for order in run(kiosk, 2.8, held=True))
    assert run(kiosk, 0.4, held=True)[-1].leave


def test_it_goes_home_once_after_each_visit() -> None:
    kiosk = Kiosk(idle_secs=5)
    assert [order.home for order in run(kiosk, 20)].count(True) == 1
    assert not any(order.home for order in run(kiosk, 4))
    assert [order.home for order in run(kiosk, 10)].count(True) == 1


def test_the_pointer_shows_while_it_moves() -> None:
    kiosk = Kiosk(idle_secs=60)
    assert not run(kiosk, 0.1)[0].pointer_visible
    assert run(kiosk, 0.1, moved=True)[0].pointer_visible
    resting = run(kiosk, 4)
    assert resting[0].pointer_visible
    assert not resting[-1].pointer_visible
