"""What the window's command says when something else than a window is missing, and what it reads before one."""

from __future__ import annotations

from pathlib import Path

import pytest

from atlas_rt.commands import view
from atlas_rt.errors import MissingError, NoGraphicsError
from atlas_rt.library import walking
from atlas_rt.library.window_settings import WindowSettings
from atlas_rt.settings import Settings
from atlas_rt.window import app
from tests.commands.person import Person, images_of
from tests.libraries import Library

BUSY = "Another process is writing this library; try again in a moment"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MissingError(BUSY), BUSY),
        (NoGraphicsError("no OpenGL 3.3 here"), "images are indexed, but no window can be opened: no OpenGL 3.3 here"),
    ],
)
def test_only_a_missing_window_is_told_as_one(
    reader: Person, library: Library, monkeypatch: pytest.MonkeyPatch, error: MissingError, said: str
) -> None:
    def refuse(*_: object, **__: object) -> app.App:
        raise error

    monkeypatch.setattr(view, "display_available", lambda: True)
    monkeypatch.setattr(app, "launch", refuse)
    told = reader.ask(library.source)
    assert told.code == 3
    assert told.refusal.removeprefix("138 ") == said


def test_before_a_window_one_image_is_looked_for_and_no_more(
    person: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "large"
    for year in range(2000, 2020):
        (folder / str(year)).mkdir(parents=True)
        (folder / str(year) / "a.jpg").write_bytes(b"x")
    read: list[str] = []
    entries = walking.Walk._entries

    def noting(walk: walking.Walk, at: str, *rest: object) -> object:
        read.append(at)
        return entries(walk, at, *rest)  # type: ignore[arg-type]

    def refuse(*_: object, **__: object) -> app.App:
        raise MissingError(BUSY)

    monkeypatch.setattr(walking.Walk, "_entries", noting)
    monkeypatch.setattr(view, "display_available", lambda: True)
    monkeypatch.setattr(app, "launch", refuse)
    assert person.ask(folder).code == 3
    assert len(read) == 2  # the folder itself, and the first with an image in it
    assert images_of(folder, person.cache) == 0


def test_what_was_set_in_a_window_holds_in_the_next_one_unless_an_option_says_otherwise(
    reader: Person, library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Settings] = []

    def note(settings: Settings, *_: object, **__: object) -> app.App:
        opened.append(settings)
        raise MissingError(BUSY)

    monkeypatch.setattr(view, "display_available", lambda: True)
    monkeypatch.setattr(app, "launch", note)
    file = WindowSettings(tmp_path / "data")
    for name, value in (("quality", "high"), ("invert_look", True), ("ui_scale", 99.0)):
        file.keep(name, value)
    reader.ask(library.source, "--data", tmp_path / "data")
    reader.ask(library.source, "--data", tmp_path / "data", "--quality", "low", "--ui-scale", "2")
    assert [(each.quality, each.invert_look, each.ui_scale) for each in opened] == [
        ("high", True, 0.0),
        ("low", True, 2),
    ]
