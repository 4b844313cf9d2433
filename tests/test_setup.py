"""scripts/setup where apt is busy: it waits for the lock and says so, once, and gives up with apt's own reason."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BUSY = (
    "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 1234 (unattended-upgr)\n"
    "E: Unable to acquire the dpkg frontend lock (/var/lib/dpkg/lock-frontend), is another process using it?"
)
LISTS = "E: Could not get lock /var/lib/apt/lists/lock. It is held by process 1234 (apt-get)"


def install(tmp_path: Path, *answers: str, patience: int = 60) -> tuple[int, list[str], list[str]]:
    """Exit code, sentences and calls of `apt_install`, where apt-get answers so, one answer a call; "" is done."""
    (tmp_path / "bin").mkdir()
    for number, answer in enumerate(answers):
        (tmp_path / f"answer-{number}").write_text(answer)
    fake = tmp_path / "bin" / "apt-get"
    fake.write_text(
        f"""#!/usr/bin/env bash
echo "$*" >>"{tmp_path}/calls"
answer="{tmp_path}/answer-$(($(wc -l <"{tmp_path}/calls") - 1))"
[[ ! -s $answer ]] || {{ cat "$answer" >&2; exit 100; }}
"""
    )
    fake.chmod(0o755)
    code = f"source '{ROOT}/scripts/setup'; id() {{ echo 0; }}; apt_pause=0.05 apt_patience={patience}; "
    done = subprocess.run(
        ["bash", "-c", code + "apt_install 'Xvfb is missing' xvfb"],
        env=os.environ | {"PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.stdout == ""
    words = [line.split()[1] for line in (tmp_path / "calls").read_text().splitlines()]
    return done.returncode, done.stderr.splitlines(), words


def test_the_set_up_waits_for_whoever_installs_packages(tmp_path: Path) -> None:
    code, said, calls = install(tmp_path, BUSY, BUSY, BUSY, "")
    assert (code, calls) == (0, ["install"] * 4)
    assert said == [
        "atlas_rt: Xvfb is missing; installing xvfb",
        f"atlas_rt: another program is installing packages; waiting for it to end ({BUSY.partition(chr(10))[0]})",
    ]


def test_the_set_up_waits_for_each_lock_in_turn(tmp_path: Path) -> None:
    code, said, calls = install(tmp_path, "E: Unable to locate package xvfb", LISTS, "", BUSY, "")
    assert (code, calls) == (0, ["install", "update", "update", "install", "install"])
    assert len(said) == 3


@pytest.mark.parametrize(("patience", "answer", "tries"), [(0, BUSY, 2), (60, "E: Unable to fetch some archives", 2)])
def test_the_set_up_gives_up_with_the_reason(tmp_path: Path, patience: int, answer: str, tries: int) -> None:
    code, said, calls = install(tmp_path, *[answer] * 9, patience=patience)
    assert (code, len(calls)) == (1, tries)
    assert said[-1] == f"atlas_rt: apt-get could not install xvfb: {answer.splitlines()[-1]}"
