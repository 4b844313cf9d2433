"""The engine's process: stopped, killed, orphaned, locked out, deaf to Ctrl-C; and what it says of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from atlas_rt.core import retries
from atlas_rt.core.images import Failure, LibraryPlace
from atlas_rt.core.reports import IndexReport, Progress
from atlas_rt.core.troubles import Trouble
from atlas_rt.engine.crash_log import CRASHES_MAX
from atlas_rt.engine.messages import Add, Added, FromEngine, Job, Locked, Refused, Remove, Removed, Rescan, Said
from atlas_rt.engine.process import EngineProcess
from atlas_rt.library.lock import Lock
from atlas_rt.library.store import StoreReader
from tests.libraries import (
    PICTURES,
    ROOT,
    Library,
    children,
    copy_pictures,
    hear,
    index,
    job_of,
    latest_map,
    lives,
    run,
    wait_for,
)

MakeJob = Callable[..., Job]

needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks processes up in /proc")


def known(place: LibraryPlace) -> set[str]:
    """Names of the images in a library."""
    with StoreReader.open(place.folder) as store:
        return {Path(path).name for path in store.catalogue().paths}


# Stopping


def test_a_stop_in_the_middle_keeps_what_was_committed(indexed: Library, cache: Path) -> None:
    job = job_of(indexed.source, cache, fit=False, threads=1)
    engine = EngineProcess(job)
    child = engine._child
    hear(engine, until=Progress)  # of the scan
    told = hear(engine, until=Progress)
    begun = time.monotonic()
    engine.stop(limit_secs=20.0)
    assert time.monotonic() - begun < 5.0
    assert child.exit_code == 0  # it ended by itself
    assert engine.ended
    assert isinstance(told[-1], Progress)
    kept = known(job.place)
    assert told[-1].done <= len(kept) < 138
    report = index(job)
    assert (report.unchanged, report.new) == (len(kept), 138 - len(kept))


def test_what_is_added_just_before_a_stop_is_not_forgotten(indexed: Library, cache: Path, tmp_path: Path) -> None:
    """A person drops a picture while everything else is indexed, and closes the window."""
    dropped = copy_pictures([PICTURES[1]], tmp_path / "dropped") / PICTURES[1].name
    job = job_of(indexed.source, cache, fit=False, stay=True)
    engine = EngineProcess(job)
    hear(engine, until=Progress)
    engine.tell(Add((str(dropped),)))
    engine.stop()
    with StoreReader.open(job.place.folder) as store:
        assert store.extras() == (str(dropped),)


@needs_proc
def test_an_engine_that_does_not_listen_is_killed_after_the_limit(make_job: MakeJob) -> None:
    engine = EngineProcess(make_job(stay=True))
    hear(engine)
    os.kill(engine.pid, signal.SIGSTOP)
    begun = time.monotonic()
    engine.stop(limit_secs=0.2)
    assert time.monotonic() - begun < 3.0
    assert not lives(engine.pid)


def test_a_stopped_engine_tells_no_more_and_starts_no_other(make_job: MakeJob) -> None:
    engine = EngineProcess(make_job(stay=True))
    hear(engine)
    engine.stop()
    assert list(engine.messages()) == []
    engine.tell(Rescan())
    assert list(engine.messages()) == []
    assert engine.ended


def test_an_engine_that_stays_looks_again_when_asked_to(make_job: MakeJob, folder: Path) -> None:
    engine = EngineProcess(make_job(stay=True, fit=False))
    try:
        hear(engine)
        copy_pictures([PICTURES[40]], folder)
        engine.tell(Rescan())
        report = hear(engine)[-1]
    finally:
        engine.stop()
    assert isinstance(report, IndexReport)
    assert (report.new, report.unchanged) == (1, 9)


# Dying


@pytest.mark.usefixtures("quick_retries")
@pytest.mark.parametrize("last_word", [Progress, IndexReport])
def test_an_engine_that_dies_at_every_start_is_given_up(make_job: MakeJob, last_word: type) -> None:
    """Also when it gets as far as its scan, or its report of nothing new, each time: that is no headway."""
    index(make_job(fit=False))
    engine = EngineProcess(make_job(stay=True, fit=False))
    pids = set()

    def kill(message: FromEngine) -> None:
        if isinstance(message, last_word):
            pids.add(engine.pid)
            os.kill(engine.pid, signal.SIGKILL)

    try:
        told = hear(engine, until=Refused, each=kill)
    finally:
        engine.stop()
    assert len(pids) == 4  # once, and three tries
    assert [message for message in told if isinstance(message, Said)] == [
        Said("the engine stopped unexpectedly (ended by SIGKILL) and is started again")
    ] * 3
    assert told[-1] == Refused(
        "the engine ended 4 times in a row (ended by SIGKILL); what was indexed so far is kept", 1
    )
    assert engine.ended
    assert list(engine.messages()) == []


@pytest.fixture
def hostile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module in the way of each new interpreter."""
    folder = tmp_path / "hostile"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text("import os, sys\nsys.stderr.write('no such luck\\n')\nos._exit(7)\n")
    monkeypatch.setenv("PYTHONPATH", str(folder))
    return folder / "sitecustomize.py"


