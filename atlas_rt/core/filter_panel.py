"""What the panels show of filters in one frame: chips, facets with their values, the timeline. Frozen."""

from __future__ import annotations

from dataclasses import dataclass

from atlas_rt.core.timeline import Timeline

FACET, VALUE, MORE = "facet", "value", "more"
"""Lines of the list: the heading of a facet, one of its values, and the way to those that are not listed yet."""


@dataclass(frozen=True, slots=True)
class Chip:
    """One filter. title: of its field. text: its values in words. wanted: False where it leaves out what has them."""

    title: str
    text: str
    wanted: bool = True


@dataclass(frozen=True, slots=True)
class FacetLine:
    """One line of the list of facets. field, value: what it asks for. text: how it reads. count: images that it would
    let through together with all other facets, of a facet how many values it has; share: 0..1 of the facet's most.
    chosen, excluded: it is on, as one that is wanted or not. depth: of a folder within others. unfolded: what lies in
    it is listed, None for nothing."""

    kind: str
    field: str
    text: str
    value: str = ""
    count: int = 0
    share: float = 0.0
    chosen: bool = False
    excluded: bool = False
    depth: int = 0
    unfolded: bool | None = None


@dataclass(frozen=True, slots=True)
class FilterPanel:
    """Filters as they are. open: the list of facets is. chips: what is on; shown: how many of all images pass them,
    -1 while that is being found. hides: what does not pass is not drawn, instead of dim. remarks: on filters that
    nothing fulfils, or that could not be read. lines: the list; cursor: place of the line the person is at, -1 for
    none, moved: how often the keyboard moved it; wanted: what is looked for in it. timeline: None while it is closed.
    """

    open: bool = False
    chips: tuple[Chip, ...] = ()
    shown: int = 0
    total: int = 0
    hides: bool = False
    remarks: tuple[str, ...] = ()
    lines: tuple[FacetLine, ...] = ()
    cursor: int = -1
    moved: int = 0
    wanted: str = ""
    timeline: Timeline | None = None
