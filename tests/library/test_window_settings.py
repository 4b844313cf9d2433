"""What was set in windows: by two at once, damaged, of a newer version, and what of it cannot be."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from atlas_rt.library.window_settings import WindowSettings
from atlas_rt.settings import Settings, load_settings


@pytest.fixture
def file(tmp_path: Path) -> WindowSettings:
    return WindowSettings(tmp_path / "data")


def test_two_windows_that_set_different_things_at_once_lose_neither(file: WindowSettings) -> None:
    other = WindowSettings(file.folder)
    first = threading.Thread(target=lambda: [file.keep("ui_scale", float(step)) for step in range(1, 5)])
    second = threading.Thread(target=lambda: [other.learn("fly"), other.keep("quality", "low"), other.learn("find")])
    for each in (first, second):
        each.start()
    for each in (first, second):
        each.join()
    kept = file.read()
    assert kept.values == {"ui_scale": 4.0, "quality": "low"}
    assert (kept.learnt, kept.remark) == (frozenset({"fly", "find"}), "")
    file.forget_hints()
    assert (file.read().learnt, file.read().values) == (frozenset(), kept.values)


def test_a_damaged_file_is_said_and_set_aside_and_one_of_a_newer_version_opens_the_window_too(
    file: WindowSettings,
) -> None:
    file.keep("invert_look", True)
    path = file.folder / "window_settings.json"
    path.write_text("{ half")
    assert file.read().values == {"invert_look": True}
    assert "is damaged; its copy of" in file.read().remark
    file.keep("quality", "high")
    assert path.with_suffix(".damaged").read_text() == "{ half"
    assert file.read().values == {"invert_look": True, "quality": "high"}
    path.write_text(json.dumps({"format": 99, "entries": []}))
    assert (file.read().values, "newer version" in file.read().remark) == ({}, True)


def test_options_and_the_environment_win_over_what_was_set_and_nonsense_is_passed_over() -> None:
    kept = {"quality": "high", "ui_scale": 2.0, "field_of_view": "wide", "reduced_motion": True}
    settings = load_settings({"quality": "low"}, environment={"ATLAS_RT_REDUCED_MOTION": "no"}, kept=kept)
    assert (settings.quality, settings.ui_scale, settings.reduced_motion) == ("low", 2.0, False)
    assert settings.field_of_view == Settings().field_of_view
