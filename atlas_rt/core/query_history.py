"""Earlier searches, gone through with the arrow keys as in a shell."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from atlas_rt.core.query_picture import QueryPicture

ENTRIES_MAX = 100


@dataclass(frozen=True, slots=True)
class PastQuery:
    """What was searched. picture, as_typed: only of this session; those of earlier ones are words alone, which are read
    in the person's language."""

    text: str
    picture: QueryPicture | None = None
    as_typed: bool = False


class QueryHistory:
    """The searches of one library, the newest last."""

    def __init__(self) -> None:
        self.entries: tuple[PastQuery, ...] = ()
        self._back = 0  # how many steps one has gone back
        self._draft = PastQuery("")

    def restore(self, texts: Iterable[str]) -> None:
        """Put those of earlier sessions before those of this one."""
        here = {entry.text for entry in self.entries if entry.picture is None}
        earlier = tuple(PastQuery(text) for text in texts if text not in here)
        self.entries = (*earlier, *self.entries)[-ENTRIES_MAX:]

    def add(self, entry: PastQuery) -> bool:
        """Keep a search as the newest one; False where it is that already, or says nothing."""
        self.leave()
        if entry in self.entries[-1:] or not (entry.text.strip() or entry.picture):
            return False
        self.entries = (*(each for each in self.entries if each != entry), entry)[-ENTRIES_MAX:]
        return True

    def renew(self, renewed: Callable[[QueryPicture], QueryPicture | None]) -> None:
        """Have other pictures in the place of those that searches were made with; None for one that cannot be had any
        more, whose searches go."""
        entries = [(entry, renewed(entry.picture) if entry.picture else None) for entry in self.entries]
        self.entries = tuple(replace(entry, picture=new) for entry, new in entries if new or not entry.picture)
        if self._draft.picture is not None:
            self._draft = replace(self._draft, picture=renewed(self._draft.picture))
        self._back = min(self._back, len(self.entries))

    def leave(self) -> None:
        """What is in the field is the person's own again."""
        self._back = 0

    def step(self, by: int, now: PastQuery) -> PastQuery | None:
        """The search before (by: -1) or after (1); past the newest what was typed before one went back. None where
        there is no further one. now: what is in the field."""
        if self._back == 0:
            self._draft = now
        back, entries = self._back - by, self.entries
        while by < 0 and self._back == 0 and back <= len(entries) and entries[-back] == now:
            back += 1  # the newest one is in the field already
        if not 0 <= back <= len(entries) or back == self._back:
            return None
        self._back = back
        return entries[-back] if back else self._draft
