"""Bedrock over HTTP: what is sent, what comes back, and a sentence for each way in which it fails."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from atlas_rt.aws import bedrock as bedrock_module
from atlas_rt.aws.bedrock import Bedrock, Reply
from atlas_rt.aws.bedrock_errors import (
    AccessError,
    BedrockError,
    BrokenAnswerError,
    DailyQuotaError,
    StoppedError,
    ThrottledError,
    UnreachableError,
    Usage,
)
from tests.bedrock_server import Answer, BedrockServer, error, frame, message, running, shared_client, stream

MODEL = "us.anthropic.claude-haiku-5-5"
ARN = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123"
DENIED = (
    "User: arn:aws:iam::123456789012:user/ada is not authorized to perform: {action} on resource: "
    f"arn:aws:bedrock:us-east-1:123456789012:inference-profile/{MODEL} because no identity-based policy allows it"
)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another try comes at once."""
    monkeypatch.setattr(bedrock_module, "PAUSES_SECS", (0.01, 0.01))


def request(model: str = MODEL) -> dict[str, Any]:
    return {"modelId": model, "messages": [{"role": "user", "content": [{"text": "What is it?"}]}]}


def ask(client: Bedrock | None = None) -> Reply:
    return (client or shared_client()).converse(request())


def heard(pieces: list[str], client: Bedrock | None = None) -> Reply:
    return (client or shared_client()).stream(request(), on_text=pieces.append)


def test_a_whole_answer_comes_back_with_what_it_cost(bedrock: BedrockServer) -> None:
    bedrock.answers = [message("A cat.")]
    assert ask() == Reply("A cat.", "", "end_turn", Usage(2000, 150))
    (asked,) = bedrock.asked
    assert (asked.path, asked.body) == (f"/model/{MODEL}/converse", {"messages": request()["messages"]})


def test_an_arn_is_signed_as_amazon_signs_it(bedrock: BedrockServer) -> None:
    bedrock.answers = [message("A cat.")]
    assert shared_client().converse(request(ARN)).text == "A cat."
    assert bedrock.asked[0].path == f"/model/{ARN}/converse"


def test_a_stream_is_heard_piece_by_piece(bedrock: BedrockServer) -> None:
    bedrock.answers = [stream("A ", "c", "at."), stream('{"na', 'me": 1}', tool=True, stop="tool_use")]
    pieces: list[str] = []
    assert heard(pieces) == Reply("A cat.", "", "end_turn", Usage(2000, 150))
    assert heard(pieces) == Reply("", '{"name": 1}', "tool_use", Usage(2000, 150))
    assert pieces == ["A ", "c", "at.", '{"na', 'me": 1}']


@pytest.mark.parametrize("fault", ["cut", "short", "inside", "crc", "silence"])
def test_a_stream_that_does_not_end_properly_is_no_answer(bedrock: BedrockServer, fault: str) -> None:
    bedrock.answers = [stream("A ", "cat.", fault=fault)]
    with pytest.raises(BrokenAnswerError) as told:
        heard([], Bedrock(read_secs=0.4))
    said = "Claude did not answer for a minute. Try again later."
    assert str(told.value) == (said if fault == "silence" else "Claude's answer was cut off on its way. Try again.")
    assert len(bedrock.asked) == 1


def test_an_exception_in_a_stream_is_told_by_its_meaning(bedrock: BedrockServer) -> None:
    for code, kind in (("throttlingException", ThrottledError), ("modelStreamErrorException", BrokenAnswerError)):
        broken = frame(code, {"message": "Too many tokens"}, exception=True)
        bedrock.answers = [Answer(frames=(*stream("A ", fault="short").frames, broken))]
        with pytest.raises(kind, match="Too many tokens"):
            heard([])


@pytest.mark.parametrize("body", [b"", b"not JSON", b"[1, 2]", b'{"output": 5}', b'{"output": {"message": {}}}'])
def test_an_answer_that_is_none_is_said(bedrock: BedrockServer, body: bytes) -> None:
    bedrock.answers = [Answer(body=body)]
    with pytest.raises(BrokenAnswerError, match="something that is no answer of Claude"):
        ask()


