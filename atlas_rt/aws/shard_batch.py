"""A batch of messages about new objects becomes one shard, and the list of messages that must come again.

    a message is done          its objects are rows of the shard (also as failures: no image, too large, archived), are
                               gone, or are no images by their names
    a message comes again      it is no event we know, it names an object that may not be read here, S3 did not give the
                               object or take the shard, or time ran out

A shard's name is made of what is in it, so a batch that is delivered twice writes the same object twice. Batches that
overlap give rows twice, which the library that imports them knows by their content.

Time: images are begun until `RESERVE_SECS` before the function would be killed, and what is ready then is written. A
decoder that never returns costs its own message and no other, as nobody waits for its thread.

An image that kills the process takes its batch with it, again and again. So from the third time on messages are taken
one by one, each with a shard of its own, once from the first to the last and once the other way round: what stands
before it and what stands behind it is written, although the messages may still end among the dead letters.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue

from atlas_rt.aws.loop_guard import LoopGuard
from atlas_rt.aws.s3_connection import S3Connection
from atlas_rt.aws.s3_events import NewObject, UnknownEventError, newest, objects_in
from atlas_rt.aws.whole_object import TooLargeError, check_size, read_whole
from atlas_rt.core.s3_address import S3Address
from atlas_rt.core.s3_errors import S3ArchivedError, S3Error, S3GoneError
from atlas_rt.distributed.image_worker import VERSION, ImageWorker, maker_of
from atlas_rt.library.formats import is_picture
from atlas_rt.library.tables.rows import FailureRow, Item, Row
from atlas_rt.library.tables.shard import SUFFIX, shard_bytes

RESERVE_SECS = 20.0
RESERVE_SHARE = 0.2
"""Of the time there is, where that is short. Writing a shard of 100 images takes well under a second; the rest is for
S3 to say "slow down" a few times."""

TOGETHER_MAX = 2
"""How many times a message is taken together with others, of five in all."""

log = logging.getLogger("atlas_rt")


@dataclass(frozen=True, slots=True)
class Message:
    """A message of the queue. received: how many times it has come, this one counted."""

    id: str
    body: str
    received: int = 1


@dataclass(slots=True)
class Outcome:
    """What became of a batch. again: ids of the messages that must come again -> why.

    shards: one, more where messages were taken one by one, none where there are no rows. images, failures: their rows.
    gone: objects that are no longer there. skipped: names that are no images'.
    """

    again: dict[str, str] = field(default_factory=dict)
    shards: list[S3Address] = field(default_factory=list)
    images: int = 0
    failures: int = 0
    gone: int = 0
    skipped: int = 0

    def sentence(self) -> str:
        """For the log."""
        where = f"wrote {', '.join(map(str, self.shards))}" if self.shards else "wrote no shard"
        return (
            f"{where}: {self.images} images, {self.failures} that are none, {self.gone} gone, {self.skipped} skipped; "
            f"{len(self.again)} messages come again"
        )


@dataclass(frozen=True, slots=True)
class _Gone:
    """An object that is no longer there: nothing to embed, nothing to try again."""


@dataclass(frozen=True, slots=True)
class _Again:
    """Why an object must be tried again."""

    reason: str


class ShardBatch:
    """Takes batches. One at a time."""

    def __init__(self, worker: ImageWorker, connection: S3Connection, guard: LoopGuard, *, threads: int = 1) -> None:
        """threads: images that are worked on at the same time. The graph runs on one each, as in the local engine,
        so that vectors are equal to its to the last bit."""
        self._worker, self._connection, self._guard, self._threads = worker, connection, guard, threads
        key = worker.vocabulary.key if worker.vocabulary is not None else ""
        self._maker = maker_of(worker.model, key, worker=VERSION)
        shard_bytes([], self._maker)  # loads pyarrow now, and not while the first batch waits

    def take(self, messages: Sequence[Message], remaining_secs: Callable[[], float]) -> Outcome:
        """Embed what the messages tell of. remaining_secs: until this process is killed."""
        outcome = Outcome()
        remaining = remaining_secs()
        until = time.monotonic() + remaining - min(RESERVE_SECS, RESERVE_SHARE * remaining)
        for part in parts_of(messages):
            self._take(part, until, outcome)
        return outcome

    def _take(self, messages: Sequence[Message], until: float, outcome: Outcome) -> None:
        objects = self._objects(messages, outcome)
        wanted = newest(each for told in objects.values() for each in told)
        images = {address: each for address, each in wanted.items() if is_picture(address.key)}
        outcome.skipped += len(wanted) - len(images)
        results = self._embedded(list(images.values()), until)
        self._write(results, outcome)
        _hand_back(objects, images, results, outcome)

    def _objects(self, messages: Sequence[Message], outcome: Outcome) -> dict[str, list[NewObject]]:
        """Message -> its objects, without the messages that cannot be understood or may not be followed."""
        told: dict[str, list[NewObject]] = {}
        for message in messages:
            try:
                objects = objects_in(message.body)
            except UnknownEventError as error:
                outcome.again[message.id] = str(error)
                continue
            refusals = [refusal for each in objects if (refusal := self._guard.refusal(each.address))]
            if refusals:
                outcome.again[message.id] = refusals[0]
            else:
                told[message.id] = objects
        return told

    def _embedded(self, objects: Sequence[NewObject], until: float) -> dict[S3Address, Row | _Gone | _Again]:
        """What became of the objects by then; one whose time did not come, or whose decoder hangs, is not in it."""
        waiting = deque(objects)
        finished: SimpleQueue[tuple[S3Address, Row | _Gone | _Again]] = SimpleQueue()
        stopped: list[str] = []  # by what S3 refuses now and would refuse every other object too

        def work() -> None:
            while waiting and time.monotonic() < until:
                try:
                    each = waiting.popleft()
                except IndexError:  # another thread was faster
                    return
                finished.put((each.address, _Again(stopped[0]) if stopped else self._one(each, stopped)))

        for _ in range(min(self._threads, len(objects))):
            threading.Thread(target=work, name="image", daemon=True).start()
        results: dict[S3Address, Row | _Gone | _Again] = {}
        while len(results) < len(objects) and (left := until - time.monotonic()) > 0:
            try:
                address, result = finished.get(timeout=left)
            except Empty:
                break
            results[address] = result
        waiting.clear()
        return results

    def _one(self, new: NewObject, stopped: list[str]) -> Row | _Gone | _Again:
        told = Item(str(new.address), max(0, new.size))
        try:
            check_size(told)
            (row,) = self._worker.embed([read_whole(self._connection, new.address)])
        except S3GoneError:
            return _Gone()
        except S3ArchivedError as error:
            return FailureRow(told, str(error), "read")
        except TooLargeError as error:
            return FailureRow(error.item, str(error), "read")
        except S3Error as error:
            if error.ends_all:
                stopped.append(str(error))
            return _Again(str(error))
        except Exception as error:
            log.exception("%s", new.address)
            return _Again(f"It could not be embedded ({type(error).__name__}): {new.address}")
        return row

    def _write(self, results: dict[S3Address, Row | _Gone | _Again], outcome: Outcome) -> None:
        """One shard of all rows. Where S3 does not take it, none of the rows counts as done."""
        outcome.gone += sum(isinstance(each, _Gone) for each in results.values())
        rows = sorted((each for each in results.values() if not isinstance(each, _Gone | _Again)), key=_uri)
        if not rows:
            return
        data = shard_bytes(rows, self._maker)
        shard = self._guard.output(f"{self._maker.model}/{hashlib.sha256(data).hexdigest()[:32]}{SUFFIX}")
        try:
            self._connection.call("put_object", shard, Body=data, ContentType="application/vnd.apache.parquet")
        except S3Error as error:
            again = _Again(f"The shard could not be written. {error}")
            results |= {address: again for address, each in results.items() if not isinstance(each, _Gone)}
            return
        outcome.shards.append(shard)
        failures = sum(isinstance(row, FailureRow) for row in rows)
        outcome.failures += failures
        outcome.images += len(rows) - failures


def parts_of(messages: Sequence[Message]) -> list[list[Message]]:
    """What is taken together: most messages at once, those that have failed twice one by one."""
    suspects = [message for message in messages if message.received > TOGETHER_MAX]
    if any(message.received % 2 for message in suspects):
        suspects.reverse()
    others = [message for message in messages if message.received <= TOGETHER_MAX]
    return [*([others] if others else []), *([message] for message in suspects)]


def _uri(row: Row) -> str:
    return row.item.uri


def _hand_back(
    objects: Mapping[str, Sequence[NewObject]],
    images: Mapping[S3Address, NewObject],
    results: Mapping[S3Address, Row | _Gone | _Again],
    outcome: Outcome,
) -> None:
    """Note each message of which an image was not done."""
    for message, told in objects.items():
        for each in told:
            result = results.get(each.address)
            if isinstance(result, _Again):
                outcome.again[message] = result.reason
            elif result is None and each.address in images:
                outcome.again[message] = f"Time ran out: {each.address}"
