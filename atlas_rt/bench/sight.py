"""Whether the image that one is taken to is seen: flights in a crowded library, with the panel and the console open.

Seen is the share of the card's pixels that differ by at most 16 of 255 between the frame that a flight ends with and
the card drawn alone from the same pose. Both renderers draw it, without a window, through what a window is made of.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from atlas_rt.bench.report import Bar, BenchReport
from atlas_rt.bench.scene import SEED
from atlas_rt.core.answers import Match, SearchAnswer
from atlas_rt.core.arrays import Bytes, Floats
from atlas_rt.core.hud import VisitedImage
from atlas_rt.core.scene import HIDDEN, PLAIN, View
from atlas_rt.core.tags import visited_image
from atlas_rt.core.world import World
from atlas_rt.errors import MissingError
from atlas_rt.render.gl.context import Context, open_headless
from atlas_rt.render.gl.offscreen import OffscreenTarget
from atlas_rt.render.look import CORNER
from atlas_rt.search.scoring import lights
from atlas_rt.ui.input import Input
from atlas_rt.window.picture import WindowPicture
from atlas_rt.window.still_hud import still_hud
from atlas_rt.workers.facts import FactsRequest, Stored, facts_of
from atlas_rt.workers.scenes import Arrival

RANDOM, QUERIES, BEST = 200, 20, 24
ALIKE = 16
"""Steps of 255 by which a pixel may differ."""
SEEN = 95.0
HEIGHTS, WIDTHS = (0.3, 0.6), (0.3, 0.9)
"""Of the window's height; and of the free width, for cards that are wide in it."""
STEP_SECS = 0.2
FLIGHT_STEPS = 60
UNSEEN_PX = (64, 64)
RENDERERS = ("software", "gl")


@dataclass(frozen=True, slots=True)
class Setup:
    """How a window is when a flight ends: before that it was `begun_px` large."""

    name: str
    begun_px: tuple[int, int]
    size_px: tuple[int, int]
    scale: float


SETUPS = (
    Setup("", (1280, 720), (1280, 720), 1.0),
    Setup(", after a resize", (1280, 720), (1000, 800), 1.0),
    Setup(", UI scale 2", (1920, 1080), (1920, 1080), 2.0),
)


@dataclass(frozen=True, slots=True)
class Case:
    """An image to fly to; answer: what is searched meanwhile, None for nothing."""

    id: int
    answer: SearchAnswer | None


@dataclass(frozen=True, slots=True)
class Sight:
    """How one case ended. seen: percent; height: of the window's, width: of the free one, shares of the card."""

    id: int
    seen: float
    height: float
    width: float

    @property
    def is_sized(self) -> bool:
        return HEIGHTS[0] <= self.height <= HEIGHTS[1] or WIDTHS[0] <= self.width <= WIDTHS[1]


def measure(arrival: Arrival, *, images: int = RANDOM, queries: int = QUERIES) -> BenchReport:
    """arrival: with vectors that are alike where images are. A query is the vector of a random image.

    Raises MissingError without OpenGL.
    """
    cases = list(_cases(arrival, images, queries))
    bars: list[Bar] = []
    raw: dict[str, object] = {"nodes": len(arrival.scene.ids), "cases": len(cases)}
    context = open_headless()
    for renderer in RENDERERS:
        sights = _flown(context, arrival, renderer, cases)
        for name, found in sights.items():
            bars.append(Bar(name, min(each.seen for each in found), "% of the card seen, the worst", "at least", SEEN))
            badly = sum(not each.is_sized for each in found)
            bars.append(Bar(f"{name}, size", float(badly), "cards too small or too large", "at most", 0.0))
            raw[name] = _figures(found)
    return BenchReport(tuple(bars), raw)


def _cases(arrival: Arrival, images: int, queries: int) -> Iterator[Case]:
    """Random images with nothing found, and the best of each query."""
    scene, rng = arrival.scene, np.random.default_rng(SEED)
    rows = rng.choice(len(scene.ids), min(images + queries, len(scene.ids)), replace=False)
    for row in rows[:images].tolist():
        yield Case(int(scene.ids[row]), None)
    for row in rows[images:]:
        scores = arrival.vector_index.score(arrival.vector_index.at(np.array([row], np.int32))[0]).scores
        best = np.argsort(-scores, kind="stable")[:BEST].tolist()
        matches = tuple(Match(int(scene.ids[at]), float(scores[at]), "strong") for at in best)
        answer = SearchAnswer(f"like image {row}", scene.ids, lights(scores), matches, 0.0, 0.0)
        yield from (Case(match.id, answer) for match in matches)


def _flown(context: Context, arrival: Arrival, renderer: str, cases: list[Case]) -> dict[str, list[Sight]]:
    """Every case in every setup, by name."""
    sights: dict[str, list[Sight]] = defaultdict(list)
    for setup in SETUPS:
        picture = OffscreenTarget(context, setup.size_px)
        display = _display(context, renderer, picture)
        try:
            if display.trouble:
                raise MissingError(display.trouble)
            display.show(arrival)
            for case in cases:
                flight = Flight(display, arrival, case, setup)
                sights[f"sight, {renderer}{setup.name}"].append(flight.sight(picture))
        finally:
            display.release()
            picture.release()
    return sights


