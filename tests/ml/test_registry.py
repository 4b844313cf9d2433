"""Models by name, and files that are the recorded ones or are not used."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from atlas_rt.errors import MissingError, UsageError
from atlas_rt.ml import registry
from atlas_rt.ml.encoder import ImageEncoder, TextEncoder
from atlas_rt.ml.registry import Model


def copy_of(model: Model, cache: Path, *, name: str, **changes: str) -> Path:
    """The shipped model under another name in a person's cache, with lines of its description replaced."""
    folder = cache / "models" / name
    shutil.copytree(model.folder, folder)
    description = (folder / "model.toml").read_text().replace('name = "starter"', f'name = "{name}"')
    for old, new in changes.items():
        assert old in description
        description = description.replace(old, new)
    (folder / "model.toml").write_text(description)
    return folder


def test_auto_is_the_shipped_model_where_there_is_no_other(tmp_path: Path) -> None:
    assert registry.load("auto", tmp_path).name == "starter"


def test_auto_prefers_a_model_with_a_published_accuracy(model: Model, tmp_path: Path) -> None:
    copy_of(model, tmp_path, name="better", **{"dim = 384": "dim = 384\nimagenet_accuracy = 69.2"})
    assert [known.name for known in registry.known(tmp_path)] == ["starter", "better"]
    assert registry.load("auto", tmp_path).name == "better"


def test_an_unknown_name_is_answered_with_the_known_ones_and_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"Did you mean starter\? Known: auto, starter"):
        registry.load("startr", tmp_path)


def test_a_name_unlike_all_gets_no_guess(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as refused:
        registry.load("xyz", tmp_path)
    assert "Did you mean" not in str(refused.value)


def test_a_shipped_name_cannot_be_taken(model: Model, tmp_path: Path) -> None:
    copy_of(model, tmp_path, name="starter")
    assert registry.load("starter", tmp_path).folder == model.folder


def test_a_changed_file_is_refused_with_both_hashes(model: Model, tmp_path: Path) -> None:
    folder = copy_of(model, tmp_path, name="mine")
    mine = registry.load("mine", tmp_path)
    mine.image.file.verified()
    with (folder / "image.onnx").open("ab") as file:
        file.write(b"x")
    with pytest.raises(MissingError) as refused:
        ImageEncoder(mine)
    assert mine.image.file.sha256 in str(refused.value)
    assert str(refused.value).count(mine.image.file.sha256[:8]) == 1
    assert "its SHA-256 is" in str(refused.value)


def test_a_missing_file_says_which(model: Model, tmp_path: Path) -> None:
    folder = copy_of(model, tmp_path, name="mine")
    (folder / "tokenizer.json").unlink()
    with pytest.raises(MissingError, match=r"No such file.*tokenizer\.json"):
        TextEncoder(registry.load("mine", tmp_path))


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('output = "embedding"', 'exit = "embedding"', "'output' is missing"),
        ('resize = "letterbox"', 'resize = "stretch"', 'resize is "stretch", known are letterbox, crop, squash'),
        ("dim = 384", "dim =", "Invalid value"),
        ("strong =", "loud =", "loud"),
    ],
)
def test_a_broken_description_says_what_is_wrong(model: Model, tmp_path: Path, old: str, new: str, reason: str) -> None:
    copy_of(model, tmp_path, name="mine", **{old: new})
    with pytest.raises(MissingError, match=reason):
        registry.known(tmp_path)


def test_a_graph_without_the_named_input_is_no_encoder(model: Model, tmp_path: Path) -> None:
    copy_of(model, tmp_path, name="mine", **{'input = "pixels"': 'input = "photo"'})
    with pytest.raises(MissingError, match=r"no encoder: it has no input photo\."):
        ImageEncoder(registry.load("mine", tmp_path))


def test_the_id_names_the_space(model: Model) -> None:
    assert model.id == "starter-5c082bb7"
