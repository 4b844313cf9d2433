"""The content of a file: read whole, and what it is recognised by."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from atlas_rt.core.s3_address import is_s3
from atlas_rt.errors import DecodeError
from atlas_rt.library.disk_errors import reason_of
from atlas_rt.library.formats import FILE_BYTES_MAX

NOT_HERE = "its original lies in S3 and is not on this disk"


def read(path: str) -> bytes:
    """A whole file, read once. Raises DecodeError with the reason it cannot be read; objects in S3 are read through
    `Originals`."""
    if is_s3(path):
        raise DecodeError(NOT_HERE)
    try:
        with Path(path).open("rb") as file:
            if os.fstat(file.fileno()).st_size > FILE_BYTES_MAX:
                raise DecodeError("the file is larger than 1 GB")
            return file.read()
    except OSError as error:
        raise DecodeError(reason_of(error)) from error


def content_hash(data: bytes) -> bytes:
    """What files are recognised by: 16 bytes of BLAKE2b over their content. 1 GB a second."""
    return hashlib.blake2b(data, digest_size=16).digest()
