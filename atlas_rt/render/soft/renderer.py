"""The cloud drawn by the processor: the rasterizer, its own quality ladder, and a way into the window."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from atlas_rt.core.arrays import Bytes, Ints
from atlas_rt.core.images import Tile
from atlas_rt.core.preparation import Preparation
from atlas_rt.core.quality import SOFTWARE_LADDER, Step, governor_for
from atlas_rt.core.scene import View
from atlas_rt.render.draw_figures import DrawFigures
from atlas_rt.render.soft.kernels.records import Pixels
from atlas_rt.render.soft.rasterizer import Rasterizer
from atlas_rt.render.soft.refinement import Refinement

if TYPE_CHECKING:
    from atlas_rt.render.gl.offscreen import Target


class Presenter(Protocol):
    """What brings pixels into a target: `render.gl.presenter`."""

    def show(self, pixels: Pixels, target: Target) -> None: ...

    def release(self) -> None: ...


class SoftwareRenderer:
    """Owns the rasterizer and the presenter, whose thread is the OpenGL context's."""

    def __init__(self, rasterizer: Rasterizer, presenter: Presenter, *, quality: str = "auto") -> None:
        self._rasterizer, self._presenter = rasterizer, presenter
        self._governor = governor_for(quality, software=True, ladder=SOFTWARE_LADDER)
        self._refinement: Refinement | None = None
        self._refined: Pixels | None = None
        self.figures = DrawFigures()

    @property
    def pulses(self) -> bool:
        """Ambient motion can be seen at this step."""
        return self._governor.step.pulse

    @property
    def refines(self) -> bool:
        """The last frame was a still one, and another still one would look better."""
        return self._refinement is not None and self._refinement.done < self._refinement.passes

    def set_quality(self, quality: str) -> None:
        """Draw by another word of `--quality` from now on."""
        self._governor = governor_for(quality, software=True, ladder=SOFTWARE_LADDER)
        self._refinement = None

    def load_small(self, tiles: Ints, pixels: Bytes) -> None:
        """Keep small tiles: `pixels` (k, 32, 32, 3 or 4) for the tile records `tiles` (k,)."""
        self._rasterizer.load_small(tiles, pixels)

    def staging(self, prepared: Preparation | None, tiles: Ints, pixels: Bytes) -> Iterator[None]:  # noqa: ARG002
        """Keep a coming scene's small tiles in steps; the scene itself is read with the first View that shows it."""
        yield
        yield from self._rasterizer.staging(tiles, pixels)

    def accept(self, tile: Tile) -> None:
        """Keep one larger tile; it fades in over the coarser one."""
        self._rasterizer.accept(tile)

    def clear(self) -> None:
        """Forget every tile, because another library is shown from now on."""
        self._rasterizer.clear()

    def wanted(self, view: View) -> list[tuple[int, int]]:
        """(id, level) of the medium and large tiles to fetch now."""
        return self._rasterizer.wanted(view)

    def observe(self, frame_ms: float) -> bool:
        """Tell the governor what the last frame's work took, flip included; whether the step changed."""
        return self._governor.observe(frame_ms)

    def draw(self, view: View, target: Target, *, still: bool = False) -> None:
        """Draw one frame into the target. still: one step of a refinement, which begins with the first still frame and
        ends with the first that is not."""
        if min(view.size_px) < 1:
            return
        if still:
            pixels = self._refine(view)
        else:
            self._refinement = self._refined = None
            pixels = self._drawn(view, self._governor.step)
        self.figures = replace(self._rasterizer.figures, step=f"{self._governor.step.name}, software")
        self._presenter.show(pixels, target)

    def picture(self, view: View) -> Bytes:
        """(h, w, 3) the view drawn as richly as can be, top row first."""
        self._refinement = self._refined = None
        return picture_of(self._rasterizer, view)

    def release(self) -> None:
        self._rasterizer.release()
        self._presenter.release()

    def _refine(self, view: View) -> Pixels:
        """(h, w) the picture at rest, a little better than before; as it is once it is finished."""
        if self._refinement is None or self._refined is None or self._refined.shape[::-1] != view.size_px:
            self._refinement = self._rasterizer.refined(view)
        pixels = self._refinement.step()
        if pixels is not None:
            self._refined = pixels
        assert self._refined is not None
        return self._refined

    def _drawn(self, view: View, step: Step) -> Pixels:
        """(h, w) the view at a step."""
        if not step.pulse and view.ambient > 0.0:
            view = replace(view, ambient=0.0)
        return self._rasterizer.draw(view, edge_share=step.edge_share, glow=step.glow)


def picture_of(rasterizer: Rasterizer, view: View) -> Bytes:
    """(h, w, 3) uint8 RGB of a view, top row first, as richly as the rasterizer can."""
    refinement = rasterizer.refined(view)
    while (step := refinement.step()) is not None:
        pixels = step
    return np.ascontiguousarray(pixels.view(np.uint8).reshape(*pixels.shape, 4)[..., 2::-1])
