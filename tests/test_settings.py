"""Flags win over the environment, that over the settings file, that over the defaults; what is wrong is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import platformdirs
import pytest

from atlas_rt import settings
from atlas_rt.errors import UsageError
from atlas_rt.mapping import clusters
from atlas_rt.settings import Settings, load_settings, pictures_folder


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the settings file, which is not there yet."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    return tmp_path / "atlas_rt"


def write(config: Path, text: str | bytes) -> None:
    config.mkdir(exist_ok=True)
    (config / "atlas.toml").write_bytes(text if isinstance(text, bytes) else text.encode())


def load(environment: dict[str, str] | None = None, **flags: Any) -> Settings:
    return load_settings(flags, environment=environment or {})


def test_nothing_given_is_the_defaults() -> None:
    assert load() == Settings()
    assert load(seed=None, json=None) == Settings()
    assert (Settings().seed, Settings().quality, Settings().fps, Settings().cache_path) == (42, "auto", 60, None)


def test_a_flag_wins_over_the_environment_over_the_file(config: Path) -> None:
    write(config, 'seed = 1\nfps = 30\nquality = "low"\n')
    environment = {"ATLAS_RT_SEED": "2", "ATLAS_RT_FPS": "50", "ATLAS_RT_STRANGER": "x", "SEED": "9"}
    settings = load(environment, seed=3)
    assert (settings.seed, settings.fps, settings.quality) == (3, 50, "low")


@pytest.mark.parametrize(
    ("word", "value"), [("1", True), ("Yes", True), (" on ", True), ("0", False), ("no", False), ("", False)]
)
def test_yes_and_no_are_read_as_a_person_writes_them(word: str, value: bool) -> None:
    assert load({"ATLAS_RT_OFFLINE": word}).offline is value


def test_lists_are_read_from_the_file_and_from_the_environment(config: Path) -> None:
    write(config, 'exclude = ["*.gif", "drafts"]\ncache = "~/atlas"\nwebcam = 1\n')
    assert load().exclude == ("*.gif", "drafts")
    assert (load().cache_path, load().webcam) == (Path("~/atlas"), "1")
    assert load({"ATLAS_RT_EXCLUDE": "a:b"}).exclude == ("a", "b")
    assert load(exclude=["one"]).exclude == ("one",)
    assert load({"ATLAS_RT_EXCLUDE": ""}).exclude == ()


def test_the_narrator_has_a_table_of_its_own(config: Path) -> None:
    write(config, '[narrator]\nmode = "off"\nmodel = "us.x"\nregion = "eu-west-1"\nfile_names = true\n')
    settings = load(narrator_model="y")
    assert (settings.narrator, settings.narrator_model, settings.narrator_region) == ("off", "y", "eu-west-1")
    assert settings.narrator_file_names
    write(config, '[narrator]\nmodle = "x"\n')
    with pytest.raises(UsageError, match=r"unknown setting 'narrator_modle' \(did you mean narrator_model\?\)"):
        load()


@pytest.mark.parametrize(
    ("variables", "language"),
    [
        ({"LANG": "de_AT.UTF-8"}, "de_AT.UTF-8"),
        ({"LANG": "de_AT.UTF-8", "LC_ALL": "fr_FR"}, "fr_FR"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "C"}, "en"),
    ],
)
def test_answers_are_in_the_language_of_the_system(
    variables: dict[str, str], language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.setenv(name, variables.get(name, ""))
    assert load().spoken == language
    assert load(language="it").spoken == "it"


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"ATLAS_RT_SEED": "x"}, "ATLAS_RT_SEED must be a whole number, not 'x'"),
        ({"ATLAS_RT_SEED": "-1"}, "ATLAS_RT_SEED must be from 0 to 4,294,967,295, not -1"),
        ({"ATLAS_RT_FPS": "1.5"}, "ATLAS_RT_FPS must be a whole number"),
        ({"ATLAS_RT_FPS": "-1"}, "ATLAS_RT_FPS must be from 0 to 1,000"),
        ({"ATLAS_RT_THREADS": "-2"}, "ATLAS_RT_THREADS must be from 0"),
        ({"ATLAS_RT_OFFLINE": "maybe"}, "ATLAS_RT_OFFLINE must be yes or no, not 'maybe'"),
        ({"ATLAS_RT_QUALITY": "ultra"}, "ATLAS_RT_QUALITY must be one of auto, low, normal, high, not 'ultra'"),
        ({"ATLAS_RT_KIOSK_IDLE_SECS": "nan"}, "ATLAS_RT_KIOSK_IDLE_SECS must be from 1"),
        ({"ATLAS_RT_KIOSK_IDLE_SECS": "soon"}, "ATLAS_RT_KIOSK_IDLE_SECS must be a number"),
    ],
)
def test_a_wrong_value_in_the_environment_is_named_with_what_is_right(environment: dict[str, str], said: str) -> None:
    with pytest.raises(UsageError) as error:
        load(environment)
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('fps = "fast"', "fps in {file} must be a whole number, not 'fast'"),
        ("seed = 1.5", "seed in {file} must be a whole number"),
        ("seed = true", "seed in {file} must be a whole number"),
        ("[fps]", "fps in {file} must be a whole number"),
        ("exclude = 5", "exclude in {file} must be a list of texts"),
        ("exclude = [1]", "exclude in {file} must be a list of texts"),
        ('cache = ["a"]', "cache in {file} must be text"),
        ("json = 2", "json in {file} must be yes or no"),
        ("fsp = 30", "unknown setting 'fsp' (did you mean fps?); known are budget_library,"),
        ("x = = 1", "the settings file is not valid TOML"),
        (b"\xff", "the settings file is not valid TOML"),
    ],
)
def test_a_wrong_settings_file_is_named_with_what_is_wrong(config: Path, line: str | bytes, said: str) -> None:
    write(config, line)
    with pytest.raises(UsageError) as error:
        load()
    assert said.format(file=config / "atlas.toml") in str(error.value)
    assert str(config / "atlas.toml") in str(error.value)


def test_a_settings_file_that_cannot_be_read_is_said(config: Path) -> None:
    (config / "atlas.toml").mkdir(parents=True)
    with pytest.raises(
        UsageError, match=r"the settings file cannot be read \(Is a directory\); allow it, .*atlas\.toml"
    ):
        load()


def test_a_wrong_flag_is_called_by_its_name() -> None:
    with pytest.raises(UsageError, match="--seed must be from 0 to 4,294,967,295, not -1"):
        load(seed=-1)
    with pytest.raises(UsageError, match="--kiosk-idle-secs must be from 1"):
        load(kiosk_idle_secs=0.0)


def test_the_granularities_are_those_of_the_clusters() -> None:
    assert set(settings.GRANULARITIES) == set(clusters.GRANULARITIES)


def test_a_folder_of_pictures_that_may_not_be_asked_for_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stands in ~/.config, which after `su` may be another user's."""

    def refuse() -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(platformdirs, "user_pictures_dir", refuse)
    assert pictures_folder() is None
    monkeypatch.setattr(platformdirs, "user_pictures_dir", lambda: str(tmp_path))
    assert pictures_folder() == tmp_path
    monkeypatch.setattr(platformdirs, "user_pictures_dir", lambda: str(tmp_path / "none"))
    assert pictures_folder() is None
