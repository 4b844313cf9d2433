"""What the template makes, as far as moto can: a bucket that tells a queue of new objects, and a role."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import boto3

from tests.s3_server import REGION, Keys, S3Server

INPUT, OUTPUT = "images/", "shards/"


@dataclass(slots=True)
class Stack:
    """keys: may do what the role of the template's function may."""

    server: S3Server
    bucket: str
    queue: str
    keys: Keys
    taken: dict[str, str] = field(default_factory=dict)
    """Message id -> what deletes it."""

    @classmethod
    def make(cls, server: S3Server) -> Stack:
        bucket = server.bucket()
        sqs = _sqs(server)
        queue = sqs.create_queue(QueueName=f"queue-{bucket}", Attributes={"VisibilityTimeout": "60"})["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        heard = {
            "QueueArn": arn,
            "Events": ["s3:ObjectCreated:*"],
            "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": INPUT}]}},
        }
        server.client.put_bucket_notification_configuration(
            Bucket=bucket, NotificationConfiguration={"QueueConfigurations": [heard]}
        )
        return cls(server, bucket, queue, server.user(role_of(bucket)))

    @property
    def variables(self) -> dict[str, str]:
        """The function's environment."""
        return self.server.environment(self.keys) | {
            "ATLAS_RT_BUCKET": self.bucket,
            "ATLAS_RT_INPUT_PREFIX": INPUT,
            "ATLAS_RT_OUTPUT_PREFIX": OUTPUT,
        }

    def batch(self) -> dict[str, Any]:
        """All messages that wait, as Lambda hands them to a function."""
        records: list[dict[str, Any]] = []
        while found := _sqs(self.server).receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages"):
            records += [
                {"messageId": each["MessageId"], "body": each["Body"], "eventSource": "aws:sqs"} for each in found
            ]
            self.taken |= {each["MessageId"]: each["ReceiptHandle"] for each in found}
        return {"Records": records}

    def settle(self, batch: dict[str, Any], answer: dict[str, Any]) -> None:
        """Delete the messages that were done, as Lambda does; the others can be received again at once."""
        failed = set(again(answer))
        for record in batch["Records"]:
            words = {"QueueUrl": self.queue, "ReceiptHandle": self.taken[record["messageId"]]}
            if record["messageId"] in failed:
                _sqs(self.server).change_message_visibility(VisibilityTimeout=0, **words)
            else:
                _sqs(self.server).delete_message(**words)

    def shards(self) -> dict[str, bytes]:
        """Key -> bytes."""
        listed = self.server.client.list_objects_v2(Bucket=self.bucket, Prefix=OUTPUT).get("Contents", [])
        return {
            each["Key"]: self.server.client.get_object(Bucket=self.bucket, Key=each["Key"])["Body"].read()
            for each in listed
        }


def role_of(bucket: str) -> dict[str, Any]:
    """What the template's role allows of S3."""
    arn = f"arn:aws:s3:::{bucket}"
    allowed = (
        ("s3:GetObject", f"{arn}/{INPUT}*"),
        ("s3:PutObject", f"{arn}/{OUTPUT}*"),
        ("s3:ListBucket", arn),
    )
    statements = [{"Effect": "Allow", "Action": action, "Resource": resource} for action, resource in allowed]
    return {"Version": "2012-10-17", "Statement": statements}


def messages(*bodies: Any) -> dict[str, Any]:
    """A batch of messages with these bodies, called m0, m1, ..."""
    texts = [body if isinstance(body, str) else json.dumps(body) for body in bodies]
    return {
        "Records": [{"messageId": f"m{at}", "body": text, "eventSource": "aws:sqs"} for at, text in enumerate(texts)]
    }


def s3_event(bucket: str, *keys: str, size: int = 100, sequencer: str = "0A", name: str = "ObjectCreated:Put") -> Any:
    """An event as S3 sends it; keys are given as they stand in it, encoded."""
    return {
        "Records": [
            {
                "eventSource": "aws:s3",
                "eventName": name,
                "s3": {"bucket": {"name": bucket}, "object": {"key": key, "size": size, "sequencer": sequencer}},
            }
            for key in keys
        ]
    }


def again(answer: dict[str, Any]) -> Sequence[str]:
    return [each["itemIdentifier"] for each in answer["batchItemFailures"]]


def _sqs(server: S3Server) -> Any:
    session = boto3.session.Session(server.admin.key, server.admin.secret, region_name=REGION)
    return session.client("sqs", endpoint_url=server.url)