def test_an_interpreter_that_dies_at_once_is_started_after_growing_pauses_and_tells_its_last_words(
    make_job: MakeJob, hostile: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(retries, "PAUSES_SECS", (0.1, 0.3, 0.6))
    begun, moments, slowest = time.monotonic(), list[float](), 0.0
    engine = EngineProcess(make_job())
    told = list[FromEngine]()
    while not engine.ended:
        asked = time.monotonic()
        assert asked - begun < 30.0, told
        for message in engine.messages():
            told.append(message)
            moments.append(time.monotonic())
        slowest = max(slowest, time.monotonic() - asked)
        time.sleep(0.005)
    assert [type(message) for message in told] == [Said, Said, Said, Refused]
    reason = "exit code 7, no such luck"
    assert told[-1] == Refused(f"the engine ended 4 times in a row ({reason}); what was indexed so far is kept", 1)
    pauses = np.diff(moments)
    assert (pauses > [0.1, 0.3, 0.6]).all()
    assert slowest < 0.1  # a window that asks never waits for a pause
    engine.stop()
    assert capfd.readouterr().err == ""
    hostile.unlink()
    assert index(make_job()).new == 9  # another try is another engine


@needs_proc
def test_a_fit_that_cannot_be_made_is_told_of_and_leaves_the_window_its_engine(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each process that fits dies at its start, until another try is asked for."""
    hostile = tmp_path / "hostile" / "sitecustomize.py"
    hostile.parent.mkdir()
    hostile.write_text(
        textwrap.dedent("""
            import os
            from atlas_rt.core import retries
            retries.PAUSES_SECS = (0.02, 0.04, 0.08)
            if b"spawn_main" in open(f"/proc/{os.getppid()}/cmdline", "rb").read():
                os._exit(7)
        """)
    )
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(hostile.parent), str(ROOT)]))
    job = job_of(copy_pictures(PICTURES[:12], tmp_path / "twelve"), cache, stay=True)
    engine = EngineProcess(job)
    try:
        told = hear(engine)
        reason = "the process for it ended 4 times in a row (exit code 7)"
        trouble = f"New images stand at provisional places: the map cannot be fitted: {reason}"
        assert [message.text for message in told if isinstance(message, Trouble)] == [trouble]
        assert len(latest_map(job.place).ids) == 12
        assert latest_map(job.place).kind == "principal axes"
        hostile.unlink()
        engine.tell(Rescan())
        told = hear(engine)
        assert Trouble("map", "") in told
        assert latest_map(job.place).kind == "umap"
    finally:
        engine.stop()


@pytest.mark.usefixtures("quick_retries")
def test_what_is_added_while_the_engine_is_dead_is_stored_by_the_next(make_job: MakeJob, tmp_path: Path) -> None:
    dropped = copy_pictures([PICTURES[1]], tmp_path / "dropped") / PICTURES[1].name
    engine = EngineProcess(make_job(stay=True, fit=False))
    hear(engine)
    os.kill(engine.pid, signal.SIGKILL)
    engine.tell(Add((str(dropped),)))
    assert engine.unheeded == (Add((str(dropped),)),)
    hear(engine, until=Added)
    assert engine.unheeded == ()
    hear(engine)
    engine.stop()
    assert dropped.name in known(make_job().place)


@pytest.mark.usefixtures("quick_retries")
def test_what_is_removed_and_added_while_the_engine_is_dead_is_stored_in_that_order(
    make_job: MakeJob, tmp_path: Path
) -> None:
    dropped = copy_pictures(PICTURES[1:3], tmp_path / "dropped")
    taken_off, kept = (Add((str(file),)) for file in sorted(dropped.iterdir()))
    engine = EngineProcess(make_job(stay=True, fit=False))
    for add in (taken_off, kept):
        engine.tell(add)
    hear(engine)
    os.kill(engine.pid, signal.SIGKILL)
    changes = (Remove(taken_off.paths), Remove(kept.paths), kept)
    for change in changes:
        engine.tell(change)
    assert engine.unheeded == changes
    hear(engine, until=Removed)
    hear(engine)
    assert engine.unheeded == ()
    engine.stop()
    with StoreReader.open(make_job().place.folder) as store:
        assert store.extras() == kept.paths


def test_what_is_added_while_the_engine_is_dead_and_stopped_before_the_next_is_stored(
    make_job: MakeJob, tmp_path: Path
) -> None:
    engine = EngineProcess(make_job(stay=True, fit=False))
    hear(engine)
    os.kill(engine.pid, signal.SIGKILL)
    hear(engine, until=Said)  # that it is started again, after a pause
    dropped = tmp_path / "dropped.png"
    Image.new("RGB", (8, 8)).save(dropped)
    engine.tell(Add((str(dropped),)))
    engine.stop()
    with StoreReader.open(make_job().place.folder) as store:
        assert store.extras() == (str(dropped),)


@pytest.mark.usefixtures("quick_retries")
def test_a_file_that_crashes_the_engine_three_times_is_left_out(make_job: MakeJob, folder: Path) -> None:
    """The crash is a kill whenever that file is in work, as the system does when memory runs out."""
    heavy = folder / "aaa-heavy.png"
    Image.new("L", (9000, 9000), 90).save(heavy, compress_level=1)
    job = make_job(fit=False)
    engine = EngineProcess(job)
    slots, told = job.place.folder / "in-flight.bin", list[FromEngine]()
    begun, deaths = set[int](), set[int]()
    try:
        deadline = time.monotonic() + 60.0
        while not engine.ended:
            assert time.monotonic() < deadline, told
            for message in engine.messages():
                told.append(message)
                if isinstance(message, Progress):
                    begun.add(engine.pid)
            if engine.pid in begun - deaths and 1 in np.fromfile(slots, np.int64):
                deaths.add(engine.pid)
                os.kill(engine.pid, signal.SIGKILL)
            time.sleep(0.001)
    finally:
        engine.stop()
    (report,) = [message for message in told if isinstance(message, IndexReport)]
    assert len(deaths) == CRASHES_MAX == 3
    assert report.failed == (Failure(str(heavy), "the decoder crashed on it"),)
    assert report.failed[0] in told
    assert known(job.place) == {picture.name for picture in folder.glob("*.webp")}
    again = index(job)
    assert (again.unchanged, again.failed) == (9, report.failed)
    assert again.seconds["decode"] == 0.0  # it is left alone until it changes


@needs_proc
def test_an_orphaned_engine_ends_with_whoever_started_it(indexed: Library, tmp_path: Path) -> None:
    """And so does the process that fits for it."""
    window = tmp_path / "window.py"
    window.write_text(
        textwrap.dedent("""
            import sys, time
            from pathlib import Path
            from atlas_rt.core.reports import Progress
            from atlas_rt.engine.process import EngineProcess
            from tests.libraries import hear, job_of
            if __name__ == "__main__":
                engine = EngineProcess(job_of(Path(sys.argv[1]), Path(sys.argv[2]), stay=True))
                hear(engine, until=Progress)
                hear(engine, until=Progress)
                print(engine.pid, flush=True)
                time.sleep(60)
        """)
    )
    parent = subprocess.Popen(
        [sys.executable, str(window), str(indexed.source), str(tmp_path / "cache")],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert parent.stdout is not None
    engine = int(parent.stdout.readline())
    fitting = [pid for pid, command in children(engine).items() if "spawn_main" in command]
    assert lives(engine)
    assert len(fitting) == 1
    parent.kill()
    parent.communicate()
    wait_for(lambda: not lives(engine) and not lives(fitting[0]), secs=5.0, why="the end of both")


@needs_proc
def test_a_killed_engine_takes_its_fitting_process_along(indexed: Library, cache: Path) -> None:
    """That one may be busy for seconds, and listens to nobody meanwhile."""
    engine = EngineProcess(job_of(indexed.source, cache))
    hear(engine, until=Progress)
    (fitting,) = wait_for(lambda: [pid for pid, words in children(engine.pid).items() if "spawn_main" in words])
    time.sleep(0.5)  # past its first imports
    os.kill(engine.pid, signal.SIGKILL)
    engine.stop()
    wait_for(lambda: not lives(fitting), secs=2.0, why="the end of the process that fits")


# Others at work


def test_the_second_writer_is_told_who_the_first_is(make_job: MakeJob) -> None:
    first = EngineProcess(make_job(stay=True))
    try:
        hear(first)
        told = run(make_job())
    finally:
        first.stop()
    assert isinstance(told[-1], Locked)
    assert told[-1].holder.startswith(f"process {first.pid} on ")
    assert len(told) == 1
    assert index(make_job()).unchanged == 9  # the lock went with its holder


def test_a_killed_engine_leaves_no_lock(make_job: MakeJob) -> None:
    job = make_job(stay=True)
    engine = EngineProcess(job)
    hear(engine)
    os.kill(engine.pid, signal.SIGKILL)
    engine.stop()
    with Lock(job.place) as lock:
        assert lock.acquire()


@needs_proc
def test_ctrl_c_while_the_engine_starts_is_no_traceback(folder: Path, cache: Path) -> None:
    """It reaches the whole group of a terminal, and so an engine that has not yet read its first module."""
    command = [sys.executable, "-m", "atlas_rt", "index", str(folder), "--cache", str(cache), "--quiet"]
    program = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    wait_for(lambda: [each for each in children(program.pid).values() if "spawn_main" in each], why="an engine")
    time.sleep(0.03)
    os.killpg(program.pid, signal.SIGINT)
    output, told = program.communicate(timeout=20)
    assert program.returncode == 130
    assert output == ""
    assert told == "interrupted; everything found so far is kept\n"
