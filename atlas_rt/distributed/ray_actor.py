"""The worker as Ray has it: an actor that turns batches of addresses into shards.

It reads what it embeds, a few images ahead on threads, so that no image crosses Ray's object store: on a cluster only
addresses go out and shards of 8 KB an image come back.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from atlas_rt.distributed.image_worker import ImageWorker
from atlas_rt.distributed.item_reader import ItemReader
from atlas_rt.distributed.ray_job import RayJob
from atlas_rt.errors import DecodeError, MissingError
from atlas_rt.library.tables.rows import FailureRow, ImageRow, Item, Row
from atlas_rt.library.tables.shard import shard_bytes

AHEAD = 4
"""Images that are read while one is embedded."""


TRIES = 2
DEADLY = "a worker of the cluster died on it, or on one that came with it"
"""Of a batch on one machine. What fails so is not settled: the engine that takes the shard in reads it, alone if it
must (`engine/suspects.py`)."""


class Tries:
    """How often each batch was begun on this machine and not ended, because its process died."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def one(self, items: list[Item]) -> Iterator[int]:
        """Begin a batch, for the nth time."""
        name = hashlib.blake2b("\0".join(each.uri for each in items).encode("utf-8", "surrogateescape"), digest_size=8)
        note = self._folder / name.hexdigest()
        self._folder.mkdir(parents=True, exist_ok=True)
        number = 1 + (len(note.read_bytes()) if note.exists() else 0)
        note.write_bytes(b"." * number)
        yield number
        note.unlink(missing_ok=True)
        with suppress(OSError):
            self._folder.rmdir()


class RayActor:
    """One encoder on one machine of the cluster."""

    def __init__(self, job: RayJob) -> None:
        """Raises MissingError where the machine has no such model, or another one under its name."""
        self._worker = ImageWorker.open(job.model, cache=job.cache, own_labels=job.own_labels, runtime=job.runtime)
        if self._worker.model.id != job.model_id:
            raise MissingError(f"a machine of the cluster has {self._worker.model.id} as its model, not {job.model_id}")
        self._reader = ItemReader(job.s3)
        self._tries = Tries(Path(tempfile.gettempdir()) / f"atlas-ray-{job.run}")
        self._pool = ThreadPoolExecutor(AHEAD, thread_name_prefix="read")

    def __call__(self, batch: Any) -> dict[str, Any]:
        """batch: an Arrow table of `columns_of`. A table of one row: the shard, and what is in it."""
        items = [Item(os.fsdecode(row["uri"]), row["size"], row["mtime_ns"], row["etag"]) for row in batch.to_pylist()]
        with self._tries.one(items) as number:
            rows = list(self._rows(items)) if number <= TRIES else [FailureRow(each, DEADLY, "read") for each in items]
        shard = np.empty(1, object)  # of objects: numpy would cut the zeros at the end of bytes
        shard[0] = shard_bytes(rows, self._worker.maker)
        images = sum(isinstance(row, ImageRow) for row in rows)
        return {"shard": shard, "images": [images], "failures": [len(rows) - images]}

    def _rows(self, items: list[Item]) -> Iterator[Row]:
        """In the order of the items; one at a time is in memory, and those that are read ahead."""
        waiting = [self._pool.submit(self._read, item) for item in items[:AHEAD]]
        for number, item in enumerate(items):
            read = waiting.pop(0).result()
            if number + AHEAD < len(items):
                waiting.append(self._pool.submit(self._read, items[number + AHEAD]))
            if isinstance(read, FailureRow):
                yield read
            else:
                yield from self._worker.embed([(item, read)])

    def _read(self, item: Item) -> bytes | FailureRow:
        try:
            return self._reader.read(item)
        except DecodeError as error:
            return FailureRow(item, str(error), "read")


def columns_of(item: Item) -> dict[str, Any]:
    """An item as a row of Ray's data. A path is bytes: it need not be text."""
    return {"uri": os.fsencode(item.uri), "size": item.size, "mtime_ns": item.mtime_ns, "etag": item.etag}
