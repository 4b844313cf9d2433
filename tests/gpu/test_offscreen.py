"""A context without a window, and what it says when there is none."""

from __future__ import annotations

import sys

import moderngl
import numpy as np
import pytest

from atlas_rt.errors import MissingError
from atlas_rt.render.gl import context, offscreen
from atlas_rt.render.gl.cleanup import sweep


def test_pixels_come_back_top_row_first(ctx: moderngl.Context) -> None:
    target = offscreen.OffscreenTarget(ctx, (5, 3))
    target.target.use()
    target.target.clear(0.0, 0.0, 0.0, 1.0)
    target.target.clear(1.0, 0.0, 0.0, 1.0, viewport=(0, 2, 5, 1))
    pixels = target.read()
    target.release()
    assert pixels.shape == (3, 5, 3)
    assert (pixels[0] == (255, 0, 0)).all()
    assert (pixels[1:] == 0).all()
    assert pixels.flags.c_contiguous
    assert pixels.dtype == np.uint8


def test_no_opengl_is_told_with_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: object) -> moderngl.Context:
        raise RuntimeError("cannot load libEGL.so.1")

    monkeypatch.setattr(moderngl, "create_context", fail)
    with pytest.raises(MissingError, match=r"OpenGL 3\.3 .*libEGL.*apt install"):
        context.open_headless()


@pytest.mark.parametrize("system", ["win32", "darwin"])
def test_other_systems_are_asked_for_their_own_opengl(monkeypatch: pytest.MonkeyPatch, system: str) -> None:
    """glcontext builds EGL on Linux only."""
    asked: list[dict[str, object]] = []

    def fail(**options: object) -> moderngl.Context:
        asked.append(options)
        raise RuntimeError("no pixel format")

    monkeypatch.setattr(moderngl, "create_context", fail)
    monkeypatch.setattr(sys, "platform", system)
    with pytest.raises(MissingError, match=r"OpenGL 3\.3 without a window \(no pixel format\); \w+") as told:
        context.open_headless()
    assert asked == [{"standalone": True, "require": 330}]
    assert "apt" not in str(told.value)


def test_an_old_opengl_is_told_with_its_version(ctx: moderngl.Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context, "LEAST_VERSION", 990)
    with pytest.raises(MissingError, match=r"OpenGL 9\.9 is needed and \d\.\d is here"):
        context.check_version(ctx)


def test_dropped_and_released_objects_are_swept(ctx: moderngl.Context) -> None:
    sweep(ctx)
    released = ctx.buffer(reserve=16)
    released.release()
    dropped = ctx.buffer(reserve=16)
    del released, dropped
    assert sweep(ctx) == 1
    assert sweep(ctx) == 0
