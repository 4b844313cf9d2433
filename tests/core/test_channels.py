"""Channels: nothing lost in one, only the newest in the other, nobody left waiting."""

from __future__ import annotations

import threading

import pytest

from atlas_rt.core.channels import Closed, Inbox, Latest


def test_an_inbox_keeps_every_item_in_order() -> None:
    inbox: Inbox[int] = Inbox(2)
    sender = threading.Thread(target=lambda: [inbox.put(i) for i in range(10)])
    sender.start()
    got: list[int] = []
    while len(got) < 10:
        got += inbox.drain(budget_secs=0.1)
    sender.join()
    assert got == list(range(10))


def test_a_spent_budget_leaves_the_rest_for_the_next_frame() -> None:
    inbox: Inbox[int] = Inbox(5)
    for i in range(5):
        inbox.put(i)
    assert list(inbox.drain(budget_secs=0.0)) == [0]
    assert list(inbox.drain(budget_secs=1.0)) == [1, 2, 3, 4]


def test_closing_lets_a_waiting_sender_go() -> None:
    inbox: Inbox[int] = Inbox(1)
    inbox.put(1)
    threading.Timer(0.05, inbox.close).start()
    with pytest.raises(Closed):
        inbox.put(2)


def test_latest_holds_only_the_newest() -> None:
    latest: Latest[int] = Latest()
    latest.put(1)
    latest.put(2)
    assert latest.take() == 2
    assert latest.take() is None


def test_closing_wakes_a_waiting_reader() -> None:
    latest: Latest[int] = Latest()
    threading.Timer(0.05, latest.close).start()
    with pytest.raises(Closed):
        latest.wait()


def test_a_latest_can_be_looked_at_and_an_inbox_asked_for_room() -> None:
    latest: Latest[int] = Latest()
    assert latest.peek() is None
    latest.put(1)
    assert (latest.peek(), latest.take(), latest.peek()) == (1, 1, None)
    inbox: Inbox[int] = Inbox(1)
    assert not inbox.full
    inbox.put(1)
    assert inbox.full
