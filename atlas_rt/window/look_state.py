"""What a person looks at whole, and how. Owned by the main thread."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count

from atlas_rt.core.look import Opened, PictureKey, TileKey
from atlas_rt.core.look_view import LookView


@dataclass(slots=True)
class LookedAt:
    """One picture. size_px: as the library knows it, until the file itself is read. opened: what came of that. gone:
    the image has left the map meanwhile. waited_secs: since it is to be seen. look: its number among all looks."""

    key: PictureKey
    path: str
    size_px: tuple[int, int]
    opened: Opened | None = None
    gone: bool = False
    waited_secs: float = 0.0
    look: int = field(default_factory=count(1).__next__)

    @property
    def name(self) -> str:
        return self.path.replace("\\", "/").rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Order:
    """What the arrows go through. words: as it is told. ids: in their order; none: all images by name."""

    words: str
    ids: tuple[int, ...] = ()


@dataclass(slots=True)
class LookState:
    """Plain state. shown: the pictures, none while nothing is looked at. order: None until the person steps, and what
    they step through is settled. previous: the id before the last step, -1 for none. back: the ids that Esc goes back
    to. before: what was seen before the last step, and how. asked: tiles that are being cut."""

    shown: list[LookedAt] = field(default_factory=list)
    view: LookView = field(default=LookView())
    informed: bool = False
    order: Order | None = None
    previous: int = -1
    back: tuple[int, ...] = ()
    before: tuple[LookedAt, LookView] | None = None
    asked: set[TileKey] = field(default_factory=set)

    @property
    def open(self) -> bool:
        return bool(self.shown)

    @property
    def alone(self) -> LookedAt | None:
        """The picture that is looked at, None where several are or none is."""
        return self.shown[0] if len(self.shown) == 1 else None
