"""Hints for a newcomer: one at a time, each gone once it was done, or after a while."""

from __future__ import annotations

from dataclasses import dataclass

SHOWN_SECS = 12.0
"""A hint that nobody heeds makes way for the next one, and comes again at the next start."""
PAUSE_SECS = 1.5
"""Between two of them."""
AWAY_SECS = 3.0
"""Who has done nothing for so long gets no other hint before they do something: a window at rest draws nothing."""


@dataclass(frozen=True, slots=True)
class Hint:
    """name: under which it counts as learnt. keys: to press, by their places on a US keyboard. says: what they do."""

    name: str
    keys: tuple[str, ...]
    says: str


HINTS = (
    Hint("fly", ("W", "A", "S", "D"), "fly; drag to look around"),
    Hint("visit", (), "Double-click an image to fly there"),
    Hint("find", ("/",), "finds by name or meaning; F1 shows all keys"),
)


@dataclass(slots=True)
class HintState:
    """Plain state of the main thread. learnt: names of those that were done, ever. passed: those that were shown long
    enough in this window. secs: for how long the one in turn is shown, less than nothing in a pause."""

    learnt: frozenset[str] = frozenset()
    passed: frozenset[str] = frozenset()
    secs: float = -PAUSE_SECS

    @property
    def turn(self) -> Hint | None:
        """The hint in turn, None once there is none left."""
        return next((each for each in HINTS if each.name not in self.learnt | self.passed), None)

    @property
    def shown(self) -> Hint | None:
        """The hint that is to be seen now."""
        return self.turn if self.secs >= 0.0 else None

    def learn(self, name: str) -> bool:
        """It was done; whether that is new."""
        if name in self.learnt:
            return False
        if (turn := self.turn) is not None and turn.name == name:
            self.secs = -PAUSE_SECS
        self.learnt |= {name}
        return True

    def advance(self, dt_secs: float, *, quiet_secs: float = 0.0) -> None:
        """Let time pass in which a hint can be seen. quiet_secs: for how long the person has done nothing."""
        if self.secs >= 0.0 or quiet_secs < AWAY_SECS:
            self.secs += dt_secs
        if self.secs >= SHOWN_SECS and (turn := self.turn) is not None:
            self.passed |= {turn.name}
            self.secs = -PAUSE_SECS
