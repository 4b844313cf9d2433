"""Drawing without a window: a headless context, a target of our own, and pixels read back."""

from __future__ import annotations

import moderngl
import numpy as np

from atlas_rt.core.records import Bytes
from atlas_rt.errors import MissingError
from atlas_rt.render.gl.cleanup import release_target

Context = moderngl.Context
Target = moderngl.Framebuffer

LEAST_VERSION = 330
_SOFTWARE = ("llvmpipe", "softpipe", "swrast", "swr", "software rasterizer", "gdi generic")


def open_in_window() -> Context:
    """The context of the window that is current on this thread. Raises MissingError where it is too old."""
    ctx = moderngl.create_context()
    check_version(ctx)
    return ctx


def open_headless() -> moderngl.Context:
    """An OpenGL context with no window, by EGL. One a process: a second fails.

    Raises MissingError when there is none, or it is too old.
    """
    try:
        # moderngl's own hint for `backend` is wrong: it takes a name.
        ctx = moderngl.create_context(standalone=True, backend="egl", require=LEAST_VERSION)  # type: ignore[arg-type]
    except Exception as error:  # glcontext raises nothing narrower
        raise MissingError(
            f"no OpenGL {LEAST_VERSION / 100:.1f} without a window ({error}); "
            "on Debian or Ubuntu: apt install libegl1 libgl1-mesa-dri"
        ) from error
    check_version(ctx)
    return ctx


def check_version(ctx: moderngl.Context) -> None:
    """Raise MissingError unless the context offers OpenGL 3.3 or newer."""
    if ctx.version_code < LEAST_VERSION:
        raise MissingError(
            f"OpenGL {LEAST_VERSION / 100:.1f} is needed and {ctx.version_code / 100:.1f} is here; update the graphics "
            f"driver, or set LIBGL_ALWAYS_SOFTWARE=1: {renderer_name(ctx)}"
        )


def renderer_name(ctx: moderngl.Context) -> str:
    """What really draws, as the driver names itself."""
    return str(ctx.info["GL_RENDERER"])


def is_software(ctx: moderngl.Context) -> bool:
    """Whether OpenGL is drawn by the processor."""
    name = renderer_name(ctx).lower()
    return any(word in name for word in _SOFTWARE)


class OffscreenTarget:
    """A target of one size with colour and depth, to draw into and read."""

    def __init__(self, ctx: moderngl.Context, size_px: tuple[int, int]) -> None:
        self.size_px = size_px
        self.target = ctx.framebuffer([ctx.texture(size_px, 4)], ctx.depth_renderbuffer(size_px))
        self._ctx = ctx

    def read(self) -> Bytes:
        """(h, w, 3) uint8 RGB, top row first."""
        return read(self.target)

    def release(self) -> None:
        release_target(self._ctx, self.target)


def read(target: moderngl.Framebuffer) -> Bytes:
    """(h, w, 3) uint8 RGB of a framebuffer object, top row first; not for the window's own framebuffer."""
    width, height = target.size
    rows = np.frombuffer(target.read(components=3, alignment=1), np.uint8).reshape(height, width, 3)
    return np.ascontiguousarray(rows[::-1])
