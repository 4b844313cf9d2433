"""The few OpenGL calls moderngl has no door for: array textures with levels of our own, and copies between them.

moderngl writes level 0 of an array only, and its mipmaps are made again for every layer (112 ms for 128 small
ones, against 0.03 ms for the levels of one). Addresses come from the context moderngl itself was given, so pyglet's
window and headless EGL are served alike. Call on the thread of the context only.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable

import moderngl

from atlas_rt.core.arrays import Bytes

_TEXTURE_2D_ARRAY = 0x8C1A
_RGBA = 0x1908
_RGBA8 = 0x8058
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
    "glTexImage3D": 10,
    "glTexSubImage3D": 11,
    "glGenFramebuffers": 2,
    "glDeleteFramebuffers": 2,
    "glBindFramebuffer": 2,
    "glFramebufferTextureLayer": 5,
    "glCopyTexSubImage3D": 9,
}
_POINTER_LAST = {"glTexImage3D", "glTexSubImage3D", "glGenFramebuffers", "glDeleteFramebuffers", "glGetIntegerv"}


class RawGL:
    """Array textures of RGBA bytes with explicit levels, on top of a moderngl context."""

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

    def _bind(self, texture: moderngl.TextureArray) -> None:
        self._call("glActiveTexture", self._unit)
        self._call("glBindTexture", _TEXTURE_2D_ARRAY, texture.glo)

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
