"""Listing and fetching the objects of buckets.

A listing gives key, size, ETag, class and date of 1,000 objects a request; no object is asked about by itself. An
object is fetched with `IfMatch`, so it is the one that was listed. Above `PART_BYTES` it comes in parts of that size,
side by side, each under the same condition.

What passes by itself is waited for here: a broken connection is tried again at once, and a service that asks to slow
down is given time, up to `SLOW_PATIENCE_SECS` since the last answer to anybody. All else is raised.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any, BinaryIO, TypeVar

from atlas_rt.aws.s3_connection import S3Connection
from atlas_rt.aws.s3_failures import meant_errors
from atlas_rt.core.objects import ARCHIVES, ListedObject, Requests
from atlas_rt.core.s3_address import S3Address, parse_address
from atlas_rt.core.s3_errors import S3ChangedError, S3NetworkError, S3SlowDownError
from atlas_rt.core.s3_options import S3Options

PART_BYTES = 8 * 2**20
"""An object that is larger is read in parts of this size."""
PARTS_AT_ONCE = 4
CHUNK_BYTES = 2**20
BROKEN_TRIES = 3
"""How often a connection may break in the middle of one object."""
SLOW_PAUSES_SECS = (1.0, 2.0, 4.0, 8.0, 15.0)
"""How long to wait when the service asks to slow down, again and again; each by up to a half longer or shorter."""
SLOW_PATIENCE_SECS = 180.0
CONNECTIONS = 32
_AMAZON = ".amazonaws.com"

T = TypeVar("T")


class S3Objects:
    """Objects as a person's options reach them. May be used by several threads at once."""

    def __init__(self, options: S3Options, *, read_secs: float = 60.0) -> None:
        """read_secs: how long the service may be silent. Contacts nothing.

        Raises MissingError without boto3, S3CredentialsError for a profile that is not there.
        """
        self._connection = S3Connection(options, connections=CONNECTIONS, read_secs=read_secs)
        self._lock = threading.Lock()
        self._bytes_read = 0
        self._answered_secs = time.monotonic()
        self._stopped = threading.Event()
        self._parts: ThreadPoolExecutor | None = None

    @property
    def requests(self) -> Requests:
        """What was asked so far, tries included that failed."""
        counts = dict(self._connection.requests)
        lists, gets = counts.pop("ListObjectsV2", 0), counts.pop("GetObject", 0)
        return Requests(lists, gets, sum(counts.values()), self._bytes_read)

    @property
    def service(self) -> str:
        """As of S3Connection."""
        return self._connection.service

    def stop(self) -> None:
        """Whoever waits for a service to recover waits no longer; what they wanted fails."""
        self._stopped.set()

    def pages(self, source: str) -> Iterator[list[ListedObject]]:
        """The objects at or below an address, by key in the order of its UTF-8, up to 1,000 at a time.

        `s3://b/photos` is the object `photos` and what lies below `photos/`, not `photos-old`. Raises S3Error.
        """
        address = parse_address(source)
        if "." in address.key.rpartition("/")[2]:  # else it is no image's name
            answer = self._list(address, Prefix=address.key, MaxKeys=1)
            yield [each for each in self._listed(answer) if each.key == address.key]
        token: dict[str, str] = {}
        while True:
            answer = self._list(address, Prefix=address.folder, **token)
            yield self._listed(answer)
            if not answer.get("IsTruncated"):
                return
            token = {"ContinuationToken": str(answer["NextContinuationToken"])}

    def fetch(self, path: str, etag: str, size: int, into: BinaryIO) -> str:
        """Write an object into a file (`core.objects.Fetch`). Raises S3Error."""
        address = parse_address(path)
        if size <= PART_BYTES or not etag:
            return self._whole(address, etag, into)
        self._in_parts(address, etag, size, into)
        return etag

    def _list(self, address: S3Address, **words: Any) -> dict[str, Any]:
        if self._tells_restores:
            words["OptionalObjectAttributes"] = ["RestoreStatus"]
        return self._patiently(lambda: self._connection.call("list_objects_v2", address, **words))

    def _listed(self, answer: dict[str, Any]) -> list[ListedObject]:
        """The objects of a page. Where it does not tell whether one was restored, only reading it will."""
        tells = self._tells_restores
        return [
            ListedObject(
                str(each["Key"]),
                int(each["Size"]),
                str(each.get("ETag", "")).strip('"'),
                _nanoseconds(each["LastModified"]),
                tells and each.get("StorageClass") in ARCHIVES and not _is_restored(each),
            )
            for each in answer.get("Contents", ())
        ]

    @property
    def _tells_restores(self) -> bool:
        """Whether a listing can tell which archived objects are restored: Amazon's. Others may refuse the question."""
        return _AMAZON in str(self._connection.client.meta.endpoint_url)

    def _whole(self, address: S3Address, etag: str, into: BinaryIO) -> str:
        def read() -> str:
            into.seek(0)
            into.truncate()
            return self._read(address, _condition(etag), into)

        return self._patiently(read)

    def _in_parts(self, address: S3Address, etag: str, size: int, into: BinaryIO) -> None:
        """The parts are written one after another, so that the file grows from its beginning."""

        def part(start: int) -> bytes:
            return self._patiently(lambda: self._part(address, etag, start, min(start + PART_BYTES, size)))

        with self._lock:
            self._parts = self._parts or ThreadPoolExecutor(PARTS_AT_ONCE, thread_name_prefix="s3-parts")
        starts = list(range(0, size, PART_BYTES))
        for begin in range(0, len(starts), PARTS_AT_ONCE):
            into.writelines(self._parts.map(part, starts[begin : begin + PARTS_AT_ONCE]))

    def _part(self, address: S3Address, etag: str, start: int, end: int) -> bytes:
        words = _condition(etag) | {"Range": f"bytes={start}-{end - 1}"}
        answer = self._connection.call("get_object", address, **words)
        chunks: list[bytes] = []
        with meant_errors(self._connection.asked("get_object", address)):
            for chunk in answer["Body"].iter_chunks(CHUNK_BYTES):
                self._count(len(chunk))  # as it comes: somebody may look on
                chunks.append(chunk)
        data = b"".join(chunks)
        if len(data) != end - start:  # the service knows no ranges, or the object is another one
            raise S3ChangedError(f"It was changed meanwhile: {address}")
        return data

    def _read(self, address: S3Address, words: dict[str, str], into: BinaryIO) -> str:
        answer = self._connection.call("get_object", address, **words)
        chunks = answer["Body"].iter_chunks(CHUNK_BYTES)
        while True:
            with meant_errors(self._connection.asked("get_object", address)):
                chunk = next(chunks, b"")
            if not chunk:
                return str(answer.get("ETag", "")).strip('"')
            self._count(len(chunk))
            into.write(chunk)  # outside: a full disk is no trouble of the network

    def _count(self, read: int) -> None:
        with self._lock:
            self._bytes_read += read

    def _patiently(self, ask: Callable[[], T]) -> T:
        """What a request gives; what passes by itself is waited for."""
        broken, slow, begun_secs = 0, 0, time.monotonic()
        while True:
            try:
                answer = ask()
            except S3NetworkError:
                broken += 1
                if broken >= BROKEN_TRIES or self._stopped.is_set():
                    raise
            except S3SlowDownError:
                if time.monotonic() - max(begun_secs, self._answered_secs) > SLOW_PATIENCE_SECS:
                    raise
                pause_secs = SLOW_PAUSES_SECS[min(slow, len(SLOW_PAUSES_SECS) - 1)]
                slow += 1
                if self._stopped.wait(pause_secs * random.uniform(0.5, 1.5)):
                    raise
            else:
                self._answered_secs = time.monotonic()
                return answer


class S3Fetch:
    """`core.objects.Fetch` as a person's options have it. Opened at the first object; may be sent to other
    processes until then."""

    def __init__(self, options: S3Options) -> None:
        self._options = options
        self._opened: S3Objects | None = None

    def __reduce__(self) -> tuple[object, ...]:
        return S3Fetch, (self._options,)

    @property
    def requests(self) -> Requests:
        """What was asked so far."""
        return self._opened.requests if self._opened else Requests()

    def __call__(self, path: str, etag: str, size: int, into: BinaryIO) -> str:
        """Raises S3Error, and MissingError without boto3."""
        self._opened = self._opened or S3Objects(self._options)
        return self._opened.fetch(path, etag, size, into)


def _condition(etag: str) -> dict[str, str]:
    return {"IfMatch": f'"{etag}"'} if etag else {}


def _is_restored(listed: dict[str, Any]) -> bool:
    """Whether there is a copy for now of an object in an archive."""
    return "RestoreExpiryDate" in listed.get("RestoreStatus", {})


def _nanoseconds(moment: datetime) -> int:
    """Since 1970."""
    return int(moment.timestamp()) * 1_000_000_000 + moment.microsecond * 1000
