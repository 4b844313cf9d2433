"""The two towers as they ship: from pixels, and from tokens, to unit vectors of one space."""

from __future__ import annotations

from torch import Tensor, nn

from train_starter.colour import ImageColours, TextColours, image_vector, text_vector
from train_starter.networks import Trunk
from train_starter.sentence import Tokens
from train_starter.space import Seen, TextTower
from train_starter.training import Networks


class ImageTower(nn.Module):
    """(n, 3, 224, 224) of 0..255 -> (n, dim) unit."""

    def __init__(self, lower: Trunk, networks: Networks, lite2: Trunk, colours: ImageColours) -> None:
        super().__init__()
        self.lower, self.frozen, self.tail, self.lite2 = lower, networks.frozen, networks.tail, lite2
        self.head, self.colours = networks.image, colours

    def forward(self, images: Tensor) -> Tensor:
        states = self.lower(images)
        seen = Seen((self.frozen(states), self.lite2(images)), self.tail(states))
        return image_vector(self.head(seen), self.colours(images))


class PhraseTower(nn.Module):
    """(n, length) token ids and mask -> (n, dim) unit."""

    def __init__(self, tower: TextTower, colours: TextColours) -> None:
        super().__init__()
        self.tower, self.colours = tower, colours

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        return text_vector(self.tower(Tokens(ids, mask)), *self.colours(ids, mask))