def test_silence_is_given_up_and_not_repeated(bedrock: BedrockServer) -> None:
    bedrock.answers = [Answer(fault="silence")]
    with pytest.raises(BrokenAnswerError, match="did not answer for a minute"):
        ask(Bedrock(read_secs=0.3))
    assert len(bedrock.asked) == 1


def test_what_may_pass_is_tried_three_times(bedrock: BedrockServer) -> None:
    bedrock.answers = [
        error(503, "ServiceUnavailableException", "busy"),
        error(429, "ThrottlingException", "Too many requests"),
        message("A cat."),
    ]
    assert ask().text == "A cat."
    bedrock.answers = [error(429, "ThrottlingException", "Too many requests, please wait")]
    with pytest.raises(ThrottledError, match=r"takes no more requests for .* at the moment .*few minutes"):
        ask()
    assert len(bedrock.asked) == 6


INVALID, MISSING, DENIED_BY = "ValidationException", "ResourceNotFoundException", "AccessDeniedException"
TABLE = [
    (
        (400, INVALID, "Invocation of model ID claude with on-demand throughput isn't supported. Retry your request."),
        "only through an inference profile. Put the geography before its name",
    ),
    ((400, INVALID, "The provided model identifier is invalid."), "knows no model .* in us-east-1"),
    ((404, MISSING, "This model version has reached the end of its life."), "end of its life. Choose another"),
    (
        (
            404,
            MISSING,
            "Access denied. This Model is marked by provider as Legacy and you have not been actively using it",
        ),
        "has not used it lately",
    ),
    ((404, MISSING, "Model use case details have not been submitted for this account."), "use case form"),
    (
        (403, DENIED_BY, "not authorized to perform aws-marketplace:ViewSubscriptions, aws-marketplace:Subscribe"),
        "not enabled in this account yet",
    ),
    ((400, INVALID, "data retention mode 'default' is not available for this model"), "data retention mode"),
    ((403, "ExpiredTokenException", "The security token included in the request is expired"), "have expired. Sign in"),
    ((403, "UnrecognizedClientException", "The security token in the request is invalid."), "AWS does not accept"),
]


@pytest.mark.parametrize(("answer", "told"), TABLE)
def test_what_a_person_must_act_on_is_said_at_once(
    bedrock: BedrockServer, answer: tuple[int, str, str], told: str
) -> None:
    bedrock.answers = [error(*answer)]
    with pytest.raises(AccessError, match=told) as found:
        ask()
    assert (found.value.exit_code, found.value.ends_all, len(bedrock.asked)) == (3, True, 1)


def test_a_daily_quota_is_not_tried_again(bedrock: BedrockServer) -> None:
    bedrock.answers = [error(429, "ThrottlingException", "Too many tokens per day, please wait before trying again.")]
    with pytest.raises(DailyQuotaError, match=r"may use in a day .* are used up\. Go on tomorrow"):
        ask()
    assert len(bedrock.asked) == 1


@pytest.mark.parametrize("streamed", [False, True])
def test_denial_prints_the_statement_that_allows_it(bedrock: BedrockServer, streamed: bool) -> None:
    action = "bedrock:InvokeModelWithResponseStream" if streamed else "bedrock:InvokeModel"
    bedrock.answers = [error(403, "AccessDeniedException", DENIED.format(action=action))]
    with pytest.raises(AccessError) as told:
        heard([]) if streamed else ask()
    sentence, _, policy = str(told.value).partition("\n")
    assert sentence.endswith("allow it with this policy:")
    profile = f"arn:aws:bedrock:us-east-1:123456789012:inference-profile/{MODEL}"
    own, behind = json.loads(policy)["Statement"]
    assert own["Action"] == behind["Action"] == [action]
    assert own["Resource"] == [profile, "arn:aws:bedrock:us-east-1:123456789012:project/default"]
    assert behind["Resource"] == "arn:aws:bedrock:*::foundation-model/anthropic.claude-haiku-5-5"
    assert behind["Condition"] == {"StringEquals": {"bedrock:InferenceProfileArn": profile}}


