"""Addresses of objects: `s3://bucket/key`, exactly as the key is.

A key is any text. `//`, `.`, `..`, a leading `/` and a newline are part of it, so nothing here tidies, and functions
for paths must not be run over an address.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from atlas_rt.errors import UsageError

SCHEME = "s3://"
KEY_BYTES = 1024
"""The longest key that S3 takes, in UTF-8."""

_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,254}")
_ACCESS_POINT = re.compile(r"arn:[^/]*:accesspoint[:/][^/:]+|arn:[^/]*:outpost[:/][^/:]+[:/]accesspoint[:/][^/:]+")
"""Stands in the bucket's place, and may itself contain a slash."""


@dataclass(frozen=True, slots=True, order=True)
class S3Address:
    """A bucket, or an object or a prefix in it. key: as it is; empty for the bucket itself."""

    bucket: str
    key: str = ""

    def __str__(self) -> str:
        return f"{SCHEME}{self.bucket}/{self.key}" if self.key else f"{SCHEME}{self.bucket}"

    @property
    def folder(self) -> str:
        """The key as a prefix that ends at a slash: "photos" -> "photos/", but a bucket's own "" stays empty.

        Without the slash "photos" would also find "photos-old/...".
        """
        return self.key if not self.key or self.key.endswith("/") else f"{self.key}/"

    def child(self, relative: str) -> S3Address:
        """The object of this name below the folder."""
        return S3Address(self.bucket, self.folder + relative)


def is_s3(word: str) -> bool:
    """Whether a source, or the path of an image, is an address and not a file's path."""
    return word.startswith(SCHEME)


def parse_address(word: str) -> S3Address:
    """`s3://bucket/key` as bucket and key. Raises UsageError where there is no bucket that could exist."""
    rest = word.removeprefix(SCHEME)
    found = _ACCESS_POINT.match(rest) if rest.startswith("arn:") else _BUCKET.match(rest)
    bucket = found.group() if found else ""
    if not is_s3(word) or not bucket or rest[len(bucket) : len(bucket) + 1] not in ("", "/"):
        raise UsageError(f"This is no address in S3, which looks like s3://bucket/folder: {word}")
    return S3Address(bucket, rest[len(bucket) + 1 :])
