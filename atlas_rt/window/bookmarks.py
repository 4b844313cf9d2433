"""Views that the person keeps: naming one, flying back to one, taking one off."""

from __future__ import annotations

import numpy as np

from atlas_rt.core.arrays import Rows
from atlas_rt.core.camera import basis
from atlas_rt.core.requests import BookmarkRequest, DropBookmark, KeepBookmark, VisitBookmark
from atlas_rt.core.rows import rows_of
from atlas_rt.core.scene import Pose, Scene
from atlas_rt.core.undo import Undoable
from atlas_rt.errors import UsageError
from atlas_rt.library.bookmarks import Bookmark
from atlas_rt.library.cluster_names import checked_name
from atlas_rt.window import wall
from atlas_rt.window.parts import Parts
from atlas_rt.window.session import Session
from atlas_rt.workers.bookmarks import BookmarksTold, ChangeBookmark, KeepView, LookAgain, PlacedBookmark

ANCHORS = 8
"""So many images that stand in a view are kept with it."""
AHEAD = 0.5
"""How far before the eye, world units, what a view looks at is taken to be."""


def carry_out(parts: Parts, request: BookmarkRequest) -> None:
    """Do what the person asked for."""
    match request:
        case KeepBookmark(name):
            keep(parts, name)
        case VisitBookmark(place):
            visit(parts, place)
        case DropBookmark(place):
            drop(parts, place)


def keep(parts: Parts, name: str) -> None:
    """Keep the view as it is now. A name that is too long stays in its field."""
    session, scene = parts.session, parts.world.scene
    if session is None or not len(scene.ids):
        parts.panel_state.say("there is no map to keep a view of yet")
        return
    if scene.flat:
        parts.panel_state.say("views are kept of the map: G folds the wall back")
        return
    try:
        word = checked_name(name)
    except UsageError:
        parts.panel_state.say("a name has at most 60 characters, all of them printable", "warning")
        return
    pose = parts.world.camera.pose
    rows = _around(scene, pose)
    anchors = tuple(
        (id_, (x, y, z))
        for id_, (x, y, z) in zip(scene.ids[rows].tolist(), scene.positions[rows].tolist(), strict=True)
    )
    session.bookmarks.ask(KeepView(word or "view", pose, anchors))


def visit(parts: Parts, place: int) -> None:
    """Fly to a bookmark, by its place in the list."""
    kept = parts.panel_state.bookmarks
    if 0 <= place < len(kept):
        parts.world.let_go()
        wall.leave_for(parts, pose_of(kept[place], wall.map_scene(parts)))


def drop(parts: Parts, place: int) -> None:
    """Take a bookmark off, by its place in the list."""
    kept = parts.panel_state.bookmarks
    if parts.session is not None and 0 <= place < len(kept):
        parts.session.bookmarks.ask(ChangeBookmark(kept[place].bookmark, kept=False))


def pose_of(placed: PlacedBookmark, scene: Scene) -> Pose:
    """The view as it is on this map: moved as the images in it were moved since."""
    pose = placed.bookmark.pose
    rows, known = rows_of(scene.ids, np.array([id_ for id_, _ in placed.anchors], np.int64))
    if not known.any():
        return pose
    stood = np.array([at for _, at in placed.anchors], np.float32)[known]
    x, y, z = (np.asarray(pose.eye) + np.median(scene.positions[rows[known]] - stood, axis=0)).tolist()
    return Pose((x, y, z), pose.yaw, pose.pitch)


def hear(parts: Parts) -> bool:
    """Take what became of what was asked; whether anything did."""
    session = parts.session
    told = session.bookmarks.take() if session is not None else ()
    for each in told:
        if session is not None:
            _hear(parts, session, each)
    return bool(told)


def _hear(parts: Parts, session: Session, told: BookmarksTold) -> None:
    panel_state = parts.panel_state
    if told.error:
        if isinstance(told.asked, ChangeBookmark) and told.asked.undoable is not None:
            panel_state.undo.fail(told.asked.undoable)
        if not isinstance(told.asked, LookAgain):
            panel_state.say(f"Nothing was changed. {told.error}", "warning")
        return
    panel_state.bookmarks = told.here
    if told.remark:
        panel_state.say(told.remark, "warning")
    if isinstance(told.asked, KeepView) and told.made is not None:
        panel_state.undo.add(_undoable(session, told.made, kept=True))
        panel_state.say(f"kept this view as “{told.made.name}”", "good")
    elif isinstance(told.asked, ChangeBookmark) and told.asked.undoable is None:
        panel_state.undo.add(_undoable(session, told.asked.bookmark, kept=told.asked.kept))
        panel_state.say(f"the view “{told.asked.bookmark.name}” is off the list; Ctrl+Z brings it back")


def _undoable(session: Session, bookmark: Bookmark, *, kept: bool) -> Undoable:
    """A bookmark that was kept or taken off."""

    def make(*, kept: bool) -> str:
        session.bookmarks.ask(ChangeBookmark(bookmark, kept, entry))
        return ""

    off, on = f"the view “{bookmark.name}” is off the list", f"the view “{bookmark.name}” is on the list again"
    entry = Undoable(
        undone=off if kept else on,
        redone=on if kept else off,
        undo=lambda: make(kept=not kept),
        redo=lambda: make(kept=kept),
    )
    return entry


def _around(scene: Scene, pose: Pose) -> Rows:
    """The rows nearest to what the view looks at."""
    _, _, ahead = basis(pose)
    middle = (np.asarray(pose.eye) + AHEAD * ahead).astype(np.float32)
    away = np.square(scene.positions - middle).sum(axis=1)
    few = np.argpartition(away, min(ANCHORS, len(away)) - 1)[:ANCHORS]
    nearest: Rows = few[np.argsort(away[few], kind="stable")]
    return nearest
