"""A stronger encoder: what is offered, and how far the way to it is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ModelOffer:
    """An encoder that would search better than the one in use.

    good_for: what it finds. accuracy: published zero-shot top-1 on ImageNet in percent, None where nobody published it.
    here: it is installed, and only has to encode the images. begun_mb: how much of it was fetched before.
    """

    name: str
    size_mb: int
    good_for: str
    accuracy: float | None = None
    here: bool = False
    begun_mb: int = 0


@dataclass(frozen=True, slots=True)
class UpgradeWork:
    """What is being done for it. amount, pace: how far and how fast it goes, empty while nobody knows. share: 0..1 that
    is done, None likewise."""

    title: str
    amount: str = ""
    pace: str = ""
    share: float | None = None


@dataclass(frozen=True, slots=True)
class UpgradeView:
    """What panels show of it. offers: none while one is on its way. work: None where nothing is done. trouble: why the
    last try came to nothing; again: the model to try again with."""

    offers: tuple[ModelOffer, ...] = ()
    work: UpgradeWork | None = None
    trouble: str = ""
    again: str = ""
