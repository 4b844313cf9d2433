"""`atlas-rt shot`: one frame of the real renderer as a picture, without a window."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
from PIL import Image

from atlas_rt.commands.collection import Collection, open_collection, sources_of
from atlas_rt.commands.output import output_path, print_json, say, write_whole
from atlas_rt.core.arrays import Bytes
from atlas_rt.core.camera import pose_looking_at
from atlas_rt.core.framing import FreeView
from atlas_rt.core.hud import Hud, ImageFacts
from atlas_rt.core.images import Tile
from atlas_rt.core.lights import LIGHT_SECS
from atlas_rt.core.motion import MORPH_SECS
from atlas_rt.core.s3_errors import S3Error
from atlas_rt.core.scene import Pose, View
from atlas_rt.core.wall import unfolded
from atlas_rt.core.world import World
from atlas_rt.encoders.encoder import TextEncoder
from atlas_rt.errors import DecodeError, MissingError, NoGraphicsError, UsageError
from atlas_rt.library.store import StoreReader
from atlas_rt.library.tile_files import TileFiles
from atlas_rt.library.tile_making import load_picture
from atlas_rt.render.gl.context import Context, open_headless
from atlas_rt.render.gl.large_picture import needs_parts
from atlas_rt.render.gl.limits import limits_of
from atlas_rt.render.gl.offscreen import OffscreenTarget
from atlas_rt.search.dictionary import ENGLISH
from atlas_rt.search.fields import FIELDS, read
from atlas_rt.search.filters import Filters
from atlas_rt.settings import Settings
from atlas_rt.spoken import spoken_code
from atlas_rt.ui.input import Input, KeyStroke, Modifiers
from atlas_rt.values import Triple
from atlas_rt.window.cluster_state import ClusterState
from atlas_rt.window.filter_state import FilterState
from atlas_rt.window.picture import WindowPicture
from atlas_rt.window.session import source_name
from atlas_rt.window.still_hud import still_hud
from atlas_rt.workers.facts import FactsRequest, facts_of, stored_of
from atlas_rt.workers.filtering import FilterRequest, answer_of
from atlas_rt.workers.pictures import PICTURE_PX
from atlas_rt.workers.searcher import Query, Searcher
from atlas_rt.workers.text_search import TextSearch
from atlas_rt.workers.tiles import fetch_tile

SETTLE_SECS = 20.0
"""Longer than any fade of a tile or a panel, and than the hint of the first seconds."""
STAND_IN_PX = 640
"""Longest side of the picture in which tiles and panels settle where the true one is drawn in parts."""
STRIP_LINES = 512
SETTLING_SECS = (0.0, SETTLE_SECS, SETTLE_SECS)
"""Steps of time that are drawn: tiles and panels fade in from when they are first seen."""
UNMARKED = Input(events=tuple(KeyStroke("End", down=down, modifiers=Modifiers()) for down in (True, False)))
"""Moves the caret to the end: a field that takes the focus selects all of its text."""
TILE_ROUNDS = 4
"""Rounds of drawing, asking which tiles are wanted, and fetching them; the second finds nothing new as a rule."""


@dataclass(frozen=True, slots=True)
class Shot:
    """What to take a picture of. filters: fields that dim what they leave out. select, visit: the image whose panel is
    open; visit: as a flight to it ends. eye and gaze: world units, None for the home view."""

    size_px: tuple[int, int]
    quality: str
    renderer: str = "auto"
    search: str = ""
    filters: str = ""
    select: str = ""
    visit: str = ""
    panel: str = ""
    eye: Triple | None = None
    gaze: Triple | None = None
    hud: bool = True
    language: str = ENGLISH
    """Of the words that are searched for."""


def run(settings: Settings, arguments: argparse.Namespace) -> int:
    path = picture_path(arguments.output)
    if arguments.visit and (arguments.select or arguments.eye or arguments.look):
        raise UsageError("--visit says where the camera stands: leave out --select, --eye and --look")
    collection = open_collection(
        settings, sources_of(settings, arguments.source, demo=arguments.demo), no_update=arguments.no_update
    )
    if arguments.wall:
        collection = _unfolded(collection)
    shot = Shot(
        size_px=arguments.size,
        quality="high" if arguments.quality in (None, "auto") else arguments.quality,
        renderer=settings.renderer,
        search=arguments.search,
        filters=arguments.filter,
        select=arguments.select,
        visit=arguments.visit,
        panel=arguments.panel,
        eye=arguments.eye,
        gaze=arguments.look,
        hud=not arguments.no_hud,
        language=spoken_code(settings),
    )
    write_picture(take(collection, shot, tell=lambda text: say(settings, text)), path)
    if settings.json:
        print_json({"path": str(path), "size": list(shot.size_px), "images": len(collection.scene.ids)})
    else:
        say(settings, f"written: {path}")
    return 0


def _unfolded(collection: Collection) -> Collection:
    """With its images on the flat wall. Raises MissingError where its map has none."""
    if not len(collection.scene.wall):
        raise MissingError("this map has no wall yet: `atlas-rt index` makes one")
    return replace(collection, arrival=replace(collection.arrival, scene=unfolded(collection.scene)))


def picture_path(word: str) -> Path:
    """The path of a picture named with `-o`, checked before slow work begins. Raises UsageError or MissingError."""
    return output_path(word, (".png",))


def write_picture(pixels: Bytes, path: Path) -> None:
    """Save a picture as PNG. Raises MissingError if the disk refuses."""
    write_whole(path, lambda temporary: Image.fromarray(pixels).save(temporary, "PNG"))


def take(collection: Collection, shot: Shot, *, tell: Callable[[str], None]) -> Bytes:
    """(h, w, 3) uint8 RGB of the shot. tell: called with a sentence where the picture is not all that was asked for.

    Without OpenGL the rasterizer draws it, without panels.

    Raises MissingError if OpenGL was asked for and is not there, UsageError for an unknown image or field.
    """
    wanted = shot.visit or shot.select
    selected = int(collection.scene.ids[collection.row_of(wanted)]) if wanted else -1
    filters = _filters(collection, shot, tell)  # before anything is drawn: words that are no field are refused at once
    try:
        context = open_headless()
    except NoGraphicsError as error:
        if shot.renderer == "gl":
            raise
        tell(f"{error}; the map is drawn without it, and without panels")
        return _take_without_opengl(collection, shot, selected, filters)
    return _take_with_opengl(context, collection, shot, selected, filters, tell)


def _take_with_opengl(
    context: Context,
    collection: Collection,
    shot: Shot,
    selected: int,
    filters: FilterState,
    tell: Callable[[str], None],
) -> Bytes:
    large = needs_parts(shot.size_px, limits_of(context).target_px)
    picture = _picture(context, _fitting(shot.size_px, STAND_IN_PX) if large else shot.size_px)
    display = WindowPicture(
        context, quality=shot.quality, renderer=shot.renderer, waits=True, target=lambda: picture.target
    )
    try:
        if display.trouble:
            tell(display.trouble)
        display.show(collection.arrival)
        world = _world(collection, shot, selected, filters)
        facts = _facts(collection, selected) if selected >= 0 else None
        if facts is not None:
            _show_whole(display, collection, facts.path, tell)
        for _ in range(TILE_ROUNDS):
            if not _develop(display, world, collection, shot, facts, filters, picture):
                break
        return _large(display, world, collection, shot, facts, filters) if large else picture.read()
    finally:
        picture.release()
        display.release()


def _show_whole(display: WindowPicture, collection: Collection, path: str, tell: Callable[[str], None]) -> None:
    """The selected image in its panel, as far as its file can be had."""
    try:
        file = collection.originals.local_file(path)
        display.show_picture("selected", load_picture(str(file), PICTURE_PX))
    except (DecodeError, S3Error) as error:
        tell(f"the image is shown by its thumbnail ({error}): {path}")


def _large(
    display: WindowPicture,
    world: World,
    collection: Collection,
    shot: Shot,
    facts: ImageFacts | None,
    filters: FilterState,
) -> Bytes:
    """A picture drawn in parts, and the panels over it: drawn once, as large as the driver allows, and enlarged to the
    whole where that is less."""
    view = world.view(shot.size_px)
    pixels = display.picture_of(view)
    if shot.hud:
        panels_px = _fitting(shot.size_px, limits_of(display.context).target_px)
        hud = _hud(collection, world, view, display, shot, facts, filters, 0.0)
        display.build_panels(hud, UNMARKED, framebuffer_px=panels_px, dpi_scale=1.0)
        lay_over(pixels, display.panels_picture(panels_px))
    return pixels


def lay_over(pixels: Bytes, panels: Bytes) -> None:
    """Put panels (h, w, 4), colours times opacity, over a picture (H, W, 3) of the same shape, in place."""
    height, width = pixels.shape[:2]
    for top in range(0, height, STRIP_LINES):
        strip = pixels[top : top + STRIP_LINES]
        over = panels[top : top + STRIP_LINES]
        if panels.shape[:2] != (height, width):
            box = (0.0, top * panels.shape[0] / height, panels.shape[1], (top + len(strip)) * panels.shape[0] / height)
            size = (width, len(strip))
            over = np.asarray(Image.fromarray(panels, "RGBa").resize(size, Image.Resampling.BILINEAR, box))
        kept = strip * (255 - over[..., 3:].astype(np.uint16))
        strip[:] = np.minimum(over[..., :3] + (kept + 127) // 255, 255)


def _fitting(size_px: tuple[int, int], most_px: int) -> tuple[int, int]:
    """The size, made smaller so that no side is longer than this."""
    share = min(1.0, most_px / max(size_px))
    return max(round(size_px[0] * share), 1), max(round(size_px[1] * share), 1)


def _take_without_opengl(collection: Collection, shot: Shot, selected: int, filters: FilterState) -> Bytes:
    from atlas_rt.render.soft.loading import load_rasterizer
    from atlas_rt.render.soft.renderer import picture_of

    rasterizer = load_rasterizer()
    try:
        rasterizer.load_small(collection.arrival.tiles, collection.arrival.pixels)
        world = _world(collection, shot, selected, filters)
        for _ in range(TILE_ROUNDS):
            for dt_secs in SETTLING_SECS:
                world.advance(dt_secs, frozenset())
                view = world.view(shot.size_px)
                pixels = picture_of(rasterizer, view)
            if not _fetch(rasterizer, rasterizer.wanted(view), world, collection):
                break
        return pixels
    finally:
        rasterizer.release()


def _picture(context: Context, size_px: tuple[int, int]) -> OffscreenTarget:
    try:
        return OffscreenTarget(context, size_px)
    except Exception as error:  # drivers refuse with many kinds of error
        raise MissingError(f"the driver refuses a picture of this size ({error}); choose a smaller --size") from error


def _develop(
    display: WindowPicture,
    world: World,
    collection: Collection,
    shot: Shot,
    facts: ImageFacts | None,
    filters: FilterState,
    picture: OffscreenTarget,
) -> bool:
    """Draw once with everything settled, then fetch what that frame wanted; False when it wanted nothing."""
    for dt_secs in SETTLING_SECS:
        world.keep_framed(display.free_view if shot.hud else FreeView())
        world.advance(dt_secs, frozenset())
        view = world.view(shot.size_px)
        if shot.hud:
            hud = _hud(collection, world, view, display, shot, facts, filters, dt_secs)
            display.build_panels(hud, UNMARKED, framebuffer_px=shot.size_px, dpi_scale=1.0)
        display.draw(replace(view, size_px=picture.size_px), picture.target, panels=shot.hud)
    return _fetch(display, display.wanted_tiles(view), world, collection)


class TileKeeper(Protocol):
    """Whoever draws tiles."""

    def accept(self, tile: Tile) -> object: ...


def _fetch(keeper: TileKeeper, wanted: list[tuple[int, int]], world: World, collection: Collection) -> bool:
    """Give the tiles that are wanted, as far as they can be had; whether any were."""
    files = TileFiles(collection.place.folder, writable=False)
    for id_, level in wanted:
        row = world.row(id_)
        tile = fetch_tile(files, (id_, level, int(world.scene.tiles[row]), world.scene.paths[row]))
        if tile is not None:
            keeper.accept(tile)
    return bool(wanted)


def _filters(collection: Collection, shot: Shot, tell: Callable[[str], None]) -> FilterState:
    """What is filtered by, and what that lets through. Raises UsageError where a word is no field."""
    reading = read(shot.filters)
    if reading.notices or (shot.filters and not reading.empty):
        told = " ".join(reading.notices) or f"“{reading.text}” is no field; there are {', '.join(FIELDS)}"
        raise UsageError(f"--filter: {told}")
    filters = Filters(reading.conditions)
    state = FilterState(filters, open=shot.panel == "filters", timeline_open=shot.panel == "timeline")
    if state.filters or state.counted:
        request = FilterRequest(reading.conditions, collection.scene)
        with StoreReader.open(collection.place.folder) as store:
            state.answer = answer_of(request, store, collection.model.id)
        for remark in state.answer.remarks:
            tell(remark)
    return state


def _world(collection: Collection, shot: Shot, selected: int, filters: FilterState) -> World:
    world = World()
    world.view(shot.size_px)  # the home view depends on the picture's shape
    world.morph_to(collection.scene)
    world.filter_by(filters.answer.passes if filters.answer else None, hides=False)
    pose = _pose(world, shot, selected)
    if shot.visit:
        world.visit(selected, FreeView())
        world.selected_ids = (selected,)
    elif selected >= 0:
        if shot.eye is None:
            world.camera.fly_to(pose)
        else:
            world.camera.pose = pose
        world.selected_ids = (selected,)  # its stack fans out, as after a flight to it
    if shot.search:
        scene = collection.scene
        query = Query(shot.search, scene.ids, collection.vector_index, scene, within=world.passing)
        query = replace(query, language=shot.language)
        encoder = TextEncoder(collection.model, runtime=collection.runtime)
        texts = TextSearch(collection.place, collection.model.id)
        searcher = Searcher(collection.model, encoder, texts, cache=collection.cache)
        world.light_by(searcher.answer(query))
        texts.close()
    world.advance(max(MORPH_SECS, LIGHT_SECS), frozenset())
    if not shot.visit:
        world.camera.pose = pose
    return world


def _pose(world: World, shot: Shot, selected: int) -> Pose:
    """As asked for; the selected image from near; else home."""
    if shot.eye is not None:
        return pose_looking_at(shot.eye, shot.gaze or (0.0, 0.0, 0.0))
    if shot.gaze is not None:
        return pose_looking_at(world.home().eye, shot.gaze)
    return (world.close_up(selected, distance=14.0) if selected >= 0 else None) or world.home()


def _facts(collection: Collection, id_: int) -> ImageFacts | None:
    request = FactsRequest(id_, collection.scene, collection.vector_index, neighbours=True)
    with StoreReader.open(collection.place.folder) as store:
        return facts_of(request, stored_of(store, request), sources=collection.place.sources)


def _hud(
    collection: Collection,
    world: World,
    view: View,
    display: WindowPicture,
    shot: Shot,
    facts: ImageFacts | None,
    filters: FilterState,
    dt_secs: float,
) -> Hud:
    return still_hud(
        world,
        view,
        size_px=shot.size_px,
        dt_secs=dt_secs,
        arrival=collection.arrival,
        source=source_name(collection.place.sources),
        model=collection.model.name,
        renderer=display.renderer_name,
        query=shot.search,
        selected=facts,
        clusters=ClusterState(open=shot.panel == "clusters").panel(world.scene, world.shown_clusters),
        filters=filters.panel(len(world.scene.ids), world.scene.words),
    )
