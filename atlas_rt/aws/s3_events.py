"""What S3 tells of new objects, in any of the wrappings in which it comes through a queue.

    S3 -> SQS                   {"Records": [{"s3": ...}]}         the key is encoded as in a form: + for a space
    S3 -> SNS -> SQS            {"Type": "Notification", "Message": "<the same as text>"}
    S3 -> EventBridge -> SQS    {"detail-type": "Object Created", "detail": ...}     the key stands as it is
    S3, when it is set up       {"Event": "s3:TestEvent"}          of no object

What is none of these is an error and not an empty list: an event that is taken for nothing is lost.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

from atlas_rt.core.s3_address import S3Address
from atlas_rt.errors import AtlasError

WRAPPINGS_MAX = 4
"""More of them around one event is no message that AWS sends."""
_SIZE_MAX = 2**53
"""Bytes; more is no object's size."""
_NEW = ("ObjectCreated:", "ObjectRestore:Completed")
_OTHER = ("ObjectRemoved:", "ObjectRestore:", "ObjectTagging:", "ObjectAcl:", "LifecycleExpiration:", "Replication:")


class UnknownEventError(AtlasError):
    """A message that is no event of S3 as we know them."""


@dataclass(frozen=True, slots=True)
class NewObject:
    """An object that was written. size: in bytes, -1 where it was not told. sequencer: grows with time, for one key."""

    address: S3Address
    size: int = -1
    sequencer: str = ""


def objects_in(body: str) -> list[NewObject]:
    """The new objects that a message tells of; none for a test event, and for objects that were removed or restored.

    Raises UnknownEventError.
    """
    return _objects(body, WRAPPINGS_MAX)


def newest(objects: Iterable[NewObject]) -> dict[S3Address, NewObject]:
    """One of each address, the last that was written. S3 repeats events and does not keep their order."""
    found: dict[S3Address, NewObject] = {}
    for each in objects:
        known = found.get(each.address)
        if known is None or _is_later(each.sequencer, known.sequencer):
            found[each.address] = each
    return found


def _is_later(first: str, second: str) -> bool:
    """Sequencers are hexadecimal; the shorter one is filled up with zeros at its right."""
    length = max(len(first), len(second))
    return first.lower().ljust(length, "0") >= second.lower().ljust(length, "0")


def _objects(body: Any, wrappings: int) -> list[NewObject]:
    message = _parsed(body)
    if wrappings == 0:
        raise UnknownEventError("The message is wrapped too many times.")
    if message.get("Event") == "s3:TestEvent":
        return []
    if "Records" in message and isinstance(message["Records"], list) and message["Records"]:
        return [each for record in message["Records"] for each in _of_record(record, wrappings)]
    if message.get("Type") == "Notification" and "Message" in message:
        return _objects(message["Message"], wrappings - 1)
    if message.get("source") == "aws.s3" and "detail" in message:
        return _of_event_bridge(message)
    known = ", ".join(sorted(map(str, message))[:8]) or "nothing"
    raise UnknownEventError(f"The message is no event of S3; it holds {known}.")


def _parsed(body: Any) -> Mapping[str, Any]:
    try:
        message = json.loads(body) if isinstance(body, str) else body
    except (ValueError, RecursionError) as error:
        raise UnknownEventError(f"The message is no JSON ({error}).") from error
    if not isinstance(message, dict):
        raise UnknownEventError(f"The message is no JSON object but a {type(message).__name__}.")
    return message


def _of_record(record: Any, wrappings: int) -> list[NewObject]:
    if isinstance(record, dict) and isinstance(record.get("Sns"), dict):
        return _objects(record["Sns"].get("Message"), wrappings - 1)
    try:
        name, bucket, facts = str(record["eventName"]), record["s3"]["bucket"]["name"], record["s3"]["object"]
        if _is_new(name):
            key = unquote_plus(facts["key"], errors="strict")
            return [_object(bucket, key, facts)]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UnknownEventError(f"A record of the message is no event of S3 ({error!r}).") from error
    return []


def _is_new(name: str) -> bool:
    """Raises ValueError for a name that is not known: better an alarm than an object that nobody embeds."""
    bare = name.removeprefix("s3:")
    if bare.startswith(_NEW):
        return True
    if bare.startswith(_OTHER):
        return False
    raise ValueError(f"unknown kind of event: {name}")


def _of_event_bridge(message: Mapping[str, Any]) -> list[NewObject]:
    kind = str(message.get("detail-type"))
    if kind in {"Object Deleted", "Object Restore Initiated", "Object Tags Added", "Object Tags Deleted"}:
        return []
    try:
        if kind not in {"Object Created", "Object Restore Completed"}:
            raise ValueError(f"unknown kind of event: {kind}")
        facts = message["detail"]["object"]
        return [_object(message["detail"]["bucket"]["name"], facts["key"], facts)]
    except (KeyError, TypeError, ValueError) as error:
        raise UnknownEventError(f"The message is no event of S3 ({error!r}).") from error


def _object(bucket: Any, key: Any, facts: Mapping[str, Any]) -> NewObject:
    """Raises ValueError where a name is missing, or is no text."""
    if not (isinstance(bucket, str) and bucket and isinstance(key, str) and key):
        raise ValueError("no bucket or no key")
    key.encode()  # half a surrogate is refused by this
    size = facts.get("size")
    size = size if isinstance(size, int) and 0 <= size <= _SIZE_MAX else -1
    return NewObject(S3Address(bucket, key), size, str(facts.get("sequencer") or ""))
