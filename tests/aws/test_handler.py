"""The functions as Lambda runs them: in AWS's own emulator, with the role's rights, against S3 and a queue."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from deploy_aws.emulator import Emulator, EmulatorError, emulator_binary

from atlas_rt.aws.handler import Environment
from atlas_rt.distributed.image_worker import ImageWorker
from atlas_rt.errors import UsageError
from atlas_rt.library.tables.rows import ImageRow
from atlas_rt.library.tables.shard_file import ShardFile
from tests.aws.lambda_stack import INPUT, Stack, again, messages
from tests.libraries import PICTURES, ROOT
from tests.s3_server import S3Server


@pytest.fixture(scope="session")
def emulator() -> Path:
    """Downloaded once, 8 MB; without a network and without it in the cache these tests are skipped."""
    try:
        return emulator_binary()
    except (EmulatorError, OSError) as error:
        pytest.skip(str(error))


def test_a_batch_goes_through_the_emulator(emulator: Path, s3: S3Server, encoded_words: Path, tmp_path: Path) -> None:
    """A cold start, a good batch, a batch of which one message fails, what is no batch: in one container."""
    stack = Stack.make(s3)
    pictures = PICTURES[:3]
    for picture in pictures:
        s3.client.put_object(Bucket=stack.bucket, Key=INPUT + picture.name, Body=picture.read_bytes())
    batch = stack.batch()
    # A cache that cannot be written, a home that is not there; labels only where an earlier test encoded their words.
    variables = stack.variables | {
        "PYTHONPATH": str(ROOT),
        "ATLAS_RT_CACHE": str(encoded_words.parent),
        "HOME": "/none",
    }
    with Emulator("atlas_rt.aws.handler.write_shard", variables, timeout_secs=60, folder=tmp_path) as function:
        good = function.invoke(batch)
        assert (good.status, good.payload) == (200, {"batchItemFailures": []}), function.log()
        stack.settle(batch, good.payload)
        assert stack.batch()["Records"] == []
        s3.client.put_object(Bucket=stack.bucket, Key=f"{INPUT}poison.jpg", Body=b"poison")
        poisoned = stack.batch()
        partly = function.invoke({"Records": [*poisoned["Records"], *messages("nonsense")["Records"]]})
        assert again(partly.payload) == ["m0"]
        broken = function.invoke({"hello": "world"})
        assert broken.payload["errorType"] == "UsageError"
        assert "takes batches of a queue" in broken.payload["errorMessage"]
        report = function.report()
        assert len(report.init_ms) == 1
        assert "message m0 comes again: The message is no JSON" in function.log()
    first, second = sorted(stack.shards().values(), key=len, reverse=True)
    worker = ImageWorker.open("starter", cache=tmp_path, labels=False)
    file = tmp_path / "shard.parquet"
    file.write_bytes(first)
    with ShardFile(file) as shard:
        rows = shard.group(0)
    for picture, row in zip(pictures, rows, strict=True):
        assert isinstance(row, ImageRow)
        prepared = worker.prepare(picture.read_bytes(), picture.name)
        assert (row.vector == worker.encode([prepared])[0].astype(row.vector.dtype)).all()  # type: ignore[list-item]
    assert b"poison.jpg" in second


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"ATLAS_RT_BUCKET": "b"},
        {"ATLAS_RT_BUCKET": "b", "ATLAS_RT_INPUT_PREFIX": "images/", "ATLAS_RT_OUTPUT_PREFIX": "images/"},
        {"ATLAS_RT_BUCKET": "b", "ATLAS_RT_INPUT_PREFIX": "images/", "ATLAS_RT_OUTPUT_PREFIX": "images/shards/"},
    ],
)
def test_a_function_that_could_start_itself_does_not_start(variables: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        Environment.read(variables)


@pytest.mark.parametrize(("memory_mib", "threads"), [("1024", 1), ("1769", 1), ("3008", 2), ("10240", 6)])
def test_it_works_on_as_many_images_as_it_has_processors(memory_mib: str, threads: int) -> None:
    variables: dict[str, Any] = {"ATLAS_RT_BUCKET": "b", "ATLAS_RT_INPUT_PREFIX": "images/"}
    found = Environment.read(variables | {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": memory_mib})
    assert found.threads == threads
    assert found.model == "starter"
