"""The two towers in torch as graphs of ONNX."""

from __future__ import annotations

import copy
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import nn

from atlas_rt.encoders.export.source import Source
from atlas_rt.errors import UsageError

OPSET = 18
IMAGE_INPUT, TEXT_INPUT, OUTPUT = "pixels", "ids", "vectors"
BATCH_MAX = 4096
BYTES_MAX = 2_000_000_000
"""What one file of ONNX holds (a protocol buffer: 2 GB)."""


def write_graphs(source: Source, image: Path, text: Path) -> None:
    """Both towers, normalised inside, with dynamic batch, and dynamic length where phrases need no padding.

    Torch's newer exporter: 401 nodes for ViT-B/32's image tower against the older one's 950, at the same speed.
    Raises UsageError where a tower is too large for one file.
    """
    model = copy.deepcopy(source.model)
    _write_out_attention(model)
    for tower, name in ((model.visual, "image"), (model.text, "text")):
        size = sum(weights.numel() * weights.element_size() for weights in tower.parameters())
        if size > BYTES_MAX:
            raise UsageError(
                f"The {name} tower has {size / 1e9:.1f} GB of weights, and one file of ONNX holds 2; "
                "choose a smaller model."
            )
    size_px = source.preprocessing.size_px
    batch = torch.export.Dim("n", min=1, max=BATCH_MAX)
    _write(_Tower(model.visual), torch.rand(2, 3, size_px, size_px), IMAGE_INPUT, {0: batch}, image)
    length = source.context_length
    shape = {0: batch}
    if source.pad_id is None:
        shape[1] = torch.export.Dim("length", min=2, max=length)
        length = max(3, length // 2)  # neither the full length nor a dimension of anything else: it stays free
    ids = torch.randint(1, source.vocabulary - 1, (2, length))
    ids[:, -1] = source.vocabulary - 1
    _write(_Tower(model.text), ids, TEXT_INPUT, shape, text)


def _write(tower: nn.Module, example: Any, name: str, shape: dict[int, Any], file: Path) -> None:
    """Traced with a batch of 2: with 1 the batch would be taken for a constant."""
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)  # its fused operator has no counterpart in ONNX
    try:
        with warnings.catch_warnings(), torch.inference_mode():
            warnings.simplefilter("ignore")
            program = torch.onnx.export(
                tower.eval(),
                (example,),
                input_names=[name],
                output_names=[OUTPUT],
                dynamic_shapes=(shape,),
                opset_version=OPSET,
                dynamo=True,
                verbose=False,
            )
            program.save(str(file), external_data=False)
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)


class _Tower(nn.Module):  # type: ignore[misc]  # torch has no types where it is not installed
    """One tower with the vectors brought to length one."""

    def __init__(self, tower: nn.Module) -> None:
        super().__init__()
        self.tower = tower

    def forward(self, values: Any) -> Any:
        return nn.functional.normalize(self.tower(values), dim=-1)


class _Attention(nn.Module):  # type: ignore[misc]
    """`nn.MultiheadAttention` of one sequence with itself, written out: torch's own becomes a graph that only runs at
    the length it was traced with. attn_mask: (context, context), cut to the sequence."""

    def __init__(self, inner: Any) -> None:
        super().__init__()
        self.heads, self.batch_first = inner.num_heads, inner.batch_first
        self.in_weight, self.in_bias, self.out = inner.in_proj_weight, inner.in_proj_bias, inner.out_proj
        self.scale = (inner.embed_dim // inner.num_heads) ** -0.5

    def forward(self, query: Any, *_: Any, attn_mask: Any = None, **__: Any) -> tuple[Any, None]:
        x = query if self.batch_first else query.transpose(0, 1)
        n, length, width = x.shape
        parts = nn.functional.linear(x, self.in_weight, self.in_bias)
        q, k, v = parts.reshape(n, length, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
        scores = (q * self.scale) @ k.transpose(-1, -2)  # (n, heads, length, length)
        if attn_mask is not None:
            scores = scores + attn_mask[:length, :length]
        y = self.out((scores.softmax(-1) @ v).transpose(1, 2).reshape(n, length, width))
        return (y if self.batch_first else y.transpose(0, 1)), None


def _write_out_attention(model: nn.Module) -> None:
    for module in list(model.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, nn.MultiheadAttention) and child.in_proj_weight is not None:
                setattr(module, name, _Attention(child))
