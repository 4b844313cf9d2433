"""A structured answer from any of Claude's models, by the strictest way of asking that the model takes.

The ways, from the strictest: a JSON schema for the whole answer; a tool that must be used; the same tool, offered, with
a sentence that asks for it; plain text with one JSON object. Newer models refuse a forced tool, older ones the schema,
and no list of who takes what stays true. So a 400 steps one way down, and the way that was answered is remembered for
the model (`model_memory`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from atlas_rt.aws.bedrock import Bedrock, OnText, Reply
from atlas_rt.aws.bedrock_errors import (
    BrokenAnswerError,
    DailyQuotaError,
    RefusedAnswerError,
    RequestRefusedError,
    Usage,
)
from atlas_rt.aws.claude_models import model_of
from atlas_rt.aws.model_memory import ModelMemory
from atlas_rt.aws.stoppable_call import Stop, never

WAYS = ("schema", "forced tool", "tool", "text")
REFUSED = {"content_filtered", "guardrail_intervened", "refusal"}
"""Stop reasons of an answer that Claude, or a guardrail, does not want to give; HTTP says 200."""
CUT = {"max_tokens", "model_context_window_exceeded"}
MALFORMED = {"malformed_model_output", "malformed_tool_use"}


@dataclass(frozen=True, slots=True)
class Question:
    """One request. pictures: JPEG files, at most 20; they stand before the text. schema: of the answer, an object;
    name, says: of that form. output_tokens: room for the answer and for what a model thinks before it."""

    model_id: str
    system: str
    pictures: tuple[bytes, ...]
    text: str
    schema: Mapping[str, Any]
    name: str
    says: str
    output_tokens: int = 2000


@dataclass(frozen=True, slots=True)
class Answered:
    """facts: the JSON object of the answer, not checked against the schema."""

    facts: dict[str, Any]
    usage: Usage


class AnswerLadder:
    """Asks, and remembers for each model which way it takes. May be used by several threads."""

    def __init__(self, bedrock: Bedrock, memory: ModelMemory | None = None) -> None:
        """memory: what is known of models from elsewhere; without it only what this ladder finds out."""
        self._bedrock = bedrock
        self._memory = ModelMemory() if memory is None else memory

    def way_of(self, model_id: str) -> str:
        """The way that this model is asked next."""
        way = self._memory.way_of(model_id)
        return way if way in WAYS else WAYS[0]

    def check_quota(self, model_id: str) -> None:
        """Raise DailyQuotaError where the day's tokens are used up, as far as is known; nothing is sent."""
        if sentence := self._memory.used_up(self._quota_of(model_id)):
            raise DailyQuotaError(sentence)

    def ask(self, question: Question, *, on_text: OnText | None = None, stop: Stop = never) -> Answered:
        """on_text: hears the pieces of the answer; without it, it comes at once. Raises BedrockError, StoppedError.

        After a DailyQuotaError nothing is sent until tomorrow.
        """
        self.check_quota(question.model_id)
        refused: RequestRefusedError | None = None
        for way in self._ways(question.model_id):
            try:
                reply = self._reply(request_of(question, way), on_text, stop)
            except RequestRefusedError as error:
                refused = error
            except DailyQuotaError as error:
                self._memory.remember_used_up(self._quota_of(question.model_id), str(error))
                raise
            else:
                self._memory.remember_way(question.model_id, way)
                return _answered(reply)
        assert refused is not None
        raise refused

    def _ways(self, model_id: str) -> list[str]:
        """From the one that the model took last down, then those above it: a model may change its mind."""
        at = WAYS.index(self.way_of(model_id))
        forces = model_of(model_id).forces_tools
        return [way for way in (*WAYS[at:], *WAYS[:at]) if forces or way != "forced tool"]

    def _quota_of(self, model_id: str) -> str:
        return f"{model_id} in {self._bedrock.region} as {self._bedrock.profile}"

    def _reply(self, request: dict[str, Any], on_text: OnText | None, stop: Stop) -> Reply:
        if on_text is None:
            return self._bedrock.converse(request, stop=stop)
        return self._bedrock.stream(request, on_text=on_text, stop=stop)


def request_of(question: Question, way: str) -> dict[str, Any]:
    """Converse's parameters. No sampling parameters and no beginning of the answer: newer models refuse both."""
    model = model_of(question.model_id)
    text, schema = question.text, dict(question.schema)
    extra: dict[str, Any] = {}
    output: dict[str, Any] = {}
    if way == "schema":
        form = {"name": question.name, "description": question.says, "schema": json.dumps(schema)}
        output["textFormat"] = {"type": "json_schema", "structure": {"jsonSchema": form}}
    elif way == "text":
        text += f"\n\nAnswer with one JSON object and nothing else, of this schema:\n{json.dumps(schema)}"
    else:
        spec = {"name": question.name, "description": question.says, "inputSchema": {"json": schema}}
        extra["toolConfig"] = {"tools": [{"toolSpec": spec}]}
        if way == "forced tool":
            extra["toolConfig"]["toolChoice"] = {"tool": {"name": question.name}}
        else:
            text += f"\n\nGive your answer by using the tool {question.name}, once."
    if way != "text":  # the last way has nothing that a model could refuse
        if model.effort:
            output["effort"] = "low"
        if model.thinking_off:
            extra["additionalModelRequestFields"] = {"thinking": {"type": "disabled"}}
    if output:
        extra["outputConfig"] = output
    pictures = [{"image": {"format": "jpeg", "source": {"bytes": each}}} for each in question.pictures]
    return {
        "modelId": question.model_id,
        "system": [{"text": question.system}],
        "messages": [{"role": "user", "content": [*pictures, {"text": text}]}],
        "inferenceConfig": {"maxTokens": question.output_tokens},
        **extra,
    }


def _answered(reply: Reply) -> Answered:
    """Raises RefusedAnswerError and BrokenAnswerError with what the answer cost."""
    if reply.stop_reason in REFUSED:
        raise RefusedAnswerError("Claude does not want to describe these pictures.", usage=reply.usage)
    if reply.stop_reason in CUT:
        raise BrokenAnswerError("Claude's answer was longer than it may be.", usage=reply.usage)
    facts = None if reply.stop_reason in MALFORMED else _object_in(reply.tool_input or reply.text)
    if facts is None:
        raise BrokenAnswerError("Claude's answer is not in the form that was asked for.", usage=reply.usage)
    return Answered(facts, reply.usage)


def _object_in(text: str) -> dict[str, Any] | None:
    """The first JSON object in a text, which may stand in other words; None where there is none."""
    at = text.find("{")
    while at >= 0:
        try:
            found, _ = json.JSONDecoder().raw_decode(text, at)
        except (ValueError, RecursionError):
            at = text.find("{", at + 1)
            continue
        return found if isinstance(found, dict) else None
    return None
