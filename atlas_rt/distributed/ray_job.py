"""What is asked of a Ray cluster and what it answers: small frozen values between our process and the one that speaks
to Ray."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from atlas_rt.core.runtime import ANYWHERE, Runtime
from atlas_rt.core.s3_options import S3Options
from atlas_rt.library.tables.rows import Item

BATCH = 64
"""Images of one shard at most: what is done again if a machine dies. 0.5 MB."""


@dataclass(frozen=True, slots=True)
class RayJob:
    """Images to embed. model: its name, as for `registry.load`; model_id: what every machine must find under it.

    address: of a running cluster, such as ray://head:10001 or auto; empty for one of our own on this machine, with
    this many cpus. cache: where models and label words lie, on every machine. own_labels: file of the person's words.
    run: tells one run from another.
    """

    items: tuple[Item, ...]
    model: str
    model_id: str
    cache: Path
    address: str = ""
    cpus: int = 1
    own_labels: Path | None = None
    runtime: Runtime = ANYWHERE
    s3: S3Options = field(default_factory=S3Options)
    batch: int = BATCH
    run: str = field(default_factory=lambda: uuid4().hex)


def named(job: RayJob) -> str:
    """The cluster, at the beginning of a sentence."""
    return f"The Ray cluster at {job.address}" if job.address else "The Ray cluster on this machine"


@dataclass(frozen=True, slots=True)
class MadeShard:
    """One batch, embedded: a shard as bytes, and how many images and failures are in it."""

    data: bytes
    images: int
    failures: int


@dataclass(frozen=True, slots=True)
class Connected:
    """The cluster is there. workers: how many embed at the same time. gpus: how many of them on a GPU."""

    workers: int
    gpus: int


@dataclass(frozen=True, slots=True)
class Finished:
    """All batches are made."""


@dataclass(frozen=True, slots=True)
class Broken:
    """It cannot go on: a sentence."""

    reason: str


FromRay = Connected | MadeShard | Finished | Broken
