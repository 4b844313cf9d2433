"""Anything that can happen to a window, in any order: what it shows is true all the time."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import moderngl
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from atlas_rt.window import session
from tests.window.stage import Stage
from tests.window.steps import Steps

SEQUENCES = int(os.environ.get("SEQUENCES", "20"))
STEPS = 30


@pytest.fixture
def stage(
    context: moderngl.Context,
    encoded_words: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    quick_retries: None,
) -> Iterator[Stage]:
    cache = tmp_path / "desk" / "cache"
    cache.mkdir(parents=True)
    shutil.copytree(encoded_words, cache / "vocabulary")
    monkeypatch.setenv("XDG_PICTURES_DIR", str(tmp_path / "desk" / "saved"))
    monkeypatch.setattr(session, "NICENESS", 0)  # nobody looks at the frames
    stage = Stage(context, cache, tmp_path / "desk")
    yield stage
    stage.close()


@pytest.mark.timeout(3000)
def test_anything_in_any_order(stage: Stage) -> None:
    Steps.stage, Steps.lengths = stage, []
    run_state_machine_as_test(
        Steps,
        settings=settings(
            max_examples=SEQUENCES,
            stateful_step_count=STEPS,
            derandomize=True,
            database=None,
            deadline=None,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
        ),
        _min_steps=STEPS,
    )
    print(dict(stage.hits.most_common()), Steps.lengths)
    assert len(Steps.lengths) >= SEQUENCES
    assert min(Steps.lengths) >= STEPS
