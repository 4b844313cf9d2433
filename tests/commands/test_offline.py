"""No internet socket is ever opened: an audit hook in every process of the program writes down each one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.commands.person import ROOT, Person
from tests.libraries import Library

HOOK = """
import os, sys

def watch(event, args):
    internet = event == "socket.__new__" and int(args[1]) in (2, 10)
    if internet or event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname"):
        with open(os.environ["SOCKETS"], "a") as file:
            file.write(f"{os.getpid()} {event} {args}\\n")

with open(os.environ["SOCKETS"], "a") as file:
    file.write(f"{os.getpid()} watched\\n")
sys.addaudithook(watch)
"""


@pytest.fixture
def watched(tmp_path: Path) -> dict[str, str]:
    """The environment in which each Python process tells of its sockets, in the file SOCKETS."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site/sitecustomize.py").write_text(HOOK)
    return {"PYTHONPATH": f"{tmp_path / 'site'}:{ROOT}", "SOCKETS": str(tmp_path / "sockets")}


def opened(watched: dict[str, str]) -> tuple[int, list[str]]:
    """How many processes were watched, and the sockets they opened."""
    lines = Path(watched["SOCKETS"]).read_text().splitlines()
    return sum(line.endswith(" watched") for line in lines), [line for line in lines if not line.endswith(" watched")]


def test_the_watch_sees_a_socket(person: Person, watched: dict[str, str]) -> None:
    code = "import socket; socket.socket(); socket.socket(socket.AF_UNIX)"
    subprocess.run([sys.executable, "-c", code], env=watched, check=True)
    assert opened(watched)[0] == 1
    assert len(opened(watched)[1]) == 1


def test_indexing_opens_no_internet_socket(person: Person, folder: Path, watched: dict[str, str]) -> None:
    (person.cache / "vocabulary").rename(person.cache / "forgotten")  # it is encoded again
    assert person.run("index", folder, "--offline", **watched).code == 0
    processes, sockets = opened(watched)
    assert processes >= 2  # the engine too
    assert sockets == []


def test_reading_opens_no_internet_socket(reader: Person, library: Library, watched: dict[str, str]) -> None:
    words = ("--offline", "--no-update")
    assert reader.run("search", library.source, "a guitar", *words, **watched).code == 0
    assert reader.run("shot", library.source, "-o", "x.png", "--size", "64x64", *words, **watched).code == 0
    assert reader.run("doctor", library.source, "--offline", **watched).code == 0
    processes, sockets = opened(watched)
    assert processes >= 3
    assert sockets == []
