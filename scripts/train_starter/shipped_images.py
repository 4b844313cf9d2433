"""What the shipped image tower sees in pictures: the features of its three networks, and the maps behind them.

The second stage trains against these, so the vectors that libraries have stored stay true.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from train_starter import views

BLOCK = 16
NETWORKS = 3
"""Lite0, Lite2, and Lite0 with the block that learned: the order of `space.ImageHead.axes`."""


@dataclass(frozen=True)
class Maps:
    """middle: (3, 1280) what is taken from the features; axes: (3, 1280, 384) by which they come into the space.

    inputs: the names of the features in the graph.
    """

    middle: NDArray[np.float32]
    axes: NDArray[np.float32]
    inputs: tuple[str, ...]


def read_maps(file: Path) -> Maps:
    """From image.onnx as `export.export_images` writes it. Raises OSError; ValueError where it is of another form."""
    model = onnx.load(file)
    made = {output: node for node in model.graph.node for output in node.output}
    stored = {each.name: each for each in model.graph.initializer}

    def constant(name: str) -> NDArray[np.float32]:
        return numpy_helper.to_array(stored[name if name in stored else made[name].input[0]]).astype(np.float32)

    def features_behind(name: str) -> Any:
        """The difference from the mean, which is divided by its length before the product."""
        return made[made[name].input[0]]

    products = [node for node in model.graph.node if node.op_type == "MatMul" and "/head/MatMul" in node.output[0]]
    products.sort(key=lambda node: node.output[0])  # MatMul_output_0 is the first: "o" comes behind digits
    ordered = [*products[-1:], *products[:-1]] if products else []
    if len(ordered) != NETWORKS:
        raise ValueError(f"This image tower has {len(ordered)} maps, not {NETWORKS}; train it again. {file}")
    differences = [features_behind(node.input[0]) for node in ordered]
    return Maps(
        np.stack([constant(node.input[1]).reshape(-1) for node in differences]),
        np.stack([constant(node.input[1]) for node in ordered]),
        tuple(node.input[0] for node in differences),
    )


def features_of(
    tower: Path, maps: Maps, pictures: NDArray[np.uint8], view: int, file: Path, *, side_px: int, threads: int
) -> NDArray[np.float16]:
    """(n, 3, 1280) of each picture, plain (view 0) or varied. Kept in `file`."""
    if not file.exists():
        model = onnx.load(tower)
        model.graph.output.extend(helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in maps.inputs)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        # As the program does it: with AVX2 and no VNNI sums of 8-bit products overflow otherwise.
        options.add_session_config_entry("session.x64quantprecision", "1")
        session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        part = file.with_suffix(".part.npy")
        kept = np.lib.format.open_memmap(part, "w+", np.float16, (len(pictures), NETWORKS, maps.axes.shape[1]))

        def look(row: int) -> NDArray[np.uint8]:
            if not view:
                return views.plain(pictures[row], side_px)
            return views.varied(pictures[row], side_px, np.random.default_rng((view, row)))

        def encode(start: int) -> None:
            for row in range(start, min(start + BLOCK, len(pictures))):
                pixels = look(row).transpose(2, 0, 1)[None].astype(np.float32)
                kept[row] = np.concatenate(session.run(list(maps.inputs), {"pixels": pixels}))

        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(encode, range(0, len(pictures), BLOCK)))
        kept.flush()
        part.rename(file)
    return np.load(file, mmap_mode="r")
