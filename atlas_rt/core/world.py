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
from atlas_rt.core.arrays import Floats, Ints, Tiers
from atlas_rt.core.camera import clip_from_view, view_from_world
from atlas_rt.core.cells import Boxes, Cells, cells_of
from atlas_rt.core.cluster_list import ShownClusters
from atlas_rt.core.easing import smootherstep
from atlas_rt.core.filtered_rows import FilteredRows
from atlas_rt.core.flight import FlyCamera
from atlas_rt.core.framing import CLOSE_UP, FOV_Y, CardFraming, FreeView, close_up_pose, group_pose, home_of
from atlas_rt.core.lights import Lights, carried, lights_of_cluster
from atlas_rt.core.marker import Marker
from atlas_rt.core.motion import MORPH_SECS, Departure, Morph, leaving, outwards
from atlas_rt.core.preparation import ARRIVAL, Preparation, Way, way_from
from atlas_rt.core.pulse import SOURCES
from atlas_rt.core.regions import Region, regions_of
from atlas_rt.core.rows import Mask, row_of
from atlas_rt.core.scene import HIDDEN, Pose, Scene, View, empty_scene
from atlas_rt.core.tour import Tour
from atlas_rt.core.visibility import LIT_SIZE, grown, light_of, visited_card
from atlas_rt.core.visit import Visit
from atlas_rt.core.wall import fitted, plane_of

NEAR, FAR = 0.004, 40.0
FAN_SECS = 0.35
AMBIENT_SECS = 10.0
"""Ambient motion fades this long after the last input."""
ORBIT_SECS = 40.0
"""Time once around, by itself."""


