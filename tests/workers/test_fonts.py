"""The thread that looks for fonts."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from atlas_rt.typesetting.system_fonts import SystemFonts
from atlas_rt.workers.fonts import FontWorker


def test_what_is_asked_for_is_known_a_moment_later(tmp_path: Path) -> None:
    worker = FontWorker(SystemFonts([tmp_path]))
    try:
        assert worker.fonts.known("क") is None
        assert not worker.fonts.is_known("क")
        until = time.monotonic() + 5.0
        while not worker.fonts.is_known("क") and time.monotonic() < until:
            time.sleep(0.005)
        assert worker.fonts.missing() == ["क"]
    finally:
        worker.close()
    assert not worker._thread.is_alive()


def test_where_looking_fails_text_is_shown_with_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_fonts: SystemFonts, _character: str) -> None:
        raise PermissionError("no")

    monkeypatch.setattr(SystemFonts, "_search", refused)
    worker = FontWorker(SystemFonts([tmp_path]))
    try:
        worker.fonts.known("क")
        until = time.monotonic() + 5.0
        while not worker.fonts.is_known("क") and time.monotonic() < until:
            time.sleep(0.005)
        assert worker.fonts.is_known("क")
        assert worker.fonts.known("क") is None
    finally:
        worker.close()
