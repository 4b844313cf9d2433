"""Copies of objects on this disk."""

from __future__ import annotations

import os
import pickle
import time
from pathlib import Path
from typing import BinaryIO

import pytest

from atlas_rt.core.s3_errors import S3NetworkError
from atlas_rt.errors import DecodeError
from atlas_rt.library import originals
from atlas_rt.library.originals import Originals

ADDRESS = "s3://bucket/a//../b ü.jpg"


class Service:
    """Gives every object a body of a size, and counts."""

    def __init__(self, size: int = 100) -> None:
        self.size, self.asked = size, 0
        self.breaks_after = -1

    def __call__(self, path: str, etag: str, _: int, into: BinaryIO) -> str:
        self.asked += 1
        body = (path + etag).encode().ljust(self.size, b"-")
        if self.breaks_after >= 0:
            into.write(body[: self.breaks_after])
            raise S3NetworkError("The connection to S3 broke")
        into.write(body)
        return etag or "now"


def files(cache: Path) -> list[str]:
    return sorted(str(file.relative_to(cache)) for file in cache.rglob("*") if file.is_file())


def test_an_object_is_fetched_once_for_each_etag(tmp_path: Path) -> None:
    service = Service()
    copies = Originals(tmp_path, limit_bytes=10**6, fetch=service)
    first = copies.local_file(ADDRESS, "e1", size=100)
    assert first.suffix == ".jpg"
    assert first.read_bytes().startswith(f"{ADDRESS}e1".encode())
    assert copies.local_file(ADDRESS, "e1", size=100) == first == copies.local_file(ADDRESS)
    assert service.asked == 1
    second = copies.local_file(ADDRESS, "e2")
    assert second != first
    assert (
        Originals(tmp_path, limit_bytes=10**6).local_file(ADDRESS, "e2") == second
    )  # in a process that fetches nothing
    assert service.asked == 2
    assert copies.local_file(str(tmp_path / "file.jpg")) == tmp_path / "file.jpg"


def test_a_half_written_copy_is_never_used(tmp_path: Path) -> None:
    service = Service()
    copies = Originals(tmp_path, limit_bytes=10**6, fetch=service)
    service.breaks_after = 50
    with pytest.raises(S3NetworkError):
        copies.local_file(ADDRESS, "e")
    with pytest.raises(DecodeError, match="broke"):
        copies.read(ADDRESS, "e")
    assert files(tmp_path) == []
    service.breaks_after = -1
    kept = copies.local_file(ADDRESS, "e", size=100)
    kept.write_bytes(b"cut")  # as a power cut may leave it
    assert copies.local_file(ADDRESS, "e", size=100).stat().st_size == 100


def test_the_least_recently_used_go_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(originals, "GRACE_SECS", 50.0)
    copies = Originals(tmp_path, limit_bytes=450, fetch=Service())
    paths = [copies.local_file(f"s3://bucket/{i}.jpg", "e") for i in range(4)]
    for i, path in enumerate(paths):
        os.utime(path, (time.time() - 1000 + i, time.time() - 1000 + i))
    copies.kept_file("s3://bucket/0.jpg", "e")  # somebody looks at it
    abandoned = paths[0].with_name(f"{'0' * 30}.part-1-1")
    abandoned.write_bytes(b"half")
    os.utime(abandoned, (0, 0))
    copies.local_file("s3://bucket/4.jpg", "e")
    assert [path.exists() for path in paths] == [True, False, True, True]
    assert not abandoned.exists()


def test_an_image_that_somebody_names_is_read_as_it_is_now(tmp_path: Path) -> None:
    service = Service(100)
    copies = Originals(tmp_path, limit_bytes=10**6, fetch=service)
    assert len(copies.read(ADDRESS)) == 100
    service.size = 200
    assert len(copies.read(ADDRESS)) == 200
    assert len(Originals(tmp_path, limit_bytes=10**6).read(ADDRESS)) == 200  # where nothing may be fetched


def test_what_may_not_be_fetched_is_said(tmp_path: Path) -> None:
    with pytest.raises(DecodeError, match="lies in S3 and is not on this disk"):
        Originals(tmp_path, limit_bytes=100).read(ADDRESS)
    sent = pickle.loads(pickle.dumps(Originals(tmp_path, limit_bytes=100)))
    assert sent.kept_file(ADDRESS) is None
