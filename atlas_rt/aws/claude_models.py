"""What is known of Claude's models on Bedrock: prices, and which ways of asking each one takes.

Models come and go, so nothing here decides whether a model may be used: one that is not listed is asked in the plain
way, and counts as the dearest. Prices: dollars for a million tokens, November 2026; the profiles of a geography cost a
tenth more than the global ones.
"""

from __future__ import annotations

from dataclasses import dataclass

from atlas_rt.aws.bedrock_errors import Usage, geography_of
from atlas_rt.aws.iam import split_profile

DEFAULT = "anthropic.claude-haiku-5-5"
GEOGRAPHY_FACTOR = 1.1
IMAGE_PATCH_PX = 28
"""A picture costs one token for each square of so many pixels, begun ones included."""


@dataclass(frozen=True, slots=True)
class ClaudeModel:
    """usd_in, usd_out: for a million tokens. forces_tools: may be made to use a tool. thinking_off: takes the wish to
    answer without thinking. effort: takes `outputConfig.effort`. priced: whether the prices are this model's own."""

    usd_in: float
    usd_out: float
    forces_tools: bool = True
    thinking_off: bool = False
    effort: bool = False
    priced: bool = True


_MODELS = {
    "claude-haiku-5-5": ClaudeModel(0.10, 0.50, thinking_off=True, effort=True),
    "claude-sonnet-5-5": ClaudeModel(2.0, 10.0, forces_tools=False, effort=True),
    "claude-opus-5-5": ClaudeModel(4.0, 20.0, forces_tools=False, effort=True),
    "claude-sonnet-5": ClaudeModel(2.0, 10.0, thinking_off=True, effort=True),
    "claude-opus-5": ClaudeModel(5.0, 25.0, thinking_off=True, effort=True),
    "claude-fable-5": ClaudeModel(10.0, 50.0, forces_tools=False),
    "claude-mythos-5": ClaudeModel(10.0, 50.0, forces_tools=False),
    "claude-sonnet-4-6": ClaudeModel(3.0, 15.0),
    "claude-haiku-4-5": ClaudeModel(1.0, 5.0),
}
"""Beginning of a model's name, without geography and maker."""
_UNKNOWN = ClaudeModel(10.0, 50.0, priced=False)


def default_model(region: str) -> str:
    """The inference profile that is used where a person chose none: the cheapest model that can do it."""
    return f"{geography_of(region)}.{DEFAULT}"


def model_of(model_id: str) -> ClaudeModel:
    """What is known of a model or profile by its id, or its ARN."""
    name = split_profile(model_id)[1].removeprefix("anthropic.")
    fitting = [start for start in _MODELS if name == start or name.startswith((f"{start}-", f"{start}:"))]
    return _MODELS[max(fitting, key=len)] if fitting else _UNKNOWN


def cost_usd(model_id: str, usage: Usage) -> float:
    """What so many tokens cost."""
    model, prefix = model_of(model_id), split_profile(model_id)[0]
    plain = (usage.input_tokens * model.usd_in + usage.output_tokens * model.usd_out) / 1e6
    return plain * (1.0 if prefix == "global" else GEOGRAPHY_FACTOR)


def picture_tokens(width_px: int, height_px: int) -> int:
    """Tokens of a picture of this size."""
    return -(-width_px // IMAGE_PATCH_PX) * -(-height_px // IMAGE_PATCH_PX)
