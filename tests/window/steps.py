"""Everything that can happen to a window, in any order, as steps of a state machine."""

from __future__ import annotations

import functools
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import moderngl
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    get_state_machine_test,
    invariant,
    rule,
)

from atlas_rt.core import retries
from atlas_rt.core.filter_panel import VALUE
from atlas_rt.core.requests import (
    AddPaths,
    BeginRename,
    BrushDates,
    CloseOffer,
    Deselect,
    FilterBy,
    FlyTo,
    HideCluster,
    Hover,
    IsolateCluster,
    LookAt,
    MoreLike,
    OpenClusterPage,
    OpenSource,
    RecallQuery,
    RenameCluster,
    Search,
    Select,
    SetThreshold,
    ShowAllClusters,
    TakeOffFilter,
    ToggleFilter,
    VisitCluster,
)
from atlas_rt.engine.messages import Refit, Undo
from atlas_rt.ui.input import Click, Input, Modifiers, PointerMoved
from atlas_rt.window import session
from tests.window.stage import Stage

FILTERS = ("type:png", "-type:png", "folder:few", "name:1", "date:>2000", "cluster:red", "label:square", "x")
STEPS = 30
"""Of a sequence."""
FEWEST, MOST = {"few": 3, "many": 16}, {"few": 9, "many": 21}
"""Files of each folder. Sixteen are fitted, by a process of its own, and have clusters."""
DROPPED_MOST = 4
SIZES = ((320, 240), (480, 270), (320, 640), (64, 48))
"""In a window as high as the third, an image that is visited shows its large tile."""
WORDS = ("red", "blue square", "green -red", "nothing like it", "x")
NAMES = ("mine", "گل\u200cها", "")
"""For clusters; the last one brings the program's own back."""
PATIENCE_SECS = 30.0

Step = Callable[..., None]
LOOKS = ("look_whole", "look_next", "look_next", "look_previous", "look_compare", "look_size", "look_turn")
ANY = st.integers(0, 99)
"""Which image or file, counted around."""
SHARES = st.tuples(st.floats(0.0, 1.0), st.floats(0.0, 1.0))


def step(
    *, when: Callable[[Steps], object] = lambda _: True, **arguments: st.SearchStrategy[Any]
) -> Callable[[Step], Step]:
    """A rule that is counted, and told of where something fails.

    when: whether there is anything to do. It is no precondition: what hypothesis chooses from must not depend on what
    threads and processes did.
    """

    def counted(method: Step) -> Step:
        @functools.wraps(method)
        def do(self: Steps, **given: Any) -> None:
            words = ", ".join(f"{name}={value}" for name, value in given.items())
            with self._told(f"{method.__name__}({words})") as broken:
                if not broken and when(self):
                    method(self, **given)
                    self.stage.hits[method.__name__] += 1
                if not broken:
                    self.stage.frames(2)

        wrapped: Step = rule(**arguments)(do)
        return wrapped

    return counted


