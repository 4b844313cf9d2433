"""The towers as ONNX graphs: convolutions in eight bits; other weights stored in few bits and computed in full."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process
from torch import nn

from atlas_rt.encoders.export.variants import quantise

OPSET = 17
STORED_MIN = 4096
"""Smaller constants stay as they are."""
EIGHT_BITS_MIN = {"image": 1_000_000, "text": 100_000}
"""Constants of so many values are stored in eight bits: of the text tower the sentence encoder and its prototypes."""


def export_images(tower: nn.Module, pictures: NDArray[np.float32], file: Path) -> None:
    """pictures: (n, 3, side, side) that set the ranges of eight bits. Behind the convolutions arithmetic is fp32."""
    with tempfile.TemporaryDirectory() as folder:
        plain, ready, eight = (Path(folder) / name for name in ("plain.onnx", "ready.onnx", "eight.onnx"))
        _export(tower, (torch.from_numpy(pictures[:2]),), plain, ["pixels"])
        quant_pre_process(str(plain), str(ready), skip_symbolic_shape=True)
        quantize_static(
            *(str(ready), str(eight), _Pictures(pictures)),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=["Conv", "Clip"],
            calibrate_method=CalibrationMethod.Percentile,  # by the extremes drawings lose a point of recall
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
        _save(_stored(onnx.load(eight), EIGHT_BITS_MIN["image"]), file)


def export_text(tower: nn.Module, file: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "plain.onnx"
        ids = torch.randint(1000, 2000, (2, 7))
        _export(tower, (ids, torch.ones_like(ids)), plain, ["input_ids", "attention_mask"])
        _save(_stored(onnx.load(plain), EIGHT_BITS_MIN["text"]), file)


def _export(tower: nn.Module, example: tuple[torch.Tensor, ...], file: Path, inputs: list[str]) -> None:
    axes = {name: {0: "n", 1: "length"} if len(inputs) > 1 else {0: "n"} for name in inputs} | {"embedding": {0: "n"}}
    torch.onnx.export(
        tower.eval(), example, file, dynamo=False, opset_version=OPSET, input_names=inputs, output_names=["embedding"],
        dynamic_axes=axes,
    )  # fmt: skip


class _Pictures(CalibrationDataReader):
    def __init__(self, pictures: NDArray[np.float32]) -> None:
        self._left: Iterator[NDArray[np.float32]] = iter(pictures)

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        picture = next(self._left, None)
        return None if picture is None else {"pixels": picture[None]}


def _stored(model: Any, eight_bits_min: int) -> Any:
    """Large constants in fewer bits, cast back before they are used, which ONNX Runtime does once as it loads.

    From `eight_bits_min` values on in eight bits, with a scale for each output of a matrix and each row of a table;
    else in half precision.
    Arithmetic stays in fp32, so a vector does not depend on what shares its batch.
    """
    graph = model.graph
    constants = {each.name: each for each in graph.initializer if _worth_it(each)}
    before: list[Any] = []
    nodes: list[Any] = []
    done: set[str] = set()
    for node in graph.node:
        name = node.input[0] if node.op_type == "Gather" else ""
        if name in constants and _size(constants[name]) >= eight_bits_min:
            nodes += _rows(graph, node, constants[name], done)
            continue
        for name in node.input:
            if name in constants and name not in done:
                done.add(name)
                axis = _inputs_axis(node) if len(constants[name].dims) == 2 else None
                if axis is None or _size(constants[name]) < eight_bits_min:
                    before += _half(graph, constants[name])
                else:
                    before += _eight_bits(graph, constants[name], axis)
        nodes.append(node)
    used = {name for node in (*before, *nodes) for name in node.input}
    kept = [each for each in graph.initializer if each.name in used]
    del graph.node[:], graph.initializer[:]
    graph.node.extend([*before, *nodes])
    graph.initializer.extend(kept)
    return model


def _worth_it(constant: Any) -> bool:
    return constant.data_type == TensorProto.FLOAT and _size(constant) >= STORED_MIN


def _size(constant: Any) -> int:
    return int(np.prod(constant.dims))


def _half(graph: Any, constant: Any) -> list[Any]:
    values = numpy_helper.to_array(constant).astype(np.float16)
    graph.initializer.append(numpy_helper.from_array(values, f"{constant.name}.half"))
    constant_name, constant.name = constant.name, f"{constant.name}.unused"
    return [helper.make_node("Cast", [f"{constant_name}.half"], [constant_name], to=TensorProto.FLOAT)]


def _inputs_axis(node: Any) -> int | None:
    """Of a matrix in a product, the axis along which it is summed."""
    if node.op_type == "Gemm":
        return int(any(each.name == "transB" and each.i for each in node.attribute))
    return 0 if node.op_type == "MatMul" else None


def _eight_bits(graph: Any, constant: Any, axis: int) -> list[Any]:
    name, constant.name = constant.name, f"{constant.name}.unused"
    values, scales = quantise(numpy_helper.to_array(constant), axis=axis)
    graph.initializer.append(numpy_helper.from_array(values, f"{name}.int8"))
    graph.initializer.append(numpy_helper.from_array(scales, f"{name}.scales"))
    return [
        helper.make_node("Cast", [f"{name}.int8"], [f"{name}.floats"], to=TensorProto.FLOAT),
        helper.make_node("Mul", [f"{name}.floats", f"{name}.scales"], [name]),
    ]


def _rows(graph: Any, node: Any, constant: Any, done: set[str]) -> list[Any]:
    """Rows are cast after they are taken, or the whole table would be."""
    name, ids, y = constant.name, node.input[1], node.output[0]
    if name not in done:
        done.add(name)
        values, scales = quantise(numpy_helper.to_array(constant), axis=1)
        graph.initializer.append(numpy_helper.from_array(values, f"{name}.int8"))
        graph.initializer.append(numpy_helper.from_array(scales, f"{name}.scales"))
    return [
        helper.make_node("Gather", [f"{name}.int8", ids], [f"{y}.int8"]),
        helper.make_node("Cast", [f"{y}.int8"], [f"{y}.floats"], to=TensorProto.FLOAT),
        helper.make_node("Gather", [f"{name}.scales", ids], [f"{y}.scales"]),
        helper.make_node("Mul", [f"{y}.floats", f"{y}.scales"], [y]),
    ]


def _save(model: Any, file: Path) -> None:
    """Checked, and under its name only when it is whole."""
    onnx.checker.check_model(model)
    part = file.with_suffix(".part")
    onnx.save(model, part)
    shutil.move(part, file)
