"""Away is not gone: what a scan does not find keeps its place on the map, and nothing else moves."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from atlas_rt.engine.extension import Anchors, extended
from atlas_rt.library import maps
from tests.libraries import Library, index, job_of, same_bits

NAMES = ("ids", "rows", "positions", "edges", "weights", "clusters", "stacks")
"""Arrays of a map that tell whether anything moved."""


def empty_map_of(library: Library) -> None:
    """What version 0.1.0 published when a folder was empty for one start: a fitted map without an image."""
    none, rows = np.zeros(0, np.int64), np.zeros(0, np.int32)
    nothing = Anchors(library.map, lambda _: np.zeros((0, library.model.dim), np.float32))
    emptied = extended(library.map, none, rows, anchors=nothing, vectors_at=nothing._vectors_at)
    maps.write_map(library.model_folder, dataclasses.replace(emptied, generation=library.map.generation + 1))


def test_a_library_that_version_0_1_0_broke_opens_and_stands_as_it_stood(indexed: Library, tmp_path: Path) -> None:
    library = indexed.copy(tmp_path / "cache")
    empty_map_of(library)
    assert len(library.map.ids) == 0
    report = index(job_of(library.place, library.cache))
    assert (report.images, report.seconds["fit"]) == (138, 0.0)
    assert report.generation == library.map.generation == indexed.map.generation + 2
    for name in NAMES:
        assert same_bits(getattr(library.map, name), getattr(indexed.map, name)), name


def test_a_broken_library_of_which_no_older_map_is_left_is_fitted_again(indexed: Library, tmp_path: Path) -> None:
    library = indexed.copy(tmp_path / "cache")
    empty_map_of(library)
    for generation in maps.generations(library.model_folder)[:-1]:
        (library.model_folder / f"map-{generation}").rename(tmp_path / f"map-{generation}")
    report = index(job_of(library.place, library.cache))
    assert report.images == len(library.map.ids) == 138
    assert library.map.kind == "umap"
