"""The few OpenGL calls moderngl has no door for: array textures with levels of our own, copies, pictures in BGRA.

moderngl writes level 0 of an array only, and its mipmaps are made again for every layer (112 ms for 128 small
ones, against 0.03 ms for the levels of one). Addresses come from the context moderngl itself was given, so pyglet's
window and headless EGL are served alike. Call on the thread of the context only.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable

import moderngl
import numpy as np
from numpy.typing import NDArray

from atlas_rt.core.arrays import Bytes

_TEXTURE_2D = 0x0DE1
_TEXTURE_2D_ARRAY = 0x8C1A
_RGBA = 0x1908
_BGRA = 0x80E1
_RGBA8 = 0x8058
_COLOR_BUFFER_BIT = 0x4000
_NEAREST = 0x2600
_UNSIGNED_BYTE = 0x1401
_MAX_LEVEL = 0x813D
_TEXTURE0 = 0x84C0
_READ_FRAMEBUFFER = 0x8CA8
_READ_FRAMEBUFFER_BINDING = 0x8CAA
_COLOR_ATTACHMENT0 = 0x8CE0
_UNPACK_ALIGNMENT = 0x0CF5

_prototype = getattr(ctypes, "WINFUNCTYPE", ctypes.CFUNCTYPE) if sys.platform == "win32" else ctypes.CFUNCTYPE
_SIGNATURES = {
    "glGetIntegerv": 2,
    "glActiveTexture": 1,
    "glBindTexture": 2,
    "glTexParameteri": 3,
    "glPixelStorei": 2,
    "glTexImage2D": 9,
    "glTexSubImage2D": 9,
    "glTexImage3D": 10,
    "glTexSubImage3D": 11,
    "glGenFramebuffers": 2,
    "glDeleteFramebuffers": 2,
    "glBindFramebuffer": 2,
    "glFramebufferTextureLayer": 5,
    "glCopyTexSubImage3D": 9,
    "glBlitFramebuffer": 10,
    "glReadPixels": 7,
}
_POINTER_LAST = {
    "glTexImage2D",
    "glTexSubImage2D",
    "glTexImage3D",
    "glTexSubImage3D",
    "glGenFramebuffers",
    "glDeleteFramebuffers",
    "glGetIntegerv",
    "glReadPixels",
}


class RawGL:
    """OpenGL calls on top of a moderngl context."""

    def __init__(self, ctx: moderngl.Context) -> None:
        self._ctx = ctx
        self._unit = _TEXTURE0 + ctx.max_texture_units - 1
        self._calls = {name: self._load(name, count) for name, count in _SIGNATURES.items()}

    def allocate_levels(self, texture: moderngl.TextureArray, levels: int) -> None:
        """Give the texture `levels` levels, each half the size of the one before; contents are undefined."""
        width, height, layers = texture.size
        self._bind(texture)
        for level in range(1, levels):
            size = (max(width >> level, 1), max(height >> level, 1), layers)
            self._call("glTexImage3D", _TEXTURE_2D_ARRAY, level, _RGBA8, *size, 0, _RGBA, _UNSIGNED_BYTE, None)
        self._call("glTexParameteri", _TEXTURE_2D_ARRAY, _MAX_LEVEL, levels - 1)

    def upload(self, texture: moderngl.TextureArray, pixels: Bytes, *, level: int, x: int, y: int, layer: int) -> None:
        """Put `pixels` (h, w, 4), C-contiguous, top row first, at texel (x, y) of one layer and level."""
        height, width = pixels.shape[:2]
        self._bind(texture)
        self._call("glPixelStorei", _UNPACK_ALIGNMENT, 4)
        box = (x, y, layer, width, height, 1)
        self._call("glTexSubImage3D", _TEXTURE_2D_ARRAY, level, *box, _RGBA, _UNSIGNED_BYTE, pixels.ctypes.data)

    def copy_layer(
        self, source: moderngl.TextureArray, target: moderngl.TextureArray, *, layer: int, levels: int
    ) -> None:
        """Copy every level of a layer of `source` into the same layer of `target`, without leaving the GPU."""
        width, height, _ = source.size
        bound, name = (ctypes.c_int * 1)(), (ctypes.c_uint * 1)()
        self._call("glGetIntegerv", _READ_FRAMEBUFFER_BINDING, ctypes.addressof(bound))
        self._call("glGenFramebuffers", 1, ctypes.addressof(name))
        self._call("glBindFramebuffer", _READ_FRAMEBUFFER, name[0])
        self._bind(target)
        for level in range(levels):
            size = (max(width >> level, 1), max(height >> level, 1))
            self._call("glFramebufferTextureLayer", _READ_FRAMEBUFFER, _COLOR_ATTACHMENT0, source.glo, level, layer)
            self._call("glCopyTexSubImage3D", _TEXTURE_2D_ARRAY, level, 0, 0, layer, 0, 0, *size)
        self._call("glDeleteFramebuffers", 1, ctypes.addressof(name))
        self._call("glBindFramebuffer", _READ_FRAMEBUFFER, bound[0])

    def lay_out_as_window(self, texture: moderngl.Texture) -> None:
        """Allocate the texture again as unsized GL_RGBA made of BGRA bytes, which drivers lay out as a window."""
        self._bind(texture, _TEXTURE_2D)
        self._call("glTexImage2D", _TEXTURE_2D, 0, _RGBA, *texture.size, 0, _BGRA, _UNSIGNED_BYTE, None)

    def upload_bgra(self, texture: moderngl.Texture, pixels: NDArray[np.uint32]) -> None:
        """Fill the texture with `pixels` (h, w) 0xAARRGGBB, C-contiguous; the first row is row 0 of the texture."""
        height, width = pixels.shape
        self._bind(texture, _TEXTURE_2D)
        self._call("glPixelStorei", _UNPACK_ALIGNMENT, 4)
        box = (0, 0, width, height)
        self._call("glTexSubImage2D", _TEXTURE_2D, 0, *box, _BGRA, _UNSIGNED_BYTE, pixels.ctypes.data)

    def blit_upside_down(self, source: moderngl.Framebuffer, target: moderngl.Framebuffer) -> None:
        """Copy all of `source` into `target`, which is in use and has its size, row 0 to the top."""
        width, height = source.size
        self._call("glBindFramebuffer", _READ_FRAMEBUFFER, source.glo)
        box = (0, 0, width, height, 0, height, width, 0)
        self._call("glBlitFramebuffer", *box, _COLOR_BUFFER_BIT, _NEAREST)
        self._call("glBindFramebuffer", _READ_FRAMEBUFFER, target.glo)

    def pixel_at(self, target: moderngl.Framebuffer, x: int, y: int) -> tuple[int, int, int]:
        """Red, green and blue of a pixel, y upwards. Of a window's framebuffer too, which moderngl cannot read."""
        pixel = (ctypes.c_ubyte * 4)()
        self._call("glBindFramebuffer", _READ_FRAMEBUFFER, target.glo)
        self._call("glReadPixels", x, y, 1, 1, _RGBA, _UNSIGNED_BYTE, ctypes.addressof(pixel))
        return pixel[0], pixel[1], pixel[2]

    def _bind(self, texture: moderngl.TextureArray | moderngl.Texture, kind: int = _TEXTURE_2D_ARRAY) -> None:
        self._call("glActiveTexture", self._unit)
        self._call("glBindTexture", kind, texture.glo)

    def _call(self, name: str, *arguments: int | None) -> None:
        self._calls[name](*arguments)

    def _load(self, name: str, count: int) -> Callable[..., None]:
        context = self._ctx.mglo._context  # moderngl's own loader for a window, glcontext's for a headless context
        load = getattr(context, "load_opengl_function", None) or context.load
        address = load(name)
        types: list[type] = [ctypes.c_int] * count
        if name in _POINTER_LAST:
            types[-1] = ctypes.c_void_p
        return _prototype(None, *types)(address)
