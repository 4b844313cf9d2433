"""Fetching a published export from a hub on the loopback interface, and everything that can go wrong on the way."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from atlas_rt.encoders import hub_import, registry
from atlas_rt.encoders.encoder import ImageEncoder, TextEncoder
from atlas_rt.encoders.hub import Fetching
from atlas_rt.encoders.model_list import Entry
from atlas_rt.encoders.preprocess import to_input
from atlas_rt.encoders.registry import Model
from atlas_rt.errors import MissingError
from tests import hubs, towers
from tests.hubs import Hub

ENTRY = Entry(name="small", family="clip", licence="MIT", commercial_use=True, imagenet_accuracy=50.0)
VISUAL, TEXTUAL = "visual/model.onnx", "textual/model.onnx"


@pytest.fixture
def hub() -> Iterator[Hub]:
    with hubs.running(towers.older_export()) as hub:
        yield hub


def get(hub: Hub, cache: Path, *, told: list[Fetching] | None = None, revision: str = "") -> Model:
    tell = (lambda _: None) if told is None else told.append
    return hub_import.get(ENTRY, cache, repository=hubs.NAME, revision=revision, tell=tell, endpoint=hub.url)


def refused(hub: Hub, cache: Path, *, revision: str = "") -> str:
    """The sentence; and nothing was registered."""
    with pytest.raises(MissingError) as refusal:
        get(hub, cache, revision=revision)
    assert [model.name for model in registry.known(cache)] == ["starter"]
    return str(refusal.value)


def unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.linalg.norm(vector)


# -- good fetches ------------------------------------------------------------------------------------------------------


def test_an_older_export_is_fetched_and_encodes(hub: Hub, tmp_path: Path) -> None:
    told: list[Fetching] = []
    model = get(hub, tmp_path, told=told)
    assert registry.load("small", tmp_path) == model
    assert (model.dim, model.source, model.revision) == (towers.DIM, hubs.NAME, hubs.COMMIT)
    assert (model.licence, model.commercial_use, model.imagenet_accuracy) == ("MIT", True, 50.0)
    assert model.image.preprocessing.resize == "squash"
    assert (model.text.pad_id, model.text.context_length) == (towers.PAD, towers.LENGTH)
    assert not model.calibrated
    assert {path.name for path in model.folder.iterdir()} == {"image.onnx", "text.onnx", "tokenizer.json", "model.toml"}
    assert [path.name for path in (tmp_path / "models").iterdir()] == ["small"]

    picture = Image.new("RGB", (40, 30), (250, 10, 90))
    pixels = np.stack([to_input(picture, model.image.preprocessing)] * 3)
    np.testing.assert_allclose(pixels[0][:, 0, 0], np.array([250, 10, 90]) / 255 * 2 - 1, atol=0.01)
    vectors = ImageEncoder(model).encode(pixels)
    assert vectors.shape == (3, towers.DIM)
    # int32, and filled up to the context's six tokens
    phrase = TextEncoder(model).encode("a red apple")
    expected = towers.token_vector(["a", "red", "apple", "<pad>", "<pad>", "<pad>"])
    np.testing.assert_allclose(phrase, expected, atol=1e-6)

    assert (
        told[-1].done
        == told[-1].total
        == sum(len(content) for path, content in hub.files.items() if "README" not in path)
    )
    assert [state.done for state in told] == sorted(state.done for state in told)
    assert not any("uthorization" in name for headers in hub.headers for name in headers)


def test_a_newer_export_is_fetched_and_encodes(tmp_path: Path) -> None:
    with hubs.running(towers.newer_export()) as hub:
        model = get(hub, tmp_path)
    assert (model.image.input, model.image.output, model.image.batch) == ("pixel_values", "image_embeds", 1)
    assert (model.text.inputs, model.text.output) == (("input_ids", "attention_mask"), "text_embeds")
    assert model.image.preprocessing.resize == "crop"
    assert ImageEncoder(model).encode(np.zeros((3, 3, 8, 8), np.float32) + 0.3).shape == (3, towers.DIM)
    # int64, and what fills it up is masked
    np.testing.assert_allclose(TextEncoder(model).encode("red apple"), towers.token_vector(["red", "apple"]), atol=1e-6)


@pytest.mark.parametrize("batch", [1, "batch"])
@pytest.mark.parametrize("length", [towers.LENGTH, "length"])
@pytest.mark.parametrize("tokens", [np.int32, np.int64])
@pytest.mark.parametrize("mask", [False, True])
def test_text_graphs_of_every_kind(
    tmp_path: Path, batch: int | str, length: int | str, tokens: type, mask: bool
) -> None:
    files = towers.older_export()
    files[TEXTUAL] = towers.text_tower(batch=batch, length=length, tokens=tokens, mask=mask)
    with hubs.running(files) as hub:
        encoder = TextEncoder(get(hub, tmp_path))
    read = ["blue", "dog"] if mask else ["blue", "dog", "<pad>", "<pad>", "<pad>", "<pad>"]
    np.testing.assert_allclose(encoder.encode("blue dog"), towers.token_vector(read), atol=1e-6)
    long = encoder.encode(" ".join(["tree"] * 5 + ["dog"] * 50))
    np.testing.assert_allclose(long, towers.token_vector(["tree"] * 5 + ["dog"]), atol=1e-6)
    for phrase in ("", "x" * 10_000, "собака", "🦊🍎"):
        assert np.isfinite(encoder.encode(phrase)).all()


def test_a_graph_of_free_length_without_padding_runs_unpadded(tmp_path: Path) -> None:
    files = towers.older_export()
    files[TEXTUAL] = towers.text_tower(length="length")
    del files["textual/tokenizer_config.json"]
    with hubs.running(files) as hub:
        model = get(hub, tmp_path)
    assert model.text.pad_id is None
    np.testing.assert_allclose(TextEncoder(model).encode("red dog"), towers.token_vector(["red", "dog"]), atol=1e-6)


def test_text_is_handed_over_as_siglip_was_trained_on_it(tmp_path: Path) -> None:
    files = towers.older_export()
    network = {"text_cfg": {"context_length": towers.LENGTH, "tokenizer_kwargs": {"clean": "canonicalize"}}}
    files["config.json"] = json.dumps(network).encode()
    with hubs.running(files) as hub:
        encoder = TextEncoder(get(hub, tmp_path))
    np.testing.assert_array_equal(encoder.encode("A  Red_Apple!"), encoder.encode("a red apple"))


def test_vectors_depend_on_nothing_beside(hub: Hub, tmp_path: Path) -> None:
    encoder = ImageEncoder(get(hub, tmp_path))
    pixels = np.random.default_rng(0).normal(size=(16, 3, 8, 8)).astype(np.float32)
    together = encoder.encode(pixels)
    for row in range(16):
        np.testing.assert_array_equal(encoder.encode(pixels[row : row + 1])[0], together[row])


# -- the connection ----------------------------------------------------------------------------------------------------


def test_a_cut_connection_is_taken_up_where_it_was_cut(hub: Hub, tmp_path: Path) -> None:
    hub.cut[VISUAL] = [5000, 3000]
    get(hub, tmp_path)
    ranges = [(each.range, each.sent) for each in hub.asked if each.path == VISUAL]
    assert ranges[:2] == [("", 5000), ("bytes=5000-", 3000)]
    assert ranges[2][0] == "bytes=8000-"
    assert hub.sent(VISUAL) == len(hub.files[VISUAL])  # no byte twice


def test_a_fetch_that_was_given_up_goes_on_in_the_next(hub: Hub, tmp_path: Path) -> None:
    def leave(state: Fetching) -> None:
        if state.path == VISUAL:
            raise KeyboardInterrupt  # as Ctrl-C arrives: anywhere

    with pytest.raises(KeyboardInterrupt):
        hub_import.get(ENTRY, tmp_path, repository=hubs.NAME, revision="", tell=leave, endpoint=hub.url)
    (part,) = (tmp_path / "models" / ".small.part").glob("image.onnx.*.part")
    kept = part.stat().st_size
    assert kept > 0
    hub.asked.clear()
    get(hub, tmp_path)
    asked = [each for each in hub.asked if each.path == VISUAL]
    assert sum(each.sent for each in asked) == len(hub.files[VISUAL]) - kept
    assert all(each.range == f"bytes={kept}-" for each in asked)


def test_a_hub_that_ignores_ranges_sends_all_again(hub: Hub, tmp_path: Path) -> None:
    hub.ranges = False
    hub.cut[VISUAL] = [5000]
    model = get(hub, tmp_path)
    assert model.image.file.sha256 == hashlib.sha256(hub.files[VISUAL]).hexdigest()
    assert hub.sent(VISUAL) == len(hub.files[VISUAL]) + 5000


def test_no_network_is_said_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(MissingError) as refusal:
        hub_import.get(ENTRY, tmp_path, repository=hubs.NAME, revision="", tell=print, endpoint=hubs.closed_port())
    assert "The hub cannot be reached" in str(refusal.value)
    assert "Check the network and fetch it again" in str(refusal.value)


# -- what the hub holds ------------------------------------------------------------------------------------------------


def test_content_that_is_not_the_recorded_one_is_thrown_away(hub: Hub, tmp_path: Path) -> None:
    right = hub.files[VISUAL]
    hub.served[VISUAL] = right[:-1] + bytes([right[-1] ^ 1])
    sentence = refused(hub, tmp_path)
    assert hashlib.sha256(right).hexdigest() in sentence
    assert hashlib.sha256(hub.served[VISUAL]).hexdigest() in sentence
    hub.served.clear()
    assert get(hub, tmp_path).image.file.sha256 == hashlib.sha256(right).hexdigest()


def test_a_small_file_is_held_against_gits_hash(hub: Hub, tmp_path: Path) -> None:
    path = "visual/preprocess_cfg.json"
    hub.served[path] = hub.files[path].replace(b"squash", b"sqaush")
    assert "its git hash is" in refused(hub, tmp_path)


def test_what_changed_since_it_was_recorded_is_refused_with_both_hashes(hub: Hub, tmp_path: Path) -> None:
    model = get(hub, tmp_path)
    recorded = model.image.file.sha256
    hub.files[VISUAL] = towers.image_tower(seed=7)  # at the same commit
    hub.asked.clear()
    with pytest.raises(MissingError) as refusal:
        get(hub, tmp_path)
    assert recorded in str(refusal.value)
    assert hashlib.sha256(hub.files[VISUAL]).hexdigest() in str(refusal.value)
    assert hub.asked == []  # the listing said so
    assert registry.load("small", tmp_path).image.file.verified()  # the recorded one stays


def test_a_damaged_model_is_repaired_by_fetching_it_again(hub: Hub, tmp_path: Path) -> None:
    model = get(hub, tmp_path)
    file = model.folder / "text.onnx"
    file.write_bytes(file.read_bytes() + b" ")
    with pytest.raises(MissingError, match="is not the recorded one"):
        TextEncoder(registry.load("small", tmp_path))
    get(hub, tmp_path)
    TextEncoder(registry.load("small", tmp_path))
    assert [path.name for path in (tmp_path / "models").iterdir()] == ["small"]


def test_a_repository_a_revision_or_a_file_that_is_not_there(hub: Hub, tmp_path: Path) -> None:
    assert "no such revision" in refused(hub, tmp_path, revision="v9")
    del hub.files[TEXTUAL]
    del hub.files["textual/tokenizer.json"]
    sentence = refused(hub, tmp_path)
    assert "no textual/model.onnx, no textual/tokenizer.json or tokenizer.json" in sentence
    for name, reason in (("someone/else", "no public repository"), ("no name of one", "no name of a repository")):
        with pytest.raises(MissingError, match=reason):
            hub_import.get(ENTRY, tmp_path, repository=name, revision="", tell=print, endpoint=hub.url)


# -- what is no encoder ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "content", "reasons"),
    [
        (VISUAL, b"<html>not found</html>" * 100, ["cannot be loaded"]),
        (TEXTUAL, b"", ["cannot be loaded"]),
        (
            VISUAL,
            towers.text_tower(),
            ["lacks an input of pictures", "Its inputs: text (1, 6) tensor(int32)", "image.onnx"],
        ),
        (TEXTUAL, towers.image_tower(), ["lacks an input of tokens", "Its inputs: image", "text.onnx"]),
        (TEXTUAL, towers.text_tower(dim=8), ["a picture's vector has 16 dimensions, a phrase's 8"]),
        ("textual/tokenizer.json", b"{}", ["tokenizer"]),
        ("textual/tokenizer.json", b"no json" * 200, ["tokenizer.json of this export cannot be read"]),
        ("visual/preprocess_cfg.json", b'{"size": "large"}', ["no mean and std"]),
        ("visual/preprocess_cfg.json", b"[]", ["preprocess_cfg.json"]),
    ],
)
def test_an_export_that_is_no_encoder_says_what_is_missing(
    hub: Hub, tmp_path: Path, path: str, content: bytes, reasons: list[str]
) -> None:
    hub.files[path] = content
    sentence = refused(hub, tmp_path)
    for reason in reasons:
        assert reason in sentence
    assert list((tmp_path / "models").iterdir()) == []


def test_an_output_that_is_no_vector_is_named(hub: Hub, tmp_path: Path) -> None:
    """The hidden states of all tokens: what exports of a bare transformer give."""
    from onnx import TensorProto, helper

    tokens = helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["n", "l"])
    states = helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, ["n", "l", 1])
    nodes = [
        helper.make_node("Cast", ["input_ids"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["floats", "last"], ["last_hidden_state"]),
    ]
    last = helper.make_tensor("last", TensorProto.INT64, [1], [2])
    graph = helper.make_graph(nodes, "bare", [tokens], [states], [last])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    hub.files[TEXTUAL] = made.SerializeToString()
    sentence = refused(hub, tmp_path)
    assert "lacks one output of vectors" in sentence
    assert "last_hidden_state ('n', 'n', 1)" in sentence
