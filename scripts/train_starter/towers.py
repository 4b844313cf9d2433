"""The two towers as they ship: from pixels, and from tokens, to unit vectors of one space."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from train_starter.colour import ImageColours, TextColours, image_vector, text_vector
from train_starter.networks import Trunk
from train_starter.space import ImageHead, Seen, TextTower
from train_starter.sentence import Tokens

DRAWN_STEPS = (2.0, 16.0)
"""Between neighbours of a photograph the brightest change of a channel mostly lies here; flat paint and hard edges do not."""
DRAWN_BAR, DRAWN_SLOPE = 0.42, 25.0


def drawn(images: Tensor) -> Tensor:
    """(n, 3, side, side) of 0..255 -> (n, 1) how surely a picture is drawn, 0..1. White counts for neither."""
    corner = images[:, :, :-1, :-1]
    right, below = ((images[:, :, a:b, c:d] - corner).abs().amax(1) for a, b, c, d in ((0, -1, 1, None), (1, None, 0, -1)))
    change = torch.maximum(right, below)
    inked = (corner.amin(1) < 248).float()
    soft = ((change >= DRAWN_STEPS[0]) & (change < DRAWN_STEPS[1])).float() * inked
    share = soft.sum((1, 2)) / (inked.sum((1, 2)) + 1.0)
    return torch.sigmoid((DRAWN_BAR - share) * DRAWN_SLOPE)[:, None]


class ImageTower(nn.Module):
    """(n, 3, 224, 224) of 0..255 -> (n, dim) unit."""

    def __init__(self, lower: Trunk, frozen: Trunk, tuned: Trunk, classifier: nn.Linear, tuned_classifier: nn.Linear, head: ImageHead, colours: ImageColours) -> None:
        super().__init__()
        self.lower, self.frozen, self.tuned = lower, frozen, tuned
        self.classifier, self.tuned_classifier = classifier, tuned_classifier
        self.head, self.colours = head, colours

    def forward(self, images: Tensor) -> Tensor:
        states = self.lower(images)
        features = self.tuned(states)
        chances = [self.classifier(self.frozen(states)), self.tuned_classifier(features)]
        seen = Seen(torch.softmax(torch.stack(chances, 1), -1), features)
        return image_vector(self.head(seen, drawn(images)), self.colours(images))


class PhraseTower(nn.Module):
    """(n, length) token ids and mask -> (n, dim) unit."""

    def __init__(self, tower: TextTower, colours: TextColours) -> None:
        super().__init__()
        self.tower, self.colours = tower, colours

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        return text_vector(self.tower(Tokens(ids, mask)), *self.colours(ids, mask))
