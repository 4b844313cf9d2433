"""The quality ladder, and the governor that moves along it.

The same scene must fly at 60 frames a second on a workstation and on two cores that draw in software. A step names
what is drawn; all of them share geometry, colours and tone curve, so a change of step is a change of richness, not
of look.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Step:
    """What one rung of the ladder draws.

    hdr: the tone curve is computed exactly in each shader, and bloom is added at the end; otherwise an approximation
    of the curve and no bloom, straight into the target. edge_share: share of the edges drawn, strongest first.
    ribbons: edges as soft ribbons up to 5 px wide, otherwise as lines one pixel wide. glow: light around every node;
    otherwise only around what a search lit. card_px: half side under which a node is a soft point of its mean colour.
    pulse: light runs along the edges. scale: side of the picture that is drawn, as a share of the window's, to which
    it is enlarged (panels are always drawn in full).
    """

    name: str
    hdr: bool
    edge_share: float
    ribbons: bool
    glow: bool
    card_px: float
    pulse: bool
    scale: float = 1.0


LADDER: tuple[Step, ...] = (
    Step("high", hdr=True, edge_share=1.0, ribbons=True, glow=True, card_px=1.5, pulse=True),
    Step("normal", hdr=True, edge_share=0.6, ribbons=True, glow=True, card_px=1.5, pulse=True),
    Step("lean", hdr=False, edge_share=0.6, ribbons=True, glow=True, card_px=1.5, pulse=True),
    Step("light", hdr=False, edge_share=0.6, ribbons=True, glow=False, card_px=1.5, pulse=False),
    Step("low", hdr=False, edge_share=0.4, ribbons=False, glow=False, card_px=2.0, pulse=False),
    Step("lower", hdr=False, edge_share=0.4, ribbons=False, glow=False, card_px=2.0, pulse=False, scale=0.8),
    Step("lowest", hdr=False, edge_share=0.3, ribbons=False, glow=False, card_px=2.0, pulse=False, scale=0.64),
    Step("least", hdr=False, edge_share=0.15, ribbons=False, glow=False, card_px=2.0, pulse=False, scale=0.5),
    Step("bare", hdr=False, edge_share=0.15, ribbons=False, glow=False, card_px=2.0, pulse=False, scale=0.4),
)
"""From the richest to the cheapest. The cheapest ones draw fewer pixels, which is what software OpenGL pays for: 2,000
cards with 4,000 edges at 1280 x 720 took 11.5 ms, of which 1.2 ms were not the pixels'."""

SOFTWARE_LADDER: tuple[Step, ...] = (
    Step("high", hdr=False, edge_share=1.0, ribbons=False, glow=True, card_px=0.0, pulse=True),
    Step("normal", hdr=False, edge_share=0.6, ribbons=False, glow=True, card_px=0.0, pulse=True),
    Step("light", hdr=False, edge_share=0.4, ribbons=False, glow=True, card_px=0.0, pulse=True),
    Step("low", hdr=False, edge_share=0.4, ribbons=False, glow=False, card_px=0.0, pulse=False),
    Step("lower", hdr=False, edge_share=0.2, ribbons=False, glow=False, card_px=0.0, pulse=False),
    Step("lowest", hdr=False, edge_share=0.1, ribbons=False, glow=False, card_px=0.0, pulse=False),
)
"""The same for the rasterizer, which draws on the processor without OpenGL. All pixels are always drawn: at half the
side a frame of 1280 x 720 was no faster, as to enlarge it took what was saved. It has no ribbons, and no size under
which a card is a point."""

BUDGET_MS = 14.0
"""A frame's own work may take this long: 16.7 ms less what the flip and the system need."""
CALM_SECS = 2.0
CALM_SHARE = 0.6
"""A frame under this share of the budget is calm: the next step up costs about half as much again."""
SOFTWARE_CALM_SHARE = 0.92
"""The same for the rasterizer: panels and the way to the screen cost most there, and a step a millisecond or two."""
OVERLOAD = 1.5
"""Times the budget that three frames may not take. By less it is exceeded only where a quarter of a second does so:
frames near the budget scatter around it."""
STEADY_FRAMES = 15
PATIENCE_MAX_SECS = 64.0


def step_named(name: str, ladder: tuple[Step, ...] = LADDER) -> int:
    """The index of a step in a ladder."""
    return next(index for index, step in enumerate(ladder) if step.name == name)


class Governor:
    """Keeps frames within the budget: down at once where they take far more, soon where they take more, up one step
    after two calm seconds.

    A step that proved too dear is tried again only after a wait that doubles each time, so the picture doesn't swing
    between two steps. One late frame alone is a hiccup (an upload, another program) and changes nothing.
    """

    def __init__(
        self,
        ladder: tuple[Step, ...] = LADDER,
        *,
        start: int = 0,
        fixed: bool = False,
        budget_ms: float = BUDGET_MS,
        calm_share: float = CALM_SHARE,
    ) -> None:
        self._ladder = ladder
        self._calm_share = calm_share
        self._index = start
        self._fixed = fixed
        self._budget_ms = budget_ms
        self._recent_ms: list[float] = []
        self._calm_secs = 0.0
        self._patience_secs = [CALM_SECS] * len(ladder)

    @property
    def fixed(self) -> bool:
        """The step never changes."""
        return self._fixed

    @property
    def step(self) -> Step:
        return self._ladder[self._index]

    def observe(self, frame_ms: float, *, interval_ms: float = 1000.0 / 60.0) -> bool:
        """Take the time one frame's own work took; `interval_ms` is how long ago the one before was shown.

        Returns whether the step changed.
        """
        if self._fixed:
            return False
        self._recent_ms = [*self._recent_ms[1 - STEADY_FRAMES :], frame_ms]
        if self._is_too_dear():
            return self._go_down()
        usual_ms = median(self._recent_ms)
        if usual_ms < self._calm_share * self._budget_ms:
            self._calm_secs += interval_ms / 1000.0
        elif usual_ms > self._budget_ms * (1.0 + self._calm_share) / 2.0:
            self._calm_secs = 0.0
        return self._calm_secs >= self._patience_secs[self._index] and self._go_up()

    def _is_too_dear(self) -> bool:
        recent = self._recent_ms
        if len(recent) >= 3 and median(recent[-3:]) > OVERLOAD * self._budget_ms:
            return True
        return len(recent) == STEADY_FRAMES and median(recent) > self._budget_ms

    def _go_down(self) -> bool:
        if self._index + 1 == len(self._ladder):
            return False
        self._index += 1
        self._patience_secs[self._index] = min(self._patience_secs[self._index] * 2.0, PATIENCE_MAX_SECS)
        self._start_watching()
        return True

    def _go_up(self) -> bool:
        if self._index == 0:
            return False
        self._index -= 1
        self._start_watching()
        return True

    def _start_watching(self) -> None:
        self._recent_ms = []
        self._calm_secs = 0.0


def governor_for(quality: str, *, software: bool, ladder: tuple[Step, ...] = LADDER) -> Governor:
    """The governor for a `--quality` word: "auto" moves, starting low where the processor draws."""
    calm_share = SOFTWARE_CALM_SHARE if ladder is SOFTWARE_LADDER else CALM_SHARE
    if quality == "auto":
        return Governor(ladder, start=step_named("low", ladder) if software else 0, calm_share=calm_share)
    return Governor(ladder, start=step_named(quality, ladder), fixed=True)
