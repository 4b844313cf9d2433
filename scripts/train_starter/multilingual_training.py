"""The second stage: the multilingual tower learns to say what the English one says, against pictures that stay."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional

from train_starter.captions import Captions
from train_starter.lessons import Lessons
from train_starter.multilingual_tower import MultilingualTower
from train_starter.phrases import Sampler
from train_starter.sentence import has_bfloat16, tokenize
from train_starter.space import CLASSES, DIM, ImageHead, Seen, unit
from train_starter.training import ALIKE, divergence, pseudo_features

TOKENS_MAX = 16
PART = 160
"""Phrases of like length that run together."""
ALIKENESS = 20.0
"""What cosines are multiplied by where the teacher's answer is compared."""


@dataclass(frozen=True)
class StageSettings:
    """rate, rate_network: of AdamW, at the peak of one cycle, for the heads and for the sentence encoder, all of which
    learns but its table of pieces. dropout: of the pictures' features.

    nouns, class_names, kinds: phrases a step that are held against the pictures of classes; english, foreign, composed:
    lessons, whose vectors the teacher gives. abroad: so many captions, nouns and names are translated.
    bank: drawings by whose likeness the teacher's answer is compared, as it is by that of the classes' pictures, which
    stand for photographs.
    """

    steps: int = 1200
    pictures: int = 160
    nouns: int = 96
    class_names: int = 40
    kinds: int = 20
    english: int = 224
    foreign: int = 192
    composed: int = 64
    abroad: float = 0.3
    bank: int = 800
    plain: float = 0.4
    dropout: float = 0.2
    temperature: float = 0.07
    rate: float = 8e-4
    rate_network: float = 4e-4
    share_pairs: float = 0.6
    share_classes: float = 0.4
    share_nouns: float = 0.8
    share_kinds: float = 0.4
    share_nearness: float = 0.3
    share_drawings: float = 0.6
    share_photographs: float = 1.0
    share_cosine: float = 1.0
    average: float = 0.99


@dataclass(frozen=True)
class SeenPictures:
    """features: by view (n, 3, 1280) float16, of the three networks. head: their maps, which stay as they are.

    classifiers: (1000, 1280) weights of Lite0's and Lite2's ImageNet classifiers.
    """

    features: Sequence[NDArray[np.float16]]
    head: ImageHead
    classifiers: tuple[Tensor, Tensor]

    def __len__(self) -> int:
        return len(self.features[0])

    def vectors(self, rows: NDArray[np.int64], view: int, share: Tensor | float = 1.0) -> Tensor:
        """(n, DIM)."""
        low, high, tuned = torch.from_numpy(self.features[view][rows].astype(np.float32)).unbind(1)
        return self.head(Seen((low, high), tuned), share)


@dataclass(frozen=True)
class Texts:
    """Where phrases come from. taught: (lessons' targets, DIM + colours) what the teacher says of them."""

    captions: Captions
    lessons: Lessons
    taught: NDArray[np.float32]
    phrases: Sampler
    tokenizer: Tokenizer


