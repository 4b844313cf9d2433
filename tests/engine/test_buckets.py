"""Images in S3 as a source of the engine, against servers on loopback."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from atlas_rt.aws import s3_objects
from atlas_rt.aws.s3_connection import S3Connection
from atlas_rt.core.objects import Requests
from atlas_rt.core.reports import IndexReport
from atlas_rt.engine import buckets
from atlas_rt.engine.messages import Job, Published, SourceState
from atlas_rt.library.cache_layout import place_of
from atlas_rt.library.store import StoreReader
from tests.engines import engine_at, report_of
from tests.libraries import PICTURES, copy_pictures, job_of, wait_for
from tests.s3_server import Keys, S3Server, use_environment, write_credentials
from tests.s3_stub import S3Stub

FEW = PICTURES[:8]
"""Fewer than a fit needs."""
ODD = (
    "with space.webp",
    "ünï/cödé 照片.webp",
    "emoji 🐈.webp",
    "a//b.webp",
    "../up.webp",
    "./here.webp",
    "/leading.webp",
    "per%2ecent+plus.webp",
    "what?.webp",
    "no#1.webp",
    "Case.webp",
    "case.webp",
    "x" * 1000 + ".webp",
)
MakeJob = Callable[..., Job]


@pytest.fixture
def cache(indexed_words: Path, tmp_path: Path) -> Path:
    shutil.copytree(indexed_words, tmp_path / "cache" / "vocabulary")
    return tmp_path / "cache"


@pytest.fixture
def make_job(cache: Path) -> MakeJob:
    def make(*sources: str, **changes: Any) -> Job:
        return job_of(place_of(sources, cache), cache, ocr=False, **changes)

    return make


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is waited for comes soon."""
    for module, name, value in (
        (buckets, "ALL_AT_ONCE_SECS", 0.1),
        (buckets, "PART_SECS", 0.1),
        (buckets, "RETRY_SECS", 0.2),
        (s3_objects, "SLOW_PAUSES_SECS", (0.05,)),
    ):
        monkeypatch.setattr(module, name, value)
    monkeypatch.setattr("atlas_rt.engine.rounds.RETRY_SECS", 0.2)
    monkeypatch.setitem(S3Connection.__init__.__kwdefaults__ or {}, "attempts", 2)


def bytes_of(pictures: list[Path] = FEW, folder: str = "photos/") -> dict[str, bytes]:
    return {f"{folder}{each.name}": each.read_bytes() for each in pictures}


def filled(stub: S3Stub, pictures: list[Path] = FEW) -> S3Stub:
    for key, body in bytes_of(pictures).items():
        stub.put(key, body)
    return stub


def paths(job: Job) -> set[str]:
    with closing(StoreReader.open(job.place.folder)) as store:
        return set(store.catalogue().paths)


def figures(report: IndexReport, *names: str) -> dict[str, Any]:
    return {name: getattr(report, name) for name in names}


# What is found, and known again


def test_a_bucket_is_indexed_once_and_listed_from_then_on(s3: S3Server, make_job: MakeJob) -> None:
    bucket = s3.bucket(objects=bytes_of() | {"photos-old/not-here.webp": b"x", "photos/notes.txt": b"text"})
    job = make_job(f"s3://{bucket}/photos", s3=s3.options)
    first = report_of(job)
    assert figures(first, "images", "new", "skipped", "source_state") == {
        "images": 8,
        "new": 8,
        "skipped": 1,
        "source_state": "present",
    }
    assert first.requests["get"] == 8
    assert first.requests["other"] == 0
    assert first.requests["bytes"] == sum(each.stat().st_size for each in FEW)
    second = report_of(job)
    assert figures(second, "images", "new", "unchanged", "changed") == {
        "images": 8,
        "new": 0,
        "unchanged": 8,
        "changed": 0,
    }
    assert second.requests == {"list": 1, "get": 0, "other": 0, "bytes": 0}


def test_odd_keys_are_images_like_others(s3: S3Server, make_job: MakeJob) -> None:
    bodies = [each.read_bytes() for each in PICTURES]
    bucket = s3.bucket(objects={key: bodies[i] for i, key in enumerate(ODD)} | {"folder/": b"", ".hidden/a.webp": b"x"})
    job = make_job(f"s3://{bucket}", s3=s3.options, fit=False)
    report = report_of(job)
    assert not report.failed
    assert paths(job) == {f"s3://{bucket}/{key}" for key in ODD}
    assert report.skipped == 1


