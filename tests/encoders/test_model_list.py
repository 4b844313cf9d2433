"""What is published about models: complete, or honest about what could not be looked up."""

from __future__ import annotations

import dataclasses
import re

import pytest

from atlas_rt.encoders import model_list, registry
from atlas_rt.encoders.model_list import Entry
from atlas_rt.encoders.preprocess import RESAMPLING, RESIZES
from atlas_rt.encoders.registry import Model
from atlas_rt.errors import UsageError

ENTRIES = [pytest.param(entry, id=entry.name) for entry in model_list.entries()]
MEASURED = ("strong", "weak", "label_temperature")


def test_the_models_that_every_person_is_told_of() -> None:
    named = {(entry.architecture, entry.pretrained) for entry in model_list.entries()}
    assert named >= {
        ("ViT-B-32", "laion2b_s34b_b79k"),
        ("ViT-B-32", "datacomp_xl_s13b_b90k"),
        ("ViT-B-32-256", "datacomp_s34b_b86k"),
        ("ViT-B-16", "datacomp_xl_s13b_b90k"),
        ("ViT-L-14", "datacomp_xl_s13b_b90k"),
        ("ViT-B-32-SigLIP2-256", "webli"),
        ("ViT-B-16-SigLIP2", "webli"),
    }
    assert {"starter", "TinyCLIP-ViT-40M-32"} <= {entry.name for entry in model_list.entries()}


@pytest.mark.parametrize("entry", ENTRIES)
def test_what_is_empty_is_said_to_be_unknown(entry: Entry) -> None:
    """Each field has a value, or its name in `unknown`, or does not apply; never two of these."""
    needed = {"licence", "commercial_use", "dim", "size_px", "resize", "interpolation", "tokenizer", "context_length"}
    needed |= {"languages", "imagenet_accuracy", "family", "source"}
    if entry.family != "starter":  # whose graph normalises, and whose calibration and revision are the program's own
        needed |= {"mean", "std", "revision", "memory_mb", *MEASURED}
    if entry.hub:
        needed.add("hub_revision")
    empty = {name for name in Entry.__dataclass_fields__ if getattr(entry, name) in {None, "", 0}}
    assert empty & needed == set(entry.unknown)


@pytest.mark.parametrize("entry", ENTRIES)
def test_facts_have_the_form_of_facts(entry: Entry) -> None:
    for revision in (entry.revision, entry.hub_revision):
        assert re.fullmatch(r"[0-9a-f]{40}|", revision)
    for repository in filter(None, (entry.hub, entry.source)):
        assert re.fullmatch(r"[\w.-]+/[\w.-]+", repository)
    assert entry.resize in RESIZES
    assert entry.interpolation in RESAMPLING
    assert entry.clean in registry.CLEANINGS
    assert (entry.imagenet_accuracy is None) == (entry.accuracy_source == "")
    assert entry.imagenet_accuracy is None or 50 < entry.imagenet_accuracy < 90  # percent, no share
    assert bool(entry.architecture) == bool(entry.pretrained)


def test_the_starters_entry_agrees_with_its_description(model: Model) -> None:
    entry, seen = model_list.entry("starter"), model.image.preprocessing
    assert (entry.dim, entry.size_px, entry.resize) == (model.dim, seen.size_px, seen.resize)
    assert (entry.context_length, entry.commercial_use) == (model.text.context_length, model.commercial_use)


def test_an_entry_by_name() -> None:
    assert model_list.entry("ViT-B-16-SigLIP2").context_length == 64
    with pytest.raises(
        UsageError, match=r'called "ViT-B32-datacomp"\. Did you mean ViT-B-32-datacomp\? Known: starter, '
    ):
        model_list.entry("ViT-B32-datacomp")


def test_a_name_unlike_all_gets_no_guess() -> None:
    assert "Did you mean" not in model_list.no_such_model("qq", ["starter", "ViT-B-32"])


def test_untrained_weights_do_not_pass_for_published_ones() -> None:
    entry = model_list.entry("ViT-B-32-laion2b")
    assert entry.imagenet_accuracy
    assert entry.untrained() == dataclasses.replace(entry, imagenet_accuracy=None)
