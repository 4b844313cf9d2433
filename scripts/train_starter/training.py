"""The training of the joint space, the last layers of the sentence encoder and the last block of the image network."""

from __future__ import annotations

import copy
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional

from train_starter.captions import Captions
from train_starter.networks import Trunk
from train_starter.phrases import Sampler
from train_starter.sentence import Sentences, has_bfloat16, tokenize
from train_starter.space import CLASSES, DIM, FEATURES, ImageHead, Seen, TextHead, TextTower, unit

PHRASE_TOKENS = 10
"""Longer captions are cut: they are sentences, and one of them would make a whole batch as long."""
ALIKE = 0.8
"""Captions of this cosine are not held against each other."""
PSEUDO = 10.0
"""How far, in deviations of real features, the picture that a class's weights describe lies from the mean."""


@dataclass(frozen=True)
class Settings:
    """rates: of AdamW, at the peak of one cycle. shares: what each loss weighs.

    plain: so many pictures are judged without the features that learn, as photographs are read better by the others.
    """

    steps: int = 400
    pictures: int = 256
    nouns: int = 192
    class_names: int = 64
    kinds: int = 32
    first_layer: int = 4
    dropout: float = 0.2
    plain: float = 0.4
    temperature: float = 0.05
    rate: float = 1e-3
    rate_features: float = 3e-4
    rate_text: float = 1.5e-4
    rate_image: float = 2e-4
    share_classes: float = 0.3
    share_nouns: float = 0.5
    share_kinds: float = 0.3
    share_nearness: float = 0.3
    average: float = 0.99


@dataclass
class Networks:
    """Those that learn, and the frozen ones beside them. lite0, lite2: ImageNet's classifiers."""

    text: TextTower
    image: ImageHead
    tail: Trunk
    frozen: Trunk
    lite0: nn.Linear
    lite2: nn.Linear

    def learning(self) -> nn.ModuleList:
        return nn.ModuleList([self.text.head, *self.text.learning, self.image, self.tail])


@dataclass(frozen=True)
class Pictures:
    """states: by view (n, channels, h, w) float16 below the tail. features0, features2: (n, 1280) of the plain view."""

    states: list[NDArray[np.float16]]
    features0: list[Tensor]
    features2: Tensor

    def __len__(self) -> int:
        return len(self.features2)


