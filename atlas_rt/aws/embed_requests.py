"""`POST /embed`: a phrase, some phrases, an image or the key of an object -> its vector, as JSON.

    {"text": "red car +sunset"}       as `search` reads it
    {"texts": ["cat", "dog"]}         each for itself
    {"image": "<base64>"}             or the image itself as the body, with its Content-Type
    {"s3": "images/a.jpg"}            an object below the prefix that is embedded

Requests come from a REST API, an HTTP API (payload 2.0) or a function URL, which have found out who sent them. One
whose sender nobody looked at is refused, so that an address which was opened by mistake serves nobody.
"""

from __future__ import annotations

import base64
import binascii
import json
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from atlas_rt.aws.loop_guard import LoopGuard
from atlas_rt.aws.s3_connection import S3Connection
from atlas_rt.aws.whole_object import TooLargeError, read_whole
from atlas_rt.core.arrays import Floats
from atlas_rt.core.s3_address import S3Address
from atlas_rt.core.s3_errors import (
    S3ArchivedError,
    S3DeniedError,
    S3Error,
    S3GoneError,
    S3NetworkError,
    S3SlowDownError,
)
from atlas_rt.distributed.image_worker import ImageWorker, Unusable, is_vector
from atlas_rt.encoders.encoder import TextEncoder
from atlas_rt.search.query import vector_of

PATH = "/embed"
IMAGE_BYTES_MAX = 4_500_000
"""Lambda takes 6 MB, and base64 makes four bytes of three."""
ANSWER_BYTES_MAX = 6_000_000
"""Lambda's own limit is 6,291,556, beyond which a caller learns nothing but 502."""
PHRASE_MAX, PHRASES_MAX = 2_000, 1_000
"""Characters of a phrase, and phrases of a request."""
ASKS = 'Send one of {"text": ...}, {"texts": [...]}, {"image": <base64>} or {"s3": <key>}, or an image as the body.'
IMAGE_TYPES = ("image/", "application/octet-stream")
JSON_TYPE = "application/json"
_STATUS = (
    (S3GoneError, 404),
    (S3DeniedError, 403),
    (S3ArchivedError, 422),
    (S3SlowDownError, 503),
    (S3NetworkError, 503),
)

log = logging.getLogger("atlas_rt")


class RequestError(Exception):
    """A request that is not answered with a vector. status: of HTTP."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


@dataclass(frozen=True, slots=True)
class Request:
    """A request, whichever way it came. body: None where it came as text in spite of an image's type."""

    method: str
    path: str
    content_type: str
    body: bytes
    is_binary: bool
    is_known: bool
    """Whether somebody looked at who sent it."""


