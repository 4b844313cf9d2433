"""Exported models: the parts that need no torch, and the whole of it where the environment with torch is there."""

from __future__ import annotations

import gzip
import os
import subprocess
import tomllib
from importlib.util import find_spec
from itertools import islice, product
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer

from atlas_rt.core.arrays import Floats
from atlas_rt.encoders import registry
from atlas_rt.encoders.export import bytepairs, description, export, proof, variants
from atlas_rt.encoders.export.description import Made, Measured, file_name
from atlas_rt.encoders.model_list import Entry
from atlas_rt.encoders.model_toml import IMAGE, TEXT, TOKENIZER
from atlas_rt.encoders.preprocess import Preprocessing
from atlas_rt.encoders.sessions import Session, open_session
from atlas_rt.errors import AtlasError, MissingError, UsageError

ROOT = Path(__file__).resolve().parents[2]
TORCH = Path(os.environ.get("ATLAS_EXPORT_VENV", ROOT / ".venv-export")) / "bin/python"
SPEC = Preprocessing(64, resize="crop", pixel_max=1.0, mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25), fill=(0, 0, 0))

with_torch = pytest.mark.skipif(
    not TORCH.exists(), reason="the environment with torch is not here; `scripts/check-export --narrow` makes it"
)


def weights(rows: int, columns: int, seed: int = 0) -> Floats:
    return np.random.default_rng(seed).normal(size=(rows, columns)).astype(np.float32)


def tower(file: Path, matrix: Floats, *, centred: bool = False) -> Session:
    """A graph (n, rows) -> (n, columns), unit length: one matrix; centred: then the batch's own mean is taken off."""
    nodes = [helper.make_node("MatMul", ["pixels", "w"], ["y"])]
    if centred:
        nodes += [
            helper.make_node("ReduceMean", ["y", "axis"], ["mean"], keepdims=1),
            helper.make_node("Sub", ["y", "mean"], ["z"]),
        ]
    nodes += [
        helper.make_node("ReduceL2", ["z" if centred else "y", "last"], ["length"], keepdims=1),
        helper.make_node("Div", ["z" if centred else "y", "length"], ["vectors"]),
    ]
    constants = [
        numpy_helper.from_array(matrix, "w"),
        numpy_helper.from_array(np.array([0], np.int64), "axis"),
        numpy_helper.from_array(np.array([1], np.int64), "last"),
    ]
    sides = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", side])
        for name, side in (("pixels", matrix.shape[0]), ("vectors", matrix.shape[1]))
    ]
    graph = helper.make_graph(nodes, "tower", sides[:1], sides[1:], constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), file)
    return open_session(file, threads=1)


def unit(vectors: Floats) -> Floats:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


# -- what proves a graph -----------------------------------------------------------------------------------------------


def test_a_graph_that_is_the_model_passes(tmp_path: Path) -> None:
    rows, matrix = weights(64, 80), weights(80, 16, seed=1)
    session = tower(tmp_path / "image.onnx", matrix)
    found = proof.compare(session, rows, unit(rows @ matrix), trimmed=False, batches=proof.BATCHES)
    assert found.worst >= 0.999999
    proof.refuse("image", found, tmp_path / "image.onnx")


def test_a_graph_with_other_weights_is_refused(tmp_path: Path) -> None:
    rows, matrix = weights(64, 80), weights(80, 16, seed=1)
    session = tower(tmp_path / "image.onnx", matrix + 0.05 * weights(80, 16, seed=2))
    found = proof.compare(session, rows, unit(rows @ matrix), trimmed=False, batches=proof.BATCHES)
    with pytest.raises(AtlasError, match=r"image tower is not the model: cosine 0\.99"):
        proof.refuse("image", found, tmp_path / "image.onnx")


def test_a_vector_that_depends_on_its_company_is_refused(tmp_path: Path) -> None:
    rows, matrix = weights(48, 80), weights(80, 16, seed=1)
    session = tower(tmp_path / "image.onnx", matrix, centred=True)
    found = proof.compare(session, rows, unit(rows @ matrix), trimmed=False, batches=(3, 16))
    assert found.company < 0.9999
    with pytest.raises(AtlasError, match="depends on what shares its batch"):
        proof.refuse("image", proof.Equality(1.0, 1.0, found.company), tmp_path / "image.onnx")


