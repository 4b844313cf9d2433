"""A phrase, an image and an object go through the functions, and what comes back is compared with this machine's own.

deployed    over HTTPS to API Gateway, with the key or signed; the object through S3, the queue and a shard
local       the same through Lambda's emulator, with moto for S3 and SQS
"""

from __future__ import annotations

import base64
import json
import logging
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from atlas_rt.core.assets import demo_folder
from atlas_rt.distributed.image_worker import ImageWorker, Unusable
from atlas_rt.encoders.encoder import TextEncoder
from atlas_rt.library.tables.rows import ImageRow
from atlas_rt.library.tables.shard_file import ShardFile
from atlas_rt.search.query import vector_of
from deploy_aws.emulator import Emulator
from deploy_aws.stack import Account, StackError

COSINE_MIN = 0.9999
PHRASE = "a tiger walking"
PICTURE = "tiger-walking.webp"
SHARD_SECS = 180.0
"""How long a shard may take: the window of the batch, and a cold start."""


class Functions(Protocol):
    """Where the functions run."""

    def embed(self, body: bytes, content_type: str) -> tuple[int, dict[str, Any]]:
        """`POST /embed`: status and answer."""

    def put(self, name: str, data: bytes) -> str:
        """Put an object below the input prefix; its address."""

    def shards(self) -> dict[str, bytes]:
        """Key -> bytes, of the shards that were written since this began."""


@dataclass(frozen=True, slots=True)
class Check:
    """name: what was tried. cosine: to this machine's own vector, None where it failed. detail: of both."""

    name: str
    cosine: float | None
    detail: str

    @property
    def holds(self) -> bool:
        return self.cosine is not None and self.cosine >= COSINE_MIN


def smoke(functions: Functions, tell: Callable[[Check], None]) -> bool:
    """Try everything; whether all of it held."""
    data = (demo_folder() / PICTURE).read_bytes()
    worker = ImageWorker.open("starter", cache=Path("/nonexistent"), labels=False)
    prepared = worker.prepare(data)
    assert not isinstance(prepared, Unusable)
    (of_picture,) = worker.encode([prepared])
    texts = TextEncoder(worker.model)
    of_phrase = vector_of(PHRASE, texts.encode, templates=worker.model.text.templates)
    name = f"smoke-{uuid4().hex[:12]}.webp"
    address = functions.put(name, data)
    key = address.removeprefix("s3://").partition("/")[2]
    asked = [
        ("phrase", json.dumps({"text": PHRASE}).encode(), "application/json", of_phrase),
        ("image", data, "image/webp", of_picture),
        ("object by its key", json.dumps({"s3": key}).encode(), "application/json", of_picture),
    ]
    checks = [_answered(name, functions.embed(body, kind), expected) for name, body, kind, expected in asked]
    for check in checks:
        tell(check)
    checks.append(_in_a_shard(functions, address, of_picture))
    tell(checks[-1])
    return all(check.holds for check in checks)


def _answered(name: str, answer: tuple[int, dict[str, Any]], expected: NDArray[np.float32]) -> Check:
    status, found = answer
    if status != 200:
        return Check(name, None, f"HTTP {status}: {found.get('error') or found.get('message') or found}")
    return Check(name, _cosine(found["vector"], expected), f"{found['model']}, {found['ms']} ms inside the function")


def _in_a_shard(functions: Functions, address: str, expected: NDArray[np.float32]) -> Check:
    began = time.monotonic()
    while time.monotonic() < began + SHARD_SECS:
        for key, data in functions.shards().items():
            for row in _rows(data):
                if row.item.uri == address:
                    return Check("object through the queue", _cosine(row.vector, expected), f"{key}")
        time.sleep(2)
    return Check(
        "object through the queue", None, f"no shard with it in {SHARD_SECS:.0f} s; look at the function's log"
    )


def _rows(data: bytes) -> Iterator[ImageRow]:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "shard.parquet"
        file.write_bytes(data)
        with ShardFile(file) as shard:
            for group in range(shard.groups):
                yield from (row for row in shard.group(group) if isinstance(row, ImageRow))


def _cosine(found: Any, expected: NDArray[np.float32]) -> float:
    vector = np.asarray(found, np.float64)
    return float(vector @ expected / np.linalg.norm(vector) / np.linalg.norm(expected))


