"""Listing and fetching objects, below the engine."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from botocore.stub import Stubber

from atlas_rt.aws import s3_objects
from atlas_rt.aws.s3_connection import S3Connection
from atlas_rt.aws.s3_objects import S3Fetch, S3Objects
from atlas_rt.core.s3_errors import S3ChangedError, S3NetworkError, S3SlowDownError
from atlas_rt.core.s3_options import S3Options
from tests.s3_server import REGION
from tests.s3_stub import S3Stub


def test_pages_follow_each_other(s3_stub: S3Stub) -> None:
    for i in range(25):
        s3_stub.put(f"p/{i:02}.jpg", b"x")
    s3_stub.put("p", b"x")
    s3_stub.put("p2/other.jpg", b"x")
    s3_stub.page_keys = 10
    objects = S3Objects(s3_stub.options)
    pages = list(objects.pages("s3://bucket/p"))
    assert [len(page) for page in pages] == [10, 10, 5]
    assert objects.requests.lists == 3
    assert [each.key for each in next(objects.pages("s3://bucket/p/00.jpg"))] == ["p/00.jpg"]
    assert [each.key for page in objects.pages("s3://bucket/p2") for each in page] == ["p2/other.jpg"]


def test_what_is_fetched_is_what_was_listed(s3_stub: S3Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3_objects, "PART_BYTES", 1000)
    body = bytes(range(256)) * 20
    etag = s3_stub.put("a.jpg", body)
    fetch, into = S3Fetch(s3_stub.options), io.BytesIO()
    s3_stub.cut("a.jpg", at=100, times=2)
    assert fetch("s3://bucket/a.jpg", etag, len(body), into) == etag
    assert into.getvalue() == body
    s3_stub.put("a.jpg", body[::-1])
    with pytest.raises(S3ChangedError):
        fetch("s3://bucket/a.jpg", etag, len(body), io.BytesIO())
    whole = io.BytesIO()
    assert fetch("s3://bucket/a.jpg", "", -1, whole) != etag
    assert whole.getvalue() == body[::-1]


def test_patience_ends(s3_stub: S3Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3_objects, "SLOW_PATIENCE_SECS", 0.0)
    monkeypatch.setitem(S3Connection.__init__.__kwdefaults__ or {}, "attempts", 1)
    etag = s3_stub.put("a.jpg", b"body")
    objects = S3Objects(s3_stub.options)
    s3_stub.cut("a.jpg", at=1, times=9)
    with pytest.raises(S3NetworkError):
        objects.fetch("s3://bucket/a.jpg", etag, 4, io.BytesIO())
    s3_stub.heal()
    s3_stub.fail("SlowDown", times=None)
    objects.stop()
    with pytest.raises(S3SlowDownError):
        objects.fetch("s3://bucket/a.jpg", etag, 4, io.BytesIO())


def test_amazon_tells_which_archived_objects_are_restored(s3_stub: S3Stub) -> None:
    """Nothing is sent: botocore's own stub checks the question against Amazon's description of it."""
    objects = S3Objects(replace(S3Options(), region=REGION))
    now = datetime.now(UTC)
    facts = {"Size": 5, "ETag": '"e"', "LastModified": now}
    answer = {
        "IsTruncated": False,
        "Contents": [
            {"Key": "a.jpg", "StorageClass": "GLACIER", **facts},
            {"Key": "b.jpg", "StorageClass": "DEEP_ARCHIVE", "RestoreStatus": {"IsRestoreInProgress": True}, **facts},
            {
                "Key": "c.jpg",
                "StorageClass": "GLACIER",
                "RestoreStatus": {"IsRestoreInProgress": False, "RestoreExpiryDate": now},
                **facts,
            },
            {"Key": "d.jpg", "StorageClass": "GLACIER_IR", **facts},
        ],
    }
    asked = {"Bucket": "bucket", "Prefix": "p/", "OptionalObjectAttributes": ["RestoreStatus"]}
    with Stubber(objects._connection.client) as stubber:
        stubber.add_response("list_objects_v2", answer, asked)
        (page,) = objects.pages("s3://bucket/p")
    assert [each.archived for each in page] == [True, True, False, False]
    assert s3_stub.count() == 0
