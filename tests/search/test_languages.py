"""A phrase that the model does not read is answered with a sentence and the command that helps."""

from __future__ import annotations

import pytest

from atlas_rt.search.languages import unread


@pytest.mark.parametrize(
    ("phrase", "language"),
    [
        ("猫", "Chinese or Japanese characters"),
        ("красная машина", "Cyrillic"),
        ("고양이", "Korean"),
        ("ein roter Apfel", "German"),
        ("une pomme rouge", "French"),
        ("Vögel", "another language"),
    ],
)
def test_another_language_is_named_with_the_command_that_helps(phrase: str, language: str) -> None:
    said = unread(phrase, "ViT-B-32-laion2b", sure=False)
    assert said.startswith(f"This looks like {language}, and the model ViT-B-32-laion2b reads English only.")
    assert "atlas-rt models get ViT-B-16-SigLIP2" in said


def test_what_the_model_reads_is_not_remarked_on() -> None:
    for phrase in ("a red apple", "the man on the die", "café", "🎸", "", "0042", "IMG_0042.jpg", "apfel"):
        assert unread(phrase, "ViT-B-32-laion2b", sure=False) == "", phrase
    assert unread("los angeles", "ViT-B-32-laion2b", sure=True) == ""  # it found them
    assert unread("猫", "starter", sure=True) == ""  # which reads some of it
    assert "the model starter reads English best" in unread("猫", "starter", sure=False)
    assert unread("猫", "ViT-B-32-SigLIP2-256", sure=False) == ""
    assert unread("猫", "a-model-of-ones-own", sure=False) == ""