class Deployed:
    """The functions of a stack in an account."""

    def __init__(self, account: Account, stack: str) -> None:
        outputs = account.outputs(stack)
        if missing := {"EmbedUrl", "BucketName", "Images", "Shards"} - outputs.keys():
            raise StackError(f"the stack {stack} has no output {', '.join(sorted(missing))}")
        self._account, self._url, self._bucket = account, outputs["EmbedUrl"], outputs["BucketName"]
        self._images, self._shards = (outputs[name].partition(f"{self._bucket}/")[2] for name in ("Images", "Shards"))
        self._s3 = account.client("s3")
        self._key = ""
        if "ApiKeyId" in outputs:
            found = account.client("apigateway").get_api_key(apiKey=outputs["ApiKeyId"], includeValue=True)
            self._key = str(found["value"])
        self._before = set(self._listed())

    def embed(self, body: bytes, content_type: str) -> tuple[int, dict[str, Any]]:
        headers = {"Content-Type": content_type, **({"x-api-key": self._key} if self._key else {})}
        request = urllib.request.Request(self._url, data=body, headers=self._signed(body, headers))
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            said = error.read().decode(errors="replace")
            try:
                return error.code, dict(json.loads(said))
            except ValueError:
                return error.code, {"error": said[:300]}

    def put(self, name: str, data: bytes) -> str:
        self._s3.put_object(Bucket=self._bucket, Key=f"{self._images}{name}", Body=data)
        return f"s3://{self._bucket}/{self._images}{name}"

    def shards(self) -> dict[str, bytes]:
        new = [key for key in self._listed() if key not in self._before]
        return {key: self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read() for key in new}

    def _listed(self) -> list[str]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=self._shards)
        return [each["Key"] for page in pages for each in page.get("Contents", [])]

    def _signed(self, body: bytes, headers: dict[str, str]) -> dict[str, str]:
        """With a key nothing is signed; otherwise IAM decides."""
        if self._key:
            return headers
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest

        request = AWSRequest("POST", self._url, data=body, headers=headers)
        SigV4Auth(self._account.credentials.get_frozen_credentials(), "execute-api", self._account.region).add_auth(
            request
        )
        return dict(request.headers)


class Local:
    """The functions in the emulator, with moto for S3 and SQS. Made by `local`."""

    def __init__(self, s3: Any, sqs: Any, queue: str, bucket: str, shards: Emulator, requests: Emulator) -> None:
        self._s3, self._sqs, self._queue, self._bucket = s3, sqs, queue, bucket
        self._shards_function, self._requests_function = shards, requests

    def embed(self, body: bytes, content_type: str) -> tuple[int, dict[str, Any]]:
        """What API Gateway makes of a request: what is no text becomes base64."""
        binary = not content_type.startswith("application/json")
        event = {
            "httpMethod": "POST",
            "path": "/embed",
            "headers": {"Content-Type": content_type},
            "requestContext": {"identity": {"apiKeyId": "local"}},
            "body": base64.b64encode(body).decode() if binary else body.decode(),
            "isBase64Encoded": binary,
        }
        answer = self._requests_function.invoke(event)
        if answer.status != 200 or "statusCode" not in answer.payload:
            return 502, {"error": str(answer.payload)}
        return answer.payload["statusCode"], json.loads(answer.payload["body"])

    def put(self, name: str, data: bytes) -> str:
        self._s3.put_object(Bucket=self._bucket, Key=f"images/{name}", Body=data)
        return f"s3://{self._bucket}/images/{name}"

    def shards(self) -> dict[str, bytes]:
        """Lambda's part of the queue first: a batch is taken, the function invoked, what was done deleted."""
        found = self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10).get("Messages", [])
        if found:
            records = [
                {"messageId": each["MessageId"], "body": each["Body"], "eventSource": "aws:sqs"} for each in found
            ]
            answer = self._shards_function.invoke({"Records": records}).payload
            again = {each["itemIdentifier"] for each in answer["batchItemFailures"]}
            for each in found:
                if each["MessageId"] not in again:
                    self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=each["ReceiptHandle"])
        listed = self._s3.list_objects_v2(Bucket=self._bucket, Prefix="shards/").get("Contents", [])
        return {
            each["Key"]: self._s3.get_object(Bucket=self._bucket, Key=each["Key"])["Body"].read() for each in listed
        }


@contextmanager
def local(cache: Path) -> Iterator[Local]:
    """The functions on this machine. cache: where the vectors of the label words lie or are put.

    Raises StackError without what plays Amazon's services.
    """
    import boto3

    try:
        from moto.server import ThreadedMotoServer
    except ImportError as error:
        raise StackError("moto plays S3 and SQS here, and is not installed: scripts/setup dev") from error
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # moto tells of every request
    with ExitStack() as stack:
        server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
        server.start()
        stack.callback(server.stop)
        host, port = server.get_host_and_port()
        url = f"http://{host}:{port}"
        session = boto3.session.Session("local", "local", region_name="us-east-1")
        s3, sqs = (session.client(name, endpoint_url=url) for name in ("s3", "sqs"))
        s3.create_bucket(Bucket="local")
        queue = sqs.create_queue(QueueName="local")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        heard = {
            "QueueArn": arn,
            "Events": ["s3:ObjectCreated:*"],
            "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "images/"}]}},
        }
        s3.put_bucket_notification_configuration(
            Bucket="local", NotificationConfiguration={"QueueConfigurations": [heard]}
        )
        variables = {
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL_S3": url,
            "ATLAS_RT_BUCKET": "local",
            "ATLAS_RT_INPUT_PREFIX": "images/",
            "ATLAS_RT_CACHE": str(cache),
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
        }
        requests = stack.enter_context(Emulator("atlas_rt.aws.handler.answer_request", variables, timeout_secs=29))
        writes = variables | {"ATLAS_RT_OUTPUT_PREFIX": "shards/"}
        shards = stack.enter_context(Emulator("atlas_rt.aws.handler.write_shard", writes, timeout_secs=300))
        yield Local(s3, sqs, queue, "local", shards, requests)
