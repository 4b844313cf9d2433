"""The rasterizer, compiled: from the kernels that were kept, or once for all where there are none.

Compiling takes 12 s of one core, loading what was kept 0.4 to 1 s. `scripts/setup` compiles.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from atlas_rt import kernel_cache
from atlas_rt.core.scene import View, empty_scene

if TYPE_CHECKING:
    from atlas_rt.render.soft.rasterizer import Rasterizer

ROOT = Path(__file__).parents[3]
"""What holds the package: the process that compiles must take the same one."""
KERNELS = Path(__file__).parent / "kernels"
NUMBERS = tuple(
    ROOT / "atlas_rt" / name for name in ("render/look.py", "core/visibility.py", "core/pulse.py", "core/glass.py")
)
"""Where the kernels have numbers from, which are compiled into them."""
THREADS_MAX = 2
"""More gain little: the first part of a frame is one thread's."""


def is_compiled() -> bool:
    """Whether the kernels seem to be kept already: then loading them is a matter of a moment."""
    return kernel_cache.holds_compiled(KERNELS, NUMBERS)


def load_rasterizer() -> Rasterizer:
    """A rasterizer whose kernels are all compiled. May be called on any thread; then it belongs to whoever has it."""
    kernel_cache.prepare()
    kernel_cache.forget_stale(KERNELS, NUMBERS)
    from atlas_rt.render.soft.rasterizer import Rasterizer

    rasterizer = Rasterizer(threads=min(_cores(), THREADS_MAX))
    view = _lit_view()
    rasterizer.draw(view, edge_share=1.0, glow=True)
    rasterizer.refined(view, passes=1).step()
    return rasterizer


def load_beside_window() -> Rasterizer:
    """As `load_rasterizer`, on a thread beside frames that are drawn meanwhile.

    What has to be compiled is compiled by a process that gives way to the window: a thread of its own made frames of 35
    ms take 130. Should that process fail, the thread does it.
    """
    if not is_compiled():
        kernel_cache.prepare()  # says where, to the process as well
        nice = "os.nice(5); " if hasattr(os, "nice") else ""
        code = f"import os, sys; {nice}sys.path.insert(0, {str(ROOT)!r}); import {__name__} as it; it.load_rasterizer()"
        subprocess.run(
            [sys.executable, "-P", "-c", code],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
    return load_rasterizer()


def _lit_view() -> View:
    """A view in which everything is drawn that can be, so that every kernel is compiled: three lit nodes."""
    from atlas_rt.core.world import World

    world = World(reduced_motion=True)
    positions = np.array([(-0.1, 0.0, 0.0), (0.1, 0.0, 0.0), (0.0, 0.1, 0.0)], np.float32)
    count = len(positions)
    world.morph_to(
        replace(
            empty_scene(),
            ids=np.arange(count, dtype=np.int64),
            paths=("",) * count,
            positions=positions,
            aspects=np.ones(count, np.float32),
            mean_rgb=np.full((count, 3), 128, np.uint8),
            hues=np.full((count, 3), 128, np.uint8),
            tiles=np.arange(count, dtype=np.int32),
            sizes_px=np.full((count, 2), 32, np.int32),
            clusters=np.full(count, -1, np.int32),
            edges=np.array([(0, 1), (1, 2)], np.int32),
            weights=np.ones(2, np.float32),
            node_size=0.05,
        )
    )
    return replace(world.view((64, 64)), lights=np.ones(count, np.float32), light_mix=1.0, selected=(0,))


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
