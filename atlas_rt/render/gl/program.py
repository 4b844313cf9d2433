"""Shader sources joined by ourselves, and the programs made of them.

`#include "lib/x.glsl"` brings a file in once. Every piece is preceded by a `#line` with its own number, so that a
compiler's message can be told as file and line (moderngl's own includes lose both). The block of uniforms that all
shaders share is written from a numpy dtype: the two sides cannot disagree.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import moderngl
import numpy as np

from atlas_rt.core.assets import assets_folder
from atlas_rt.errors import AtlasError

FRAME_BINDING = 8
"""Uniform binding of the frame block: pyglet's projection sits at 0 and is not bound again."""

_INCLUDE = re.compile(r'^\s*#include\s+"([^"]+)"\s*$')
_NUMBERED = re.compile(r"(?m)^(\s*(?:ERROR: |WARNING: )?)(\d+)(?::(\d+)(?=[(:])|\((\d+)\))")
"""`1:12(3): error` of Mesa, `1(12) : error` of NVIDIA, `ERROR: 1:12:` of the others."""
_GLSL_TYPES = {
    ("float32", (4, 4)): ("mat4", 16),
    ("float32", (4,)): ("vec4", 16),
    ("int32", (4,)): ("ivec4", 16),
    ("float32", ()): ("float", 4),
    ("int32", ()): ("int", 4),
}


class ShaderError(AtlasError):
    """A shader does not join or compile; the message names file and line."""


@dataclass(frozen=True, slots=True)
class Source:
    """One shader, joined. files: the number each `#line` uses is the index in here."""

    text: str
    files: tuple[str, ...]


def join(folder: Path, name: str, *, prelude: str = "") -> Source:
    """The text of `name` with its includes, after `#version 330 core` and the prelude (defines, blocks).

    Raises ShaderError naming the file and line of an include that is not there.
    """
    files: list[str] = []
    lines = ["#version 330 core", prelude]
    _append(folder, name, files, lines, asked_by=name)
    return Source("\n".join(lines) + "\n", tuple(files))


def _append(folder: Path, name: str, files: list[str], lines: list[str], *, asked_by: str) -> None:
    if name in files:
        return
    path = folder / name
    if not path.is_file():
        raise ShaderError(f"{asked_by}: there is no shader file {name}: {folder}")
    number = len(files)
    files.append(name)
    lines.append(f"#line 1 {number}")
    for at, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
        include = _INCLUDE.match(line)
        if include:
            _append(folder, include[1], files, lines, asked_by=f"{name}:{at}")
            lines.append(f"#line {at + 1} {number}")
        else:
            lines.append(line)


def translate(message: str, source: Source) -> str:
    """A compiler's message with `number:line` turned into `file:line`."""

    def named(found: re.Match[str]) -> str:
        number = int(found[2])
        file = source.files[number] if number < len(source.files) else found[2]
        return f"{found[1]}{file}:{found[3] or found[4]}"

    return _NUMBERED.sub(named, message)


def block_source(name: str, layout: np.dtype[np.void]) -> str:
    """The GLSL text of a std140 uniform block with the fields of `layout`.

    Raises AtlasError for a field that std140 would place elsewhere than numpy does.
    """
    assert layout.fields is not None
    body = []
    for field, (dtype, offset, *_) in layout.fields.items():
        glsl, alignment = _GLSL_TYPES[(dtype.base.name, dtype.shape)]
        if offset % alignment:
            raise AtlasError(f"field {field} of block {name} lies at byte {offset}, not on a multiple of {alignment}")
        body.append(f"    {glsl} {field};")
    return "\n".join([f"layout(std140) uniform {name} {{", *body, "};"])


def _define(name: str, value: float | tuple[float, ...]) -> str:
    """A number, or several as a vector."""
    text = repr(float(value)) if isinstance(value, float | int) else f"vec{len(value)}{tuple(map(float, value))!r}"
    return f"#define {name} {text}"


class Programs:
    """Compiles each pair of shaders once for each set of defines, and keeps it."""

    def __init__(
        self,
        ctx: moderngl.Context,
        frame_layout: np.dtype[np.void],
        constants: dict[str, float | tuple[float, ...]],
        *,
        folder: Path | None = None,
    ) -> None:
        self._ctx = ctx
        self._folder = folder or assets_folder("shaders")
        self._prelude = "\n".join(
            [*(_define(name, value) for name, value in constants.items()), block_source("Frame", frame_layout)]
        )
        self._programs: dict[tuple[str, tuple[tuple[str, int], ...]], moderngl.Program] = {}

    def get(self, name: str, **defines: int) -> moderngl.Program:
        """The program of `name.vert` and `name.frag` with these defines (those that are 0 are left out).

        Raises ShaderError with file and line when it doesn't compile.
        """
        key = (name, tuple(sorted((define, value) for define, value in defines.items() if value)))
        if key not in self._programs:
            self._programs[key] = self._compile(name, dict(key[1]))
        return self._programs[key]

    def release(self) -> None:
        for program in self._programs.values():
            program.release()
        self._programs.clear()

    def _compile(self, name: str, defines: dict[str, int]) -> moderngl.Program:
        prelude = "\n".join([*(f"#define {define} {value}" for define, value in defines.items()), self._prelude])
        vertex = join(self._folder, f"{name}.vert", prelude=prelude)
        fragment = join(self._folder, f"{name}.frag", prelude=prelude)
        try:
            program = self._ctx.program(vertex_shader=vertex.text, fragment_shader=fragment.text)
        except moderngl.Error as error:
            source = fragment if "fragment_shader" in str(error) else vertex
            raise ShaderError(translate(str(error), source)) from error
        if "Frame" in program:
            block = program["Frame"]
            assert isinstance(block, moderngl.UniformBlock)
            block.binding = FRAME_BINDING
        return program
