"""A table of rows in four bits, two values to a byte: what the pieces of words are stored as."""

from __future__ import annotations

import torch
from torch import Tensor, nn

LARGEST = 7
CLIPS = (1.0, 0.92, 0.85, 0.78, 0.7)
"""Shares of a row's largest value that the largest number may stand for; the one with the least error is taken."""


class PackedTable(nn.Module):
    """Token ids -> rows of the table as four bits keep them, to a cosine of about 0.99.

    packed: (rows, width / 2) uint8, the first half of a row in the high bits. scales: (rows, 1).
    """

    packed: Tensor
    scales: Tensor

    def __init__(self, table: Tensor) -> None:
        super().__init__()
        scales = best_scales(table)
        numbers = (quantised(table, scales) + LARGEST + 1).to(torch.uint8)
        high, low = numbers.chunk(2, dim=1)
        self.register_buffer("packed", high * 16 + low)
        self.register_buffer("scales", scales)

    def forward(self, ids: Tensor) -> Tensor:
        both = self.packed[ids].float()
        high = torch.floor(both / 16)
        return (torch.cat([high, both - 16 * high], -1) - (LARGEST + 1)) * self.scales[ids]


def best_scales(table: Tensor) -> Tensor:
    """(rows, 1), which half precision holds exactly."""
    largest = table.abs().amax(1, keepdim=True).clamp(min=1e-4)
    best, least = largest / LARGEST, torch.full_like(largest, torch.inf)
    for clip in CLIPS:
        scales = (largest * clip / LARGEST).half().float()
        error = ((quantised(table, scales) * scales - table) ** 2).sum(1, keepdim=True)
        best, least = torch.where(error < least, scales, best), torch.minimum(error, least)
    return best


def quantised(table: Tensor, scales: Tensor) -> Tensor:
    return (table / scales).round().clamp(-LARGEST - 1, LARGEST)
