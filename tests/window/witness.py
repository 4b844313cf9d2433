"""The real program, with a witness inside: lines of JSON ask what it shows, each answered with one between two frames.

Everything the program does comes from its command line, its windows' events and its files; the witness only looks.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
from typing import Any

from atlas_rt import cli
from atlas_rt.core.scene import HIDDEN
from atlas_rt.core.tags import node_at
from atlas_rt.window import app

REPORT = os.fdopen(os.dup(1), "w", buffering=1)
"""Standard output as it was. The program's own goes to standard error: it would be taken for an answer."""


class Watched(app.App):
    """The app, which answers between its frames."""

    asked: queue.Queue[list[Any]] = queue.Queue()
    drawn = 0
    seen_names: dict[int, str] = {}  # noqa: RUF012 - there is one
    """Also of images that are gone."""

    def frame(self, dt_secs: float) -> bool:
        drawn = super().frame(dt_secs)
        self.drawn += drawn
        while not self.asked.empty():
            print(json.dumps(self._answer(*self.asked.get())), file=REPORT)
        return drawn

    def _answer(self, what: str, *words: Any) -> Any:
        return {"look": self._look, "where": self._where, "positions": self._positions}[what](*words)

    def _look(self) -> dict[str, Any]:
        """What a person would see."""
        world, panel_state, scene = self.parts.world, self.parts.panel_state, self.parts.world.scene
        names = dict(zip(scene.ids.tolist(), (path.rpartition("/")[2] for path in scene.paths), strict=True))
        self.seen_names |= names
        pose, answer, fix = world.camera.pose, world.answer, world.live
        view = world.view(self.parts.window.framebuffer_px)
        return {
            "size": self.parts.window.size_px,
            "fullscreen": self.parts.window.fullscreen,
            "images": len(scene.ids),
            "names": sorted(names.values()),
            "map": scene.kind,
            "clusters": [record.name for record in scene.cluster_records],
            "progress": panel_state.progress.stage if panel_state.progress else "",
            "provider": panel_state.provider,
            "notices": [notice.text for notice in panel_state.notices],
            "failures": [failure.path.rpartition("/")[2] for failure in panel_state.failures],
            "searching": panel_state.searching,
            "query": panel_state.query,
            "answered": answer.query if answer else "",
            "best": [names.get(match.id, "") for match in answer.best] if answer else [],
            "lit": view.light_mix,
            "lights": 0 if view.lights is None else len(view.lights),
            "selected": [names.get(id_, "") for id_ in world.selected_ids],
            "hovered": names.get(world.hovered_id, ""),
            "hover_labels": [word for word, _ in panel_state.hovered.labels] if panel_state.hovered else [],
            "alike": panel_state.selected.alike_words if panel_state.selected else "",
            "hidden": [] if view.tiers is None else [names[id_] for id_ in scene.ids[view.tiers == HIDDEN].tolist()],
            "leaving": [self.seen_names[id_] for id_ in view.leaving.ids.tolist()] if view.leaving else [],
            "moving": view.morph < 1.0,
            "panel": names.get(panel_state.selected.id, "") if panel_state.selected else "",
            "neighbours": [names.get(id_, "") for id_, _ in panel_state.selected.neighbours]
            if panel_state.selected
            else [],
            "live": self.parts.session is not None and self.parts.session.live,
            "live_error": fix.error if fix else "",
            "near": [names.get(id_, "") for id_ in fix.neighbours] if fix else [],
            "marker": None if view.marker is None else view.marker.tolist(),
            "touring": world.tour is not None,
            "orbiting": world.orbiting,
            "flying": world.camera.flying,
            "speed": world.camera.speed,
            "eye": list(pose.eye),
            "yaw": pose.yaw,
            "pitch": pose.pitch,
            "home": list(world.home().eye),
            "help": panel_state.help_open,
            "figures": panel_state.figures_open,
            "opening": panel_state.opening,
            "text_focused": self.parts.display.wants_text,
            "read_only": self.parts.session.read_only if self.parts.session else "",
            "drawn": self.drawn,
            "engine": self.parts.session.engine.pid if self.parts.session and self.parts.session.engine else 0,
        }

    def _where(self, name: str) -> list[float]:
        """The middle of an image's card, window pixels."""
        row = next(i for i, path in enumerate(self.parts.world.scene.paths) if path.endswith(f"/{name}"))
        view = self.parts.world.view(self.parts.window.framebuffer_px)
        x, y, _ = node_at(view, row, self.parts.world.positions()[row], self.parts.window.size_px)
        return [x, y]

    def _positions(self) -> dict[str, list[float]]:
        scene = self.parts.world.scene
        return {path.rpartition("/")[2]: scene.positions[row].tolist() for row, path in enumerate(scene.paths)}


def _listen() -> None:
    for line in sys.stdin:
        Watched.asked.put(json.loads(line))


def main() -> int:
    os.dup2(2, 1)
    app.App = Watched  # type: ignore[misc]  # what `commands.view` opens
    threading.Thread(target=_listen, daemon=True).start()
    return cli.main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
