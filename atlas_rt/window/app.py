"""The composition root of the window: builds the parts, joins them, runs and stops them.

The main thread owns the window, the stage, the world, the panels' state and the session. A frame hears the person and
the threads, moves the world, and shows it; nothing in it waits.
"""

from __future__ import annotations

import contextlib
import gc
import os
import sys
import time
from pathlib import Path

from atlas_rt.core.hud import Hud, running_on
from atlas_rt.core.records import Failure, IndexReport, Progress, View
from atlas_rt.core.tags import CountTags, name_tags, node_at
from atlas_rt.core.world import World
from atlas_rt.encoders import registry
from atlas_rt.engine.messages import FromEngine, Locked, Provider, Published, Refused, Said
from atlas_rt.errors import MissingError
from atlas_rt.library.cache_layout import cache_folder
from atlas_rt.render.gl.offscreen import open_in_window
from atlas_rt.settings import Settings
from atlas_rt.ui.pacing import Pacer
from atlas_rt.ui.window import AnyWindow, Window
from atlas_rt.window.actions import Actions
from atlas_rt.window.panel_state import PanelState
from atlas_rt.window.picture import WindowPicture
from atlas_rt.window.session import Session, source_name
from atlas_rt.window.startup_trace import StartupTrace
from atlas_rt.workers.scenes import Arrival

UPLOAD_BUDGET_SECS = 0.002
DT_MAX_SECS = 0.1
"""After a hiccup the world goes on from where it was, instead of jumping."""
TRACE_MEMORY_SECS = 3.0
STILL_FRAMES = 30
"""Frames in which nothing changed, after which the picture is no longer drawn anew; the last of them is sharp."""


def launch(settings: Settings, paths: tuple[str, ...], *, name: str = "", size: tuple[int, int] = (1280, 800)) -> App:
    """The program in a window of its own. Raises MissingError without a display or OpenGL 3.3, AtlasError where the
    library cannot be opened; no window is left behind then."""
    window = Window(
        "atlas_rt",
        size=size,
        fullscreen=settings.fullscreen,
        kiosk=settings.kiosk,
        screen=None if settings.screen < 0 else settings.screen,
        vsync=False,
    )
    with contextlib.ExitStack() as undo:
        undo.callback(window.close)
        display = WindowPicture(
            open_in_window(),
            quality=settings.quality,
            read_clipboard=window.clipboard,
            write_clipboard=window.set_clipboard,
            layout=window.layout(),
        )
        undo.callback(display.release)
        app = App(settings, paths, window=window, display=display, name=name)
        undo.pop_all()
    window.when_lost(app.leave_without_display)
    return app


