"""Errors that no code of ours catches are sentences, each said once; with ATLAS_RT_DEBUG=1 they are tracebacks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CODE = """
import logging, threading
from atlas_rt import excepthooks

excepthooks.install()

def fail():
    raise IndexError("index 3 is out of bounds")

class Cleaned:
    def __del__(self):
        fail()

for _ in range(3):
    thread = threading.Thread(target=fail, name="facts")
    thread.start()
    thread.join()
Cleaned()
try:
    fail()
except IndexError:
    logging.getLogger("some.library").exception("the sea is rough")
{end}
"""
AT_LAST = {
    "fail()": "a defect of this program: IndexError: index 3 is out of bounds",
    "with excepthooks.ending_with_a_sentence('the engine has ended'): fail()": (
        "the engine has ended: IndexError: index 3 is out of bounds"
    ),
}


def told(end: str, **changes: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", CODE.format(end=end)],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])} | changes,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (1, "")
    return done.stderr.splitlines()


@pytest.mark.parametrize("end", AT_LAST)
def test_what_nobody_catches_is_a_sentence(end: str) -> None:
    seen = "; ATLAS_RT_DEBUG=1 shows where it happened"
    assert told(end) == [
        "atlas-rt: the thread 'facts' has ended, and what it does is missing from now on: "
        f"IndexError: index 3 is out of bounds{seen}",
        "atlas-rt: something could not be cleaned up, which has no consequences: "
        f"IndexError: index 3 is out of bounds{seen}",
        "atlas-rt: the sea is rough",
        f"atlas-rt: {AT_LAST[end]}{seen}",
    ]


def test_tracebacks_are_there_for_whoever_asks() -> None:
    for end in AT_LAST:
        assert told(end, ATLAS_RT_DEBUG="1").count("Traceback (most recent call last):") == 6


def test_a_broken_installation_is_a_sentence(tmp_path: Path) -> None:
    """Before the command line is there to catch anything."""
    (tmp_path / "platformdirs.py").write_text("raise ImportError('no module of that name')")
    done = subprocess.run(
        [sys.executable, "-P", "-m", "atlas_rt", "--version"],
        cwd=tmp_path.parent,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(Path(__file__).parents[1])])},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "atlas-rt: a defect of this program: ImportError: no module of that name;"
        " ATLAS_RT_DEBUG=1 shows where it happened\n"
    )
