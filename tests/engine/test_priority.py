"""Stepping back: the real system's priorities in a process of its own, and what Windows is asked for."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from atlas_rt.engine import priority
from atlas_rt.engine.priority import BELOW_NORMAL, IDLE

CODE = """
import os, sys
from atlas_rt.engine import priority
{call}
print(os.nice(0), os.sched_getscheduler(0) == os.SCHED_IDLE)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="SCHED_IDLE is Linux's")
@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("priority.step_back(0)", "0 False"),
        ("priority.step_back(5)", "5 False"),
        ("priority.step_back(19)", "19 True"),
        ("priority.step_back_to(5)", "5 False"),
        ("priority.step_back(19); priority.step_back_to(5)", "19 True"),
    ],
)
def test_a_process_steps_back(call: str, expected: str) -> None:
    own = os.nice(0)
    if own:
        pytest.skip("these tests run at a lower priority already")
    done = subprocess.run(
        [sys.executable, "-c", CODE.format(call=call)],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.strip() == expected, done.stderr


class Kernel32:
    """Windows' priority calls, of one process."""

    def __init__(self, given: int) -> None:
        self.given = given

    def GetCurrentProcess(self) -> int:  # noqa: N802 - Windows' names
        return -1

    def GetPriorityClass(self, process: int) -> int:  # noqa: N802
        assert process == -1
        return self.given

    def SetPriorityClass(self, process: int, given: int) -> int:  # noqa: N802
        assert process == -1
        self.given = given
        return 1


NORMAL = 0x20


@pytest.mark.parametrize(
    ("before", "calls", "after"),
    [
        (NORMAL, ["step_back 0"], NORMAL),
        (NORMAL, ["step_back 5"], BELOW_NORMAL),
        (NORMAL, ["step_back 19"], IDLE),
        (NORMAL, ["step_back_to 5"], BELOW_NORMAL),
        (NORMAL, ["step_back 19", "step_back_to 5"], IDLE),  # a child of the engine begins so
        (BELOW_NORMAL, ["step_back_to 5"], BELOW_NORMAL),
    ],
)
def test_windows_has_classes_of_priority(
    monkeypatch: pytest.MonkeyPatch, before: int, calls: list[str], after: int
) -> None:
    library = Kernel32(before)
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(priority, "_kernel32", lambda: library)
    monkeypatch.delattr(os, "nice")
    for call in calls:
        name, niceness = call.split()
        getattr(priority, name)(int(niceness))
    assert library.given == after
