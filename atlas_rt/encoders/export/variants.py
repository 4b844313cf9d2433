"""The same graph in fewer bits: half precision for GPUs, eight bits for processors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atlas_rt.core.arrays import Floats

HALF, EIGHT_BITS = "fp16", "int8"
VARIANTS = (HALF, EIGHT_BITS)
FULL_PRECISION = ["ReduceL2", "Clip", "Div"]
"""Kept in fp32: a vector's squares overflow half precision, and the last division is what makes it a unit."""
QUANTISED_MIN = 64 * 64
"""Smaller matrices are not worth their rounding."""


def make_variant(name: str, graph: Path, file: Path) -> None:
    """Write the variant of that name of one graph."""
    import onnx

    model = onnx.load(graph)
    model = _half(model) if name == HALF else _eight_bits(model)
    onnx.save(model, file)


def _half(model: Any) -> Any:
    """Weights and arithmetic in half precision; inputs and outputs stay as they are."""
    from onnxruntime.transformers.float16 import DEFAULT_OP_BLOCK_LIST, convert_float_to_float16

    blocked = [*DEFAULT_OP_BLOCK_LIST, *FULL_PRECISION]
    return convert_float_to_float16(model, keep_io_types=True, op_block_list=blocked, disable_shape_infer=False)


def _eight_bits(model: Any) -> Any:
    """Matrices as int8 with a scale per column, what meets them as uint8 with one scale per run; tables of tokens as
    int8 with a scale per row.

    The scale of a run is taken over the whole batch, so a vector would depend on what shares it (ViT-B/32: cosine
    0.99985): such a graph runs with one image or phrase at a time. ViT-B/32 then takes 34 ms of one core instead of 98.
    The blocks of MatMulNBits depend on nothing, and take 70.
    """
    from onnx import numpy_helper

    graph = model.graph
    constants = {each.name: each for each in graph.initializer}
    nodes, tables = [], {}
    for node in graph.node:
        place = {"MatMul": 1, "Gather": 0}.get(node.op_type)
        name = "" if place is None else node.input[place]
        by_row = not any(each.name == "axis" and each.i != 0 for each in node.attribute)
        if name not in constants or not by_row or not _worth_it(constants[name]):
            nodes.append(node)
            continue
        axis = 0 if node.op_type == "MatMul" else 1  # that shares a scale
        if (name, axis) not in tables:
            values, scales = quantise(numpy_helper.to_array(constants[name]), axis=axis)
            tables[name, axis] = (
                numpy_helper.from_array(values, f"{name}.int8.{axis}"),
                numpy_helper.from_array(scales, f"{name}.scales.{axis}"),
            )
        quantised = [each.name for each in tables[name, axis]]
        nodes += _product(node, *quantised) if node.op_type == "MatMul" else _rows(node, *quantised)
    used = {name for node in nodes for name in node.input}
    kept = [each for each in graph.initializer if each.name in used] + [
        each for pair in tables.values() for each in pair
    ]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(nodes)
    graph.initializer.extend(kept)
    return model


def _worth_it(constant: Any) -> bool:
    from onnx import TensorProto

    return (
        constant.data_type == TensorProto.FLOAT and len(constant.dims) == 2 and np.prod(constant.dims) >= QUANTISED_MIN
    )


def _product(node: Any, values: str, scales: str) -> list[Any]:
    """x @ w, as ONNX Runtime recognises it and runs it in one."""
    from onnx import TensorProto, helper

    x, y = node.input[0], node.output[0]
    rounded, scale, zero, sums, floats, factor = (
        f"{y}.{part}" for part in ("x", "scale", "zero", "sums", "floats", "factor")
    )
    return [
        helper.make_node("DynamicQuantizeLinear", [x], [rounded, scale, zero]),
        helper.make_node("MatMulInteger", [rounded, values, zero], [sums]),
        helper.make_node("Cast", [sums], [floats], to=TensorProto.FLOAT),
        helper.make_node("Mul", [scale, scales], [factor]),
        helper.make_node("Mul", [floats, factor], [y]),
    ]


def _rows(node: Any, values: str, scales: str) -> list[Any]:
    """Rows of a table, each brought back by its own scale."""
    from onnx import TensorProto, helper

    ids, y = node.input[1], node.output[0]
    return [
        helper.make_node("Gather", [values, ids], [f"{y}.int8"]),
        helper.make_node("Cast", [f"{y}.int8"], [f"{y}.floats"], to=TensorProto.FLOAT),
        helper.make_node("Gather", [scales, ids], [f"{y}.scales"]),
        helper.make_node("Mul", [f"{y}.floats", f"{y}.scales"], [y]),
    ]


def quantise(weights: Floats, *, axis: int) -> tuple[NDArray[np.int8], Floats]:
    """(rows, columns) float32 -> int8 of the same shape, and the scales that bring it back, one for all along `axis`:
    (columns,) for axis 0, (rows, 1) for axis 1."""
    largest = np.abs(weights).max(axis=axis, keepdims=axis == 1)
    scales = (np.maximum(largest, np.float32(1e-12)) / np.float32(127)).astype(np.float32)
    return np.rint(weights / scales).astype(np.int8), scales
