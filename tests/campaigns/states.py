"""Two hundred sequences of what can happen to a window; each kind of step is taken twenty times or more."""

from __future__ import annotations

import time
from pathlib import Path

import moderngl
import pytest

from tests.window.steps import Steps, names_of_steps, play_sequences, set_stage

SEQUENCES, LEAST_HITS = 200, 20


@pytest.mark.timeout(7200)
def test_two_hundred_sequences(context: moderngl.Context, indexed_words: Path, tmp_path: Path) -> None:
    begun = time.monotonic()
    with set_stage(context, indexed_words, tmp_path / "desk") as stage:
        played = play_sequences(stage, SEQUENCES, seed=int(time.time()))
    hits = {name: stage.hits[name] for name in names_of_steps(Steps)}
    print("\n| step | taken |\n| --- | ---: |")
    for name, count in sorted(hits.items(), key=lambda hit: -hit[1]):
        print(f"| {name.replace('_', ' ')} | {count:,} |")
    print(f"\n{len(played)} sequences, {sum(played):,} steps, {time.monotonic() - begun:.0f} s")
    assert len(played) >= SEQUENCES
    assert not (rare := {name: count for name, count in hits.items() if count < LEAST_HITS}), rare
