"""Events of S3 in every wrapping, and what is none."""

from __future__ import annotations

import json
from typing import Any

import pytest

from atlas_rt.aws.s3_events import NewObject, UnknownEventError, newest, objects_in
from atlas_rt.core.s3_address import S3Address
from tests.aws.lambda_stack import s3_event

PLAIN = s3_event("b", "images/a+cat+%26+d%C3%B8g%2B.jpg", size=7, sequencer="0055")
FOUND = [NewObject(S3Address("b", "images/a cat & døg+.jpg"), 7, "0055")]
DETAIL = {"bucket": {"name": "b"}, "object": {"key": "images/a+b%20c.jpg", "size": 7, "etag": "x", "sequencer": "01"}}
BRIDGE = {"source": "aws.s3", "detail-type": "Object Created", "detail": DETAIL}


def notification(message: Any) -> dict[str, Any]:
    return {"Type": "Notification", "MessageId": "1", "Message": json.dumps(message)}


@pytest.mark.parametrize(
    "event",
    [PLAIN, notification(PLAIN), notification(notification(PLAIN)), {"Records": [{"Sns": notification(PLAIN)}]}],
)
def test_a_key_is_decoded_as_in_a_form_whatever_it_is_wrapped_in(event: Any) -> None:
    assert objects_in(json.dumps(event)) == FOUND


def test_a_key_of_event_bridge_stands_as_it_is() -> None:
    assert objects_in(json.dumps(BRIDGE)) == [NewObject(S3Address("b", "images/a+b%20c.jpg"), 7, "01")]


@pytest.mark.parametrize(
    "key", ["images//a.jpg", "images/../a.jpg", "/images/a.jpg", "images/a%0Ab.jpg", "images/" + "x" * 1017]
)
def test_odd_keys_stay_as_they_are(key: str) -> None:
    (found,) = objects_in(json.dumps(s3_event("b", key)))
    assert found.address.key == key.replace("%0A", "\n")


@pytest.mark.parametrize(
    "event",
    [
        {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "b"},
        notification({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "b"}),
        s3_event("b", "images/a.jpg", name="ObjectRemoved:Delete"),
        BRIDGE | {"detail-type": "Object Deleted"},
    ],
)
def test_what_tells_of_no_new_object(event: Any) -> None:
    assert objects_in(json.dumps(event)) == []


@pytest.mark.parametrize(
    "body",
    [
        "",
        "no json",
        "[]",
        "null",
        "{}",
        '{"Records": []}',
        '{"Records": [{}]}',
        '{"Records": ["x"]}',
        '{"Records": [{"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": "b"}, "object": {"key": ""}}}]}',
        '{"Records": [{"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": "b"}, "object": {"key": "%ff"}}}]}',
        '{"Records": [{"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": "b"}, "object": {"key": 5}}}]}',
        json.dumps(BRIDGE | {"detail": {"bucket": {"name": "b"}, "object": {"key": "\ud800"}}}),
        json.dumps(BRIDGE | {"detail-type": ["x"]}),
        json.dumps(s3_event("b", "a", name="ObjectSung:Aloud")),
        json.dumps(BRIDGE | {"detail-type": "Object Sung"}),
        json.dumps(BRIDGE | {"detail": 3}),
        json.dumps({"Type": "SubscriptionConfirmation", "Message": "you are subscribed"}),
        json.dumps(notification(notification(notification(notification(notification(PLAIN)))))),
        "[" * 100_000,
    ],
)
def test_anything_else_is_an_error_and_never_nothing(body: str) -> None:
    with pytest.raises(UnknownEventError):
        objects_in(body)


def test_of_several_events_of_a_key_the_last_counts_whatever_their_order() -> None:
    def new(size: int, sequencer: str) -> NewObject:
        return NewObject(S3Address("b", "k"), size, sequencer)

    # The shorter sequencer is filled up at its right.
    assert newest([new(1, "00A1"), new(2, "00A2"), new(3, "00A")])[S3Address("b", "k")].size == 2
    assert newest([new(2, "00B"), new(1, "00A9")])[S3Address("b", "k")].size == 2


@pytest.mark.parametrize("size", [-5, 10**40, "7", None])
def test_a_size_that_is_none_is_not_told(size: object) -> None:
    """A shard could not hold it, and the whole batch would come again."""
    told = BRIDGE | {"detail": {"bucket": {"name": "b"}, "object": {"key": "a.jpg", "size": size}}}
    assert [each.size for each in objects_in(json.dumps(told))] == [-1]
