"""Commands on images in S3."""

from __future__ import annotations

from typing import Any

import pytest

from tests.commands.person import Person
from tests.libraries import PICTURES
from tests.s3_server import S3Server, use_environment


def told(person: Person, *words: str) -> Any:
    """The JSON document of a command."""
    return person.ask(*words, "--json").document


ODD = "a b//ü?#.webp"


def test_a_bucket_is_a_library_like_others(person: Person, s3: S3Server) -> None:
    bodies = [each.read_bytes() for each in PICTURES[:4]]
    keys = [f"photos/{PICTURES[0].name}", f"photos/{PICTURES[1].name}", f"photos/{ODD}"]
    bucket = s3.bucket(objects=dict(zip(keys, bodies, strict=False)))
    source, odd = f"s3://{bucket}/photos", f"s3://{bucket}/photos/{ODD}"
    report = told(person, "index", source, "--endpoint-url", s3.url)
    assert (report["images"], report["archived"], report["requests"]["get"]) == (3, 0, 3)
    as_it_is = ("--no-update", "--endpoint-url", s3.url)
    assert told(person, "info", source, odd, *as_it_is)["path"] == odd
    assert {each["path"] for each in told(person, "neighbors", source, odd, *as_it_is)["results"]} == {
        f"s3://{bucket}/{key}" for key in keys[:2]
    }
    s3.client.put_object(Bucket=bucket, Key="other.webp", Body=bodies[3])
    (located,) = told(person, "locate", source, f"s3://{bucket}/other.webp", *as_it_is)
    assert located["path"] == f"s3://{bucket}/other.webp"
    found = told(person, "search", source + "/", "--image", odd, "--top", "1", *as_it_is)
    assert found["results"][0]["path"] == odd
    pictures = f"s3://{bucket}/pictures"
    assert told(person, "library", "move", source, pictures)["moved"] == [{"from": [source], "to": [pictures]}]
    assert told(person, "library", "list")[0]["sources"] == [pictures]
    assert told(person, "library", "forget", pictures + "/")["forgotten"] == [[pictures]]


def test_what_is_wrong_is_said_in_one_line(person: Person, s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = person.ask("index", "s3://not-there/x", "--endpoint-url", s3.url)
    assert (answer.code, answer.err.count("There is no bucket of this name: not-there")) == (2, 1)
    bucket = s3.bucket()
    answer = person.ask("index", f"s3://{bucket}/nothing", "--endpoint-url", s3.url)
    assert answer.code == 2
    assert "there are no images here" in answer.refusal
    use_environment(monkeypatch, {})
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    answer = person.ask("index", f"s3://{bucket}", "--endpoint-url", s3.url)
    assert (answer.code, answer.err.count("No AWS credentials were found")) == (3, 1)