def test_a_key_with_a_newline_is_one_too(s3_stub: S3Stub, make_job: MakeJob) -> None:
    s3_stub.put("new\nline.webp", FEW[0].read_bytes())
    job = make_job("s3://bucket", s3=s3_stub.options)
    assert report_of(job).images == 1
    assert paths(job) == {"s3://bucket/new\nline.webp"}


def test_the_etag_tells_what_changed_and_the_date_does_not(s3_stub: S3Stub, make_job: MakeJob) -> None:
    job = make_job("s3://bucket/photos", s3=filled(s3_stub).options, stay=True)
    key, other = f"photos/{FEW[0].name}", f"photos/{FEW[1].name}"
    with engine_at(job) as engine:
        assert engine.report().new == 8
        s3_stub.objects[key].modified += timedelta(days=1)
        again = engine.again()
        assert figures(again, "unchanged", "changed") == {"unchanged": 8, "changed": 0}
        assert s3_stub.count("GET") == 8
        s3_stub.put(other, PICTURES[20].read_bytes())
        changed = engine.again()
        assert figures(changed, "unchanged", "changed") == {"unchanged": 7, "changed": 1}
        assert s3_stub.count("GET") == 9
        del s3_stub.objects[key]
        assert figures(engine.again(), "images", "away") == {"images": 7, "away": 1}


def test_content_that_another_library_knows_is_not_encoded_again(
    s3: S3Server, make_job: MakeJob, tmp_path: Path
) -> None:
    folder = copy_pictures(FEW, tmp_path / "pictures")
    report_of(make_job(str(folder)))
    bucket = s3.bucket(objects=bytes_of())
    report = report_of(make_job(f"s3://{bucket}", s3=s3.options))
    assert report.new == 8
    assert report.seconds["encode"] < 0.05


def test_a_bucket_and_a_folder_are_one_library(s3: S3Server, make_job: MakeJob, tmp_path: Path) -> None:
    folder = copy_pictures(FEW[:3], tmp_path / "pictures")
    bucket = s3.bucket(objects=bytes_of(FEW[3:]))
    job = make_job(str(folder), f"s3://{bucket}/photos", s3=s3.options)
    assert figures(report_of(job), "images", "source_state") == {"images": 8, "source_state": "present"}
    offline = report_of(replace(job, offline=True))
    assert figures(offline, "images", "unchanged", "source_state") == {
        "images": 8,
        "unchanged": 3,
        "source_state": "partly",
    }


# While it is listed


def test_the_first_images_are_shown_before_the_listing_ends(s3_stub: S3Stub, make_job: MakeJob, quick: None) -> None:
    filled(s3_stub).page_keys, s3_stub.page_secs = 2, 1.0
    job = make_job("s3://bucket", s3=s3_stub.options, stay=True)
    with engine_at(job) as engine:
        shown = engine.hear(Published)
        assert shown.images < 8
        assert s3_stub.count("LIST") < 4
        report = engine.report()
        assert figures(report, "images", "new", "unchanged") == {"images": 8, "new": 8, "unchanged": 0}
        assert s3_stub.count("GET") == 8
    with closing(StoreReader.open(job.place.folder)) as store:
        catalogue = store.catalogue()
    assert list(catalogue.paths) == sorted(catalogue.paths)  # ids by the order of the listing


def test_a_listing_that_breaks_midway_hides_nothing(s3_stub: S3Stub, make_job: MakeJob, quick: None) -> None:
    job = make_job("s3://bucket", s3=filled(s3_stub).options, stay=True)
    with engine_at(job) as engine:
        assert engine.report().images == 8
        s3_stub.page_keys = 3
        s3_stub.fail("AccessDenied", operation="LIST", times=1, after=1)
        broken = engine.again()
        assert figures(broken, "images", "source_state") == {"images": 8, "source_state": "partly"}
        assert "AccessDenied" not in engine.of(SourceState)[-1].text
        assert "s3:ListBucket is denied" in engine.of(SourceState)[-1].text
        whole = engine.report()  # by itself
        assert figures(whole, "images", "away", "source_state") == {"images": 8, "away": 0, "source_state": "present"}


# What is in the way


IN_THE_WAY = {
    "NoSuchBucket": ("missing", "There is no bucket of this name"),
    "AccessDenied": ("unreadable", "s3:ListBucket is denied"),
    "ExpiredToken": ("unreadable", "expired"),
    "RequestTimeTooSkewed": ("unreadable", "clock"),
}
"""What the service says -> source_state, and words of what the person is told."""


