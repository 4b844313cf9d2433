"""What goes wrong with Bedrock, as one sentence each with what to do.

MissingError
└── BedrockError
    ├── AccessError           no credentials, no permission, no such model: a person must act first
    ├── ThrottledError        too many requests at the moment, also after three tries
    │   └── DailyQuotaError   nothing more today
    ├── UnreachableError      no connection
    ├── RequestRefusedError   a 400 that may mean that the model does not know this way of asking
    ├── RefusedAnswerError    Claude refused; asking again gives the same
    └── BrokenAnswerError     an answer that was cut off or cannot be read
StoppedError                  the person stopped it
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from atlas_rt.aws.iam import account_in, policy_of
from atlas_rt.errors import AtlasError, MissingError


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one request: what was sent, and what came back with the model's thinking."""

    input_tokens: int = 0
    output_tokens: int = 0


class BedrockError(MissingError):
    """usage: what the failed request cost, None where Bedrock did not say."""

    ends_all = True
    """Whether the next request would fail in the same way."""
    billed = False
    """Whether the request may have cost something all the same."""

    def __init__(self, sentence: str, *, usage: Usage | None = None) -> None:
        super().__init__(sentence)
        self.usage = usage


class AccessError(BedrockError):
    """A person must act before anything can work: credentials, permission, model."""


class ThrottledError(BedrockError):
    """Too many requests or tokens a minute, or Bedrock is overloaded; also after the last try."""


class DailyQuotaError(ThrottledError):
    """The day's tokens are used up."""


class UnreachableError(BedrockError):
    """No connection, or no answer in time."""


class RequestRefusedError(BedrockError):
    """A 400 that may mean that the model does not know this way of asking."""


class RefusedAnswerError(BedrockError):
    """Claude refused. The same request is refused again, so nobody repeats it."""

    ends_all, billed = False, True


class BrokenAnswerError(BedrockError):
    """The answer was cut off, or is not what was asked for."""

    ends_all, billed = False, True


class StoppedError(AtlasError):
    """The person stopped the answer."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request was, for the sentence about its failure. action: the permission it needs."""

    model_id: str
    region: str
    action: str = "bedrock:InvokeModel"


TRANSIENT = {
    "ThrottlingException",
    "ModelNotReadyException",
    "ServiceUnavailableException",
    "InternalServerException",
    "ModelTimeoutException",
}
"""Codes after which the same request may succeed."""
_EXPIRED = {"ExpiredTokenException", "ExpiredToken", "RequestExpired"}
_UNKNOWN_KEYS = {
    "UnrecognizedClientException",
    "InvalidSignatureException",
    "InvalidClientTokenId",
    "SignatureDoesNotMatch",
}
_GONE = "Choose another model with --narrator-model."

_TEXTS: tuple[tuple[str, type[BedrockError], str], ...] = (
    (
        r"on-demand throughput isn.t supported",
        AccessError,
        "Bedrock offers {model} only through an inference profile. Put the geography before its name, for example "
        "--narrator-model {geography}.{bare}.",
    ),
    (
        r"provided model identifier is invalid",
        AccessError,
        "Bedrock knows no model {model} in {region}. Check the name and its prefix (us., eu., jp., au., global.), "
        "choose another with --narrator-model, or another region with --narrator-region.",
    ),
    (r"end of its life", AccessError, "{model} has reached the end of its life. " + _GONE),
    (
        r"marked by provider as Legacy",
        AccessError,
        "{model} is an old model, and this account has not used it lately, so Bedrock no longer offers it. " + _GONE,
    ),
    (
        r"use case details have not been submitted",
        AccessError,
        "Anthropic wants to know once for each account what Claude is used for. Open the model catalog of the Bedrock "
        "console in {region}, fill in the use case form of {model}, and try again after 15 minutes.",
    ),
    (
        r"aws-marketplace:",
        AccessError,
        "{model} is not enabled in this account yet. Somebody with the permissions aws-marketplace:Subscribe and "
        "aws-marketplace:ViewSubscriptions must use it once; if that has just been done, try again in two minutes.",
    ),
    (
        r"data retention mode",
        AccessError,
        "{model} is only for accounts that let Anthropic keep the data for a while, and this one does not. Choose "
        "another model with --narrator-model, or change the data retention mode of the account.",
    ),
    (
        r"[Tt]oo many tokens per day",
        DailyQuotaError,
        "The tokens that this account may use in a day with {model} are used up. Go on tomorrow, or ask for a higher "
        "quota in the Service Quotas console of {region}.",
    ),
)
"""Pattern in Bedrock's message -> the error, and its sentence."""


