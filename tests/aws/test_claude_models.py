"""Which model is the default, what it costs, and the policy that allows it."""

from __future__ import annotations

import json

import pytest

from atlas_rt.aws.bedrock_errors import Usage
from atlas_rt.aws.claude_models import cost_usd, default_model, model_of, picture_tokens
from atlas_rt.aws.iam import UNKNOWN_ACCOUNT, account_in, policy_of


@pytest.mark.parametrize(
    ("region", "prefix"),
    [
        ("us-west-2", "us"), ("eu-central-1", "eu"), ("ap-northeast-1", "jp"), ("ap-southeast-2", "au"),
        ("sa-east-1", "global"), ("us-gov-west-1", "global"), ("", "global"),
    ],
)  # fmt: skip
def test_the_default_stays_near_its_region(region: str, prefix: str) -> None:
    assert default_model(region) == f"{prefix}.anthropic.claude-haiku-5-5"


def test_a_geography_costs_a_tenth_more_and_a_stranger_the_most() -> None:
    usage = Usage(1_000_000, 100_000)
    assert cost_usd("global.anthropic.claude-haiku-5-5", usage) == pytest.approx(0.15)
    assert cost_usd("eu.anthropic.claude-haiku-5-5-v1:0", usage) == pytest.approx(0.165)
    assert cost_usd("global.anthropic.claude-9", usage) == pytest.approx(15.0)
    assert (model_of("us.anthropic.claude-sonnet-5-5").usd_in, model_of("anthropic.claude-sonnet-5").usd_in) == (2, 2)
    assert not model_of("us.anthropic.claude-sonnet-5-5").forces_tools
    assert not model_of("arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/x").priced
    assert picture_tokens(1092, 1092) == 1521


def test_a_global_profile_needs_the_model_without_a_region_too() -> None:
    actions = ("bedrock:InvokeModel",)
    policy = json.loads(policy_of("global.anthropic.m", "eu-west-1", account="123456789012", actions=actions))
    profile = "arn:aws:bedrock:eu-west-1:123456789012:inference-profile/global.anthropic.m"
    own, here, anywhere = policy["Statement"]
    assert own["Resource"][0] == profile
    assert here["Resource"] == "arn:aws:bedrock:eu-west-1::foundation-model/anthropic.m"
    assert anywhere["Resource"] == "arn:aws:bedrock:::foundation-model/anthropic.m"
    assert anywhere["Condition"] == {
        "StringEquals": {"aws:RequestedRegion": "unspecified", "bedrock:InferenceProfileArn": profile}
    }
    (alone,) = json.loads(policy_of("anthropic.m", "eu-west-1", account=UNKNOWN_ACCOUNT, actions=actions))["Statement"]
    assert alone["Resource"][0] == "arn:aws:bedrock:eu-west-1::foundation-model/anthropic.m"
    assert (account_in(f"on resource: {profile}"), account_in("denied")) == ("123456789012", "ACCOUNT")
