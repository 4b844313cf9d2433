"""One frame of the cloud, from a View to a framebuffer.

The order: backdrop; glow, which lies behind everything, so that light never washes a picture out; cards (small ones as
point sprites, large ones as quads, by the size of tile they show), which write depth; then what adds light: edges,
rings, the live marker. Rich steps of the ladder draw into a half-float target with post-processing, the others
straight into the target, or into a smaller one that is enlarged to it, with the tone curve in each shader. Nothing here
runs once a node in Python; arrays go up when they are other objects than the frame before.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import moderngl
import numpy as np

from atlas_rt.core.arrays import Bytes, Floats, Ints
from atlas_rt.core.images import Tile
from atlas_rt.core.quality import LADDER, Step, governor_for
from atlas_rt.core.scene import FANNED, View
from atlas_rt.core.visibility import NO_NODES, light_of, near_nodes, positions_now
from atlas_rt.render.draw_figures import DrawFigures
from atlas_rt.render.frame import BLOCK_BYTES, CONSTANTS, FRAME, FrameBlock
from atlas_rt.render.gl.cleanup import sweep
from atlas_rt.render.gl.context import is_software
from atlas_rt.render.gl.drawing import Pulled, RowList
from atlas_rt.render.gl.edges import EdgeData
from atlas_rt.render.gl.nodes import SAMPLERS, UNIT_SLOTS, UNIT_TILES, DataTexture, NodeData
from atlas_rt.render.gl.offscreen import OffscreenTarget
from atlas_rt.render.gl.post_processing import PostProcessing
from atlas_rt.render.gl.program import FRAME_BINDING, Programs
from atlas_rt.render.gl.raw_gl import RawGL
from atlas_rt.render.gl.tiles import SmallTiles, TileCache
from atlas_rt.render.gl.upscaler import Upscaler
from atlas_rt.render.node_tiles import MEDIUM_FROM_PX, NodeTiles

BACKDROP_QUADS = 32 * 18
"""As in `shaders/backdrop.vert`."""
SPRITE_PX = {True: 16.0, False: 6.0}
"""Half side up to which a card is a point sprite, for software and for hardware. A sprite vanishes when its centre
leaves the screen, a quad costs llvmpipe four vertices and two triangles: there, a list says which rows need one."""
ASPECT_ROOT = 1.74
"""Half the long side of the longest card, as a share of half the side of a square of its area."""
SHARP = next(step for step in reversed(LADDER) if step.scale == 1.0)
"""The cheapest step that draws every pixel."""
LEAST_EDGES = 2500
"""A step that draws a share of the edges draws at least so many."""
LOOK_SECS = 0.05
"""How long the list of near nodes, and so of wanted tiles, may be old."""
MEDIUM_LAYERS = {True: 256, False: 512}
LARGE_LAYERS = {True: 16, False: 24}
"""Layers for software and for hardware: 22 and 22 MB, or 45 and 34."""


class Renderer:
    """Owns every GPU object of the cloud. All calls on the thread of the context."""

    def __init__(self, ctx: moderngl.Context, *, quality: str = "auto") -> None:
        self._ctx = ctx
        software = is_software(ctx)
        self._lists_near = software
        raw = RawGL(ctx)
        self._programs = Programs(ctx, FRAME, CONSTANTS)
        self._governor = governor_for(quality, software=software)
        largest_point = float(ctx.info["GL_POINT_SIZE_RANGE"][1])
        self._sprite_px = min(SPRITE_PX[software], largest_point / 2.0 - 1.0)
        self._block = FrameBlock()
        self._block_buffer = ctx.buffer(reserve=BLOCK_BYTES, dynamic=True)
        self._nodes = NodeData(ctx)
        self._edges = EdgeData(ctx)
        self._table = DataTexture(ctx, 4)
        self._small = SmallTiles(ctx, raw, smooth=not software)
        self._medium = TileCache(ctx, raw, level=1, count=MEDIUM_LAYERS[software], smooth=not software)
        self._large = TileCache(ctx, raw, level=2, count=LARGE_LAYERS[software], smooth=not software)
        self._tiles = NodeTiles(self._small, (self._medium, self._large), self._table)
        self._pulled = Pulled(ctx)
        self._lists = {name: RowList(ctx) for name in ("near", "medium", "large", "glow", "lit", "rings")}
        self._post_processing = PostProcessing(ctx, self._programs, self._pulled)
        self._upscaler = Upscaler(ctx, self._programs, self._pulled)
        self._near = NO_NODES
        self._near_of: tuple[object, float] = (None, 0.0)
        self._written: dict[str, object] = {}
        self.figures = DrawFigures()

    def load_small(self, tiles: Ints, pixels: Bytes) -> None:
        """Upload small tiles in bulk: `pixels` (k, 32, 32, 3 or 4) for the tile records `tiles` (k,)."""
        self._tiles.load_small(tiles, pixels)

    def accept(self, tile: Tile) -> None:
        """Upload one tile; it fades in over the coarser one."""
        self._tiles.accept(tile)

    def clear(self) -> None:
        """Forget every tile, because another library is shown from now on."""
        self._tiles.clear()
        self._near, self._near_of = NO_NODES, (None, 0.0)

    def wanted(self, view: View) -> list[tuple[int, int]]:
        """(id, level) of the medium and large tiles to fetch now, medium before large and nearest first.

        Cheap enough for every frame: it looks around again every LOOK_SECS.
        """
        scene, looked_secs = self._near_of
        if scene is not view.scene or abs(view.time_secs - looked_secs) >= LOOK_SECS:
            self._look_around(view, MEDIUM_FROM_PX)
        return self._tiles.wanted(self._near, view.scene)

    def observe(self, frame_ms: float, *, interval_ms: float = 1000.0 / 60.0) -> bool:
        """Tell the governor what the last frame's work took, flip included; whether the step changed."""
        return self._governor.observe(frame_ms, interval_ms=interval_ms)

    @property
    def pulses(self) -> bool:
        """Ambient motion can be seen at this step."""
        return self._governor.step.pulse

    def draw(self, view: View, target: moderngl.Framebuffer, *, still: bool = False, step: Step | None = None) -> None:
        """Draw one frame into `target`, which has a depth attachment and the size `view.size_px`.

        still: the last one before the picture rests, which is sharp at any step. step: to draw at another step of the
        ladder than the governor's.

        Sets all the state it needs and restores none: whoever draws next does the same.
        """
        sweep(self._ctx)
        step, whole_px = step or self._governor.step, view.size_px
        if still and step.scale < 1.0:
            step = SHARP
        if step.scale < 1.0:
            view = replace(view, size_px=_scaled(whole_px, step.scale))
        edges = self._edge_count(view, step)
        self._upload(view, step, edges)
        light_target = self._light_target(step, view.size_px, target)
        light_target.use()
        light_target.viewport = (0, 0, *view.size_px)
        light_target.depth_mask = True
        light_target.clear(depth=1.0)
        self._draw_backdrop(step)
        self._draw_glow(view, step)
        self._draw_cards(view, step)
        self._draw_light(view, step, edges)
        if step.hdr:
            self._post_processing.develop(target)
        elif light_target is not target:
            self._upscaler.upscale(target, whole_px)
        self.figures = DrawFigures(step.name, len(view.scene.ids), len(self._near.rows), edges)

    @property
    def refines(self) -> bool:
        """Nothing: what is drawn at rest is sharp at once."""
        return False

    def picture(self, view: View) -> Bytes:
        """(h, w, 3) the view drawn once more, as richly as can be, whatever the governor's step."""
        picture = OffscreenTarget(self._ctx, view.size_px)
        try:
            self.draw(view, picture.target, step=LADDER[0])
            return picture.read()
        finally:
            picture.release()

    def release(self) -> None:
        """Free every GPU object; the renderer is of no use afterwards."""
        for rows in self._lists.values():
            rows.release()
        self._pulled.release()
        self._nodes.release()
        self._edges.release()
        for store in (self._small, self._medium, self._large, self._table):
            store.release()
        self._post_processing.release()
        self._upscaler.release()
        self._programs.release()
        self._block_buffer.release()

    def _light_target(self, step: Step, size_px: tuple[int, int], target: moderngl.Framebuffer) -> moderngl.Framebuffer:
        """What a step draws into: the post-processing's, a smaller one, or the target itself."""
        if step.hdr:
            return self._post_processing.open(size_px)
        return self._upscaler.open(size_px) if step.scale < 1.0 else target

    def _edge_count(self, view: View, step: Step) -> int:
        self._edges.update(view)
        return min(self._edges.count, max(int(self._edges.count * step.edge_share), LEAST_EDGES))

    def _upload(self, view: View, step: Step, edges: int) -> None:
        self._nodes.update(view)
        self._tiles.update(view.scene, view.leaving, view.time_secs)
        self._block_buffer.write(self._block.fill(view, step, edges=edges, sprite_px=self._sprite_px))
        self._block_buffer.bind_to_uniform_block(FRAME_BINDING)
        if self._lists_near:
            self._look_around(view, self._sprite_px / ASPECT_ROOT)
            self._lists["near"].write(np.append(self._near.rows, _leaving_rows(view)))
        for name, rows in zip(("medium", "large"), self._tiles.rows_by_level, strict=True):
            self._lists[name].write(rows)
        self._nodes.use()
        self._table.use(UNIT_SLOTS)

    def _look_around(self, view: View, min_half_px: float) -> None:
        self._near = near_nodes(view, positions_now(view), min_half_px)
        self._near_of = view.scene, view.time_secs

    def _program(self, name: str, step: Step, **defines: int) -> moderngl.Program:
        program = self._programs.get(name, DIRECT=int(not step.hdr), **defines)
        for sampler, unit in SAMPLERS.items():
            if sampler in program:
                program[sampler] = unit
        if "tiles" in program:
            program["tiles"] = UNIT_TILES
        return program

    def _draw_backdrop(self, step: Step) -> None:
        self._ctx.enable_only(moderngl.NOTHING)
        self._pulled.render(self._program("backdrop", step), moderngl.TRIANGLES, BACKDROP_QUADS * 6)

    def _draw_cards(self, view: View, step: Step) -> None:
        self._ctx.enable_only(moderngl.DEPTH_TEST | moderngl.BLEND | moderngl.PROGRAM_POINT_SIZE)
        self._ctx.depth_func = "<="
        self._ctx.blend_func = moderngl.SRC_ALPHA, moderngl.ONE_MINUS_SRC_ALPHA
        self._small.use(UNIT_TILES)
        if self._lists_near:
            self._lists["near"].render(self._program("card", step))
        else:
            self._pulled.render_quads(self._program("card", step, ALL=1), _drawn(view))
        for cache, name in ((self._medium, "medium"), (self._large, "large")):
            cache.use(UNIT_TILES)
            self._lists[name].render(self._program("card", step, TILE=cache.level))
        self._small.use(UNIT_TILES)
        self._pulled.render(self._program("card", step, SPRITE=1), moderngl.POINTS, _drawn(view))

    def _draw_light(self, view: View, step: Step, edges: int) -> None:
        self._ctx.enable_only(moderngl.DEPTH_TEST | moderngl.BLEND)
        self._ctx.blend_func = moderngl.ONE, moderngl.ONE
        self._ctx.fbo.depth_mask = False
        self._draw_edges(step, edges)
        self._draw_rings(view, step)
        if view.marker is not None:
            self._ctx.enable_only(moderngl.BLEND)
            self._pulled.render(self._program("beacon", step), moderngl.TRIANGLE_STRIP, 4)
        self._ctx.fbo.depth_mask = True

    def _draw_edges(self, step: Step, edges: int) -> None:
        program = self._program("edge", step, RIBBON=int(step.ribbons), PULSE=int(step.pulse))
        self._edges.use_edges()
        if not edges:
            pass
        elif step.ribbons:
            self._pulled.render_quads(program, edges)
        else:
            self._pulled.render(program, moderngl.LINES, 2 * edges)
        if self._edges.links:
            self._edges.use_links()
            self._pulled.render_quads(self._program("edge", step, RIBBON=1), self._edges.links)

    def _draw_glow(self, view: View, step: Step) -> None:
        self._ctx.enable_only(moderngl.BLEND)
        self._ctx.blend_func = moderngl.ONE, moderngl.ONE
        if step.glow:
            self._write_once("glow", view.scene.ids, lambda: np.arange(len(view.scene.ids), dtype=np.int32))
            self._lists["glow"].render(self._program("glow", step))
        if view.lights is not None and view.light_mix > 0.0:
            lights = view.lights
            self._write_once("lit", lights, lambda: _lit_rows(lights))
            # The brightest wins: matches that lie together would otherwise add up to a white blot.
            self._ctx.blend_equation = moderngl.MAX, moderngl.MAX
            self._lists["lit"].render(self._program("glow", step, LIT=1))
            self._ctx.blend_equation = moderngl.FUNC_ADD, moderngl.FUNC_ADD

    def _write_once(self, name: str, source: object, rows: Callable[[], Ints]) -> None:
        """Fill a list of rows again when what it is made from is another object."""
        if self._written.get(name) is not source:
            self._written[name] = source
            self._lists[name].write(rows())

    def _draw_rings(self, view: View, step: Step) -> None:
        rows = [*view.selected, *([view.hovered] if view.hovered >= 0 and view.hovered not in view.selected else [])]
        kinds = np.zeros(len(rows), np.float32)
        kinds[: len(view.selected)] = 1.0
        if view.selected:
            kinds[len(view.selected) - 1] = 2.0
        if view.selected and view.tiers is not None:
            fanned = np.setdiff1d(np.flatnonzero(view.tiers == FANNED), rows)
            rows, kinds = [*fanned.tolist(), *rows], np.append(np.full(len(fanned), -1.0, np.float32), kinds)
        self._lists["rings"].write(np.array(rows, np.int32), kinds)
        self._lists["rings"].render(self._program("ring", step))


def _scaled(size_px: tuple[int, int], scale: float) -> tuple[int, int]:
    return max(round(size_px[0] * scale), 1), max(round(size_px[1] * scale), 1)


def _drawn(view: View) -> int:
    """How many rows have a card: those of the scene, and behind them what leaves."""
    return len(view.scene.ids) + (len(view.leaving.ids) if view.leaving is not None else 0)


def _leaving_rows(view: View) -> Ints:
    return np.arange(len(view.scene.ids), _drawn(view), dtype=np.int32)


def _lit_rows(lights: Floats) -> Ints:
    return np.flatnonzero(light_of(lights) > 0.02).astype(np.int32)
