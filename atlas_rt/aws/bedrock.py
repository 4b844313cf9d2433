"""Bedrock's Converse and ConverseStream: one request, one whole answer or one error with a sentence.

Endpoint, region, profile and keys come from boto3's own settings. An answer that comes in pieces counts only once
`messageStop` was seen: botocore ends a stream that was cut between two frames without a word.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlsplit

from atlas_rt.aws.bedrock_errors import (
    TRANSIENT,
    AccessError,
    Asked,
    BedrockError,
    BrokenAnswerError,
    DailyQuotaError,
    UnreachableError,
    Usage,
    client_error,
    cut_off,
    unreadable,
)
from atlas_rt.aws.iam import split_profile
from atlas_rt.aws.session import NO_REGION, check_credentials, open_session, region_of
from atlas_rt.aws.stoppable_call import Stop, never, stoppable

CONNECT_SECS = 10.0
READ_SECS = 60.0
"""Silence after which an answer is given up."""
CHECK_SECS = 5.0
PAUSES_SECS = (0.5, 2.0)
"""Between three tries. botocore's own retries are off: they also repeat what was billed and timed out, and they back
off from a quota that lasts until tomorrow."""

Request = Mapping[str, Any]
OnText = Callable[[str], None]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer. text: of all its text blocks. tool_input: what the model gave a tool, as JSON text, empty for
    none. stop_reason: why it ended, as Bedrock says it."""

    text: str
    tool_input: str
    stop_reason: str
    usage: Usage


class Bedrock:
    """One connection to Bedrock in one region. May be used by several threads."""

    def __init__(self, *, region: str = "", read_secs: float = READ_SECS) -> None:
        """region: where boto3's settings are not to decide. Contacts nothing; keys that must be refreshed excepted.

        Raises MissingError without boto3, AccessError without a region or credentials.
        """
        self._session = open_session()
        self.region = region_of(self._session, region)
        self.profile = str(self._session.profile_name)
        if not self.region:
            raise AccessError(NO_REGION)
        check_credentials(self._session)
        self._client = self._made("bedrock-runtime", read_secs)

    def converse(self, request: Request, *, stop: Stop = never) -> Reply:
        """Ask, and wait for the whole answer. Raises BedrockError, StoppedError."""
        asked = Asked(str(request["modelId"]), self.region)
        whole = stoppable(lambda: iter([self._tried(lambda: self._client.converse(**request), asked)]), stop)
        return _reply_of(next(whole))

    def stream(self, request: Request, *, on_text: OnText, stop: Stop = never) -> Reply:
        """Ask, and hand on the text, or the tool's input, piece by piece. Raises BedrockError, StoppedError."""
        asked = Asked(str(request["modelId"]), self.region, "bedrock:InvokeModelWithResponseStream")
        pieces = _Pieces(on_text)
        for event in stoppable(lambda: self._events(request, asked), stop):
            pieces.take(event)
        return pieces.reply()

    def check(self, model_id: str) -> str:
        """A sentence about a model that will end soon or is not listed, else empty.

        It stops nothing: the check may be denied where the model is not, and a region may offer a profile of a model
        that it does not list itself. The first request tells for certain, and costs nothing if it fails.
        """
        from botocore.exceptions import BotoCoreError, ClientError

        client = self._made("bedrock", CHECK_SECS)
        if _is_amazon(client) and not _is_amazon(self._client):
            return ""  # requests go to an endpoint of the person's own, and nothing else may be contacted
        prefix, bare = split_profile(model_id)
        listed = False
        try:
            if prefix:
                client.get_inference_profile(inferenceProfileIdentifier=model_id)
                listed = True
            found = client.get_foundation_model(modelIdentifier=bare)
            return _ending(model_id, found["modelDetails"]["modelLifecycle"])
        except ClientError as error:
            missing = error.response["Error"].get("Code") in {"ResourceNotFoundException", "ValidationException"}
            if missing and not listed:
                return f"Bedrock does not list {model_id} in {self.region}; it is tried all the same."
            return ""
        except (BotoCoreError, KeyError, TypeError, AttributeError, ValueError):
            return ""

    def _made(self, service: str, read_secs: float) -> Any:
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError

        config = Config(
            connect_timeout=min(CONNECT_SECS, read_secs), read_timeout=read_secs, retries={"total_max_attempts": 1}
        )
        try:
            return self._session.client(service, region_name=self.region, config=config)
        except (BotoCoreError, ValueError) as error:
            raise AccessError(f"The AWS settings cannot be used: {error}") from error

    def _events(self, request: Request, asked: Asked) -> Iterator[Mapping[str, Any]]:
        events = self._tried(lambda: self._client.converse_stream(**request), asked).get("stream")
        if events is None:
            raise unreadable()
        try:
            yield from events
        except Exception as error:
            meant = _meant(error, asked)
            meant.billed = True  # what had come by then
            raise meant from error
        finally:
            events.close()

    def _tried(self, call: Callable[[], T], asked: Asked) -> T:
        """The answer of a call, tried three times where another try may help. Raises BedrockError."""
        for pause_secs in (*PAUSES_SECS, None):
            try:
                return call()
            except Exception as error:
                meant = _meant(error, asked)
                if pause_secs is None or not _is_transient(error, meant):
                    raise meant from error
                time.sleep(pause_secs * random.uniform(0.5, 1.0))
        raise AssertionError("unreachable")


