"""A picture that the processor drew, on its way into the window: one upload, one copy.

Which way is cheap depends on the driver. llvmpipe's window is BGRA, and a texture made as unsized GL_RGBA from GL_BGRA
bytes has the same layout: 0.09 ms to upload 1280 x 720 and 0.09 ms to blit it upside down, against 1.2 and 2.2 for a
GL_RGBA8 texture, and 1.7 ms for a triangle that shows it. Elsewhere the blit may be slow or wrong. So both are tried
once, in the window itself, and the faster one that gives the right pixels is taken.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import Protocol

import moderngl
import numpy as np
from numpy.typing import NDArray

from atlas_rt.errors import AtlasError, MissingError
from atlas_rt.render.frame import CONSTANTS, FRAME
from atlas_rt.render.gl.cleanup import release_target
from atlas_rt.render.gl.drawing import Pulled
from atlas_rt.render.gl.program import Programs
from atlas_rt.render.gl.raw_gl import RawGL

Pixels = NDArray[np.uint32]
"""(h, w) 0xFFRRGGBB, top row first."""
TRIES = 5
TEST_PX = (512, 256)
"""Part of the target that is drawn into: enough to tell the ways apart, and there also if the window has shrunk."""
WRONG = float("inf")
MARKS = (0xFFE01020, 0xFF20D040, 0xFF3050F0, 0xFFF0F0F0)
"""Colours of the corners of the test picture: top left, top right, bottom left, bottom right."""


class Way(Protocol):
    """One way to bring pixels into a target of their size."""

    name: str

    def show(self, pixels: Pixels, target: moderngl.Framebuffer) -> None: ...

    def release(self) -> None: ...


class Presenter:
    """Owns what a picture goes through. All calls on the thread of the context.

    ways: those to choose from, for tests.
    """

    def __init__(
        self, ctx: moderngl.Context, *, ways: Sequence[Callable[[moderngl.Context], Way]] | None = None
    ) -> None:
        self._ctx = ctx
        self._ways = ways or (Blit, Triangle)
        self._way: Way | None = None

    @property
    def way(self) -> str:
        """How pictures get there, empty until the first one did."""
        return self._way.name if self._way else ""

    def show(self, pixels: Pixels, target: moderngl.Framebuffer) -> None:
        """Fill the target, which has the size of `pixels` (h, w); it is in use afterwards."""
        if self._way is None:
            self.choose(target)
            assert self._way is not None
        self._way.show(pixels, target)

    def choose(self, target: moderngl.Framebuffer) -> None:
        """Take the faster of the ways that show a test picture as it is, in a corner of the target.

        Raises MissingError where none does.
        """
        width, height = (max(min(side, most), 1) for side, most in zip(target.size, TEST_PX, strict=True))
        self._way = self._fastest(_test_picture(width, height), target)

    def release(self) -> None:
        if self._way is not None:
            self._way.release()
            self._way = None

    def _fastest(self, pixels: Pixels, target: moderngl.Framebuffer) -> Way:
        ways = [make(self._ctx) for make in self._ways]
        secs = [self._tried(way, pixels, target) for way in ways]
        fastest = ways[secs.index(min(secs))]
        for way in ways:
            if way is not fastest or min(secs) == WRONG:
                way.release()
        if min(secs) == WRONG:
            raise MissingError("the graphics driver does not show what the processor draws; try --renderer gl")
        return fastest

    def _tried(self, way: Way, pixels: Pixels, target: moderngl.Framebuffer) -> float:
        """Seconds for one picture, WRONG where it does not come out right."""
        times = []
        try:
            for _ in range(TRIES):
                self._ctx.finish()
                begun = time.perf_counter()
                way.show(pixels, target)
                self._ctx.finish()
                times.append(time.perf_counter() - begun)
            right = _is_right(RawGL(self._ctx), pixels, target)
        except (moderngl.Error, AtlasError):
            right = False
        return median(times) if self._ctx.error == "GL_NO_ERROR" and right else WRONG


def _test_picture(width: int, height: int) -> Pixels:
    pixels = np.full((height, width), 0xFF102030, np.uint32)
    for (row, column), colour in zip(((0, 0), (0, -1), (-1, 0), (-1, -1)), MARKS, strict=True):
        pixels[row, column] = colour
    return pixels


def _is_right(raw: RawGL, pixels: Pixels, target: moderngl.Framebuffer) -> bool:
    height, width = pixels.shape
    for row, column in ((0, 0), (0, width - 1), (height - 1, 0), (height - 1, width - 1), (height // 2, width // 2)):
        wanted = int(pixels[row, column])
        found = raw.pixel_at(target, column, height - 1 - row)
        if any(abs((wanted >> shift & 255) - each) > 1 for shift, each in zip((16, 8, 0), found, strict=True)):
            return False
    return True


class Blit:
    """A texture that is laid out as llvmpipe's window, copied upside down."""

    name = "blit"

    def __init__(self, ctx: moderngl.Context) -> None:
        self._ctx, self._raw = ctx, RawGL(ctx)
        self._texture: moderngl.Texture
        self._source: moderngl.Framebuffer | None = None

    def show(self, pixels: Pixels, target: moderngl.Framebuffer) -> None:
        size_px = pixels.shape[1], pixels.shape[0]
        if self._source is None or self._source.size != size_px:
            self.release()
            self._texture = self._ctx.texture(size_px, 4)
            self._raw.lay_out_as_window(self._texture)
            self._source = self._ctx.framebuffer([self._texture])
        self._raw.upload_bgra(self._texture, pixels)
        target.use()
        self._raw.blit_upside_down(self._source, target)

    def release(self) -> None:
        if self._source is not None:
            release_target(self._ctx, self._source)
            self._source = None


class Triangle:
    """A texture that one triangle over the whole target shows."""

    name = "triangle"

    def __init__(self, ctx: moderngl.Context) -> None:
        self._ctx, self._raw = ctx, RawGL(ctx)
        self._programs, self._pulled = Programs(ctx, FRAME, CONSTANTS), Pulled(ctx)
        self._texture: moderngl.Texture | None = None

    def show(self, pixels: Pixels, target: moderngl.Framebuffer) -> None:
        size_px = pixels.shape[1], pixels.shape[0]
        if self._texture is None or self._texture.size != size_px:
            self._drop_texture()
            self._texture = self._ctx.texture(size_px, 4)
            self._texture.filter = moderngl.NEAREST, moderngl.NEAREST
            self._texture.repeat_x = self._texture.repeat_y = False
        self._raw.upload_bgra(self._texture, pixels)
        target.use()
        target.viewport = (0, 0, *size_px)
        self._ctx.enable_only(moderngl.NOTHING)
        self._texture.use(0)
        program = self._programs.get("present")
        program["source"] = 0
        self._pulled.render(program, moderngl.TRIANGLES, 3)

    def release(self) -> None:
        self._drop_texture()
        self._pulled.release()
        self._programs.release()

    def _drop_texture(self) -> None:
        if self._texture is not None:
            self._texture.release()
            self._texture = None