class Training:
    """One run. `step` learns from one batch; what ships is the running average of the weights."""

    def __init__(
        self,
        networks: Networks,
        pictures: Pictures,
        captions: Captions,
        phrases: Sampler,
        tokenizer: Tokenizer,
        settings: Settings,
        chance: np.random.Generator,
    ) -> None:
        self._nets, self._pictures, self._captions, self._phrases = networks, pictures, captions, phrases
        self._tokenizer, self._set, self._chance = tokenizer, settings, chance
        self._scale = nn.Parameter(torch.tensor(1.0 / settings.temperature).log())
        self._modules = networks.learning()
        text = [p for layer in networks.text.learning for p in layer.parameters()]
        image = [*networks.tail.parameters()]
        groups: list[dict[str, object]] = [
            {"params": [*networks.text.head.parameters()], "lr": settings.rate},
            {"params": [networks.image.axes], "lr": settings.rate_features, "weight_decay": 0.0},
            {"params": text, "lr": settings.rate_text, "weight_decay": 0.02},
            {"params": image, "lr": settings.rate_image, "weight_decay": 0.02},
            {"params": [self._scale], "lr": settings.rate, "weight_decay": 0.0},
        ]  # fmt: skip
        self._adam = torch.optim.AdamW(groups, weight_decay=0.05)
        self._cycle = torch.optim.lr_scheduler.OneCycleLR(
            self._adam,
            [group["lr"] for group in self._adam.param_groups],
            total_steps=settings.steps + 1,
            pct_start=0.15,
        )
        self._learned = [p for group in self._adam.param_groups for p in group["params"]]
        self._average = [p.detach().clone() for p in self._learned]
        self._pseudo = [
            pseudo_features(networks.lite0, pictures.features0[0]),
            pseudo_features(networks.lite2, pictures.features2),
        ]

    def run(self, tell: Callable[[int, dict[str, float]], None], every: int = 50) -> None:
        """Learns, and leaves the averaged weights in the networks. tell: called with the step and the mean losses."""
        self._modules.train()
        self._nets.tail.eval()  # its normalisation stays as ImageNet made it
        totals: dict[str, float] = {}
        for step in range(1, self._set.steps + 1):
            losses = self.step()
            keep = min(self._set.average, step / (step + 10))
            for mean, now in zip(self._average, self._learned, strict=True):
                mean.lerp_(now.detach(), 1 - keep)
            for name, loss in losses.items():
                totals[name] = totals.get(name, 0.0) + loss / every
            if step % every == 0:
                tell(step, totals)
                totals = {}
        with torch.no_grad():
            for mean, now in zip(self._average, self._learned, strict=True):
                now.copy_(mean)
        self._modules.eval()

    def step(self) -> dict[str, float]:
        found = self._losses()
        settings = self._set
        shares = {
            "pairs": 1.0, "classes": settings.share_classes, "nouns": settings.share_nouns,
            "kinds": settings.share_kinds, "nearness": settings.share_nearness,
        }  # fmt: skip
        self._adam.zero_grad()
        sum(found[name] * share for name, share in shares.items()).backward()
        nn.utils.clip_grad_norm_(self._learned, 5.0)
        self._adam.step()
        self._cycle.step()
        return {name: float(loss.detach()) for name, loss in found.items()}

    def _losses(self) -> dict[str, Tensor]:
        nets, settings = self._nets, self._set
        rows = self._chance.choice(len(self._pictures), settings.pictures, replace=False, p=self._captions.weights)
        captions = [self._captions.take(row) for row in rows.tolist()]
        nouns, wanted = self._phrases.nouns(settings.nouns)
        names, classes = self._phrases.class_names(settings.class_names)
        kinds, shares = self._phrases.kinds(settings.kinds)
        tokens = tokenize([*captions, *nouns, *names, *kinds], self._tokenizer, PHRASE_TOKENS)
        with torch.autocast("cpu", torch.bfloat16, enabled=has_bfloat16()):
            sentences = nets.text.sentences(tokens)
        sentences = sentences.float()
        parts = [settings.pictures, settings.nouns, settings.class_names, settings.kinds]
        of_captions, of_nouns, of_names, of_kinds = nets.text.head(sentences).split(parts)
        near = nets.text.head.nearness(sentences.split(parts)[1])[:, :CLASSES]
        scale = self._scale.exp().clamp(max=50.0)
        apart = self._apart(rows, captions, sentences[: settings.pictures].detach())
        scores = (of_captions @ self._seen(rows).T * scale).masked_fill(~apart, -1e4)
        right = torch.arange(settings.pictures)
        pseudo = self._pseudo_seen().T * scale
        return {
            "pairs": (functional.cross_entropy(scores, right) + functional.cross_entropy(scores.T, right)) / 2,
            "classes": functional.cross_entropy(of_names @ pseudo, classes),
            "nouns": divergence(of_nouns @ pseudo, wanted),
            "kinds": divergence(of_kinds @ pseudo, shares),
            "nearness": divergence(near, wanted),
        }

    def _seen(self, rows: NDArray[np.int64]) -> Tensor:
        """(n, DIM) of pictures in one view."""
        nets, view = self._nets, int(self._chance.integers(len(self._pictures.states)))
        states = torch.from_numpy(self._pictures.states[view][rows].astype(np.float32))
        with torch.autocast("cpu", torch.bfloat16, enabled=has_bfloat16()):
            features = nets.tail(states)
        known = (self._pictures.features0[view][rows].float(), self._pictures.features2[rows].float())
        share = torch.from_numpy((self._chance.random((len(rows), 1)) >= self._set.plain).astype(np.float32))
        return nets.image(Seen(known, features.float()), share)

    def _pseudo_seen(self) -> Tensor:
        """(1000, DIM): of each class a picture as its weights describe it; the difference of two real ones is noise."""
        nets, pictures = self._nets, self._pictures
        one, other = torch.from_numpy(self._chance.integers(len(pictures), size=(2, CLASSES)))
        with torch.no_grad():
            low, high = (
                (mean + features[one].float() - features[other].float()).clamp(min=0)
                for mean, features in zip(self._pseudo, (pictures.features0[0], pictures.features2), strict=True)
            )
        return nets.image(Seen((low, high), low))

    def _apart(self, rows: NDArray[np.int64], captions: list[str], sentences: Tensor) -> Tensor:
        """(n, n) bool: whether caption i is wrong for picture j, or its own."""
        alike = sentences @ sentences.T > ALIKE
        for column, row in enumerate(rows.tolist()):
            called = self._captions.all[row]
            for line, caption in enumerate(captions):
                if caption in called:
                    alike[line, column] = True
        alike.fill_diagonal_(False)
        return ~alike


