"""OpenGL contexts, with a window and without, and what is known of the driver behind one."""

from __future__ import annotations

import sys
from typing import Any

import moderngl

from atlas_rt.errors import NoGraphicsError

Context = moderngl.Context

LEAST_VERSION = 330
_SOFTWARE = ("llvmpipe", "softpipe", "swrast", "swr", "software rasterizer", "gdi generic")


def open_in_window() -> Context:
    """The context of the window that is current on this thread. Raises NoGraphicsError where it is too old."""
    ctx = moderngl.create_context()
    check_version(ctx)
    return ctx


def open_headless() -> Context:
    """An OpenGL context with no window. One a process: a second fails.

    Raises NoGraphicsError when there is none, or it is too old.
    """
    try:
        ctx = moderngl.create_context(standalone=True, require=LEAST_VERSION, **headless_options(sys.platform))
    except Exception as error:  # glcontext raises nothing narrower
        raise NoGraphicsError(
            f"no OpenGL {LEAST_VERSION / 100:.1f} without a window ({error}); {headless_advice(sys.platform)}"
        ) from error
    check_version(ctx)
    return ctx


def headless_options(system: str) -> dict[str, Any]:
    """What moderngl is asked for on a system (as `sys.platform` calls it): EGL, which needs no display, exists on Linux
    only; Windows and macOS make a hidden window by themselves."""
    return {"backend": "egl"} if system == "linux" else {}


def headless_advice(system: str) -> str:
    """What brings OpenGL on a system where there is none without a window."""
    if system == "linux":
        return "on Debian or Ubuntu: apt install libegl1 libgl1-mesa-dri"
    if system == "darwin":
        return "macOS has OpenGL 4.1 built in: start it in a session that is logged in at the screen"
    return "install the driver of the graphics card, from its maker's site; over Remote Desktop there may be none"


def check_version(ctx: Context) -> None:
    """Raise NoGraphicsError unless the context offers OpenGL 3.3 or newer."""
    if ctx.version_code < LEAST_VERSION:
        software = ", or set LIBGL_ALWAYS_SOFTWARE=1" if sys.platform == "linux" else ""
        raise NoGraphicsError(
            f"OpenGL {LEAST_VERSION / 100:.1f} is needed and {ctx.version_code / 100:.1f} is here; update the graphics "
            f"driver{software}: {renderer_name(ctx)}"
        )


def renderer_name(ctx: Context) -> str:
    """What really draws, as the driver names itself."""
    return str(ctx.info["GL_RENDERER"])


def is_software(ctx: Context) -> bool:
    """Whether OpenGL is drawn by the processor."""
    name = renderer_name(ctx).lower()
    return any(word in name for word in _SOFTWARE)
