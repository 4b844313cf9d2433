"""The flat wall: unfolding the map into it, and folding it back."""

from __future__ import annotations

from atlas_rt.core.scene import Pose, Scene
from atlas_rt.window.parts import Parts


def toggle(parts: Parts) -> None:
    """Unfold the map into the wall, or fold it back. It is made ready on a thread, and moves when it is."""
    session, scene = parts.session, parts.world.scene
    if session is None or not len(scene.ids):
        parts.panel_state.say("there is no map yet to unfold")
        return
    if session.scenes.flat:
        fold(parts)
    elif not len(scene.wall):
        parts.panel_state.say("the wall comes with the map, which is still being laid out")
    else:
        session.scenes.lay_out(flat=True)
        parts.panel_state.say("every image side by side: drag, W A S D and the wheel move it, G folds it back")


def fold(parts: Parts) -> bool:
    """Fold the wall back into the map; whether there was one."""
    if parts.session is None or not parts.session.scenes.flat:
        return False
    parts.session.scenes.lay_out(flat=False)
    return True


def map_scene(parts: Parts) -> Scene:
    """The scene as it stands on the map."""
    session, scene = parts.session, parts.world.scene
    newest = session.scenes.newest if session is not None and scene.flat else None
    return scene if newest is None else newest.scene


def leave_for(parts: Parts, pose: Pose) -> None:
    """Fly to a pose on the map, from the wall too, and while that is folding back."""
    if fold(parts) or parts.world.scene.flat:
        parts.world.fold_to(pose)
    else:
        parts.world.camera.fly_to(pose)
