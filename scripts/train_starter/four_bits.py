"""A table of rows in four bits, two values to a byte: what the pieces of words are stored as."""

from __future__ import annotations

import torch
from torch import Tensor, nn

LEVELS = 16
CENTRES = (LEVELS / 2, LEVELS / 2 - 0.5)
"""Which of the sixteen numbers stands for zero: one of them, so that the largest has none on the other side; or none of
them."""
CLIPS = (1.0, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6)
"""Shares of a row's largest value that the largest number may stand for. Of each row the centre and the clip are taken
that have the least error."""


class PackedTable(nn.Module):
    """Token ids -> rows of the table as four bits keep them, to a cosine of 0.997.

    packed: (rows, width / 2) uint8, the first half of a row in the high bits. scales, centres: (rows, 1).
    """

    packed: Tensor
    scales: Tensor
    centres: Tensor

    def __init__(self, table: Tensor) -> None:
        super().__init__()
        scales, centres = best_fit(table)
        high, low = numbers_of(table, scales, centres).to(torch.uint8).chunk(2, dim=1)
        self.register_buffer("packed", high * 16 + low)
        self.register_buffer("scales", scales)
        self.register_buffer("centres", centres)

    def forward(self, ids: Tensor) -> Tensor:
        both = self.packed[ids].float()
        high = torch.floor(both / 16)
        return (torch.cat([high, both - 16 * high], -1) - self.centres[ids]) * self.scales[ids]


def best_fit(table: Tensor) -> tuple[Tensor, Tensor]:
    """(rows, 1) scales, which half precision holds exactly, and centres."""
    largest = table.abs().amax(1, keepdim=True).clamp(min=1e-4)
    scales, centres = torch.ones_like(largest), torch.zeros_like(largest)
    least = torch.full_like(largest, torch.inf)
    for centre in CENTRES:
        for clip in CLIPS:
            scale = (largest * clip / (LEVELS - 1 - centre)).half().float()
            error = ((numbers_of(table, scale, centre) - centre) * scale - table).square().sum(1, keepdim=True)
            better = error < least
            scales, centres = torch.where(better, scale, scales), torch.where(better, centre, centres)
            least = torch.minimum(error, least)
    return scales, centres


def numbers_of(table: Tensor, scales: Tensor, centres: Tensor | float) -> Tensor:
    """0 to LEVELS - 1 each."""
    return (table / scales + centres).round().clamp(0, LEVELS - 1)