def test_a_wrong_signature_is_refused_by_the_server(bedrock: BedrockServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")
    with pytest.raises(AccessError, match="AWS does not accept these credentials"):
        ask(Bedrock())
    assert bedrock.asked == []


def test_without_credentials_or_region_nothing_is_contacted(
    bedrock: BedrockServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
    with pytest.raises(AccessError, match="No AWS credentials were found"):
        Bedrock()
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    with pytest.raises(AccessError, match="No AWS region is set"):
        Bedrock()
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(AccessError, match=r"The AWS settings cannot be used: .*nobody"):
        Bedrock()
    assert bedrock.asked == []


def test_a_place_that_cannot_be_reached_is_said(bedrock: BedrockServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(UnreachableError, match="Bedrock in us-east-1 cannot be reached"):
        ask(Bedrock())


@pytest.mark.parametrize("streamed", [False, True])
def test_an_answer_can_be_stopped_while_nothing_comes(bedrock: BedrockServer, streamed: bool) -> None:
    bedrock.answers = [stream("A ", fault="silence") if streamed else Answer(fault="silence")]
    began, pieces = time.monotonic(), list[str]()
    client = shared_client()
    with pytest.raises(StoppedError):
        _ = (
            client.stream(request(), on_text=pieces.append, stop=lambda: bool(pieces))
            if streamed
            else client.converse(request(), stop=lambda: time.monotonic() > began + 0.5)
        )
    assert time.monotonic() < began + 1.4


def test_a_model_is_checked_before_use_and_the_check_blocks_nothing(bedrock: BedrockServer) -> None:
    profile, model = f"/inference-profiles/{MODEL}", "/foundation-models/anthropic.claude-haiku-5-5"
    bedrock.models = {profile: error(403, "AccessDeniedException", DENIED.format(action="bedrock:GetInferenceProfile"))}
    client = shared_client()
    assert client.check(MODEL) == ""
    arn = "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-haiku-5-5"
    lifecycle = {"status": "LEGACY", "endOfLifeTime": "2027-10-07T00:00:00Z"}
    details = {"modelArn": arn, "modelId": "anthropic.claude-haiku-5-5", "modelLifecycle": lifecycle}
    bedrock.models = {profile: Answer(body=b"{}"), model: Answer(body=json.dumps({"modelDetails": details}).encode())}
    assert client.check(MODEL) == (
        f"{MODEL} is an old model and ends on 07 October 2027; choose a newer one with --narrator-model."
    )
    said = "Bedrock does not list us.anthropic.claude-9 in us-east-1; it is tried all the same."
    assert client.check("us.anthropic.claude-9") == said
    bedrock.models = {profile: Answer(body=b"{}")}  # this region has a profile of a model that it does not list
    assert client.check(MODEL) == ""


def test_only_an_endpoint_for_answers_means_that_nothing_else_is_contacted(
    bedrock: BedrockServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", bedrock.url)
    bedrock.answers = [message("A cat.")]
    began = time.monotonic()
    assert (Bedrock().check(MODEL), ask(Bedrock()).text) == ("", "A cat.")
    assert time.monotonic() < began + 2.0


def test_a_key_for_bedrock_goes_over_tls(
    bedrock: BedrockServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    certificate = tmp_path / "loopback.pem"
    made = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=127.0.0.1"
    command = [*made.split(), "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", certificate, "-out", certificate]
    pem = tmp_path / "key.pem"
    command[command.index("-keyout") + 1] = pem
    subprocess.run(command, check=True, capture_output=True)
    (tmp_path / "both.pem").write_bytes(pem.read_bytes() + certificate.read_bytes())
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "bedrock-api-key-1")
    with running(certificate=tmp_path / "both.pem") as safe:
        safe.bearer, safe.answers = "bedrock-api-key-1", [message("A cat.")]
        monkeypatch.setenv("AWS_ENDPOINT_URL", safe.url)
        with pytest.raises(UnreachableError, match="The connection to Bedrock is not safe"):
            ask(Bedrock())
        monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate))
        assert ask(Bedrock()).text == "A cat."
    monkeypatch.setenv("AWS_ENDPOINT_URL", bedrock.url)
    with pytest.raises(BedrockError, match="requires an HTTPS endpoint"):
        ask(Bedrock())