class EmbedRequests:
    """Answers requests. One at a time."""

    def __init__(self, worker: ImageWorker, texts: TextEncoder, connection: S3Connection, guard: LoopGuard) -> None:
        self._worker, self._texts, self._connection, self._guard = worker, texts, connection, guard

    def answer(self, event: Any) -> dict[str, Any]:
        """The answer as API Gateway wants it; it never raises."""
        began = time.perf_counter()
        try:
            found = self._found(request_of(event))
            found["ms"] = round((time.perf_counter() - began) * 1000, 1)
            body = json.dumps(found, ensure_ascii=False, separators=(",", ":"))
            if len(body.encode()) > ANSWER_BYTES_MAX:
                raise RequestError(
                    413, "The answer would have more than 6 MB, which Lambda does not send; ask for fewer."
                )
        except RequestError as error:
            return _answer(error.status, _error(str(error)))
        except Exception:
            log.exception("a request")
            return _answer(500, _error("The request could not be answered; the function's log tells why."))
        return _answer(200, body)

    def _found(self, request: Request) -> dict[str, Any]:
        _check(request)
        if request.content_type.startswith(IMAGE_TYPES):
            if not request.is_binary:
                raise RequestError(
                    415, f"The image came as text; send it as one of the API's binary types or as {JSON_TYPE}."
                )
            return self._image(request.body)
        if request.content_type != JSON_TYPE:
            raise RequestError(
                415, f"The body must be {JSON_TYPE} or an image, not {request.content_type or 'untyped'}."
            )
        kind, value = _asked(request.body)
        if kind == "image":
            return self._image(_decoded(value))
        if kind == "s3":
            return self._object(value)
        return self._phrases([value] if kind == "text" else value, single=kind == "text")

    def _phrases(self, phrases: Any, *, single: bool) -> dict[str, Any]:
        if not isinstance(phrases, list) or not 0 < len(phrases) <= PHRASES_MAX:
            raise RequestError(400, f'"texts" must be a list of 1 to {PHRASES_MAX:,} phrases.')
        if not all(isinstance(each, str) and each.strip() and len(each) <= PHRASE_MAX for each in phrases):
            raise RequestError(400, f"A phrase must be text of 1 to {PHRASE_MAX:,} characters.")
        templates = self._texts.model.text.templates
        vectors = [_numbers(vector_of(each, self._texts.encode, templates=templates)) for each in phrases]
        return self._made({"vector": vectors[0]} if single else {"vectors": vectors})

    def _object(self, key: Any) -> dict[str, Any]:
        if not isinstance(key, str) or not key:
            raise RequestError(400, '"s3" must be the key of an object.')
        address = S3Address(self._guard.bucket, key)
        if self._guard.refusal(address):
            raise RequestError(403, f"Only objects below {self._guard.input_prefix} are read.")
        try:
            item, data = read_whole(self._connection, address)
        except TooLargeError as error:
            raise RequestError(413, f"The object cannot be read: {error}.") from error
        except S3Error as error:
            status = next((status for kind, status in _STATUS if isinstance(error, kind)), 500)
            raise RequestError(status, str(error)) from error
        return self._image(data, item.uri, bytes_max=len(data)) | {"uri": item.uri, "etag": item.etag}

    def _image(self, data: bytes, name: str = "", *, bytes_max: int = IMAGE_BYTES_MAX) -> dict[str, Any]:
        if len(data) > bytes_max:
            raise RequestError(
                413, 'An image may have 4.5 MB here; put a larger one into the bucket and ask with {"s3": <key>}.'
            )
        prepared = self._worker.prepare(data, name)
        if isinstance(prepared, Unusable):
            raise RequestError(422, f"The image cannot be used: {prepared.reason}.")
        vectors = self._worker.encode([prepared])
        if not is_vector(vectors).all():
            raise RequestError(422, "The encoder gave no vector for this image.")
        (labels,) = self._worker.label(vectors)
        return self._made(
            {
                "vector": _numbers(vectors[0]),
                "labels": [{"word": word, "confidence": round(share, 4)} for word, share in labels],
                "width_px": prepared.width_px,
                "height_px": prepared.height_px,
                "incomplete": prepared.incomplete,
            }
        )

    def _made(self, found: dict[str, Any]) -> dict[str, Any]:
        return {"model": self._worker.model.id, "dim": self._worker.model.dim} | found


def request_of(event: Any) -> Request:
    """Raises RequestError for what is no request of an API."""
    try:
        context = event["requestContext"]
        modern = event.get("version") == "2.0"
        method = context["http"]["method"] if modern else event["httpMethod"]
        path = event["rawPath"] if modern else event["path"]
        headers = {str(name).lower(): str(value) for name, value in (event.get("headers") or {}).items()}
        binary, body = bool(event.get("isBase64Encoded")), event.get("body") or ""
    except (KeyError, TypeError, AttributeError) as error:
        raise RequestError(400, "This is no request of an API Gateway or a function URL.") from error
    content_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    data = _decoded(body) if binary else str(body).encode("utf-8", "surrogatepass")
    return Request(str(method), str(path), content_type, data, binary, _is_known(context))


def _is_known(context: Mapping[str, Any]) -> bool:
    """Whether the request carries a key that was checked, or an identity."""
    identity = context.get("identity") or {}
    return bool(identity.get("apiKeyId") or identity.get("userArn") or context.get("authorizer"))


def _check(request: Request) -> None:
    """Raise RequestError for what needs no look at the body."""
    if not request.path.rstrip("/").endswith(PATH):
        raise RequestError(404, f"There is only {PATH} here.")
    if request.method != "POST":
        raise RequestError(405, f"{PATH} takes POST only.")
    if not request.is_known:
        raise RequestError(401, "Nobody has looked at who sends this; protect the address with a key or with IAM.")


def _asked(body: bytes) -> tuple[str, Any]:
    """What a JSON body asks for: the one field it has, and its value."""
    try:
        facts = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RequestError(400, f"The body is no JSON ({error}). {ASKS}") from error
    if not isinstance(facts, dict) or len(facts) != 1 or not facts.keys() <= {"text", "texts", "image", "s3"}:
        raise RequestError(400, ASKS)
    return next(iter(facts.items()))


def _decoded(text: Any) -> bytes:
    if not isinstance(text, str):
        raise RequestError(400, "The image must be base64.")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise RequestError(400, f"This is no base64 ({error}).") from error


def _numbers(vector: Floats) -> list[float]:
    """As few digits as give the same float32 again."""
    return [float(str(each)) for each in vector.astype(np.float32)]


def _error(sentence: str) -> str:
    return json.dumps({"error": sentence}, ensure_ascii=False)


def _answer(status: int, body: str) -> dict[str, Any]:
    return {
        "statusCode": status,
        "headers": {"Content-Type": JSON_TYPE, "Cache-Control": "no-store"},
        "isBase64Encoded": False,
        "body": body,
    }
