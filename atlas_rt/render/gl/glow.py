"""The light that all nodes together throw behind the cloud, summed small and blurred once.

A disc of light for every node costs what its pixels cost: 10,000 of them took software OpenGL 90 ms. Their sum is
smooth over tens of pixels, so each node adds one point to a small picture (four texels, so that it moves smoothly)
and the whole is blurred. A disc of any width is a mixture of two of three blurs, which follow each other: the widest is
blurred and added to the middle one, that sum to the narrowest.
"""

from __future__ import annotations

import moderngl

from atlas_rt.render.gl.cleanup import release_target
from atlas_rt.render.gl.drawing import Pulled, RowList
from atlas_rt.render.gl.nodes import UNIT_GLOW, UNIT_SECOND, UNIT_SOURCE
from atlas_rt.render.gl.program import Programs
from atlas_rt.render.look import GLOW_LINES, GLOW_MARGIN

STAGES = (("wide", "middle", 3), ("sum", "narrow", 2), ("sum", None, 1))
"""What is blurred, what is added to it then, and the WIDTH of `shaders/spread.frag`."""


def small_size(size_px: tuple[int, int]) -> tuple[int, int]:
    """Of the small picture for a picture of `size_px`."""
    width, height = size_px
    lines = round(GLOW_LINES * GLOW_MARGIN)
    return max(round(lines * width / height), 1), lines


class Glow:
    """Owns the small pictures of one shape, made again when it changes."""

    def __init__(self, ctx: moderngl.Context, programs: Programs, pulled: Pulled) -> None:
        self._ctx, self._programs, self._pulled = ctx, programs, pulled
        self._size = (0, 0)
        self._targets: dict[str, moderngl.Framebuffer] = {}

    def gather(
        self,
        size_px: tuple[int, int],
        points: tuple[moderngl.Program, int] | None,
        discs: tuple[moderngl.Program, RowList],
    ) -> None:
        """Sum up the light of `points` (a program and how many), then lay `discs` into it, the brightest winning:
        matches that lie together would otherwise add up to a white blot."""
        self._open(small_size(size_px))
        self._ctx.enable_only(moderngl.BLEND | moderngl.PROGRAM_POINT_SIZE)
        self._ctx.blend_func = moderngl.ONE, moderngl.ONE
        if points is not None:
            self._targets["points"].use()
            self._targets["points"].clear()
            self._pulled.render(points[0], moderngl.POINTS, points[1])
            self._ctx.enable_only(moderngl.NOTHING)
            for stage in STAGES:
                self._spread(*stage)
        else:
            self._targets["sum"].use()
            self._targets["sum"].clear()
        if discs[1].count:
            self._targets["sum"].use()
            self._ctx.enable_only(moderngl.BLEND)
            self._ctx.blend_equation = moderngl.MAX, moderngl.MAX
            discs[1].render(discs[0])
            self._ctx.blend_equation = moderngl.FUNC_ADD, moderngl.FUNC_ADD
        self._texture("sum").use(UNIT_GLOW)

    def release(self) -> None:
        points = self._targets.pop("points", None)
        if points is not None:
            self._ctx.detect_framebuffer(0).use()
            points.release()
        for target in self._targets.values():
            release_target(self._ctx, target)
        self._targets.clear()
        self._size = (0, 0)

    def _open(self, size: tuple[int, int]) -> None:
        if size == self._size:
            return
        self.release()
        self._size = size
        # Many faint lights are added up: that needs the ten bits of a half float.
        textures = {name: self._make_texture(size) for name in ("narrow", "middle", "wide", "across", "sum")}
        self._targets = {name: self._ctx.framebuffer([texture]) for name, texture in textures.items()}
        self._targets["points"] = self._ctx.framebuffer([textures[name] for name in ("narrow", "middle", "wide")])

    def _make_texture(self, size: tuple[int, int]) -> moderngl.Texture:
        texture = self._ctx.texture(size, 4, dtype="f2")
        texture.filter = moderngl.LINEAR, moderngl.LINEAR
        texture.repeat_x = texture.repeat_y = False
        return texture

    def _spread(self, source: str, added: str | None, width: int) -> None:
        self._run("across", source, None, (1, 0), width)
        self._run("sum", "across", added, (0, 1), width)

    def _run(self, target: str, source: str, added: str | None, along: tuple[int, int], width: int) -> None:
        program = self._programs.get("spread", WIDTH=width, ADD=int(added is not None))
        self._targets[target].use()
        self._texture(source).use(UNIT_SOURCE)
        program["source"] = UNIT_SOURCE
        if added is not None:
            self._texture(added).use(UNIT_SECOND)
            program["added"] = UNIT_SECOND
        program["along"] = along
        self._pulled.render(program, moderngl.TRIANGLES, 3)

    def _texture(self, name: str) -> moderngl.Texture:
        texture = self._targets[name].color_attachments[0]
        assert isinstance(texture, moderngl.Texture)
        return texture
