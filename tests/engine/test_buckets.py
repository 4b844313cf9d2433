"""Images in S3 as a source of the engine, against a server on loopback."""

from __future__ import annotations

from pathlib import Path

from atlas_rt.library.cache_layout import place_of
from tests.libraries import PICTURES, index, job_of
from tests.s3_server import S3Server


def test_a_bucket_is_indexed(s3: S3Server, tmp_path: Path) -> None:
    bucket = s3.bucket(objects={f"photos/{each.name}": each.read_bytes() for each in PICTURES[:12]})
    cache = tmp_path / "cache"
    place = place_of((f"s3://{bucket}/photos",), cache)
    first = index(job_of(place, cache, s3=s3.options))
    print(first)
    assert (first.images, first.new, first.source_state) == (12, 12, "present")
    second = index(job_of(place, cache, s3=s3.options))
    print(second)
    assert (second.images, second.new, second.unchanged) == (12, 0, 12)
    assert second.requests["list"] >= 1
    assert second.requests["get"] == 0
