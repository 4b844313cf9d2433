"""Two libraries of plain pictures in one window, with everything that must hold between any two steps of a person.

The app, its libraries, engines and threads are real; the window, its clock and the folders are the test's own.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import cv2
import moderngl
import numpy as np

from atlas_rt.core.requests import ClearFilters, OpenSource, Retry, ShowAllClusters
from atlas_rt.core.scene import FANNED, HIDDEN
from atlas_rt.settings import Settings
from atlas_rt.ui.input import Input
from atlas_rt.window.session import Session
from atlas_rt.workers.worker import State
from tests.libraries import children, lives
from tests.window.cards import (
    Colours,
    colour_of_picture,
    colours_of_cards,
    colours_of_thumbnails,
    colours_of_tiles,
)
from tests.window.plain_folders import PALETTE, Paint, PlainFolder
from tests.window.player import Player

SETTLE_SECS = 150.0
"""A first fit compiles for a while."""
LAG_SECS = 5.0
"""A thread of the window answers within moments, however busy the machine is."""
RETRY_SECS = 0.5
"""A person who sees what does not work presses "try again" so often."""
FRAME_SECS = 0.1
ALIKE = 32.0
"""How far a colour that was drawn may be from its file's: half of what lies between two colours, less some light."""
WORKERS = {
    "scenes", "search", "facts", "pictures", "tiles-0", "tiles-1", "lookout", "live", "camera", "places", "names",
    "cluster pages", "whole pictures", "errands", "filters",
}  # fmt: skip
"""Threads of an open library."""
NO_ROOM_BYTES = 2048


