"""What a person searches by besides the words in the field."""

from __future__ import annotations

from dataclasses import dataclass, field

from atlas_rt.core.answers import SearchAnswer
from atlas_rt.core.drop_offer import DropOffer
from atlas_rt.core.match_threshold import ALL
from atlas_rt.core.query_history import QueryHistory
from atlas_rt.core.query_picture import QueryPicture


@dataclass(slots=True)
class SearchState:
    """Plain state, changed by `searching` and `selection` alone.

    picture: that is searched by, None for none; it has no vector yet while it is being read. found: the answer as it
    came, with everything that the threshold leaves out. offer: what to do with what was dropped. undone: the words
    whose reading in the person's language was taken back; who goes on with them means that, other words are read again.
    """

    picture: QueryPicture | None = None
    found: SearchAnswer | None = None
    threshold: float = ALL
    history: QueryHistory = field(default_factory=QueryHistory)
    offer: DropOffer | None = None
    undone: str = ""

    def as_typed(self, query: str) -> bool:
        """Whether these words stand as they are."""
        return bool(self.undone) and query.startswith(self.undone)
