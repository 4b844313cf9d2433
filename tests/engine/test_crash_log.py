"""Which files were in work when the engine died."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from atlas_rt.engine.crash_log import SLOTS, CrashLog
from tests.libraries import ROOT


def test_what_is_done_with_leaves_nothing_behind(tmp_path: Path) -> None:
    crash_log = CrashLog(tmp_path)
    with crash_log.of(7), crash_log.of(8):
        pass
    assert CrashLog(tmp_path).left_behind() == ()


def test_a_file_that_failed_in_order_is_no_suspect(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="broken"), CrashLog(tmp_path).of(7):
        raise ValueError("broken")
    assert CrashLog(tmp_path).left_behind() == ()


def test_what_was_in_work_when_the_process_died_is_found_once(tmp_path: Path) -> None:
    code = """
        import os, sys
        from pathlib import Path
        from atlas_rt.engine.crash_log import CrashLog
        crash_log = CrashLog(Path(sys.argv[1]))
        with crash_log.of(3):
            pass
        with crash_log.of(41), crash_log.of(2**40):
            os.kill(os.getpid(), 9)
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code), str(tmp_path)], cwd=ROOT, env=os.environ)
    assert set(CrashLog(tmp_path).left_behind()) == {41, 2**40}
    assert CrashLog(tmp_path).left_behind() == ()


def test_as_many_files_as_there_are_slots_are_in_work_at_once(tmp_path: Path) -> None:
    crash_log = CrashLog(tmp_path)
    marks = [crash_log.of(id_) for id_ in range(1, SLOTS + 1)]
    for mark in marks:
        mark.__enter__()
    assert sorted(CrashLog(tmp_path).left_behind()) == list(range(1, SLOTS + 1))
    for mark in marks:
        mark.__exit__(None, None, None)


def test_a_damaged_list_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / "in-flight.bin").write_bytes(b"\1" * 100)
    assert CrashLog(tmp_path).left_behind() == ()
