"""Who gets a slot and who gives way."""

from __future__ import annotations

from atlas_rt.core.slots import Seat, Slots


def test_every_slot_is_given_before_anyone_gives_way() -> None:
    slots = Slots(3)
    assert [slots.take(key) for key in (10, 11, 12)] == [Seat(0, None), Seat(1, None), Seat(2, None)]
    assert slots.take(13) == Seat(0, 10)
    assert 10 not in slots
    assert len(slots) == 3


def test_a_key_keeps_its_slot() -> None:
    slots = Slots(2)
    assert slots.take(5) == slots.take(5)
    assert len(slots) == 1


def test_what_was_touched_stays() -> None:
    slots = Slots(2)
    slots.take(1)
    slots.take(2)
    slots.touch([1, 99])
    assert slots.take(3).evicted == 2
    assert [key for key, _ in slots.items()] == [1, 3]


def test_looking_is_no_use() -> None:
    slots = Slots(2)
    slots.take(1)
    slots.take(2)
    assert slots.find(1) == 0
    assert slots.find(7) is None
    assert slots.take(3).evicted == 1
