"""No function can start itself: what may be read and what may be written have nothing in common."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atlas_rt.aws.loop_guard import LoopGuard
from atlas_rt.core.s3_address import S3Address
from atlas_rt.errors import UsageError

PREFIXES = st.text("ab/", min_size=0, max_size=6)


@given(PREFIXES, PREFIXES, st.text("ab/.", max_size=8))
def test_no_output_of_any_name_below_any_prefixes_would_be_read(
    input_prefix: str, output_prefix: str, name: str
) -> None:
    try:
        guard = LoopGuard("b", input_prefix, output_prefix)
        written = guard.output(name)
    except UsageError:
        return
    assert not written.key.startswith(input_prefix)
    assert guard.refusal(written)


@pytest.mark.parametrize(
    ("input_prefix", "output_prefix"),
    [
        ("images/", "images/"),
        ("images/", "images/shards/"),
        ("a/b/", "a/"),
        ("", "shards/"),
        ("/", "shards/"),
        ("images", "shards/"),
    ],
)
def test_prefixes_that_overlap_are_refused_at_the_start(input_prefix: str, output_prefix: str) -> None:
    with pytest.raises(UsageError):
        LoopGuard("b", input_prefix, output_prefix)


def test_each_object_is_looked_at() -> None:
    guard = LoopGuard("b", "images/", "shards/")
    assert guard.refusal(S3Address("b", "images/shards/a.jpg")) == ""
    for address in (
        S3Address("b", "shards/a.jpg"),
        S3Address("c", "images/a.jpg"),
        S3Address("b", "a.jpg"),
        S3Address("b"),
    ):
        assert guard.refusal(address)


def test_what_answers_requests_writes_nothing() -> None:
    with pytest.raises(UsageError):
        LoopGuard("b", "images/").output("a")
