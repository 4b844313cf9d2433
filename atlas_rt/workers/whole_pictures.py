"""Pictures that are looked at whole: decoded on a thread, kept while they are looked at, and cut into the tiles wanted.

Only the newest wish counts: decoding a picture that nobody waits for any more ends within one block of its file.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from atlas_rt.core.channels import Closed, Inbox, Latest
from atlas_rt.core.freed_memory import give_back
from atlas_rt.core.look import LookTile, Opened, PictureKey, TileKey
from atlas_rt.core.troubles import reason_of
from atlas_rt.errors import AtlasError
from atlas_rt.library.file_content import read
from atlas_rt.library.formats import suffix_of
from atlas_rt.library.whole_picture import AbandonedError, WholePicture, open_whole
from atlas_rt.workers.image_sources import FileOf, own_file
from atlas_rt.workers.worker import Announce, Worker, unheard

TILES_MAX = 8
"""Tiles that wait to be uploaded."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is looked at: pictures with their paths, and tiles of them, the most wanted first. unheard: the pictures of
    which it is not known yet what came of them, with the number of the look: what could not be shown is tried again
    when the person looks again."""

    pictures: tuple[tuple[PictureKey, str], ...] = ()
    tiles: tuple[TileKey, ...] = ()
    unheard: Mapping[PictureKey, int] = field(default_factory=dict)

    def has(self, picture: PictureKey) -> bool:
        return any(picture == key for key, _ in self.pictures)


class WholePictureWorker(Worker):
    """A thread that owns the decoded pictures. folder: for their temporary files."""

    part = "whole pictures"
    lost = "Pictures cannot be looked at whole"

    def __init__(self, folder: Path, *, file_of: FileOf = own_file, announce: Announce = unheard) -> None:
        super().__init__(announce=announce)
        self._folder, self._file_of = folder, file_of
        self._wishes: Latest[Wish] = Latest()
        self._told: Inbox[Opened | LookTile] = Inbox(TILES_MAX)
        self._pictures: dict[PictureKey, WholePicture] = {}
        self._opened: dict[PictureKey, Opened] = {}  # what was told of each, also of those that cannot be shown
        self._looks: dict[PictureKey, int] = {}  # at which look that came out
        self.start()

    def want(self, wish: Wish) -> None:
        """Show these, and let go of all other pictures."""
        self._wishes.put(wish)

    def drain(self, *, budget_secs: float) -> Iterator[Opened | LookTile]:
        return self._told.drain(budget_secs=budget_secs)

    def wake(self) -> None:
        self._wishes.close()
        self._told.close()

    def work(self) -> None:
        while True:
            wish = self._wishes.wait()
            self._let_go(wish)
            for _ in self._steps(wish):
                self.went_well()
                if self._wishes.peek() is not None:
                    break

    def _let_go(self, wish: Wish) -> None:
        """Forget what is not looked at any more."""
        had_any = bool(self._pictures)
        self._pictures = {key: picture for key, picture in self._pictures.items() if wish.has(key)}
        self._opened = {
            key: opened
            for key, opened in self._opened.items()
            if wish.has(key) and not self._is_tried_again(wish, opened)
        }
        if had_any and not wish.pictures:
            give_back()

    def _is_tried_again(self, wish: Wish, opened: Opened) -> bool:
        """What was looked at a moment ago, and could not be shown, is no answer to the next look at it."""
        look = self._looks.get(opened.picture)
        return bool(opened.error) and wish.unheard.get(opened.picture, look) != look

    def _steps(self, wish: Wish) -> Iterator[None]:
        """Cut what can be cut, then decode, one after the other."""
        for tile in wish.tiles:
            self._cut(tile)
            yield
        for key, path in wish.pictures:
            if key not in self._opened:
                self._looks[key] = wish.unheard.get(key, 0)
                self._open(key, path, share=1.0 / len(wish.pictures))
                yield
            elif key in wish.unheard:
                self._told.put(self._opened[key])

    def _cut(self, key: TileKey) -> None:
        picture = self._pictures.get(key.picture)
        if picture is None or not picture.first <= key.place.level <= picture.last:
            return
        with self._refusals_told(key.picture):
            tile = picture.cut(key.place)
            self._told.put(LookTile(key, tile.pixels, tile.inner))

    def _open(self, key: PictureKey, path: str, *, share: float) -> None:
        def abandoned() -> bool:
            newest = self._wishes.peek()
            return self.closing or (newest is not None and not newest.has(key))

        with self._refusals_told(key):
            data = read(str(self._file_of(path, abandoned)))
            picture = open_whole(data, suffix=suffix_of(path), folder=self._folder, share=share, abandoned=abandoned)
            self._pictures[key] = picture
            self._tell(Opened(key, picture.size_px, picture.first, picture.last, picture.remark))

    @contextlib.contextmanager
    def _refusals_told(self, key: PictureKey) -> Iterator[None]:
        """Say why a picture cannot be shown. What is no fault of its file is raised as well."""
        try:
            yield
        except (AbandonedError, Closed):
            return
        except Exception as error:
            self._pictures.pop(key, None)
            known = isinstance(error, AtlasError)
            with contextlib.suppress(Closed):
                self._tell(Opened(key, error=str(error) if known else reason_of(error)))
            if not known:
                raise

    def _tell(self, opened: Opened) -> None:
        self._opened[opened.picture] = opened
        self._told.put(opened)
