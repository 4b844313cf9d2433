"""A scene that a thread made ready is shown as one that was not."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest

from atlas_rt.core import preparation, world
from atlas_rt.core.answers import Match, SearchAnswer
from atlas_rt.core.preparation import prepare
from atlas_rt.core.scene import Scene
from atlas_rt.core.stacks import stacks_of
from atlas_rt.core.world import World
from tests.scenes import scene_of

STILL: frozenset[str] = frozenset()
ASPECT = 1.6
SIZE_PX = (320, 200)


def places(*, seed: int, count: int) -> list[tuple[float, float, float]]:
    return [tuple(place) for place in np.random.default_rng(seed).normal(0.0, 0.4, (count, 3)).round(3).tolist()]


OLD = scene_of([1, 2, 3, 4, 5, 6], places(seed=1, count=6))
SAME = scene_of([1, 2, 3, 4, 5, 6], places(seed=2, count=6), generation=2)
GROWN = scene_of([1, 2, 3, 4, 5, 6, 8, 9], places(seed=3, count=8), generation=2)
SHRUNK = scene_of([1, 3, 4, 6], places(seed=4, count=4), generation=2)
STACKED = dataclasses.replace(GROWN, stacks=stacks_of(np.array([1, 1, 3, 3, 5, 6, 8, 8])))


def nothing(_: World) -> None:
    pass


def select(shown: World) -> None:
    shown.selected_ids = (2,)


def search(shown: World) -> None:
    lights = np.arange(len(shown.scene.ids), dtype=np.float32)
    shown.light_by(SearchAnswer("dog", shown.scene.ids, lights, (Match(2, 0.3, "strong"),), 1.0, 1.0))
    shown.advance(0.1, STILL)


def move_on(shown: World) -> None:
    """Another map came in between, and its morph is on its way."""
    shown.morph_to(scene_of([1, 2, 4, 7], places(seed=9, count=4), generation=2))
    shown.advance(0.3, STILL)


@pytest.mark.parametrize("meanwhile", [nothing, select, search, move_on])
@pytest.mark.parametrize("scene", [SAME, GROWN, SHRUNK, STACKED])
@pytest.mark.parametrize("first", [OLD, STACKED])
def test_it_is_shown_as_if_it_had_not_been_made_ready(
    first: Scene, scene: Scene, meanwhile: Callable[[World], None]
) -> None:
    before = prepare(first, aspect=ASPECT)
    ready, plain = World(), World()
    for shown, prepared in ((ready, before), (plain, None)):
        shown.view(SIZE_PX)
        shown.morph_to(first, prepared=prepared)
        shown.advance(2.0, STILL)
    prepared = prepare(scene, aspect=ASPECT, before=before)
    for shown, made in ((ready, prepared), (plain, None)):
        meanwhile(shown)
        shown.morph_to(scene, prepared=made)
    for _ in range(4):
        one, other = ready.view(SIZE_PX), plain.view(SIZE_PX)
        assert np.allclose(ready.positions(), plain.positions())
        assert np.allclose(one.view_from_world, other.view_from_world)
        assert (one.morph, one.settled, one.selected, one.gone) == (
            other.morph,
            other.settled,
            other.selected,
            other.gone,
        )
        for name in ("tiers", "lights"):
            mine, theirs = getattr(one, name), getattr(other, name)
            assert (mine is None) == (theirs is None)
            assert mine is None or np.array_equal(mine, theirs)
        assert (one.leaving is None) == (other.leaving is None)
        assert one.boxes is not None
        assert one.old_boxes is not None
        boxes = one.old_boxes.on_the_way(one.boxes, 0.5)
        half_way = one.old_positions + np.float32(0.5) * (one.positions - one.old_positions)
        assert (np.abs(half_way - boxes.middles[0]) <= boxes.halves[0] + 1e-5).all() or one.morph >= 1.0
        for shown in (ready, plain):
            shown.advance(0.5, STILL)


def test_the_frame_that_takes_it_up_makes_nothing_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """It took 264 to 529 ms at 100,000 images."""
    shown, before = World(), prepare(OLD, aspect=ASPECT)
    shown.view(SIZE_PX)
    shown.morph_to(OLD, prepared=before)
    shown.advance(2.0, STILL)
    prepared = prepare(SAME, aspect=SIZE_PX[0] / SIZE_PX[1], before=before)
    for module, name in ((world, "way_from"), (world, "cells_of"), (world, "home_of"), (preparation, "rows_of")):
        monkeypatch.setattr(module, name, None)
    monkeypatch.setattr(type(prepared.cells), "boxes", None)
    shown.morph_to(SAME, prepared=prepared)
    view = shown.view(SIZE_PX)
    assert view.old_positions is before.places  # which are on the GPU already
    assert view.positions is prepared.places
    assert shown.prepared is not None
    assert shown.prepared.way is None  # nothing holds on to the scene before


def test_light_runs_out_from_what_is_selected_else_from_what_was_found() -> None:
    shown = World()
    shown.morph_to(STACKED)
    assert shown.pulse_sources == ()
    search(shown)
    assert shown.pulse_sources == (0,)  # the leader of the stack that holds what was found
    shown.selected_ids = (5, 6)
    assert shown.pulse_sources == (4, 5)
    shown.reach(shown.pulse_sources, np.zeros(8, np.float32))
    assert shown.view(SIZE_PX).reached is not None
    shown.morph_to(SHRUNK)
    assert shown.view(SIZE_PX).reached is None  # it was of other rows
