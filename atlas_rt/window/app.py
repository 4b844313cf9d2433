"""The composition root of the window: builds the parts, joins them, runs and stops them.

The main thread owns everything in `Parts`. A frame hears the person and the threads, moves the world, and shows it;
nothing in it waits.
"""

from __future__ import annotations

import contextlib
import gc
import os
import sys
import time

from atlas_rt.core.hud import Hud, running_on
from atlas_rt.core.scene import View
from atlas_rt.core.tags import CountTags, name_tags, node_at, visited_image
from atlas_rt.core.visibility import place_of
from atlas_rt.core.world import World
from atlas_rt.encoders import registry
from atlas_rt.errors import MissingError
from atlas_rt.library.cache_layout import cache_folder
from atlas_rt.library.window_settings import WindowSettings
from atlas_rt.render.gl.context import open_in_window
from atlas_rt.settings import Settings
from atlas_rt.ui.input import Input
from atlas_rt.ui.kiosk import Kiosk
from atlas_rt.ui.pacing import Pacer
from atlas_rt.ui.window import AnyWindow, Window
from atlas_rt.window import (
    actions,
    arrivals,
    given_files,
    look_panel,
    looking,
    model_upgrade,
    opening,
    preferences,
    steering,
)
from atlas_rt.window.bearings import Bearings
from atlas_rt.window.panel_state import PanelState
from atlas_rt.window.parts import Parts
from atlas_rt.window.picture import WindowPicture
from atlas_rt.window.startup_trace import StartupTrace
from atlas_rt.workers.picture_files import PictureFiles

DT_MAX_SECS = 0.1
"""After a hiccup the world goes on from where it was, instead of jumping."""
TRACE_MEMORY_SECS = 3.0
WRITING_SECS = 10.0
"""How long the end of the program waits for pictures of the view that are still being written."""
STILL_SECS = 0.5
"""Nothing has changed for so long: frames get sharp, one or (with the rasterizer) a few, and then none are drawn."""
RETOLD_SECS = 1.0
"""In a picture at rest, how far the engine is is drawn anew so often: the cores are the engine's then."""


def launch(
    settings: Settings,
    paths: tuple[str, ...],
    *,
    name: str = "",
    size: tuple[int, int] = (1280, 800),
    file: WindowSettings | None = None,
) -> App:
    """The program in a window of its own. file: of what the person set in windows before, and sets in this one.

    Raises MissingError without a display or OpenGL 3.3, AtlasError where the library cannot be opened; no window is
    left behind then.
    """
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
            renderer=settings.renderer,
            read_clipboard=window.clipboard,
            write_clipboard=window.set_clipboard,
            layout=window.layout(),
        )
        undo.callback(display.release)
        app = App(settings, paths, window=window, display=display, name=name, file=file)
        undo.pop_all()
    window.when_lost(app.leave_without_display)
    return app