def client_error(error: Any, asked: Asked) -> BedrockError:
    """What an error that Bedrock answered with means. error: botocore's ClientError, or EventStreamError."""
    facts = error.response.get("Error", {}) if isinstance(error.response, dict) else {}
    code, said = str(facts.get("Code", "")), str(facts.get("Message", "") or error)
    return said_error(code[:1].upper() + code[1:], said, asked)  # streams write codes with a small first letter


def said_error(code: str, said: str, asked: Asked) -> BedrockError:
    """What Bedrock's error code and message mean."""
    bare = asked.model_id.rpartition("/")[2]
    words = {"model": asked.model_id, "bare": bare, "region": asked.region, "geography": geography_of(asked.region)}
    for pattern, kind, sentence in _TEXTS:
        if re.search(pattern, said):
            return kind(sentence.format(**words))
    return _by_code(code, said, asked)


def _by_code(code: str, said: str, asked: Asked) -> BedrockError:
    """The meaning of a code whose message is none of the known ones."""
    where = f"{asked.model_id} in {asked.region}"
    if code in _EXPIRED:
        return AccessError("The AWS credentials have expired. Sign in again, for example with `aws sso login`.")
    if code in _UNKNOWN_KEYS:
        return AccessError(
            f"AWS does not accept these credentials ({said}). Check the profile and its keys with `aws sts "
            "get-caller-identity`, and the clock of this computer."
        )
    if "AccessDenied" in code:
        return AccessError(_denied(said, asked))
    if code == "ResourceNotFoundException":
        return AccessError(f"Bedrock has no model {where}: {said} {_GONE}")
    if code == "ValidationException":
        return RequestRefusedError(f"Bedrock refused the request to {where}: {said} {_GONE}")
    if code in TRANSIENT or code.isdecimal():
        return ThrottledError(
            f"Bedrock takes no more requests for {where} at the moment ({said}). Try again in a few minutes; all "
            "answers are kept."
        )
    return BrokenAnswerError(f"Bedrock answered {where} with an error: {code or 'unknown'}: {said}")


def unreadable() -> BrokenAnswerError:
    """HTTP said 200, and the body is no message."""
    return BrokenAnswerError("Bedrock answered with something that is no answer of Claude. Try again later.")


def cut_off() -> BrokenAnswerError:
    """The stream ended before `messageStop`, in whatever way."""
    return BrokenAnswerError("Claude's answer was cut off on its way. Try again.")


def geography_of(region: str) -> str:
    """The prefix of inference profiles that keep requests near a region; `global` where there is none of its own."""
    if region.startswith(("us-gov-", "us-iso")):
        return "global"
    places = {"us-": "us", "eu-": "eu", "ap-northeast-1": "jp", "ap-northeast-3": "jp"}
    places |= {"ap-southeast-2": "au", "ap-southeast-4": "au"}
    return next((prefix for start, prefix in places.items() if region.startswith(start)), "global")


def _denied(said: str, asked: Asked) -> str:
    statement = policy_of(asked.model_id, asked.region, account=account_in(said), actions=(asked.action,))
    return (
        f"These AWS credentials may not use {asked.model_id} in {asked.region} ({asked.action} is denied). Ask the "
        f"administrator of the account to allow it with this policy:\n{statement}"
    )
