"""What the panels show in a picture that nobody acts in: a shot, or the frame of a measurement."""

from __future__ import annotations

from atlas_rt.core.filter_panel import FilterPanel
from atlas_rt.core.hud import ClusterPanel, Hud, ImageFacts
from atlas_rt.core.scene import View
from atlas_rt.core.tags import CountTags, name_tags, visited_image
from atlas_rt.core.troubles import lasting
from atlas_rt.core.world import World
from atlas_rt.workers.scenes import Arrival

NO_CLUSTERS, NO_FILTERS = ClusterPanel(), FilterPanel()


def still_hud(
    world: World,
    view: View,
    *,
    size_px: tuple[int, int],
    dt_secs: float,
    arrival: Arrival,
    source: str,
    model: str,
    renderer: str,
    query: str = "",
    selected: ImageFacts | None = None,
    clusters: ClusterPanel = NO_CLUSTERS,
    filters: FilterPanel = NO_FILTERS,
) -> Hud:
    """A hud in which nothing moves. query: what is searched, with the console open, empty for none. selected: what the
    panel of an image tells, None where it is closed."""
    return Hud(
        size_px=size_px,
        dt_secs=dt_secs,
        source=source,
        images=len(world.scene.ids),
        failures=arrival.failures,
        troubles=lasting((), absence=arrival.absence),
        map_kind=world.scene.kind,
        model=model,
        provider="",
        renderer=renderer,
        progress=None,
        name_tags=name_tags(view, world.regions, size_px),
        words=world.scene.words,
        count_tags=CountTags().tags(view, size_px, dt_secs),
        searching=bool(query),
        query=query,
        answer=world.answer,
        result=-1,
        hovered=None,
        hovered_at_px=(0.0, 0.0, 0.0),
        selected=selected,
        live=None,
        live_on=False,
        touring=False,
        help_open=False,
        figures=None,
        notices=(),
        kiosk=False,
        welcome=False,
        reduced_motion=True,
        speed=world.camera.speed,
        clusters=clusters,
        filters=filters,
        visited=visited_image(view, size_px),
    )
