"""Thumbnails are wanted until they come, found where they lie, and give way to newer ones."""

from __future__ import annotations

from collections.abc import Iterator

import moderngl
import numpy as np
import pytest

from atlas_rt.core.images import MEDIUM_TILE_PX, Tile
from atlas_rt.render.gl.thumbnails import CELLS_ACROSS, CELLS_DOWN, HEIGHT_PX, WIDTH_PX, ThumbnailAtlas


@pytest.fixture
def atlas(ctx: moderngl.Context) -> Iterator[ThumbnailAtlas]:
    atlas = ThumbnailAtlas(ctx)
    yield atlas
    atlas.release()


def medium(record: int, shade: int = 100) -> Tile:
    return Tile(record, record, 1, (np.full((MEDIUM_TILE_PX, MEDIUM_TILE_PX, 4), shade, np.uint8),))


def texels(ctx: moderngl.Context, name: int, size: tuple[int, int]) -> np.ndarray:
    texture = ctx.external_texture(name, size, 4, 0, "f1")
    return np.frombuffer(texture.read(), np.uint8).reshape(size[1], size[0], 4)


def test_a_thumbnail_is_wanted_until_it_comes(atlas: ThumbnailAtlas) -> None:
    assert atlas.ref(7) is None
    assert atlas.ref(8) is None
    assert atlas.ref(7) is None
    assert atlas.wanted() == [8, 7]
    assert atlas.wanted() == []
    atlas.accept(medium(7))
    assert atlas.ref(7) is not None
    assert atlas.ref(8) is None
    assert atlas.wanted() == [8]


def test_the_corners_lie_on_its_own_texels(ctx: moderngl.Context, atlas: ThumbnailAtlas) -> None:
    atlas.accept(medium(1, 50))
    atlas.accept(medium(2, 200))
    for image_id, shade in ((1, 50), (2, 200)):
        ref = atlas.ref(image_id)
        assert ref is not None
        pixels = texels(ctx, ref.texture, (WIDTH_PX, HEIGHT_PX))
        (left, top), (right, bottom) = ref.uv0, ref.uv1
        cell = pixels[
            int(top * HEIGHT_PX) : int(bottom * HEIGHT_PX) + 1, int(left * WIDTH_PX) : int(right * WIDTH_PX) + 1
        ]
        assert cell.shape[:2] == (MEDIUM_TILE_PX, MEDIUM_TILE_PX)
        assert (cell == shade).all()


def test_the_least_recently_shown_gives_way(atlas: ThumbnailAtlas) -> None:
    count = CELLS_ACROSS * CELLS_DOWN
    for image_id in range(count):
        atlas.accept(medium(image_id))
    atlas.ref(0)
    atlas.accept(medium(count))
    assert atlas.ref(0) is not None
    assert atlas.ref(1) is None


def test_other_levels_are_passed_over(atlas: ThumbnailAtlas) -> None:
    atlas.accept(Tile(3, 3, 2, (np.zeros((512, 512, 4), np.uint8),)))
    assert atlas.ref(3) is None


def test_pictures_of_any_size_are_kept_by_name(ctx: moderngl.Context, atlas: ThumbnailAtlas) -> None:
    assert atlas.picture_ref("panel") is None
    atlas.set_picture("panel", np.full((11, 7, 3), 90, np.uint8))
    first = atlas.picture_ref("panel")
    assert first is not None
    assert (first.uv0, first.uv1) == ((0.0, 0.0), (1.0, 1.0))
    atlas.set_picture("panel", np.full((11, 7, 3), 10, np.uint8))
    assert atlas.picture_ref("panel") == first
    atlas.set_picture("panel", np.full((20, 30, 4), 60, np.uint8))
    second = atlas.picture_ref("panel")
    assert second is not None
    assert (texels(ctx, second.texture, (30, 20)) == 60).all()
    atlas.drop_picture("panel")
    assert atlas.picture_ref("panel") is None


def test_it_tells_when_what_a_panel_shows_has_changed(atlas: ThumbnailAtlas) -> None:
    atlas.accept(medium(1))
    atlas.accept(medium(2))
    before = atlas.contents
    assert atlas.ref(1) is not None
    for record in range(3, CELLS_ACROSS * CELLS_DOWN + 2):  # the cell of 2, which no panel has shown, goes first
        atlas.accept(medium(record))
    assert atlas.contents == before
    atlas.accept(medium(1000))
    atlas.accept(medium(1001))
    assert atlas.contents == before + 1
    atlas.set_picture("live", np.zeros((4, 4, 3), np.uint8))
    assert atlas.contents == before + 2
