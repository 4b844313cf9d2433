"""One file on its way into a bucket: sent at once, or in parts that a later push can go on with.

S3 checks each body against its MD5 and refuses one that arrived otherwise; what it calls the object afterwards (ETag)
is checked here. A new object is made only where there is none (`If-None-Match`), another is replaced only if it is
still the one that was compared (`If-Match`), so two pushes at once cannot overwrite each other's work.
"""

from __future__ import annotations

import base64
import contextlib
import mimetypes
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from atlas_rt.aws.object_content import (
    HASH_NAME,
    PART_BYTES,
    Sums,
    has_own_key,
    md5_of,
    pieces_of,
    sums_of,
    sums_of_bytes,
)
from atlas_rt.aws.s3_connection import S3Connection
from atlas_rt.core.s3_address import S3Address
from atlas_rt.core.s3_errors import S3AnswerError, S3DeniedError, S3Error, S3GoneError
from atlas_rt.errors import AtlasError

READINGS = 3
"""How often a file is read that changes while it is read."""
_TYPES = {
    ".webp": "image/webp",
    ".avif": "image/avif",
    ".heic": "image/heic",
    ".heif": "image/heif",
    ".jxl": "image/jxl",
}
"""That `mimetypes` of Python 3.11 does not know."""
_NOT_BUILT = {"NotImplemented", "501"}
"""What services answer that know no conditions on a PUT."""


class UploadError(AtlasError):
    """This file cannot be sent now; the next one can."""


class StoppedError(AtlasError):
    """The person stopped the push between two parts, which stay."""


