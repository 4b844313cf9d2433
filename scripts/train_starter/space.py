"""The joint space: two small networks that bring what an image network saw and what a sentence says to one place."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from train_starter.sentence import Layer, Sentences, Tokens

DIM = 384
CLASSES, FEATURES = 1000, 1280


def unit(vectors: Tensor) -> Tensor:
    return functional.normalize(vectors, dim=-1)


@dataclass(frozen=True)
class Seen:
    """Features of n images, (n, 1280) each: of the two frozen networks, and of the one that learns."""

    frozen: tuple[Tensor, Tensor]
    tuned: Tensor


class ImageHead(nn.Module):
    """Features -> (n, DIM) unit.

    Directions of features, not chances of classes: a class that is no class of ImageNet's lies between those it looks
    like, and a softmax keeps only the nearest.
    """

    middle: Tensor

    def __init__(self, dropout: float) -> None:
        super().__init__()
        self.register_buffer("middle", torch.zeros(2, FEATURES))
        self.axes = nn.Parameter(torch.zeros(3, FEATURES, DIM))
        self.dropout = nn.Dropout(dropout)

    def forward(self, seen: Seen, share: Tensor | float = 1.0) -> Tensor:
        """share: (n, 1) or one for all, what the features that were tuned on drawings count, beside 1 of the others."""
        low, high, tuned = (
            self.dropout(unit(features - self.middle[net])) @ self.axes[place]
            for place, (features, net) in enumerate(((seen.frozen[0], 0), (seen.frozen[1], 1), (seen.tuned, 0)))
        )
        return unit(low + high + share * tuned)


class TextHead(nn.Module):
    """A sentence's vector -> how near it is to each prototype -> (n, DIM) unit."""

    def __init__(self, prototypes: Tensor, temperature: float, hidden: int = 512) -> None:
        """prototypes: (p, width of a sentence's vector)."""
        super().__init__()
        width = prototypes.shape[1]
        self.prototypes = nn.Parameter(prototypes.clone())
        self.inverse = nn.Parameter(torch.tensor(1.0 / temperature).log())
        self.mean = nn.Parameter(torch.zeros(len(prototypes)))
        self.space = nn.Parameter(torch.zeros(len(prototypes), DIM))
        self.more = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Dropout(0.1), nn.Linear(hidden, DIM))
        nn.init.zeros_(self.more[-1].weight)
        nn.init.zeros_(self.more[-1].bias)

    def nearness(self, sentences: Tensor) -> Tensor:
        """(n, prototypes) logits."""
        return sentences @ self.prototypes.T * self.inverse.exp()

    def forward(self, sentences: Tensor) -> Tensor:
        near = torch.softmax(self.nearness(sentences), dim=-1)
        return unit(unit((near - self.mean) @ self.space) + self.more(sentences))


class TextTower(nn.Module):
    """Phrases -> (n, DIM) unit. Only the layers from `first` on, and the head, learn."""

    def __init__(self, network: Sentences, head: TextHead, first: int) -> None:
        super().__init__()
        self.network, self.head, self.first = network, head, first
        network.requires_grad_(False)
        for layer in self.learning:
            layer.requires_grad_(True)

    @property
    def learning(self) -> list[Layer]:
        return list(self.network.layers)[self.first :]

    def sentences(self, tokens: Tokens) -> Tensor:
        with torch.no_grad():
            states = self.network.states(self.network.embedded(tokens.ids), tokens.mask, 0, self.first)
        return self.network.pooled(self.network.states(states, tokens.mask, self.first), tokens.mask)

    def forward(self, tokens: Tokens) -> Tensor:
        return self.head(self.sentences(tokens))
