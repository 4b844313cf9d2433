"""Where in the map the person is: the minimap, the name of the cluster they fly into, the way to what is selected."""

from __future__ import annotations

from atlas_rt.core.compass import Compass, compass_to_selected
from atlas_rt.core.hud import Place
from atlas_rt.core.minimap import Minimap, Plan
from atlas_rt.core.regions import Whereabouts
from atlas_rt.core.scene import View
from atlas_rt.window.parts import Parts

TOLD_SECS, FADE_SECS = 2.4, 0.3
"""How long the name of a cluster is told that was flown into."""


class Bearings:
    """Owned by the main thread; asked once a frame."""

    def __init__(self) -> None:
        self._plan: Plan | None = None
        self._whereabouts = Whereabouts()

    @property
    def lively(self) -> bool:
        """A name is being told."""
        return self._whereabouts.crossed_secs < TOLD_SECS

    def follow(self, parts: Parts, view: View, dt_secs: float) -> None:
        """The view of this frame."""
        self._whereabouts.follow(view.eye, parts.world.regions, dt_secs)

    def minimap(self, parts: Parts, view: View) -> Minimap | None:
        """None while it is closed, or there is no map, or all of it is flat."""
        if view.scene.flat or not parts.panel_state.minimap_open or not len(view.scene.ids):
            return None
        if self._plan is None or self._plan.scene is not view.scene:
            self._plan = Plan(view.scene, parts.world.regions)
        region = self._whereabouts.region
        return self._plan.seen(view, here=-1 if region is None else region.id)

    def place(self) -> Place | None:
        """The cluster that was flown into a moment ago."""
        region, secs = self._whereabouts.region, self._whereabouts.crossed_secs
        if region is None or secs >= TOLD_SECS:
            return None
        return Place(region.name, region.rgb, max(min(secs / FADE_SECS, (TOLD_SECS - secs) / FADE_SECS, 1.0), 0.0))

    def compass(self, parts: Parts, view: View) -> Compass | None:
        """None while the selected image is in sight, or the program flies by itself."""
        if parts.world.tour is not None or parts.world.camera.flying:
            return None
        return compass_to_selected(
            view,
            parts.display.free_view,
            parts.window.size_px,
            scale=parts.settings.ui_scale or max(parts.window.dpi_scale, 1.0),
        )
