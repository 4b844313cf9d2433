"""Anything that can happen to a window, in any order: what it shows is true all the time."""

from __future__ import annotations

from pathlib import Path

import moderngl
import pytest

from tests.window.steps import STEPS, play_sequences, set_stage

SEQUENCES = 20


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_anything_in_any_order(context: moderngl.Context, indexed_words: Path, tmp_path: Path) -> None:
    with set_stage(context, indexed_words, tmp_path / "desk") as stage:
        lengths = play_sequences(stage, SEQUENCES, seed=11)
    assert sum(length >= STEPS for length in lengths) >= SEQUENCES
