"""`atlas-rt [SOURCE]`: the window; a picture where there is no display."""

from __future__ import annotations

import argparse
import os
from dataclasses import replace
from pathlib import Path

from atlas_rt.commands.collection import add_source, no_images, open_collection, sources_of
from atlas_rt.commands.output import print_json, say, tell
from atlas_rt.commands.shot import Shot, picture_path, take, write_picture
from atlas_rt.core.records import LibraryPlace
from atlas_rt.errors import MissingError, UsageError
from atlas_rt.library.cache_layout import cache_folder, last_opened, place_of, remember_opened
from atlas_rt.library.sources import absolute, scan
from atlas_rt.library.store import Store
from atlas_rt.settings import QUALITIES, Settings
from atlas_rt.ui.window import display_available

PICTURE = "atlas.png"
PICTURE_PX = (1920, 1080)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_source(parser)
    parser.add_argument("--fullscreen", action="store_true", default=None, help="cover the screen")
    parser.add_argument("--kiosk", action="store_true", default=None, help="full screen; only Ctrl+Alt+Q, held, leaves")
    parser.add_argument("--screen", type=int, metavar="N", help="screen to use")
    parser.add_argument("--webcam", nargs="?", const="0", metavar="N|FILE", help="camera to switch on, or a film")
    parser.add_argument("--quality", choices=QUALITIES, help="step of the quality ladder (auto)")
    parser.add_argument("--reduced-motion", action="store_true", default=None, help="nothing moves by itself")
    parser.add_argument("--fps", type=int, metavar="N", help="frames a second (60)")
    parser.add_argument("-o", "--output", metavar="FILE.png", help="with no display: where to write the picture")


def run(settings: Settings, arguments: argparse.Namespace) -> int:
    settings = _with_film(settings, arguments)
    paths = _paths(settings, arguments)
    if not display_available():
        return _without_display(settings, paths, arguments.output)
    if paths:
        _refuse_pictureless(settings, paths)
    from atlas_rt.window.app import launch  # the window's libraries, which nobody else waits for

    try:
        app = launch(settings, paths, name="demo" if arguments.demo else "")
    except MissingError as error:
        return _without_opengl(settings, paths, error)
    app.run()
    return 0


def _with_film(settings: Settings, arguments: argparse.Namespace) -> Settings:
    """`--webcam ./images` means the camera and a source: a folder is no film. Raises UsageError for one not there."""
    webcam = settings.webcam
    if not webcam or webcam.isdecimal():
        return settings
    film = absolute(webcam)
    if arguments.webcam and os.path.isdir(film):  # noqa: PTH112  says no where pathlib raises
        arguments.source = [*arguments.source, arguments.webcam]
        return replace(settings, webcam="0")
    if not os.path.exists(film):  # noqa: PTH110
        raise UsageError(f"there is no such film; name one, or a camera by its number, from 0 up: {film}")
    return replace(settings, webcam=str(film))


def _paths(settings: Settings, arguments: argparse.Namespace) -> tuple[str, ...]:
    """What to open: as named; else the library opened last; else nothing, for the welcome."""
    if arguments.source or arguments.demo:
        return sources_of(arguments.source, demo=arguments.demo)
    last = last_opened(cache_folder(settings.cache_path))
    if last is not None and all(map(os.path.exists, last.sources)):
        return last.sources
    return ()


def _refuse_pictureless(settings: Settings, paths: tuple[str, ...]) -> None:
    """A source without images is answered before a window opens, unless pictures were dropped on its map before."""
    if _holds_something(place_of(paths, cache_folder(settings.cache_path), make=False)):
        return
    found = scan(paths, exclude=settings.exclude)
    if not found.files:
        for name, count in found.missing_formats.items():
            say(settings, f"{count:,} {name} files are here; `pip install atlas_rt[formats]` reads them")
        raise UsageError(no_images(" ".join(paths), found.skipped))


def _holds_something(place: LibraryPlace) -> bool:
    """Whether a library has images, or sources besides its own. What is wrong with it is told by who opens it."""
    if not (place.folder / "library.db").exists():
        return False
    try:
        with Store.open(place.folder, writable=False) as store:
            return bool(store.images() or store.extras())
    except MissingError:
        return True


def _without_display(settings: Settings, paths: tuple[str, ...], output: str | None) -> int:
    """Index, draw one picture, and say where it is."""
    if not paths:
        raise UsageError("there is no display here; name a folder of images to get a picture of its map instead")
    path = _output(settings, paths, output)
    say(settings, "there is no display here: indexing, then drawing a picture of the map")
    collection = open_collection(settings, paths)
    remember_opened(collection.cache, collection.place)
    shot = Shot(size_px=PICTURE_PX, quality="high" if settings.quality == "auto" else settings.quality, hud=False)
    try:
        pixels = take(collection, shot)
    except MissingError as error:
        raise MissingError(
            f"{len(collection.scene.ids):,} images are indexed, but nothing can be drawn: {error}"
        ) from error
    write_picture(pixels, path)
    if settings.json:
        print_json({"path": str(path), "images": len(collection.scene.ids)})
    else:
        tell(str(path))
    return 0


def _output(settings: Settings, paths: tuple[str, ...], output: str | None) -> Path:
    """Where the picture goes: as named; else here; else, since sources are never written to, into the cache folder."""
    if output:
        return picture_path(output)
    here = absolute(PICTURE)
    if any(here.parent.resolve().is_relative_to(Path(source).resolve()) for source in paths):
        place = place_of(paths, cache_folder(settings.cache_path))
        say(settings, f"the current folder belongs to the source, so the picture goes to {place.folder}")
        return place.folder / PICTURE
    return picture_path(PICTURE)


def _without_opengl(settings: Settings, paths: tuple[str, ...], error: MissingError) -> int:
    """Index all the same, and say what is missing."""
    if paths:
        collection = open_collection(settings, paths)
        raise MissingError(f"{len(collection.scene.ids):,} images are indexed, but no window can be opened: {error}")
    raise error
