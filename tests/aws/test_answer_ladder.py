"""Structured answers: the strictest way a model takes is found by its refusals, and remembered."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from atlas_rt.aws.answer_ladder import AnswerLadder, Question
from atlas_rt.aws.bedrock_errors import BrokenAnswerError, RefusedAnswerError, RequestRefusedError, Usage
from tests.bedrock_server import Answer, Asked, BedrockServer, error, message, shared_client, stream

SCHEMA = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
HAIKU, SONNET, OTHER = "us.anthropic.claude-haiku-5-5", "eu.anthropic.claude-sonnet-5-5", "anthropic.claude-x"
QUESTION = Question(HAIKU, "You name things.", (b"jpeg",), "What is it?", SCHEMA, "answer", "The name.")
FACTS = {"name": "Cats {and} dogs"}


def takes(*ways: str) -> object:
    """A model that refuses every other way of asking."""

    def answer(asked: Asked) -> Answer:
        if asked.way not in ways:
            return error(400, "ValidationException", f"{asked.way}: extraneous key is not permitted")
        if "tool" in asked.way:
            return message("Here it is.", tool=FACTS, stop="tool_use")
        return message(json.dumps(FACTS) if asked.way == "schema" else f"Sure {{: {json.dumps(FACTS)} Bye.")

    return answer


@pytest.mark.parametrize(
    ("model", "way", "tried"),
    [
        (HAIKU, "schema", ["schema"]),
        (HAIKU, "forced tool", ["schema", "forced tool"]),
        (SONNET, "tool", ["schema", "tool"]),
        (OTHER, "text", ["schema", "forced tool", "tool", "text"]),
    ],
)
def test_a_model_is_asked_by_the_strictest_way_it_takes(
    bedrock: BedrockServer, model: str, way: str, tried: list[str]
) -> None:
    bedrock.answers = takes(way)  # type: ignore[assignment]
    ladder, question = AnswerLadder(shared_client()), replace(QUESTION, model_id=model)
    assert ladder.ask(question).facts == FACTS
    assert ladder.ask(question).facts == FACTS
    assert [asked.way for asked in bedrock.asked] == [*tried, way]
    assert (ladder.way_of(model), ladder.way_of("another")) == (way, "schema")


def test_nothing_that_a_model_may_refuse_is_sent_to_a_stranger(bedrock: BedrockServer) -> None:
    bedrock.answers = takes("schema")  # type: ignore[assignment]
    ladder = AnswerLadder(shared_client())
    for model in (HAIKU, OTHER):
        ladder.ask(replace(QUESTION, model_id=model))
    known, stranger = (asked.body for asked in bedrock.asked)
    assert known["outputConfig"]["effort"] == "low"
    assert known["additionalModelRequestFields"] == {"thinking": {"type": "disabled"}}
    assert set(stranger) == {"system", "messages", "inferenceConfig", "outputConfig"}
    assert set(stranger["outputConfig"]) == {"textFormat"}
    assert known["inferenceConfig"] == {"maxTokens": 2000}
    assert [list(block) for block in known["messages"][0]["content"]] == [["image"], ["text"]]


def test_a_streamed_answer_is_read_like_a_whole_one(bedrock: BedrockServer) -> None:
    bedrock.answers = [stream('{"name": "Cats', ' {and} dogs"}')]
    pieces: list[str] = []
    answered = AnswerLadder(shared_client()).ask(QUESTION, on_text=pieces.append)
    assert (answered.facts, answered.usage, len(pieces)) == (FACTS, Usage(2000, 150), 2)


@pytest.mark.parametrize("stop", ["content_filtered", "guardrail_intervened"])
def test_a_refusal_is_told_and_never_repeated(bedrock: BedrockServer, stop: str) -> None:
    bedrock.answers = [message(stop=stop)]
    with pytest.raises(RefusedAnswerError, match="Claude does not want to describe these pictures") as told:
        AnswerLadder(shared_client()).ask(QUESTION)
    assert (told.value.usage, told.value.ends_all, len(bedrock.asked)) == (Usage(2000, 150), False, 1)


@pytest.mark.parametrize(
    ("text", "stop"),
    [("", "end_turn"), ("I see cats.", "end_turn"), ("[1]", "end_turn"), ('{"name": "Ca', "max_tokens")],
)
def test_an_answer_in_no_form_is_said_with_what_it_cost(bedrock: BedrockServer, text: str, stop: str) -> None:
    bedrock.answers = [message(text, stop=stop)]
    with pytest.raises(BrokenAnswerError, match=r"Claude's answer (is not in the form|was longer)") as told:
        AnswerLadder(shared_client()).ask(QUESTION)
    assert (told.value.usage, len(bedrock.asked)) == (Usage(2000, 150), 1)


def test_a_request_that_is_refused_in_every_way_is_said(bedrock: BedrockServer) -> None:
    bedrock.answers, ladder = takes("none"), AnswerLadder(shared_client())  # type: ignore[assignment]
    with pytest.raises(RequestRefusedError, match=r"Bedrock refused the request to .*: text: extraneous key"):
        ladder.ask(QUESTION)
    assert (len(bedrock.asked), ladder.way_of(HAIKU)) == (4, "schema")
