"""The two towers as they ship: from pixels, and from tokens, to unit vectors of one space."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from train_starter.colour import ImageColours, TextColours, image_vector, text_vector
from train_starter.networks import Trunk
from train_starter.sentence import Tokens
from train_starter.space import Seen, TextTower
from train_starter.training import Networks

DRAWN_STEPS = (2.0, 16.0)
"""Between neighbours of a photograph a channel changes by so much; in flat paint by less, at hard edges by more."""
DRAWN_BAR, DRAWN_SLOPE = 0.3, 25.0
DRAWN_SHARE = 0.3
"""What the features of a drawing add to its classes; to those of a photograph they add nothing."""


def drawn(images: Tensor) -> Tensor:
    """(n, 3, side, side) of 0..255 -> (n, 1) how surely a picture is drawn, 0..1. White counts for neither."""
    corner = images[:, :, :-1, :-1]
    right, below = (
        (images[:, :, a:b, c:d] - corner).abs().amax(1) for a, b, c, d in ((0, -1, 1, None), (1, None, 0, -1))
    )
    change = torch.maximum(right, below)
    inked = (corner.amin(1) < 248).float()
    soft = ((change >= DRAWN_STEPS[0]) & (change < DRAWN_STEPS[1])).float() * inked
    share = soft.sum((1, 2)) / (inked.sum((1, 2)) + 1.0)
    return torch.sigmoid((DRAWN_BAR - share) * DRAWN_SLOPE)[:, None]


class ImageTower(nn.Module):
    """(n, 3, 224, 224) of 0..255 -> (n, dim) unit."""

    def __init__(self, lower: Trunk, networks: Networks, lite2: Trunk, colours: ImageColours) -> None:
        super().__init__()
        self.lower, self.frozen, self.tail, self.lite2 = lower, networks.frozen, networks.tail, lite2
        self.classifiers = nn.ModuleList([networks.lite0, networks.lite2, networks.tail_classifier])
        self.head, self.colours = networks.image, colours

    def forward(self, images: Tensor) -> Tensor:
        states = self.lower(images)
        features = self.tail(states)
        seen = (self.frozen(states), self.lite2(images), features)
        chances = [classifier(each) for classifier, each in zip(self.classifiers, seen, strict=True)]
        found = self.head(Seen(torch.softmax(torch.stack(chances, 1), -1), features), DRAWN_SHARE * drawn(images))
        return image_vector(found, self.colours(images))


class PhraseTower(nn.Module):
    """(n, length) token ids and mask -> (n, dim) unit."""

    def __init__(self, tower: TextTower, colours: TextColours) -> None:
        super().__init__()
        self.tower, self.colours = tower, colours

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        return text_vector(self.tower(Tokens(ids, mask)), *self.colours(ids, mask))
