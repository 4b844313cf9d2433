"""The policy that allows a model of Bedrock, and nothing else.

There is no action for Converse: it needs `bedrock:InvokeModel`, ConverseStream
`bedrock:InvokeModelWithResponseStream`. Through an inference profile both the profile and the model behind it must be
allowed, the model only by way of the profile; a global profile also needs the model's ARN without a region.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

UNKNOWN_ACCOUNT = "ACCOUNT"
"""Stands for the account's number where nothing named it."""
PREFIXES = ("us", "eu", "jp", "au", "apac", "global")
"""Geographies of inference profiles."""


def account_in(text: str) -> str:
    """The account's number in a message of AWS, "ACCOUNT" where it names none."""
    found = re.search(r"arn:aws[\w-]*:[\w-]*:[\w-]*:(\d{12})", text)
    return found[1] if found else UNKNOWN_ACCOUNT


def split_profile(model_id: str) -> tuple[str, str]:
    """Prefix of the profile, empty for none, and the id of the model itself: ("us", "anthropic.claude-x")."""
    name = model_id.rpartition("/")[2]
    prefix, _, rest = name.partition(".")
    return (prefix, rest) if prefix in PREFIXES else ("", name)


def policy_of(model_id: str, region: str, *, account: str, actions: Sequence[str]) -> str:
    """The policy as JSON, indented."""
    allow: dict[str, Any] = {"Effect": "Allow", "Action": list(actions)}
    prefix, bare = split_profile(model_id)
    given = model_id.startswith("arn:")
    partition = "aws-cn" if region.startswith("cn-") else "aws-us-gov" if region.startswith("us-gov-") else "aws"
    model = f"foundation-model/{bare}"
    project = f"arn:{partition}:bedrock:{region}:{account}:project/default"
    if not prefix:
        own = model_id if given else f"arn:{partition}:bedrock:{region}::{model}"
        return _document([allow | {"Resource": [own, project]}])
    profile = model_id if given else f"arn:{partition}:bedrock:{region}:{account}:inference-profile/{model_id}"
    through = {"bedrock:InferenceProfileArn": profile}
    if prefix != "global":
        behind = {"Resource": f"arn:{partition}:bedrock:*::{model}", "Condition": {"StringEquals": through}}
        return _document([allow | {"Resource": [profile, project]}, allow | behind])
    here, anywhere = {"aws:RequestedRegion": region}, {"aws:RequestedRegion": "unspecified"}
    return _document(
        [
            allow | {"Resource": [profile, project], "Condition": {"StringEquals": here}},
            allow
            | {
                "Resource": f"arn:{partition}:bedrock:{region}::{model}",
                "Condition": {"StringEquals": here | through},
            },
            allow
            | {"Resource": f"arn:{partition}:bedrock:::{model}", "Condition": {"StringEquals": anywhere | through}},
        ]
    )


def _document(statements: list[dict[str, Any]]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, indent=2)
