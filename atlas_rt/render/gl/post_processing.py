"""The finished picture of the rich steps, and the bloom over it.

Shaders write screen colours, so the picture is eight bits deep and nothing is developed afterwards: half as much memory
to move as with half floats. Only bloom is light, at a quarter of the side and a twelfth, in packed floats of 32 bits.
"""

from __future__ import annotations

import moderngl

from atlas_rt.render.frame import Part
from atlas_rt.render.gl.cleanup import release_target
from atlas_rt.render.gl.drawing import Pulled
from atlas_rt.render.gl.nodes import UNIT_SECOND, UNIT_SOURCE
from atlas_rt.render.gl.program import Programs

NEAR_SHRINK = 4
FAR_SHRINK = 3
"""Bloom is blurred at a quarter, and at a third of that: a twelfth."""
PACKED_FLOATS = 0x8C3A
"""GL_R11F_G11F_B10F: 6 bits of mantissa are enough for what is blurred, and no sum of many is kept in it."""


class PostProcessing:
    """Owns the picture of one size and the bloom of the whole, made again when their sizes change."""

    def __init__(self, ctx: moderngl.Context, programs: Programs, pulled: Pulled) -> None:
        self._ctx = ctx
        self._programs = programs
        self._pulled = pulled
        self._sizes = (0, 0), (0, 0)
        self._targets: dict[str, moderngl.Framebuffer] = {}

    def open(self, size_px: tuple[int, int], whole_px: tuple[int, int]) -> moderngl.Framebuffer:
        """The target to draw a picture of `size_px` into, which is all or a part of one of `whole_px`."""
        if (size_px, whole_px) != self._sizes:
            self.release()
            self._sizes = size_px, whole_px
            near = _shrunk(whole_px, NEAR_SHRINK)
            far = _shrunk(near, FAR_SHRINK)
            self._targets = {
                "scene": self._scene(size_px),
                "near": self._light(near),
                "near_across": self._light(near),
                "far": self._light(far),
                "far_across": self._light(far),
                "bloom": self._ctx.framebuffer([_smooth(self._ctx.texture(near, 4))]),
            }
        return self._targets["scene"]

    def gather(self, part: Part, inner: Part) -> None:
        """Take what shines in the picture drawn last, which is `part`, into the bloom: only what is within `inner`."""
        self._ctx.enable_only(moderngl.NOTHING)
        near = self._targets["near"]
        near.viewport = _box(part)
        near.scissor = _box(inner)
        self._shrink("scene", "near", soft=1)
        near.viewport = near.scissor = (0, 0, *near.size)

    def blur(self) -> None:
        """Blur what was gathered from all parts."""
        self._ctx.enable_only(moderngl.NOTHING)
        self._blur("near", times=1)
        self._shrink("near", "far", soft=0)
        self._blur("far", times=2)
        program = self._programs.get("mingle")
        self._texture("near").use(UNIT_SOURCE)
        self._texture("far").use(UNIT_SECOND)
        program["near_bloom"], program["far_bloom"] = UNIT_SOURCE, UNIT_SECOND
        self._targets["bloom"].use()
        self._pulled.render(program, moderngl.TRIANGLES, 3)

    def develop(self, target: moderngl.Framebuffer) -> None:
        """Write the picture with its bloom into `target`."""
        self._ctx.enable_only(moderngl.NOTHING)
        program = self._programs.get("develop")
        self._texture("scene").use(UNIT_SOURCE)
        self._texture("bloom").use(UNIT_SECOND)
        program["scene"], program["bloom"] = UNIT_SOURCE, UNIT_SECOND
        target.use()
        target.viewport = (0, 0, *self._sizes[0])
        self._pulled.render(program, moderngl.TRIANGLES, 3)

    def release(self) -> None:
        for target in self._targets.values():
            release_target(self._ctx, target)
        self._targets.clear()
        self._sizes = (0, 0), (0, 0)

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
        self._texture(source).use(UNIT_SOURCE)
        program["source"] = UNIT_SOURCE
        self._pulled.render(program, moderngl.TRIANGLES, 3)

    def _texture(self, name: str) -> moderngl.Texture:
        texture = self._targets[name].color_attachments[0]
        assert isinstance(texture, moderngl.Texture)
        return texture

    def _scene(self, size_px: tuple[int, int]) -> moderngl.Framebuffer:
        return self._ctx.framebuffer([_smooth(self._ctx.texture(size_px, 4))], self._ctx.depth_renderbuffer(size_px))

    def _light(self, size_px: tuple[int, int]) -> moderngl.Framebuffer:
        texture = self._ctx.texture(size_px, 3, dtype="f2", internal_format=PACKED_FLOATS)
        return self._ctx.framebuffer([_smooth(texture)])


def _box(part: Part) -> tuple[int, int, int, int]:
    return (
        part.left // NEAR_SHRINK,
        part.bottom // NEAR_SHRINK,
        -(-part.width // NEAR_SHRINK),
        -(-part.height // NEAR_SHRINK),
    )


def _smooth(texture: moderngl.Texture) -> moderngl.Texture:
    texture.filter = moderngl.LINEAR, moderngl.LINEAR
    texture.repeat_x = texture.repeat_y = False
    return texture


def _shrunk(size_px: tuple[int, int], by: int) -> tuple[int, int]:
    return max(size_px[0] // by, 1), max(size_px[1] // by, 1)
