"""What a person does with subclusters on the page of a cluster: lighting one, flying there."""

from __future__ import annotations

from atlas_rt.core.requests import PointAtSubcluster, SubclusterRequest, VisitSubcluster
from atlas_rt.window.parts import Parts

GONE = "this group is not on the map any more"


def carry_out(parts: Parts, request: SubclusterRequest) -> None:
    """Do what was asked for on the page."""
    match request:
        case PointAtSubcluster(id_):
            parts.world.light_subcluster(id_)
        case VisitSubcluster(id_):
            visit(parts, id_)


def visit(parts: Parts, subcluster: int) -> None:
    """Fly until the subcluster fills what the panels leave of the view. Its cluster is drawn, if it was not."""
    world = parts.world
    parent = next((each.parent for each in world.scene.subcluster_records if each.id == subcluster), -1)
    pose = world.before_subcluster(subcluster, parts.display.free_view)
    if pose is None:
        parts.panel_state.say(GONE)
        return
    if world.shown_clusters.conceals(parent):
        world.shown_clusters = world.shown_clusters.with_cluster(parent)
    world.let_go()
    world.camera.fly_to(pose)