class World:
    """What is shown: the scene and its morph, the light of a search, the camera, what is pointed at."""

    def __init__(self, *, reduced_motion: bool = False) -> None:
        self.scene = empty_scene()
        self.camera = FlyCamera(Pose((0.0, 0.0, 2.4), 0.0, 0.0), reduced_motion=reduced_motion)
        self.answer: SearchAnswer | None = None
        self.hovered_id = -1
        self.tour: Tour | None = None
        self.orbiting = False
        self.reduced_motion = reduced_motion
        self.fov_y = FOV_Y
        self.time_secs = 0.0
        self._aspect = 16.0 / 9.0
        self._selected_ids: tuple[int, ...] = ()
        self._opened: frozenset[int] = frozenset()  # rows of the leaders whose stacks are fanned out
        self._closed = self.scene.positions  # where every row stands while no stack is fanned out
        self._prepared: Preparation | None = None  # what a thread made of the scene
        self._reached: Floats | None = None
        self._reached_from: tuple[int, ...] = ()
        self._cells = cells_of(self._closed)
        self._boxes = self._old_boxes = self._cells.boxes(self._closed)  # around every row's place, and where it stood
        self._morph = Morph(self._closed, reduced_motion=reduced_motion)
        self._departure = Departure()
        self._lights = Lights()
        self._found: Floats | None = None  # (n,) the lights of the search, also while a cluster is lit instead
        self._lasting: Floats | None = None  # (n,) those of search and filters, likewise
        self._filtered = FilteredRows()
        self._emptied: frozenset[int] = frozenset()  # clusters of which filters let nothing be drawn
        self._lit_cluster = self._lit_subcluster = -1
        self._shown = ShownClusters()
        self._regions: tuple[Region, ...] = ()
        self._regions_of: Scene | None = None
        self._marker = Marker()
        self._visit = Visit()
        self._free = FreeView()  # what panels leave of the picture
        self._quiet_secs = 0.0
        self._was_empty = self._untouched = True
        self._counts: Ints | None = None  # how many images nodes stand for while filters hide others
        self._flat_before = 0.0  # how flat all was when the morph began
        self.tour_when_folded = False
        """The guided tour begins once the wall is folded back."""
        self._wish: Pose | None = None  # where the eye is to go as soon as there is the map again
        self._fan_eye: Pose | None = None  # from where fans are seen while the wall folds back
        self._fold_to: Pose | None = None  # where the eye goes when the wall folds back

    # -- what arrives ------------------------------------------------------------------------------------------------

    def morph_to(self, scene: Scene, *, prepared: Preparation | None = None) -> None:
        """Show another scene: images both hold fly from where they are, new ones come in from outside the cloud.

        The eye keeps the whole map in sight until the person moves it. prepared: what a thread has made of the scene;
        what it cannot know, since a morph is on its way or a stack is open, is made here.
        """
        places = stacks.closed(scene) if prepared is None else prepared.places
        cells = cells_of(places) if prepared is None else prepared.cells
        flat_now, turned = self.flatness, scene.flat != self.scene.flat
        way = self._way_to(scene, places, cells, None if prepared is None else prepared.way)
        self._see_off(scene, way)
        before = self._morph.carried_tiers(len(scene.ids), way.rows, way.known)
        self._lights.carry(way.rows, way.known)
        if self._found is not None:
            self._found = carried(self._found, way.rows, way.known)
        self._filtered.carry(way.rows, way.known)
        self._prepared = None if prepared is None else replace(prepared, way=None)  # it holds the scene before
        self._reached, self._reached_from = None, ()
        self.scene, self._closed, self._cells = scene, places, cells
        self._shown = self._shown.kept_to({record.id for record in scene.cluster_records})
        if self.row(self.hovered_id) < 0:
            self.hovered_id = -1
        self._selected_ids = tuple(id_ for id_ in self._selected_ids if self.row(id_) >= 0)
        self._filtered.keep(map(self.row, self._selected_ids))
        self._emptied = self._filtered.emptied(scene.clusters)
        self.answer = self._still_there(self.answer)
        if self._lit_cluster >= 0 or self._filtered.let is not None:
            self._relight()
        else:
            self._lasting = self._found
        self._opened = self._to_open()
        self._fan_eye = (self._wish or self._fold_to) if turned and not scene.flat else None
        arranged = self._arranged()
        starts = way.starts
        if arranged is not places and not way.known.all():  # a newcomer comes in from outside of its fan
            starts = starts.copy()
            new = ~way.known
            starts[new] = arranged[new] + (ARRIVAL * outwards(arranged[new]) if way.known.any() else np.float32(0.0))
        moved = way.moves if arranged is places else not np.array_equal(starts, arranged)
        boxes = way.boxes if starts is way.starts else None
        self._set_off(starts, arranged, before, MORPH_SECS if moved else 0.0, from_boxes=boxes)
        self._morph.settled = self._morph.done
        self._flat_before, self._fan_eye = flat_now, None
        self._bring_eye(turned=turned, moved=moved)

    def _bring_eye(self, *, turned: bool, moved: bool) -> None:
        """To where the scene is seen, after another one. turned: from the map to the wall, or back."""
        if turned:
            self._turn_over()
        self._hold_eye()
        if self._was_empty and len(self.scene.ids):
            self._was_empty = False
            self.camera.pose = self.home()
        elif turned or (not self.scene.flat and (self.tour_when_folded or self._wish)):
            self._fly_over()
        elif self._untouched and moved:
            self.camera.fly_to(self.home(), remember=False)

    def _way_to(self, scene: Scene, places: Floats, cells: Cells, made: Way | None) -> Way:
        """From where every image stands at this moment: as a thread has `made` it if that is still so."""
        at_rest = self._morph.done and self._morph.places is self._closed
        if made is not None and at_rest and made.before is self.scene:
            return made
        return way_from(self.scene, self.positions(), scene, places, cells)

    def light_by(self, answer: SearchAnswer | None) -> None:
        """Light the cloud by an answer, or let the light go. An answer about another scene gives no light: it is kept
        for its results, without those that are gone."""
        self.answer = self._still_there(answer)
        if answer is None or answer.error:
            self._found = None
        elif answer.ids is self.scene.ids:
            self._found = stacks.lit(answer.lights, self.scene.stacks)
        else:
            return
        if self._lit_cluster < 0:
            self._relight()
        else:
            self._lasting = self._filtered.lights(self._found)

    def light_cluster(self, cluster: int) -> None:
        """Light a cluster instead of what a search found, for as long as it is pointed at; -1 for none."""
        if cluster != self._lit_cluster:
            self._lit_cluster = cluster
            self._relight()

    def light_subcluster(self, subcluster: int) -> None:
        """Of the cluster that is pointed at, light only this part; -1 for all of it."""
        if subcluster != self._lit_subcluster:
            self._lit_subcluster = subcluster
            if self._lit_cluster >= 0:
                self._relight()

    @property
    def pulse_sources(self) -> tuple[int, ...]:
        """The rows that light runs out from along the edges: what is selected, else the best of what was found."""
        stacked = self.scene.stacks
        best = self.answer.best[:SOURCES] if self._found is not None and self.answer is not None else ()
        ids = self._selected_ids or tuple(match.id for match in best)
        rows = (self.row(id_) for id_ in ids)
        return tuple(dict.fromkeys(row if stacked is None else int(stacked.leaders[row]) for row in rows if row >= 0))

    def reach(self, sources: tuple[int, ...], reached: Floats | None) -> None:
        """Let light run out from these rows. reached: (n,) as in a View, None to let none run."""
        self._reached, self._reached_from = reached, sources

    @property
    def reached_from(self) -> tuple[int, ...]:
        """The rows that light runs out from now."""
        return self._reached_from

    def mark(self, fix: LiveFix | None) -> None:
        """Move the live marker, or take it away."""
        near = self.row(fix.neighbours[0]) if fix is not None and fix.neighbours and self.scene.flat else -1
        before = np.array([0.0, 0.0, self.scene.node_size], np.float32)
        self._marker.move_to(fix, self._closed[near] + before if near >= 0 else None)

    # -- what is asked -----------------------------------------------------------------------------------------------

    @property
    def selected_ids(self) -> tuple[int, ...]:
        """The selected images, the newest last. Their stacks are fanned out as long as one of them is selected."""
        return self._selected_ids

    @selected_ids.setter
    def selected_ids(self, ids: tuple[int, ...]) -> None:
        if ids and ids[-1] != self._visit.id and ids != self._selected_ids:
            self._visit.end()  # the person is at another image
        self._selected_ids = ids
        opened = self._to_open()
        if self._filtered.keep(map(self.row, ids)):
            self._refilter()
        if opened != self._opened:
            here, before = self.positions(), self._morph.tiers
            self._opened = opened
            self._set_off(here, self._arranged(), before, max(FAN_SECS, self._morph.left_secs))

    @property
    def shown_clusters(self) -> ShownClusters:
        """Which clusters are drawn; that of an image which is selected is one of them."""
        return self._shown

    @shown_clusters.setter
    def shown_clusters(self, shown: ShownClusters) -> None:
        if shown != self._shown:
            here, before = self.positions(), self._morph.tiers
            self._shown = shown
            self._set_off(here, self._arranged(), before, max(self._morph.left_secs, 0.0))

    def filter_by(self, passing: Mask | None, *, hides: bool) -> None:
        """Show the other images as embers, or not at all. passing: (n,) which images filters let through, None where
        there are none."""
        self._filtered.change(passing, hides=hides)
        self._filtered.keep(map(self.row, self._selected_ids))
        self.answer = self._still_there(self.answer)
        self._refilter()

    @property
    def passing(self) -> Mask | None:
        """(n,) which images filters let through, None where there are none."""
        return self._filtered.passing

    @property
    def seen_rows(self) -> Mask | None:
        """(n,) which images are neither in a hidden cluster nor filtered away, None where all are seen."""
        concealed, passing = self._shown.concealed(self.scene.clusters), self._filtered.passing
        if concealed is None or passing is None:
            return passing if concealed is None else ~concealed
        return passing & ~concealed

    def filtered_away(self, id_: int) -> bool:
        """Whether filters do not let an image through; what is selected is shown all the same."""
        row, passing = self.row(id_), self._filtered.passing
        return row >= 0 and passing is not None and not passing[row]

    def concealed(self, id_: int) -> bool:
        """Whether an image is of a cluster that is not drawn."""
        row = self.row(id_)
        return row >= 0 and self._shown.conceals(int(self.scene.clusters[row]))

    @property
    def aspect(self) -> float:
        """Width by height of the picture drawn last."""
        return self._aspect

    @property
    def flatness(self) -> float:
        """0 on the map, 1 on the flat wall, on the way between."""
        share = smootherstep(self._morph.share)
        return self._flat_before + (float(self.scene.flat) - self._flat_before) * share

    @property
    def prepared(self) -> Preparation | None:
        """What a thread made of the scene, None where none did."""
        return self._prepared

    @property
    def live(self) -> LiveFix | None:
        """What the camera's newest frame was found to be, None while no camera is on."""
        return self._marker.fix

    @property
    def regions(self) -> tuple[Region, ...]:
        """The clusters with a name, and what they divide into."""
        if self._regions_of is not self.scene:
            prepared = self._prepared
            self._regions = regions_of(self.scene) if prepared is None else prepared.regions
            self._regions_of = self.scene
        return self._regions

    def row(self, id_: int) -> int:
        """The row of an image, -1 when the scene does not hold it."""
        row = row_of(self.scene.ids, id_)
        return -1 if row is None else row

    def positions(self) -> Floats:
        """(n, 3) where every row stands now, morphs included."""
        return self._morph.now()

    def home(self) -> Pose:
        """The pose from which all that is drawn fills the picture."""
        concealed, prepared = self._concealed_rows(), self._prepared
        usual = prepared is not None and prepared.aspect == self._aspect and self.fov_y == FOV_Y
        if concealed is None and prepared is not None and usual:
            return prepared.home
        if concealed is None or concealed.all():
            return home_of(self.scene, self._closed, self._aspect, fov_y=self.fov_y)
        return home_of(self.scene, self._closed[~concealed], self._aspect, fov_y=self.fov_y)

    def before_cluster(self, cluster: int, free: FreeView) -> Pose | None:
        """The pose from which a cluster fills what is free of the picture; None where it has no image here."""
        return self._before(self._closed[self.scene.clusters == cluster], free)

    def before_subcluster(self, subcluster: int, free: FreeView) -> Pose | None:
        """The same for a subcluster."""
        here = self.scene.subclusters == subcluster
        return self._before(self._closed[here], free) if subcluster >= 0 and here.any() else None

    def _before(self, points: Floats, free: FreeView) -> Pose | None:
        if not len(points):
            return None
        eye = self._eye_towards(np.median(points, axis=0))
        half, fov_y = self.scene.node_size, self.fov_y
        return group_pose(points, self._aspect, coming_from=eye, free=free, half=half, fov_y=fov_y)

    def pivot(self) -> Floats:
        """What the camera orbits: the selected image, else the middle of the map."""
        row = self.row(self.selected_ids[-1]) if self.selected_ids else -1
        return self._morph.places[row] if row >= 0 else np.zeros(3, np.float32)

    def let_go(self) -> None:
        """End what moves the camera by itself, the person's own flights excepted: from now on the person flies."""
        self.tour, self.orbiting, self._untouched = None, False, False
        self.tour_when_folded, self._wish = False, None

    def close_up(self, id_: int, *, distance: float = CLOSE_UP) -> Pose | None:
        """The pose that looks at an image from near (in half sides of its card), coming from where the eye is; None for
        an unknown image. One in a closed stack is looked at where it will stand when it is selected."""
        row = self.row(id_)
        if row < 0:
            return None
        eye = self._eye_towards(self._place_of(row))
        return close_up_pose(self._place_of(row), coming_from=eye, distance=distance * self._half)

    @property
    def visited_id(self) -> int:
        """The image that the person was taken to, and is still at; -1 for none."""
        return self._visit.id

    def visit(self, id_: int, free: FreeView) -> bool:
        """Fly to an image, on the side that the eye comes from, until its card stands in what is free of the picture:
        wholly seen, since what stands before it makes way. False for an unknown image.

        One in a closed stack is looked at where it will stand when it is selected.
        """
        self._free = free
        card = self._framing(self.row(id_))
        if card is None:
            return False
        self.let_go()
        eye = self._eye_towards(card.place)
        pose = card.pose(close_up_pose(card.place, coming_from=eye, distance=1.0))
        self._visit.begin(id_, pose)
        self.camera.fly_to(pose)
        return True

    def leave(self) -> None:
        """What makes way for a visited image comes back."""
        self._visit.end()

    def keep_framed(self, free: FreeView) -> None:
        """Tell what panels leave of the picture: a visited image is framed again in it, as long as the eye rests there.
        A size that the picture has from now on counts in the same way."""
        self._free = free

    def set_reduced_motion(self, reduced: bool) -> None:
        """Whether nothing moves by itself, and flights are jumps."""
        self.reduced_motion = self.camera.reduced_motion = self._morph.reduced_motion = reduced

    def set_field_of_view(self, degrees: float) -> None:
        """How much of the world the picture shows from top to bottom."""
        usual = abs(degrees - np.degrees(FOV_Y)) < 1e-3
        self._take_shape(self._aspect, FOV_Y if usual else float(np.radians(degrees)))

    def stir(self) -> None:
        """The person did something: ambient motion comes back."""
        self._quiet_secs = 0.0

    @property
    def quiet_secs(self) -> float:
        """For how long the person has done nothing."""
        return self._quiet_secs

    @property
    def resting(self) -> bool:
        """Nothing moves by itself but what is ambient."""
        return (
            self._morph.done
            and self._departure.images is None
            and not self.camera.moving
            and self.tour is None
            and not self.orbiting
            and self._marker.position is None
            and self._lights.resting
            and self._visit.resting
        )

    @property
    def ambient(self) -> float:
        """How strong motion for its own sake is now: 1 after an input, 0 some seconds later and with reduced motion."""
        return 0.0 if self.reduced_motion else min(max((AMBIENT_SECS - self._quiet_secs) / 2.0, 0.0), 1.0)

    def advance(self, dt_secs: float, held: frozenset[str]) -> None:
        """Let time pass for one frame."""
        self.time_secs += dt_secs
        self._quiet_secs += dt_secs
        self._morph.advance(dt_secs)
        self._departure.advance(dt_secs)
        self._lights.advance(dt_secs)
        self._marker.advance(dt_secs)
        if self.tour is not None:
            self.camera.stop()
            self.camera.pose = self.tour.advance(dt_secs)
        else:
            if self.orbiting:
                self.camera.orbit(self.pivot(), 2.0 * np.pi * dt_secs / ORBIT_SECS, 0.0)
            self.camera.advance(dt_secs, held)
        self._visit.advance(dt_secs, self.camera, self._framing(self.row(self._visit.id)))

    def view(self, size_px: tuple[int, int]) -> View:
        """What a frame of this size draws now."""
        self._take_shape(max(size_px[0], 1) / max(size_px[1], 1), self.fov_y)
        rows = dict.fromkeys(self._node(self.row(id_)) for id_ in self._marker.neighbours)
        view = View(
            scene=self.scene,
            positions=self._morph.places,
            old_positions=self._morph.old_places,
            morph=self._morph.share,
            settled=self._morph.settled,
            tiers=self._morph.tiers,
            leaving=self._departure.images,
            gone=self._departure.share,
            lights=self._lights.now,
            light_mix=self._lights.mix,
            eye=np.asarray(self.camera.pose.eye, np.float32),
            view_from_world=view_from_world(self.camera.pose),
            clip_from_view=clip_from_view(self.fov_y, self._aspect, NEAR, FAR),
            fov_y=self.fov_y,
            size_px=size_px,
            hovered=self._node(self.row(self.hovered_id)),
            selected=tuple(self.row(id_) for id_ in self.selected_ids),
            marker=self._marker.position,
            marker_neighbours=tuple(row for row in rows if row >= 0),
            time_secs=self.time_secs,
            pulse_secs=0.0 if self.reduced_motion else self.time_secs,
            ambient=self.ambient,
            concealed=self._concealed_clusters(),
            pointed=self._lit_cluster,
            cells=self._cells,
            boxes=self._boxes,
            old_boxes=self._old_boxes,
            reached=self._reached,
            graph=None if self._prepared is None else self._prepared.graph,
            flatness=self.flatness,
            counts=self._counts,
        )
        visited = self._node(self.row(self._visit.glass_id)) if self._visit.glass > 0.0 else -1
        return view if visited < 0 else replace(view, visited=visited_card(view, visited, self._visit.glass))

    def fold_to(self, pose: Pose) -> None:
        """Where the eye goes when there is the map again, instead of where it was."""
        self._wish = pose

    # -- steps -------------------------------------------------------------------------------------------------------

    def _take_shape(self, aspect: float, fov_y: float) -> None:
        """Of the picture: how far the eye may go from the wall depends on it."""
        if (aspect, fov_y) != (self._aspect, self.fov_y):
            self._aspect, self.fov_y = aspect, fov_y
            self._hold_eye()

    def _hold_eye(self) -> None:
        """Before the wall, if the scene is one."""
        self.camera.hold_before(plane_of(self.scene, self._aspect, self.fov_y) if self.scene.flat else None)

    def _turn_over(self) -> None:
        """From the map to the wall, or back: nothing flies by itself, and no image is framed."""
        self._visit.end()
        if self.scene.flat:
            self.tour, self.orbiting = None, False
            self._fold_to = self.camera.pose

    def _fly_over(self) -> None:
        """To where all of the wall is seen, or back to where the eye was before it."""
        if self.tour_when_folded and not self.scene.flat:
            self.tour, self.tour_when_folded = Tour(self.scene, self.camera.pose), False
            return
        back = None if self.scene.flat else self._wish or self._fold_to
        if not self.scene.flat:
            self._wish = None
        self.camera.fly_to(back or self.home(), remember=False)

    def _eye_towards(self, point: Floats) -> Floats:
        """(3,) from where a point is looked at: from the eye, or straight on where it is on the wall."""
        straight = np.array([0.0, 0.0, 1.0], np.float32)
        return point + straight if self.scene.flat else np.asarray(self.camera.pose.eye, np.float32)

    def _framing(self, row: int) -> CardFraming | None:
        """A row's card in what is free of the picture; None for no row."""
        if row < 0:
            return None
        return CardFraming(self._place_of(row), self._halves(row), self._aspect, self._free, self.fov_y)

    def _halves(self, row: int) -> tuple[float, float]:
        """Half the sides of a row's card from near, world units, as what was found leaves it."""
        half, root = self.scene.node_size, float(np.sqrt(self.scene.aspects[row]))
        if self.scene.flat:
            half *= float(fitted(self.scene.aspects[row : row + 1], 1.0)[0])
        elif self._lasting is not None:
            half *= LIT_SIZE[0] + LIT_SIZE[1] * float(light_of(self._lasting[row : row + 1])[0])
        return half * root, half / root

    def _still_there(self, answer: SearchAnswer | None) -> SearchAnswer | None:
        """An answer whose results the scene holds and filters let through."""
        if answer is None or (answer.ids is self.scene.ids and self._filtered.passing is None):
            return answer
        kept = (match for match in answer.best if self.row(match.id) >= 0 and not self.filtered_away(match.id))
        return replace(answer, best=tuple(kept))

    def _relight(self) -> None:
        """Light what is pointed at, else what the search found and filters let through, else nothing."""
        self._lasting = self._filtered.lights(self._found)
        if self._lit_cluster >= 0:
            part = (self._lit_subcluster, self._lit_cluster)
            if any((each.id, each.parent) == part for each in self.scene.subcluster_records):
                lights = lights_of_cluster(self.scene.subclusters, self._lit_subcluster)
            else:
                lights = lights_of_cluster(self.scene.clusters, self._lit_cluster)
            self._lights.fade_to(lights if (let := self._filtered.let) is None else lights * let)
        elif self._lasting is not None:
            self._lights.fade_to(self._lasting)
        else:
            self._lights.fade_out()

    def _refilter(self) -> None:
        """Show the rows that are let through now."""
        self._emptied = self._filtered.emptied(self.scene.clusters)
        here, before = self.positions(), self._morph.tiers
        self._set_off(here, self._arranged(), before, max(self._morph.left_secs, 0.0))
        self._relight()

    def _concealed_rows(self) -> Mask | None:
        """(n,) which rows are not drawn: of hidden clusters, or kept back by filters. None where all are drawn."""
        return self._filtered.concealed(self._shown.concealed(self.scene.clusters))

    def _concealed_clusters(self) -> frozenset[int]:
        if self._shown.all:
            return self._emptied
        return self._emptied | {each.id for each in self.scene.cluster_records if self._shown.conceals(each.id)}

    def _set_off(
        self, here: Floats, places: Floats, before: Tiers | None, secs: float, *, from_boxes: Boxes | None = None
    ) -> None:
        """Move every row from `here` to its place. before: how each row was drawn until now. from_boxes: around `here`,
        where they are known."""
        self._flat_before = self.flatness
        prepared, concealed, let = self._prepared, self._concealed_rows(), self._filtered.let
        plain = prepared is not None and not self._opened and concealed is None and let is None
        after = prepared.tiers if prepared and plain else stacks.tiers(self.scene, self._opened, concealed, let)
        if before is not None and let is not None and self._filtered.hides:  # what filters keep back goes at once
            before = np.where(let, before, np.int8(HIDDEN))
        hides = let is not None and self._filtered.hides
        self._counts = stacks.counts(self.scene.stacks, let) if hides and let is not None else None
        self._morph.set_off(here, places, before=before, after=after, secs=secs)
        at_place = prepared is not None and places is prepared.places
        self._boxes = prepared.boxes if prepared and at_place else self._cells.boxes(places)
        if self._morph.done or here is places:
            self._old_boxes = self._boxes
        else:
            self._old_boxes = self._cells.boxes(here) if from_boxes is None else from_boxes

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
        eye = np.asarray((self._fan_eye or self.camera.pose).eye, np.float32)
        depth = 0.0 if flown_to else float(np.linalg.norm(eye - self.scene.positions[leader]))
        half = grown(self._half, depth, len(self.scene.ids))
        return stacks.fan(self.scene, leader, eye=eye, half=half)

    def _place_of(self, row: int) -> Floats:
        """Where a row stands once its image is flown to and selected."""
        node = self._node(row)
        if node == row or node in self._opened:
            place: Floats = self._morph.places[row]
        else:
            rows, places = self._fan(node, flown_to=True)
            place = places[int(np.searchsorted(rows, row))]
        return place

    @property
    def _half(self) -> float:
        """Half the side of a card from near, world units; the largest while a search lights some."""
        return self.scene.node_size * (sum(LIT_SIZE) if self._lasting is not None else 1.0)

    def _to_open(self) -> frozenset[int]:
        """The leaders of the stacks that hold a selected image; none on the wall, where every image has its cell."""
        if self.scene.flat:
            return frozenset()
        rows = map(self.row, self._selected_ids)
        return stacks.opened_by(self.scene.stacks, (row for row in rows if row >= 0))

    def _node(self, row: int) -> int:
        """The row that is seen for this one."""
        return stacks.node_of(self.scene.stacks, self._morph.tiers, row)

    def _see_off(self, scene: Scene, way: Way) -> None:
        """Let what a coming scene lacks be seen going, unless it shares nothing with this one: it follows on none."""
        gone = way.gone
        if self._morph.tiers is not None:
            gone = gone & (self._morph.tiers != HIDDEN)
        if scene.model != self.scene.model or (len(scene.ids) and not way.known.any()):
            self._departure.cancel()
        elif not self.reduced_motion and gone.any():
            self._departure.begin(leaving(self.scene, gone, self.positions()))
