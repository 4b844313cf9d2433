"""The text tower that ships: pieces of words of any language -> the joint space, and the colours asked for."""

from __future__ import annotations

from torch import Tensor, nn

from train_starter.colour import PieceColours, text_vector
from train_starter.four_bits import PackedTable
from train_starter.multilingual import Multilingual
from train_starter.space import TextHead, unit


class MultilingualTower(nn.Module):
    """table: (pieces, WIDTH). mean: (WIDTH,), of the vectors of everyday words, whose cosines it brings to zero."""

    mean: Tensor

    def __init__(
        self, network: Multilingual, table: Tensor, mean: Tensor, head: TextHead, colours: PieceColours
    ) -> None:
        super().__init__()
        self.network, self.head, self.colours = network, head, colours
        self.pieces = nn.Embedding.from_pretrained(table)
        self.register_buffer("mean", mean)

    def sentences(self, ids: Tensor, mask: Tensor) -> Tensor:
        """(n, length) each -> (n, WIDTH) unit."""
        return self.centred(self.pieces(ids), mask)

    def centred(self, embedded: Tensor, mask: Tensor) -> Tensor:
        return self.centred_sums(self.network.summed(embedded, mask))

    def centred_sums(self, summed: Tensor) -> Tensor:
        """(n, SUMMED + 1) -> (n, WIDTH) unit."""
        return unit(self.network.finished(summed) - self.mean)

    def vectors(self, ids: Tensor, embedded: Tensor, mask: Tensor) -> Tensor:
        """ids: (n, length). embedded: (n, length, WIDTH). -> (n, DIM + colours) unit."""
        return text_vector(self.head(self.centred(embedded, mask)), *self.colours(ids, mask))

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        return self.vectors(ids, self.pieces(ids), mask)


class StoredTower(nn.Module):
    """The same as it is exported, its pieces in four bits."""

    def __init__(self, tower: MultilingualTower) -> None:
        super().__init__()
        self.tower, self.table = tower, PackedTable(tower.pieces.weight.detach())

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        return self.tower.vectors(ids, self.table(ids), mask)
