"""What the driver can do, asked of it: OpenGL 3.3 promises no more than 256 layers and textures of 1,024 px."""

from __future__ import annotations

from dataclasses import dataclass

import moderngl

from atlas_rt.errors import NoGraphicsError


@dataclass(frozen=True, slots=True)
class DriverLimits:
    """texture_px: side of a texture; target_px: side of what can be drawn into; layers: of an array texture;
    point_px: side of a point; block_bytes: of a uniform block."""

    texture_px: int
    target_px: int
    layers: int
    point_px: float
    block_bytes: int

    def check(self, *, texture_px: int, block_bytes: int) -> None:
        """Raise NoGraphicsError where the driver offers less than this, without which nothing can be drawn."""
        for what, offered, needed in (
            ("textures of {} px", self.texture_px, texture_px),
            ("uniform blocks of {} bytes", self.block_bytes, block_bytes),
        ):
            if offered < needed:
                raise NoGraphicsError(
                    f"the graphics driver offers {what.format(f'{offered:,}')} and {needed:,} are needed; update it"
                )


def limits_of(ctx: moderngl.Context) -> DriverLimits:
    """The limits of the driver behind a context."""
    info = ctx.info
    return DriverLimits(
        texture_px=int(info["GL_MAX_TEXTURE_SIZE"]),
        target_px=min(
            int(info["GL_MAX_TEXTURE_SIZE"]),
            int(info["GL_MAX_RENDERBUFFER_SIZE"]),
            *map(int, info["GL_MAX_VIEWPORT_DIMS"]),
        ),
        layers=int(info["GL_MAX_ARRAY_TEXTURE_LAYERS"]),
        point_px=float(info["GL_POINT_SIZE_RANGE"][1]),
        block_bytes=int(info["GL_MAX_UNIFORM_BLOCK_SIZE"]),
    )