class App:
    """One window and what is open in it."""

    def __init__(
        self,
        settings: Settings,
        paths: tuple[str, ...],
        *,
        window: AnyWindow,
        display: WindowPicture,
        name: str = "",
    ) -> None:
        """paths: resolved sources, none for the welcome; name: what to call them. window and display are closed by
        `close`, or by whoever made them when this raises.

        Raises AtlasError where the library cannot be opened.
        """
        self.settings = settings
        self.cache = cache_folder(settings.cache_path)
        self.model = registry.load(settings.model, self.cache)
        self.window = window
        self.display = display
        self.world = World(reduced_motion=settings.reduced_motion)
        self.panel_state = PanelState()
        self._counts = CountTags()
        self.pacer = Pacer(settings.fps)
        self._trace = StartupTrace(settings.trace)
        self.session: Session | None = None
        self.running = True
        self._view: View | None = None
        self._pose = self.world.camera.pose
        self._still = 0
        self.actions = Actions(self)
        if paths:
            self.open(paths, name=name)
        if settings.webcam:
            self.actions.switch_live(on=True)

    # -- the loop ----------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Frames until the person leaves; then everything is stopped in order."""
        gc.collect()
        gc.freeze()  # a full collection takes 20 ms at 60,000 objects: those made so far are left out of it
        try:
            while self.running:
                dt_secs = self.pacer.begin()
                begun = time.perf_counter()
                drawn = self.frame(min(dt_secs, DT_MAX_SECS))
                self.pacer.end()
                if not drawn:
                    self.pacer.rest(self.window.wait)
                elif self._still < STILL_FRAMES:
                    self.display.observe((time.perf_counter() - begun) * 1000.0)
        finally:
            self.close()

    def frame(self, dt_secs: float) -> bool:
        """Hear the person, hear the threads, move the world, show it; False when there was nothing new to show."""
        told = self.window.poll()
        heard = self._hear_engine()
        changed = self._take_arrivals() or bool(told.events)
        self.actions.follow(told, dt_secs)
        self.world.advance(dt_secs, told.held)
        self.panel_state.advance(dt_secs)
        if (self._may_rest(changed or told.exposed or bool(told.held)) and not heard) or not told.visible:
            self._note_start()
            return False
        self._view = view = self.world.view(self.window.framebuffer_px)
        self.actions.point(told, view)
        hud, scale = self.hud(view, dt_secs), self.window.dpi_scale
        for request in self.display.build_panels(hud, told, framebuffer_px=view.size_px, dpi_scale=scale):
            self.actions.route(request)
        self.window.text_focused = self.display.wants_text
        self.display.draw(view, self.display.target, still=self._still >= STILL_FRAMES)
        if self.session is not None:
            self.session.want_tiles(self.display.wanted_tiles(view))
        self.window.flip()
        self._note_start()
        return True

    def save_picture(self, path: Path) -> None:
        """Write what is seen, without the panels, as a PNG. Raises OSError."""
        self.display.save_picture(self.world.view(self.window.framebuffer_px), path)

    def close(self) -> None:
        """Stop what runs and let everything go; a second call does nothing."""
        if self.session is not None:
            self.session.close()
            self.session = None
        self.display.release()
        self.window.close()

    def leave_without_display(self) -> None:
        """End the program where its display has gone: the X server crashed, or the person logged out.

        No exception can leave the window system's library, which would end the process by itself and lose what the
        engine has in hand; so it ends here, in order but for what the lost display owned.
        """
        if self.session is not None:
            self.session.close()
        sys.stderr.write("atlas-rt: the display has gone; everything found so far is kept\n")
        sys.stderr.flush()
        os._exit(MissingError.exit_code)

    def _note_start(self) -> None:
        """For measurements: when every image was on screen at its place, and what memory that took."""
        if not self.settings.trace:
            return
        if len(self.world.scene.ids):
            self._trace.note("shown")
            self._trace.note("tiles")  # the small tiles came with the scene
        if self.world.time_secs > TRACE_MEMORY_SECS:
            self._trace.note_memory()

    # -- opening -----------------------------------------------------------------------------------------------------

    def open(self, paths: tuple[str, ...], *, name: str = "") -> None:
        """Show another library; the one that was open is closed in order, once the new one stands.

        Raises AtlasError where it cannot be opened; then what was open stays as it was.
        """
        if self.session is not None and self.session.sources == tuple(sorted(set(paths))):
            self.panel_state.opening = False  # it is open; a second session would find it locked by the first
            return
        session = Session(self.settings, paths, cache=self.cache, model=self.model)
        if self.session is not None:
            self.session.close()
        self.session = session
        self.world = World(reduced_motion=self.settings.reduced_motion)
        self.panel_state = PanelState(source=name or source_name(paths))
        self.display.clear()
        self.window.set_title(f"atlas_rt - {self.panel_state.source}")
        if self.session.first is not None:
            self._show(self.session.first)

    # -- what the threads tell ---------------------------------------------------------------------------------------

    def _hear_engine(self) -> bool:
        heard = False
        for message in self.session.messages() if self.session else ():
            heard = True
            self._hear(message)
        before, self.panel_state.troubles = self.panel_state.troubles, self.session.troubles() if self.session else ()
        return heard or self.panel_state.troubles != before

    def _hear(self, message: FromEngine) -> None:
        match message:
            case Progress():
                self.panel_state.progress = None if message.stage == "idle" else message
            case Published() if self.session:
                self.session.scenes.poke()
            case Provider():
                self.panel_state.provider = message.provider
            case Failure():
                self.panel_state.failures = (*self.panel_state.failures, message)
            case IndexReport():
                self._tell_report(message)
            case Said():
                self.panel_state.say(message.text)
            case Refused() | Locked():
                self.panel_state.progress = None  # `Session.troubles` says why

    def _tell_report(self, report: IndexReport) -> None:
        self.panel_state.progress = None
        if report.images == 0:
            self.panel_state.say("no images were found here; drop some on the window", "warning")
        elif report.new:
            self.panel_state.say(f"{report.new:,} new images are on the map", "good")

    def _take_arrivals(self) -> bool:
        session = self.session
        if session is None:
            return False
        changed = False
        if (arrival := session.arrival()) is not None:
            changed = True
            self._show(arrival)
        if (answer := session.answer()) is not None and answer.query == self.panel_state.query:
            changed = True
            self.world.light_by(answer)
        if (facts := session.told()) is not None:
            changed = True
            self.panel_state.take_facts(facts, selected=self.world.selected_ids, hovered=self.world.hovered_id)
        picture = session.picture()
        if picture is not None and self.world.selected_ids[-1:] == (picture.id,):
            changed = True
            self.display.show_picture("selected", picture.pixels)
            self.panel_state.picture_error = picture.id, picture.error
        if (fix := session.fix()) is not None:
            changed = True
            self.world.mark(fix)
            self.display.show_picture("live", fix.picture)
        for tile in session.drain_tiles(budget_secs=UPLOAD_BUDGET_SECS):
            changed = True
            self.display.accept(tile)
        return changed

    def _show(self, arrival: Arrival) -> None:
        """Show a scene; what is told of images follows it."""
        before = self._selected_record()
        self.display.show(arrival)
        self.world.morph_to(arrival.scene)
        self.panel_state.failures = arrival.failures
        self.panel_state.keep_to(arrival.scene, selected=self.world.selected_ids)
        if self._selected_record() != before:  # it is gone, or its file has changed
            self.display.show_picture("selected", None)
        if self.session is None:
            return
        if self.world.selected_ids:
            self.session.tell_of(self.world.selected_ids[-1], neighbours=True)
            if self._selected_record() != before:
                self.session.ask_picture(self.world.selected_ids[-1])
        if self.panel_state.query:
            self.session.ask(self.panel_state.query)

    def _selected_record(self) -> int:
        """The tile record of the newest selected image: another one means another picture. -1 for none."""
        row = self.world.row(self.world.selected_ids[-1]) if self.world.selected_ids else -1
        return int(self.world.scene.tiles[row]) if row >= 0 else -1

    # -- what is shown -----------------------------------------------------------------------------------------------

    def hud(self, view: View, dt_secs: float) -> Hud:
        """What the panels show in this frame."""
        world, panel_state, size_px = self.world, self.panel_state, self.window.size_px
        at = node_at(view, view.hovered, world.positions()[view.hovered], size_px) if view.hovered >= 0 else (0, 0, 0)
        return Hud(
            size_px=size_px,
            dt_secs=dt_secs,
            source=panel_state.source,
            images=len(world.scene.ids),
            failures=panel_state.failures,
            map_kind=world.scene.kind,
            model=self.model.name,
            provider=running_on(panel_state.provider, self.session.search.provider if self.session else ""),
            renderer=self.display.renderer_name,
            progress=panel_state.progress,
            name_tags=name_tags(view, size_px),
            count_tags=self._counts.tags(view, size_px, dt_secs),
            searching=panel_state.searching,
            query=panel_state.query,
            answer=world.answer,
            result=panel_state.place_among(world.answer),
            hovered=panel_state.hovered,
            hovered_at_px=at,
            selected=panel_state.selected,
            live=world.live,
            live_on=self.session is not None and self.session.live,
            touring=world.tour is not None,
            help_open=panel_state.help_open,
            figures=self.pacer.figures(step=self.display.step, drawn=self.display.drawn)
            if panel_state.figures_open
            else None,
            notices=tuple(panel_state.notices),
            kiosk=self.settings.kiosk,
            troubles=panel_state.troubles,
            picture_error=panel_state.picture_trouble,
            welcome=panel_state.opening or (self.session is None and not len(world.scene.ids)),
            reduced_motion=self.settings.reduced_motion,
            speed=world.camera.speed,
            clusters=world.scene.cluster_records,
        )

    def _may_rest(self, changed: bool) -> bool:
        """Whether this frame would look like the one before: then nothing is drawn and the cores stay cool."""
        ambient = self.display.pulses and self.world.ambient > 0.0
        moved = self.world.camera.pose != self._pose
        self._pose = self.world.camera.pose
        busy = changed or moved or ambient or not self.world.resting or self.panel_state.lively
        self._still = 0 if busy else self._still + 1
        return self._still > STILL_FRAMES
