"""Several windows on one library: all show it, one writes, the others say so as long as it lasts; and nothing claims to
have added what it did not."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from atlas_rt.core.reports import IndexReport
from atlas_rt.core.troubles import Trouble
from atlas_rt.encoders import registry
from atlas_rt.engine.messages import Added, FromEngine, Published, Refused, Said
from atlas_rt.library.store import StoreReader
from atlas_rt.settings import Settings
from atlas_rt.window.session import Session
from tests.libraries import PICTURES, ROOT, Library, copy_pictures, index, job_of, wait_for

FEW = PICTURES[:7]
"""Too few for a fit."""
TAKEN_OVER = Said("The other window has stopped updating this library: now this one does")

needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks processes up in /proc")


class Watcher:
    """A session, and what a window on it would have shown."""

    def __init__(self, folder: Path, cache: Path) -> None:
        model = registry.load("starter", cache)
        self.session = Session(Settings(model="starter", threads=1), (str(folder),), cache=cache, model=model)
        self.told: list[FromEngine] = []
        first = self.session.first
        self.images = len(first.scene.ids) if first else 0

    def look(self) -> None:
        """What a frame does."""
        for message in self.session.messages():
            self.told.append(message)
            if isinstance(message, Published):
                self.session.scenes.poke()
        if (arrival := self.session.arrival()) is not None:
            self.images = len(arrival.scene.ids)
            self.session.follow(arrival, aspect=1.6)

    @property
    def troubles(self) -> list[str]:
        return [trouble.text for trouble in self.session.troubles()]

    @property
    def reports(self) -> int:
        return sum(isinstance(message, IndexReport) for message in self.told)


def see(until: Callable[[], object], *watchers: Watcher, secs: float = 60.0) -> None:
    """Let windows go on until something is so."""

    def enough() -> object:
        for watcher in watchers:
            watcher.look()
        return until()

    wait_for(enough, secs=secs, why=str([(w.images, w.troubles, w.told[-3:]) for w in watchers]))


def read_only(holder: str) -> str:
    return f"Read-only: another window ({holder}) is updating this library"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_pictures(FEW, tmp_path_factory.mktemp("windows") / "pictures")


@pytest.fixture(scope="module")
def indexed_once(folder: Path, indexed: Library) -> Path:
    """A cache that holds the folder's library."""
    cache = folder.parent / "cache"
    shutil.copytree(indexed.cache / "vocabulary", cache / "vocabulary")
    index(job_of(folder, cache))
    return cache


@pytest.fixture
def cache(indexed_once: Path, tmp_path: Path) -> Path:
    return shutil.copytree(indexed_once, tmp_path / "cache")


@pytest.fixture
def open_window(folder: Path, cache: Path) -> Iterator[Callable[[], Watcher]]:
    opened: list[Watcher] = []

    def make() -> Watcher:
        opened.append(Watcher(folder, cache))
        return opened[-1]

    yield make
    for watcher in opened:
        watcher.session.close()


Open = Callable[[], Watcher]


def by_role(*watchers: Watcher) -> tuple[Watcher, list[Watcher]]:
    """Who writes, and who looks on."""
    writers = [watcher for watcher in watchers if watcher.reports]
    assert len(writers) == 1
    return writers[0], [watcher for watcher in watchers if watcher is not writers[0]]


def test_of_two_windows_started_together_one_writes_and_the_other_says_so_all_the_time(
    open_window: Open, folder: Path, cache: Path, tmp_path: Path
) -> None:
    """A double click on a launcher: each asked for the lock before the other's engine had it. The library is new."""
    shutil.rmtree(cache / "libraries")
    both = open_window(), open_window()
    assert [watcher.session.read_only for watcher in both] == ["", ""]
    see(lambda: all(watcher.images == 7 for watcher in both) and any(w.session.read_only for w in both), *both)
    see(lambda: any(watcher.reports for watcher in both), *both)
    writer, (other,) = by_role(*both)
    assert writer.session.engine is not None
    assert other.session.read_only.startswith(f"process {writer.session.engine.pid} on ")
    assert other.troubles == [read_only(other.session.read_only)]
    assert writer.troubles == []
    dropped = copy_pictures([PICTURES[20]], tmp_path / "dropped")
    assert not other.session.add((str(dropped),))
    assert other.session.why_not_added == other.troubles[0]
    assert writer.session.add((str(dropped),))
    see(lambda: (writer.images, other.images) == (8, 8), *both)  # it is seen by whoever only looks, too
    time.sleep(1.2)
    other.look()
    assert other.troubles == [read_only(other.session.read_only)]  # still
    writer.session.close()
    see(lambda: TAKEN_OVER in other.told, other)
    assert (other.troubles, other.session.read_only) == ([], "")
    more = copy_pictures([PICTURES[21]], tmp_path / "more")
    assert other.session.add((str(more),))
    see(lambda: other.images == 9, other)
    assert Added((str(more),), (str(more),)) in other.told