class App:
    """One window and what is open in it: the frame loop."""

    def __init__(
        self,
        settings: Settings,
        paths: tuple[str, ...],
        *,
        window: AnyWindow,
        display: WindowPicture,
        name: str = "",
        file: WindowSettings | None = None,
    ) -> None:
        """paths: resolved sources, none for the welcome; name: what to call them. file: as in `launch`. window and
        display are closed by `close`, or by whoever made them when this raises.

        Raises AtlasError where the library cannot be opened.
        """
        cache = cache_folder(settings.cache_path)
        model = registry.load(settings.model, cache)
        self._trace = StartupTrace(settings.trace)
        self.parts = Parts(
            settings=settings,
            cache=cache,
            model=model,
            window=window,
            display=display,
            picture_files=PictureFiles(),
            world=World(reduced_motion=settings.reduced_motion),
            panel_state=PanelState(),
        )
        self.pacer = Pacer(settings.fps)
        self._counts, self._bearings = CountTags(), Bearings()
        self._kiosk = Kiosk(idle_secs=settings.kiosk_idle_secs) if settings.kiosk else None
        self._pose = self.parts.world.camera.pose
        self._still_secs, self._still, self._sharp = 0.0, False, False
        self._drawn_secs, self._drawn_work = 0.0, self.parts.panel_state.work
        self._closed = False
        model_upgrade.look_for_offers(self.parts)
        preferences.dress(self.parts.world, settings)
        try:
            if paths:
                opening.open_library(self.parts, paths, name=name)
            if file is not None:
                preferences.begin(self.parts, file)
            if settings.webcam:
                actions.switch_live(self.parts, on=True)
        except BaseException:
            self._stop_threads()
            raise

    # -- the loop ----------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Frames until the person leaves; then everything is stopped in order."""
        gc.collect()
        gc.freeze()  # a full collection takes 20 ms at 60,000 objects: those made so far are left out of it
        try:
            while self.parts.running:
                self.step()
        finally:
            self.close()

    def step(self) -> bool:
        """One round of the loop: a frame at its deadline, or a rest where nothing changes. Whether it was drawn."""
        dt_secs = self.pacer.begin()
        begun = time.perf_counter()
        drawn = self.frame(min(dt_secs, DT_MAX_SECS))
        self.pacer.end()
        if not drawn:
            self.pacer.rest(self.parts.window.wait)
        elif not self._still:
            self.parts.display.observe((time.perf_counter() - begun) * 1000.0)
        return drawn

    def frame(self, dt_secs: float) -> bool:
        """Hear the person, hear the threads, move the world, show it; False when there was nothing new to show."""
        parts = self.parts
        told = given_files.paste_over_text(parts, parts.window.poll())
        changed = arrivals.hear(parts) or bool(told.events or told.exposed or told.held)
        changed |= self._change_over() | self._hear_fonts() | preferences.follow_hints(parts, told, dt_secs)
        self._follow(told, dt_secs)
        parts.world.keep_framed(parts.display.free_view)
        parts.world.advance(dt_secs, looking.left_for_map(parts, told.held, dt_secs))
        parts.panel_state.advance(dt_secs)
        drawn = told.visible and not self._may_rest(changed, dt_secs)
        if drawn:
            self._draw(told, dt_secs)
        self._note_start()
        return drawn

    def _follow(self, told: Input, dt_secs: float) -> None:
        """Carry out what the input asks for beyond the panels."""
        parts = self.parts
        if told.closed:
            parts.running = False
        for request in steering.requests_of(parts, told):
            actions.carry_out(parts, request)
        steering.steer(parts, told)
        if self._kiosk is not None:
            self._keep_kiosk(self._kiosk, told, dt_secs)

    def _change_over(self) -> bool:
        """Let the rasterizer draw once it is there, or say why it never will; whether anything came of it."""
        display = self.parts.display
        changed = display.change_over()
        if display.trouble:
            self.parts.panel_state.say(display.trouble, "warning")
            display.trouble = ""
            return True
        return changed

    def _hear_fonts(self) -> bool:
        """Show text in the fonts that were found for it, or say once which ones are missing."""
        changed, missing = self.parts.display.hear_fonts()
        if missing:
            self.parts.panel_state.say(missing)
        return changed

    def _draw(self, told: Input, dt_secs: float) -> None:
        """Show one frame: panels are built before, and what is asked for in them is done at once."""
        parts = self.parts
        view = parts.world.view(parts.window.framebuffer_px)
        steering.point(parts, told, view)
        for request in parts.display.build_panels(
            self.hud(view, dt_secs),
            told,
            framebuffer_px=view.size_px,
            dpi_scale=parts.window.dpi_scale,
            scale=parts.settings.ui_scale,
        ):
            actions.carry_out(parts, request)
        parts.window.text_focused = parts.display.wants_text
        parts.window.looking = parts.panel_state.look.open and not parts.panel_state.settings_open
        look_panel.want_tiles(parts)
        self._still = self._still_secs >= STILL_SECS
        self._drawn_secs, self._drawn_work = 0.0, parts.panel_state.work
        parts.display.draw(view, parts.display.target, still=self._still)
        self._sharp = self._still and not parts.display.refines
        if parts.session is not None:
            parts.session.want_tiles(parts.display.wanted_tiles(view))
        parts.window.flip()

    def _keep_kiosk(self, kiosk: Kiosk, told: Input, dt_secs: float) -> None:
        order = kiosk.advance(
            dt_secs,
            idle_secs=told.idle_secs,
            pointer_moved=bool(told.events),
            leave_held="leave_kiosk" in told.held,
        )
        self.parts.window.set_pointer_visible(order.pointer_visible)
        if order.leave:
            self.parts.running = False
        if order.home:
            actions.make_fresh(self.parts)

    def _may_rest(self, changed: bool, dt_secs: float) -> bool:
        """Whether this frame would look like the one before: then nothing is drawn and the cores stay cool."""
        world, display = self.parts.world, self.parts.display
        ambient = display.pulses and world.ambient > 0.0 and not self.parts.panel_state.look.open
        moved = world.camera.pose != self._pose
        self._pose = world.camera.pose
        busy = (
            changed or moved or ambient or not world.resting or self.parts.panel_state.lively or self._bearings.lively
        )
        self._still_secs = 0.0 if busy else self._still_secs + dt_secs
        self._drawn_secs += dt_secs
        self._sharp &= not busy
        retold = self.parts.panel_state.work != self._drawn_work and self._drawn_secs >= RETOLD_SECS
        return self._sharp and not retold

    # -- the end -----------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Stop what runs and let everything go; a second call does nothing."""
        if self._closed:
            return
        self._closed = True
        self._stop_threads()
        self.parts.display.release()
        self.parts.window.close()

    def leave_without_display(self) -> None:
        """End the program where its display has gone: the X server crashed, or the person logged out.

        No exception can leave the window system's library, which would end the process by itself and lose what the
        engine has in hand; so it ends here, in order but for what the lost display owned.
        """
        self._stop_threads()
        sys.stderr.write("atlas-rt: the display has gone; everything found so far is kept\n")
        sys.stderr.flush()
        os._exit(MissingError.exit_code)

    def _stop_threads(self) -> None:
        session, self.parts.session = self.parts.session, None
        if session is not None:
            session.close()
        self.parts.upgrade.close()
        if self.parts.keeper is not None:
            self.parts.keeper.close(limit_secs=WRITING_SECS)
        self.parts.picture_files.close(limit_secs=WRITING_SECS)

    def _note_start(self) -> None:
        """For measurements: when every image was on screen at its place, and what memory that took."""
        if not self.parts.settings.trace:
            return
        if len(self.parts.world.scene.ids):
            self._trace.note("shown")
            self._trace.note("tiles")  # the small tiles came with the scene
        if self.parts.world.time_secs > TRACE_MEMORY_SECS:
            self._trace.note_memory()

    # -- what is shown -----------------------------------------------------------------------------------------------

    def hud(self, view: View, dt_secs: float) -> Hud:
        """What the panels show in this frame."""
        parts = self.parts
        world, panel_state, session = parts.world, parts.panel_state, parts.session
        size_px = parts.window.size_px
        hovered = view.hovered
        self._bearings.follow(parts, view, dt_secs)
        at = node_at(view, hovered, place_of(view, hovered), size_px) if hovered >= 0 else (0, 0, 0)
        return Hud(
            size_px=size_px,
            dt_secs=dt_secs,
            source=panel_state.source,
            images=len(world.scene.ids),
            failures=panel_state.failures,
            map_kind=world.scene.kind,
            model=(parts.model if session is None else session.model).name,
            provider=running_on(panel_state.provider, session.search.provider if session else ""),
            renderer=parts.display.renderer_name,
            progress=None if session is not None and session.coming is not None else panel_state.work,
            name_tags=name_tags(view, world.regions, size_px),
            words=world.scene.words,
            count_tags=self._counts.tags(view, size_px, dt_secs),
            minimap=self._bearings.minimap(parts, view),
            place=self._bearings.place(),
            palette=panel_state.palette.view(world.scene, panel_state.views),
            compass=self._bearings.compass(parts, view),
            searching=panel_state.searching,
            query=panel_state.query,
            query_picture=panel_state.search.picture,
            threshold=panel_state.search.threshold,
            drop_offer=panel_state.search.offer,
            answer=world.answer,
            result=panel_state.place_among(world.answer),
            hovered=panel_state.hovered,
            hovered_at_px=at,
            visited=visited_image(view, size_px),
            selected=panel_state.selected,
            live=world.live,
            live_on=session is not None and session.live,
            touring=world.tour is not None,
            help_open=panel_state.help_open,
            figures=self.pacer.figures(step=parts.display.step, drawn=parts.display.drawn)
            if panel_state.figures_open
            else None,
            notices=tuple(panel_state.notices),
            kiosk=parts.settings.kiosk,
            troubles=panel_state.lasting,
            picture_id=panel_state.picture_error[0],
            picture_error=panel_state.picture_trouble,
            welcome=panel_state.opening or (session is None and not len(world.scene.ids)),
            reduced_motion=parts.settings.reduced_motion,
            speed=world.camera.speed,
            clusters=panel_state.clusters.panel(world.scene, world.shown_clusters),
            filters=panel_state.filters.panel(len(world.scene.ids), world.scene.words),
            narrator=panel_state.narrator.view(opened=panel_state.clusters.opened),
            look=look_panel.panel(parts, dt_secs),
            upgrade=model_upgrade.view(parts),
            settings=preferences.view(parts),
            hint=parts.hints.shown if preferences.has_room_for_hint(parts) else None,
            bucket=panel_state.bucket,
            selection=len(world.selected_ids),
        )
