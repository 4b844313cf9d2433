"""The colours of a picture, and the colours that a phrase asks for: a few dimensions beside the joint space."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional

from train_starter.space import unit

NAMES: dict[str, str] = {
    "red": "crimson scarlet", "orange": "", "yellow": "gold golden", "green": "lime emerald",
    "turquoise": "cyan teal aqua", "blue": "navy azure", "purple": "violet mauve lilac magenta lavender", "pink": "",
    "brown": "tan beige", "black": "", "grey": "gray silver", "white": "",
}  # fmt: skip
"""What is told apart, and other words for it."""
OBJECTS = {"orange", "gold", "violet", "lime", "navy", "emerald", "lavender", "tan", "silver"}
"""Words that name a thing or something else as often: they ask for the colour with half the voice."""
QUIET = (
    "a an the of in on and with or my some very picture photo photograph image drawing color colour colored coloured"
)
"""Words that are no content: `a red car` asks as much for red as `red car`."""
SHARE = 0.4
"""Of the length of an image's vector that its colours take; of the squares a sixth."""
ASKED, ASKED_POWER = 0.85, 0.7
"""Length that a phrase's colours take where it names nothing else, and how that falls with their share in its words."""
SPACED = ("LATIN", "CYRILLIC", "GREEK", "ARABIC")
"""Scripts that set spaces between words."""
SPACE = "▁"
"""What pieces of words begin with that begin a word."""
ABSENT = 0.15
"""What is taken from every colour's root, so that one that is not there is worth less than nothing."""
SIDE = 56


def oklab(srgb: Tensor) -> Tensor:
    """(..., 3) of 0..1 -> lightness 0..1 and the two opponent axes.

    Source: Ottosson, A perceptual color space for image processing, 2020.
    """
    linear = torch.where(srgb <= 0.04045, srgb / 12.92, ((srgb.clamp(min=0.04045) + 0.055) / 1.055) ** 2.4)
    cones = linear @ torch.tensor([
        [0.4122214708, 0.2119034982, 0.0883024619],
        [0.5363325363, 0.6806995451, 0.2817188376],
        [0.0514459929, 0.1073969566, 0.6299787005],
    ])  # fmt: skip
    return (cones + 1e-6) ** (1 / 3) @ torch.tensor([
        [0.2104542553, 1.9779984951, 0.0259040371],
        [0.7936177850, -2.4285922050, 0.7827717662],
        [-0.0040720468, 0.4505937099, -0.8086757660],
    ])  # fmt: skip


def _terms(lab: Tensor) -> Tensor:
    """(..., 13): a quadratic form of the three, and chroma, as colours' names bend around grey."""
    light, a, b = (lab * torch.tensor([1.0, 4.0, 4.0])).unbind(-1)
    chroma = (a * a + b * b + 1e-6) ** 0.5
    squares = (light * light, a * a, b * b, a * b, light * a, light * b, light * chroma, a * a * b)
    return torch.stack([torch.ones_like(light), light, a, b, chroma, *squares], dim=-1)