def test_a_bucket_that_cannot_be_listed_still_shows_what_was_known(s3_stub: S3Stub, make_job: MakeJob) -> None:
    job = make_job("s3://bucket/photos", s3=filled(s3_stub, FEW[:2]).options, stay=True)
    with engine_at(job) as engine:
        assert engine.report().images == 2
        for code, (state, says) in IN_THE_WAY.items():
            s3_stub.fail(code, times=None)
            report = engine.again()
            assert figures(report, "images", "source_state") == {"images": 2, "source_state": state}
            assert says in engine.of(SourceState)[-1].text
            s3_stub.heal()
            assert figures(engine.again(), "images", "away", "source_state") == {
                "images": 2,
                "away": 0,
                "source_state": "present",
            }


def test_an_emptied_bucket_and_another_service_drop_nothing(
    s3: S3Server, s3_stub: S3Stub, make_job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_environment(monkeypatch, s3.environment())
    bucket = s3.bucket(objects=bytes_of(FEW[:4]))
    job = make_job(f"s3://{bucket}")
    assert report_of(job).images == 4
    s3_stub.put("other.webp", FEW[5].read_bytes())
    with monkeypatch.context() as context:  # where only the environment names the service
        context.setenv("AWS_ENDPOINT_URL_S3", s3_stub.options.endpoint_url)
        elsewhere = report_of(job)
    assert figures(elsewhere, "images", "source_state") == {"images": 5, "source_state": "partly"}
    for key in bytes_of(FEW[:4]):
        s3.client.delete_object(Bucket=bucket, Key=key)
    assert figures(report_of(job), "images", "source_state") == {"images": 5, "source_state": "empty"}


def test_what_was_in_the_way_goes_with_its_source(s3_stub: S3Stub, make_job: MakeJob) -> None:
    def listed(source: str) -> object:
        known.begin([source], afresh=False, broken=())
        known.next_part()
        return known.interruptions

    known = buckets.Buckets(make_job("s3://taken-back", s3=s3_stub.options), waiting=lambda: None)
    s3_stub.fail("AccessDenied", operation="LIST")
    assert listed("s3://taken-back")
    assert not listed("s3://stays")


def test_offline_no_socket_is_opened(s3_stub: S3Stub, make_job: MakeJob) -> None:
    job = make_job("s3://bucket", s3=filled(s3_stub).options)
    report_of(job)
    before = s3_stub.count()
    with engine_at(replace(job, offline=True)) as engine:
        report = engine.report()
        assert figures(report, "images", "source_state") == {"images": 8, "source_state": "unreadable"}
        assert "--offline forbids" in engine.of(SourceState)[-1].text
    assert s3_stub.count() == before


# What is in the way of a single object


def test_an_object_that_changes_before_it_is_read_waits_for_the_next_round(s3_stub: S3Stub, make_job: MakeJob) -> None:
    filled(s3_stub).change_before_read(f"photos/{FEW[0].name}", PICTURES[30].read_bytes())
    s3_stub.fail("NoSuchKey", operation="GET", key=f"photos/{FEW[1].name}")
    job = make_job("s3://bucket", s3=s3_stub.options)
    first = report_of(job)
    assert (first.images, first.left, first.failed) == (6, 2, ())
    second = report_of(job)
    assert (second.images, second.new, second.left) == (8, 2, 0)


def test_objects_that_are_no_images_fail_alone(s3_stub: S3Stub, make_job: MakeJob) -> None:
    filled(s3_stub, FEW[:2])
    s3_stub.put("photos/empty.jpg")
    s3_stub.put("photos/huge.jpg", size=6 * 2**30)
    s3_stub.put("photos/text.jpg", b"no picture")
    s3_stub.put("photos/denied.jpg", b"nobody reads it")
    s3_stub.fail("AccessDenied", operation="GET", key="photos/denied.jpg", times=None)
    job = make_job("s3://bucket", s3=s3_stub.options)
    report = report_of(job)
    assert report.images == 2
    reasons = {failure.path.rpartition("/")[2]: failure.reason for failure in report.failed}
    assert reasons.keys() == {"empty.jpg", "huge.jpg", "text.jpg", "denied.jpg"}
    assert reasons["huge.jpg"] == "the file is larger than 1 GB"
    assert "s3:GetObject is denied" in reasons["denied.jpg"]
    asked = [seen.key for seen in s3_stub.seen if seen.operation == "GET"]
    assert "photos/huge.jpg" not in asked
    assert "photos/empty.jpg" not in asked


def test_archived_objects_are_counted_and_read_once_they_are_restored(s3: S3Server, make_job: MakeJob) -> None:
    bucket = s3.bucket(objects=bytes_of(FEW[:2]))
    for i, kind in enumerate(("GLACIER", "DEEP_ARCHIVE")):
        s3.client.put_object(Bucket=bucket, Key=f"{i}.webp", Body=FEW[3 + i].read_bytes(), StorageClass=kind)
    job = make_job(f"s3://{bucket}", s3=s3.options, stay=True)
    with engine_at(job) as engine:
        report = engine.report()
        assert (report.images, report.archived, report.failed) == (2, 2, ())
        key = f"photos/{FEW[0].name}"
        s3.client.copy_object(Bucket=bucket, Key=key, StorageClass="GLACIER", CopySource=f"{bucket}/{key}")
        report = engine.again()
        assert (report.images, report.archived) == (2, 2)  # what was read before stays
        s3.client.restore_object(Bucket=bucket, Key="0.webp", RestoreRequest={"Days": 1})
        report = engine.again()
        assert (report.images, report.archived) == (3, 1)


def test_a_large_object_is_read_in_parts(s3_stub: S3Stub, make_job: MakeJob, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3_objects, "PART_BYTES", 2000)
    s3_stub.put("large.webp", FEW[0].read_bytes())
    s3_stub.cut("large.webp", at=500)
    size = FEW[0].stat().st_size
    report = report_of(make_job("s3://bucket", s3=s3_stub.options))
    assert (report.images, report.failed) == (1, ())
    assert s3_stub.count("GET") == -(-size // 2000) + 1
    assert all(seen.headers.get("if-match") for seen in s3_stub.seen if seen.operation == "GET")


# What comes and passes


def test_a_service_that_is_slow_only_slows_it_down(s3_stub: S3Stub, make_job: MakeJob, quick: None) -> None:
    filled(s3_stub).fail("SlowDown", operation="GET", times=12)
    report = report_of(make_job("s3://bucket", s3=s3_stub.options))
    assert (report.images, report.failed, report.left) == (8, (), 0)


def test_keys_that_expire_midway_are_waited_for(
    s3_stub: S3Stub, make_job: MakeJob, quick: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "credentials"
    write_credentials(file, Keys("OLD", "secret"), token="old")
    use_environment(monkeypatch, {"AWS_SHARED_CREDENTIALS_FILE": str(file), "AWS_DEFAULT_REGION": "us-east-1"})
    filled(s3_stub).fail("ExpiredToken", times=None, after=4)
    with engine_at(make_job("s3://bucket", s3=s3_stub.options)) as engine:
        waiting = engine.hear(SourceState)
        assert "expired" in waiting.text
        write_credentials(file, Keys("NEW", "secret"), token="new")
        wait_for(lambda: "Credential=NEW/" in s3_stub.seen[-1].headers["authorization"])
        s3_stub.heal()
        report = engine.report()
    assert (report.images, report.failed, report.left, report.source_state) == (8, (), 0, "present")


def test_a_network_that_goes_midway_is_waited_for(s3_stub: S3Stub, make_job: MakeJob, quick: None) -> None:
    filled(s3_stub).drop(operation="GET", times=None, after=3)
    job = make_job("s3://bucket", s3=s3_stub.options, stay=True)
    with engine_at(job) as engine:
        first = engine.report()
        assert first.images < 8
        assert (first.left, first.failed, first.source_state) == (8 - first.images, (), "unreadable")
        assert engine.of(SourceState)[-1].text
        s3_stub.heal()
        report = engine.hear(IndexReport, lambda report: report.images == 8)
        assert (report.left, report.source_state) == (0, "present")


def test_a_window_lists_again_and_again(s3_stub: S3Stub, make_job: MakeJob) -> None:
    job = make_job("s3://bucket", s3=filled(s3_stub, FEW[:2]).options, stay=True, poll_secs=0.3)
    with engine_at(job) as engine:
        engine.report()
        s3_stub.put("photos/new.webp", FEW[4].read_bytes())
        report = engine.hear(IndexReport, lambda report: report.images == 3)
        assert report.new == 1
        told = engine.of(Requests)[-1]
        assert (told.gets, told.lists) == (3, s3_stub.count("LIST"))