class Uploader:
    """Sends files over one connection. May be used by several threads.

    stopped: asked between parts. on_bytes: told of bytes once they have arrived.
    """

    def __init__(
        self, connection: S3Connection, *, stopped: Callable[[], bool], on_bytes: Callable[[int], None]
    ) -> None:
        self._connection, self._stopped, self._on_bytes = connection, stopped, on_bytes
        self._conditions = True
        self._lock = threading.Lock()
        self._unfinished: dict[str, str] | None = None

    def send(self, path: str, address: S3Address, *, folder: S3Address, replaces: str = "") -> int:
        """Send a file; how many bytes went over the line. folder: where to look for uploads that were not finished.

        replaces: ETag of the object that it may take the place of, empty for none. Raises UploadError, StoppedError,
        S3ChangedError where another object is there, and other kinds of S3Error.
        """
        if Path(path).stat().st_size > PART_BYTES:
            return self._send_parts(path, address, folder, replaces)
        data = _read_whole(path)
        sums = sums_of_bytes(data)
        answer = self._conditional(
            "put_object", address, replaces, Body=data, ContentMD5=_base64(sums.md5s[0]), **_described(path, sums)
        )
        _check_arrival(answer, sums)
        self._on_bytes(len(data))
        return len(data)

    # -- in parts ------------------------------------------------------------------------------------------------------

    def _send_parts(self, path: str, address: S3Address, folder: S3Address, replaces: str) -> int:
        sums = sums_of(path)
        if not sums.in_parts:
            raise UploadError("it changes while it is read; send it once it is whole")
        upload, there = self._begun(path, address, folder, sums)
        sent = counted = number = 0
        try:
            for number, piece in enumerate(pieces_of(path, sums.part_bytes), 1):
                if self._stopped():
                    raise StoppedError
                md5 = md5_of(piece)
                if number > len(sums.md5s) or md5 != sums.md5s[number - 1]:
                    raise UploadError("it changed while it was sent")
                if there.get(number) != md5.hex():
                    self._connection.call(
                        "upload_part",
                        address,
                        UploadId=upload,
                        PartNumber=number,
                        Body=piece,
                        ContentMD5=_base64(md5),
                    )
                    sent += len(piece)
                self._on_bytes(len(piece))
                counted += len(piece)
            if number < len(sums.md5s):
                raise UploadError("it changed while it was sent")
            self._complete(address, upload, sums, replaces, resumed=bool(there))
        except BaseException as error:
            self._on_bytes(-counted)
            if isinstance(error, UploadError | OSError):
                self._abort(address, upload)
            raise
        return sent

    def _begun(self, path: str, address: S3Address, folder: S3Address, sums: Sums) -> tuple[str, dict[int, str]]:
        """An upload to add parts to, and the ETags of those that are there by number.

        An earlier push may have been stopped. Its parts are known by their MD5; one that belongs to another content
        means that all of it does.
        """
        upload = self._earlier(folder).get(address.key, "")
        if upload:
            try:
                there = self._parts(address, upload)
            except (S3GoneError, S3DeniedError, S3AnswerError):
                there = {}
            if there and all(
                number <= len(sums.md5s) and etag == sums.md5s[number - 1].hex() for number, etag in there.items()
            ):
                return upload, there
            self._abort(address, upload)
        answer = self._connection.call("create_multipart_upload", address, **_described(path, sums))
        self._earlier(folder)[address.key] = str(answer["UploadId"])  # where the next try goes on
        return str(answer["UploadId"]), {}

    def _earlier(self, folder: S3Address) -> dict[str, str]:
        """Key -> its upload that was begun below the folder and not finished; asked once."""
        with self._lock:
            if self._unfinished is None:
                self._unfinished, words = {}, {"Prefix": folder.folder}
                try:
                    while True:
                        page = self._connection.call("list_multipart_uploads", S3Address(folder.bucket), **words)
                        self._unfinished |= {each["Key"]: each["UploadId"] for each in page.get("Uploads", ())}
                        if not page.get("IsTruncated"):
                            break
                        words |= {"KeyMarker": page["NextKeyMarker"], "UploadIdMarker": page["NextUploadIdMarker"]}
                except (S3DeniedError, S3AnswerError):
                    self._unfinished = {}  # it cannot be known: all parts are sent
            return self._unfinished

    def _parts(self, address: S3Address, upload: str) -> dict[int, str]:
        found: dict[int, str] = {}
        words: dict[str, Any] = {"UploadId": upload}
        while True:
            page = self._connection.call("list_parts", address, **words)
            found |= {part["PartNumber"]: part["ETag"].strip('"') for part in page.get("Parts", ())}
            if not page.get("IsTruncated"):
                return found
            words["PartNumberMarker"] = page["NextPartNumberMarker"]

    def _complete(self, address: S3Address, upload: str, sums: Sums, replaces: str, *, resumed: bool) -> None:
        parts = [{"PartNumber": number, "ETag": f'"{md5.hex()}"'} for number, md5 in enumerate(sums.md5s, 1)]
        answer = self._conditional(
            "complete_multipart_upload", address, replaces, UploadId=upload, MultipartUpload={"Parts": parts}
        )
        _check_arrival(answer, sums)
        if resumed:
            # The hash was given when the upload began, and the file may have grown since behind the parts that agree.
            facts = self._connection.call("head_object", address)
            if facts.get("Metadata", {}).get(HASH_NAME, sums.blake2b) != sums.blake2b:
                raise UploadError("an earlier push of it was stopped, and it changed since; send it with --replace")

    def _abort(self, address: S3Address, upload: str) -> None:
        """Parts that nobody will go on with are paid for until they are gone. What cannot be aborted now stays."""
        self._unfinished = {key: each for key, each in (self._unfinished or {}).items() if each != upload}
        with contextlib.suppress(S3Error):
            self._connection.call("abort_multipart_upload", address, UploadId=upload)

    # ------------------------------------------------------------------------------------------------------------------

    def _conditional(self, operation: str, address: S3Address, replaces: str, **words: Any) -> dict[str, Any]:
        """A call that changes nothing but what it may; services that know no conditions are asked without."""
        condition = {"IfMatch": f'"{replaces}"'} if replaces else {"IfNoneMatch": "*"}
        if not self._conditions:
            condition = {}
        try:
            return self._connection.call(operation, address, **words, **condition)
        except S3AnswerError as error:
            if not condition or error.code not in _NOT_BUILT:
                raise
            self._conditions = False
            return self._connection.call(operation, address, **words)


def _read_whole(path: str) -> bytes:
    """A file as it was at one moment. Raises UploadError where it changes each time, OSError."""
    for _ in range(READINGS):
        with Path(path).open("rb") as file:
            before = os.fstat(file.fileno())
            data = file.read()
            after = os.fstat(file.fileno())
        if (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns) and len(data) == after.st_size:
            return data
    raise UploadError("it changes while it is read; send it once it is whole")


def _described(path: str, sums: Sums) -> dict[str, Any]:
    """What the object keeps besides its bytes."""
    ending = os.path.splitext(path)[1].lower()  # noqa: PTH122
    kind = _TYPES.get(ending) or mimetypes.types_map.get(ending, "application/octet-stream")
    return {"ContentType": kind, "Metadata": {HASH_NAME: sums.blake2b}}


def _check_arrival(answer: dict[str, Any], sums: Sums) -> None:
    """Raise UploadError where the object that came to be is not what was sent."""
    etag = str(answer.get("ETag", "")).strip('"').lower()
    if not has_own_key(answer) and etag != sums.etag and len(etag) == len(sums.etag):
        raise UploadError("what arrived is not what was sent; try again")


def _base64(md5: bytes) -> str:
    return base64.b64encode(md5).decode()
