"""`atlas-rt [SOURCE]`: the window; a picture where there is no display."""

from __future__ import annotations

import argparse
import contextlib
import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from atlas_rt.commands.collection import no_images, open_collection, open_place, sources_of
from atlas_rt.commands.output import print_json, say, tell
from atlas_rt.commands.shot import Shot, picture_path, take, write_picture
from atlas_rt.core.assets import DEMO
from atlas_rt.core.images import LibraryPlace
from atlas_rt.core.s3_address import is_s3
from atlas_rt.errors import MissingError, NoGraphicsError, UsageError
from atlas_rt.library.cache_layout import cache_folder, last_opened, place_of, remember_opened
from atlas_rt.library.personal_data import data_folder
from atlas_rt.library.scanning import scan
from atlas_rt.library.sources import absolute
from atlas_rt.library.store import StoreReader
from atlas_rt.library.window_settings import WindowSettings
from atlas_rt.search.dictionary import code_of
from atlas_rt.settings import MEANINGS, Settings, load_settings
from atlas_rt.ui.window import display_available

PICTURE = "atlas.png"
PICTURE_PX = (1920, 1080)


def run(settings: Settings, arguments: argparse.Namespace) -> int:
    file = WindowSettings(data_folder(settings.data_path))
    settings = _with_film(_with_kept(file, arguments), arguments)
    paths = _paths(settings, arguments)
    if not display_available():
        return _without_display(settings, paths, arguments.output)
    if paths:
        cache = cache_folder(settings.cache_path)
        _refuse_pictureless(settings, paths, cache, open_place(settings, paths, cache, make=False))
    from atlas_rt.window.app import launch  # the window's libraries, which nobody else waits for

    try:
        app = launch(settings, paths, name=DEMO if arguments.demo else "", file=file)
    except NoGraphicsError as error:
        return _without_opengl(settings, paths, error)
    app.run()
    return 0


def _with_kept(file: WindowSettings, arguments: argparse.Namespace) -> Settings:
    """Settings with what was set in a window before, where neither an option nor the environment says otherwise."""
    given = {name: value for name, value in vars(arguments).items() if name in MEANINGS}
    kept = file.read().values
    with contextlib.suppress(MissingError):
        if not code_of(str(kept.get("language", ""))):  # a damaged file, or one of a version that knew others
            kept.pop("language", None)
    return load_settings(given, kept=kept)


def _with_film(settings: Settings, arguments: argparse.Namespace) -> Settings:
    """`--webcam ./images` means the camera and a source, not a film. Raises UsageError if a film does not exist."""
    webcam = settings.webcam
    if not webcam or webcam.isdecimal():
        return settings
    film = absolute(webcam)
    if arguments.webcam and os.path.isdir(film):  # noqa: PTH112  says no where pathlib raises
        arguments.source = [*arguments.source, arguments.webcam]
        return replace(settings, webcam="0")
    if not os.path.exists(film):  # noqa: PTH110
        raise UsageError(f"this film does not exist; name another, or the number of a camera, from 0 on: {film}")
    return replace(settings, webcam=str(film))


def _paths(settings: Settings, arguments: argparse.Namespace) -> tuple[str, ...]:
    """What to open: the sources named, else the library opened last, else nothing (the welcome screen)."""
    if arguments.source or arguments.demo:
        return sources_of(settings, arguments.source, demo=arguments.demo)
    last = last_opened(cache_folder(settings.cache_path))
    if last is not None and (all(map(os.path.exists, _files(last.sources))) or _holds_something(last)):
        return last.sources
    return ()


def _files(sources: Iterable[str]) -> list[str]:
    """Those that do not lie in S3, which nobody asks here."""
    return [source for source in sources if not is_s3(source)]


def _refuse_pictureless(settings: Settings, paths: tuple[str, ...], cache: Path, place: LibraryPlace) -> None:
    """Refuse a source without images before a window opens, unless images were once dropped on its map."""
    if _holds_something(place) or any(map(is_s3, paths)):
        return  # of a bucket the engine tells, which alone may ask for it
    found = scan(paths, exclude=settings.exclude, hidden=settings.hidden, cache=cache, first_only=True)
    if not found.files:
        for name, count in found.missing_formats.items():
            say(settings, f"{count:,} {name} files are here; `pip install atlas_rt[formats]` reads them")
        raise UsageError(no_images(" ".join(paths), found.skipped))


def _holds_something(place: LibraryPlace) -> bool:
    """Whether a library has images or added sources. True if it cannot be read: whoever opens it then says why."""
    if not (place.folder / "library.db").exists():
        return False
    try:
        with StoreReader.open(place.folder) as store:
            return bool(store.images() or store.extras())
    except MissingError:
        return True


def _without_display(settings: Settings, paths: tuple[str, ...], output: str | None) -> int:
    """Index, save a picture of the map, and print its path."""
    if not paths:
        raise UsageError("there is no display here; name a folder of images to get a picture of its map instead")
    path = _output(settings, paths, output)
    say(settings, "there is no display here: indexing, then drawing a picture of the map")
    collection = open_collection(settings, paths)
    remember_opened(collection.cache, collection.place)
    quality = "high" if settings.quality == "auto" else settings.quality
    shot = Shot(size_px=PICTURE_PX, quality=quality, renderer=settings.renderer, hud=False)
    try:
        pixels = take(collection, shot, tell=lambda text: say(settings, text))
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
    """The picture's path: as named, else in the current folder; in the cache folder if that lies in the source."""
    if output:
        return picture_path(output)
    here = absolute(PICTURE)
    if any(here.parent.resolve().is_relative_to(Path(source).resolve()) for source in _files(paths)):
        place = place_of(paths, cache_folder(settings.cache_path))
        say(settings, f"the current folder belongs to the source, so the picture goes to {place.folder}")
        return place.folder / PICTURE
    return picture_path(PICTURE)


def _without_opengl(settings: Settings, paths: tuple[str, ...], error: NoGraphicsError) -> int:
    """Index all the same, and say what is missing."""
    if paths:
        collection = open_collection(settings, paths)
        raise MissingError(f"{len(collection.scene.ids):,} images are indexed, but no window can be opened: {error}")
    raise error
