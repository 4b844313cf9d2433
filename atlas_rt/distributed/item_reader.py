"""The bytes of files and of objects in S3, read where they are embedded."""

from __future__ import annotations

import io
import threading
from typing import TYPE_CHECKING

from atlas_rt.core.s3_address import is_s3
from atlas_rt.core.s3_options import S3Options
from atlas_rt.errors import AtlasError, DecodeError
from atlas_rt.library.file_content import read
from atlas_rt.library.formats import FILE_BYTES_MAX
from atlas_rt.library.tables.rows import Item

if TYPE_CHECKING:
    from atlas_rt.aws.s3_objects import S3Objects


class ItemReader:
    """Any number of threads may read. It connects to S3 when the first object is asked for."""

    def __init__(self, options: S3Options) -> None:
        self._options = options
        self._lock = threading.Lock()
        self._objects: S3Objects | None = None

    def read(self, item: Item) -> bytes:
        """All of it. Raises DecodeError with the reason it cannot be read, or has changed since it was listed."""
        if not is_s3(item.uri):
            return read(item.uri)
        if item.size > FILE_BYTES_MAX:
            raise DecodeError("the object is larger than 1 GB")
        whole = io.BytesIO()
        try:
            self._connected().fetch(item.uri, item.etag, item.size, whole)
        except AtlasError as error:
            raise DecodeError(str(error)) from error
        return whole.getvalue()

    def _connected(self) -> S3Objects:
        with self._lock:
            if self._objects is None:
                from atlas_rt.aws.s3_objects import S3Objects

                self._objects = S3Objects(self._options)
            return self._objects
