"""How Dear ImGui's panels get into a frame: those that look as they did in the frame before are not drawn again.

Each window of Dear ImGui is a list of triangles. A list whose bytes, clip rectangles and textures are those of the
frame before is drawn into a layer, once, and from then on the layer is shown; any other list is drawn as it is. So
nothing that changed comes a frame late, and what never rests (tags that follow their clusters) does not go through the
layer at all.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Sequence
from typing import Generic, NamedTuple, Protocol, TypeVar

import numpy as np
from imgui_bundle import imgui
from imgui_bundle.imgui import backends

Box = tuple[int, int, int, int]
"""Left, top, width and height in pixels of the framebuffer, y from the top."""
Size = tuple[int, int]


class Usable(Protocol):
    """A framebuffer that can be drawn into, as moderngl's."""

    def use(self) -> None: ...


Target = TypeVar("Target", bound=Usable)
Target_contra = TypeVar("Target_contra", bound=Usable, contravariant=True)


class Layer(Protocol[Target_contra]):
    """Where panels are kept as they were drawn: `render.gl.panel_layer`."""

    def open(self, size_px: Size, box_px: Box) -> Usable: ...

    def show(self, boxes_px: Sequence[Box], target: Target_contra) -> None: ...

    def release(self) -> None: ...


class Look(NamedTuple):
    """Everything that decides how a list of triangles looks, and what of the framebuffer it can reach."""

    triangles: tuple[bytes, bytes, tuple[tuple[float, ...], ...]]
    """Vertices, indices, and the commands as numbers."""
    box_px: Box


class Group(NamedTuple):
    """Lists that overlap, in order from the lowest, and the box around them."""

    places: tuple[int, ...]
    box_px: Box


class PanelDrawing(Generic[Target]):
    """Draws the lists of one Dear ImGui context. Main thread, OpenGL context current."""

    def __init__(self, layer: Layer[Target]) -> None:
        self._layer = layer
        self._looks: dict[str, Look] = {}
        self._layered: dict[Box, tuple[Look, ...]] = {}
        self._view: tuple[float, ...] = ()
        self.drawn_anew = 0
        """Lists of the last frame that did not come from the layer."""

    def draw(self, data: imgui.ImDrawData, target: Target, *, pictures: int) -> None:
        """Draw a frame's panels over the target. pictures: another number whenever the contents of a texture that
        panels show (thumbnails, pictures) changed."""
        size_px = _framebuffer_px(data)
        lists = list(data.cmd_lists)
        view = (*data.display_size, *data.framebuffer_scale)
        if view != self._view or _glyphs_change(data) or min(size_px) < 1:
            self._view, self._looks, self._layered = view, {}, {}
            self.drawn_anew = len(lists)
            target.use()
            backends.opengl3_render_draw_data(data)
            return
        names = [each._owner_name or f"list {place}" for place, each in enumerate(lists)]
        before = [self._looks.get(name) for name in names]
        looks = [look_of(each, data, pictures, known) for each, known in zip(lists, before, strict=True)]
        still = [look is known for look, known in zip(looks, before, strict=True)]
        self._looks = dict(zip(names, looks, strict=True))
        direct, groups = arrange([look.box_px for look in looks], still)
        self.drawn_anew = len(direct)
        for group in groups:
            self._fill(group, lists, looks, data, size_px)
        if direct:
            target.use()
            _draw([lists[place] for place in direct], data)
        if groups:
            self._layer.show([group.box_px for group in groups], target)

    def release(self) -> None:
        self._layer.release()

    def _fill(
        self, group: Group, lists: list[imgui.ImDrawList], looks: list[Look], data: imgui.ImDrawData, size_px: Size
    ) -> None:
        """See to it that the layer holds a group."""
        wanted = tuple(looks[place] for place in group.places)
        if self._layered.get(group.box_px) == wanted:
            return
        self._layered = {box: held for box, held in self._layered.items() if not overlap(box, group.box_px)}
        self._layer.open(size_px, group.box_px).use()
        _draw([lists[place] for place in group.places], data)
        self._layered[group.box_px] = wanted


