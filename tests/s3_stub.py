"""A small S3 on loopback that misbehaves as it is told to: what moto cannot play.

It keeps one bucket in memory (any bucket name finds it) and knows LIST, GET, HEAD, PUT, DELETE and multipart uploads,
with ranges, ETags, If-Match, If-None-Match and Content-MD5. It checks no signatures. Faults are told in advance:

    stub.put("a.jpg", b"...")                      an object; `size=` for one too large to hold
    stub.fail("SlowDown", times=5)                 the next five requests are answered 503 SlowDown
    stub.fail("ExpiredToken", times=None, after=3) from the fourth request on, until `stub.heal()`
    stub.cut("a.jpg", at=1000)                     the connection breaks after 1,000 bytes of the body
    stub.change_before_read("a.jpg", b"new")       listed as it was, read as it is now
    stub.page_secs = 0.2                           each page of a listing takes so long
    stub.region = "eu-west-1"                      requests signed for another region get 301
    stub.signed_only = True                        requests without keys get 403
    stub.leave(); stub.come_back()                 nobody listens at the port meanwhile
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import re
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit
from xml.sax.saxutils import escape

import pytest

from atlas_rt.core.s3_options import S3Options
from tests.s3_server import environment_of, use_environment

STATUS = {
    "SlowDown": 503,
    "InternalError": 500,
    "AccessDenied": 403,
    "ExpiredToken": 400,
    "RequestTimeTooSkewed": 403,
    "InvalidAccessKeyId": 403,
    "SignatureDoesNotMatch": 403,
    "InvalidObjectState": 403,
    "PermanentRedirect": 301,
    "NoSuchKey": 404,
    "NoSuchPublicAccessBlockConfiguration": 404,
    "NoSuchBucketPolicy": 404,
    "NotImplemented": 501,
    "NoSuchBucket": 404,
    "NoSuchUpload": 404,
    "PreconditionFailed": 412,
    "InvalidRange": 416,
    "BadDigest": 400,
    "InvalidPart": 400,
    "RequestTimeout": 400,
    "KeyTooLongError": 400,
}
XMLNS = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'


@dataclass
class Stored:
    """One object. size: of a body too large to hold (zeros are sent), else that of the body."""

    body: bytes
    size: int
    etag: str
    storage_class: str = "STANDARD"
    modified: datetime = field(default_factory=lambda: datetime.now(UTC))
    headers: dict[str, str] = field(default_factory=dict)
    """Metadata and sums that came with it, by header."""

    def part(self, start: int, end: int) -> bytes:
        """Bytes start to end, end excluded."""
        return self.body[start:end] if self.body else bytes(end - start)


@dataclass(frozen=True, slots=True)
class Seen:
    """One request as it came. key: unquoted, without the bucket. words: the query."""

    method: str
    bucket: str
    key: str
    words: Mapping[str, str]
    headers: Mapping[str, str]

    @property
    def operation(self) -> str:
        """LIST, GET, HEAD, PUT, DELETE, SETTINGS of a bucket's privacy, or CREATE, PART, COMPLETE, ABORT, PARTS and
        UPLOADS of a multipart upload."""
        if "uploads" in self.words:
            return "CREATE" if self.method == "POST" else "UPLOADS"
        if {"publicAccessBlock", "policyStatus", "acl"} & self.words.keys():
            return "SETTINGS"
        if "uploadId" in self.words:
            return {"PUT": "PART", "POST": "COMPLETE", "DELETE": "ABORT", "GET": "PARTS"}[self.method]
        return "LIST" if self.method == "GET" and not self.key else self.method


@dataclass
class Fault:
    """times: how often, None for ever. after: how many matching requests go well before."""

    code: str
    operation: str
    key: str
    times: int | None
    after: int

    def strikes(self, seen: Seen) -> bool:
        """Whether this request fails; counts it."""
        if self.times == 0 or (self.operation and seen.operation not in self.operation.split()):
            return False
        if self.key and self.key != seen.key:
            return False
        if self.after > 0:
            self.after -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True


class S3Stub:
    """The server and all that can be told to it. `seen` holds every request in the order of arrival."""

    def __init__(self) -> None:
        self.objects: dict[str, Stored] = {}
        self.uploads: dict[str, tuple[str, dict[int, bytes], dict[str, str]]] = {}
        """Upload -> key, parts by number, headers."""
        self.seen: list[Seen] = []
        self.page_keys = 1000
        self.page_secs = 0.0
        self.body_secs = 0.0
        """A pause before each 64 KiB of a body that is sent."""
        self.region = ""
        self.region_told = True
        """Whether the 301 says which region it is."""
        self.signed_only = False
        self.signed_lists = False
        """As `signed_only`, for listings alone."""
        self.conditions = True
        """Whether a PUT may carry If-None-Match and If-Match."""
        self.put_secs = 0.0
        """How long a PUT takes."""
        self.clock_error = timedelta()
        self.lock = threading.RLock()
        self._faults: list[Fault] = []
        self._cuts: dict[str, list[int]] = {}
        self._drops: list[Fault] = []
        self._changes: dict[str, bytes] = {}
        self._sockets: set[socket.socket] = set()
        self._server: ThreadingHTTPServer | None = None
        self.port = 0
        self.come_back()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def options(self) -> S3Options:
        return S3Options(endpoint_url=self.url)

    # -- what a test tells it ------------------------------------------------------------------------------------------

    def put(self, key: str, body: bytes = b"", *, size: int | None = None, storage_class: str = "STANDARD") -> str:
        """Keep an object; its ETag without quotes. size: of one that is too large to hold."""
        etag = hashlib.md5(body).hexdigest() if size is None else f"{hashlib.md5(key.encode()).hexdigest()}-99"
        with self.lock:
            self.objects[key] = Stored(body, len(body) if size is None else size, etag, storage_class)
        return etag

    def fail(self, code: str, *, operation: str = "", key: str = "", times: int | None = 1, after: int = 0) -> None:
        """Answer with this error. operation: those of `Seen`, separated by spaces; empty for all, as is key."""
        self._faults.append(Fault(code, operation, key, times, after))

    def drop(self, *, operation: str = "", key: str = "", times: int | None = 1, after: int = 0) -> None:
        """Close the connection instead of answering, once the request was read."""
        self._drops.append(Fault("", operation, key, times, after))

    def cut(self, key: str, *, at: int, times: int = 1) -> None:
        """Break the connection after so many bytes of the object's body."""
        self._cuts.setdefault(key, []).extend([at] * times)

    def change_before_read(self, key: str, body: bytes) -> None:
        """Change an object when it is next asked for, so that it is another than the one listed."""
        self._changes[key] = body

    def heal(self) -> None:
        """No more faults from now on."""
        self._faults.clear()
        self._drops.clear()
        self._cuts.clear()

    def leave(self) -> None:
        """Refuse connections, and break those that are open."""
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()
        with self.lock:
            for each in self._sockets:
                _break(each)
            self._sockets.clear()

    def come_back(self) -> None:
        """Listen at the same port as before."""
        stub = self

        class Handler(_Handler):
            s3 = stub

        self._server = _Server(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def count(self, operation: str = "") -> int:
        """How many requests came, of this operation."""
        with self.lock:
            return sum(not operation or seen.operation == operation for seen in self.seen)

    # -- what the handler asks -----------------------------------------------------------------------------------------

    def take(self, seen: Seen) -> tuple[str, bool]:
        """Note a request: the error to answer with, empty for none, and whether to drop the connection."""
        with self.lock:
            self.seen.append(seen)
            if any(fault.strikes(seen) for fault in self._drops):
                return "", True
            closed = self.signed_only or (self.signed_lists and seen.operation == "LIST")
            if closed and "authorization" not in seen.headers:
                return "AccessDenied", False
            if self.region and f"/{self.region}/s3/" not in seen.headers.get("authorization", f"/{self.region}/s3/"):
                return "PermanentRedirect", False
            if not self.conditions and seen.method == "PUT" and {"if-match", "if-none-match"} & seen.headers.keys():
                return "NotImplemented", False
            return next((fault.code for fault in self._faults if fault.strikes(seen)), ""), False

    def found(self, key: str) -> Stored | None:
        """The object as it is now; a change that was told beforehand happens here."""
        with self.lock:
            if key in self._changes:
                self.put(key, self._changes.pop(key))
            return self.objects.get(key)

    def cut_of(self, key: str) -> int | None:
        """After how many bytes the body breaks, None for never."""
        with self.lock:
            cuts = self._cuts.get(key)
            return cuts.pop(0) if cuts else None

    def opened(self, connection: socket.socket) -> None:
        with self.lock:
            self._sockets.add(connection)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever breaks a connection is not told of."""


class _Handler(BaseHTTPRequestHandler):
    s3: S3Stub
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        super().setup()
        self.s3.opened(self.connection)

    def log_message(self, *_: Any) -> None:
        """Nothing."""

    def _answer(self) -> None:
        path = urlsplit(self.path)
        words = dict(parse_qsl(path.query, keep_blank_values=True))
        bucket, _, key = path.path.removeprefix("/").partition("/")
        headers = {name.lower(): value for name, value in self.headers.items()}
        seen = Seen(self.command, unquote(bucket), unquote(key), words, headers)
        body = self._body(headers)
        code, dropped = self.s3.take(seen)
        if dropped or body is None:
            self.close_connection = True
            _break(self.connection)
        elif code:
            self._error(code, seen)
        else:
            getattr(self, f"_{seen.operation.lower()}")(seen, body)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _answer  # noqa: N815

    def _body(self, headers: Mapping[str, str]) -> bytes | None:
        """What came with the request; None where the connection broke."""
        if headers.get("expect", "").lower() == "100-continue":
            pass  # BaseHTTPRequestHandler has answered it
        length = int(headers.get("content-length", 0))
        body = self.rfile.read(length)
        return body if len(body) == length else None

    def _list(self, seen: Seen, _: bytes) -> None:
        time.sleep(self.s3.page_secs)
        with self.s3.lock:
            start = unquote(seen.words.get("continuation-token", "")) or seen.words.get("start-after", "")
            keys = sorted(
                key for key in self.s3.objects if key.startswith(seen.words.get("prefix", "")) and key > start
            )
            page = keys[: min(self.s3.page_keys, int(seen.words.get("max-keys", 1000)))]
            rows = "".join(_row(key, self.s3.objects[key], seen.words.get("encoding-type", "")) for key in page)
        more = len(page) < len(keys)
        token = f"<NextContinuationToken>{escape(quote(page[-1], safe=''))}</NextContinuationToken>" if more else ""
        self._xml(
            f"<ListBucketResult {XMLNS}><Name>{seen.bucket}</Name><KeyCount>{len(page)}</KeyCount>"
            f"<IsTruncated>{str(more).lower()}</IsTruncated>"
            f"<EncodingType>url</EncodingType>{token}{rows}</ListBucketResult>"
        )

    def _get(self, seen: Seen, _: bytes) -> None:
        stored = self._matching(seen)
        if stored is None:
            return None
        if stored.storage_class in {"GLACIER", "DEEP_ARCHIVE"} and seen.method == "GET":
            return self._error("InvalidObjectState", seen)
        start, end = 0, stored.size
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", seen.headers.get("range", ""))
        if asked:
            start, end = int(asked[1]), min(int(asked[2] or stored.size - 1) + 1, stored.size)
            if start >= stored.size:
                return self._error("InvalidRange", seen)
        more = {"Content-Range": f"bytes {start}-{end - 1}/{stored.size}"} if asked else {}
        self._head_of(206 if asked else 200, end - start, stored.headers | more | _facts(stored))
        if seen.method == "GET":
            self._send(stored, start, end, self.s3.cut_of(seen.key))
        return None

    _head = _get

    def _matching(self, seen: Seen) -> Stored | None:
        """The object that a GET or HEAD may have; None where an error was answered."""
        stored = self.s3.found(seen.key)
        if stored is None:
            self._error("NoSuchKey", seen)
        elif seen.headers.get("if-match", stored.etag).strip('"') != stored.etag:
            self._error("PreconditionFailed", seen)
            return None
        return stored

    def _send(self, stored: Stored, start: int, end: int, cut: int | None) -> None:
        stop = end if cut is None else min(end, start + cut)
        for at in range(start, stop, 1 << 16):
            time.sleep(self.s3.body_secs)
            self.wfile.write(stored.part(at, min(at + (1 << 16), stop)))
        if stop < end:
            self.close_connection = True
            _break(self.connection)

    def _settings(self, seen: Seen, _: bytes) -> None:
        """Nobody has opened the bucket, and nobody has locked it."""
        if "acl" in seen.words:
            return self._xml(f"<AccessControlPolicy {XMLNS}><AccessControlList/></AccessControlPolicy>")
        missing = "NoSuchPublicAccessBlockConfiguration" if "publicAccessBlock" in seen.words else "NoSuchBucketPolicy"
        return self._error(missing, seen)

    def _put(self, seen: Seen, body: bytes) -> None:
        time.sleep(self.s3.put_secs)
        code = _refusal(seen, body, self.s3.objects.get(seen.key))
        if code:
            return self._error(code, seen)
        etag = self.s3.put(seen.key, body)
        self.s3.objects[seen.key].headers = _kept(seen.headers)
        return self._head_of(200, 0, {"ETag": f'"{etag}"'})

    def _delete(self, seen: Seen, _: bytes) -> None:
        self.s3.objects.pop(seen.key, None)
        self._head_of(204, 0, {})

    def _create(self, seen: Seen, _: bytes) -> None:
        with self.s3.lock:
            upload = f"upload-{len(self.s3.seen)}"
            self.s3.uploads[upload] = (seen.key, {}, _kept(seen.headers))
        self._xml(
            f"<InitiateMultipartUploadResult {XMLNS}><UploadId>{upload}</UploadId></InitiateMultipartUploadResult>"
        )

    def _part(self, seen: Seen, body: bytes) -> None:
        upload = self.s3.uploads.get(seen.words["uploadId"])
        code = "NoSuchUpload" if upload is None else _refusal(seen, body, None)
        if upload is None or code:
            return self._error(code, seen)
        upload[1][int(seen.words["partNumber"])] = body
        return self._head_of(200, 0, {"ETag": f'"{hashlib.md5(body).hexdigest()}"'})

    def _parts(self, seen: Seen, _: bytes) -> None:
        upload = self.s3.uploads.get(seen.words["uploadId"])
        if upload is None:
            return self._error("NoSuchUpload", seen)
        rows = "".join(
            f"<Part><PartNumber>{number}</PartNumber><ETag>&quot;{hashlib.md5(part).hexdigest()}&quot;</ETag>"
            f"<Size>{len(part)}</Size></Part>"
            for number, part in sorted(upload[1].items())
        )
        return self._xml(f"<ListPartsResult {XMLNS}><IsTruncated>false</IsTruncated>{rows}</ListPartsResult>")

    def _uploads(self, seen: Seen, _: bytes) -> None:
        prefix = seen.words.get("prefix", "")
        rows = "".join(
            f"<Upload><Key>{escape(key)}</Key><UploadId>{upload}</UploadId></Upload>"
            for upload, (key, *_) in self.s3.uploads.items()
            if key.startswith(prefix)
        )
        self._xml(
            f"<ListMultipartUploadsResult {XMLNS}><IsTruncated>false</IsTruncated>{rows}</ListMultipartUploadsResult>"
        )

    def _complete(self, seen: Seen, _: bytes) -> None:
        upload = self.s3.uploads.pop(seen.words["uploadId"], None)
        if upload is None:
            return self._error("NoSuchUpload", seen)
        parts, headers = upload[1:]
        if seen.headers.get("if-none-match") == "*" and seen.key in self.s3.objects:
            return self._error("PreconditionFailed", seen)
        pieces = [part for _, part in sorted(parts.items())]
        sums = hashlib.md5(b"".join(hashlib.md5(piece).digest() for piece in pieces)).hexdigest()
        self.s3.put(seen.key, b"".join(pieces))
        self.s3.objects[seen.key].etag = f"{sums}-{len(pieces)}"
        self.s3.objects[seen.key].headers = headers
        return self._xml(
            f"<CompleteMultipartUploadResult {XMLNS}><ETag>&quot;{sums}-{len(pieces)}&quot;</ETag>"
            "</CompleteMultipartUploadResult>"
        )

    def _abort(self, seen: Seen, _: bytes) -> None:
        self.s3.uploads.pop(seen.words["uploadId"], None)
        self._head_of(204, 0, {})

    def _error(self, code: str, seen: Seen) -> None:
        told = self.s3.region if self.s3.region_told else ""
        where = f"<Region>{told}</Region>" if code == "PermanentRedirect" and told else ""
        body = f"<Error><Code>{code}</Code><Message>{code} of the stub</Message>{where}</Error>".encode()
        headers = {"x-amz-bucket-region": told} if told else {}
        self._head_of(STATUS[code], len(body), headers)
        if seen.method != "HEAD":
            self.wfile.write(body)

    def _xml(self, text: str) -> None:
        body = f'<?xml version="1.0" encoding="UTF-8"?>{text}'.encode()
        self._head_of(200, len(body), {"Content-Type": "application/xml"})
        self.wfile.write(body)

    def _head_of(self, status: int, length: int, headers: Mapping[str, str]) -> None:
        self.send_response_only(status)
        self.send_header("Date", format_datetime(datetime.now(UTC) + self.s3.clock_error, usegmt=True))
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(length))
        self.end_headers()


def _row(key: str, stored: Stored, encoding: str) -> str:
    """One object of a listing. Without url encoding a newline cannot be told from a space, as with S3."""
    name = quote(key, safe="/") if encoding == "url" else escape(key)
    return (
        f"<Contents><Key>{name}</Key><Size>{stored.size}</Size><ETag>&quot;{stored.etag}&quot;</ETag>"
        f"<StorageClass>{stored.storage_class}</StorageClass>"
        f"<LastModified>{stored.modified:%Y-%m-%dT%H:%M:%S.000Z}</LastModified></Contents>"
    )


def _facts(stored: Stored) -> dict[str, str]:
    return {
        "ETag": f'"{stored.etag}"',
        "Last-Modified": format_datetime(stored.modified, usegmt=True),
        "x-amz-storage-class": stored.storage_class,
    }


def _kept(headers: Mapping[str, str]) -> dict[str, str]:
    """What an object keeps of the headers it was put with."""
    starts = ("x-amz-meta-", "x-amz-checksum-")
    return {name: value for name, value in headers.items() if name.startswith(starts) or name == "content-type"}


def _refusal(seen: Seen, body: bytes, there: Stored | None) -> str:
    """The code with which a body is refused, empty for none."""
    given = seen.headers.get("content-md5", "")
    if given and base64.b64decode(given) != hashlib.md5(body).digest():
        return "BadDigest"
    if len(seen.key.encode()) > 1024:
        return "KeyTooLongError"
    if there is not None and seen.headers.get("if-none-match") == "*":
        return "PreconditionFailed"
    wanted = seen.headers.get("if-match", "").strip('"')
    return "PreconditionFailed" if wanted and (there is None or there.etag != wanted) else ""


def _break(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):  # it had gone already
        connection.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def s3_stub(monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Stub]:
    """A server of its own for each test, with keys in the environment that it does not check."""
    use_environment(monkeypatch, environment_of("AKIDEXAMPLE", "secret"))
    stub = S3Stub()
    try:
        yield stub
    finally:
        stub.leave()
