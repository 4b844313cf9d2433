"""The world: what is shown and how it moves. Owned by the main thread, told by requests and arrivals, shown by views.

A new scene morphs from where every image stands on screen at that moment, and so does a stack that fans out or closes;
a new answer's light fades in the same way. What a new scene lacks shrinks away beside it. Nothing here knows of pixels,
files or threads.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from atlas_rt.core import stacks
from atlas_rt.core.answers import LiveFix, SearchAnswer
from atlas_rt.core.arrays import Floats, Tiers
from atlas_rt.core.camera import clip_from_view, pose_looking_at, view_from_world
from atlas_rt.core.easing import smootherstep
from atlas_rt.core.flight import FlyCamera
from atlas_rt.core.rows import row_of, rows_of
from atlas_rt.core.scene import HIDDEN, Leaving, Pose, Scene, View
from atlas_rt.core.tour import Tour
from atlas_rt.core.visibility import LIT_SIZE, grown

FOV_Y = float(np.radians(55.0))
NEAR, FAR = 0.004, 40.0
MORPH_SECS = 1.4
ARRIVAL = np.float32(0.2)
"""How far out of its place a new image comes from, world units."""
LEAVING_SECS = 0.6
LEAVING = np.float32(0.12)
"""How far an image that is gone sinks, world units."""
FAN_SECS = 0.35
LIGHT_SECS = 0.18
AMBIENT_SECS = 10.0
"""Ambient motion fades this long after the last input."""
MARKER_SECS = 0.25
HOME_MARGIN = 1.1
HOME_STEPS = 6
ORBIT_SECS = 40.0
"""Time once around, by itself."""
CLOSE_UP = 7.0
"""Distance from which an image is looked at, in half sides of its card."""


def empty_scene() -> Scene:
    """A scene without an image."""
    ints = np.zeros(0, np.int32)
    floats = np.zeros(0, np.float32)
    return Scene(
        ids=np.zeros(0, np.int64),
        paths=(),
        positions=np.zeros((0, 3), np.float32),
        aspects=floats,
        mean_rgb=np.zeros((0, 3), np.uint8),
        hues=np.zeros((0, 3), np.uint8),
        tiles=ints,
        sizes_px=np.zeros((0, 2), np.int32),
        clusters=ints,
        edges=np.zeros((0, 2), np.int32),
        weights=floats,
        cluster_records=(),
        cluster_hues=np.zeros((0, 3), np.uint8),
        node_size=0.03,
        generation=0,
        kind="",
        model="",
    )


def home_pose(positions: Floats, aspect: float) -> Pose:
    """The pose from which the map fills the picture: looking along -z at all but the farthest hundredth of the images.

    Nearer images spread wider on screen, so the eye's place and distance are found together, in a few steps.
    """
    if not len(positions):
        return Pose((0.0, 0.0, 2.4), 0.0, 0.0)
    away = np.linalg.norm(positions - np.median(positions, axis=0), axis=1)
    shown = positions[away <= np.percentile(away, 99.0)]
    tan_y = float(np.tan(FOV_Y / 2.0)) / HOME_MARGIN
    slopes = np.array([tan_y * aspect, tan_y], np.float32)
    eye = np.append(shown[:, :2].mean(axis=0), shown[:, 2].max() + 1.0)
    for _ in range(HOME_STEPS):
        depths = np.maximum(eye[2] - shown[:, 2], 1e-3)
        across = (shown[:, :2] - eye[:2]) / depths[:, None]  # tangents of the angles on screen
        eye[:2] += (across.max(axis=0) + across.min(axis=0)) / 2.0 * np.median(depths)
        needed = shown[:, 2] + (np.abs(shown[:, :2] - eye[:2]) / slopes).max(axis=1)
        eye[2] = max(float(needed.max()), float(shown[:, 2].max()) + 0.3)
    return Pose((float(eye[0]), float(eye[1]), float(eye[2])), 0.0, 0.0)


class World:
    """What is shown: the scene and its morph, the light of a search, the camera, what is pointed at."""

    def __init__(self, *, reduced_motion: bool = False) -> None:
        self.scene = empty_scene()
        self.camera = FlyCamera(Pose((0.0, 0.0, 2.4), 0.0, 0.0), reduced_motion=reduced_motion)
        self.answer: SearchAnswer | None = None
        self.hovered_id = -1
        self.live: LiveFix | None = None
        self.tour: Tour | None = None
        self.orbiting = False
        self.reduced_motion = reduced_motion
        self.time_secs = 0.0
        self._aspect = 16.0 / 9.0
        self._selected_ids: tuple[int, ...] = ()
        self._opened: frozenset[int] = frozenset()  # rows of the leaders whose stacks are fanned out
        self._closed = self._positions = self._old_positions = self.scene.positions
        self._morph_secs = self._motion_secs = MORPH_SECS
        self._settled = True
        self._tiers: Tiers | None = None
        self._tiers_after: Tiers | None = None
        self._leaving: Leaving | None = None
        self._gone_secs = 0.0
        self._lights: Floats | None = None
        self._lights_from: Floats | None = None
        self._lights_to: Floats | None = None
        self._light_secs = LIGHT_SECS
        self._light_mix = 0.0
        self._quiet_secs = 0.0
        self._marker: Floats | None = None
        self._was_empty = self._untouched = True

    # -- what arrives ------------------------------------------------------------------------------------------------

    def morph_to(self, scene: Scene) -> None:
        """Show another scene: images both hold fly from where they are, new ones come in from outside the cloud.

        The eye keeps the whole map in sight until the person moves it.
        """
        here = self.positions()
        rows, known = rows_of(self.scene.ids, scene.ids)
        self._see_off(scene, here, anything_stays=bool(known.any()))
        before = self._carried_tiers(scene, rows, known)
        self._carry_lights(rows, known)
        self.scene, self._closed = scene, _closed(scene)
        self.answer = self._still_there(self.answer)
        if self.row(self.hovered_id) < 0:
            self.hovered_id = -1
        self._selected_ids = tuple(id_ for id_ in self._selected_ids if self.row(id_) >= 0)
        self._opened = self._to_open()
        self._positions = self._arranged()
        old = self._positions.copy()
        old[known] = here[rows[known]]
        if known.any():
            old[~known] += ARRIVAL * _outwards(old[~known])
        moved = bool(len(old)) and float(np.abs(old - self._positions).max()) > 0.0
        self._set_off(old, before, MORPH_SECS if moved else 0.0)
        self._settled = self._morph_secs >= self._motion_secs
        if self._was_empty and len(scene.ids):
            self._was_empty = False
            self.camera.pose = self.home()
        elif self._untouched and moved:
            self.camera.fly_to(self.home(), remember=False)

    def light_by(self, answer: SearchAnswer | None) -> None:
        """Light the cloud by an answer, or let the light go. An answer about another scene gives no light: it is kept
        for its results, without those that are gone."""
        self.answer = self._still_there(answer)
        if answer is None or answer.error:
            self._lights_to = None
            return
        if answer.ids is not self.scene.ids:
            return
        lights = stacks.lit(answer.lights, self.scene.stacks)
        self._lights_from = lights if self._lights is None else self._lights
        self._lights_to = lights
        self._light_secs = 0.0

    def mark(self, fix: LiveFix | None) -> None:
        """Move the live marker, or take it away."""
        self.live = fix
        if fix is None:
            self._marker = None
        elif not fix.error and self._marker is None:
            self._marker = fix.position.copy()

    # -- what is asked -----------------------------------------------------------------------------------------------

    @property
    def selected_ids(self) -> tuple[int, ...]:
        """The selected images, the newest last. Their stacks are fanned out as long as one of them is selected."""
        return self._selected_ids

    @selected_ids.setter
    def selected_ids(self, ids: tuple[int, ...]) -> None:
        self._selected_ids = ids
        opened = self._to_open()
        if opened != self._opened:
            here, before = self.positions(), self._tiers
            self._opened = opened
            self._positions = self._arranged()
            self._set_off(here, before, max(FAN_SECS, self._motion_secs - self._morph_secs))

    def row(self, id_: int) -> int:
        """The row of an image, -1 when the scene does not hold it."""
        row = row_of(self.scene.ids, id_)
        return -1 if row is None else row

    def positions(self) -> Floats:
        """(n, 3) where every row stands now, morphs included."""
        if self._morph() >= 1.0:
            return self._positions
        share = np.float32(smootherstep(self._morph()))
        blended: Floats = self._old_positions + (self._positions - self._old_positions) * share
        return blended

    def home(self) -> Pose:
        return home_pose(self._closed, self._aspect)

    def pivot(self) -> Floats:
        """What the camera orbits: the selected image, else the middle of the map."""
        row = self.row(self.selected_ids[-1]) if self.selected_ids else -1
        return self._positions[row] if row >= 0 else np.zeros(3, np.float32)

    def let_go(self) -> None:
        """End what moves the camera by itself, the person's own flights excepted: from now on the person flies."""
        self.tour, self.orbiting, self._untouched = None, False, False

    def close_up(self, id_: int, *, distance: float = CLOSE_UP) -> Pose | None:
        """The pose that looks at an image from near (in half sides of its card), coming from where the eye is; None for
        an unknown image. One in a closed stack is looked at where it will stand when it is selected."""
        row = self.row(id_)
        if row < 0:
            return None
        target = self._place_of(row)
        away = np.asarray(self.camera.pose.eye, np.float32) - target
        length = float(np.linalg.norm(away))
        away = np.array([0.0, 0.0, 1.0], np.float32) if length < 1e-6 else away / np.float32(length)
        away[1] = np.clip(away[1], -0.5, 0.5)
        away /= np.linalg.norm(away)
        return pose_looking_at(target + away * np.float32(distance * self._half), target)

    def stir(self) -> None:
        """The person did something: ambient motion comes back."""
        self._quiet_secs = 0.0

    @property
    def resting(self) -> bool:
        """Nothing moves by itself but what is ambient."""
        return (
            self._morph_secs >= self._motion_secs
            and self._leaving is None
            and not self.camera.moving
            and self.tour is None
            and not self.orbiting
            and self._marker is None
            and self._light_mix in (0.0, 1.0)
            and self._light_secs >= LIGHT_SECS
        )

    @property
    def ambient(self) -> float:
        """How strong motion for its own sake is now: 1 after an input, 0 some seconds later and with reduced motion."""
        return 0.0 if self.reduced_motion else min(max((AMBIENT_SECS - self._quiet_secs) / 2.0, 0.0), 1.0)

    def advance(self, dt_secs: float, held: frozenset[str]) -> None:
        """Let time pass for one frame."""
        self.time_secs += dt_secs
        self._quiet_secs += dt_secs
        self._morph_secs += dt_secs
        self._gone_secs += dt_secs
        if self._morph_secs >= self._motion_secs:
            self._tiers, self._settled = self._tiers_after, True
        if self._gone_secs >= LEAVING_SECS:
            self._leaving = None
        self._advance_lights(dt_secs)
        self._advance_marker(dt_secs)
        if self.tour is not None:
            self.camera.pose = self.tour.advance(dt_secs)
        else:
            if self.orbiting:
                self.camera.orbit(self.pivot(), 2.0 * np.pi * dt_secs / ORBIT_SECS, 0.0)
            self.camera.advance(dt_secs, held)

    def view(self, size_px: tuple[int, int]) -> View:
        """What a frame of this size draws now."""
        self._aspect = max(size_px[0], 1) / max(size_px[1], 1)
        marker_ids = self.live.neighbours if self.live and self._marker is not None else ()
        rows = dict.fromkeys(self._node(self.row(id_)) for id_ in marker_ids)
        return View(
            scene=self.scene,
            positions=self._positions,
            old_positions=self._old_positions,
            morph=self._morph(),
            settled=self._settled,
            tiers=self._tiers,
            leaving=self._leaving,
            gone=min(self._gone_secs / LEAVING_SECS, 1.0),
            lights=self._lights,
            light_mix=self._light_mix,
            eye=np.asarray(self.camera.pose.eye, np.float32),
            view_from_world=view_from_world(self.camera.pose),
            clip_from_view=clip_from_view(FOV_Y, self._aspect, NEAR, FAR),
            fov_y=FOV_Y,
            size_px=size_px,
            hovered=self._node(self.row(self.hovered_id)),
            selected=tuple(self.row(id_) for id_ in self.selected_ids),
            marker=self._marker,
            marker_neighbours=tuple(row for row in rows if row >= 0),
            time_secs=self.time_secs,
            pulse_secs=0.0 if self.reduced_motion else self.time_secs,
            ambient=self.ambient,
        )

    # -- steps -------------------------------------------------------------------------------------------------------

    def _still_there(self, answer: SearchAnswer | None) -> SearchAnswer | None:
        """An answer whose results the scene holds."""
        if answer is None or answer.ids is self.scene.ids:
            return answer
        return replace(answer, best=tuple(match for match in answer.best if self.row(match.id) >= 0))

    def _morph(self) -> float:
        return min(self._morph_secs / self._motion_secs, 1.0)

    def _set_off(self, here: Floats, before: Tiers | None, secs: float) -> None:
        """Move every row from `here` to its place; what goes under its leader is seen on its way.

        before: how each row was drawn until now.
        """
        self._old_positions = here
        self._motion_secs = secs or MORPH_SECS
        self._morph_secs = 0.0 if secs and not self.reduced_motion else self._motion_secs
        self._tiers = self._tiers_after = after = stacks.tiers(self.scene, self._opened)
        if after is not None and self._morph_secs == 0.0 and before is not None:
            self._tiers = np.where((after == HIDDEN) & (before != HIDDEN), before, after)

    def _arranged(self) -> Floats:
        """(n, 3) where every row comes to stand."""
        if not self._opened:
            return self._closed
        positions = self._closed.copy()
        for leader in self._opened:
            rows, places = self._fan(leader, flown_to=self.camera.flying)
            positions[rows] = places
        return positions

    def _fan(self, leader: int, *, flown_to: bool) -> tuple[NDArray[np.intp], Floats]:
        """Where the images of a stack stand when it is fanned out now; from afar as wide as cards are drawn there."""
        eye = np.asarray(self.camera.pose.eye, np.float32)
        depth = 0.0 if flown_to else float(np.linalg.norm(eye - self.scene.positions[leader]))
        half = grown(self._half, depth, len(self.scene.ids))
        return stacks.fan(self.scene, leader, eye=eye, half=half)

    def _place_of(self, row: int) -> Floats:
        """Where a row stands once its image is flown to and selected."""
        node = self._node(row)
        if node == row or node in self._opened:
            place: Floats = self._positions[row]
        else:
            rows, places = self._fan(node, flown_to=True)
            place = places[int(np.searchsorted(rows, row))]
        return place

    @property
    def _half(self) -> float:
        """Half the side of a card from near, world units; the largest while a search lights some."""
        return self.scene.node_size * (sum(LIT_SIZE) if self._lights_to is not None else 1.0)

    def _to_open(self) -> frozenset[int]:
        """The leaders of the stacks that hold a selected image."""
        if (here := self.scene.stacks) is None:
            return frozenset()
        rows = [row for row in map(self.row, self._selected_ids) if row >= 0 and here.sizes[row] > 1]
        return frozenset(int(here.leaders[row]) for row in rows)

    def _node(self, row: int) -> int:
        """The row that is seen for this one: its leader's while it is under it."""
        if row < 0 or self.scene.stacks is None or self._tiers is None or self._tiers[row] != HIDDEN:
            return row
        return int(self.scene.stacks.leaders[row])

    def _carried_tiers(self, scene: Scene, rows: NDArray[np.intp], known: NDArray[np.bool_]) -> Tiers:
        """How the rows of a coming scene are drawn now; newcomers are seen as they fly in."""
        before = np.zeros(len(scene.ids), np.int8)
        if self._tiers is not None:
            before[known] = self._tiers[rows[known]]
        return before

    def _see_off(self, scene: Scene, here: Floats, *, anything_stays: bool) -> None:
        """Let what a coming scene lacks be seen going, unless it shares nothing with this one: it follows on none."""
        gone = ~rows_of(scene.ids, self.scene.ids)[1]
        if self._tiers is not None:
            gone &= self._tiers != HIDDEN
        if scene.model != self.scene.model or (len(scene.ids) and not anything_stays):
            self._leaving = None
            return
        if self.reduced_motion or not gone.any():
            return
        now = self.scene
        self._gone_secs = 0.0
        self._leaving = Leaving(
            ids=now.ids[gone],
            positions=here[gone],
            targets=here[gone] + LEAVING * _outwards(here[gone]),
            aspects=now.aspects[gone],
            mean_rgb=now.mean_rgb[gone],
            hues=now.hues[gone],
            tiles=now.tiles[gone],
        )

    def _carry_lights(self, rows: NDArray[np.intp], known: NDArray[np.bool_]) -> None:
        """Keep each image's light over a change of rows; newcomers wait at the median for the next answer."""
        if self._lights is not None and self._lights_to is not None:
            carried = np.zeros(len(rows), np.float32)
            carried[known] = self._lights_to[rows[known]]
            self._lights = self._lights_from = self._lights_to = carried
        elif self._lights is not None:
            self._lights, self._light_mix = None, 0.0

    def _advance_lights(self, dt_secs: float) -> None:
        self._light_secs += dt_secs
        lit = self._lights_to is not None
        step = dt_secs / LIGHT_SECS
        self._light_mix = min(self._light_mix + step, 1.0) if lit else max(self._light_mix - step, 0.0)
        if lit and self._lights is not self._lights_to:
            assert self._lights_from is not None
            assert self._lights_to is not None
            t = self._light_secs / LIGHT_SECS
            if t >= 1.0:
                self._lights = self._lights_to
            else:
                self._lights = self._lights_from + (self._lights_to - self._lights_from) * np.float32(t)
        elif not lit and self._light_mix == 0.0:
            self._lights = None

    def _advance_marker(self, dt_secs: float) -> None:
        if self._marker is not None and self.live is not None and len(self.live.position) == 3:
            share = np.float32(1.0 - np.exp(-dt_secs / MARKER_SECS))
            self._marker = self._marker + (self.live.position - self._marker) * share


def _closed(scene: Scene) -> Floats:
    """(n, 3) where every row stands while no stack is open."""
    if scene.stacks is None:
        return scene.positions
    positions = scene.positions.copy()
    positions[scene.stacks.members] = positions[scene.stacks.leaders[scene.stacks.members]]
    return positions


def _outwards(points: Floats) -> Floats:
    """(n, 3) unit directions away from the middle of the map; up where a point stands there."""
    lengths = np.linalg.norm(points, axis=1, keepdims=True)
    up = np.array([0.0, 1.0, 0.0], np.float32)
    directions: Floats = np.where(lengths > 1e-6, points / np.maximum(lengths, 1e-6), up).astype(np.float32)
    return directions
