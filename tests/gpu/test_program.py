"""Every shader joins and compiles; a message names file and line; the block is what GLSL thinks it is."""

from __future__ import annotations

from pathlib import Path

import moderngl
import numpy as np
import pytest

from atlas_rt.core.assets import assets_folder
from atlas_rt.core.quality import LADDER
from atlas_rt.errors import AtlasError
from atlas_rt.render.frame import BLOCK_BYTES, CONSTANTS, FRAME
from atlas_rt.render.gl.panel_layer import BOXES
from atlas_rt.render.gl.program import Programs, ShaderError, Source, block_source, join, translate
from atlas_rt.render.gl.variants import variants_of

SHADERS = assets_folder("shaders")
VARIANTS = [
    *{repr(variant): variant for step in LADDER for variant in variants_of(step)}.values(),
    ("present", {}),
    ("panels", {"BOXES": BOXES}),
]


@pytest.mark.parametrize(("name", "defines"), VARIANTS)
def test_every_shader_compiles(ctx: moderngl.Context, name: str, defines: dict[str, int]) -> None:
    programs = Programs(ctx, FRAME, CONSTANTS)
    assert programs.get(name, **defines) is programs.get(name, **defines)
    programs.release()


def test_every_pair_is_tried_here() -> None:
    pairs = {path.stem for path in SHADERS.glob("*.frag")}
    assert pairs == {path.stem for path in SHADERS.glob("*.vert")}
    assert pairs == {name for name, _ in VARIANTS}


def test_the_block_lies_in_memory_as_numpy_says(ctx: moderngl.Context) -> None:
    programs = Programs(ctx, FRAME, CONSTANTS)
    block = programs.get("card")["Frame"]
    assert isinstance(block, moderngl.UniformBlock)
    assert block.size == BLOCK_BYTES
    programs.release()


def test_a_field_that_std140_would_move_is_refused() -> None:
    with pytest.raises(AtlasError, match="field b of block B lies at byte 4"):
        block_source("B", np.dtype([("a", "f4"), ("b", "f4", (4,))]))


def test_a_file_is_included_once_and_lines_are_kept(tmp_path: Path) -> None:
    (tmp_path / "lib.glsl").write_text("float one() { return 1.0; }\n")
    (tmp_path / "a.frag").write_text('#include "lib.glsl"\n#include "lib.glsl"\nvoid main() {}\n')
    source = join(tmp_path, "a.frag")
    assert source.files == ("a.frag", "lib.glsl")
    assert source.text.count("float one()") == 1
    assert source.text.endswith("#line 3 0\nvoid main() {}\n")


def test_a_missing_include_names_who_asked(tmp_path: Path) -> None:
    (tmp_path / "a.frag").write_text('\n#include "none.glsl"\n')
    with pytest.raises(ShaderError, match=r"a\.frag:2: there is no shader file none\.glsl"):
        join(tmp_path, "a.frag")


def test_a_mistake_in_an_included_file_is_told_by_its_file_and_line(ctx: moderngl.Context, tmp_path: Path) -> None:
    (tmp_path / "lib.glsl").write_text("// first\nfloat one() { return nothing; }\n")
    (tmp_path / "bad.frag").write_text('#include "lib.glsl"\nout vec4 c;\nvoid main() { c = vec4(one()); }\n')
    (tmp_path / "bad.vert").write_text("void main() { gl_Position = vec4(0.0); }\n")
    programs = Programs(ctx, FRAME, CONSTANTS, folder=tmp_path)
    with pytest.raises(ShaderError, match=r"nothing[\s\S]*lib\.glsl:2"):
        programs.get("bad")


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("1:12(3): error: oh", "lib/b.glsl:12(3): error: oh"),
        ("0(7) : error C1008: oh", "a.vert:7 : error C1008: oh"),
        ("ERROR: 1:4: 'x' : oh", "ERROR: lib/b.glsl:4: 'x' : oh"),
    ],
)
def test_drivers_messages_are_translated(message: str, told: str) -> None:
    assert translate(message, Source("", ("a.vert", "lib/b.glsl"))) == told
