"""Models by name, and files that are the recorded ones or are not used."""

from __future__ import annotations

import hashlib
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from atlas_rt.encoders import registry
from atlas_rt.encoders.encoder import ImageEncoder, TextEncoder
from atlas_rt.encoders.registry import UNCALIBRATED, Model
from atlas_rt.errors import MissingError, UsageError
from tests import towers


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
    copy_of(model, tmp_path, name="better", **{"dim = 396": "dim = 396\nimagenet_accuracy = 69.2"})
    assert [known.name for known in registry.known(tmp_path)] == ["starter", "better"]
    assert registry.load("auto", tmp_path).name == "better"


def test_an_unknown_name_is_answered_with_the_known_ones_and_the_nearest(model: Model, tmp_path: Path) -> None:
    copy_of(model, tmp_path, name="mine")
    with pytest.raises(UsageError, match=r"Did you mean starter\? Known: auto, starter, mine, ViT-B-32-laion2b, "):
        registry.load("startr", tmp_path)
    with pytest.raises(UsageError, match=r"Did you mean ViT-B-16-SigLIP2\?"):
        registry.load("vit-b-16-siglip", tmp_path)


def test_a_known_model_that_is_not_here_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match=r"known but not installed.*atlas-rt models get ViT-B-16-SigLIP2$"):
        registry.load("ViT-B-16-SigLIP2", tmp_path)
    with pytest.raises(MissingError, match=r"known but not installed.*atlas-rt models export ViT-L-14-datacomp$"):
        registry.load("ViT-L-14-datacomp:int8", tmp_path)


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
        ("dim = 396", "dim =", "Invalid value"),
        ("strong =", "loud =", "loud"),
        ('name = "mine"', 'name = "mine:int8"', "may hold no slash, and no colon"),
        ('name = "mine"', 'name = "../mine"', "may hold no slash, and no colon"),
    ],
)
def test_a_broken_description_says_what_is_wrong(model: Model, tmp_path: Path, old: str, new: str, reason: str) -> None:
    copy_of(model, tmp_path, name="mine", **{old: new})
    with pytest.raises(MissingError, match=reason):
        registry.load("mine", tmp_path)
    assert registry.load("auto", tmp_path).name == "starter"
    models, (broken,) = registry.survey(tmp_path)
    assert [known.name for known in models] == ["starter"]
    assert broken.name == "mine"
    assert re.search(reason, broken.reason)


def test_a_graph_without_the_named_input_is_no_encoder(model: Model, tmp_path: Path) -> None:
    copy_of(model, tmp_path, name="mine", **{'input = "pixels"': 'input = "photo"'})
    with pytest.raises(MissingError, match=r"not an encoder: it has no input photo\."):
        ImageEncoder(registry.load("mine", tmp_path))


def test_the_id_names_the_space(model: Model) -> None:
    assert model.id == f"starter-{model.image.file.sha256[:8]}"


# -- variants ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def varied(tmp_path: Path) -> Path:
    """A cache with a model in three precisions: int8 brings a text tower of its own, fp16 shares the first."""
    folder = towers.write_model(tmp_path / "models" / "small", "small")
    tables = []
    for seed, name in enumerate(("fp16", "int8"), start=1):
        (folder / f"image.{name}.onnx").write_bytes(towers.image_tower(seed=seed))
        lines = [
            f"[variants.{name}]",
            f'file = "image.{name}.onnx"',
            f'sha256 = "{digest(folder, f"image.{name}.onnx")}"',
        ]
        lines += ["cosine = 0.999", "images_per_second = 40.5"]
        if name == "int8":
            (folder / "text.int8.onnx").write_bytes(towers.text_tower(seed=seed))
            lines += [
                'text_file = "text.int8.onnx"',
                f'text_sha256 = "{digest(folder, "text.int8.onnx")}"',
                "batch = 1",
            ]
        tables.append("\n".join(lines))
    with (folder / "model.toml").open("a") as file:
        file.write("\n" + "\n\n".join(tables) + "\n")
    return tmp_path


def digest(folder: Path, file: str) -> str:
    return hashlib.sha256((folder / file).read_bytes()).hexdigest()


def test_a_variant_is_chosen_behind_a_colon(varied: Path) -> None:
    plain, fp16, int8 = (registry.load(name, varied) for name in ("small", "small:fp16", "small:int8"))
    assert registry.load("small:fp32", varied) == plain
    assert [model.name for model in (plain, fp16, int8)] == ["small", "small:fp16", "small:int8"]
    assert [model.image.file.path.name for model in (plain, fp16, int8)] == [
        "image.onnx",
        "image.fp16.onnx",
        "image.int8.onnx",
    ]
    assert fp16.text == plain.text
    assert int8.text.file.path.name == "text.int8.onnx"
    assert (plain.image.batch, fp16.image.batch, int8.image.batch) == (4, 4, 1)
    assert plain.variants["int8"].images_per_second == 40.5
    pixels = np.ones((1, 3, towers.SIZE_PX, towers.SIZE_PX), np.float32)
    vectors = [ImageEncoder(model).encode(pixels)[0] for model in (plain, fp16, int8)]
    assert max(abs(float(vectors[0] @ other)) for other in vectors[1:]) < 0.99


def test_variants_never_share_an_index(varied: Path) -> None:
    ids = {registry.load(name, varied).id for name in ("small", "small:fp16", "small:int8")}
    assert len(ids) == 3
    assert not any(":" in each for each in ids)


def test_auto_takes_no_variant_unless_asked(varied: Path) -> None:
    description = varied / "models/small/model.toml"
    description.write_text(
        description.read_text().replace('licence = "none"', 'licence = "none"\nimagenet_accuracy = 60')
    )
    assert registry.load("auto", varied).name == "small"
    assert registry.load("auto:int8", varied).name == "small:int8"


def test_an_unknown_variant_is_answered_with_those_there_are(varied: Path) -> None:
    with pytest.raises(UsageError, match=r'small has no variant "int4"\. It has: fp32, fp16, int8\.'):
        registry.load("small:int4", varied)
    with pytest.raises(UsageError, match=r"It has: fp32\."):
        registry.load("starter:int8", varied)


def test_a_model_nobody_calibrated_says_so(varied: Path) -> None:
    small = registry.load("small", varied)
    assert (small.calibrated, small.calibration) == (False, UNCALIBRATED)
    assert registry.load("starter", varied).calibrated


def test_what_is_just_being_fetched_is_no_model_yet(tmp_path: Path) -> None:
    towers.write_model(tmp_path / "models" / ".small.part", "small")
    assert [model.name for model in registry.known(tmp_path)] == ["starter"]