class Steps(RuleBasedStateMachine):
    """One sequence. The stage stays set between sequences: each begins at the plain map, where the last one ended."""

    stage: ClassVar[Stage]
    lengths: ClassVar[list[int]]
    failure: ClassVar[tuple[int, BaseException] | None] = None
    """After how many points of a sequence something failed first, and what. Hypothesis plays that sequence again to
    tell of it, and finds the same error there without anything being done."""

    def __init__(self) -> None:
        super().__init__()
        self._log: list[str] = []
        self._points = self._steps = 0

    @invariant()
    def everything_holds(self) -> None:
        with self._told("") as broken:
            if not broken:
                self.stage.check()

    def teardown(self) -> None:
        """What was unplugged comes back, and Esc leads to the plain map, which shows what is on disk."""
        with self._told("the end") as broken:
            if broken:
                return
            self.stage.clear_up()
        self.lengths.append(self._steps - 1)
        if len(self.lengths) % 20 == 0:
            print(f"{len(self.lengths)} sequences after {time.monotonic() - self.stage.begun:.0f} s", flush=True)

    @contextmanager
    def _told(self, what: str) -> Iterator[bool]:
        """Whether something has failed already; what fails within is told with all steps before."""
        self._points += 1
        self._steps += bool(what)
        self._log += [what] if what else []
        if self.failure is not None and self._points == self.failure[0]:
            raise self.failure[1]
        try:
            yield self.failure is not None
        except Exception as error:
            error.add_note("\n".join(["Steps:", *self._log]))
            type(self).failure = self._points, error
            raise

    # -- libraries ---------------------------------------------------------------------------------------------------

    @step(at=ANY)
    def open_library(self, at: int) -> None:
        folder = self.stage.folders[at % 2]
        self.stage.player.do(OpenSource((str(folder.root),)))

    @step()
    def open_what_cannot_be_opened(self) -> None:
        before = self.stage.session
        self.stage.player.do(OpenSource((str(self.stage.desk / "nothing"),)))
        assert self.stage.session is before

    @step(secs=st.floats(0.02, 0.3))
    def wait(self, secs: float) -> None:
        self.stage.wait(secs)

    @step()
    def settle(self) -> None:
        self.stage.settle()

    # -- files -------------------------------------------------------------------------------------------------------

    @property
    def _may_go(self) -> bool:
        folder = self.stage.folder
        return len(folder.files) > FEWEST[folder.root.name] and folder.may_lose

    @property
    def _may_come(self) -> bool:
        folder = self.stage.folder
        return len(folder.files) < MOST[folder.root.name]

    @step(when=lambda self: self._may_come, fresh=st.booleans())
    def add_file(self, fresh: bool) -> None:
        self.stage.folder.add(fresh=fresh)

    @step(when=lambda self: not self.stage.app.parts.panel_state.opening)
    def drop_file(self) -> None:
        """One that is new to the library or, once there are some, one that was dropped before."""
        folder = self.stage.folder
        known = list(folder.dropped)
        file = known[0] if len(known) >= DROPPED_MOST else folder.drop(self.stage.desk)
        self.stage.hear(Input(drops=(str(file),)))
        offer = self.stage.app.parts.panel_state.search.offer
        if offer is None:  # the console is open: it is searched by
            if file not in known:
                folder.not_dropped(file)
            return
        self.stage.player.do(AddPaths(offer.paths), CloseOffer())
        told = [notice.text for notice in self.stage.app.parts.panel_state.notices]
        notice = next((text for text in reversed(told) if text.startswith(("adding ", "Nothing was added"))), "")
        if notice != f"adding {file.name}":
            assert notice.startswith("Nothing was added"), notice
            if file not in known:
                folder.not_dropped(file)

    @step(at=ANY, fresh=st.booleans())
    def change_file(self, at: int, fresh: bool) -> None:
        self.stage.folder.change(self._file(at), fresh=fresh)

    @step(when=lambda self: self._may_go, at=ANY)
    def delete_file(self, at: int) -> None:
        self.stage.folder.delete(self._file(at))

    @step(when=lambda self: self.stage.folder.may_lose, at=ANY)
    def rename_file(self, at: int) -> None:
        self.stage.folder.rename(self._file(at))

    @step(one=ANY, other=ANY)
    def swap_files(self, one: int, other: int) -> None:
        self.stage.folder.swap(self._file(one), self._file(other))

    @step(when=lambda self: not self.stage.folder.unplugged, empty=st.booleans())
    def unplug(self, empty: bool) -> None:
        self.stage.folder.unplug(empty=empty)

    @step()
    def plug_in(self) -> None:
        """The drive is there again; one that is there goes for a moment, as its plug is loose."""
        if not self.stage.folder.unplugged:
            self.stage.folder.unplug(empty=False)
            self.stage.frames(2)
        self.stage.folder.plug_in()

    @step()
    def fill_disk(self) -> None:
        self.stage.limit_files(full=True)

    @step()
    def free_disk(self) -> None:
        self.stage.limit_files(full=False)

    # -- the engine --------------------------------------------------------------------------------------------------

    @step()
    def kill_engine(self) -> None:
        self.stage.kill_engine()

    @step(when=lambda self: self.stage.engine_pid and len(self.stage.paths) > 11)
    def kill_fit(self) -> None:
        """Begin a refit, and kill the process that makes it."""
        assert self.stage.session.engine is not None
        self.stage.session.engine.tell(Refit())
        pid, troubles = self.stage.engine_pid, self.stage.app.parts.panel_state.troubles
        self.stage.see(
            lambda: (
                self.stage.fit_processes()
                or self.stage.engine_pid != pid
                or self.stage.app.parts.panel_state.troubles != troubles  # it was killed too often
            ),
            secs=PATIENCE_SECS,
            why="a fit",
        )
        self.stage.kill(self.stage.fit_processes())

    @step()
    def refit(self) -> None:
        if self.stage.session.engine is not None:
            self.stage.session.engine.tell(Refit())

    @step()
    def undo(self) -> None:
        if self.stage.session.engine is not None:
            self.stage.session.engine.tell(Undo())

    # -- searching and choosing --------------------------------------------------------------------------------------

    @step(text=st.sampled_from(WORDS))
    def search(self, text: str) -> None:
        self.stage.player.do(Search(text))

    @step(at=ANY)
    def more_like(self, at: int) -> None:
        self.stage.player.do(MoreLike(self.stage.id_at(at)))

    @step(threshold=st.sampled_from((-1.0, 0.0, 1.0, 4.0)))
    def set_threshold(self, threshold: float) -> None:
        self.stage.player.do(SetThreshold(threshold))

    @step(by=st.sampled_from((-1, 1)))
    def recall(self, by: int) -> None:
        self.stage.player.do(RecallQuery(by))

    @step()
    def open_console(self) -> None:
        self._act("search")

    @step(name=st.sampled_from(("next_result", "previous_result", "fly_to_best")))
    def step_through(self, name: str) -> None:
        self._act(name)

    @step(way=st.sampled_from(("left", "right", "up", "down")))
    def go_to_neighbour(self, way: str) -> None:
        self._act(f"neighbour_{way}")

    @step(at=ANY, add=st.booleans())
    def select(self, at: int, add: bool) -> None:
        self.stage.player.do(Select(self.stage.id_at(at), add=add))

    @step()
    def deselect(self) -> None:
        self.stage.player.do(Deselect())

    @step(at=ANY)
    def visit(self, at: int) -> None:
        """Fly to an image, so near that its large tile is fetched."""
        self.stage.player.do(FlyTo(self.stage.id_at(at)), Select(self.stage.id_at(at)))
        self.stage.frames(8, dt_secs=0.2)

    @step(name=st.sampled_from(LOOKS))
    def look(self, name: str) -> None:
        """Look at what is selected whole, or do something over what is looked at already."""
        self._act(name if self.stage.app.parts.panel_state.look.open else "look_whole")
        self.stage.frames(2)

    @step(at=ANY, other=ANY)
    def compare(self, at: int, other: int) -> None:
        self.stage.player.do(LookAt((self.stage.id_at(at), self.stage.id_at(other))))
        self.stage.frames(2)

    @step(at=ANY)
    def hover_in_panel(self, at: int) -> None:
        self.stage.player.do(Hover(self.stage.id_at(at)))

    @step()
    def hover_nothing_in_panel(self) -> None:
        self.stage.player.do(Hover(-1))

    @step(shares=SHARES)
    def point(self, shares: tuple[float, float]) -> None:
        at = self._at(shares)
        self.stage.hear(Input(pointer_px=at, events=(PointerMoved(at),)))

    @step(shares=SHARES, count=st.sampled_from((1, 2)), ctrl=st.booleans())
    def click(self, shares: tuple[float, float], count: int, ctrl: bool) -> None:
        at = self._at(shares)
        click = Click("left", at, Modifiers(ctrl=ctrl), count)
        self.stage.hear(Input(pointer_px=at, events=(PointerMoved(at),)))
        self.stage.hear(Input(pointer_px=at, clicks=(click,), events=(PointerMoved(at),)))

    @step(px=st.tuples(st.integers(-200, 200), st.integers(-200, 200)), right=st.booleans())
    def drag(self, px: tuple[int, int], right: bool) -> None:
        self.stage.hear(Input(drag_right_px=px) if right else Input(drag_left_px=px))

    @step(way=st.sampled_from(("forward", "back", "left", "right", "up", "down")), wheel=st.integers(-3, 3))
    def fly(self, way: str, wheel: int) -> None:
        for _ in range(3):
            self.stage.hear(Input(held=frozenset((way,)), wheel=wheel))

    @step(name=st.sampled_from(("home", "focus", "previous_place", "next_place")))
    def go(self, name: str) -> None:
        self._act(name)

    # -- clusters ----------------------------------------------------------------------------------------------------

    @step()
    def clusters(self) -> None:
        self._act("clusters")

    @step(at=ANY)
    def open_page(self, at: int) -> None:
        self._open_clusters()
        self.stage.player.do(OpenClusterPage(self.stage.cluster_at(at)))

    @step(at=ANY, hide=st.sampled_from((HideCluster, IsolateCluster, VisitCluster)))
    def hide_cluster(self, at: int, hide: type[HideCluster | IsolateCluster | VisitCluster]) -> None:
        self._open_clusters()
        self.stage.player.do(hide(self.stage.cluster_at(at)))

    @step()
    def show_all_clusters(self) -> None:
        self.stage.player.do(ShowAllClusters())

    @step(at=ANY, name=st.sampled_from(NAMES))
    def rename_cluster(self, at: int, name: str) -> None:
        self._open_clusters()
        cluster = self.stage.cluster_at(at)
        self.stage.player.do(BeginRename(cluster), RenameCluster(cluster, name))

    @step()
    def take_back(self) -> None:
        self._act_anew("undo")
        self._note_taken_off("taken off the map again: ", self.stage.folder.take_off)

    @step()
    def do_again(self) -> None:
        self._act_anew("redo")
        self._note_taken_off("adding ", self.stage.folder.add_again)

    # -- filters -----------------------------------------------------------------------------------------------------

    @step(text=st.sampled_from(FILTERS))
    def filter_by(self, text: str) -> None:
        self.stage.player.do(FilterBy(text))

    @step(at=ANY, wanted=st.booleans())
    def toggle_value(self, at: int, wanted: bool) -> None:
        """A click in the list, once that is there."""
        if not self.stage.app.parts.panel_state.filters.open:
            self._act("filters")
        lines = [line for line in self.stage.app.parts.panel_state.filters.lines() if line.kind == VALUE]
        if lines:
            line = lines[at % len(lines)]
            self.stage.player.do(ToggleFilter(line.field, line.value, wanted))

    @step(name=st.sampled_from(("filters", "timeline", "hide_filtered", "hide_filtered", "clear_filters")))
    def filters(self, name: str) -> None:
        self._act(name)

    @step(first=st.integers(0, 30_000), days=st.integers(1, 20_000), ended=st.booleans())
    def brush(self, first: int, days: int, ended: bool) -> None:
        self.stage.player.do(BrushDates((first, first + days), ended))

    @step(at=ANY)
    def take_off(self, at: int) -> None:
        self.stage.player.do(TakeOffFilter(at % 4))

    # -- the window --------------------------------------------------------------------------------------------------

    @step(size_px=st.sampled_from(SIZES))
    def resize(self, size_px: tuple[int, int]) -> None:
        self.stage.player.resize(size_px)

    @step()
    def minimise(self) -> None:
        self.stage.player.window.visible = False

    @step()
    def show(self) -> None:
        self.stage.player.window.visible = True
        self.stage.hear(Input(exposed=True))

    @step()
    def help(self) -> None:
        self._act("help")

    @step()
    def figures(self) -> None:
        self._act("figures")

    @step()
    def tour(self) -> None:
        self._act("tour")

    @step()
    def wall(self) -> None:
        self._act("wall")

    @step()
    def orbit(self) -> None:
        self._act("orbit")

    @step()
    def live(self) -> None:
        self._act("live")

    @step()
    def full_screen(self) -> None:
        self._act("fullscreen")

    @step()
    def opening_panel(self) -> None:
        self._act("open")

    @step()
    def save_picture(self) -> None:
        self.stage.saved += 1
        self._act("picture")

    @step()
    def copy_path(self) -> None:
        self._act("copy_path")

    @step()
    def paste_nothing(self) -> None:
        self._act("paste")

    @step()
    def escape(self) -> None:
        self.stage.escape()

    @step()
    def escape_to_the_plain_map(self) -> None:
        self.stage.escape_to_the_plain_map()

    def _file(self, at: int) -> str:
        """A file of the folder; every second time that of the selected image, of which most is shown."""
        world, files = self.stage.app.parts.world, list(self.stage.folder.files)
        selected = [Path(world.scene.paths[world.row(id_)]).name for id_ in world.selected_ids]
        chosen = [name for name in selected if name in files] if at % 2 else []
        return (chosen or files)[at % len(chosen or files)]

    def _open_clusters(self) -> None:
        if not self.stage.app.parts.panel_state.clusters.open:
            self._act("clusters")

    def _act_anew(self, name: str) -> None:
        """What is said then is said of this."""
        self.stage.app.parts.panel_state.notices.clear()
        self._act(name)

    def _note_taken_off(self, words: str, note: Callable[[str], None]) -> None:
        """The newest notice may be about a file that was dropped."""
        notices = self.stage.app.parts.panel_state.notices
        if notices and notices[-1].text.startswith(words):
            note(notices[-1].text.removeprefix(words))

    # -- steps -------------------------------------------------------------------------------------------------------

    def _act(self, name: str) -> None:
        self.stage.hear(Input(actions=(name,)))

    def _at(self, shares: tuple[float, float]) -> tuple[float, float]:
        width, height = self.stage.player.window.size_px
        return shares[0] * (width - 1), shares[1] * (height - 1)


