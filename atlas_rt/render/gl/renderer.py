"""One frame of the cloud, from a View to a framebuffer.

The order: glow, summed small (`glow.py`); cards without their edges, opaque and roughly from front to back
(`depth_order.py`), so that early depth tests reject what is hidden; the backdrop with the glow where no card is; the
soft edges of cards, from back to front, blended and without writing depth; then what adds light: edges, rings, the
live marker. Cards are point sprites where they are small and quads where they are large, by the size of tile they
show. Every shader ends in screen colours. Rich steps of the ladder compute the tone curve exactly and add bloom; the
cheapest draw into a smaller target that is enlarged. Nothing here runs once a node in Python; arrays go up when they
are other objects than the frame before.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import moderngl
import numpy as np

from atlas_rt.core.arrays import Bytes, Floats, Ints, Tiers
from atlas_rt.core.images import Tile
from atlas_rt.core.preparation import Preparation
from atlas_rt.core.quality import LADDER, Governor, Step, governor_for
from atlas_rt.core.scene import FANNED, View
from atlas_rt.core.visibility import ASPECT_ROOT, NO_NODES, light_of, near_nodes
from atlas_rt.render.draw_figures import DrawFigures
from atlas_rt.render.frame import BLOCK_BYTES, CONSTANTS, FRAME, FrameBlock, Part, all_of
from atlas_rt.render.gl.cleanup import sweep
from atlas_rt.render.gl.context import is_software
from atlas_rt.render.gl.depth_order import DepthOrder
from atlas_rt.render.gl.drawing import Pulled, RowList
from atlas_rt.render.gl.edges import EdgeData
from atlas_rt.render.gl.glow import Glow
from atlas_rt.render.gl.large_picture import in_parts, needs_parts
from atlas_rt.render.gl.limits import limits_of
from atlas_rt.render.gl.nodes import SAMPLERS, UNIT_SLOTS, UNIT_TILES, DataTexture, NodeData
from atlas_rt.render.gl.offscreen import OffscreenTarget
from atlas_rt.render.gl.post_processing import PostProcessing
from atlas_rt.render.gl.probe import SIZE_PX as PROBE_PX
from atlas_rt.render.gl.probe import plain_view, probe_tiles, probe_view
from atlas_rt.render.gl.program import FRAME_BINDING, Programs
from atlas_rt.render.gl.raw_gl import RawGL
from atlas_rt.render.gl.tiles import PAGE_PX, SmallTiles, TileCache
from atlas_rt.render.gl.upscaler import Upscaler
from atlas_rt.render.gl.variants import variants_of
from atlas_rt.render.node_tiles import MEDIUM_FROM_PX, NodeTiles

BACKDROP_QUADS = 32 * 18
"""As in `shaders/backdrop.vert`."""
SPRITE_PX = {True: 16.0, False: 6.0}
"""Half side up to which a card is a point sprite, for software and for hardware. A sprite vanishes when its centre
leaves the screen, a quad costs llvmpipe four vertices and two triangles: there, a list says which rows need one."""
SHARP = next(step for step in reversed(LADDER) if step.scale == 1.0)
"""The cheapest step that draws every pixel."""
LEAST_EDGES = 2500
"""A step that draws a share of the edges draws at least so many."""
LOOK_SECS = 0.05
"""How long the list of near nodes, and so of wanted tiles, may be old."""
WARM_SECS = 0.02
"""How long a frame that rests, or shows nothing, may spend on programs that later frames need."""
MEDIUM_LAYERS = {True: 256, False: 512}
LARGE_LAYERS = {True: 16, False: 24}
"""Layers for software and for hardware: 22 and 22 MB, or 45 and 34."""


class Renderer:
    """Owns every GPU object of the cloud. All calls on the thread of the context."""

    def __init__(self, ctx: moderngl.Context, *, quality: str = "auto", programs: Programs | None = None) -> None:
        """programs: those of another renderer, for which this one only tries what it will draw (see `warm`).

        Raises NoGraphicsError where the driver offers too little.
        """
        self._ctx = ctx
        limits = limits_of(ctx)
        self._target_px = limits.target_px
        limits.check(texture_px=PAGE_PX, block_bytes=BLOCK_BYTES)
        software = is_software(ctx)
        self._lists_near = software
        raw = RawGL(ctx)
        self._probes = programs is not None
        self._programs = programs or Programs(ctx, FRAME, CONSTANTS)
        self._governor = governor_for(quality, software=software)
        self._sprite_px = min(SPRITE_PX[software], limits.point_px / 2.0 - 1.0)
        self._block = FrameBlock()
        self._block_buffer = ctx.buffer(reserve=BLOCK_BYTES, dynamic=True)
        self._nodes = NodeData(ctx)
        self._edges = EdgeData(ctx)
        self._table = DataTexture(ctx, 4)
        medium, large = (1, 1) if self._probes else (MEDIUM_LAYERS[software], LARGE_LAYERS[software])
        self._small = SmallTiles(ctx, raw, smooth=not software, layers=limits.layers)
        self._medium = TileCache(ctx, raw, level=1, count=min(medium, limits.layers), smooth=not software)
        self._large = TileCache(ctx, raw, level=2, count=min(large, limits.layers), smooth=not software)
        self._tiles = NodeTiles(self._small, (self._medium, self._large), self._table)
        self._pulled = Pulled(ctx)
        self._order = DepthOrder(ctx)
        self._lists = {name: RowList(ctx) for name in ("near", "medium", "large", "lit", "rings")}
        self._glow = Glow(ctx, self._programs, self._pulled)
        self._post_processing = PostProcessing(ctx, self._programs, self._pulled)
        self._upscaler = Upscaler(ctx, self._programs, self._pulled)
        self._near = NO_NODES
        self._near_of: tuple[object, object, float] = (None, None, 0.0)
        self._written: dict[str, object] = {}
        self._bound: set[int] = set()
        self._cold = [] if self._probes else _steps_from(self._governor)
        self._probe: Renderer | None = None
        self._fanned_in: Tiers | None = None
        self._fanned = np.zeros(0, np.intp)  # rows that are fanned out in these tiers
        self.figures = DrawFigures()

    def load_small(self, tiles: Ints, pixels: Bytes) -> None:
        """Upload small tiles in bulk: `pixels` (k, 32, 32, 3 or 4) for the tile records `tiles` (k,)."""
        self._tiles.load_small(tiles, pixels)

    def staging(self, prepared: Preparation | None, tiles: Ints, pixels: Bytes) -> Iterator[None]:
        """Upload a coming scene and its small tiles in steps of about a millisecond, while another scene is drawn; it
        is drawn from the first View that shows it. Tiles as in `load_small`. Without a preparation the scene itself
        goes up with that View."""
        yield from self._tiles.staging(tiles, pixels)
        if prepared is not None:
            self._pulled.reserve(len(prepared.edges))
            yield
            yield from self._edges.staging(prepared)
            yield from self._nodes.staging(prepared)

    def accept(self, tile: Tile) -> None:
        """Upload one tile; it fades in over the coarser one."""
        self._tiles.accept(tile)

    def clear(self) -> None:
        """Forget every tile, because another library is shown from now on."""
        self._tiles.clear()
        self._near, self._near_of = NO_NODES, (None, None, 0.0)

    def wanted(self, view: View) -> list[tuple[int, int]]:
        """(id, level) of the medium and large tiles to fetch now, medium before large and nearest first.

        Cheap enough for every frame: it looks around again every LOOK_SECS.
        """
        scene, size_px, looked_secs = self._near_of
        if scene is not view.scene or size_px != view.size_px or abs(view.time_secs - looked_secs) >= LOOK_SECS:
            self._look_around(view, MEDIUM_FROM_PX)
        return self._tiles.wanted(self._near, view.scene)

    def set_quality(self, quality: str) -> None:
        """Draw by another word of `--quality` from now on; what its steps need is made ready while frames rest."""
        self._governor = governor_for(quality, software=is_software(self._ctx))
        self._cold = _steps_from(self._governor)

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
        part = all_of(view.size_px)
        edges = self.prepare(view, step)
        self.draw_part(view, step, part, target, edges)
        if step.hdr:
            self._post_processing.gather(part, part)
            self._post_processing.blur()
            self._post_processing.develop(target)
        elif step.scale < 1.0:
            self._upscaler.upscale(target, whole_px)
        self.figures = DrawFigures(step.name, len(view.scene.ids), len(self._near.rows), edges)
        if still or not len(view.scene.ids):
            self.warm()

    def picture(self, view: View) -> Bytes:
        """(h, w, 3) uint8 RGB of the view, top row first, as richly as can be, whatever the governor's step. Larger
        pictures than the driver or memory allows are drawn in parts.
        """
        if needs_parts(view.size_px, self._target_px):
            sweep(self._ctx)
            return in_parts(self._ctx, self, view, LADDER[0])
        picture = OffscreenTarget(self._ctx, view.size_px)
        try:
            self.draw(view, picture.target, step=LADDER[0])
            return picture.read()
        finally:
            picture.release()

    def warm(self, budget_secs: float = WARM_SECS) -> bool:
        """Draw all that may be shown once, tiny and unseen, until the budget is spent: the current step of the ladder
        first. Whether nothing is left that would make a later frame wait for the driver's compiler.

        `draw` calls it when the picture comes to rest and while there is nothing to show.
        """
        due = time.perf_counter() + budget_secs
        linked = all(self._programs.link(variants_of(step), due) for step in self._cold)
        while linked and self._cold and time.perf_counter() < due:
            if self._probe is None:
                self._probe = Renderer(self._ctx, programs=self._programs)
                for tile in probe_tiles():
                    self._probe.accept(tile)
            self._probe.draw_probe(self._cold.pop(0))
        if not self._cold and self._probe is not None:
            self._probe.release()
            self._probe = None
        return not self._cold

    def draw_probe(self, step: Step) -> None:
        """Draw what shows everything, and what shows nothing special, at one step."""
        target = OffscreenTarget(self._ctx, PROBE_PX)
        view = probe_view()
        for shown in (view, plain_view(view)):
            self.draw(shown, target.target, step=step)
        target.release()

    def gather_bloom(self, part: Part, inner: Part) -> None:
        """Take what shines within `inner` of the part drawn last."""
        self._post_processing.gather(part, inner)

    def blur_bloom(self) -> None:
        """Blur what was gathered from all parts."""
        self._post_processing.blur()

    def develop(self, target: moderngl.Framebuffer) -> None:
        """Write the part drawn last, with its bloom, into `target`."""
        self._post_processing.develop(target)

    @property
    def refines(self) -> bool:
        """Nothing: what is drawn at rest is sharp at once."""
        return False

    def release(self) -> None:
        """Free every GPU object; the renderer is of no use afterwards."""
        for rows in self._lists.values():
            rows.release()
        self._pulled.release()
        self._nodes.release()
        self._edges.release()
        self._order.release()
        self._glow.release()
        for store in (self._small, self._medium, self._large, self._table):
            store.release()
        self._post_processing.release()
        self._upscaler.release()
        if self._probe is not None:
            self._probe.release()
        if not self._probes:
            self._programs.release()
        self._block_buffer.release()

    def prepare(self, view: View, step: Step) -> int:
        """Upload what changed and sum up the glow of the whole picture; how many edges are drawn."""
        edges = self._edge_count(view, step)
        self._upload(view, step, edges)
        self._gather_glow(view, step)
        return edges

    def draw_part(self, view: View, step: Step, part: Part, target: moderngl.Framebuffer, edges: int) -> None:
        """Draw all but the bloom of one part of a prepared view: at rich steps into the target of the
        post-processing, at the cheapest into the upscaler's, else into `target`."""
        self._fill_block(view, step, edges, part)
        picture = self._picture_target(view, step, part, target)
        picture.use()
        picture.viewport = (0, 0, *part.size_px)
        picture.depth_mask = True
        picture.clear(depth=1.0)
        self._draw_cards(view, step)
        self._draw_backdrop(view, step)
        self._draw_rims(view, step)
        self._draw_light(view, step, edges)

    def _picture_target(self, view: View, step: Step, part: Part, target: moderngl.Framebuffer) -> moderngl.Framebuffer:
        if step.hdr:
            return self._post_processing.open(part.size_px, view.size_px)
        return self._upscaler.open(part.size_px) if step.scale < 1.0 else target

    def _edge_count(self, view: View, step: Step) -> int:
        self._edges.update(view)
        return min(self._edges.count, max(int(self._edges.count * step.edge_share), LEAST_EDGES))

    def _upload(self, view: View, step: Step, edges: int) -> None:
        self._nodes.update(view)
        self._tiles.update(view.scene, view.leaving, view.time_secs)
        self._fill_block(view, step, edges, all_of(view.size_px))
        self._order.update(view, _drawn(view))
        if self._lists_near:
            self._look_around(view, self._sprite_px / ASPECT_ROOT)
            nearest_first = self._near.rows[np.argsort(self._near.depths)]
            self._lists["near"].write(np.append(nearest_first, _leaving_rows(view)))
        for name, rows in zip(("medium", "large"), self._tiles.rows_by_level, strict=True):
            self._lists[name].write(rows)
        self._nodes.use()
        self._order.use()
        self._table.use(UNIT_SLOTS)

    def _fill_block(self, view: View, step: Step, edges: int, part: Part) -> None:
        block = self._block.fill(view, step, edges=edges, sprite_px=self._sprite_px, part=part)
        self._block_buffer.write(block)
        self._block_buffer.bind_to_uniform_block(FRAME_BINDING)

    def _look_around(self, view: View, min_half_px: float) -> None:
        self._near = near_nodes(view, min_half_px)
        self._near_of = view.scene, view.size_px, view.time_secs

    def _program(self, name: str, **defines: int) -> moderngl.Program:
        program = self._programs.get(name, **defines)
        if program.glo not in self._bound:  # a program keeps its units
            self._bound.add(program.glo)
            for sampler, unit in SAMPLERS.items():
                if sampler in program:
                    program[sampler] = unit
        return program

    def _draw_cards(self, view: View, step: Step) -> None:
        """What cards cover whole."""
        self._ctx.enable_only(moderngl.DEPTH_TEST | moderngl.PROGRAM_POINT_SIZE)
        self._ctx.depth_func = "<="
        self._ctx.blend_func = moderngl.SRC_ALPHA, moderngl.ONE_MINUS_SRC_ALPHA
        self._render_cards(view, step, rim=0)

    def _draw_rims(self, view: View, step: Step) -> None:
        """Their edges of one pixel, which lie before other things than themselves only: hence nearer, not equal."""
        self._ctx.enable_only(moderngl.DEPTH_TEST | moderngl.BLEND | moderngl.PROGRAM_POINT_SIZE)
        self._ctx.depth_func = "<"
        self._ctx.fbo.depth_mask = False
        self._render_cards(view, step, rim=1)
        self._ctx.depth_func = "<="

    def _render_cards(self, view: View, step: Step, *, rim: int) -> None:
        self._small.use(UNIT_TILES)
        if self._lists_near:
            self._lists["near"].render(self._program("card", DIRECT=int(not step.hdr), RIM=rim))
        else:
            self._pulled.render_quads(self._program("card", DIRECT=int(not step.hdr), ALL=1, RIM=rim), _drawn(view))
        self._pulled.render(
            self._program("card", DIRECT=int(not step.hdr), SPRITE=1, RIM=rim), moderngl.POINTS, _drawn(view)
        )
        self._ctx.enable(moderngl.BLEND)  # these may fade in over the smaller tile
        for cache, name in ((self._medium, "medium"), (self._large, "large")):
            cache.use(UNIT_TILES)
            self._lists[name].render(self._program("card", DIRECT=int(not step.hdr), TILE=cache.level, RIM=rim))

    def _draw_backdrop(self, view: View, step: Step) -> None:
        """Where no card is, at the greatest depth."""
        self._ctx.enable_only(moderngl.DEPTH_TEST)
        program = self._program("backdrop", GLOW=_glows(view, step))
        self._pulled.render(program, moderngl.TRIANGLES, BACKDROP_QUADS * 6)

    def _draw_light(self, view: View, step: Step, edges: int) -> None:
        self._ctx.enable_only(moderngl.DEPTH_TEST | moderngl.BLEND)
        self._ctx.blend_func = moderngl.ONE, moderngl.ONE_MINUS_SRC_COLOR
        self._ctx.fbo.depth_mask = False
        self._draw_edges(view, step, edges)
        self._draw_rings(view)
        if view.marker is not None:
            self._ctx.enable_only(moderngl.BLEND)
            self._pulled.render(self._program("beacon"), moderngl.TRIANGLE_STRIP, 4)
        self._ctx.fbo.depth_mask = True

    def _draw_edges(self, view: View, step: Step, edges: int) -> None:
        exact = {"DIRECT": int(not step.hdr), "GLOW": int(step.hdr) * _glows(view, step)}
        program = self._program("edge", RIBBON=int(step.ribbons), PULSE=int(step.pulse), **exact)
        self._edges.use_edges()
        if not edges:
            pass
        elif step.ribbons:
            self._pulled.render_quads(program, edges)
        else:
            self._pulled.render(program, moderngl.LINES, 2 * edges)
        if singled := self._edges.stand_out(edges):
            self._pulled.render_quads(self._program("edge", RIBBON=1, PULSE=int(step.pulse), **exact), singled)
        if self._edges.links:
            self._edges.use_links()
            self._pulled.render_quads(self._program("edge", RIBBON=1, **exact), self._edges.links)

    def _gather_glow(self, view: View, step: Step) -> None:
        if not _glows(view, step):
            return
        if _lights(view):
            lights = view.lights
            assert lights is not None
            self._write_once("lit", lights, lambda: _lit_rows(lights))
        else:
            self._lists["lit"].count = 0
            self._written.pop("lit", None)
        points = (self._program("glow"), len(view.scene.ids)) if step.glow else None
        self._glow.gather(view.size_px, points, (self._program("glow", LIT=1), self._lists["lit"]))

    def _write_once(self, name: str, source: object, rows: Callable[[], Ints]) -> None:
        """Fill a list of rows again when what it is made from is another object."""
        if self._written.get(name) is not source:
            self._written[name] = source
            self._lists[name].write(rows())

    def _draw_rings(self, view: View) -> None:
        rows = [*view.selected, *([view.hovered] if view.hovered >= 0 and view.hovered not in view.selected else [])]
        kinds = np.zeros(len(rows), np.float32)
        kinds[: len(view.selected)] = 1.0
        if view.selected:
            kinds[len(view.selected) - 1] = 2.0
        if view.selected and view.tiers is not None:
            if self._fanned_in is not view.tiers:
                self._fanned_in, self._fanned = view.tiers, np.flatnonzero(view.tiers == FANNED)
            fanned = np.setdiff1d(self._fanned, rows)
            rows, kinds = [*fanned.tolist(), *rows], np.append(np.full(len(fanned), -1.0, np.float32), kinds)
        self._lists["rings"].write(np.array(rows, np.int32), kinds)
        self._lists["rings"].render(self._program("ring"))


def _scaled(size_px: tuple[int, int], scale: float) -> tuple[int, int]:
    return max(round(size_px[0] * scale), 1), max(round(size_px[1] * scale), 1)


def _drawn(view: View) -> int:
    """How many rows have a card: those of the scene, and behind them what leaves."""
    return len(view.scene.ids) + (len(view.leaving.ids) if view.leaving is not None else 0)


def _steps_from(governor: Governor) -> list[Step]:
    """The steps that may be drawn, the current one and the sharp one first."""
    if governor.fixed:
        return [governor.step]
    return sorted(LADDER, key=lambda step: (step is not governor.step, step is not SHARP))


def _lights(view: View) -> bool:
    return view.lights is not None and view.light_mix > 0.0


def _glows(view: View, step: Step) -> int:
    """Whether there is glow behind the cards: of every node, or of what a search found."""
    return int(step.glow or _lights(view))


def _leaving_rows(view: View) -> Ints:
    return np.arange(len(view.scene.ids), _drawn(view), dtype=np.int32)


def _lit_rows(lights: Floats) -> Ints:
    return np.flatnonzero(light_of(lights) > 0.02).astype(np.int32)