class Stage:
    """The window, the folders, and how many steps of each kind were done."""

    def __init__(self, context: moderngl.Context, cache: Path, desk: Path) -> None:
        """cache: where the libraries will be. desk: an empty folder for everything else."""
        self.cache, self.desk, self._context = cache, desk, context
        paint = Paint()
        self.folders = (PlainFolder(desk / "few", paint, count=6), PlainFolder(desk / "many", paint, count=18))
        self.pictures = desk / "saved"
        self.pictures.mkdir()
        self.saved = 0
        self.begun = time.monotonic()
        self.hits: Counter[str] = Counter()
        self.said: set[str] = set()
        self._raised: list[str] = []
        self._records: dict[tuple[Path, int], int] = {}
        self._hook, threading.excepthook = threading.excepthook, self._note_raised
        settings = Settings(
            cache=str(cache),
            data=str(desk / "data"),
            offline=True,
            quality="low",
            granularity="many",
            webcam=str(film(desk / "film.mp4")),
        )
        self.player = Player(context, settings, self.folders[0].root, size_px=(320, 640))
        self.app = self.player.app

    def begin(self) -> None:
        """Both libraries are indexed, and one is open."""
        self.player.do("live")  # the film was on from the start
        for folder in reversed(self.folders):
            self.player.do(OpenSource((str(folder.root),)))
            self.settle()

    def close(self) -> None:
        self.player.close()
        threading.excepthook = self._hook
        lingering = self._threads_of_libraries()
        assert not lingering, lingering

    # -- what is open ------------------------------------------------------------------------------------------------

    @property
    def session(self) -> Session:
        session = self.app.parts.session
        assert session is not None
        return session

    @property
    def folder(self) -> PlainFolder:
        """The source that is open."""
        return next(folder for folder in self.folders if self.session.sources == (str(folder.root),))

    @property
    def paths(self) -> list[Path]:
        """What is on the map."""
        return [Path(path) for path in self.app.parts.world.scene.paths]

    def id_at(self, at: int) -> int:
        """The id of an image on the map, -1 where it is empty."""
        ids = self.app.parts.world.scene.ids
        return int(ids[at % len(ids)]) if len(ids) else -1

    def cluster_at(self, at: int) -> int:
        """The id of a cluster on the map, -1 where there is none."""
        records = self.app.parts.world.scene.cluster_records
        return records[at % len(records)].id if records else -1

    def frames(self, count: int = 1, *, dt_secs: float = FRAME_SECS) -> None:
        """Let frames pass, and keep what is said in them."""
        for _ in range(count):
            self.player.frame(dt_secs=dt_secs)
            self.said |= {notice.text for notice in self.app.parts.panel_state.notices}

    def hear(self, told: Input) -> None:
        """One frame with this input."""
        self.player.window.told = told
        self.frames()

    def wait(self, secs: float) -> None:
        """Let real time pass, in which engine and threads go on."""
        until = time.monotonic() + secs
        while time.monotonic() < until:
            self.frames()
            time.sleep(0.01)

    def see(self, until: Callable[[], object], *, secs: float, why: str) -> None:
        deadline = time.monotonic() + secs
        while not until():
            assert time.monotonic() < deadline, f"never came: {why}; {self.player.shown()}"
            self.wait(0.02)

    # -- what happens to processes and disks -------------------------------------------------------------------------

    @property
    def engine_pid(self) -> int:
        """Of the engine's process, 0 while there is none."""
        engine = self.session.engine
        return engine.pid if engine is not None and engine._start_secs is None and lives(engine.pid) else 0

    def kill_engine(self) -> None:
        self.kill([self.engine_pid] if self.engine_pid else [])

    @staticmethod
    def kill(pids: list[int]) -> None:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):  # it has just ended by itself
                os.kill(pid, signal.SIGKILL)

    def limit_files(self, *, full: bool) -> None:
        """As on a full disk, the engine can write no file beyond its first bytes; or there is room again."""
        if self.engine_pid:
            _, most = resource.prlimit(self.engine_pid, resource.RLIMIT_FSIZE)
            resource.prlimit(self.engine_pid, resource.RLIMIT_FSIZE, (NO_ROOM_BYTES if full else most, most))

    def fit_processes(self) -> list[int]:
        """Processes in which the engine fits a map."""
        if not self.engine_pid:
            return []
        return [pid for pid, words in children(self.engine_pid).items() if "spawn_main" in words]

    # -- what must hold ----------------------------------------------------------------------------------------------

    def check(self) -> None:
        """What must hold after each step, whatever has not been seen yet."""
        assert not self._raised, self._raised
        self._check_threads()
        self._check_counts()
        self._check_pictures()
        self._check_panels()
        self._check_clusters()
        self._check_filters()
        self._check_look()
        assert all(folder.is_untouched() for folder in self.folders)

    def settle(self) -> None:
        """Wait until the window shows what is on disk, trying again what failed; then all of it must be so."""
        deadline = time.monotonic() + SETTLE_SECS
        while not (self._is_idle() and self._shows_the_disk()):
            if time.monotonic() > deadline:
                raise AssertionError(f"never settled: {self._differences()}; {self.player.shown()}")
            self._try_again()
            self._give_up_what_was_not_dropped()
            self.wait(0.05)
            self.check()
        self.folder.rest()
        self.wait(0.05)
        self.check()
        saved = len(list(self.pictures.iterdir()))
        self.see(lambda: len(list(self.pictures.iterdir())) == self.saved, secs=LAG_SECS, why=f"{saved} saved")

    def _is_idle(self) -> bool:
        """The engine has nothing to do but to fit beside, and nothing has failed."""
        progress = self.app.parts.panel_state.progress
        at_rest = progress is None or progress.stage == "fit"
        return bool(self.engine_pid) and at_rest and not self.app.parts.panel_state.troubles

    def _shows_the_disk(self) -> bool:
        folder = self.folder
        absence = self.app.parts.panel_state.absence
        if folder.unplugged:  # which is said all the time, and what was known is shown
            return str(folder.root) in absence and set(folder.sure) <= set(self.paths)
        if absence:
            return False
        if set(self.paths) != set(folder.present) or len(self.paths) != len(folder.present):
            return False
        return self._numbers_on_cards() == [folder.present[path] for path in self.paths]

    def _differences(self) -> str:
        present, shown = self.folder.present, dict(zip(self.paths, self._numbers_on_cards(), strict=True))
        return str(
            {
                "missing": sorted(path.name for path in present.keys() - shown.keys()),
                "too many": sorted(path.name for path in shown.keys() - present.keys()),
                "other": sorted(path.name for path in shown.keys() & present.keys() if shown[path] != present[path]),
                "troubles": [trouble.text for trouble in self.app.parts.panel_state.troubles],
                "engine": self.engine_pid,
                "unplugged": self.folder.unplugged,
                "absence": self.app.parts.panel_state.absence,
            }
        )

    def _try_again(self) -> None:
        for trouble in self.app.parts.panel_state.troubles:
            if trouble.retry:
                self.player.do(Retry(trouble.part))
                self.wait(RETRY_SECS)

    def _give_up_what_was_not_dropped(self) -> None:
        for file in list(self.folder.dropped):
            if any(text.startswith("Not added") and file.name in text for text in self.said):
                self.folder.not_dropped(file)
        for file in list(self.folder.taken_off):
            if (text := f"Not taken off the map: {file.name}") in self.said:
                self.said.discard(text)
                self.folder.add_again(file.name)

    def _check_threads(self) -> None:
        """No thread of the open library has died without a word, and none of an earlier one lives on."""
        told = {trouble.part for trouble in self.app.parts.panel_state.troubles}
        expected = set()
        for worker in self.session._workers():
            assert worker.state is not State.FAILED or worker.part in told, worker.part
            assert worker._thread.is_alive() or worker.state is State.STOPPED, worker.part
            expected.add(worker._thread)
        if self.session.live:
            expected |= {thread for thread in threading.enumerate() if thread.name == "camera"}
        deadline = time.monotonic() + LAG_SECS
        while extra := self._threads_of_libraries() - expected:
            assert time.monotonic() < deadline, extra
            time.sleep(0.01)

    @staticmethod
    def _threads_of_libraries() -> set[threading.Thread]:
        return {thread for thread in threading.enumerate() if thread.name in WORKERS}

    def _check_counts(self) -> None:
        folder, shown = self.folder, self.paths
        assert len(set(shown)) == len(shown)
        assert not (gone := folder.sure.keys() - set(shown)), gone
        assert not (wrong := [path for path in shown if not folder.may_show(path)]), wrong
        hud = self.app.hud(self.app.parts.world.view(self.player.window.size_px), 0.0)
        assert hud.images == len(shown)
        assert self.player.window.title == f"atlas_rt - {folder.root.name}"

    def _check_pictures(self) -> None:
        """Every card, thumbnail and picture shows its own file."""
        scene = self.app.parts.world.scene
        numbers = self._numbers_on_cards()
        for path, record, number in zip(self.paths, scene.tiles.tolist(), numbers, strict=True):
            assert number >= 0, f"{path.name} is shown in a colour that no picture has: {self._colours_on_cards()}"
            assert self.folder.may_look(path, number), f"{path.name} is shown as {number}"
            known = self._records.setdefault((self.folder.root, record), number)
            assert known == number, f"tile {record} of {path.name} is shown as {number}, and was {known}"
        for record, colour in colours_of_thumbnails(self._context, self.app.parts.display):
            known = self._records.setdefault((self.folder.root, record), number_of(colour))
            assert known == number_of(colour), f"the thumbnail of tile {record}"

    def _check_panels(self) -> None:
        """What panels tell is of images on the map; name, thumbnail and picture are the same image's."""
        world, panel_state = self.app.parts.world, self.app.parts.panel_state
        ids = set(world.scene.ids.tolist())
        assert set(world.selected_ids) <= ids
        if world.answer is not None:
            assert {match.id for match in world.answer.best} <= ids
        for facts in (panel_state.selected, panel_state.hovered):
            if facts is not None:
                assert facts.id in ids
        if panel_state.selected is not None:  # what is hovered is shown without its neighbours
            selected = panel_state.selected
            others = (*selected.neighbours, *selected.copies, *(selected.why_here.images if selected.why_here else ()))
            assert {id_ for id_, _ in others} <= ids
        colour = colour_of_picture(self.app.parts.display, "selected")
        if colour is not None:
            path = Path(world.scene.paths[world.row(panel_state.picture_error[0])])
            assert self.folder.may_look(path, number_of(colour)), f"the picture of {path.name}"
        if not self._panels_follow():
            self.see(self._panels_follow, secs=LAG_SECS, why="the panel of what is selected")

    def _check_clusters(self) -> None:
        """What the person does with clusters is about those on the map, and names are soon written."""
        world, state = self.app.parts.world, self.app.parts.panel_state.clusters
        ids = {record.id for record in world.scene.cluster_records}
        assert {state.cursor, state.pointed, state.renaming, state.opened, world.shown_clusters.alone} <= ids | {-1}
        assert world.shown_clusters.hidden <= ids
        panel = state.panel(world.scene, world.shown_clusters)
        assert panel.page is None or panel.page.id == state.opened
        if state.pending:
            self.see(lambda: not state.pending, secs=LAG_SECS, why="the name of a cluster")

    def _check_filters(self) -> None:
        """What is drawn passes, or is selected; nothing is kept back without a chip; and what passes is soon known."""
        world, state = self.app.parts.world, self.app.parts.panel_state.filters
        assert state.filters or world.passing is None
        panel = state.panel(len(world.scene.ids))
        assert len(panel.chips) == len(state.filters.conditions)
        if world.passing is None or not len(world.scene.ids):
            return
        view = world.view(self.player.window.size_px)
        drawn = np.full(len(world.passing), True) if view.tiers is None else view.tiers != HIDDEN
        drawn[list(view.selected)] = False
        if world.resting and state.hides and (view.tiers is None or not (view.tiers == FANNED).any()):
            assert not (drawn & ~world.passing).any()
        if not self._filters_follow():
            self.see(self._filters_follow, secs=LAG_SECS, why=f"what {state.filters} lets through")

    def _filters_follow(self) -> bool:
        world, answer = self.app.parts.world, self.app.parts.panel_state.filters.answer
        if not self.app.parts.panel_state.filters.current or answer is None or answer.ids is not world.scene.ids:
            return False
        shown = np.ones(len(answer.ids), np.bool_) if answer.passes is None else answer.passes
        return world.passing is not None and bool(np.array_equal(world.passing, shown))

    def _check_look(self) -> None:
        """Tiles are of what is looked at, and what is still on the map is shown as its file is."""
        look, colours = self.app.parts.panel_state.look, colours_of_tiles(self.app.parts.display)
        shown, before = look.shown, look.before[:1] if look.before else ()
        assert colours.keys() <= {looked.key for looked in (*shown, *before)}
        for looked in shown:
            if not looked.gone and looked.key in colours:
                path, number = Path(looked.path), number_of(colours[looked.key])
                assert self.folder.may_look(path, number), f"{path.name} is looked at as {number}"

    def _panels_follow(self) -> bool:
        """The panel tells of the image that is selected, by its name. That takes a thread a moment."""
        world, panel_state = self.app.parts.world, self.app.parts.panel_state
        told = [facts for facts in (panel_state.selected, panel_state.hovered) if facts is not None]
        right = all(facts.path == world.scene.paths[world.row(facts.id)] for facts in told)
        return right and (panel_state.selected.id if panel_state.selected else -1) == (*(-1,), *world.selected_ids)[-1]

    def _numbers_on_cards(self) -> list[int]:
        """The colour that each row's card shows, by its number."""
        return [number_of(colour) for colour in self._colours_on_cards()]

    def _colours_on_cards(self) -> Colours:
        view = self.app.parts.world.view(self.player.window.size_px)
        return colours_of_cards(self._context, self.app.parts.display, view)

    # -- Esc ---------------------------------------------------------------------------------------------------------

    @property
    def opened(self) -> list[str]:
        """What lies over the plain map, or moves it."""
        world, panel_state = self.app.parts.world, self.app.parts.panel_state
        states = {
            "help": panel_state.help_open,
            "opening": panel_state.opening,
            "look": panel_state.look.open,
            "back from look": panel_state.look.back,
            "offer": panel_state.search.offer is not None,
            "query": panel_state.query or panel_state.search.picture,
            "console": panel_state.searching,
            "panel": panel_state.selected is not None,
            "clusters": panel_state.clusters.open,
            "page": panel_state.clusters.opened >= 0,
            "name": panel_state.clusters.renaming >= 0,
            "filters": panel_state.filters.open,
            "wanted": panel_state.filters.wanted,
            "timeline": panel_state.filters.timeline_open,
            "cluster alone": world.shown_clusters.alone >= 0,
            "wall": self.session.scenes.flat,
            "selection": world.selected_ids,
            "tour": world.tour is not None,
            "orbit": world.orbiting,
            "full screen": self.player.window.fullscreen,
        }
        return [name for name, state in states.items() if state]

    def escape(self) -> None:
        """Esc closes something, if anything is open."""
        before = self.opened
        self.hear(Input(actions=("step_back",)))
        after = self.opened
        assert len(after) < len(before) or not before, f"Esc: {before} -> {after}"

    def escape_to_the_plain_map(self) -> None:
        while self.opened:
            self.escape()

    def clear_up(self) -> None:
        """What was unplugged comes back, and Esc leads to the plain map, which shows what is on disk."""
        self.player.window.visible = True
        for folder in self.folders:
            if folder.unplugged:
                folder.plug_in()
        if self.session.live:
            self.player.do("live")
        self.player.do(ShowAllClusters(), ClearFilters())
        self.escape_to_the_plain_map()
        self.settle()

    def _note_raised(self, told: threading.ExceptHookArgs) -> None:
        self._raised.append(f"{told.thread}: {told.exc_value!r}")


def number_of(colour: Colours) -> int:
    """The colour of the palette that this one is, -1 for none."""
    away = np.abs(PALETTE - colour).max(axis=1)
    return int(away.argmin()) if away.min() <= ALIKE else -1


def film(file: Path) -> Path:
    """A short film, for a camera."""
    writer = cv2.VideoWriter(str(file), cv2.VideoWriter_fourcc(*"mp4v"), 25.0, (64, 48))
    for _ in range(5):
        writer.write(np.full((48, 64, 3), 128, np.uint8))
    writer.release()
    return file