class SecondStage:
    """One run. What ships is the running average of the weights; the table of pieces stays as it was."""

    def __init__(
        self,
        tower: MultilingualTower,
        pictures: SeenPictures,
        texts: Texts,
        settings: StageSettings,
        chance: np.random.Generator,
    ) -> None:
        self._tower, self._pictures = tower, pictures
        self._captions, self._lessons, self._taught = texts.captions, texts.lessons, texts.taught
        self._phrases, self._tokenizer = texts.phrases, texts.tokenizer
        self._set, self._chance = settings, chance
        self._scale = nn.Parameter(torch.tensor(20.0).log())
        with torch.no_grad():
            pictures.head.eval()
            every = np.arange(len(pictures))
            self._bank = torch.cat([pictures.vectors(rows, 0) for rows in np.array_split(every, 16)])
            pictures.head.train()
        means = [torch.from_numpy(pictures.features[0][:, place].astype(np.float32)) for place in (0, 1)]
        self._pseudo = [
            pseudo_features(_Classifier(weight), real) for weight, real in zip(pictures.classifiers, means, strict=True)
        ]

    def run(self, tell: Callable[[int, dict[str, float]], None], every: int = 50) -> None:
        """Learns, and leaves the averaged weights in the tower. tell: called with the step and the mean losses."""
        settings, tower = self._set, self._tower
        heads, network = [*tower.head.parameters(), self._scale], [*tower.network.weights.parameters()]
        learned = [*heads, *network]
        tower.requires_grad_(requires_grad=False)
        for parameter in learned:
            parameter.requires_grad_(requires_grad=True)
        rates = [settings.rate, settings.rate_network]
        adam = torch.optim.AdamW([
            {"params": heads, "lr": rates[0], "weight_decay": 0.05},
            {"params": network, "lr": rates[1], "weight_decay": 0.02},
        ])  # fmt: skip
        cycle = torch.optim.lr_scheduler.OneCycleLR(adam, rates, total_steps=settings.steps + 1, pct_start=0.15)
        average = [p.detach().clone() for p in learned]
        totals: dict[str, float] = {}
        tower.train()
        for step in range(1, settings.steps + 1):
            losses = self._losses()
            adam.zero_grad()
            self._sum(losses).backward()
            nn.utils.clip_grad_norm_(learned, 5.0)
            adam.step()
            cycle.step()
            keep = min(settings.average, step / (step + 10))
            for mean, now in zip(average, learned, strict=True):
                mean.lerp_(now.detach(), 1 - keep)
            for name, loss in losses.items():
                totals[name] = totals.get(name, 0.0) + float(loss.detach()) / every
            if step % every == 0:
                tell(step, totals)
                totals = {}
        with torch.no_grad():
            for mean, now in zip(average, learned, strict=True):
                now.copy_(mean)
        tower.eval()

    def _sum(self, losses: dict[str, Tensor]) -> Tensor:
        settings = self._set
        shares = {
            "pairs": settings.share_pairs, "classes": settings.share_classes, "nouns": settings.share_nouns,
            "kinds": settings.share_kinds, "nearness": settings.share_nearness, "drawings": settings.share_drawings,
            "photographs": settings.share_photographs, "cosine": settings.share_cosine,
        }  # fmt: skip
        return sum((losses[name] * share for name, share in shares.items()), torch.zeros(()))

    def _losses(self) -> dict[str, Tensor]:
        settings, chance, tower = self._set, self._chance, self._tower
        rows = chance.choice(len(self._pictures), settings.pictures, replace=False, p=self._captions.weights)
        captions = [self._captions.take(row) for row in rows.tolist()]
        nouns, wanted = self._phrases.nouns(settings.nouns)
        names, classes = self._phrases.class_names(settings.class_names)
        kinds, shares = self._phrases.kinds(settings.kinds)
        asked, meant = self._lessons.take(
            chance, english=settings.english, foreign=settings.foreign, composed=settings.composed
        )
        said = [self._abroad(phrase) for phrase in (*captions, *nouns, *names, *kinds)]
        sentences = self._sentences([*said, *asked])
        parts = [settings.pictures, settings.nouns, settings.class_names, settings.kinds, len(asked)]
        of_captions, of_nouns, of_names, of_kinds, of_lessons = tower.head(sentences).split(parts)
        near = tower.head.nearness(sentences.split(parts)[1])[:, :CLASSES]
        scale = self._scale.exp().clamp(max=50.0)
        apart = self._apart(rows, captions, sentences[: settings.pictures].detach())
        scores = (of_captions @ self._seen(rows).T * scale).masked_fill(~apart, -1e4)
        right = torch.arange(settings.pictures)
        pseudo = self._pseudo_seen().T
        true = unit(torch.from_numpy(self._taught[meant].astype(np.float32))[:, :DIM])
        bank = self._bank[torch.from_numpy(chance.choice(len(self._bank), settings.bank, replace=False))].T * ALIKENESS
        return {
            "pairs": (functional.cross_entropy(scores, right) + functional.cross_entropy(scores.T, right)) / 2,
            "classes": functional.cross_entropy(of_names @ pseudo * scale, classes),
            "nouns": divergence(of_nouns @ pseudo * scale, wanted),
            "kinds": divergence(of_kinds @ pseudo * scale, shares),
            "nearness": divergence(near, wanted),
            "drawings": divergence(of_lessons @ bank, torch.softmax(true @ bank, 1)),
            "photographs": divergence(of_lessons @ pseudo * ALIKENESS, torch.softmax(true @ pseudo * ALIKENESS, 1)),
            "cosine": 1.0 - (of_lessons * true).sum(-1).mean(),
        }

    def _abroad(self, phrase: str) -> str:
        if self._chance.random() >= self._set.abroad:
            return phrase
        return self._lessons.translated(phrase, self._chance)

    def _sentences(self, phrases: list[str]) -> Tensor:
        """(n, WIDTH), in parts of like length."""
        tokens = tokenize(phrases, self._tokenizer, TOKENS_MAX)
        order = torch.argsort(tokens.mask.sum(1), stable=True)
        found = []
        for rows in order.split(PART):
            part = tokens[rows]
            with torch.autocast("cpu", torch.bfloat16, enabled=has_bfloat16()):
                sums = self._tower.network.summed(self._tower.pieces(part.ids.long()), part.mask)
            found.append(self._tower.centred_sums(sums.float()))
        back = torch.empty_like(order)
        back[order] = torch.arange(len(order))
        return torch.cat(found)[back]

    def _seen(self, rows: NDArray[np.int64]) -> Tensor:
        """(n, DIM) of pictures in one view."""
        chance = self._chance
        share = torch.from_numpy((chance.random((len(rows), 1)) >= self._set.plain).astype(np.float32))
        return self._pictures.vectors(rows, int(chance.integers(len(self._pictures.features))), share).detach()

    def _pseudo_seen(self) -> Tensor:
        """(1000, DIM): of each class a picture as its weights describe it; the difference of two real ones is noise."""
        pictures = self._pictures
        one, other = self._chance.integers(len(pictures), size=(2, CLASSES))
        apart = (pictures.features[0][one].astype(np.float32) - pictures.features[0][other].astype(np.float32))[:, :2]
        noise = torch.from_numpy(apart)
        low, high = ((mean + noise[:, place]).clamp(min=0) for place, mean in enumerate(self._pseudo))
        return pictures.head(Seen((low, high), low)).detach()

    def _apart(self, rows: NDArray[np.int64], captions: list[str], sentences: Tensor) -> Tensor:
        """(n, n) bool: whether caption i is wrong for picture j, or its own."""
        alike = sentences @ sentences.T > ALIKE
        for column, row in enumerate(rows.tolist()):
            called = self._captions.all[row]
            for line, caption in enumerate(captions):
                if caption in called:
                    alike[line, column] = True
        alike.fill_diagonal_(fill_value=False)
        return ~alike


class _Classifier:
    def __init__(self, weight: Tensor) -> None:
        self.weight = weight