def test_vectors_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(AtlasError, match="not the model"):
        proof.refuse("text", proof.Equality(float("nan"), float("nan"), 1.0), tmp_path)


def test_the_pictures_are_real_and_the_phrases_of_every_length() -> None:
    pixels = proof.pictures(SPEC)
    assert pixels.shape == (64, 3, 64, 64)
    assert len({picture.tobytes() for picture in pixels}) == 64
    phrases = proof.phrases()
    assert len(set(phrases)) == len(phrases) == 64
    assert phrases[0] == ""
    assert len(phrases[1].split()) > 77


# -- fewer bits --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "size"), [("fp16", 0.51), ("int8", 0.26)])
def test_a_variant_is_smaller_and_near(tmp_path: Path, name: str, size: float) -> None:
    rows, matrix = weights(64, 256), weights(256, 256, seed=1)
    plain, file = tmp_path / "image.onnx", tmp_path / "variant.onnx"
    tower(plain, matrix)
    variants.make_variant(name, plain, file)
    assert file.stat().st_size < size * plain.stat().st_size + 4000
    found = proof.compare(open_session(file, threads=1), rows, unit(rows @ matrix), trimmed=False, batches=(1,))
    assert found.mean >= 0.9998
    assert found.worst < 1.0 - 1e-8, "nothing was changed"


def test_columns_keep_their_own_scale() -> None:
    matrix = weights(64, 3) * np.array([1.0, 1e-3, 0.0], np.float32)
    values, scales = variants.quantise(matrix, axis=0)
    assert values.dtype == np.int8
    assert np.abs(values * scales - matrix).max(axis=0) == pytest.approx([0, 0, 0], abs=0.02)
    assert np.abs(values[:, 1] * scales[1] - matrix[:, 1]).max() < 2e-5


def test_a_table_of_tokens_keeps_a_scale_for_each(tmp_path: Path) -> None:
    """Token ids -> the rows of a table, as int8: what is near zero in one row does not suffer from another."""
    table = weights(300, 64) * np.linspace(1e-3, 1.0, 300, dtype=np.float32)[:, None]
    node = helper.make_node("Gather", ["table", "ids"], ["vectors"])
    ids = helper.make_tensor_value_info("ids", TensorProto.INT64, ["n"])
    vectors = helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["n", 64])
    graph = helper.make_graph([node], "text", [ids], [vectors], [numpy_helper.from_array(table, "table")])
    plain, file = tmp_path / "text.onnx", tmp_path / "int8.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), plain)
    variants.make_variant("int8", plain, file)
    assert file.stat().st_size < 0.3 * plain.stat().st_size
    found = open_session(file, threads=1).run("vectors", {"ids": np.arange(300)})
    assert (np.abs(found - table).max(axis=1) <= np.abs(table).max(axis=1) / 250).all()


def test_small_matrices_stay(tmp_path: Path) -> None:
    tower(tmp_path / "plain.onnx", weights(8, 8))
    variants.make_variant("int8", tmp_path / "plain.onnx", tmp_path / "int8.onnx")
    assert {node.op_type for node in onnx.load(tmp_path / "int8.onnx").graph.node} == {"MatMul", "ReduceL2", "Div"}


# -- the tokenizer -----------------------------------------------------------------------------------------------------


def made_up_merges() -> list[tuple[str, str]]:
    """Merges that make "cat</w>" of c, a and t, then as many as CLIP has, of pairs that no ASCII text holds."""
    letters = bytepairs.byte_letters()
    high = [letter for letter in letters if letter > "~"]
    others = product(letters, [*high, *(f"{letter}</w>" for letter in high)])
    return [("c", "a"), ("ca", "t</w>"), *islice(others, bytepairs.MERGES - 2)]


@pytest.fixture(scope="module")
def clip() -> Tokenizer:
    tokenizer = bytepairs.clip_tokenizer(made_up_merges(), 77)
    reread: Tokenizer = Tokenizer.from_str(tokenizer.to_str())
    return reread


def test_clip_s_ids_stand_in_its_order(clip: Tokenizer) -> None:
    assert clip.get_vocab_size() == 49408
    assert [clip.token_to_id(word) for word in ("!", "!</w>", "ca", "cat</w>")] == [0, 256, 512, 513]
    assert clip.encode("").ids == [49406, 49407]


