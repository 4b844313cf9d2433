"""Maps that stay: the same bits twice, and not a bit of movement when images come and go."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import numpy as np

from atlas_rt.core.reports import IndexReport, Progress
from atlas_rt.core.rows import rows_of
from atlas_rt.engine.messages import Add, FromEngine, Said
from atlas_rt.engine.process import EngineProcess
from tests.libraries import Library, copy_pictures, hear, job_of, latest_map, run, same_bits


def test_the_same_folder_gives_the_same_bits_also_when_the_engine_is_killed_midway(
    indexed: Library, tmp_path: Path
) -> None:
    """As a window hears it: the engine is killed while it indexes, is started again by itself, and finishes."""
    job = job_of(indexed.source, tmp_path / "cache", stay=True, niceness=19)
    engine = EngineProcess(job)
    killed: list[int] = []

    def kill_midway(message: FromEngine) -> None:
        if not killed and isinstance(message, Progress) and message.stage == "index":
            killed.append(engine.pid)
            os.kill(engine.pid, signal.SIGKILL)

    try:
        told = hear(engine, each=kill_midway)
        assert engine.pid not in killed
    finally:
        engine.stop()
    report = told[-1]
    assert isinstance(report, IndexReport)
    assert [message.text for message in told if isinstance(message, Said)] == [
        "the engine stopped unexpectedly (ended by SIGKILL) and is started again"
    ]
    assert report.images == 138
    assert 0 < report.unchanged < 138  # what was committed before was not made again
    assert report.new == 138 - report.unchanged
    mine, theirs = latest_map(job.place), indexed.map
    for name in ("ids", "positions", "edges", "weights", "clusters", "fitted", "stacks"):
        assert same_bits(getattr(mine, name), getattr(theirs, name)), name
    assert mine.cluster_records == theirs.cluster_records
    assert mine.kind == "umap"


def test_new_images_get_places_and_the_old_ones_do_not_move(
    indexed: Library, newcomers: list[Path], tmp_path: Path
) -> None:
    """A tenth more, dropped on the window while its engine waits: a folder and a single file."""
    library = indexed.copy(tmp_path / "cache")
    dropped = copy_pictures(newcomers[:13], tmp_path / "dropped")
    single = copy_pictures(newcomers[13:14], tmp_path / "single") / newcomers[13].name
    engine = EngineProcess(job_of(library.place, library.cache, stay=True))
    try:
        hear(engine)
        engine.tell(Add((str(dropped), str(single))))
        report = hear(engine)[-1]
    finally:
        engine.stop()
    assert isinstance(report, IndexReport)
    assert (report.images, report.new, report.unchanged) == (152, 14, 138)
    assert report.seconds["fit"] == 0.0
    before, after = indexed.map, latest_map(library.place)
    assert after.kind == "umap"
    at, known = rows_of(after.ids, before.ids)
    assert known.all()
    assert same_bits(after.positions[at], before.positions)
    new = np.setdiff1d(np.arange(152), at)
    assert np.isfinite(after.positions[new]).all()
    assert (np.linalg.norm(after.positions[new], axis=1) < 2.0).all()
    assert not after.fitted[new].any()
    assert after.fitted[at].all()


def test_what_was_added_belongs_to_the_library(indexed: Library, newcomers: list[Path], tmp_path: Path) -> None:
    library = indexed.copy(tmp_path / "cache")
    dropped = copy_pictures(newcomers[:2], tmp_path / "dropped")
    engine = EngineProcess(job_of(library.place, library.cache, stay=True))
    try:
        hear(engine)
        engine.tell(Add((str(dropped),)))
        hear(engine)
    finally:
        engine.stop()
    shutil.rmtree(dropped)
    told = run(job_of(library.place, library.cache))
    report = told[-1]
    assert isinstance(report, IndexReport)
    assert report.images == 140
    assert [failure.path for failure in report.failed] == [str(dropped)]
