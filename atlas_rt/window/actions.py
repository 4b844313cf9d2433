"""Carries out what the person asks for: input becomes requests, requests move the world, the panels' state and the
session."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from atlas_rt.core.assets import assets_folder
from atlas_rt.core.controls import BY_NAME
from atlas_rt.core.records import SearchAnswer, View
from atlas_rt.core.requests import (
    AddPaths,
    CopyPath,
    Deselect,
    Do,
    FlyTo,
    Hover,
    OpenSource,
    Request,
    Retry,
    Search,
    Select,
)
from atlas_rt.core.tour import Tour
from atlas_rt.core.visibility import neighbour_towards, pick, rows_in_sight
from atlas_rt.errors import AtlasError
from atlas_rt.library import sources
from atlas_rt.ui.input import Click, Input
from atlas_rt.ui.kiosk import Kiosk

if TYPE_CHECKING:
    from atlas_rt.window.app import App

LOOK_PER_PX = 0.0032
"""Radians the gaze turns for each pixel of a drag, on a window of LOOK_HEIGHT_PX lines."""
LOOK_HEIGHT_PX = 800
ORBIT_PER_PX = 0.006
IN_SIGHT = 60
"""Images that Tab steps through when nothing is searched: the largest on screen."""
DEMO = "demo"


class Actions:
    """The hands of the app. Main thread only."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._kiosk = Kiosk(idle_secs=app.settings.kiosk_idle_secs) if app.settings.kiosk else None
        self._panel_hovered = -1
        self._actions: dict[str, Callable[[], None]] = {
            "home": self._go_home,
            "focus": self._focus,
            "previous_place": self._step_back_in_flight,
            "next_place": self._step_forward_in_flight,
            "orbit": self._toggle_orbit,
            "tour": self._toggle_tour,
            "search": self._open_search,
            "fly_to_best": self._fly_to_best,
            "next_result": lambda: self._step_result(1),
            "previous_result": lambda: self._step_result(-1),
            "neighbour_left": lambda: self._go_to_neighbour(-1.0, 0.0),
            "neighbour_right": lambda: self._go_to_neighbour(1.0, 0.0),
            "neighbour_up": lambda: self._go_to_neighbour(0.0, -1.0),
            "neighbour_down": lambda: self._go_to_neighbour(0.0, 1.0),
            "open": self._toggle_opening,
            "live": lambda: self.switch_live(on=not self._live),
            "copy_path": self._copy_path,
            "paste": self._paste,
            "picture": self._save_picture,
            "fullscreen": self._toggle_fullscreen,
            "figures": self._toggle_figures,
            "help": self._toggle_help,
            "step_back": self._step_back,
            "quit": self._quit,
        }

    # -- input -------------------------------------------------------------------------------------------------------

    def follow(self, told: Input, dt_secs: float) -> None:
        """Carry out what the input asks for beyond the panels."""
        app = self._app
        if told.events or told.held:
            app.world.stir()
        if told.closed:
            app.running = False
        for name in told.actions:
            self.route(Do(name))
        if told.drops:
            self.route(OpenSource(told.drops) if app.panel_state.opening else AddPaths(told.drops))
        self._steer(told)
        if self._kiosk is not None:
            self._keep_kiosk(self._kiosk, told, dt_secs)

    def point(self, told: Input, view: View) -> None:
        """Find what is under the pointer and ask for its facts."""
        app = self._app
        if app.world.row(self._panel_hovered) >= 0:
            hovered = self._panel_hovered
        elif told.pointer_px is None or app.display.wants_mouse or not len(view.scene.ids):
            hovered = -1
        else:
            ratio = view.size_px[0] / app.window.size_px[0]
            row = pick(view, (told.pointer_px[0] * ratio, told.pointer_px[1] * ratio))
            hovered = int(view.scene.ids[row]) if row >= 0 else -1
        if hovered != app.world.hovered_id:
            app.world.hovered_id = hovered
            app.panel_state.hovered = None
            if hovered >= 0 and app.session:
                app.session.tell_of(hovered, neighbours=False)

    def _steer(self, told: Input) -> None:
        camera, dragged = self._app.world.camera, (told.drag_left_px, told.drag_right_px)
        if told.held or any(drag != (0.0, 0.0) for drag in dragged):
            self._app.world.let_go()
        if self._app.display.wants_mouse:
            return
        scale = LOOK_HEIGHT_PX / self._app.window.size_px[1]
        (look_x, look_y), (orbit_x, orbit_y) = dragged
        if look_x or look_y:
            camera.look(-look_x * LOOK_PER_PX * scale, look_y * LOOK_PER_PX * scale)
        if orbit_x or orbit_y:
            camera.orbit(self._app.world.pivot(), orbit_x * ORBIT_PER_PX * scale, -orbit_y * ORBIT_PER_PX * scale)
        if told.wheel:
            camera.change_speed(told.wheel)
        for click in told.clicks:
            self._click(click)

    def _click(self, click: Click) -> None:
        hovered = self._app.world.hovered_id
        if click.button != "left":
            return
        if hovered < 0:
            self.route(Deselect())
        elif click.count >= 2:
            self.route(FlyTo(hovered))
        else:
            self.route(Select(hovered, add=click.modifiers.ctrl))

    def _keep_kiosk(self, kiosk: Kiosk, told: Input, dt_secs: float) -> None:
        order = kiosk.advance(
            dt_secs,
            idle_secs=told.idle_secs,
            pointer_moved=bool(told.events),
            leave_held="leave_kiosk" in told.held,
        )
        self._app.window.set_pointer_visible(order.pointer_visible)
        if order.leave:
            self._app.running = False
        if order.home:
            for forget in (self._close_search, self._deselect, self._go_home):
                forget()

    # -- requests ------------------------------------------------------------------------------------------------------

    def route(self, request: Request) -> None:
        """Carry out one request."""
        match request:
            case Do(action):
                self._do(action)
            case Search(text):
                self._search(text)
            case FlyTo(id_):
                self._fly_to(id_)
            case Select(id_, add):
                self._select(id_, add=add)
            case Deselect():
                self._deselect()
            case Hover(id_):
                self._panel_hovered = id_
            case CopyPath(id_):
                self._copy(id_)
            case OpenSource(paths, demo):
                self._open((str(assets_folder("models") / DEMO),) if demo else paths, DEMO if demo else "")
            case AddPaths(paths):
                self._add(paths)
            case Retry(part) if self._app.session:
                self._app.session.try_again(part)

    def _do(self, name: str) -> None:
        if self._app.settings.kiosk and not BY_NAME[name].kiosk:
            return
        action = self._actions.get(name)
        if action is not None:
            action()

    def _search(self, text: str) -> None:
        app = self._app
        app.panel_state.query, app.panel_state.result, app.panel_state.result_id = text, -1, -1
        if text.strip() and app.session:
            app.session.ask(text)
        elif not text.strip():
            app.world.light_by(None)

    def _fly_to(self, id_: int) -> None:
        pose = self._app.world.close_up(id_)
        if pose is not None:
            self._app.world.let_go()
            self._app.world.camera.fly_to(pose)

    def _visit(self, id_: int) -> None:
        """Fly there and select it, which also draws it before the pile it may lie in."""
        self._fly_to(id_)
        self._select(id_)

    def _select(self, id_: int, *, add: bool = False) -> None:
        app = self._app
        row = app.world.row(id_)
        if row < 0 or app.session is None:
            return
        kept = tuple(other for other in app.world.selected_ids if other != id_) if add else ()
        app.world.selected_ids = (*kept, id_)
        app.display.show_picture("selected", None)
        app.session.tell_of(id_, neighbours=True)
        app.session.ask_picture(id_)

    def _deselect(self) -> None:
        self._app.world.selected_ids = ()
        self._app.panel_state.selected = None
        self._app.display.show_picture("selected", None)

    def _add(self, paths: tuple[str, ...]) -> None:
        app = self._app
        if app.session is None:
            self._open(paths, "")
            return
        try:
            found = sources.resolve(paths)
        except AtlasError as error:
            app.panel_state.say(str(error), "warning")
            return
        if app.session.add(found):
            app.panel_state.say(f"adding {Path(found[0]).name}" + (f" and {len(found) - 1} more" if found[1:] else ""))
        else:
            app.panel_state.say(f"Nothing was added. {app.session.why_not_added}", "warning")

    def _open(self, paths: tuple[str, ...], name: str) -> None:
        try:
            self._app.open(sources.resolve(paths), name=name)
        except AtlasError as error:
            self._app.panel_state.say(str(error), "warning")

    def _copy(self, id_: int) -> None:
        row = self._app.world.row(id_)
        if row >= 0:
            self._app.window.set_clipboard(self._app.world.scene.paths[row])
            self._app.panel_state.say("path copied", "good")

    # -- actions -----------------------------------------------------------------------------------------------------

    @property
    def _live(self) -> bool:
        return self._app.session is not None and self._app.session.live

    def switch_live(self, *, on: bool) -> None:
        """The camera on or off."""
        app = self._app
        if app.session is not None:
            app.session.switch_live((app.settings.webcam or "0") if on else None)
            app.world.mark(None)

    def _go_home(self) -> None:
        self._app.world.let_go()
        self._app.world.camera.fly_to(self._app.world.home())

    def _focus(self) -> None:
        world = self._app.world
        target = world.selected_ids[-1] if world.selected_ids else world.hovered_id
        if target >= 0:
            self._fly_to(target)

    def _step_back_in_flight(self) -> None:
        self._app.world.camera.step_back()

    def _step_forward_in_flight(self) -> None:
        self._app.world.camera.step_forward()

    def _toggle_tour(self) -> None:
        world = self._app.world
        begin = world.tour is None and len(world.scene.ids) > 0
        world.let_go()
        if begin:
            world.tour = Tour(world.scene, world.camera.pose)

    def _toggle_orbit(self) -> None:
        world = self._app.world
        begin = not world.orbiting
        world.let_go()
        world.orbiting = begin

    def _open_search(self) -> None:
        """Open the search console, or put the caret back into it after a click elsewhere."""
        self._app.panel_state.searching = True
        self._app.display.focus_search()

    def _close_search(self) -> None:
        self._app.panel_state.searching = False
        self._search("")

    def _fly_to_best(self) -> None:
        """Fly to the result the person stands at, at first to the best; to none while the one they stood at is gone."""
        answer, panel_state = self._app.world.answer, self._app.panel_state
        if answer is None or not answer.best:
            return
        place = panel_state.place_among(answer)
        if place < 0 and panel_state.result_id >= 0:
            return
        panel_state.searching = False
        self._visit_result(answer, max(place, 0))

    def _step_result(self, step: int) -> None:
        answer, panel_state = self._app.world.answer, self._app.panel_state
        if answer is None or not answer.best:
            self._step_in_sight(step)
            return
        place = panel_state.place_among(answer)
        if place >= 0:
            place += step
        elif panel_state.result >= 0:
            place = panel_state.result - (
                step < 0
            )  # the one that stood there is gone, and the next has taken its place
        else:
            place = min(step, 0)
        self._visit_result(answer, place % len(answer.best))

    def _visit_result(self, answer: SearchAnswer, place: int) -> None:
        self._app.panel_state.result, self._app.panel_state.result_id = place, answer.best[place].id
        self._visit(answer.best[place].id)

    def _step_in_sight(self, step: int) -> None:
        """Select the next of the largest cards on screen, from left to right; the view stays."""
        world = self._app.world
        ids = world.scene.ids[rows_in_sight(world.view(self._app.window.framebuffer_px), IN_SIGHT)].tolist()
        if not ids:
            return
        chosen = world.selected_ids[-1] if world.selected_ids else -1
        at = ids.index(chosen) + step if chosen in ids else min(step, 0)
        self._select(ids[at % len(ids)])

    def _go_to_neighbour(self, right: float, down: float) -> None:
        """Visit the neighbour of the selected image that lies most in a direction on screen."""
        world = self._app.world
        row = world.row(world.selected_ids[-1]) if world.selected_ids else -1
        if row < 0:
            self._step_in_sight(1)
            return
        found = neighbour_towards(world.view(self._app.window.framebuffer_px), row, (right, down))
        if found >= 0:
            self._visit(int(world.scene.ids[found]))

    def _copy_path(self) -> None:
        world = self._app.world
        target = world.selected_ids[-1] if world.selected_ids else world.hovered_id
        if target >= 0:
            self._copy(target)

    def _paste(self) -> None:
        paths = self._app.window.clipboard_paths()
        if paths:
            self._add(paths)
        else:
            self._app.panel_state.say("there are no copied files to add")

    def _save_picture(self) -> None:
        folder = Path(platformdirs.user_pictures_dir())
        if not folder.is_dir():
            folder = self._app.cache
        path = folder / f"atlas_rt {datetime.now():%Y-%m-%d %H.%M.%S}.png"
        try:
            self._app.save_picture(path)
            self._app.panel_state.say(f"picture saved: {path}", "good")
        except OSError as error:
            self._app.panel_state.say(f"the picture could not be saved ({error.strerror}): {path}", "warning")

    def _toggle_opening(self) -> None:
        self._app.panel_state.opening = not self._app.panel_state.opening

    def _toggle_fullscreen(self) -> None:
        self._app.window.set_fullscreen(not self._app.window.fullscreen)

    def _toggle_figures(self) -> None:
        self._app.panel_state.figures_open = not self._app.panel_state.figures_open

    def _toggle_help(self) -> None:
        self._app.panel_state.help_open = not self._app.panel_state.help_open

    def _quit(self) -> None:
        self._app.running = False

    def _step_back(self) -> None:
        """Esc: the newest thing that is open goes, one at a time, and the program never."""
        app = self._app
        if app.panel_state.help_open:
            app.panel_state.help_open = False
        elif app.panel_state.opening:
            app.panel_state.opening = False
        elif app.panel_state.query:
            self._search("")
        elif app.panel_state.searching:
            app.panel_state.searching = False
        elif app.world.selected_ids or app.panel_state.selected is not None:
            self._deselect()
        elif app.world.tour is not None or app.world.orbiting:
            app.world.let_go()
        elif app.window.fullscreen and not app.settings.kiosk:
            app.window.set_fullscreen(False)
