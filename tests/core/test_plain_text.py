"""Names in every script, and what would make a name look like another one."""

from __future__ import annotations

import pytest

from atlas_rt.core.plain_text import is_plain

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Vögel am See",
        "می\u200cخواهم",  # Persian
        "क्\u200dष",  # Hindi
        "র\u200d্যাম",  # Bengali, a sign after the joiner
        f"our {FAMILY} {FAMILY}",
        "\u2764\ufe0f\u200d\U0001f525",  # a selector before the joiner
        "野生の動物",
    ],
)
def test_what_can_be_seen_and_its_joiners_are_plain(name: str) -> None:
    assert is_plain(name)


@pytest.mark.parametrize(
    "name",
    [
        "\u200dbirds",
        "birds\u200c",
        "bi\u200c\u200drds",
        "my \u200cbirds",
        "my\u200d birds",
        "\u200d",
        "bi\u200brds",  # zero-width space
        "bi\ufeffrds",
        "bi\u00adrds",  # soft hyphen
        "bi\u2060rds",
        "\u202ebirds",  # from right to left
        "birds\u2066",
        "\u200fbirds",
        "bi\u034frds",
        "\u3164",  # a filler, which is printable by name
        "\u2800",
        "birds\x07",
        "bi\nrds",
        "birds\ud800",
        "bi\U000e0041rds",  # a tag
    ],
)
def test_what_cannot_be_seen_is_not(name: str) -> None:
    assert not is_plain(name)
