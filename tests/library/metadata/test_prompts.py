"""Prompts of generated pictures, as the usual programs write them."""

from __future__ import annotations

import json

import pytest

from atlas_rt.library.metadata.prompts import prompt_of
from atlas_rt.library.metadata.reading import read_metadata
from tests.library.metadata.pictures import MTIME_NS, make_exif, png_with, saved

WORDS = "a lighthouse at dusk, oil painting"
SETTINGS = f"{WORDS}\nNegative prompt: ugly, blurry\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1"
GRAPH = {
    "1": {"class_type": "CLIPTextEncode", "inputs": {"text": "ugly, and much longer than the other", "clip": ["9", 0]}},
    "2": {"class_type": "CLIPTextEncode", "inputs": {"text": ["4", 0], "clip": ["9", 0]}},
    "3": {"class_type": "KSampler", "inputs": {"positive": ["5", 0], "negative": ["1", 0], "seed": 1}},
    "4": {"class_type": "PrimitiveString", "inputs": {"value": WORDS}},
    "5": {"class_type": "FluxGuidance", "inputs": {"conditioning": ["2", 0], "guidance": 3.5}},
    "9": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "model.safetensors"}},
}  # fmt: skip


@pytest.mark.parametrize(
    "texts",
    [
        {"parameters": SETTINGS},
        {"parameters": WORDS},
        {"parameters": json.dumps({"sui_image_params": {"prompt": WORDS, "negativeprompt": "ugly"}})},
        {"prompt": json.dumps(GRAPH), "workflow": "{}"},
        {"prompt": json.dumps({"7": {"class_type": "CLIPTextEncode", "inputs": {"text": WORDS}}})},
        {"Comment": json.dumps({"prompt": WORDS, "uc": "ugly", "steps": 28}), "Software": "NovelAI"},
        {"invokeai_metadata": json.dumps({"positive_prompt": WORDS, "negative_prompt": "ugly"})},
        {"sd-metadata": json.dumps({"image": {"prompt": [{"prompt": WORDS, "weight": 1.0}]}})},
        {"Dream": f'"{WORDS}" -s 50 -W 512'},
        {"Description": f"{WORDS} Job ID: 01234567-89ab-cdef-0123-456789abcdef"},
        {"UserComment": SETTINGS},
    ],
)
def test_the_words_that_were_asked_for_are_told(texts: dict[str, str]) -> None:
    assert prompt_of(texts) == WORDS
    assert read_metadata(png_with(*texts.items()), mtime_ns=MTIME_NS).metadata.prompt in (WORDS, "")


@pytest.mark.parametrize(
    "texts",
    [
        {},
        {"Comment": "Created with GIMP", "Description": "A picture", "UserComment": "nice"},
        {"prompt": "[" * 100_000, "Comment": "{", "parameters": '{"prompt": 7}'},
        {"parameters": "Steps: 20, Sampler: Euler a"},
        {"prompt": json.dumps({"1": {"class_type": "KSampler", "inputs": {"positive": ["1", 0]}}})},
    ],
)
def test_what_is_no_prompt_is_not_taken_for_one(texts: dict[str, str]) -> None:
    assert prompt_of(texts) == ""


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_in_other_files_the_prompt_is_a_comment(encoding: str) -> None:
    comment = b"UNICODE\0" + SETTINGS.encode(encoding)
    for kind in ("JPEG", "WEBP"):
        data = saved(kind, exif=make_exif({}, {0x9286: comment}).tobytes())
        assert read_metadata(data, mtime_ns=MTIME_NS).metadata.prompt == WORDS


def test_halves_of_characters_are_left_out() -> None:
    assert prompt_of({"Comment": '{"prompt": "a \\ud83d cat \\u0007"}'}) == "a cat"
