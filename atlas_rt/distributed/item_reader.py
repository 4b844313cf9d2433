"""The bytes of files and of objects in S3, read where they are embedded."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from atlas_rt.core.s3_address import is_s3, parse_address
from atlas_rt.core.s3_options import S3Options
from atlas_rt.errors import AtlasError, DecodeError
from atlas_rt.library.file_content import read
from atlas_rt.library.formats import FILE_BYTES_MAX
from atlas_rt.library.tables.rows import Item

if TYPE_CHECKING:
    from atlas_rt.aws.s3_connection import S3Connection


class ItemReader:
    """Any number of threads may read. It connects to S3 when the first object is asked for."""

    def __init__(self, options: S3Options) -> None:
        self._options = options
        self._lock = threading.Lock()
        self._connection: S3Connection | None = None

    def read(self, item: Item) -> bytes:
        """All of it. Raises DecodeError with the reason it cannot be read, or has changed since it was listed."""
        if not is_s3(item.uri):
            return read(item.uri)
        if item.size > FILE_BYTES_MAX:
            raise DecodeError("the object is larger than 1 GB")
        condition = {"IfMatch": f'"{item.etag}"'} if item.etag else {}
        try:
            answer = self._connected().call("get_object", parse_address(item.uri), **condition)
            body: bytes = answer["Body"].read()
        except AtlasError as error:
            raise DecodeError(str(error)) from error
        except Exception as error:  # the connection cut in the middle: urllib3's errors, which only `aws` may name
            raise DecodeError(f"it could not be read whole ({type(error).__name__})") from error
        return body

    def _connected(self) -> S3Connection:
        with self._lock:
            if self._connection is None:
                from atlas_rt.aws.s3_connection import S3Connection

                self._connection = S3Connection(self._options)
            return self._connection
