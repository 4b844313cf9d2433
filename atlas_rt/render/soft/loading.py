"""The rasterizer, compiled: from the kernels that were kept, or once for all where there are none.

Compiling takes 6 to 20 s, loading what was kept 0.3 s. `python -m atlas_rt.render.soft.loading` compiles; `scripts/setup`
calls it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from atlas_rt import kernel_cache

if TYPE_CHECKING:
    from atlas_rt.render.soft.rasterizer import Rasterizer

THREADS_MAX = 2
"""More gain little: the first part of a frame is one thread's."""


def is_compiled() -> bool:
    """Whether the kernels seem to be kept already: then loading them is a matter of a moment."""
    return kernel_cache.holds_compiled(Path(__file__).parent / "kernels")


def load_rasterizer() -> Rasterizer:
    """A rasterizer whose kernels are compiled. May be called on any thread; then it belongs to whoever has it."""
    kernel_cache.prepare()
    from atlas_rt.core.world import World
    from atlas_rt.render.soft.rasterizer import Rasterizer

    rasterizer = Rasterizer(threads=min(_cores(), THREADS_MAX))
    world = World()
    for glow in (False, True):
        rasterizer.draw(world.view((64, 64)), edge_share=1.0, glow=glow)
    return rasterizer


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


if __name__ == "__main__":
    load_rasterizer().release()
