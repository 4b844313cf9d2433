"""Batches of messages become shards: what is in them, what comes again, what is written twice."""

from __future__ import annotations

import io
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from atlas_rt.aws import shard_batch, whole_object
from atlas_rt.aws.loop_guard import LoopGuard
from atlas_rt.aws.s3_connection import S3Connection
from atlas_rt.aws.shard_batch import Message, Outcome, ShardBatch
from atlas_rt.core.s3_options import S3Options
from atlas_rt.distributed.image_worker import ImageWorker
from atlas_rt.library.file_content import content_hash
from atlas_rt.library.store import StoreReader
from atlas_rt.library.tables.rows import FailureRow, ImageRow, Row
from atlas_rt.library.tables.shard_file import ShardFile
from atlas_rt.library.vectors import read_vector
from tests.aws.lambda_stack import INPUT, OUTPUT, Stack, messages, s3_event
from tests.libraries import PICTURES, Library
from tests.s3_server import S3Server, use_environment
from tests.s3_stub import S3Stub

KITTEN, TIGER = PICTURES[0].read_bytes(), PICTURES[1].read_bytes()


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> ImageWorker:
    return ImageWorker.open("starter", cache=tmp_path_factory.mktemp("no cache"), labels=False)


@pytest.fixture
def stack(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> Stack:
    """Everything runs with the role's keys from here on."""
    made = Stack.make(s3)
    use_environment(monkeypatch, s3.environment(made.keys))
    return made


@pytest.fixture
def stub_batch(s3_stub: S3Stub, worker: ImageWorker) -> Iterator[ShardBatch]:
    """On a server that misbehaves; requests are sent once."""
    connection = S3Connection(s3_stub.options, attempts=1, read_secs=2.0)
    yield ShardBatch(worker, connection, LoopGuard("b", INPUT, OUTPUT), threads=2)
    connection.close()


def batch_of(worker: ImageWorker, bucket: str) -> ShardBatch:
    return ShardBatch(worker, S3Connection(S3Options()), LoopGuard(bucket, INPUT, OUTPUT), threads=2)


def take(batch: ShardBatch, event: dict[str, Any], secs: float = 60.0) -> Outcome:
    began = time.monotonic()
    records = [Message(each["messageId"], each["body"]) for each in event["Records"]]
    return batch.take(records, lambda: secs - (time.monotonic() - began))


def rows_of(data: bytes, folder: Path) -> list[Row]:
    file = folder / "shard.parquet"
    file.write_bytes(data)
    with ShardFile(file) as shard:
        found = [row for group in range(shard.groups) for row in shard.group(group)]
    assert None not in found
    return [row for row in found if row is not None]


def stub_rows(stub: S3Stub, folder: Path) -> list[Row]:
    """Of the one shard that was written."""
    (shard,) = [stored.body for key, stored in stub.objects.items() if key.startswith(OUTPUT)]
    return rows_of(shard, folder)


def test_images_that_are_put_into_the_bucket_become_what_the_engine_stores(
    stack: Stack, indexed: Library, tmp_path: Path
) -> None:
    """S3 -> queue -> batch -> shard, with the role's rights and no others; vectors and labels equal to the engine's."""
    worker = ImageWorker.open("starter", cache=indexed.cache)
    odd = ["a b&c.webp", "døg+.webp", "//x.webp", "50%25.webp"]
    pictures = sorted(indexed.source.glob("*.webp"))[:4]
    for name, picture in zip(odd, pictures, strict=True):
        stack.server.client.put_object(Bucket=stack.bucket, Key=INPUT + name, Body=picture.read_bytes())
    stack.server.client.put_object(Bucket=stack.bucket, Key="elsewhere/a.webp", Body=KITTEN)
    batch = stack.batch()
    assert len(batch["Records"]) == 5  # S3's test event first; nobody told of what lies elsewhere
    outcome = take(batch_of(worker, stack.bucket), batch)
    assert (outcome.again, outcome.images, outcome.skipped) == ({}, 4, 0)
    (data,) = stack.shards().values()
    rows = {row.item.uri: row for row in rows_of(data, tmp_path)}
    with StoreReader.open(indexed.place.folder) as store:
        for name, picture in zip(odd, pictures, strict=True):
            row = rows[f"s3://{stack.bucket}/{INPUT}{name}"]
            assert isinstance(row, ImageRow)
            known = store.known(content_hash(picture.read_bytes()), indexed.model.id)
            assert known is not None
            assert (row.vector == read_vector(indexed.model_folder, known.vector_row, indexed.model.dim)).all()
            assert row.item.etag == stack.server.client.head_object(Bucket=stack.bucket, Key=INPUT + name)["ETag"][1:-1]


def test_what_a_function_writes_never_comes_back_to_it(stack: Stack, worker: ImageWorker) -> None:
    stack.server.client.put_object(Bucket=stack.bucket, Key=f"{INPUT}a.webp", Body=KITTEN)
    batch = stack.batch()
    outcome = take(batch_of(worker, stack.bucket), batch)
    stack.settle(batch, {"batchItemFailures": []})
    assert stack.batch()["Records"] == []
    # Even if somebody told it of its own shard, or of an image that lies among the shards, it would not read them.
    (key,) = (shard.key for shard in outcome.shards)
    forged = messages(
        s3_event(stack.bucket, key), s3_event(stack.bucket, f"{OUTPUT}a.webp"), s3_event("other", "images/a.webp")
    )
    refused = take(batch_of(worker, stack.bucket), forged)
    assert (list(refused.again), refused.shards) == (["m0", "m1", "m2"], [])
    assert list(stack.shards()) == [key]


def test_a_batch_that_is_delivered_twice_writes_one_object(stub_batch: ShardBatch, s3_stub: S3Stub) -> None:
    for name in ("a", "b"):
        s3_stub.put(f"{INPUT}{name}.webp", KITTEN + name.encode())
    first = take(stub_batch, messages(s3_event("b", f"{INPUT}a.webp"), s3_event("b", f"{INPUT}b.webp")))
    again = take(stub_batch, messages(s3_event("b", f"{INPUT}b.webp", f"{INPUT}a.webp", f"{INPUT}a.webp")))
    assert first.shards == again.shards
    assert (again.images, s3_stub.count("PUT")) == (2, 2)
    assert len([key for key in s3_stub.objects if key.startswith(OUTPUT)]) == 1


def test_what_is_no_image_is_a_row_and_no_failed_message(
    stub_batch: ShardBatch, s3_stub: S3Stub, tmp_path: Path
) -> None:
    s3_stub.put(f"{INPUT}good.webp", KITTEN)
    s3_stub.put(f"{INPUT}poison.jpg", b"\xff\xd8 no picture at all")
    s3_stub.put(f"{INPUT}empty.png", b"")
    s3_stub.put(f"{INPUT}cold.webp", KITTEN, storage_class="GLACIER")
    s3_stub.put(f"{INPUT}huge.tif", size=6 * 10**9)
    s3_stub.put(f"{INPUT}grown.tif", size=6 * 10**9)
    names = ("good.webp", "poison.jpg", "empty.png", "cold.webp", "grown.tif", "gone.webp", "notes.txt", "folder/")
    events = [s3_event("b", INPUT + name) for name in names]
    outcome = take(stub_batch, messages(*events, s3_event("b", f"{INPUT}huge.tif", size=6 * 10**9)))
    assert outcome.again == {}
    assert (outcome.images, outcome.failures, outcome.gone, outcome.skipped) == (1, 5, 1, 2)
    rows = {row.item.uri.rpartition("/")[2]: row for row in stub_rows(s3_stub, tmp_path)}
    told = {name: row.stage for name, row in rows.items() if isinstance(row, FailureRow)}
    assert told == {
        "poison.jpg": "decode",
        "empty.png": "decode",
        "cold.webp": "read",
        "grown.tif": "read",
        "huge.tif": "read",
    }
    assert sum(seen.key.endswith("huge.tif") for seen in s3_stub.seen) == 0
    assert "6,000,000,000 bytes" in getattr(rows["huge.tif"], "reason")  # noqa: B009


def test_an_object_that_was_replaced_is_read_as_it_is_now(
    stub_batch: ShardBatch, s3_stub: S3Stub, tmp_path: Path
) -> None:
    s3_stub.put(f"{INPUT}a.webp", KITTEN)
    s3_stub.change_before_read(f"{INPUT}a.webp", TIGER)
    outcome = take(stub_batch, messages(s3_event("b", f"{INPUT}a.webp")))
    (row,) = stub_rows(s3_stub, tmp_path)
    assert (outcome.images, row.content_hash) == (1, content_hash(TIGER))
    assert row.item.etag == s3_stub.objects[f"{INPUT}a.webp"].etag


def test_messages_that_cannot_be_understood_come_again_and_the_others_do_not(
    stub_batch: ShardBatch, s3_stub: S3Stub
) -> None:
    s3_stub.put(f"{INPUT}a.webp", KITTEN)
    batch = messages(s3_event("b", f"{INPUT}a.webp"), "{}", {"Event": "s3:TestEvent"}, "nonsense")
    outcome = take(stub_batch, batch)
    assert (list(outcome.again), outcome.images) == (["m1", "m3"], 1)


@pytest.mark.parametrize("code", ["AccessDenied", "SlowDown", "InternalError"])
def test_an_object_that_s3_does_not_give_comes_again(code: str, stub_batch: ShardBatch, s3_stub: S3Stub) -> None:
    for name in ("a", "b"):
        s3_stub.put(f"{INPUT}{name}.webp", KITTEN)
    s3_stub.fail(code, key=f"{INPUT}b.webp", times=None)
    batch = messages(s3_event("b", f"{INPUT}a.webp"), s3_event("b", f"{INPUT}b.webp"))
    outcome = take(stub_batch, batch)
    assert list(outcome.again) == ["m1"]
    assert outcome.images == 1
    s3_stub.heal()
    assert take(stub_batch, {"Records": batch["Records"][1:]}).again == {}


def test_keys_that_have_expired_are_not_tried_with_every_object(stub_batch: ShardBatch, s3_stub: S3Stub) -> None:
    for number in range(20):
        s3_stub.put(f"{INPUT}{number}.webp", KITTEN)
    s3_stub.fail("ExpiredToken", times=None)
    outcome = take(stub_batch, messages(*(s3_event("b", f"{INPUT}{number}.webp") for number in range(20))))
    assert len(outcome.again) == 20
    assert s3_stub.count() <= 6


def test_a_connection_that_breaks_in_a_body_is_tried_again(stub_batch: ShardBatch, s3_stub: S3Stub) -> None:
    s3_stub.put(f"{INPUT}a.webp", KITTEN)
    s3_stub.cut(f"{INPUT}a.webp", at=1000, times=whole_object.TRIES - 1)
    assert take(stub_batch, messages(s3_event("b", f"{INPUT}a.webp"))).images == 1
    s3_stub.cut(f"{INPUT}a.webp", at=1000, times=whole_object.TRIES)
    assert list(take(stub_batch, messages(s3_event("b", f"{INPUT}a.webp"))).again) == ["m0"]


def test_a_shard_that_is_not_taken_hands_every_image_back(stub_batch: ShardBatch, s3_stub: S3Stub) -> None:
    s3_stub.put(f"{INPUT}a.webp", KITTEN)
    s3_stub.fail("SlowDown", operation="PUT", times=None)
    batch = messages(s3_event("b", f"{INPUT}a.webp"), s3_event("b", f"{INPUT}gone.webp"))
    outcome = take(stub_batch, batch)
    assert (list(outcome.again), outcome.shards, outcome.images) == (["m0"], [], 0)
    s3_stub.heal()
    assert take(stub_batch, batch).again == {}


def test_what_there_was_no_time_for_comes_again(
    stub_batch: ShardBatch, s3_stub: S3Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what was ready is written. One image hangs for ever, as a decoder might; it costs its own message only."""
    for number in range(8):
        s3_stub.put(f"{INPUT}{number}.webp", KITTEN)
    never, read = threading.Event(), shard_batch.read_whole

    def hangs(connection: S3Connection, address: Any) -> Any:
        if address.key.endswith("/3.webp"):
            never.wait(30)
        return read(connection, address)

    monkeypatch.setattr(shard_batch, "read_whole", hangs)
    events = messages(*(s3_event("b", f"{INPUT}{number}.webp") for number in range(8)))
    outcome = take(stub_batch, events, secs=4.0)
    never.set()
    assert list(outcome.again) == ["m3"]
    assert outcome.images == 7
    nothing = take(stub_batch, events, secs=0.0)
    assert (len(nothing.again), nothing.shards) == (8, [])


def test_messages_that_failed_twice_are_taken_one_by_one_and_then_from_behind(
    stub_batch: ShardBatch, s3_stub: S3Stub
) -> None:
    def ids(*received: int) -> list[list[str]]:
        messages = [Message(f"m{at}", "", count) for at, count in enumerate(received)]
        return [[each.id for each in part] for part in shard_batch.parts_of(messages)]

    assert ids(1, 2, 1) == [["m0", "m1", "m2"]]
    assert ids(1, 3, 2, 3) == [["m0", "m2"], ["m3"], ["m1"]]
    assert ids(4, 4) == [["m0"], ["m1"]]
    for name in ("a", "b", "c"):
        s3_stub.put(f"{INPUT}{name}.webp", KITTEN)
    bodies = [json.dumps(s3_event("b", f"{INPUT}{name}.webp")) for name in ("a", "b", "c", "gone")]
    messages_ = [Message(f"m{at}", body, 1 + 3 * (at > 0)) for at, body in enumerate(bodies)]
    outcome = stub_batch.take(messages_, lambda: 60.0)
    assert (len(outcome.shards), outcome.images, outcome.gone, outcome.again) == (3, 3, 1, {})


def test_any_image_of_many_formats_is_read(stub_batch: ShardBatch, s3_stub: S3Stub) -> None:
    from PIL import Image

    for kind in ("JPEG", "PNG", "GIF", "TIFF", "BMP"):
        data = io.BytesIO()
        Image.fromarray(np.full((40, 60, 3), 90, np.uint8)).save(data, kind)
        s3_stub.put(f"{INPUT}a.{kind.lower()}", data.getvalue())
    keys = [key for key in s3_stub.objects if key.startswith(INPUT)]
    assert take(stub_batch, messages(*(s3_event("b", key) for key in keys))).images == 5


def test_a_reason_is_told_for_each_message(stub_batch: ShardBatch, s3_stub: S3Stub) -> None:
    s3_stub.fail("AccessDenied", times=None)
    outcome = take(stub_batch, messages(s3_event("b", f"{INPUT}a.webp"), json.dumps({"a": 1})))
    assert outcome.again["m0"] == "These credentials may not do this (s3:GetObject is denied): s3://b/images/a.webp"
    assert outcome.again["m1"] == "The message is no event of S3; it holds a."
    assert "2 messages come again" in outcome.sentence()
