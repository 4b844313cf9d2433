"""`atlas-rt push`: to a bucket that checks signatures and permissions, and to one that misbehaves."""

from __future__ import annotations

import hashlib
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from atlas_rt.aws import object_content, pushing, uploads
from atlas_rt.aws.object_content import Listed, etag_of, holds, sums_of
from atlas_rt.aws.s3_connection import S3Connection
from atlas_rt.library.file_content import content_hash
from tests.commands.person import Person
from tests.libraries import PICTURES, copy_pictures
from tests.s3_server import S3Server, environment_of, use_environment
from tests.s3_stub import S3Stub

MIB = 2**20


@pytest.fixture
def person(here: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Person:
    """Asks without a library, of which a push needs none."""
    return Person(here, tmp_path / "cache", capsys)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Three pictures in folders of odd names, a sidecar, and what is not sent."""
    folder = copy_pictures(PICTURES[:3], tmp_path / "pictures")
    inner = folder / "Sommer 2026 #1" / "a+b & ü.d"
    inner.mkdir(parents=True)
    names = sorted(path.name for path in folder.glob("*.webp"))
    (folder / names[1]).rename(inner / "e\u0301 50%.webp")  # decomposed, as macOS has it
    (folder / (Path(names[0]).stem + ".xmp")).write_text("<x/>")
    (folder / "notes.txt").write_text("no picture")
    (folder / ".hidden.webp").write_bytes(b"hidden")
    return folder


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is tried again is tried again at once."""
    monkeypatch.setattr(pushing, "PAUSES_SECS", (0.05,))
    monkeypatch.setitem(S3Connection.__init__.__kwdefaults__ or {}, "attempts", 1)


def keys_of(s3: S3Server, bucket: str) -> dict[str, bytes]:
    client = s3.client
    listed = client.list_objects_v2(Bucket=bucket).get("Contents", ())
    return {each["Key"]: client.get_object(Bucket=bucket, Key=each["Key"])["Body"].read() for each in listed}


def files_of(folder: Path) -> dict[str, bytes]:
    """What should be there, by its path below the folder."""
    found = (path for path in folder.rglob("*") if path.suffix in {".webp", ".xmp"} and path.name[0] != ".")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def times_of(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


def push(person: Person, server: S3Server | S3Stub, *words: str | Path) -> Any:
    return person.ask("push", *words, "--json", "--endpoint-url", server.url).document


def test_a_folder_arrives_byte_for_byte_and_the_second_push_sends_nothing(
    person: Person, s3: S3Server, pictures: Path
) -> None:
    bucket, before = s3.bucket(), times_of(pictures)
    first = push(person, s3, pictures, f"s3://{bucket}/all/2026")
    here = files_of(pictures)
    assert keys_of(s3, bucket) == {f"all/2026/{path}": body for path, body in here.items()}
    assert (first["sent"], first["unchanged"], first["failed"], first["different"]) == (4, 0, [], [])
    assert first["bytes"] == sum(map(len, here.values()))
    assert first["skipped"] == 3  # the sidecar is one of them for an index
    again = push(person, s3, pictures, f"s3://{bucket}/all/2026/")
    assert (again["sent"], again["unchanged"], again["bytes"]) == (0, 4, 0)
    assert again["requests"] == 4, "one LIST, and three that ask whether the bucket is public"
    assert times_of(pictures) == before
    image = next(path for path in here if path.endswith(".webp"))
    kept = s3.client.head_object(Bucket=bucket, Key=f"all/2026/{image}")
    assert kept["Metadata"]["atlas-blake2b"] == content_hash(here[image]).hex()
    assert kept["ContentType"] == "image/webp"


def test_what_differs_stays_until_it_is_to_be_replaced(person: Person, s3: S3Server, pictures: Path) -> None:
    bucket = s3.bucket()
    push(person, s3, pictures, f"s3://{bucket}")
    changed = next(pictures.glob("[a-z]*.webp"))
    old = changed.read_bytes()
    changed.write_bytes(old[::-1])  # of the same size
    told = push(person, s3, pictures, f"s3://{bucket}")
    assert (told["sent"], told["unchanged"]) == (0, 3)
    assert told["different"] == [{"path": str(changed), "address": f"s3://{bucket}/{changed.name}"}]
    assert keys_of(s3, bucket)[changed.name] == old
    words = person.ask("push", pictures, f"s3://{bucket}", "--endpoint-url", s3.url)
    assert "--replace" in words.out
    assert f"different: {changed}" in words.err
    told = push(person, s3, pictures, f"s3://{bucket}", "--replace")
    assert (told["sent"], told["unchanged"], told["different"]) == (1, 3, [])
    assert keys_of(s3, bucket)[changed.name] == old[::-1]


def test_a_dry_run_tells_and_sends_nothing(person: Person, s3: S3Server, pictures: Path) -> None:
    bucket = s3.bucket()
    told = push(person, s3, pictures, f"s3://{bucket}", "--dry-run")
    assert (told["sent"], told["dry_run"]) == (4, True)
    assert keys_of(s3, bucket) == {}


def test_nothing_is_deleted_that_is_no_longer_here(person: Person, s3: S3Server, pictures: Path) -> None:
    bucket = s3.bucket(objects={"other.webp": b"elsewhere"})
    push(person, s3, pictures, f"s3://{bucket}")
    next(pictures.glob("[a-z]*.webp")).unlink()
    push(person, s3, pictures, f"s3://{bucket}", "--replace")
    assert len(keys_of(s3, bucket)) == 5


def test_a_public_bucket_is_refused_unless_it_is_meant(person: Person, s3: S3Server, pictures: Path) -> None:
    bucket = s3.bucket()
    s3.client.put_bucket_acl(Bucket=bucket, ACL="public-read")
    refused = person.ask("push", pictures, f"s3://{bucket}", "--endpoint-url", s3.url)
    assert refused.code == 2
    assert "lets everybody in" in refused.refusal
    assert "--allow-public" in refused.refusal
    assert keys_of(s3, bucket) == {}
    assert push(person, s3, pictures, f"s3://{bucket}", "--allow-public")["sent"] == 4


def test_a_block_of_public_access_closes_a_public_list_of_access(person: Person, s3: S3Server, pictures: Path) -> None:
    bucket = s3.bucket()
    s3.client.put_bucket_acl(Bucket=bucket, ACL="public-read")
    names = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    s3.client.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=dict.fromkeys(names, True))
    assert push(person, s3, pictures, f"s3://{bucket}")["sent"] == 4


def test_keys_that_may_only_upload_try_the_door_themselves(person: Person, s3_stub: S3Stub, pictures: Path) -> None:
    s3_stub.fail("AccessDenied", operation="SETTINGS", times=None)
    open_door = person.ask("push", pictures, "s3://bucket/all", "--endpoint-url", s3_stub.url)
    assert (open_door.code, "listed without keys" in open_door.refusal) == (2, True)
    s3_stub.signed_lists = True  # and objects are open
    half_open = person.ask("push", pictures, "s3://bucket/all", "--endpoint-url", s3_stub.url)
    assert (half_open.code, "no other was sent" in half_open.refusal) == (2, True)
    assert len(s3_stub.objects) == 1
    again = person.ask("push", pictures, "s3://bucket/all", "--endpoint-url", s3_stub.url)
    assert (again.code, "can be read without keys" in again.refusal) == (2, True)
    assert len(s3_stub.objects) == 1
    s3_stub.signed_only = True
    told = person.ask("push", pictures, "s3://bucket/all", "--endpoint-url", s3_stub.url, "--json")
    assert (told.document["sent"], told.document["unchanged"]) == (3, 1)
    assert "may not ask whether the bucket is public" in told.err


def test_a_try_without_keys_that_is_not_answered_proves_nothing(
    person: Person, s3_stub: S3Stub, pictures: Path
) -> None:
    s3_stub.fail("AccessDenied", operation="SETTINGS", times=None)
    s3_stub.signed_lists = True
    s3_stub.fail("SlowDown", operation="HEAD", times=2)
    told = person.ask("push", pictures, "s3://bucket/all", "--endpoint-url", s3_stub.url)
    assert (told.code, "try again later" in told.err, len(s3_stub.objects)) == (3, True, 1)


BAD_WORDS = {
    "no address": (("{folder}",), "s3://bucket/folder"),
    "two folders": (("{folder}", "{folder}"), "s3://bucket/folder"),
    "two addresses": (("s3://a-bucket", "s3://b-bucket"), "s3://bucket/folder"),
    "no bucket": (("{folder}", "s3:///x"), "looks like s3://bucket/folder"),
    "a file": (("{folder}/notes.txt", "s3://bucket"), "push sends a folder"),
    "nowhere": (("{folder}/nowhere", "s3://bucket"), "no such file or folder"),
    "empty": (("{folder}/empty", "s3://bucket"), "no images here"),
    "offline": (("{folder}", "s3://bucket", "--offline"), "--offline forbids"),
    "unsigned": (("{folder}", "s3://bucket", "--no-sign-request"), "--allow-public"),
}


@pytest.mark.parametrize("case", BAD_WORDS)
def test_wrong_words_are_named(person: Person, s3_stub: S3Stub, pictures: Path, case: str) -> None:
    (pictures / "empty").mkdir()
    words, reason = BAD_WORDS[case]
    told = person.ask("push", *(word.format(folder=pictures) for word in words), "--endpoint-url", s3_stub.url)
    assert (told.code, reason in told.refusal) == (2, True), told
    assert not s3_stub.objects


def test_what_is_wrong_with_the_account_is_named(
    person: Person, s3: S3Server, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(bucket: str) -> tuple[int, str]:
        told = person.ask("push", pictures, f"s3://{bucket}", "--endpoint-url", s3.url)
        return told.code, told.refusal

    assert refused("nowhere-at-all") == (2, "There is no bucket of this name: nowhere-at-all")
    bucket = s3.bucket()
    rights = ["s3:ListBucket", "s3:GetBucketPublicAccessBlock", "s3:GetBucketPolicyStatus", "s3:GetBucketAcl"]
    for count, action in ((0, "s3:ListBucket"), (4, "s3:PutObject")):
        user = s3.user_of(bucket, rights[:count] or ["s3:GetObject"])
        use_environment(monkeypatch, environment_of(user.key, user.secret))
        code, sentence = refused(bucket)
        assert (code, f"({action} is denied)" in sentence) == (3, True), sentence
    use_environment(monkeypatch, environment_of("AKIDWRONG", "secret"))
    assert refused(bucket)[0] == 3
    assert "does not accept these credentials" in refused(bucket)[1]
    nobody = {name: value for name, value in environment_of("", "").items() if value}
    use_environment(monkeypatch, nobody)
    code, sentence = refused(bucket)
    assert (code, "aws configure" in sentence) == (3, True)
    assert keys_of(s3, bucket) == {}


def test_names_that_s3_cannot_take_fail_alone(person: Person, s3_stub: S3Stub, pictures: Path) -> None:
    s3_stub.signed_only = True
    deep = pictures
    for _ in range(6):
        deep /= "d" * 200
    deep.mkdir(parents=True)
    image = next(pictures.glob("[a-z]*.webp")).read_bytes()
    (deep / "long.webp").write_bytes(image)
    nameless = os.fsencode(pictures) + b"/\xff.webp"
    Path(os.fsdecode(nameless)).write_bytes(image)
    told = person.run("push", pictures, "s3://bucket", "--endpoint-url", s3_stub.url, "--json").document
    assert told["sent"] == 4
    assert sorted(failure["reason"][:20] for failure in told["failed"]) == [
        "its name is no text ",
        "its name with its fo",
    ]


def test_slow_down_and_a_lost_network_are_waited_out(
    person: Person, s3_stub: S3Stub, pictures: Path, soon: None
) -> None:
    s3_stub.signed_only = True
    s3_stub.fail("SlowDown", operation="PUT", times=8)
    s3_stub.drop(operation="PUT", times=3, after=1)
    told = person.ask("push", pictures, "s3://bucket", "--endpoint-url", s3_stub.url, "--json")
    assert told.document["sent"] == 4
    assert {key: stored.body for key, stored in s3_stub.objects.items()} == files_of(pictures)


def test_the_network_goes_in_the_middle_and_returns(
    person: Person, s3_stub: S3Stub, pictures: Path, soon: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3_stub.signed_only = True
    monkeypatch.setattr(pushing, "THREADS", 1)

    def go_and_return() -> None:
        while s3_stub.count("PUT") < 2:
            time.sleep(0.01)
        s3_stub.leave()
        time.sleep(1.0)
        s3_stub.come_back()

    trouble = threading.Thread(target=go_and_return)
    s3_stub.drop(operation="PUT", times=3, after=2)
    trouble.start()
    told = person.ask("push", pictures, "s3://bucket", "--endpoint-url", s3_stub.url, "--json")
    trouble.join()
    assert (told.document["sent"], told.document["failed"]) == (4, [])
    assert {key: stored.body for key, stored in s3_stub.objects.items()} == files_of(pictures)


def test_a_network_that_stays_away_ends_the_push_with_a_sentence(
    person: Person, s3_stub: S3Stub, pictures: Path, soon: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pushing, "PATIENCE_SECS", 0.3)
    s3_stub.signed_only = True
    s3_stub.drop(operation="PUT", times=None, after=2)
    told = person.ask("push", pictures, "s3://bucket", "--endpoint-url", s3_stub.url)
    assert (told.code, "broke" in told.err, len(s3_stub.objects)) == (3, True, 2)
    s3_stub.heal()
    assert push(person, s3_stub, pictures, "s3://bucket")["sent"] == 2


def test_keys_that_expire_in_the_middle_are_waited_for(
    person: Person, s3_stub: S3Stub, pictures: Path, soon: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pushing, "THREADS", 1)
    monkeypatch.setattr("atlas_rt.aws.s3_connection.RENEWAL_SECS", 0.0)
    s3_stub.signed_only = True
    s3_stub.fail("ExpiredToken", operation="PUT", times=4, after=2)
    told = person.ask("push", pictures, "s3://bucket", "--endpoint-url", s3_stub.url, "--json")
    assert told.document["sent"] == 4
    assert "expired" in told.err
    assert "answers again" in told.err


def test_a_file_that_vanishes_fails_alone(
    person: Person, s3_stub: S3Stub, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3_stub.signed_only = True
    gone = next(pictures.glob("[a-z]*.webp"))
    send = uploads.Uploader.send

    def sent_later(self: uploads.Uploader, path: str, *rest: Any, **words: Any) -> int:
        if path == str(gone):
            gone.unlink()
        return send(self, path, *rest, **words)

    monkeypatch.setattr(uploads.Uploader, "send", sent_later)
    told = push(person, s3_stub, pictures, "s3://bucket")
    assert told["sent"] == 3
    assert told["failed"] == [{"path": str(gone), "reason": "No such file or directory"}]


def test_two_pushes_at_once_overwrite_nothing(
    person: Person, s3_stub: S3Stub, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one is faster with two files: one holds the same, one holds something else."""
    s3_stub.signed_only = True
    first, second = sorted(pictures.glob("[a-z]*.webp"))
    listed = pushing.listed_below

    def listed_before(*words: Any) -> dict[str, Listed]:
        found = listed(*words)
        s3_stub.put(first.name, first.read_bytes())
        s3_stub.put(second.name, b"of somebody else")
        return found

    monkeypatch.setattr(pushing, "listed_below", listed_before)
    told = push(person, s3_stub, pictures, "s3://bucket")
    assert (told["sent"], told["unchanged"]) == (2, 1)
    assert [each["path"] for each in told["different"]] == [str(second)]
    assert s3_stub.objects[second.name].body == b"of somebody else"


def test_a_service_without_conditions_is_asked_without(person: Person, s3_stub: S3Stub, pictures: Path) -> None:
    s3_stub.signed_only, s3_stub.conditions = True, False
    assert push(person, s3_stub, pictures, "s3://bucket")["sent"] == 4


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> int:
    """Parts of 64 KiB: what is large is so at once."""
    for module in (object_content, uploads):
        monkeypatch.setattr(module, "PART_BYTES", 1 << 16)
    return 1 << 16


def large_file(folder: Path, parts: float, part: int) -> Path:
    folder.mkdir()
    file = folder / "large.png"
    file.write_bytes(hashlib.shake_256(b"large").digest(int(parts * part)))
    return file


def test_a_large_file_goes_in_parts_and_goes_on_after_a_stop(
    person: Person, s3_stub: S3Stub, tmp_path: Path, small_parts: int, soon: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pushing, "PATIENCE_SECS", 0.1)
    s3_stub.signed_only = True
    file = large_file(tmp_path / "pictures", 5.5, small_parts)
    s3_stub.drop(operation="PART", times=None, after=3)
    assert person.ask("push", file.parent, "s3://bucket", "--endpoint-url", s3_stub.url).code == 3
    assert [len(parts) for _, parts, _ in s3_stub.uploads.values()] == [3]
    s3_stub.heal()
    before = s3_stub.count("PART")
    told = push(person, s3_stub, file.parent, "s3://bucket")
    assert (told["sent"], told["bytes"]) == (1, int(2.5 * small_parts))
    assert (s3_stub.count("PART") - before, s3_stub.count("CREATE"), s3_stub.uploads) == (3, 1, {})
    assert s3_stub.objects["large.png"].body == file.read_bytes()
    again = push(person, s3_stub, file.parent, "s3://bucket")
    assert (again["sent"], again["unchanged"]) == (0, 1)
    assert s3_stub.count("HEAD") == 1, "the resumed one was checked; to compare, the listing is enough"


def test_parts_of_another_content_are_thrown_away(
    person: Person, s3_stub: S3Stub, tmp_path: Path, small_parts: int
) -> None:
    s3_stub.signed_only = True
    file = large_file(tmp_path / "pictures", 3, small_parts)
    s3_stub.uploads["old"] = ("large.png", {1: b"of another picture"}, {})
    assert push(person, s3_stub, file.parent, "s3://bucket")["sent"] == 1
    assert s3_stub.count("ABORT") == 1
    assert s3_stub.objects["large.png"].body == file.read_bytes()


def test_a_large_file_that_changes_meanwhile_leaves_no_parts(
    person: Person, s3_stub: S3Stub, tmp_path: Path, small_parts: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3_stub.signed_only = True
    file = large_file(tmp_path / "pictures", 3, small_parts)
    begun = uploads.Uploader._begun

    def changed_then(self: uploads.Uploader, *words: Any) -> Any:
        file.write_bytes(bytes(3 * small_parts))
        return begun(self, *words)

    monkeypatch.setattr(uploads.Uploader, "_begun", changed_then)
    told = push(person, s3_stub, file.parent, "s3://bucket")
    assert told["failed"] == [{"path": str(file), "reason": "it changed while it was sent"}]
    assert (s3_stub.objects, s3_stub.uploads) == ({}, {})


def test_a_large_file_in_moto(person: Person, s3: S3Server, tmp_path: Path) -> None:
    """With parts of the size that is really used."""
    file = large_file(tmp_path / "pictures", 1.25, object_content.PART_BYTES)
    bucket = s3.bucket()
    assert push(person, s3, file.parent, f"s3://{bucket}")["sent"] == 1
    assert s3.client.get_object(Bucket=bucket, Key="large.png")["Body"].read() == file.read_bytes()
    again = push(person, s3, file.parent, f"s3://{bucket}")
    assert (again["unchanged"], again["requests"]) == (1, 4)


def test_what_other_programs_sent_in_parts_is_recognised(tmp_path: Path) -> None:
    file = large_file(tmp_path / "pictures", 20.5, MIB)
    sums = sums_of(str(file))
    eights = tuple(hashlib.md5(piece).digest() for piece in object_content.pieces_of(str(file), 8 * MIB))

    def asked() -> dict[str, Any]:
        raise AssertionError("a listing is enough")

    size = file.stat().st_size
    assert holds(str(file), sums, Listed(size, etag_of(eights)), asked)
    assert holds(str(file), sums, Listed(size, sums.etag), asked)
    assert not holds(str(file), sums, Listed(size + 1, etag_of(eights)), asked)


def test_an_object_under_a_key_of_kms_is_known_by_its_hash(tmp_path: Path) -> None:
    file = large_file(tmp_path / "pictures", 1, 1000)
    sums, listed = sums_of(str(file)), Listed(1000, "0" * 32)
    kms: dict[str, Any] = {"ServerSideEncryption": "aws:kms"}
    assert holds(str(file), sums, listed, lambda: kms | {"Metadata": {"atlas-blake2b": sums.blake2b}})
    assert not holds(str(file), sums, listed, lambda: kms | {"Metadata": {"atlas-blake2b": "0" * 32}})
    sha256 = "Z" * 43 + "="
    assert not holds(str(file), sums, listed, lambda: kms | {"ChecksumSHA256": sha256})
    assert not holds(str(file), sums, listed, lambda: {"Metadata": {"atlas-blake2b": sums.blake2b}}), (
        "an ETag that is an MD5 says more than a hash that somebody may have copied along"
    )


def test_a_stop_keeps_what_was_sent(person: Person, s3_stub: S3Stub, tmp_path: Path) -> None:
    s3_stub.signed_only = True
    folder = copy_pictures(PICTURES[:40], tmp_path / "pictures")
    s3_stub.put_secs = 0.3
    running = person.start("push", folder, "s3://bucket", "--endpoint-url", s3_stub.url)
    while len(s3_stub.objects) < 3 and running.poll() is None:
        time.sleep(0.02)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=20)
    assert (running.returncode, out) == (130, ""), err
    assert "so far; the next push goes on from there" in err
    assert "Traceback" not in err
    sent = dict(s3_stub.objects)
    assert 3 <= len(sent) < 40
    s3_stub.put_secs = 0.0
    told = push(person, s3_stub, folder, "s3://bucket")
    assert (told["sent"], told["unchanged"]) == (40 - len(sent), len(sent))
    assert all(s3_stub.objects[key] is stored for key, stored in sent.items())


def test_without_boto3_it_says_what_to_install(person: Person, s3_stub: S3Stub, pictures: Path, tmp_path: Path) -> None:
    (tmp_path / "broken" / "boto3").mkdir(parents=True)
    (tmp_path / "broken" / "boto3" / "__init__.py").write_text("raise ImportError('not here')")
    path = os.pathsep.join([str(tmp_path / "broken"), os.environ.get("PYTHONPATH", str(Path(__file__).parents[2]))])
    told = person.run("push", pictures, "s3://bucket", PYTHONPATH=path)
    assert (told.code, "pip install atlas_rt[aws]" in told.refusal) == (3, True)