@dataclass(slots=True)
class _Pieces:
    """An answer that comes event by event."""

    on_text: OnText
    text: list[str] = field(default_factory=list)
    tool_input: list[str] = field(default_factory=list)
    stop_reason: str | None = None
    usage: Usage = field(default_factory=Usage)

    def take(self, event: Mapping[str, Any]) -> None:
        if "contentBlockDelta" in event:
            delta = event["contentBlockDelta"].get("delta", {})
            text, tool_input = str(delta.get("text", "")), str(delta.get("toolUse", {}).get("input", ""))
            self.text.append(text)
            self.tool_input.append(tool_input)
            if text or tool_input:
                self.on_text(text or tool_input)
        elif "messageStop" in event:
            self.stop_reason = str(event["messageStop"].get("stopReason", ""))
        elif "metadata" in event:
            self.usage = _usage_of(event["metadata"].get("usage"))

    def reply(self) -> Reply:
        if self.stop_reason is None:
            raise cut_off()
        return Reply("".join(self.text), "".join(self.tool_input), self.stop_reason, self.usage)


def _reply_of(response: Any) -> Reply:
    """Raises BrokenAnswerError for a response that holds no message: a 200 with an empty body gives {}."""
    import json

    try:
        blocks = response["output"]["message"]["content"]
        texts = [str(block["text"]) for block in blocks if "text" in block]
        tools = [json.dumps(block["toolUse"]["input"]) for block in blocks if "toolUse" in block]
        return Reply("".join(texts), "".join(tools[:1]), str(response["stopReason"]), _usage_of(response.get("usage")))
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise unreadable() from error


def _usage_of(facts: Any) -> Usage:
    """Tokens read from or written to a cache count as sent: too much rather than too little."""
    if not isinstance(facts, Mapping):
        return Usage()
    sent = sum(int(facts.get(name) or 0) for name in ("inputTokens", "cacheReadInputTokens", "cacheWriteInputTokens"))
    return Usage(sent, int(facts.get("outputTokens") or 0))


def _is_transient(error: Exception, meant: BedrockError) -> bool:
    from botocore.exceptions import ClientError, ConnectTimeoutError, EndpointConnectionError

    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        transient = status >= 500 or error.response["Error"].get("Code") in TRANSIENT
        return transient and not isinstance(meant, DailyQuotaError)
    return isinstance(error, ConnectTimeoutError | EndpointConnectionError)


def _meant(error: Exception, asked: Asked) -> BedrockError:
    """The error that a person is told, for whatever botocore and urllib3 raise."""
    from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

    if isinstance(error, BedrockError):
        return error
    if isinstance(error, ClientError):  # EventStreamError too
        return client_error(error, asked)
    if (lost := _connection_error(error, asked)) is not None:
        return lost
    if isinstance(error, ParamValidationError):
        return AccessError("This version of boto3 is too old; update it with `pip install --upgrade boto3`.")
    if isinstance(error, BotoCoreError):
        return AccessError(f"The AWS settings cannot be used: {error}")
    return unreadable()


def _connection_error(error: Exception, asked: Asked) -> BedrockError | None:
    """What an error of the connection means, None for any other."""
    from botocore import exceptions as botocore
    from botocore.eventstream import ParserError
    from urllib3 import exceptions as urllib3

    if isinstance(error, botocore.ReadTimeoutError | urllib3.ReadTimeoutError):
        return BrokenAnswerError("Claude did not answer for a minute. Try again later.")
    if isinstance(error, ParserError | urllib3.HTTPError | botocore.ConnectionClosedError):
        return cut_off()
    if isinstance(error, botocore.SSLError):
        return UnreachableError(f"The connection to Bedrock is not safe: {error} Check AWS_CA_BUNDLE and the clock.")
    if isinstance(error, botocore.HTTPClientError | botocore.ConnectionError):
        return UnreachableError(
            f"Bedrock in {asked.region} cannot be reached. Check the network, the region and the proxy. ({error})"
        )
    return None


def _is_amazon(client: Any) -> bool:
    host = urlsplit(client.meta.endpoint_url).hostname or ""
    return host.endswith((".amazonaws.com", ".amazonaws.com.cn", ".api.aws"))


def _ending(model_id: str, facts: Mapping[str, Any]) -> str:
    if facts.get("status") != "LEGACY":
        return ""
    ends = facts.get("endOfLifeTime")
    when = f" and ends on {ends:%d %B %Y}" if hasattr(ends, "strftime") else ""
    return f"{model_id} is an old model{when}; choose a newer one with --narrator-model."
