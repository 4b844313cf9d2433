"""One folder of real pictures, indexed once for all tests that only read it."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from atlas_rt.core.records import IndexReport
from tests.libraries import PICTURES, Library, copy_pictures, job_of, listing, run

# Started in the background of a script, pytest ignores Ctrl-C, and so would every program it starts.
signal.signal(signal.SIGINT, signal.default_int_handler)

NAMES = ("acoustic-guitar.webp", "tiger-walking.webp")
"""Beside every second picture of the demo."""


@pytest.fixture(scope="session")
def newcomers() -> list[Path]:
    """Pictures that the library of `indexed` does not hold."""
    return [picture for picture in PICTURES[1::2] if picture.name not in NAMES]


@pytest.fixture(scope="session")
def indexed(tmp_path_factory: pytest.TempPathFactory, newcomers: list[Path]) -> Library:
    """A folder of 138 drawings and its library, fitted. Nobody writes to either: `copy` the library for that."""
    folder = tmp_path_factory.mktemp("indexed")
    source = copy_pictures([picture for picture in PICTURES if picture not in newcomers], folder / "pictures")
    (source / "notes.txt").write_text("no picture")
    before = listing(source)
    job = job_of(source, folder / "cache", stay=True)  # as a window has it, with maps in between
    told = run(job)
    assert isinstance(told[-1], IndexReport), told
    return Library(source, folder / "cache", job.place, tuple(told), before)
