"""Why an image stands where it does: fitted, placed, put beside its twin, stacked, sketched."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from atlas_rt.core.hud import WhyHere
from atlas_rt.core.scene import Scene
from atlas_rt.core.stacks import stacks_of
from atlas_rt.mapping.projector import NEIGHBOURS
from atlas_rt.workers.facts import FactsRequest, Stored, facts_of, folder_below
from atlas_rt.workers.scenes import Arrival


def told(arrival: Arrival, row: int, **changes: object) -> WhyHere | None:
    scene = dataclasses.replace(arrival.scene, **changes)  # type: ignore[arg-type]
    facts = facts_of(FactsRequest(int(scene.ids[row]), scene, arrival.vector_index, neighbours=True), Stored())
    assert facts is not None
    return facts.why_here


def nearest_of(arrival: Arrival, row: int, among: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> list[int]:
    """The true nearest, by a full sort."""
    vectors = arrival.vector_index.whole()
    scores = vectors @ vectors[row]
    order = [other for other in np.argsort(-scores) if other != row and among[other]]
    return [int(arrival.scene.ids[other]) for other in order]


def by_distance(arrival: Arrival, row: int, ids: list[int]) -> list[int]:
    """The same, those first that stand nearest on the map."""
    at = dict(zip(arrival.scene.ids.tolist(), arrival.scene.positions, strict=True))
    return sorted(ids, key=lambda id_: float(np.linalg.norm(at[id_] - arrival.scene.positions[row])))


def test_a_fitted_image_names_its_nearest_and_how_many_stand_around_it(arrival: Arrival) -> None:
    scene = arrival.scene
    everyone = np.ones(len(scene.ids), np.bool_)
    why = told(arrival, 5)
    assert why is not None
    assert [id_ for id_, _ in why.images] == by_distance(arrival, 5, nearest_of(arrival, 5, everyone)[:14])[:8]
    assert "drew it to the 14 images" in why.sentence
    alone = told(arrival, 5, positions=_everybody_else_far(scene, 5, nearest_of(arrival, 5, everyone)[:14]))
    assert alone is not None
    assert "14 of them" in alone.sentence


def _everybody_else_far(scene: Scene, row: int, near: list[int]) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    positions = scene.positions + np.float32(100.0)
    around = np.isin(scene.ids, near)
    around[row] = True
    positions[around] -= np.float32(100.0)
    return positions  # type: ignore[return-value]


def test_a_placed_image_names_those_of_the_fit_alone(arrival: Arrival) -> None:
    fitted = np.arange(len(arrival.scene.ids)) % 2 == 1
    why = told(arrival, 4, fitted=fitted)
    assert why is not None
    assert f"placed by the {NEIGHBOURS} most like it" in why.sentence
    assert [id_ for id_, _ in why.images] == by_distance(arrival, 4, nearest_of(arrival, 4, fitted)[:NEIGHBOURS])[:8]


def test_a_twin_a_stacked_image_a_sketch_and_an_older_scene(arrival: Arrival) -> None:
    scene = arrival.scene
    vectors = arrival.vector_index.whole().copy()
    vectors[4] = vectors[9]
    twins = dataclasses.replace(arrival, vector_index=type(arrival.vector_index)(vectors))
    fitted = np.ones(len(scene.ids), np.bool_)
    fitted[4] = False
    why = told(twins, 4, fitted=fitted)
    assert why is not None
    assert [id_ for id_, _ in why.images] == [scene.ids[9]]
    leaders = scene.ids.copy()
    leaders[[6, 7]] = leaders[2]
    stacked = told(arrival, 7, stacks=stacks_of(leaders))
    assert stacked is not None
    assert [id_ for id_, _ in stacked.images] == [scene.ids[2]]
    sketch = told(arrival, 4, kind="principal axes")
    assert sketch is not None
    assert (sketch.images, "first sketch" in sketch.sentence) == ((), True)
    assert told(arrival, 4, fitted=np.zeros(0, np.bool_)) is None


def test_near_duplicates_are_told_with_how_alike_they_are(arrival: Arrival) -> None:
    leaders = arrival.scene.ids.copy()
    leaders[[5, 9]] = leaders[2]
    scene = dataclasses.replace(arrival.scene, stacks=stacks_of(leaders))
    facts = facts_of(FactsRequest(int(scene.ids[5]), scene, arrival.vector_index, neighbours=True), Stored())
    assert facts is not None
    vectors = arrival.vector_index.whole()
    likes = {int(scene.ids[row]): float(vectors[5] @ vectors[row]) for row in (2, 9)}
    assert [id_ for id_, _ in facts.copies] == sorted(likes, key=lambda id_: -likes[id_])
    assert dict(facts.copies) == pytest.approx(likes, abs=1e-5)


def test_the_folder_is_told_below_its_source() -> None:
    sources = ("/pictures", "/pictures/2024/")
    assert folder_below("/pictures/a b/c/d.jpg", sources) == "a b/c"
    assert folder_below("/pictures/2024/may/d.jpg", sources) == "may"
    assert folder_below("/pictures/d.jpg", sources) == folder_below("/elsewhere/a/d.jpg", sources) == ""
