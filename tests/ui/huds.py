"""Huds, pictures and a sheet to draw panels on."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import moderngl
import numpy as np

from atlas_rt.core.answers import Match, SearchAnswer
from atlas_rt.core.arrays import Bytes
from atlas_rt.core.hud import ClusterPage, ClusterPanel, ClusterRow, Hud, ImageFacts, SubclusterRow
from atlas_rt.core.look import LookPane, LookPanel, PictureKey, Placed, TileKey
from atlas_rt.core.look_view import LookView, Setting, TilePlace, panes
from atlas_rt.core.maps import Cluster
from atlas_rt.core.metadata import Metadata
from atlas_rt.core.requests import Request
from atlas_rt.ui.input import Button, Event, Input, KeyStroke, Modifiers, PointerMoved, Typed
from atlas_rt.ui.overlay import Overlay, scale_for
from atlas_rt.ui.panels import Panels, TextureRef

SIZE_PX = (1280, 720)
GREY = 0.2


def make_hud(**changes: Any) -> Hud:
    """A library of 2,000 images with nothing going on."""
    quiet = Hud(
        size_px=SIZE_PX, dt_secs=1 / 60, source="holidays", images=2000, failures=(), map_kind="umap", model="starter",
        provider="CPU", renderer="llvmpipe (LLVM 15.0.6, 256 bits)", progress=None, name_tags=(),
        searching=False, query="", answer=None, result=-1, hovered=None, hovered_at_px=(0.0, 0.0, 0.0), selected=None,
        live=None, live_on=False, touring=False, help_open=False, figures=None, notices=(), kiosk=False,
        welcome=False, reduced_motion=True, speed=1.0,
    )  # fmt: skip
    return replace(quiet, **changes)


def make_facts(id_: int = 1, **changes: Any) -> ImageFacts:
    facts = ImageFacts(
        id=id_, path=f"/pictures/2024/image {id_}.jpg", width_px=1920, height_px=1080, cluster="Animals",
        labels=(("bird", 0.6), ("parrot", 0.3)),
        neighbours=tuple((id_ + step, 0.9 - step / 50) for step in range(1, 13)),
    )  # fmt: skip
    return replace(facts, **changes)


def make_metadata(**changes: Any) -> Metadata:
    """All that a file can tell."""
    metadata = Metadata(
        taken="2019-05-06T07:08:09+02:00", taken_from="original", camera="NIKON D90", lens="50mm f/1.8",
        exposure_secs=0.004, aperture=2.8, iso=400, focal_mm=50.0, latitude=38.7, longitude=-9.1, rating=4,
        title="The last evening", caption="Grandmother and the children at the river. " * 40,
        keywords=tuple(f"keyword {number}" for number in range(60)), prompt="a lighthouse at dusk " * 30,
    )  # fmt: skip
    return replace(metadata, **changes)


def make_look(*ids: int, **changes: Any) -> LookPanel:
    """Pictures of 1,000 x 1,000 pixels side by side, the first with its tile; of more than two the last is broken."""
    settings = [Setting((1000, 1000), pane) for pane in panes(len(ids), (0.0, 0.0, 1280.0, 664.0), 2.0)]
    corners = [setting.corners(LookView(), (0.0, 0.0, 1.0, 1.0)) for setting in settings]
    lines = (("Size", "1,000 × 1,000 px"), ("Folder", "/a folder" * 20))
    shown = [
        LookPane(id_, f"image {id_}.jpg", setting.pane, place, stand_in=True, lines=lines)
        for id_, setting, place in zip(ids, settings, corners, strict=True)
    ]
    tile = Placed(TileKey(PictureKey(ids[0], 1), TilePlace(0, 0, 0)), corners[0])
    shown[0] = replace(shown[0], tiles=(tile,), stand_in=False)
    if len(shown) > 2:
        shown[-1] = replace(shown[-1], error="it is cut short. " * 20)
    look = LookPanel(tuple(shown), percent=66.4, whole=True, order="3 of 24  ·  results for “bird”", informed=False)
    return replace(look, **changes)


def make_answer(query: str, *bands: str) -> SearchAnswer:
    """One match for each band, with ids from 10."""
    best = tuple(Match(10 + row, 0.3 - row / 100, band) for row, band in enumerate(bands))
    return SearchAnswer(query, np.arange(2000), np.zeros(2000, np.float32), best, 3.0, 1.0)


class Tiles:
    """The thumbnails: one green picture for every image; full pictures are blue."""

    def __init__(self, context: moderngl.Context) -> None:
        self._texture = context.texture((4, 4), 4, bytes((0, 255, 0, 255)) * 16)
        self._picture = context.texture((4, 4), 4, bytes((0, 0, 255, 255)) * 16)

    def ref(self, _id: int, /) -> TextureRef | None:
        return self._texture.glo, (0.0, 0.0), (1.0, 1.0)

    def picture_ref(self, _name: str, /) -> TextureRef | None:
        return self._picture.glo, (0.0, 0.0), (1.0, 1.0)

    def tile_ref(self, _key: TileKey, /) -> TextureRef | None:
        return self._picture.glo, (0.0, 0.0), (1.0, 1.0)

    def aspect(self, _id: int, /) -> float:
        return 1.5


class Sheet:
    """Panels over a grey picture: shows huds, takes input, and gives the pixels."""

    def __init__(self, target: moderngl.Framebuffer, overlay: Overlay, panels: Panels) -> None:
        self._target, self._size_px = target, target.size
        self.overlay, self.panels = overlay, panels
        self._was_searching = False
        self.build_ms = 0.0

    def show(
        self,
        hud: Hud,
        *events: Event,
        frames: int = 1,
        pictures: int = 0,
        ground: tuple[float, float, float] = (GREY, GREY, GREY),
    ) -> list[Request]:
        """Some frames of a hud, the events before the first; what was wished in any of them. ground: colour of the
        picture below."""
        requests: list[Request] = []
        for frame in range(frames):
            told = Input(events=events if frame == 0 else (), text_focused=hud.searching and not self._was_searching)
            self._was_searching = hud.searching
            self.overlay.hear(told, text_focused=self.panels.wants_text)
            self.overlay.begin(self._size_px, scale=scale_for(self._size_px), dt_secs=hud.dt_secs)
            begun = time.perf_counter()
            requests += self.panels.build(hud)
            self.build_ms = (time.perf_counter() - begun) * 1000.0
            self._target.clear(*ground, 1.0)
            self.overlay.draw(self._target, pictures=pictures)
        return requests

    def click(self, hud: Hud, x: float, y: float) -> list[Request]:
        """Move there, press, release; what was wished."""
        at_px = (x, y)
        requests = self.show(hud, PointerMoved(at_px), frames=2)
        requests += self.show(hud, Button("left", down=True, at_px=at_px, modifiers=Modifiers()), frames=2)
        return requests + self.show(hud, Button("left", down=False, at_px=at_px, modifiers=Modifiers()), frames=3)

    def pixels(self) -> Bytes:
        """(h, w, 3) uint8, top row first."""
        width, height = self._size_px
        rows = np.frombuffer(self._target.read(components=3, alignment=1), np.uint8).reshape(height, width, 3)
        return rows[::-1]

    def changed(self) -> np.ndarray[Any, Any]:
        """(h, w) bool, where anything was drawn."""
        return np.abs(self.pixels().astype(np.int16) - round(GREY * 255)).max(axis=2) > 6

    def green(self) -> tuple[float, float]:
        """A place in the first thumbnail: the topmost, then leftmost."""
        rows, columns = np.nonzero((self.pixels() == (0, 255, 0)).all(axis=2))
        row = rows.min() + 20
        return float(columns[rows == row].min() + 20), float(row)

    def release(self) -> None:
        self.overlay.release()


def typed(text: str) -> tuple[Event, ...]:
    """What a window tells when this is typed."""
    return tuple(
        event
        for letter in text
        for event in (
            KeyStroke(letter.upper(), True, Modifiers()),
            Typed(letter),
            KeyStroke(letter.upper(), False, Modifiers()),
        )
    )


def make_row(id_: int, **changes: Any) -> ClusterRow:
    """A cluster with four exemplars of its own."""
    exemplars = tuple(range(100 * id_, 100 * id_ + 4))
    why = "most look like: dog, cat, horse; dog rather than car"
    cluster = Cluster(id_, f"animals {id_}", why, "vocabulary", 40 - id_, exemplars, exemplars[2:], (0.0, 0.0, 0.0))
    return replace(ClusterRow(cluster, (220, 120, 90)), **changes)


def make_page(id_: int) -> ClusterPage:
    images = tuple(range(100 * id_, 100 * id_ + 8))
    labels = tuple((f"word {place}", 0.9 - place / 10, 0.1) for place in range(8))
    months = ((2024, 11, 3), (2025, 1, 20), (2025, 2, 4))
    return ClusterPage(
        id_, typical=images, borderline=images[:4], labels=labels, months=months, nearest=id_ + 1, apart=images[:4],
        theirs=tuple(range(5000, 5004)),
    )  # fmt: skip


def make_parts(id_: int) -> tuple[SubclusterRow, ...]:
    """What the cluster of `make_page` divides into: one with words, one with a long name, one without any."""
    told = (("tabby", ("kitten",)), ("a word that is far too long for its line", ()), ("", ()))
    return tuple(
        SubclusterRow(10 * id_ + place, name, words, 9 - place, tuple(range(100 * id_ + place, 100 * id_ + place + 4)))
        for place, (name, words) in enumerate(told)
    )


def make_panel(count: int, **changes: Any) -> ClusterPanel:
    """The list of so many clusters."""
    rows = tuple(make_row(id_) for id_ in range(count))
    return replace(ClusterPanel(open=True, rows=rows, total=count, free=7), **changes)
