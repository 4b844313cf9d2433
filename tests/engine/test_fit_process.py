"""The child that fits: its answers, its failures, and how quickly it can be given up. One serves all tests here."""

from __future__ import annotations

import os
import re
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from atlas_rt.core.arrays import Floats
from atlas_rt.core.maps import Map
from atlas_rt.engine.fit_process import Cancelled, FitProcess, Waiting
from atlas_rt.engine.fitting import FitJob, Fitted
from atlas_rt.errors import AtlasError, MissingError
from atlas_rt.mapping.layout import align, drift
from atlas_rt.search.labels import Vocabulary

DIM = 16


def crowd(count: int) -> Floats:
    """Unit vectors in five groups, the same each time."""
    rng = np.random.default_rng(5)
    vectors = rng.normal(size=(5, DIM))[rng.integers(0, 5, count)] + 0.4 * rng.normal(size=(count, DIM))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def go_on(_share: float, _elapsed_secs: float) -> bool:
    return True


def fit(process: FitProcess, vectors: Floats, job: FitJob, waiting: Waiting) -> Fitted:
    process.begin(vectors, job)
    return process.wait(waiting)


def job(vectors: Floats, **changes: Any) -> FitJob:
    """A fit of these vectors."""
    words = Vocabulary(("cat", "dog"), np.eye(2, DIM, dtype=np.float32), 0.05)
    ids = np.arange(len(vectors), dtype=np.int64)
    paths = tuple(f"/pictures/{id_}.jpg" for id_ in ids)
    return FitJob(ids, paths, words, 1, **changes)


def published(positions: Floats, scale: float = 0.0) -> Map:
    """A map of the first images."""
    count = len(positions)
    return Map(
        ids=np.arange(count, dtype=np.int64),
        rows=np.arange(count, dtype=np.int32),
        positions=np.asarray(positions, np.float32),
        edges=np.zeros((0, 2), np.int32),
        weights=np.zeros(0, np.float32),
        clusters=np.full(count, -1, np.int32),
        fitted=np.ones(count, np.bool_),
        cluster_records=(),
        generation=1,
        kind="umap",
        model="model",
        seed=1,
        scale=scale,
    )


def test_a_fit_gives_each_image_a_place_and_leaves_no_file(fitter: FitProcess) -> None:
    shares, files = list[float](), set[str]()

    def waiting(share: float, _elapsed_secs: float) -> bool:
        shares.append(share)
        files.update(path.name for path in fitter._folder.iterdir())
        return True

    fitted = fit(fitter, crowd(200), job(crowd(200)), waiting)
    assert fitted.positions.shape == (200, 3)
    assert np.isfinite(fitted.positions).all()
    assert len(fitted.clusters) == 200
    assert {record.id for record in fitted.cluster_records} == set(fitted.clusters[fitted.clusters >= 0].tolist())
    assert shares == sorted(shares)
    assert files
    assert all(name.startswith(".fit-") for name in files)  # the next process sweeps them away, should we die
    assert list(fitter._folder.iterdir()) == []


def test_a_new_fit_is_turned_to_the_old_map(fitter: FitProcess) -> None:
    vectors = crowd(120)
    first = fit(fitter, vectors, job(vectors), go_on)
    turned = first.positions[:, [2, 0, 1]] * np.float32([1, -1, 1])
    again = fit(fitter, vectors, job(vectors, old=published(turned)), go_on)
    assert again.positions == pytest.approx(turned, abs=1e-3)


def test_a_larger_fit_goes_on_from_the_one_before(fitter: FitProcess) -> None:
    vectors = crowd(400)
    first = fit(fitter, vectors[:200], job(vectors[:200]), go_on)
    afresh = fit(fitter, vectors, job(vectors), go_on)
    on = fit(fitter, vectors, job(vectors, old=published(first.positions, first.scale)), go_on)
    aligned = align(afresh.positions[:200], first.positions, mirror=True).apply(afresh.positions[:200])
    assert drift(on.positions[:200], first.positions) < drift(aligned, first.positions)
    assert on.drift == 0.0  # a first indexing is no refit
    assert np.percentile(np.linalg.norm(on.positions, axis=1), 95) == pytest.approx(1.0, abs=0.02)
    assert 1.0 < on.scale < 40.0


def test_springs_hold_the_old_images_near_their_places(fitter: FitProcess) -> None:
    vectors = crowd(330)
    first = fit(fitter, vectors[:300], job(vectors[:300]), go_on)
    old = published(first.positions, first.scale)
    again = fit(fitter, vectors, job(vectors, old=old, anchored=True), go_on)
    shifts = np.linalg.norm(again.positions[:300] - first.positions, axis=1)
    assert 0.0 < np.median(shifts) < 0.05
    assert again.drift == pytest.approx(np.median(shifts), rel=0.1)
    assert np.isfinite(again.positions).all()


def test_where_next_to_nothing_of_the_old_map_is_left_a_refit_has_the_frame_of_every_map(fitter: FitProcess) -> None:
    vectors = crowd(120)
    first = fit(fitter, vectors, job(vectors), go_on)
    old = published(first.positions, first.scale)
    old.fitted[2:] = False
    again = fit(fitter, vectors, job(vectors, old=old, anchored=True), go_on)
    assert np.percentile(np.linalg.norm(again.positions, axis=1), 95) == pytest.approx(1.0, abs=0.05)


