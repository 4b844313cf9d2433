"""A picture that is searched by, alone or beside words."""

from __future__ import annotations

from dataclasses import dataclass

from atlas_rt.core.arrays import Bytes, Floats


@dataclass(frozen=True, slots=True, eq=False)
class QueryPicture:
    """One picture, as often as it is given another one: answers are known by it.

    name: what a person calls it. vector: (dim,) of unit length, None while it is being read. id: the image of the
    library that it is, -1 for one from elsewhere. preview: (h, w, 3) uint8 of one from elsewhere. listed: it may be
    among its own results, as a file whose place is looked for, but not an image for which others are.
    """

    name: str
    vector: Floats | None = None
    id: int = -1
    preview: Bytes | None = None
    listed: bool = True
