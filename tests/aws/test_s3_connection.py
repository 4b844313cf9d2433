"""Requests to S3, answered by moto with its checks on and by our own server that misbehaves."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from atlas_rt.aws.s3_connection import S3Connection
from atlas_rt.aws.s3_failures import Asked, meaning_of, meant_errors
from atlas_rt.core.s3_address import S3Address, parse_address
from atlas_rt.core.s3_errors import (
    S3AnswerError,
    S3ArchivedError,
    S3ChangedError,
    S3ClockError,
    S3CredentialsError,
    S3DeniedError,
    S3Error,
    S3ExpiredError,
    S3GoneError,
    S3NetworkError,
    S3NoBucketError,
    S3RegionError,
    S3SlowDownError,
)
from atlas_rt.core.s3_options import S3Options
from atlas_rt.errors import UsageError
from tests.s3_server import Keys, S3Server, environment_of, use_environment, write_credentials
from tests.s3_stub import S3Stub

ODD_KEYS = ("a b.jpg", "ä/ö😀.jpg", "a//b.jpg", "a/../b.jpg", "/lead.jpg", "a/./%2e.jpg", "a+b?c#d&e.jpg", "x" * 1000)


@pytest.mark.parametrize("key", [*ODD_KEYS, "two\nlines.jpg", ""])
def test_an_address_keeps_its_key_as_it_is(key: str) -> None:
    address = S3Address("bucket", key)
    assert parse_address(str(address)) == address


@pytest.mark.parametrize("word", ["s3://", "s3:///a", "s3://a b/c", "bucket/key", "s3://x", "http://bucket/key"])
def test_what_is_no_address_is_named(word: str) -> None:
    with pytest.raises(UsageError, match="s3://bucket/folder"):
        parse_address(word)


def test_an_access_point_stands_in_the_buckets_place() -> None:
    point = "arn:aws:s3:eu-west-1:123456789012:accesspoint/photos"
    assert parse_address(f"s3://{point}/a/b.jpg") == S3Address(point, "a/b.jpg")


def test_a_folder_finds_nothing_next_to_it() -> None:
    assert parse_address("s3://bucket/photos").folder == "photos/"
    assert parse_address("s3://bucket/photos/").child("a.jpg") == S3Address("bucket", "photos/a.jpg")
    assert parse_address("s3://bucket").folder == ""


def test_odd_keys_go_there_and_come_back(s3: S3Server) -> None:
    connection, bucket = S3Connection(s3.options), S3Address(s3.bucket())
    for key in ODD_KEYS:
        connection.call("put_object", S3Address(bucket.bucket, key), Body=key.encode())
    listed = connection.call("list_objects_v2", bucket)["Contents"]
    assert {found["Key"] for found in listed} == set(ODD_KEYS)
    for key in ODD_KEYS:
        assert connection.call("get_object", S3Address(bucket.bucket, key))["Body"].read() == key.encode()
    assert connection.requests == {"PutObject": len(ODD_KEYS), "ListObjectsV2": 1, "GetObject": len(ODD_KEYS)}


def test_a_key_of_two_lines_is_listed_and_read(s3_stub: S3Stub) -> None:
    s3_stub.put("two\nlines.jpg", b"here")
    connection = S3Connection(s3_stub.options)
    listed = connection.call("list_objects_v2", S3Address("bucket"))["Contents"]
    assert [found["Key"] for found in listed] == ["two\nlines.jpg"]
    assert connection.call("get_object", S3Address("bucket", "two\nlines.jpg"))["Body"].read() == b"here"


def test_permissions_and_signatures_are_told_apart(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = s3.bucket(objects={"a.jpg": b"here"})
    reader = s3.user_of(bucket, ["s3:GetObject"])
    use_environment(monkeypatch, environment_of(reader.key, reader.secret))
    connection = S3Connection(s3.options)
    assert connection.call("get_object", S3Address(bucket, "a.jpg"))["Body"].read() == b"here"
    with pytest.raises(S3DeniedError, match=r"s3:ListBucket is denied\): s3://"):
        connection.call("list_objects_v2", S3Address(bucket))
    use_environment(monkeypatch, environment_of(reader.key, "another secret"))
    with pytest.raises(S3CredentialsError, match="SignatureDoesNotMatch"):
        S3Connection(s3.options).call("get_object", S3Address(bucket, "a.jpg"))


def test_what_is_missing_is_named(s3: S3Server) -> None:
    connection = S3Connection(s3.options)
    with pytest.raises(S3NoBucketError, match="no bucket of this name: nowhere") as none:
        connection.call("list_objects_v2", S3Address("nowhere"))
    assert none.value.exit_code == 2
    bucket = s3.bucket(objects={"a.jpg": b"here"})
    for operation in ("get_object", "head_object"):
        with pytest.raises(S3GoneError):
            connection.call(operation, S3Address(bucket, "b.jpg"))
    with pytest.raises(S3ChangedError):
        connection.call("get_object", S3Address(bucket, "a.jpg"), IfMatch='"another"')


def test_without_keys_it_says_how_to_get_some(s3_stub: S3Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = environment_of("", "")
    use_environment(monkeypatch, {name: value for name, value in nobody.items() if value})
    s3_stub.put("a.jpg", b"here")
    address = S3Address("bucket", "a.jpg")
    with pytest.raises(S3CredentialsError, match=r"aws configure.*--no-sign-request"):
        S3Connection(s3_stub.options).call("get_object", address)
    unsigned = S3Connection(replace(s3_stub.options, no_sign_request=True))
    assert unsigned.call("get_object", address)["Body"].read() == b"here"
    assert "authorization" not in s3_stub.seen[-1].headers
    s3_stub.signed_only = True
    with pytest.raises(S3DeniedError):
        unsigned.call("list_objects_v2", S3Address("bucket"))


def test_a_profile_that_is_not_there_is_named(s3_stub: S3Stub) -> None:
    with pytest.raises(S3CredentialsError, match="nobody"):
        S3Connection(replace(s3_stub.options, profile="nobody"))


def test_whoever_pays_says_so_with_each_request(s3_stub: S3Stub) -> None:
    s3_stub.put("a.jpg", b"here")
    connection = S3Connection(replace(s3_stub.options, request_payer=True))
    connection.call("get_object", S3Address("bucket", "a.jpg"))
    connection.call("list_objects_v2", S3Address("bucket"))
    assert [seen.headers.get("x-amz-request-payer") for seen in s3_stub.seen] == ["requester"] * 2


KINDS = {
    "SlowDown": S3SlowDownError,
    "ExpiredToken": S3ExpiredError,
    "RequestTimeTooSkewed": S3ClockError,
    "InvalidAccessKeyId": S3CredentialsError,
    "AccessDenied": S3DeniedError,
    "NoSuchBucket": S3NoBucketError,
    "BadDigest": S3AnswerError,
}


@pytest.mark.parametrize("code", KINDS)
def test_each_failure_is_a_kind(s3_stub: S3Stub, code: str) -> None:
    s3_stub.put("a.jpg", b"here")
    s3_stub.fail(code, times=None)
    with pytest.raises(S3Error) as failed:
        S3Connection(s3_stub.options, attempts=1).call("get_object", S3Address("bucket", "a.jpg"))
    assert type(failed.value) is KINDS[code]
    assert failed.value.code == code
    assert "Traceback" not in str(failed.value)
    copy = pickle.loads(pickle.dumps(failed.value))
    assert (type(copy), str(copy), copy.code) == (type(failed.value), str(failed.value), code)


def test_an_archived_object_is_told_apart(s3_stub: S3Stub) -> None:
    s3_stub.put("old.jpg", b"here", storage_class="DEEP_ARCHIVE")
    with pytest.raises(S3ArchivedError, match="restore"):
        S3Connection(s3_stub.options).call("get_object", S3Address("bucket", "old.jpg"))


def test_slow_down_for_a_while_is_waited_out(s3_stub: S3Stub) -> None:
    s3_stub.put("a.jpg", b"here")
    s3_stub.fail("SlowDown", times=2)
    connection = S3Connection(s3_stub.options)
    assert connection.call("get_object", S3Address("bucket", "a.jpg"))["Body"].read() == b"here"
    assert connection.requests == {"GetObject": 3}


def test_a_bucket_of_another_region_is_found_there(s3_stub: S3Stub) -> None:
    """botocore asks again in the region that the service names."""
    s3_stub.put("a.jpg", b"here")
    s3_stub.region = "eu-west-1"
    found = S3Connection(s3_stub.options).call("get_object", S3Address("bucket", "a.jpg"))
    assert found["Body"].read() == b"here"


def test_a_region_that_the_service_does_not_name_is_asked_for(s3_stub: S3Stub) -> None:
    s3_stub.put("a.jpg", b"here")
    s3_stub.region, s3_stub.region_told = "eu-west-1", False
    with pytest.raises(S3RegionError, match="another region than us-east-1; name its own with --region") as wrong:
        S3Connection(s3_stub.options).call("get_object", S3Address("bucket", "a.jpg"))
    assert wrong.value.exit_code == 2
    right = S3Connection(replace(s3_stub.options, region="eu-west-1"))
    assert right.call("get_object", S3Address("bucket", "a.jpg"))["Body"].read() == b"here"


def test_a_region_that_a_refused_signature_names_is_told() -> None:
    facts = {"Code": "AuthorizationHeaderMalformed", "Message": "expecting 'eu-west-1'", "Region": "eu-west-1"}
    error = ClientError({"Error": facts, "ResponseMetadata": {}}, "GetObject")
    meant = meaning_of(error, Asked("s3:GetObject", S3Address("bucket", "a.jpg"), "us-east-1"))
    assert isinstance(meant, S3RegionError)
    assert meant.region == "eu-west-1"
    assert "--region eu-west-1" in str(meant)


def test_a_body_that_breaks_is_a_broken_connection(s3_stub: S3Stub) -> None:
    s3_stub.put("a.jpg", bytes(100_000))
    s3_stub.cut("a.jpg", at=70_000)
    connection = S3Connection(s3_stub.options)
    address = S3Address("bucket", "a.jpg")
    with pytest.raises(S3NetworkError, match="broke"), meant_errors(connection.asked("get_object", address)):
        connection.call("get_object", address)["Body"].read()


def test_the_network_goes_and_returns(s3_stub: S3Stub) -> None:
    s3_stub.put("a.jpg", b"here")
    connection = S3Connection(s3_stub.options, attempts=1)
    address = S3Address("bucket", "a.jpg")
    connection.call("get_object", address)["Body"].read()
    s3_stub.leave()
    for _ in range(2):
        with pytest.raises(S3NetworkError) as away:
            connection.call("get_object", address)
    assert f"cannot be reached at 127.0.0.1:{s3_stub.port}" in str(away.value)
    s3_stub.come_back()
    assert connection.call("get_object", address)["Body"].read() == b"here"


def test_new_keys_in_the_file_are_used_once_the_old_ones_expired(
    s3_stub: S3Stub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "credentials"
    write_credentials(file, Keys("OLDKEY", "secret"), token="old")
    where = {"AWS_SHARED_CREDENTIALS_FILE": str(file), "AWS_DEFAULT_REGION": "us-east-1"}
    use_environment(monkeypatch, where)
    monkeypatch.setattr("atlas_rt.aws.s3_connection.RENEWAL_SECS", 0.0)
    s3_stub.put("a.jpg", b"here")
    connection, address = S3Connection(s3_stub.options), S3Address("bucket", "a.jpg")
    s3_stub.fail("ExpiredToken", times=2)
    with pytest.raises(S3ExpiredError, match="aws sso login"):
        connection.call("get_object", address)
    write_credentials(file, Keys("NEWKEY", "secret"), token="new")
    s3_stub.fail("ExpiredToken", times=1)
    assert connection.call("get_object", address)["Body"].read() == b"here"
    assert "NEWKEY" in s3_stub.seen[-1].headers["authorization"]


def test_keys_that_were_set_up_after_they_were_missed_are_used(
    s3_stub: S3Stub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "credentials"
    where = {"AWS_SHARED_CREDENTIALS_FILE": str(file), "AWS_CONFIG_FILE": os.devnull}
    use_environment(monkeypatch, where | {"AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true"})
    monkeypatch.setattr("atlas_rt.aws.s3_connection.RENEWAL_SECS", 0.0)
    s3_stub.put("a.jpg", b"here")
    connection, address = S3Connection(s3_stub.options), S3Address("bucket", "a.jpg")
    with pytest.raises(S3CredentialsError, match="aws configure"):
        connection.call("get_object", address)
    write_credentials(file, Keys("FIRSTKEY", "secret"))
    assert connection.call("get_object", address)["Body"].read() == b"here"
    write_credentials(file, Keys("OTHERKEY", "secret"))
    s3_stub.fail("InvalidAccessKeyId", times=1)
    assert connection.call("get_object", address)["Body"].read() == b"here"
    assert "OTHERKEY" in s3_stub.seen[-1].headers["authorization"]


def test_a_service_of_ones_own_is_asked_with_the_bucket_in_the_path(s3_stub: S3Stub) -> None:
    there = S3Connection(S3Options(endpoint_url="http://nas.example:9000")).client
    assert there.generate_presigned_url("get_object", Params={"Bucket": "b", "Key": "k"}).startswith(
        "http://nas.example:9000/b/k"
    )
    amazon = S3Connection(S3Options(region="eu-west-1")).client
    address = amazon.generate_presigned_url("get_object", Params={"Bucket": "b-b", "Key": "k"})
    assert address.startswith("https://b-b.s3.amazonaws.com/k")


def test_a_service_is_told_wherever_it_was_named(s3_stub: S3Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    assert S3Connection(S3Options(region="eu-west-1")).service == ""
    assert S3Connection(s3_stub.options).service == s3_stub.options.endpoint_url
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://nas.example:9000")
    assert S3Connection(S3Options()).service == "http://nas.example:9000"


def test_the_addresses_and_kinds_need_no_boto3() -> None:
    code = (
        "import sys, atlas_rt.core.s3_address, atlas_rt.core.s3_errors, atlas_rt.core.s3_options, "
        "atlas_rt.aws.s3_connection, atlas_rt.aws.s3_failures; "
        "print(*({'boto3', 'botocore', 'urllib3'} & sys.modules.keys()))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.split() == []