def arrange(boxes: Sequence[Box], still: Sequence[bool]) -> tuple[list[int], list[Group]]:
    """The lists (by place, from the lowest) to draw directly, and those to take from the layer, which lies above them.

    A list that did not change is drawn all the same where one above it did and overlaps it: it must stay below.
    """
    direct: list[int] = []
    groups: list[Group] = []
    for place in reversed(range(len(boxes))):
        box = boxes[place]
        if not (box[2] and box[3]):
            continue
        if not still[place] or any(overlap(box, boxes[above]) for above in direct):
            direct.insert(0, place)
        else:
            groups = _joined(groups, Group((place,), box))
    return direct, groups


def _joined(groups: list[Group], new: Group) -> list[Group]:
    """The groups with one more, joined with those it overlaps until no two do."""
    for group in groups:
        if overlap(group.box_px, new.box_px):
            places = tuple(sorted((*group.places, *new.places)))
            others = [each for each in groups if each is not group]
            return _joined(others, Group(places, around(group.box_px, new.box_px)))
    return [*groups, new]


def overlap(one: Box, other: Box) -> bool:
    return (
        one[0] < other[0] + other[2]
        and other[0] < one[0] + one[2]
        and one[1] < other[1] + other[3]
        and other[1] < one[1] + one[3]
    )


def around(one: Box, other: Box) -> Box:
    """The box around two."""
    left, top = min(one[0], other[0]), min(one[1], other[1])
    right, bottom = max(one[0] + one[2], other[0] + other[2]), max(one[1] + one[3], other[1] + other[3])
    return left, top, right - left, bottom - top


def look_of(each: imgui.ImDrawList, data: imgui.ImDrawData, pictures: int, known: Look | None) -> Look:
    """How a list looks in this frame; the very object `known` if it looks like that."""
    glyphs = {texture.get_tex_id() for texture in data.textures or ()}
    commands: list[tuple[float, ...]] = []
    for command in each.cmd_buffer:
        texture, clip = command.get_tex_id(), command.clip_rect
        contents = -1 if texture in glyphs else pictures
        offsets = (command.elem_count, command.idx_offset, command.vtx_offset)
        commands.append((clip.x, clip.y, clip.z, clip.w, texture, contents, *offsets))
    vertices = _bytes_of(each.vtx_buffer, imgui.VERTEX_SIZE)
    indices = _bytes_of(each.idx_buffer, imgui.INDEX_SIZE)
    triangles = vertices, indices, tuple(commands)
    if known is not None and known.triangles == triangles:
        return known
    return Look(triangles, _box_of(vertices, commands, data) if indices else (0, 0, 0, 0))


def _bytes_of(buffer: imgui.ImVector_ImDrawVert | imgui.ImVector_ImDrawIdx, size: int) -> bytes:
    return ctypes.string_at(buffer.data_address(), buffer.size() * size) if buffer.size() else b""


def _box_of(vertices: bytes, commands: list[tuple[float, ...]], data: imgui.ImDrawData) -> Box:
    numbers = np.frombuffer(vertices, np.float32).reshape(-1, imgui.VERTEX_SIZE // 4)
    origin, scale, size_px = tuple(data.display_pos), tuple(data.framebuffer_scale), _framebuffer_px(data)
    box = []
    for axis in (0, 1):
        low = max(float(numbers[:, axis].min()), min(command[axis] for command in commands)) - origin[axis]
        high = min(float(numbers[:, axis].max()), max(command[2 + axis] for command in commands)) - origin[axis]
        first = max(math.floor(low * scale[axis]), 0)
        box += [first, max(min(math.ceil(high * scale[axis]), size_px[axis]) - first, 0)]
    return box[0], box[2], box[1], box[3]


def _glyphs_change(data: imgui.ImDrawData) -> bool:
    """Whether Dear ImGui has glyphs to upload: what was drawn with the texture before may look otherwise."""
    return any(each.status != imgui.ImTextureStatus.ok for each in data.textures or ())


def _framebuffer_px(data: imgui.ImDrawData) -> Size:
    scale = data.framebuffer_scale
    return int(data.display_size.x * scale.x), int(data.display_size.y * scale.y)


def _draw(lists: list[imgui.ImDrawList], data: imgui.ImDrawData) -> None:
    """Draw some of the lists into the framebuffer in use."""
    part = imgui.ImDrawData()
    part.valid = True
    part.display_pos, part.display_size = data.display_pos, data.display_size
    part.framebuffer_scale = data.framebuffer_scale
    for each in lists:
        part.add_draw_list(each)
    backends.opengl3_render_draw_data(part)
