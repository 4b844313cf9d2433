"""Views that a person keeps, written and read on a thread."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass

from atlas_rt.core.channels import Closed, Inbox
from atlas_rt.core.images import LibraryPlace
from atlas_rt.core.scene import Pose
from atlas_rt.core.troubles import reason_of
from atlas_rt.core.undo import Undoable
from atlas_rt.errors import AtlasError
from atlas_rt.library import personal_data
from atlas_rt.library.bookmarks import Bookmark, Bookmarks, Point
from atlas_rt.library.store import StoreReader
from atlas_rt.workers.worker import Announce, Worker, unheard

WAITING_MAX = 64


@dataclass(frozen=True, slots=True)
class KeepView:
    """Keep a view. anchors: ids of images in it and where they stand, the nearest first."""

    name: str
    pose: Pose
    anchors: tuple[tuple[int, Point], ...]


@dataclass(frozen=True, slots=True)
class ChangeBookmark:
    """Write a bookmark again (`kept`) or take it off. undoable: what asks for it, None where the person does."""

    bookmark: Bookmark
    kept: bool
    undoable: Undoable | None = None


@dataclass(frozen=True, slots=True)
class LookAgain:
    """The library has other images: other bookmarks may be of it."""


@dataclass(frozen=True, slots=True)
class PlacedBookmark:
    """A bookmark of the open library. anchors: ids of those of its images that are here, and where they stood."""

    bookmark: Bookmark
    anchors: tuple[tuple[int, Point], ...]


@dataclass(frozen=True, slots=True)
class BookmarksTold:
    """All bookmarks of the library as they are now, and what that came of. made: the bookmark that a view became.
    error: why nothing was written. remark: a sentence on the file, told once."""

    here: tuple[PlacedBookmark, ...]
    asked: KeepView | ChangeBookmark | LookAgain = LookAgain()
    made: Bookmark | None = None
    error: str = ""
    remark: str = ""


class BookmarkWorker(Worker):
    """A thread that tells the library's bookmarks after each change and when it is asked to look again. What was asked
    for before it is closed is written."""

    part = "bookmarks"
    lost = "Views cannot be kept"

    def __init__(
        self, place: LibraryPlace, bookmarks: Bookmarks, *, data_named: bool, announce: Announce = unheard
    ) -> None:
        """data_named: the person named the data folder, so that it may lie anywhere."""
        super().__init__(announce=announce)
        self._place, self._bookmarks, self._data_named = place, bookmarks, data_named
        self._asked: Inbox[KeepView | ChangeBookmark | LookAgain | None] = Inbox(WAITING_MAX)
        self._told: Inbox[BookmarksTold] = Inbox(2 * WAITING_MAX)
        self._remarked = False
        self.start()

    def ask(self, wish: KeepView | ChangeBookmark | LookAgain) -> None:
        """Write it, or look; `take` tells what became of it."""
        if self.trouble or self._asked.full:  # nobody reads: whoever asks must not wait
            if not isinstance(wish, LookAgain):
                self._tell(BookmarksTold((), wish, None, self.trouble or self.lost))
        else:
            self._asked.put(wish)

    def take(self) -> Sequence[BookmarksTold]:
        return tuple(self._told.drain(budget_secs=0.001))

    def wake(self) -> None:
        self._told.close()
        self._asked.put(None)

    def work(self) -> None:
        while (asked := self._asked.wait()) is not None:
            try:
                told = self._carried_out(asked)
            except Exception as error:
                self._tell(BookmarksTold((), asked, None, reason_of(error)))
                raise
            self._tell(told)
            self.went_well()

    def _carried_out(self, asked: KeepView | ChangeBookmark | LookAgain) -> BookmarksTold:
        made, error = None, ""
        try:
            made = None if isinstance(asked, LookAgain) else self._write(asked)
        except AtlasError as problem:
            error = str(problem)
        try:
            kept = self._bookmarks.read()
            with StoreReader.open(self._place.folder) as store:
                here = tuple(placed for each in kept.entries if (placed := _placed(each, store)) is not None)
        except (AtlasError, OSError) as problem:
            return BookmarksTold((), asked, made, error or reason_of(problem))
        remark, self._remarked = "" if self._remarked else kept.remark, True
        return BookmarksTold(here, asked, made, error, remark)

    def _write(self, asked: KeepView | ChangeBookmark) -> Bookmark:
        personal_data.refuse_inside(self._bookmarks.path.parent, self._place.sources, named=self._data_named)
        if isinstance(asked, ChangeBookmark):
            (self._bookmarks.keep if asked.kept else self._bookmarks.drop)(asked.bookmark)
            return asked.bookmark
        with StoreReader.open(self._place.folder) as store:
            anchors = tuple((content, at) for id_, at in asked.anchors for content in store.content_hashes((id_,)))
        bookmark = Bookmark(asked.name, asked.pose, anchors)
        self._bookmarks.keep(bookmark)
        return bookmark

    def _tell(self, told: BookmarksTold) -> None:
        with contextlib.suppress(Closed):  # nobody looks any more
            self._told.put(told)


def _placed(bookmark: Bookmark, store: StoreReader) -> PlacedBookmark | None:
    """None where the library holds nothing that stood in the view."""
    ids = store.ids_with([content for content, _ in bookmark.anchors])
    anchors = tuple((ids[content], at) for content, at in bookmark.anchors if content in ids)
    return PlacedBookmark(bookmark, anchors) if anchors else None
