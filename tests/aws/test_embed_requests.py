"""`POST /embed`: phrases, images and objects become vectors; everything else becomes a status and a sentence."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from atlas_rt.aws import embed_requests
from atlas_rt.aws.embed_requests import EmbedRequests
from atlas_rt.aws.loop_guard import LoopGuard
from atlas_rt.aws.s3_connection import S3Connection
from atlas_rt.distributed.image_worker import ImageWorker
from atlas_rt.encoders.encoder import TextEncoder
from atlas_rt.search.query import vector_of
from tests.libraries import PICTURES
from tests.s3_stub import S3Stub

PICTURE = PICTURES[0].read_bytes()
KEY = {"identity": {"apiKey": "hidden", "apiKeyId": "abc"}}


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> ImageWorker:
    return ImageWorker.open("starter", cache=tmp_path_factory.mktemp("no cache"), labels=False)


@pytest.fixture(scope="module")
def texts(worker: ImageWorker) -> TextEncoder:
    return TextEncoder(worker.model)


@pytest.fixture
def requests(s3_stub: S3Stub, worker: ImageWorker, texts: TextEncoder) -> Iterator[EmbedRequests]:
    connection = S3Connection(s3_stub.options, attempts=1, read_secs=2.0)
    yield EmbedRequests(worker, texts, connection, LoopGuard("b", "images/"))
    connection.close()


def rest(body: Any, content_type: str = "application/json", **more: Any) -> dict[str, Any]:
    """An event of a REST API, with a key that was checked."""
    text = body if isinstance(body, str) else json.dumps(body)
    return {
        "httpMethod": "POST",
        "path": "/embed",
        "headers": {"Content-Type": content_type, "Host": "x"},
        "requestContext": KEY,
        "body": text,
        "isBase64Encoded": False,
        **more,
    }


def rest_image(data: bytes, content_type: str = "image/webp") -> dict[str, Any]:
    return rest(base64.b64encode(data).decode(), content_type, isBase64Encoded=True)


def modern(body: Any, **context: Any) -> dict[str, Any]:
    """An event of an HTTP API, payload 2.0."""
    return {
        "version": "2.0",
        "rawPath": "/prod/embed",
        "headers": {"content-type": "application/json; charset=utf-8"},
        "requestContext": {"http": {"method": "POST"}, "authorizer": {"iam": {"userArn": "arn"}}} | context,
        "body": json.dumps(body),
        "isBase64Encoded": False,
    }


def ask(requests: EmbedRequests, event: Any) -> tuple[int, dict[str, Any]]:
    answer = requests.answer(event)
    assert answer["headers"]["Content-Type"] == "application/json"
    assert answer["isBase64Encoded"] is False
    json.dumps(answer, allow_nan=False)
    return answer["statusCode"], json.loads(answer["body"])


@pytest.mark.parametrize("event", [rest, modern])
def test_a_phrase_has_the_vector_that_search_gives_it(event: Any, requests: EmbedRequests, texts: TextEncoder) -> None:
    status, found = ask(requests, event({"text": "red car +sunset -people"}))
    expected = vector_of("red car +sunset -people", texts.encode, templates=texts.model.text.templates)
    assert status == 200
    assert (np.array(found["vector"], np.float32) == expected).all()
    assert (found["model"], found["dim"]) == (texts.model.id, texts.model.dim)
    assert found["ms"] > 0


def test_an_image_has_the_vector_that_the_engine_gives_it_however_it_is_sent(
    requests: EmbedRequests, worker: ImageWorker, s3_stub: S3Stub
) -> None:
    s3_stub.put("images/a b.webp", PICTURE)
    prepared = worker.prepare(PICTURE)
    (expected,) = worker.encode([prepared])  # type: ignore[list-item]
    ways = [
        rest_image(PICTURE),
        rest_image(PICTURE, "application/octet-stream"),
        rest({"image": base64.b64encode(PICTURE).decode()}),
        modern({"s3": "images/a b.webp"}),
    ]
    for event in ways:
        status, found = ask(requests, event)
        assert status == 200
        assert (np.array(found["vector"], np.float32) == expected).all()
    assert (found["uri"], found["etag"]) == ("s3://b/images/a b.webp", s3_stub.objects["images/a b.webp"].etag)


def test_phrases_are_answered_in_their_order(requests: EmbedRequests, texts: TextEncoder) -> None:
    status, found = ask(requests, rest({"texts": ["a cat", "a dog"]}))
    assert status == 200
    assert np.array(found["vectors"], np.float32)[1].tolist() == texts.encode("a dog").tolist()


REFUSED: list[tuple[int, Any]] = [
    (400, None),
    (400, {}),
    (400, {"Records": []}),
    (400, rest("no json")),
    (400, rest("[" * 100_000)),
    (400, rest([])),
    (400, rest({})),
    (400, rest({"text": "a", "s3": "b"})),
    (400, rest({"sound": "a"})),
    (400, rest({"text": " "})),
    (400, rest({"text": 3})),
    (400, rest({"text": "x" * 2001})),
    (400, rest({"texts": []})),
    (400, rest({"texts": "cat"})),
    (400, rest({"texts": ["a"] * 1001})),
    (400, rest({"image": "ümläut"})),
    (400, rest({"image": None})),
    (400, rest({"s3": ""})),
    (400, rest("***", "image/jpeg", isBase64Encoded=True)),
    (401, rest({"text": "a"}, requestContext={"identity": {"sourceIp": "203.0.113.9", "apiKeyId": None}})),
    (401, modern({"text": "a"}, authorizer=None)),
    (403, rest({"s3": "shards/a.parquet"})),
    (403, rest({"s3": "../images/a.jpg"})),
    (404, rest({"s3": "images/gone.jpg"})),
    (404, rest({"text": "a"}, path="/embed/other")),
    (405, rest({"text": "a"}, httpMethod="GET")),
    (413, rest_image(b"\0" * 4_500_001)),
    (413, rest({"s3": "images/huge.tif"})),
    (415, rest("a", "text/plain")),
    (415, rest("a", "")),
    (415, rest({"text": "a"}, headers=None)),
    (415, rest("\ufffdPNG", "image/png")),
    (422, rest_image(b"no image")),
    (422, rest_image(b"")),
    (422, rest({"s3": "images/cold.jpg"})),
]
"""Status, and a request that gets it."""


def test_what_cannot_be_answered_is_told_with_a_sentence(requests: EmbedRequests, s3_stub: S3Stub) -> None:
    s3_stub.put("images/huge.tif", size=6 * 10**9)
    s3_stub.put("images/cold.jpg", PICTURE, storage_class="GLACIER")
    for status, event in REFUSED:
        found, answer = ask(requests, event)
        assert found == status, (event, answer)
        assert answer.keys() == {"error"}
        assert answer["error"].endswith((".", "}")) or "s3://" in answer["error"]
        assert "Traceback" not in answer["error"]


@pytest.mark.parametrize(
    ("code", "status"), [("AccessDenied", 403), ("SlowDown", 503), ("InternalError", 503), ("ExpiredToken", 500)]
)
def test_what_s3_refuses_has_its_status(code: str, status: int, requests: EmbedRequests, s3_stub: S3Stub) -> None:
    s3_stub.put("images/a.jpg", PICTURE)
    s3_stub.fail(code, times=None)
    assert ask(requests, rest({"s3": "images/a.jpg"}))[0] == status


def test_an_answer_that_lambda_would_not_send_is_refused_here(
    requests: EmbedRequests, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embed_requests, "ANSWER_BYTES_MAX", 20_000)
    assert ask(requests, rest({"texts": ["a", "b"]}))[0] == 200
    status, found = ask(requests, rest({"texts": ["a", "b", "c", "d", "e"]}))
    assert status == 413
    assert "6 MB" in found["error"]


def test_a_defect_of_ours_is_a_500_without_its_traceback(
    requests: EmbedRequests, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ImageWorker, "prepare", lambda *_, **__: 1 // 0)
    status, found = ask(requests, rest_image(PICTURE))
    assert (status, found) == (500, {"error": "The request could not be answered; the function's log tells why."})


def test_the_largest_image_fits_into_a_request_of_lambda(tmp_path: Path) -> None:
    event = rest_image(b"\xff" * embed_requests.IMAGE_BYTES_MAX)
    assert len(json.dumps(event)) < 6_291_556
