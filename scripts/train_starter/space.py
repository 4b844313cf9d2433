"""The joint space: two small networks that bring what an image network saw and what a sentence says to one place."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from train_starter.sentence import WIDTH, Layer, Sentences, Tokens

DIM = 384
CLASSES, FEATURES = 1000, 1280
POWER, KIND_POWER, KIND_WEIGHT = 0.25, 0.5, 0.4
"""Probabilities are raised to these, or one class would say everything; kinds weigh so much beside classes."""


def unit(vectors: Tensor) -> Tensor:
    return functional.normalize(vectors, dim=-1)


@dataclass(frozen=True)
class Seen:
    """What the image networks say of n images. chances: (n, nets, 1000). features: (n, 1280), of the tuned network."""

    chances: Tensor
    features: Tensor | None


class ImageHead(nn.Module):
    """Chances of classes and of their kinds, and what else the features show -> (n, DIM) unit."""

    covers: Tensor
    mean: Tensor
    spread: Tensor
    middle: Tensor

    def __init__(self, covers: Tensor, nets: int, dropout: float) -> None:
        super().__init__()
        prototypes = CLASSES + covers.shape[1]
        self.register_buffer("covers", covers)
        self.register_buffer("mean", torch.zeros(nets, prototypes))
        self.register_buffer("middle", torch.zeros(FEATURES))
        self.register_buffer("spread", torch.ones(FEATURES))
        self.space = nn.Parameter(torch.zeros(prototypes, DIM))
        self.dropout = nn.Dropout(dropout)
        self.more = nn.Linear(FEATURES, DIM, bias=False)
        nn.init.zeros_(self.more.weight)

    def kinds(self, chances: Tensor) -> Tensor:
        """(n, nets, prototypes)."""
        kinds = (chances @ self.covers + 1e-9) ** KIND_POWER
        return torch.cat([(chances + 1e-9) ** POWER, KIND_WEIGHT * kinds], dim=-1)

    def forward(self, seen: Seen, share: Tensor | float = 1.0) -> Tensor:
        named = unit(self.kinds(seen.chances) - self.mean).mean(1)
        found = unit(unit(named) @ self.space)
        if seen.features is not None:
            found = found + share * self.more(self.dropout((seen.features - self.middle) / self.spread))
        return unit(found)


class TextHead(nn.Module):
    """A sentence's vector -> how near it is to each prototype -> (n, DIM) unit."""

    def __init__(self, prototypes: Tensor, temperature: float, hidden: int = 512) -> None:
        super().__init__()
        self.prototypes = nn.Parameter(prototypes.clone())
        self.inverse = nn.Parameter(torch.tensor(1.0 / temperature).log())
        self.mean = nn.Parameter(torch.zeros(len(prototypes)))
        self.space = nn.Parameter(torch.zeros(len(prototypes), DIM))
        self.more = nn.Sequential(nn.Linear(WIDTH, hidden), nn.GELU(), nn.Dropout(0.1), nn.Linear(hidden, DIM))
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
