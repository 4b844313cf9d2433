"""What embedding costs, with the arithmetic: measured times, list prices, and nothing hidden in between."""

from __future__ import annotations

import math
from dataclasses import dataclass

MIB_PER_PROCESSOR = 1769
"""As in `atlas_rt/aws/handler.py`."""
PRICES_OF = (
    "us-east-1, list prices as of 28 November 2026, without free allowances; check https://aws.amazon.com/pricing"
)
GB_SECOND = {"x86_64": 0.0000166667, "arm64": 0.0000133334}
"""Lambda, US dollars."""
INVOCATIONS = 0.20 / 1e6
S3_PUT, S3_GET = 5.00 / 1e6, 0.40 / 1e6
"""A LIST costs as much as a PUT."""
S3_GB_MONTH = 0.023
SQS_REQUESTS = 0.40 / 1e6
SQS_PER_MESSAGE = 3.0
"""Requests: S3 sends each message by itself; a batch is received in tens and deleted in tens. Three is more than that,
which leaves room for polls that find nothing."""
EGRESS_GB = 0.09


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured of one image. processor_ms: of one processor, which Lambda gives for each 1,769 MiB. wait_ms:
    for S3 to give it, which was assumed and not measured. cold_ms: a start. shard_bytes: of its row."""

    processor_ms: float
    wait_ms: float
    cold_ms: float
    shard_bytes: float
    where: str

    def warm_secs(self, memory_mib: int) -> float:
        """How long an image takes a warm function, which works on as many at a time as it has processors."""
        processors = memory_mib / MIB_PER_PROCESSOR
        return (self.processor_ms / processors + self.wait_ms / math.ceil(processors)) / 1000


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be embedded, and how."""

    images: int
    image_bytes: float = 3e6
    memory_mib: int = 3008
    batch: int = 100
    containers: int = 10
    machine: str = "x86_64"


@dataclass(frozen=True, slots=True)
class Line:
    """One position of the bill. arithmetic: how the amount came about. usd: 0 for what is only said."""

    name: str
    arithmetic: str
    usd: float


def bill(plan: Plan, measured: Measured) -> list[Line]:
    """What embedding once costs; storage is for a month."""
    gib, batches = plan.memory_mib / 1024, -(-plan.images // plan.batch)
    price = GB_SECOND[plan.machine]
    warm_secs, cold_secs = measured.warm_secs(plan.memory_mib), measured.cold_ms / 1000
    shards_gb, images_gb = plan.images * measured.shard_bytes / 1e9, plan.images * plan.image_bytes / 1e9
    starts = min(plan.containers, batches)
    return [
        Line(
            "Lambda, time",
            f"{plan.images:,} x {warm_secs:.3f} s x {gib:.2f} GB x {price:.10f} $",
            plan.images * warm_secs * gib * price,
        ),
        Line(
            "Lambda, starts",
            f"{starts} x {cold_secs:.1f} s x {gib:.2f} GB x {price:.10f} $",
            starts * cold_secs * gib * price,
        ),
        Line("Lambda, invocations", f"{batches:,} x {INVOCATIONS:.7f} $", batches * INVOCATIONS),
        Line("S3, images read", f"{plan.images:,} x {S3_GET:.7f} $", plan.images * S3_GET),
        Line("S3, shards written", f"{batches:,} x {S3_PUT:.6f} $", batches * S3_PUT),
        Line(
            "SQS",
            f"{plan.images:,} x {SQS_PER_MESSAGE:g} x {SQS_REQUESTS:.7f} $",
            plan.images * SQS_PER_MESSAGE * SQS_REQUESTS,
        ),
        Line("S3, images put", f"{plan.images:,} x {S3_PUT:.6f} $", plan.images * S3_PUT),
        Line("S3, shards kept", f"{shards_gb:.3g} GB x {S3_GB_MONTH} $ a month", shards_gb * S3_GB_MONTH),
        Line("S3, images kept", f"{images_gb:,.0f} GB x {S3_GB_MONTH} $ a month", images_gb * S3_GB_MONTH),
        Line("shards fetched home", f"{shards_gb:.3g} GB x {EGRESS_GB} $", shards_gb * EGRESS_GB),
    ]


def duration_secs(plan: Plan, measured: Measured) -> float:
    """From the first image to the last, if the containers are always busy."""
    return plan.images * measured.warm_secs(plan.memory_mib) / plan.containers


def table(plan: Plan, measured: Measured) -> str:
    """As text."""
    lines = bill(plan, measured)
    width = max(len(line.arithmetic) for line in lines)
    hours = duration_secs(plan, measured) / 3600
    rows = [f"  {line.name:20} {line.arithmetic:{width}} = {line.usd:10.4f} $" for line in lines]
    embedding = sum(line.usd for line in lines if "kept" not in line.name and "put" not in line.name)
    return "\n".join(
        [
            f"{plan.images:,} images of {plan.image_bytes / 1e6:g} MB, {plan.memory_mib:,} MiB, {plan.machine}, "
            f"batches of {plan.batch}, {plan.containers} at the same time: {hours:.2f} h",
            *rows,
            f"  {'embedding and fetching':20} {'':{width}}   {embedding:10.2f} $",
            f"  {'with all of the above':20} {'':{width}}   {sum(line.usd for line in lines):10.2f} $",
        ]
    )
