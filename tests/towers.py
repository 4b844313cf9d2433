"""Real ONNX towers of a few kilobytes, in the shapes that published exports come in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, pre_tokenizers

DIM, SIZE_PX, LENGTH, PAD = 16, 8, 6, 1
WORDS = ("<unk>", "<pad>", "a", "red", "blue", "apple", "guitar", "tree", "dog", "picture")
PICTURES = {
    "size": [SIZE_PX, SIZE_PX],
    "mode": "RGB",
    "mean": [0.5, 0.5, 0.5],
    "std": [0.5, 0.5, 0.5],
    "interpolation": "bicubic",
    "resize_mode": "squash",
    "fill_color": 0,
}


def image_tower(
    *,
    seed: int = 0,
    batch: int | str = "batch",
    input_name: str = "image",
    output: str = "embedding",
    dim: int = DIM,
    through: str = "Identity",
) -> bytes:
    """(batch, 3, 8, 8) float32 -> (batch, dim) float32, not normalised. through: an operator on the pixels, "Sqrt" to
    make no number of dark ones, "Relu" to make nothing of them."""
    side = 3 * SIZE_PX * SIZE_PX
    weights = np.random.default_rng(seed).normal(size=(side, dim)).astype(np.float32)
    nodes = [
        helper.make_node(through, [input_name], ["pixels"]),
        helper.make_node("Reshape", ["pixels", "flat"], ["rows"]),
        helper.make_node("MatMul", ["rows", "weights"], [output]),
    ]
    constants = [_constant("flat", np.array([-1, side])), _constant("weights", weights)]
    inputs = [helper.make_tensor_value_info(input_name, TensorProto.FLOAT, [batch, 3, SIZE_PX, SIZE_PX])]
    return _graph(nodes, inputs, [helper.make_tensor_value_info(output, TensorProto.FLOAT, [batch, dim])], constants)


def text_tower(
    *,
    seed: int = 0,
    batch: int | str = 1,
    length: int | str = LENGTH,
    tokens: type[np.signedinteger[Any]] = np.int32,
    mask: bool = False,
    input_name: str = "text",
    output: str = "embedding",
    dim: int = DIM,
) -> bytes:
    """(batch, length) tokens, and a mask -> (batch, dim) float32: the sum of each token's vector, padding included
    unless masked."""
    kind = {np.int32: TensorProto.INT32, np.int64: TensorProto.INT64}[tokens]
    table = np.random.default_rng(100 + seed).normal(size=(len(WORDS), dim)).astype(np.float32)
    inputs = [helper.make_tensor_value_info(input_name, kind, [batch, length])]
    nodes = [helper.make_node("Gather", ["table", input_name], ["each"])]
    if mask:
        inputs.append(helper.make_tensor_value_info("attention_mask", kind, [batch, length]))
        nodes += [
            helper.make_node("Cast", ["attention_mask"], ["weight"], to=TensorProto.FLOAT),
            helper.make_node("Unsqueeze", ["weight", "last"], ["weights"]),
            helper.make_node("Mul", ["each", "weights"], ["read"]),
        ]
    nodes.append(helper.make_node("ReduceSum", ["read" if mask else "each", "along"], [output], keepdims=0))
    constants = [_constant("table", table), _constant("along", np.array([1])), _constant("last", np.array([2]))]
    return _graph(nodes, inputs, [helper.make_tensor_value_info(output, TensorProto.FLOAT, [batch, dim])], constants)


def token_vector(words: list[str], *, seed: int = 0) -> np.ndarray[Any, Any]:
    """What the text tower gives for these words of its vocabulary, at length one."""
    table = np.random.default_rng(100 + seed).normal(size=(len(WORDS), DIM)).astype(np.float32)
    total = table[[WORDS.index(word) for word in words]].sum(axis=0)
    return total / np.linalg.norm(total)


def tokenizer() -> bytes:
    made = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    return made.to_str().encode()


def older_export() -> dict[str, bytes]:
    """The batch is free, tokens are int32, the context is fixed, the tokenizer lies beside the text tower."""
    return {
        "visual/model.onnx": image_tower(),
        "textual/model.onnx": text_tower(batch="batch"),
        "textual/tokenizer.json": tokenizer(),
        "textual/tokenizer_config.json": json.dumps({"pad_token": "<pad>"}).encode(),
        "visual/preprocess_cfg.json": json.dumps(PICTURES).encode(),
        "config.json": json.dumps({"embed_dim": DIM, "text_cfg": {"context_length": LENGTH}}).encode(),
        "README.md": b"an export",
    }


def newer_export() -> dict[str, bytes]:
    """The batch is fixed at 1, tokens are int64 with a mask, names are others, files lie elsewhere."""
    return {
        "visual/model.onnx": image_tower(batch=1, input_name="pixel_values", output="image_embeds"),
        "textual/model.onnx": text_tower(tokens=np.int64, mask=True, input_name="input_ids", output="text_embeds"),
        "tokenizer.json": tokenizer(),
        "preprocess_cfg.json": json.dumps(PICTURES | {"size": SIZE_PX, "resize_mode": "shortest"}).encode(),
    }


def write_model(folder: Path, name: str, *, seed: int = 0, more: str = "", through: str = "Identity") -> Path:
    """A model of these towers as it lies in a cache, without the way over a hub. more: lines before the tables."""
    import hashlib

    folder.mkdir(parents=True)
    files = {
        "image.onnx": image_tower(seed=seed, through=through),
        "text.onnx": text_tower(seed=seed),
        "tokenizer.json": tokenizer(),
    }
    for file, content in files.items():
        (folder / file).write_bytes(content)
    hashes = {file: hashlib.sha256(content).hexdigest() for file, content in files.items()}
    (folder / "model.toml").write_text(
        f"""name = "{name}"
dim = {DIM}
licence = "none"
{more}
[image]
file = "image.onnx"
sha256 = "{hashes["image.onnx"]}"
input = "image"
output = "embedding"
size_px = {SIZE_PX}
resize = "squash"
pixel_max = 1.0
mean = [0.5, 0.5, 0.5]
std = [0.5, 0.5, 0.5]
batch = 4

[text]
file = "text.onnx"
sha256 = "{hashes["text.onnx"]}"
inputs = ["text"]
output = "embedding"
tokenizer = "tokenizer.json"
tokenizer_sha256 = "{hashes["tokenizer.json"]}"
context_length = {LENGTH}
pad_id = {PAD}
"""
    )
    return folder


def _constant(name: str, values: np.ndarray[Any, Any]) -> onnx.TensorProto:
    return numpy_helper.from_array(values, name)


def _graph(nodes: list[Any], inputs: list[Any], outputs: list[Any], constants: list[onnx.TensorProto]) -> bytes:
    used = {name for node in nodes for name in node.input}
    graph = helper.make_graph(nodes, "tower", inputs, outputs, [each for each in constants if each.name in used])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    content: bytes = model.SerializeToString()
    return content