@pytest.mark.parametrize(
    ("phrase", "same"),
    [
        ("  CAT \n cat ", "cat cat"),
        ("cafe\u0301", "café"),
        ("‘cat’ “cat”", "'cat' \"cat\""),
        ("cat &amp; cat", "cat & cat"),
        ("ﬁnd\ufeff", "find"),
        ("cat\x00", "cat"),
        ("ΟΔΟΣ", "οδος"),
    ],
)
def test_phrases_are_cleaned_as_open_clip_cleans_them(clip: Tokenizer, phrase: str, same: str) -> None:
    assert clip.encode(phrase).tokens == clip.encode(same).tokens


def test_words_part_where_clip_parts_them(clip: Tokenizer) -> None:
    ends = [token for token in clip.encode("cat's 12 cat!?").tokens if token.endswith("</w>")]
    assert ends == ["cat</w>", "s</w>", "1</w>", "2</w>", "cat</w>", "?</w>"]


def test_what_is_too_long_is_cut_and_still_ends(clip: Tokenizer) -> None:
    ids = clip.encode("cat " * 500).ids
    assert len(ids) == 77
    assert (ids[0], ids[-1]) == (49406, 49407)


def test_merges_are_read_from_clip_s_file(tmp_path: Path) -> None:
    file = tmp_path / "merges.txt.gz"
    lines = ["version", *(" ".join(pair) for pair in made_up_merges()), "more than", "CLIP took"]
    file.write_bytes(gzip.compress("\n".join(lines).encode()))
    assert bytepairs.read_merges(file) == made_up_merges()