def divergence(logits: Tensor, wanted: Tensor) -> Tensor:
    """Kullback and Leibler's, from the wanted shares; the mean over rows."""
    return functional.kl_div(torch.log_softmax(logits, 1), wanted, reduction="batchmean")


def pseudo_features(classifier: nn.Linear, features: Tensor) -> Tensor:
    """(1000, 1280) features of a picture that is wholly of one class: along what its weights see in real features."""
    real, weights = features.float(), classifier.weight.detach()
    towards = weights @ torch.cov(real.T)
    return real.mean(0) + PSEUDO * towards / (towards * weights).sum(1, keepdim=True).sqrt()


def prepare(networks: Networks, pictures: Pictures, covers: Tensor, usual: Tensor) -> None:
    """Step 0: a phrase is near the classes that its words name, and a class is the direction of its weights.

    Both heads start from the common axes of these directions in both networks, so that what nobody trained on lies
    between what it resembles: recall at 10 of photographs is 62, of drawings 40, before the first step (by chances of
    classes instead of directions 57 and 34). covers: (1000, k). usual: (n, 384) sentences of everyday nouns.
    """
    image, head = networks.image, networks.text.head
    weights = [classifier.weight.detach() for classifier in (networks.lite0, networks.lite2)]
    looks = torch.cat([unit(each - each.mean(0)) for each in weights], 1)
    looks = torch.cat([looks, (covers / covers.sum(0)).T @ looks])
    _, _, axes = torch.linalg.svd(looks, full_matrices=False)
    axes = axes[:DIM].T
    low, high = axes.split(FEATURES)
    seen = (pictures.features0[0], pictures.features2)
    with torch.no_grad():
        image.middle.copy_(torch.stack([features.float().mean(0) for features in seen]))
        image.axes.copy_(torch.stack([low, high, low]))
        head.space.copy_(looks @ axes)
        head.mean.copy_(torch.softmax(head.nearness(usual), -1).mean(0))


def networks_for(
    sentences: Sentences, prototypes: Tensor, lite0: nn.Linear, lite2: nn.Linear, tail: Trunk, settings: Settings
) -> Networks:
    """lite0, lite2: the classifiers."""
    text = TextTower(sentences, TextHead(prototypes, settings.temperature), settings.first_layer)
    frozen = copy.deepcopy(tail).requires_grad_(False)
    classifiers = lite0.requires_grad_(False), lite2.requires_grad_(False)
    return Networks(text, ImageHead(settings.dropout), tail, frozen, *classifiers)


class Progress:
    """Tells on standard error how far it is, and how long it will last."""

    def __init__(self, steps: int) -> None:
        self._steps, self._start = steps, time.monotonic()

    def __call__(self, step: int, losses: dict[str, float]) -> None:
        spent = time.monotonic() - self._start
        left = spent / step * (self._steps - step) / 60
        told = ", ".join(f"{name} {loss:.2f}" for name, loss in losses.items())
        print(f"step {step:,} of {self._steps:,}: {told}; {left:.0f} min left", file=sys.stderr, flush=True)
