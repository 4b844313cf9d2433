"""Whether an object in S3 holds what a file holds, told by as little as possible.

A listing gives size and ETag. The ETag is the MD5 of what was sent at once. Of what was sent in parts it is the MD5 of
the parts' MD5s with their number, and is compared with the file's own for the sizes of parts that programs use. It is
neither where the bucket encrypts with a key of its own (KMS). Only then is the object asked (HEAD) for the hash that a
push left with it, or for a SHA-256 of S3.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MIB = 2**20
PART_BYTES = 16 * MIB
"""What is larger is sent in parts of this size. Times the threads, it bounds the memory of a push."""
PARTS_MAX = 10_000
HASH_NAME = "atlas-blake2b"
"""Metadata of an object: the content's hash as libraries know it (`library/file_content.py`), in hexadecimal digits."""
_USUAL_PARTS = tuple(size * MIB for size in (5, 8, 10, 15, 32, 50, 64, 100))
"""Sizes of parts in use: 8 of the AWS CLI and boto3, 5 of rclone and many others."""


@dataclass(frozen=True, slots=True)
class Listed:
    """An object as a listing tells it. etag: without quotes."""

    size: int
    etag: str


@dataclass(frozen=True, slots=True)
class Sums:
    """The sums of a file as it is sent. md5s: 16 bytes for each part, one of a file that is sent at once."""

    size: int
    part_bytes: int
    md5s: tuple[bytes, ...]
    blake2b: str

    @property
    def in_parts(self) -> bool:
        return self.size > PART_BYTES

    @property
    def etag(self) -> str:
        """What S3 calls it once it has arrived, unless it encrypts with KMS."""
        return etag_of(self.md5s) if self.in_parts else self.md5s[0].hex()


def etag_of(md5s: tuple[bytes, ...]) -> str:
    """The ETag of what was sent in parts, even in one."""
    return f"{hashlib.md5(b''.join(md5s), usedforsecurity=False).hexdigest()}-{len(md5s)}"


def part_bytes_of(size: int) -> int:
    """How large the parts of a file are: 16 MiB, more only beyond 160 GB, of which S3 takes no more parts."""
    return max(PART_BYTES, -(-size // PARTS_MAX))


def pieces_of(path: str, part_bytes: int) -> Iterator[bytes]:
    """A file in parts; an empty one is one empty part. Raises OSError."""
    with Path(path).open("rb") as file:
        piece = file.read(part_bytes)
        yield piece
        while piece := file.read(part_bytes):
            yield piece


def sums_of(path: str) -> Sums:
    """Read a file for its sums. Raises OSError."""
    part_bytes, whole, md5s = part_bytes_of(Path(path).stat().st_size), hashlib.blake2b(digest_size=16), []
    read = 0
    for piece in pieces_of(path, part_bytes):
        whole.update(piece)
        md5s.append(md5_of(piece))
        read += len(piece)
    return Sums(read, part_bytes, tuple(md5s), whole.hexdigest())


def sums_of_bytes(data: bytes) -> Sums:
    """The sums of what is sent at once."""
    blake2b = hashlib.blake2b(data, digest_size=16).hexdigest()
    return Sums(len(data), part_bytes_of(len(data)), (md5_of(data),), blake2b)


def md5_of(data: bytes) -> bytes:
    """What S3 checks a body by: 16 bytes."""
    return hashlib.md5(data, usedforsecurity=False).digest()


def holds(path: str, sums: Sums, listed: Listed, head: Callable[[], Mapping[str, Any]]) -> bool:
    """Whether an object holds what the file holds. head: asks for the object's own facts, with its checksums.

    Raises OSError, and what `head` raises.
    """
    if listed.size != sums.size:
        return False
    if listed.etag == sums.etag:
        return True
    number = re.fullmatch(r"[0-9a-f]{32}-(\d+)", listed.etag)
    if number and _in_other_parts(path, listed, int(number[1])):
        return True
    facts = head()
    if _is_md5(listed.etag) and not has_own_key(facts):
        return False
    known = facts.get("Metadata", {}).get(HASH_NAME)
    return known == sums.blake2b if known else _same_sha256(path, facts)


def has_own_key(facts: Mapping[str, Any]) -> bool:
    """Whether the object is encrypted so that its ETag is no MD5. facts: answer of a PUT or HEAD."""
    return str(facts.get("ServerSideEncryption", "")).startswith("aws:") or "SSECustomerAlgorithm" in facts


def _is_md5(etag: str) -> bool:
    return re.fullmatch(r"[0-9a-f]{32}", etag) is not None


def _in_other_parts(path: str, listed: Listed, number: int) -> bool:
    """Whether the file's ETag is this one, if other programs sent it in parts of a usual size."""
    fitting = (size for size in (*_USUAL_PARTS, PART_BYTES) if max(-(-listed.size // size), 1) == number)
    return any(etag_of(tuple(map(md5_of, pieces_of(path, size)))) == listed.etag for size in fitting)


def _same_sha256(path: str, facts: Mapping[str, Any]) -> bool:
    known = facts.get("ChecksumSHA256", "")
    if not known or "-" in known:  # of parts, whose sizes nobody tells
        return False
    found = hashlib.sha256()
    for piece in pieces_of(path, PART_BYTES):
        found.update(piece)
    return bool(base64.b64encode(found.digest()).decode() == known)
