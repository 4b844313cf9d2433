"""Cells: looking around by boxes finds what looking at every row finds, and looks at few."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from atlas_rt.core import visibility
from atlas_rt.core.cells import CELL, cells_of
from atlas_rt.core.scene import View
from atlas_rt.core.visibility import Pointer, near_nodes, pick, rows_in_sight
from tests.core.test_visibility import SIZE_PX, make_view


def crowd(nodes: int, *, morph: float = 1.0) -> View:
    """Nodes at random places, some of the way from others."""
    rng = np.random.default_rng(nodes)
    places, old = rng.normal(0.0, 0.4, (2, nodes, 3)).astype(np.float32)
    view = make_view(places.tolist(), node_size=0.01)
    cells = cells_of(view.positions)
    boxes, old_boxes = cells.boxes(view.positions), cells.boxes(old)
    return dataclasses.replace(
        view, old_positions=old, morph=morph, cells=cells, boxes=boxes, old_boxes=old_boxes, settled=morph >= 1.0
    )


def without_cells(view: View) -> View:
    return dataclasses.replace(view, cells=None, boxes=None, old_boxes=None)


@pytest.mark.parametrize("nodes", [0, 1, CELL, CELL + 1, 500])
def test_every_row_is_in_one_cell(nodes: int) -> None:
    cells = cells_of(np.random.default_rng(0).normal(size=(nodes, 3)).astype(np.float32))
    assert sorted(cells.rows_in(np.arange(len(cells.rows))).tolist()) == list(range(nodes))


@pytest.mark.parametrize("morph", [0.0, 0.4, 1.0])
def test_the_same_is_found_as_by_looking_at_every_row(morph: float) -> None:
    view = crowd(700, morph=morph)
    plain = without_cells(view)
    for at_px in np.random.default_rng(1).uniform((0, 0), SIZE_PX, (60, 2)).tolist():
        assert pick(view, (at_px[0], at_px[1])) == pick(plain, (at_px[0], at_px[1]))
    for min_px in (2.0, 4.0, 12.0):
        assert sorted(near_nodes(view, min_px).rows) == sorted(near_nodes(plain, min_px).rows)
    assert rows_in_sight(view, 40).tolist() == rows_in_sight(plain, 40).tolist()


def test_few_rows_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """A frame with the pointer inside took 17 ms at 100,000 images."""
    crowded, looked = crowd(20_000), []
    place = visibility.positions_now
    monkeypatch.setattr(visibility, "positions_now", lambda seen, rows: looked.append(len(rows)) or place(seen, rows))
    pick(crowded, (400.0, 300.0))
    near_nodes(crowded, 40.0)
    assert max(looked) < 4000


def test_the_pointer_looks_only_when_something_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = []
    monkeypatch.setattr(visibility, "pick", lambda _, at_px: looks.append(at_px) or 3)
    pointer, view = Pointer(), crowd(100)
    assert [pointer.row_under(view, (5.0, 5.0)) for _ in range(3)] == [3, 3, 3]
    assert len(looks) == 1
    pointer.row_under(view, (6.0, 5.0))
    assert len(looks) == 2
    for changed in (
        dataclasses.replace(view, positions=view.positions.copy()),
        dataclasses.replace(view, tiers=np.zeros(100, np.int8)),
    ):
        before = len(looks)
        pointer.row_under(changed, (5.0, 5.0))
        assert len(looks) == before + 1


def test_while_the_camera_flies_the_pointer_looks_again_every_few_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = []
    monkeypatch.setattr(visibility, "pick", lambda _, at_px: looks.append(at_px) or 3)
    pointer, view = Pointer(), crowd(100)
    for frame in range(12):
        turned = view.view_from_world + np.float32(0.01 * frame)
        now = dataclasses.replace(view, view_from_world=turned, time_secs=1.0 + frame / 60.0)
        pointer.row_under(now, (5.0 + frame, 5.0))
    assert len(looks) == 4
    pointer.row_under(dataclasses.replace(now, time_secs=2.0), (16.0, 5.0))  # it has stopped: where it stands
    pointer.row_under(dataclasses.replace(now, time_secs=2.1), (16.0, 5.0))
    assert len(looks) == 5
