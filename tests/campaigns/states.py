"""Two hundred sequences of what can happen to a window; each kind of step is taken twenty times or more."""

from __future__ import annotations

import time
from pathlib import Path

import moderngl
import pytest

from tests.window.steps import STEPS, Steps, names_of_steps, play_sequences, set_stage

SEQUENCES, LEAST_HITS = 200, 20


@pytest.mark.timeout(7200)
def test_two_hundred_sequences(context: moderngl.Context, indexed_words: Path, tmp_path: Path) -> None:
    begun = time.monotonic()
    with set_stage(context, indexed_words, tmp_path / "desk") as stage:
        lengths = play_sequences(stage, SEQUENCES, seed=int(time.time()))
    hits = {name: stage.hits[name] for name in names_of_steps(Steps)}
    print("\n| step | taken |\n| --- | ---: |")
    for name, count in sorted(hits.items(), key=lambda hit: -hit[1]):
        print(f"| {name.replace('_', ' ')} | {count:,} |")
    whole = sum(length >= STEPS for length in lengths)
    took = time.monotonic() - begun
    print(f"\n{whole} whole sequences of {len(lengths)}, {sum(lengths):,} steps, {took:.0f} s")
    assert whole >= SEQUENCES
    assert not (rare := {name: count for name, count in hits.items() if count < LEAST_HITS}), rare