def fit(survey: dict[str, str], steps: int = 300) -> Tensor:
    """(13, colours) weights by which a pixel gets its name.

    survey: colour name -> `#rrggbb`, as the xkcd survey found.
    """
    pixels, named = [], []
    for name, code in sorted(survey.items()):
        last = name.split()[-1]
        for row, (colour, others) in enumerate(NAMES.items()):
            if last == colour or last in others.split():
                pixels.append([int(code[1 + 2 * i : 3 + 2 * i], 16) / 255 for i in range(3)])
                named.append(row)
    right = torch.tensor(named)
    terms = _terms(oklab(torch.tensor(pixels)))
    weights = torch.zeros(terms.shape[1], len(NAMES), requires_grad=True)
    share = 1.0 / torch.bincount(right, minlength=len(NAMES)).clamp(min=1).float()[right]
    adjust = torch.optim.LBFGS([weights], max_iter=steps, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        adjust.zero_grad()
        wrong = (functional.cross_entropy(terms @ weights, right, reduction="none") * share).sum() / len(NAMES)
        found = wrong + 3e-4 * (weights * weights).sum()
        found.backward()
        return found

    adjust.step(loss)
    return weights.detach()


class ImageColours(nn.Module):
    """(n, 3, side, side) of 0..255 -> (n, colours) unit: roots of the shares of a picture's colours.

    White at the edge is what pictures are laid on, and grey says less than a colour: both count less.
    """

    weights: Tensor
    centre: Tensor

    def __init__(self, weights: Tensor) -> None:
        super().__init__()
        self.register_buffer("weights", weights)
        axis = (torch.arange(SIDE) + 0.5) / SIDE * 2 - 1
        self.register_buffer("centre", torch.exp(-(axis[:, None] ** 2 + axis[None] ** 2) / 0.7).flatten())

    def forward(self, images: Tensor) -> Tensor:
        small = functional.avg_pool2d(images / 255.0, images.shape[-1] // SIDE).flatten(2).transpose(1, 2)
        lab = oklab(small)
        names = torch.softmax(_terms(lab) @ self.weights, dim=-1)
        chroma = ((lab[..., 1:] ** 2).sum(-1) + 1e-6) ** 0.5
        ground = torch.sigmoid((lab[..., 0] - 0.97) * 200) * torch.sigmoid((0.02 - chroma) * 400)
        weight = self.centre * (0.3 + (chroma / 0.1).clamp(max=1.0)) * (1.0 - 0.95 * ground)
        shares = (names * weight[..., None]).sum(1) / weight.sum(1, keepdim=True)
        return unit((shares + 1e-4) ** 0.5 - ABSENT)


class TextColours(nn.Module):
    """Token ids -> (n, colours) colours asked for, unit or zero, and (n, 1) the length they take."""

    table: Tensor
    content: Tensor

    def __init__(self, table: Tensor, content: Tensor) -> None:
        """table: (tokens, colours) how much each asks for. content: (tokens, 1), 0 for those that are no content."""
        super().__init__()
        self.register_buffer("table", table)
        self.register_buffer("content", content)

    def forward(self, ids: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        stands = mask.float()[..., None]
        asked = (self.table[ids] * stands).sum(1)
        said = (self.content[ids] * stands).sum(1).clamp(min=1.0)
        share = (asked.sum(1, keepdim=True) / said).clamp(max=1.0)
        return unit(asked), ASKED * (share + 1e-12) ** ASKED_POWER


def english_colours(tokenizer: Tokenizer) -> TextColours:
    """For a tokenizer that has each everyday word as one token."""
    words = tokenizer.get_vocab_size()
    table, content = torch.zeros(words, len(NAMES)), torch.ones(words, 1)
    for row, (colour, others) in enumerate(NAMES.items()):
        for word in (colour, *others.split()):
            token = tokenizer.token_to_id(word)
            if token is not None:
                table[token, row] = 0.5 if word in OBJECTS else 1.0
    for word in (*QUIET.split(), "[CLS]", "[SEP]", "[PAD]", ",", ".", "-", "'", '"', "s", "?", "!"):
        token = tokenizer.token_to_id(word)
        if token is not None:
            content[token] = 0.0
    return TextColours(table, content)


class PieceColours(nn.Module):
    """`TextColours` for a tokenizer of many languages, in which words for colours are of up to three pieces.

    sequences: (words, 3) tokens, those of shorter words filled up in front with -1. colours: (words, colours). content:
    (tokens, 1), 0 for what is no content. continues: (tokens, 1), 1 for what goes on with a word.
    """

    sequences: Tensor
    colours: Tensor
    content: Tensor
    continues: Tensor

    def __init__(self, sequences: Tensor, colours: Tensor, content: Tensor, continues: Tensor) -> None:
        super().__init__()
        for name, values in (("sequences", sequences), ("colours", colours)):
            self.register_buffer(name, values)
        for name, values in (("content", content), ("continues", continues)):
            self.register_buffer(name, values)

    def forward(self, ids: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        stands = mask.float()[..., None]
        length = ids.shape[1]
        padded = functional.pad(ids, (2, 0))
        first, second, last = (padded[:, place : place + length, None] for place in range(3))
        one, two, three = self.sequences.unbind(1)
        found = (last == three) & ((second == two) | (two < 0)) & ((first == one) | (one < 0))
        goes_on = functional.pad(self.continues[ids] * stands, (0, 0, 0, 1))[:, 1:]
        asked = ((found.float() * (1.0 - goes_on) * stands) @ self.colours).sum(1)
        said = (self.content[ids] * stands).sum(1).clamp(min=1.0)
        share = (asked.sum(1, keepdim=True) / said).clamp(max=1.0)
        return unit(asked), ASKED * (share + 1e-12) ** ASKED_POWER


def colours_of_languages(
    tokenizer: Tokenizer, colours: Iterable[dict[str, tuple[str, ...]]], little: Iterable[str], nouns: Collection[str]
) -> PieceColours:
    """colours: of each language, English name -> words. little: words that are no content. nouns: English ones; what is
    one of them and no colour in English asks for none (French `rose`, Italian `viola`)."""
    meant: dict[str, str] = {word: colour for colour, more in NAMES.items() for word in (colour, *more.split())}
    for language in colours:
        for colour, forms in language.items():
            for form in forms:
                if form not in nouns:
                    meant.setdefault(form, colour)
    rows, tokens = list(NAMES), tokenizer.get_vocab_size()
    sequences, asked = [], []
    for word, colour in meant.items():
        pieces = tokenizer.encode(word, add_special_tokens=False).ids
        if len(pieces) > 3 or 0 in pieces:
            continue
        sequences.append([-1] * (3 - len(pieces)) + pieces)
        asked.append([(0.5 if word in OBJECTS else 1.0) * (row == colour) for row in rows])
    content, continues = torch.ones(tokens, 1), torch.zeros(tokens, 1)
    for piece, token in tokenizer.get_vocab().items():
        if piece[0] != SPACE and unicodedata.name(piece[0], "").startswith(SPACED):
            continues[token] = 1.0
            content[token] = 0.0
    for word in (*QUIET.split(), *little, *",.-'\"?!"):
        if len(pieces := tokenizer.encode(word, add_special_tokens=False).ids) == 1:
            content[pieces[0]] = 0.0
    for piece in ("<unk>", "<s>", "</s>", SPACE):
        content[tokenizer.token_to_id(piece)] = 0.0
    return PieceColours(torch.tensor(sequences), torch.tensor(asked), content, continues)


def image_vector(found: Tensor, colours: Tensor) -> Tensor:
    """(n, DIM + colours) unit."""
    return torch.cat([found * (1.0 - SHARE**2) ** 0.5, colours * SHARE], dim=-1)


def text_vector(found: Tensor, colours: Tensor, length: Tensor) -> Tensor:
    """(n, DIM + colours) unit. A phrase without a colour word asks for none, and its ranks are those of the space."""
    return torch.cat([found * (1.0 - length**2).clamp(min=0.0) ** 0.5, colours * length], dim=-1)
