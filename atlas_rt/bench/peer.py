"""The peer that the frame is measured against: the same scene in three.js, drawn by Chromium through the same driver.

It lies in `scripts/bench-peers/threejs` of a checkout. Its README names the format of a scene and the camera paths.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import platformdirs

from atlas_rt.core.assets import assets_folder
from atlas_rt.core.images import SMALL_TILE_PX
from atlas_rt.errors import MissingError
from atlas_rt.workers.scenes import Arrival

FRAMES = 120
FOV_Y_DEG = 60.0
"""The peer's field of view from top to bottom; ours is drawn with it meanwhile."""
TOOLS = ("node", "npm", "chromium")
INSTALL_SECS, RUN_SECS = 300.0, 600.0


@dataclass(frozen=True, slots=True)
class PeerTimes:
    """Milliseconds of the peer's frames on one path, and what drew them."""

    median_ms: float
    p95_ms: float
    renderer: str


class Peer:
    """The peer, installed in the user's cache folder. Raises MissingError, with what is lacking, if it cannot run."""

    def __init__(self) -> None:
        missing = [tool for tool in TOOLS if shutil.which(tool) is None]
        source = assets_folder("models").parent / "scripts" / "bench-peers" / "threejs"
        if not source.is_dir():
            raise MissingError("the peer comes with a checkout of the project, not with an installed program")
        if missing:
            raise MissingError(f"the peer needs {', '.join(missing)}; on Debian: apt install nodejs npm chromium")
        if not os.environ.get("DISPLAY"):
            raise MissingError("the peer needs a display, or Chromium draws with another renderer")
        self._folder = platformdirs.user_cache_path("atlas_rt", appauthor=False) / "bench-peers" / "threejs"
        self._folder.mkdir(parents=True, exist_ok=True)
        for file in source.iterdir():
            if file.is_file():
                shutil.copy(file, self._folder)
        if not (self._folder / "node_modules" / "three").is_dir():
            self._run(["npm", "install", "--no-audit", "--no-fund"], INSTALL_SECS, expected="")

    def measure(self, scene: Path, *, renderer: str) -> dict[str, PeerTimes]:
        """Its times on both paths, by their names. scene: a folder that `write_scene` has filled. renderer: the first
        word of the name of what draws here; the browser must draw with the same."""
        told = self._run(["node", "run.mjs", str(scene)], RUN_SECS, expected=renderer)
        rows = [json.loads(line) for line in told.splitlines() if line.startswith("{")]
        return {
            str(row["path"]): PeerTimes(float(row["median_ms"]), float(row["p95_ms"]), str(row["renderer"]))
            for row in rows
        }

    def _run(self, command: list[str], limit_secs: float, *, expected: str) -> str:
        environment = {**os.environ, "EXPECT_RENDERER": expected, "CHROMIUM": shutil.which("chromium") or ""}
        try:
            result = subprocess.run(
                command,
                cwd=self._folder,
                env=environment,
                capture_output=True,
                text=True,
                timeout=limit_secs,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise MissingError(f"the peer did not end within {limit_secs:.0f} s ({command[0]})") from error
        if result.returncode:
            said = (result.stderr.strip().splitlines() or ["it said nothing"])[-1]
            raise MissingError(f"the peer failed ({command[0]}, exit code {result.returncode}): {said}")
        return result.stdout


def write_scene(arrival: Arrival, folder: Path, *, size_px: tuple[int, int]) -> None:
    """The scene as the peer reads it: places, edges and small tiles. The tiles are those that came with the arrival."""
    scene = arrival.scene
    count = len(scene.ids)
    cells = np.full((count, SMALL_TILE_PX, SMALL_TILE_PX, 4), 255, np.uint8)
    place = np.full(max(int(scene.tiles.max(initial=0)), int(arrival.tiles.max(initial=0))) + 1, -1, np.int64)
    place[arrival.tiles] = np.arange(len(arrival.tiles))
    rows = place[scene.tiles]
    known = rows >= 0
    cells[known, ..., :3] = arrival.pixels[rows[known]][..., :3]
    cells[~known, ..., :3] = scene.mean_rgb[~known][:, None, None, :]
    facts = {
        "nodes": count,
        "edges": len(scene.edges),
        "cell": SMALL_TILE_PX,
        "node_size": scene.node_size,
        "width": size_px[0],
        "height": size_px[1],
        "frames": FRAMES,
    }
    (folder / "scene.json").write_text(json.dumps(facts))
    scene.positions.astype("<f4").tofile(folder / "positions.f32")
    scene.edges.astype("<u4").tofile(folder / "edges.u32")
    cells.tofile(folder / "cells.rgba")
