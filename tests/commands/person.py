"""A person at the command line: asks in this process where that is honest, and in one of its own where it is not."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import moderngl
import pytest

from atlas_rt import cli
from atlas_rt.errors import MissingError
from atlas_rt.library.cache_layout import place_of
from atlas_rt.library.store import StoreReader

ROOT = Path(__file__).parents[2]
PATIENCE_SECS = 90.0
WITHOUT_OPENGL = {"LIBGL_DRIVERS_PATH": "/nonexistent", "__EGL_VENDOR_LIBRARY_DIRS": "/nonexistent"}


@dataclass(frozen=True, slots=True)
class Told:
    """What a command told: its exit code, standard output, standard error."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on standard output; fails when there is more, or less."""
        assert self.code == 0, self.err
        return json.loads(self.out)

    @property
    def lines(self) -> list[str]:
        assert self.code == 0, self.err
        return self.out.splitlines()

    @property
    def refusal(self) -> str:
        """The sentence of a command that printed no result: it is one of ours, and neither a defect nor a traceback."""
        assert self.out == ""
        assert "atlas-rt: " in self.err
        assert "Traceback" not in self.err
        assert "defect" not in self.err
        return self.err.partition("atlas-rt: ")[2].strip()


class Person:
    """Asks with a cache of its own, from a folder of its own, without a screen."""

    def __init__(self, here: Path, cache: Path, capture: pytest.CaptureFixture[str] | None = None) -> None:
        self.here, self.cache, self._capture = here, cache, capture

    def ask(self, *words: str | Path) -> Told:
        """In this process: nothing that draws, since a process has one headless context only."""
        assert self._capture is not None
        self._capture.readouterr()
        with patch.object(moderngl, "create_context", side_effect=RuntimeError("not in this process")) as opened:
            code = cli.main(self.words(words))
        out, err = self._capture.readouterr()
        opened.assert_not_called()  # a second context would stand in the way of the one that other tests draw with
        return Told(code, out, err)

    def run(
        self,
        *words: str | Path,
        before: Sequence[str] = (),
        here: Path | None = None,
        stdin: bytes | None = None,
        **changes: str,
    ) -> Told:
        """In a process of its own. before: a program that starts it; changes: to the environment."""
        done = subprocess.run(
            [*before, *self.command(words)],
            cwd=here or self.here,
            env=environment() | changes,
            input=stdin,
            capture_output=True,
            timeout=PATIENCE_SECS,
        )
        return Told(done.returncode, os.fsdecode(done.stdout), os.fsdecode(done.stderr))

    def start(self, *words: str | Path, **changes: str) -> subprocess.Popen[str]:
        """A process that goes on."""
        return subprocess.Popen(
            self.command(words),
            cwd=self.here,
            env=environment() | changes,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def command(self, words: Sequence[str | Path]) -> list[str]:
        return [sys.executable, "-m", "atlas_rt", *self.words(words)]

    def words(self, words: Sequence[str | Path]) -> list[str]:
        """The words, and where the cache is, before any `--`."""
        told = [str(word) for word in words]
        at = told.index("--") if "--" in told else len(told)
        return [*told[:at], "--cache", str(self.cache), *told[at:]] if "--cache" not in told else told


def environment() -> dict[str, str]:
    """Ours, for a program started from anywhere, without a screen and the settings of whoever runs the tests."""
    # OpenCV, which some tests import, leaves the current folder in LD_LIBRARY_PATH.
    others = ("ATLAS_RT_", "DISPLAY", "LD_LIBRARY_PATH")
    ours = {name: value for name, value in os.environ.items() if not name.startswith(others)}
    return ours | {"PYTHONPATH": str(ROOT), "XDG_CONFIG_HOME": "/nonexistent"}


def images_of(folder: Path, cache: Path) -> int:
    """How many images the library of a folder has just now."""
    place = place_of((str(folder),), cache, make=False)
    try:
        with StoreReader.open(place.folder) as store:
            return store.images()
    except MissingError:  # it is just being made
        return 0


def without_privileges() -> list[str]:
    """What starts a program as one that may not read and write everything; root alone may."""
    if os.geteuid() != 0:
        return []
    if not shutil.which("setpriv"):
        pytest.skip("root may read everything, and there is no setpriv to give that up")
    rights = "-dac_override,-dac_read_search"
    return ["setpriv", f"--bounding-set={rights}", f"--inh-caps={rights}"]