@needs_proc
def test_when_a_window_is_killed_the_other_takes_over(
    open_window: Open, folder: Path, cache: Path, tmp_path: Path
) -> None:
    script = tmp_path / "window.py"
    script.write_text(
        textwrap.dedent("""
            import sys
            from pathlib import Path
            from tests.test_two_windows import Watcher, see
            if __name__ == "__main__":
                window = Watcher(Path(sys.argv[1]), Path(sys.argv[2]))
                see(lambda: window.reports, window)
                print(window.session.engine.pid, flush=True)
                see(lambda: False, window)
        """)
    )
    words = [sys.executable, str(script), str(folder), str(cache)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    window = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment)
    assert window.stdout is not None
    engine = int(window.stdout.readline())
    other = open_window()
    assert other.session.read_only.startswith(f"process {engine} on ")
    assert other.troubles == [read_only(other.session.read_only)]
    window.send_signal(signal.SIGKILL)
    window.communicate(timeout=20)
    see(lambda: TAKEN_OVER in other.told and other.reports, other)
    assert other.troubles == []


def test_of_two_that_want_to_take_over_one_does_and_the_other_looks_on(open_window: Open) -> None:
    first = open_window()
    see(lambda: first.reports, first)
    lookers = open_window(), open_window()
    holders = {watcher.session.read_only for watcher in lookers}
    assert len(holders) == 1
    first.session.close()
    see(lambda: any(watcher.reports for watcher in lookers), *lookers)
    second, (third,) = by_role(*lookers)
    assert second.session.engine is not None
    holder = f"process {second.session.engine.pid} on "
    see(lambda: third.session.read_only.startswith(holder) and third.session.engine is None, *lookers)
    assert third.troubles == [read_only(third.session.read_only)]
    assert (second.troubles, second.told.count(TAKEN_OVER), third.told.count(TAKEN_OVER)) == ([], 1, 0)
    second.session.close()
    see(lambda: third.reports, third)
    assert third.troubles == []


@pytest.fixture
def broken_children(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module that ends each new interpreter, as one of a hostile folder would."""
    module = tmp_path / "hostile" / "sitecustomize.py"
    module.parent.mkdir()
    module.write_text("import os, sys\nsys.stderr.write('no such luck\\n')\nos._exit(7)\n")
    monkeypatch.setenv("PYTHONPATH", str(module.parent))
    return module


@pytest.mark.usefixtures("quick_retries")
def test_an_engine_that_cannot_run_is_told_of_until_another_try_helps(
    open_window: Open, broken_children: Path, tmp_path: Path
) -> None:
    window = open_window()
    dropped = copy_pictures([PICTURES[20]], tmp_path / "dropped")
    assert window.session.add((str(dropped),))  # as far as is known by then
    see(lambda: window.session.engine is None, window)
    reason = "the engine ended 4 times in a row (exit code 7, no such luck); what was indexed so far is kept"
    trouble = Trouble("engine", f"New and changed images are not read: {reason}")
    assert window.session.troubles() == (trouble,)
    assert Refused(reason, 1) in window.told
    assert window.told[-1] == Said("Not added: dropped")
    assert not window.session.add((str(dropped),))
    assert window.session.why_not_added == trouble.text
    window.session.ask("a guitar")
    assert wait_for(window.session.answer).best  # what needs no engine goes on
    broken_children.unlink()
    window.session.try_again("engine")
    assert window.session.troubles() == ()
    assert window.session.add((str(dropped),))
    see(lambda: window.images == 8, window)
    assert window.troubles == []


def test_a_disk_that_takes_no_more_is_told_of_as_long_as_it_lasts_and_nothing_is_said_to_be_added(
    open_window: Open, cache: Path, tmp_path: Path
) -> None:
    """The system lets the engine's files grow no more, of a sudden."""
    resource = pytest.importorskip("resource")
    if not hasattr(resource, "prlimit"):
        pytest.skip("the limits of another process cannot be set here")
    window = open_window()
    see(lambda: window.reports, window)
    assert window.session.engine is not None
    resource.prlimit(window.session.engine.pid, resource.RLIMIT_FSIZE, (1, 1))
    dropped = copy_pictures([PICTURES[20]], tmp_path / "dropped")
    assert window.session.add((str(dropped),))
    see(lambda: window.troubles, window)
    assert window.troubles[0].startswith("New and changed images are not read: The disk is full")
    assert window.told[-1] == Said("Not added: dropped")
    assert not window.session.add((str(dropped),))
    (folder,) = cache.glob("libraries/*")
    with StoreReader.open(folder) as store:
        assert store.extras() == ()
    index(job_of(window.session.place, cache, fit=False))  # nobody holds the lock
    window.session.try_again("engine")
    assert window.session.add((str(dropped),))
    see(lambda: window.images == 8, window)
    assert window.troubles == []


def test_what_a_window_did_not_add_is_not_in_the_library(open_window: Open, cache: Path, tmp_path: Path) -> None:
    first = open_window()
    see(lambda: first.reports, first)
    other = open_window()
    dropped = copy_pictures([PICTURES[20]], tmp_path / "dropped")
    assert not other.session.add((str(dropped),))
    with StoreReader.open(next(cache.glob("libraries/*"))) as store:
        assert store.extras() == ()
