"""The two functions that run on AWS Lambda, put together: a root of the program without window, engine or library.

    write_shard       messages of a queue -> a shard (`shard_batch`); the template's function `Shards`
    answer_request    a request -> a vector (`embed_requests`); the template's function `Requests`

Lambda imports this module once for each container and gives it ten seconds, so the model is loaded then. Files can be
written below /tmp only, HOME may not be there, nor /dev/shm. What the template sets:

    ATLAS_RT_BUCKET, ATLAS_RT_INPUT_PREFIX, ATLAS_RT_OUTPUT_PREFIX      see `loop_guard`
    ATLAS_RT_MODEL                                                      an encoder in the image; else the shipped one
    ATLAS_RT_CACHE                                                      the folder of what the image was built with
"""

from __future__ import annotations

import functools
import json
import logging
import math
import os
import resource
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from atlas_rt.aws.embed_requests import EmbedRequests
from atlas_rt.aws.loop_guard import LoopGuard
from atlas_rt.aws.s3_connection import S3Connection
from atlas_rt.aws.shard_batch import Message, ShardBatch
from atlas_rt.core.s3_options import S3Options
from atlas_rt.distributed.image_worker import ImageWorker
from atlas_rt.encoders.encoder import TextEncoder
from atlas_rt.errors import UsageError

MIB_PER_PROCESSOR = 1769
CACHE = "/opt/atlas_rt/cache"
"""Where the image keeps the vectors of the label words, and models that are not shipped."""

log = logging.getLogger("atlas_rt")
log.setLevel(logging.INFO)


@dataclass(frozen=True, slots=True)
class Environment:
    """What the function is told. threads: images worked on at the same time."""

    guard: LoopGuard
    model: str
    cache: Path
    threads: int

    @classmethod
    def read(cls, variables: Mapping[str, str]) -> Environment:
        """Raises UsageError, with which the function does not start."""
        guard = LoopGuard(
            variables.get("ATLAS_RT_BUCKET", ""),
            variables.get("ATLAS_RT_INPUT_PREFIX", ""),
            variables.get("ATLAS_RT_OUTPUT_PREFIX", ""),
        )
        memory_mib = int(variables.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "1769"))
        model, cache = variables.get("ATLAS_RT_MODEL", "starter"), variables.get("ATLAS_RT_CACHE", CACHE)
        return cls(guard, model, Path(cache), math.ceil(memory_mib / MIB_PER_PROCESSOR))


def write_shard(event: Any, context: Any) -> dict[str, Any]:
    """A batch of the queue. The answer names the messages that must come again.

    Raises UsageError for what is no batch, which Lambda counts as an error of the function.
    """
    began, worked = time.perf_counter(), time.process_time()
    outcome = _shard_batch().take(_messages(event), lambda: context.get_remaining_time_in_millis() / 1000)
    for message, reason in outcome.again.items():
        log.error("message %s comes again: %s", message, reason)
    took, processors = time.perf_counter() - began, time.process_time() - worked
    log.info("%s; %.3f s, %.3f s of processors; %s MiB at most", outcome.sentence(), took, processors, _peak_mib())
    return {"batchItemFailures": [{"itemIdentifier": each} for each in outcome.again]}


def answer_request(event: Any, context: Any) -> dict[str, Any]:  # noqa: ARG001 - Lambda gives both
    """A request to `POST /embed`."""
    answer = _embed_requests().answer(event)
    log.info("answered with %s; %s MiB at most", answer["statusCode"], _peak_mib())
    return answer


def _messages(event: Any) -> list[Message]:
    """Raises UsageError."""
    try:
        records = event["Records"]
        if not all(each["eventSource"] == "aws:sqs" for each in records):
            raise ValueError("not from a queue")
        return [Message(each["messageId"], each["body"], _received(each)) for each in records]
    except (KeyError, TypeError, ValueError) as error:
        said = json.dumps(event, default=str)[:500]
        raise UsageError(f"This function takes batches of a queue, and this is none ({error!r}): {said}") from error


def _received(record: Mapping[str, Any]) -> int:
    return int((record.get("attributes") or {}).get("ApproximateReceiveCount", 1))


@functools.cache
def _environment() -> Environment:
    return Environment.read(os.environ)


@functools.cache
def _worker() -> ImageWorker:
    began = time.perf_counter()
    worker = ImageWorker.open(_environment().model, cache=_environment().cache)
    log.info("model %s loaded in %.0f ms", worker.model.id, (time.perf_counter() - began) * 1000)
    return worker


@functools.cache
def _shard_batch() -> ShardBatch:
    """Raises UsageError where nothing is said about where shards go."""
    known = _environment()
    known.guard.output("shard")
    return ShardBatch(_worker(), S3Connection(S3Options()), known.guard, threads=known.threads)


@functools.cache
def _embed_requests() -> EmbedRequests:
    known = _environment()
    texts = TextEncoder(_worker().model, threads=known.threads)
    return EmbedRequests(_worker(), texts, S3Connection(S3Options(), attempts=3, read_secs=8.0), known.guard)


def _peak_mib() -> int:
    """The most memory that this process has had, in MiB. (The runtime reports what was ordered, when run locally.)"""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def warm_up(handler: str) -> None:
    """Load what a handler, `module.function`, needs; nothing for the handlers of others."""
    module, _, name = handler.rpartition(".")
    if module == __name__:
        {"write_shard": _shard_batch, "answer_request": _embed_requests}[name]()


if "AWS_LAMBDA_RUNTIME_API" in os.environ:  # Lambda's runtime imports this to run it
    warm_up(os.environ.get("_HANDLER") or sys.argv[-1])
