"""The half-float target of the rich steps, and how it becomes a picture: bloom, then the tone curve."""

from __future__ import annotations

import moderngl

from atlas_rt.render.gl.cleanup import release_target
from atlas_rt.render.gl.drawing import Pulled
from atlas_rt.render.gl.program import Programs

NEAR_SHRINK = 4
FAR_SHRINK = 3
"""Bloom is blurred at a quarter, and at a third of that: a twelfth."""


class PostProcessing:
    """Owns the light target and the bloom targets of one size, made again when the size changes."""

    def __init__(self, ctx: moderngl.Context, programs: Programs, pulled: Pulled) -> None:
        self._ctx = ctx
        self._programs = programs
        self._pulled = pulled
        self._size = (0, 0)
        self._targets: dict[str, moderngl.Framebuffer] = {}

    def open(self, size_px: tuple[int, int]) -> moderngl.Framebuffer:
        """The target to draw light into."""
        if size_px != self._size:
            self.release()
            self._size = size_px
            near = _shrunk(size_px, NEAR_SHRINK)
            far = _shrunk(near, FAR_SHRINK)
            self._targets = {
                "scene": self._target(size_px, depth=True),
                "near": self._target(near),
                "near_across": self._target(near),
                "far": self._target(far),
                "far_across": self._target(far),
            }
        return self._targets["scene"]

    def develop(self, target: moderngl.Framebuffer) -> None:
        """Write the finished picture into `target`."""
        self._ctx.enable_only(moderngl.NOTHING)
        self._shrink("scene", "near", soft=1)
        self._blur("near", times=1)
        self._shrink("near", "far", soft=0)
        self._blur("far", times=2)
        program = self._programs.get("develop")
        for unit, name in enumerate(("scene", "near", "far")):
            self._texture(name).use(unit)
        program["scene"], program["near_bloom"], program["far_bloom"] = 0, 1, 2
        target.use()
        target.viewport = (0, 0, *self._size)
        self._pulled.render(program, moderngl.TRIANGLES, 3)

    def release(self) -> None:
        for target in self._targets.values():
            release_target(self._ctx, target)
        self._targets.clear()
        self._size = (0, 0)

    def _shrink(self, source: str, target: str, *, soft: int) -> None:
        program = self._programs.get("bright", SOFT=soft)
        texture = self._texture(source)
        program["texel"] = 1.0 / texture.width, 1.0 / texture.height
        self._run(program, source, target)

    def _blur(self, name: str, *, times: int) -> None:
        program = self._programs.get("blur")
        texture = self._texture(name)
        for _ in range(times):
            program["along"] = 1.0 / texture.width, 0.0
            self._run(program, name, f"{name}_across")
            program["along"] = 0.0, 1.0 / texture.height
            self._run(program, f"{name}_across", name)

    def _run(self, program: moderngl.Program, source: str, target: str) -> None:
        self._targets[target].use()
        self._texture(source).use(0)
        program["source"] = 0
        self._pulled.render(program, moderngl.TRIANGLES, 3)

    def _texture(self, name: str) -> moderngl.Texture:
        texture = self._targets[name].color_attachments[0]
        assert isinstance(texture, moderngl.Texture)
        return texture

    def _target(self, size_px: tuple[int, int], *, depth: bool = False) -> moderngl.Framebuffer:
        texture = self._ctx.texture(size_px, 4, dtype="f2")
        texture.filter = moderngl.LINEAR, moderngl.LINEAR
        texture.repeat_x = texture.repeat_y = False
        depth_attachment = self._ctx.depth_renderbuffer(size_px) if depth else None
        return self._ctx.framebuffer([texture], depth_attachment)


def _shrunk(size_px: tuple[int, int], by: int) -> tuple[int, int]:
    return max(size_px[0] // by, 1), max(size_px[1] // by, 1)