def test_a_thousand_copies_of_one_picture_stand_together_and_leave_the_others_their_room(fitter: FitProcess) -> None:
    """Left to UMAP they would be hurled far away, and all else be a dot; HDBSCAN makes a dozen clusters of them."""
    vectors = crowd(250)
    piled = np.concatenate([vectors, np.repeat(vectors[:1], 1000, axis=0)])
    fitted = fit(fitter, piled, job(piled), go_on)
    copies = np.r_[0, 250:1250]
    others = fitted.positions[1:250]
    assert np.percentile(np.linalg.norm(others - others.mean(axis=0), axis=1), 95) > 0.5
    pile = fitted.positions[copies]
    assert np.linalg.norm(pile - pile[0], axis=1).max() < 0.15
    assert len(np.unique(pile.round(4), axis=0)) == len(pile)
    nearest = int(np.argsort(-(vectors[1:] @ vectors[0]))[0])
    assert np.linalg.norm(others[nearest] - pile[0]) < 0.3
    assert len(np.unique(fitted.clusters[copies])) == 1

    fitted_before = published(fitted.positions, fitted.scale)
    again = fit(fitter, piled, job(piled, old=fitted_before, anchored=True), go_on)
    assert again.drift < 0.05
    assert np.linalg.norm(again.positions[copies] - again.positions[0], axis=1).max() < 0.15


def test_where_all_pictures_are_one_they_fill_the_map(fitter: FitProcess) -> None:
    vectors = np.repeat(crowd(1), 40, axis=0)
    fitted = fit(fitter, vectors, job(vectors), go_on)
    assert len(np.unique(fitted.positions.round(4), axis=0)) == 40
    assert np.linalg.norm(fitted.positions, axis=1).max() == pytest.approx(1.0, abs=0.05)
    assert fitted.cluster_records == ()


def test_the_network_says_where_the_map_put_its_images(fitter: FitProcess) -> None:
    vectors = crowd(300)
    fitted = fit(fitter, vectors, job(vectors), go_on)
    session = onnxruntime.InferenceSession(fitted.network, providers=["CPUExecutionProvider"])
    places = session.run(["position"], {"vector": vectors})[0]
    off = np.linalg.norm(places - fitted.positions, axis=1)
    apart = np.linalg.norm(fitted.positions[::-1] - fitted.positions, axis=1)
    assert np.median(off) < 0.3 * np.median(apart)


def test_a_fit_that_fails_says_why_and_the_next_is_made(fitter: FitProcess) -> None:
    broken = crowd(60)
    broken[3] = np.nan
    with pytest.raises(AtlasError, match="the map could not be fitted: ValueError: a vector holds what is no number"):
        fit(fitter, broken, job(broken), go_on)
    assert fit(fitter, crowd(60), job(crowd(60)), go_on).positions.shape == (60, 3)


def test_a_full_disk_is_told_of(fitter: FitProcess) -> None:
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(MissingError, match="The disk is full; everything found so far is kept"):
            fit(fitter, crowd(60), job(crowd(60)), go_on)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(fitter._folder.iterdir()) == []


def test_a_fit_given_up_in_the_middle_ends_at_once(fitter: FitProcess) -> None:
    """The last test of this process: closing it is what ends the fit."""
    vectors, given_up = crowd(6000), list[float]()

    def waiting(share: float, _elapsed_secs: float) -> bool:
        if share > 0.1:  # past the graph, in umap-learn's own loop
            given_up.append(time.monotonic())
        return not given_up

    with pytest.raises(Cancelled):
        fit(fitter, vectors, job(vectors), waiting)
    fitter.close()
    assert time.monotonic() - given_up[0] < 1.0
    assert not fitter._child.alive


def test_a_fit_may_be_given_up_while_its_child_still_warms_up(tmp_path: Path) -> None:
    """A job of so many paths is more than a pipe holds: nobody must wait for a child that does not read yet."""
    process, begun = FitProcess(tmp_path), time.monotonic()
    with pytest.raises(Cancelled):
        fit(process, crowd(6000), job(crowd(6000)), lambda _share, _elapsed_secs: False)
    process.close()
    assert time.monotonic() - begun < 2.0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("quick_retries")
def test_a_child_that_is_killed_at_its_work_makes_the_fit_at_another_try(tmp_path: Path) -> None:
    process, killed = FitProcess(tmp_path), set[int]()

    def waiting(_share: float, _elapsed_secs: float) -> bool:
        if not killed:
            killed.add(process._child.pid)
            os.kill(process._child.pid, signal.SIGKILL)
        return True

    fitted = fit(process, crowd(20), job(crowd(20)), waiting)
    assert fitted.positions.shape == (20, 3)
    assert process._child.pid not in killed
    process.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("quick_retries")
def test_a_child_that_dies_at_each_start_is_told_of_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "hostile"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text("import os, sys\nsys.stderr.write('no such luck\\n')\nos._exit(7)\n")
    monkeypatch.setenv("PYTHONPATH", str(folder))
    process, children = FitProcess(tmp_path / "model"), set[int]()

    def waiting(_share: float, _elapsed_secs: float) -> bool:
        children.add(process._child.pid)
        return True

    reason = "the process for it ended 4 times in a row (exit code 7, no such luck)"
    with pytest.raises(AtlasError, match=re.escape(reason)):
        fit(process, crowd(20), job(crowd(20)), waiting)
    assert len(children) <= 4
    assert process.warm  # it never will be, and nobody shall wait for it
    process.close()
    assert list((tmp_path / "model").iterdir()) == []
