"""Files that were written to a moment ago are left for the next round, unless they are surely whole."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from atlas_rt.engine.unsettled import Unsettled
from atlas_rt.library.changes import Changes, Todo

FILE = "/pictures/new.png"


def todo(**changes: object) -> Todo:
    return replace(Todo(1, FILE, 100, time.time_ns(), "new"), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("file", "closed", "waits"),
    [
        (todo(), frozenset[str](), True),
        (todo(mtime_ns=0), frozenset[str](), False),
        (todo(), frozenset({FILE}), False),
        (todo(size=0), frozenset({FILE}), True),
        (todo(kind="changed"), frozenset({FILE}), True),
    ],
    ids=["still being written", "written long ago", "closed", "closed, but empty", "closed, but written over"],
)
def test_what_is_left_for_the_next_round(file: Todo, closed: frozenset[str], waits: bool) -> None:
    if file.mtime_ns:
        file = replace(file, mtime_ns=time.time_ns())
    unsettled = Unsettled()
    kept = unsettled.leave_out(Changes((file,), 0, (), (), 0, ()), closed=closed).todo
    assert (unsettled.files, kept) == ((frozenset({FILE}), ()) if waits else (frozenset(), (file,)))
    assert (unsettled._settled_secs > 0.0) == waits
