"""What draws the cloud, as the window sees it: `render.gl.renderer` with OpenGL, `render.soft.renderer` without."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

from atlas_rt.core.arrays import Bytes, Ints
from atlas_rt.core.images import Tile
from atlas_rt.core.preparation import Preparation
from atlas_rt.core.scene import View
from atlas_rt.render.draw_figures import DrawFigures

if TYPE_CHECKING:
    from atlas_rt.render.gl.offscreen import Target


class CloudRenderer(Protocol):
    """Owns the tiles it was given. All calls on the thread of the OpenGL context.

    figures: of the last frame.
    """

    figures: DrawFigures

    @property
    def pulses(self) -> bool:
        """Ambient motion can be seen."""
        ...

    @property
    def refines(self) -> bool:
        """The last frame was a still one, and another still one would look better."""
        ...

    def load_small(self, tiles: Ints, pixels: Bytes) -> None:
        """Take small tiles in bulk: `pixels` (k, 32, 32, 3 or 4) for the tile records `tiles` (k,)."""
        ...

    def staging(self, prepared: Preparation | None, tiles: Ints, pixels: Bytes) -> Iterator[None]:
        """Take a coming scene and its small tiles in steps of about a millisecond, while another scene is drawn."""
        ...

    def accept(self, tile: Tile) -> None:
        """Take one larger tile; it fades in over the coarser one."""
        ...

    def clear(self) -> None:
        """Forget every tile, because another library is shown from now on."""
        ...

    def wanted(self, view: View) -> list[tuple[int, int]]:
        """(id, level) of the medium and large tiles to fetch now, the most urgent first."""
        ...

    def observe(self, frame_ms: float) -> bool:
        """Tell the quality ladder what the last frame's work took, flip included; whether the step changed."""
        ...

    def set_quality(self, quality: str) -> None:
        """Draw by another word of `--quality` from now on."""
        ...

    def draw(self, view: View, target: Target, *, still: bool = False) -> None:
        """Draw one frame into a target of the size `view.size_px`. still: nothing moves, so it may take longer."""
        ...

    def picture(self, view: View) -> Bytes:
        """(h, w, 3) the view drawn as richly as can be, top row first."""
        ...

    def release(self) -> None:
        """Let everything go; the renderer is of no use afterwards."""
        ...