def _display(context: Context, renderer: str, picture: OffscreenTarget) -> WindowPicture:
    return WindowPicture(context, quality="high", renderer=renderer, waits=True, target=lambda: picture.target)


class Flight:
    """One flight from the home view, its panels built in every frame as in a window."""

    def __init__(self, display: WindowPicture, arrival: Arrival, case: Case, setup: Setup) -> None:
        self._display, self._arrival, self._case, self._setup = display, arrival, case, setup
        scene = arrival.scene
        self._facts = facts_of(FactsRequest(case.id, scene, arrival.vector_index, neighbours=True), Stored())
        self._world = World()
        self._world.view(setup.begun_px)
        self._world.morph_to(scene)
        self._world.advance(10.0, frozenset())
        self._world.light_by(case.answer)

    def sight(self, picture: OffscreenTarget) -> Sight:
        """Fly, resize, and compare."""
        setup, display, world = self._setup, self._display, self._world
        self._build(setup.begun_px)
        world.visit(self._case.id, display.free_view)
        world.selected_ids = (self._case.id,)
        for size_px in (setup.begun_px, setup.size_px):
            view = self._settle(size_px)
        self._build(setup.size_px, ended=False)
        display.draw(view, picture.target)
        frame = picture.read()
        display.draw(alone(view), picture.target, panels=False)
        card, free = visited_image(view, setup.size_px), display.free_view
        assert card is not None
        share = seen(frame, picture.read(), card)
        height = (card.bottom - card.top) / setup.size_px[1]
        width = (card.right - card.left) / setup.size_px[0] / (free.right - free.left)
        return Sight(self._case.id, share * 100.0, height, width)

    def _settle(self, size_px: tuple[int, int]) -> View:
        """Let frames pass until nothing moves any more."""
        for _ in range(FLIGHT_STEPS):
            before = self._display.free_view
            self._world.keep_framed(before)
            self._world.advance(STEP_SECS, frozenset())
            view = self._world.view(size_px)
            self._build(size_px)
            if self._world.resting and self._display.free_view == before and view.visited is not None:
                break
        return view

    def _build(self, size_px: tuple[int, int], *, ended: bool = True) -> None:
        """The panels of a frame. ended: they are drawn as well, unseen."""
        view, case = self._world.view(size_px), self._case
        hud = still_hud(
            self._world,
            view,
            size_px=size_px,
            dt_secs=STEP_SECS,
            arrival=self._arrival,
            source="bench",
            model="starter",
            renderer=self._display.renderer_name,
            query=case.answer.query if case.answer else "",
            selected=self._facts if self._world.selected_ids else None,
        )
        hud = replace(hud, searching=True)
        self._display.build_panels(hud, Input(), framebuffer_px=size_px, dpi_scale=self._setup.scale)
        if ended:
            self._display.panels_picture(UNSEEN_PX)


def alone(view: View) -> View:
    """The same view of the visited card and nothing else."""
    assert view.visited is not None
    tiers = np.full(len(view.scene.ids), HIDDEN, np.int8)
    tiers[view.visited.row] = PLAIN if view.tiers is None else view.tiers[view.visited.row]
    return replace(view, tiers=tiers, leaving=None, marker=None, marker_neighbours=(), hovered=-1)


def seen(frame: Bytes, card_alone: Bytes, card: VisitedImage) -> float:
    """0..1, the share of the card's pixels that are the same in the frame (h, w, 3) as drawn alone; of those that are
    on the picture."""
    left, top = max(int(card.left), 0), max(int(card.top), 0)
    box = slice(top, max(int(card.bottom) + 1, top)), slice(left, max(int(card.right) + 1, left))
    apart = np.abs(frame[box].astype(np.int16) - card_alone[box]).max(axis=2, initial=0)
    inside = _inside(apart.shape, card, (left, top))
    return float((apart[inside] <= ALIKE).mean()) if inside.any() else 0.0


def _inside(shape: tuple[int, ...], card: VisitedImage, corner: tuple[int, int]) -> NDArray[np.bool_]:
    """(h, w) bool, the pixels from a corner on that the card covers whole."""
    across, down = (card.right - card.left) / 2.0, (card.bottom - card.top) / 2.0
    radius = min(across, down) * CORNER
    x = np.abs(np.arange(shape[1]) + 0.5 + corner[0] - card.left - across) - across + radius
    y = np.abs(np.arange(shape[0]) + 0.5 + corner[1] - card.top - down) - down + radius
    beyond = np.hypot(np.maximum(x, 0.0)[None], np.maximum(y, 0.0)[:, None])
    outside: NDArray[np.bool_] = beyond + np.minimum(np.maximum(x[None], y[:, None]), 0.0) > radius - 0.5
    return ~outside


def _figures(found: list[Sight]) -> dict[str, float]:
    shares: Floats = np.array([each.seen for each in found], np.float32)
    heights, widths = ([getattr(each, name) for each in found] for name in ("height", "width"))
    return {
        "median": round(float(np.median(shares)), 2),
        "worst": round(float(shares.min()), 2),
        "worst id": found[int(shares.argmin())].id,
        "cases below the bar": int((shares < SEEN).sum()),
        "lowest": round(min(heights), 3),
        "highest": round(max(heights), 3),
        "narrowest": round(min(widths), 3),
        "widest": round(max(widths), 3),
    }
