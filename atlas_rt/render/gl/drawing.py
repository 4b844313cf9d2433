"""Drawing without vertex data: shaders pull what they need by number, or by the rows of a list."""

from __future__ import annotations

import moderngl
import numpy as np
from numpy.typing import NDArray

GROWTH = 1.5
"""A map that grows with each batch of images makes the list of corners anew this seldom."""
QUAD_CORNERS = (0, 1, 2, 2, 1, 3)
"""Two triangles over corners 0..3."""


class RowList:
    """A changing list of rows (int32), one instance each: the attribute `row`, and `kind` where a shader has it."""

    def __init__(self, ctx: moderngl.Context) -> None:
        self._ctx = ctx
        self._rows: moderngl.Buffer | None = None
        self._kinds: moderngl.Buffer | None = None
        self._arrays: dict[int, moderngl.VertexArray] = {}
        self.count = 0

    def write(self, rows: NDArray[np.generic], kinds: NDArray[np.generic] | None = None) -> None:
        """Replace the list; `kinds` (k,) float32 goes with shaders that have the attribute."""
        self.count = len(rows)
        if not self.count:
            return
        data = np.ascontiguousarray(rows, np.int32)
        self._rows = self._stored(self._rows, data)
        if kinds is not None:
            self._kinds = self._stored(self._kinds, np.ascontiguousarray(kinds, np.float32))

    def render(self, program: moderngl.Program) -> None:
        """Draw one quad an entry."""
        if self.count:
            self._array_for(program).render(moderngl.TRIANGLE_STRIP, vertices=4, instances=self.count)

    def release(self) -> None:
        self._drop_arrays()
        for buffer in (self._rows, self._kinds):
            if buffer is not None:
                buffer.release()
        self._rows = self._kinds = None

    def _stored(self, buffer: moderngl.Buffer | None, data: NDArray[np.generic]) -> moderngl.Buffer:
        if buffer is None or buffer.size < data.nbytes:
            self._drop_arrays()
            if buffer is not None:
                buffer.release()
            buffer = self._ctx.buffer(reserve=max(2 * data.nbytes, 256), dynamic=True)
        buffer.orphan()
        buffer.write(data)
        return buffer

    def _array_for(self, program: moderngl.Program) -> moderngl.VertexArray:
        if program.glo not in self._arrays:
            content = [(self._rows, "1i/i", "row")]
            if "kind" in program:
                content.append((self._kinds, "1f/i", "kind"))
            self._arrays[program.glo] = self._ctx.vertex_array(program, content)
        return self._arrays[program.glo]

    def _drop_arrays(self) -> None:
        for array in self._arrays.values():
            array.release()
        self._arrays.clear()


class Pulled:
    """Vertex arrays with no attributes, one a program: vertices are known by their number alone."""

    def __init__(self, ctx: moderngl.Context) -> None:
        self._ctx = ctx
        self._corners: moderngl.Buffer | None = None
        self._quads = 0
        self._plain: dict[int, moderngl.VertexArray] = {}
        self._indexed: dict[int, moderngl.VertexArray] = {}

    def render(self, program: moderngl.Program, mode: int, vertices: int) -> None:
        """Draw vertices 0..`vertices` - 1."""
        if program.glo not in self._plain:
            self._plain[program.glo] = self._ctx.vertex_array(program, [])
        self._plain[program.glo].render(mode, vertices=vertices)

    def render_quads(self, program: moderngl.Program, count: int) -> None:
        """Draw `count` quads of four vertices each: corner n & 3 of quad n >> 2.

        One indexed draw; instances of four vertices are slower on llvmpipe, which sets up each alone.
        """
        if not count:
            return
        self.reserve(count)
        if program.glo not in self._indexed:
            self._indexed[program.glo] = self._ctx.vertex_array(program, [], index_buffer=self._corners)
        self._indexed[program.glo].render(moderngl.TRIANGLES, vertices=6 * count)

    def release(self) -> None:
        for array in (*self._plain.values(), *self._indexed.values()):
            array.release()
        self._plain.clear()
        self._indexed.clear()
        if self._corners is not None:
            self._corners.release()
            self._corners = None
        self._quads = 0

    def reserve(self, count: int) -> None:
        """Make sure that so many quads can be drawn."""
        if count <= self._quads:
            return
        for array in self._indexed.values():
            array.release()
        self._indexed.clear()
        if self._corners is not None:
            self._corners.release()
        self._quads = max(count, int(self._quads * GROWTH), 1024)
        numbers = np.arange(self._quads, dtype=np.uint32)[:, None] * 4 + np.array(QUAD_CORNERS, np.uint32)
        self._corners = self._ctx.buffer(numbers)
