"""From input to motion and choice: the mouse turns the camera, the pointer finds an image, a click selects it."""

from __future__ import annotations

import math

from atlas_rt.core.requests import Deselect, Do, FlyTo, MoreLike, Request, Select
from atlas_rt.core.scene import View
from atlas_rt.ui.input import Click, Input
from atlas_rt.window import given_files
from atlas_rt.window.parts import Parts

LOOK_PER_PX = 0.0032
"""Radians the gaze turns for each pixel of a drag, on a window of LOOK_HEIGHT_PX lines."""
LOOK_HEIGHT_PX = 800
ORBIT_PER_PX = 0.006


def requests_of(parts: Parts, told: Input) -> list[Request]:
    """What the input asks for beyond the panels, in the order in which it must be done."""
    requests: list[Request] = [Do(name) for name in told.actions]
    if told.drops and (request := given_files.request_of_drop(parts, told.drops)) is not None:
        requests.append(request)
    if not (parts.display.wants_mouse or parts.panel_state.look.open):
        requests += [request for click in told.clicks if (request := _clicked(parts, click)) is not None]
    return requests


def steer(parts: Parts, told: Input) -> None:
    """Turn the camera as the mouse was dragged. Whoever flies by hand ends what moves by itself."""
    if parts.panel_state.look.open:  # the map waits behind it
        return
    world, dragged = parts.world, (told.drag_left_px, told.drag_right_px)
    if told.events or told.held:
        world.stir()
    if told.held or any(drag != (0.0, 0.0) for drag in dragged):
        world.let_go()
    if parts.display.wants_mouse:
        return
    if world.camera.held:
        _move_wall(parts, told)
        return
    scale = LOOK_HEIGHT_PX / parts.window.size_px[1]
    scale = -scale if parts.settings.invert_look else scale
    (look_x, look_y), (orbit_x, orbit_y) = dragged
    if look_x or look_y:
        world.camera.look(-look_x * LOOK_PER_PX * scale, look_y * LOOK_PER_PX * scale)
    if orbit_x or orbit_y:
        world.camera.orbit(world.pivot(), orbit_x * ORBIT_PER_PX * scale, -orbit_y * ORBIT_PER_PX * scale)
    if told.wheel:
        world.camera.change_speed(told.wheel)


def _move_wall(parts: Parts, told: Input) -> None:
    """Before the flat wall each drag moves it with the pointer, and the wheel comes nearer to what is under that."""
    camera, (width, height) = parts.world.camera, parts.window.size_px
    tan_y = math.tan(parts.world.fov_y / 2.0)
    right, down = (sum(both) for both in zip(told.drag_left_px, told.drag_right_px, strict=True))
    if right or down:
        length = 2.0 * tan_y * camera.pose.eye[2] / height
        camera.pan(-right * length, down * length)
    if told.wheel:
        x, y = told.pointer_px or (width / 2.0, height / 2.0)
        camera.zoom(told.wheel, ((2.0 * x - width) / height * tan_y, (1.0 - 2.0 * y / height) * tan_y))


def point(parts: Parts, told: Input, view: View) -> None:
    """Find what is under the pointer, and ask for its facts."""
    hovered = _hovered(parts, told, view)
    if hovered == parts.world.hovered_id:
        return
    parts.world.hovered_id = hovered
    parts.panel_state.hovered = None
    if hovered >= 0 and parts.session is not None:
        parts.session.tell_of(hovered, neighbours=False)


def _hovered(parts: Parts, told: Input, view: View) -> int:
    """The id of the image under the pointer, in a panel or in the cloud, -1 for none."""
    if parts.world.row(parts.panel_hovered) >= 0:
        return parts.panel_hovered
    covered = parts.display.wants_mouse or parts.panel_state.look.open
    if told.pointer_px is None or covered or not len(view.scene.ids):
        return -1
    ratio = view.size_px[0] / parts.window.size_px[0]
    at_px = (told.pointer_px[0] * ratio, told.pointer_px[1] * ratio)
    row = parts.pointer.row_under(view, at_px)
    return int(view.scene.ids[row]) if row >= 0 else -1


def _clicked(parts: Parts, click: Click) -> Request | None:
    hovered = parts.world.hovered_id
    if click.button == "right" and hovered >= 0:
        return MoreLike(hovered)
    if click.button != "left":
        return None
    if hovered < 0:
        return Deselect()
    return FlyTo(hovered) if click.count >= 2 else Select(hovered, add=click.modifiers.ctrl)
