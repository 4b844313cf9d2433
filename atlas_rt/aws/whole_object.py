"""An object of S3 read whole, as it is at this moment.

No condition and no version is asked for, although events name both: an object that was replaced since is embedded as
it is now, with the ETag that belongs to these bytes. The event of the newer one then finds the same and changes
nothing.
"""

from __future__ import annotations

from atlas_rt.aws.s3_connection import S3Connection
from atlas_rt.aws.s3_failures import meant_errors
from atlas_rt.core.s3_address import S3Address
from atlas_rt.core.s3_errors import S3NetworkError
from atlas_rt.errors import DecodeError
from atlas_rt.library.tables.rows import Item

BYTES_MAX = 256 * 2**20
"""Larger objects are not read: two at a time must fit into the memory of a small function."""
TRIES = 3
"""Of reading a body whose connection breaks; botocore repeats only what breaks before it."""


class TooLargeError(DecodeError):
    """The object has more bytes than are read. item: what is known of it."""

    def __init__(self, item: Item) -> None:
        super().__init__(f"it has {item.size:,} bytes, and no more than {BYTES_MAX:,} are read")
        self.item = item


def check_size(item: Item) -> None:
    """Raise TooLargeError."""
    if item.size > BYTES_MAX:
        raise TooLargeError(item)


def read_whole(connection: S3Connection, address: S3Address) -> tuple[Item, bytes]:
    """The object and its bytes. Raises S3Error, TooLargeError."""
    for left in reversed(range(TRIES)):
        try:
            return _read(connection, address)
        except S3NetworkError:
            if not left:
                raise
    raise AssertionError("unreachable")


def _read(connection: S3Connection, address: S3Address) -> tuple[Item, bytes]:
    answer = connection.call("get_object", address)
    body = answer["Body"]
    try:
        mtime_ns = int(answer["LastModified"].timestamp()) * 10**9
        item = Item(str(address), int(answer["ContentLength"]), mtime_ns, str(answer["ETag"]).strip('"'))
        check_size(item)
        with meant_errors(connection.asked("get_object", address)):
            return item, body.read()
    finally:
        body.close()