def names_of_steps(machine: type[Steps]) -> list[str]:
    return sorted(each.function.__name__ for each in machine().rules)


@contextmanager
def set_stage(context: moderngl.Context, words: Path, desk: Path) -> Iterator[Stage]:
    """A window on new libraries below `desk`. words: a vocabulary that need not be encoded again."""
    shutil.copytree(words, desk / "cache" / "vocabulary")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_PICTURES_DIR", str(desk / "saved"))
        patch.setattr(session, "NICENESS", 0)  # nobody looks at the frames
        patch.setattr(retries, "PAUSES_SECS", (0.02, 0.04, 0.08))
        stage = Stage(context, desk / "cache", desk)
        try:
            stage.begin()
            yield stage
        finally:
            stage.close()


def play_sequences(stage: Stage, count: int, *, seed: int) -> list[int]:
    """Play so many whole sequences, one after the other on one stage; how many steps each had. Some that hypothesis
    breaks off, as they are larger than it likes at the beginning, come on top.

    Nothing is made smaller where it fails: the processes and threads never do the same twice. The steps are told.
    """
    print(f"seed {seed}")
    Steps.stage, Steps.lengths, Steps.failure = stage, [], None
    rules = settings(
        max_examples=count + 1,  # the first one is the simplest, and takes one step over and over
        stateful_step_count=STEPS,
        database=None,
        deadline=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    seeded(seed)(get_state_machine_test(Steps, settings=rules, _min_steps=STEPS))()
    return Steps.lengths