@pytest.mark.parametrize(
    "content", [b"no gzip", gzip.compress(b"version\nc a\n", mtime=0), gzip.compress(b"x" * 1000, mtime=0)[:-12]]
)
def test_other_files_hold_no_merges(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "merges.txt.gz"
    file.write_bytes(content)
    with pytest.raises(MissingError, match="byte pairs"):
        bytepairs.read_merges(file)


# -- model.toml --------------------------------------------------------------------------------------------------------


def test_the_description_is_read_back(tmp_path: Path) -> None:
    for name in ("", "int8"):
        for part in (IMAGE, TEXT):
            (tmp_path / file_name(part, name)).write_bytes(f"{name} {part}".encode())
    (tmp_path / TOKENIZER).write_text("{}")
    made = Made(
        entry=Entry(name="mine", family="siglip", licence='MIT "or so"', source="org/mine", imagenet_accuracy=66.5),
        preprocessing=SPEC,
        dim=16,
        context_length=64,
        pad_id=0,
        clean="canonicalize",
        inputs=("pixels", "ids"),
        output="vectors",
        origin="Untrained weights",
        variants=(Measured("int8", 0.99, 0.98, 12.345, alone=True),),
    )
    (tmp_path / "model.toml").write_text(description.describe(made, tmp_path))
    model = registry.read_model(tmp_path / "model.toml")
    assert (model.name, model.dim, model.licence, model.imagenet_accuracy) == ("mine", 16, 'MIT "or so"', 66.5)
    assert model.image.preprocessing == SPEC
    assert (model.text.context_length, model.text.pad_id, model.text.clean) == (64, 0, "canonicalize")
    assert (model.image.input, model.text.inputs, model.text.output) == ("pixels", ("ids",), "vectors")
    assert not model.calibrated
    variant = model.variants["int8"]
    assert (variant.batch, variant.cosine, variant.images_per_second) == (1, 0.99, 12.35)
    for file in (*model.files, variant.image, variant.text):
        assert file
        assert file.verified().exists()


def test_without_the_extra_the_way_to_it_is_named(tmp_path: Path) -> None:
    if find_spec("torch"):
        pytest.skip("torch is installed in this environment")
    with pytest.raises(MissingError, match=r"needs torch, .*pip install .*atlas_rt\[export\]") as refused:
        export(Entry(name="ViT-B-32", family="clip"), tmp_path / "models/x", progress=print)
    assert refused.value.exit_code == 3
    assert not (tmp_path / "models").exists()


# -- with torch --------------------------------------------------------------------------------------------------------


@with_torch
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_narrow_models_of_both_families_are_equal_to_torch() -> None:
    done = subprocess.run(
        [ROOT / "scripts/check-export", "--narrow"], capture_output=True, text=True, env=os.environ, timeout=900
    )
    assert done.returncode == 0, done.stderr
    rows = [line.split(" | ") for line in done.stdout.splitlines() if "narrow" in line]
    assert [row[:2] for row in rows] == [
        [f"| {name}", variant] for name in ("narrow-clip", "narrow-siglip") for variant in ("fp32", "fp16", "int8")
    ]
    for row in rows:
        if row[1] == "fp32":
            assert float(row[6]) >= 0.9999
            assert float(row[7]) >= 0.9999


WITH_TORCH = """
import resource, sys
from pathlib import Path
import torch
import check_export
from atlas_rt.encoders.model_list import Entry
from atlas_rt.errors import AtlasError
from atlas_rt.encoders.export import export

folder, what = Path(sys.argv[1]), sys.argv[2]
name = "narrow-siglip" if what == "tokenizer" else "narrow-clip"
config = check_export.write_config(name, folder)
def progress(text):
    if what == "interrupted" and text.startswith("checking fp16"):
        raise KeyboardInterrupt

options = {"random_weights": what in ("full", "interrupted", "tokenizer")}
if what == "full":
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, resource.RLIM_INFINITY))
elif not options["random_weights"]:
    import open_clip
    open_clip.add_model_config(config)
    model = open_clip.create_model(name, pretrained=None, load_weights=False)
    options["checkpoint"] = folder / "weights.pt"
    if what == "checkpoint":
        torch.save(model.state_dict(), options["checkpoint"])
    elif what == "other":
        torch.save({"w": torch.zeros(3)}, options["checkpoint"])
    else:
        class Trap:
            def __reduce__(self):
                return (print, ("RUN",))
        torch.save(Trap(), options["checkpoint"])
try:
    place = folder / "models" / name
    report = export(Entry(name=name, family="clip"), place, config=config, progress=progress, **options)
    print(report.variants[0].worst_image)
except (AtlasError, KeyboardInterrupt) as error:
    print(type(error).__name__, error)
print(sorted(path.name for path in folder.glob("models/*")))
"""


def in_torch(folder: Path, what: str) -> str:
    paths = os.pathsep.join([str(ROOT), str(ROOT / "scripts")])
    done = subprocess.run(
        [TORCH, "-W", "ignore", "-c", WITH_TORCH, folder, what],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": paths},
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@with_torch
@pytest.mark.slow
@pytest.mark.timeout(700)
def test_a_checkpoint_is_exported_and_its_model_can_be_used(tmp_path: Path) -> None:
    from atlas_rt.encoders.encoder import ImageEncoder, TextEncoder

    out = in_torch(tmp_path, "checkpoint")
    assert float(out.splitlines()[0]) >= 0.9999
    assert out.splitlines()[1] == "['narrow-clip']"
    model = registry.load("narrow-clip", tmp_path)
    assert ImageEncoder(model).encode(proof.pictures(model.image.preprocessing, 3)).shape == (3, 64)
    assert np.linalg.norm(TextEncoder(model).encode("a red car")) == pytest.approx(1.0)
    ImageEncoder(registry.load("narrow-clip:int8", tmp_path))
    described = tomllib.loads((tmp_path / "models/narrow-clip/model.toml").read_text())
    assert set(described["variants"]) == {"fp16", "int8"}


@with_torch
@pytest.mark.slow
@pytest.mark.timeout(700)
@pytest.mark.parametrize(
    ("what", "answer"),
    [
        ("tokenizer", f"{UsageError.__name__} The tokenizer of narrow-siglip is not part of open_clip"),
        ("other", f"{MissingError.__name__} These weights cannot be used for this model"),
        ("full", f"{MissingError.__name__} The disk is full; nothing of the export was kept."),
        ("interrupted", "KeyboardInterrupt"),
        (
            "trap",
            f"{MissingError.__name__} These weights cannot be used for this model (the file holds more than weights",
        ),
    ],
)
def test_what_cannot_be_exported_leaves_nothing(tmp_path: Path, what: str, answer: str) -> None:
    out = in_torch(tmp_path, what)
    assert out.startswith(answer)
    assert "RUN" not in out, "something in the checkpoint was run"
    assert out.splitlines()[-1] == "[]"
