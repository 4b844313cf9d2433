"""One opened library: its engine and the threads that read it, started and stopped together."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from atlas_rt.core.hud import ImageFacts
from atlas_rt.core.records import (
    Bytes,
    Floats,
    LibraryPlace,
    LiveFix,
    Placement,
    Runtime,
    Scene,
    SearchAnswer,
    Tile,
)
from atlas_rt.core.rows import row_of
from atlas_rt.encoders.encoder import ImageEncoder
from atlas_rt.encoders.preprocess import to_input
from atlas_rt.encoders.registry import Model
from atlas_rt.engine.messages import Add, FromEngine
from atlas_rt.engine.process import EngineProcess, Job
from atlas_rt.library.cache_layout import Lock, place_of, remember_opened
from atlas_rt.mapping.projector import Projector
from atlas_rt.settings import Settings
from atlas_rt.workers.facts import FactsRequest, FactsWorker
from atlas_rt.workers.live_place import Encode, LivePlaceWorker
from atlas_rt.workers.pictures import DecodedPicture, PictureWorker
from atlas_rt.workers.scenes import Arrival, SceneReader, SceneWorker
from atlas_rt.workers.search import Query, SearchWorker
from atlas_rt.workers.tiles import TileWorker, Want

NICENESS = 19
READ_ONLY_POLL_SECS = 1.0


class Session:
    """A library open in a window. Owned by the main thread; nothing in it makes the frame wait.

    first: what the library held when it was opened, read before the first frame, or None.
    """

    def __init__(self, settings: Settings, sources: tuple[str, ...], *, cache: Path, model: Model) -> None:
        self.place = place_of(sources, cache)
        self.model = model
        self.sources = sources
        reader = SceneReader(self.place, model=model.id, dim=model.dim)
        self.first = reader.read()
        remember_opened(cache, self.place)
        self.read_only = Lock(self.place).holder()
        self.engine = None if self.read_only else EngineProcess(_job(settings, self.place, cache))
        self.scenes = SceneWorker(reader, poll_secs=READ_ONLY_POLL_SECS if self.read_only else None)
        self.runtime = settings.runtime(cache)
        self.search = SearchWorker(model, self.place, runtime=self.runtime)
        self.facts = FactsWorker(self.place)
        self.pictures = PictureWorker()
        self.tiles = TileWorker(self.place)
        self._live_place: LivePlaceWorker | None = None
        self._arrival = self.first
        self._projector: tuple[Arrival, Projector] | None = None

    @property
    def live(self) -> bool:
        """The camera is on."""
        return self._live_place is not None

    def messages(self) -> Iterator[FromEngine]:
        """What the engine told since the last frame."""
        if self.engine is not None:
            yield from self.engine.messages()

    def arrival(self) -> Arrival | None:
        """The newest scene, if one came since the last frame."""
        arrival = self.scenes.take()
        if arrival is not None:
            self._arrival = arrival
        return arrival

    def add(self, paths: tuple[str, ...]) -> bool:
        """Take files and folders into the library; False when another process writes it."""
        if self.engine is None:
            return False
        self.engine.tell(Add(paths))
        return True

    def ask(self, text: str) -> None:
        """Search for a phrase; the answer comes by `answer`."""
        if self._arrival is not None:
            scene = self._arrival.scene
            self.search.ask(Query(text, scene.ids, self._arrival.vector_index))

    def answer(self) -> SearchAnswer | None:
        return self.search.take()

    def tell_of(self, id_: int, *, neighbours: bool) -> None:
        """Ask for an image's facts; they come by `told`."""
        if self._arrival is not None:
            self.facts.ask(FactsRequest(id_, self._arrival.scene, self._arrival.vector_index, neighbours))

    def told(self) -> ImageFacts | None:
        return self.facts.take()

    def ask_picture(self, id_: int) -> None:
        """Decode an image's full picture; it comes by `picture`."""
        if self._arrival is not None:
            scene = self._arrival.scene
            row = row_of(scene.ids, id_)
            if row is not None:
                self.pictures.ask(id_, scene.paths[row])

    def picture(self) -> DecodedPicture | None:
        return self.pictures.take()

    def want_tiles(self, wanted: list[tuple[int, int]]) -> None:
        """(image id, level) of tiles to fetch, the first first; images that are gone are passed over."""
        if self._arrival is not None:
            scene = self._arrival.scene
            rows = [(row_of(scene.ids, id_), level) for id_, level in wanted]
            self.tiles.want([_want(scene, row, level) for row, level in rows if row is not None])

    def drain_tiles(self, *, budget_secs: float) -> Iterator[Tile]:
        return self.tiles.drain(budget_secs=budget_secs)

    def switch_live(self, source: str | None) -> None:
        """Turn the camera on, or off with None."""
        if self._live_place is not None:
            self._live_place.close()
            self._live_place = None
        if source is not None:
            self._live_place = LivePlaceWorker(
                source, encode=lambda: frame_encoder(self.model, self.runtime), place=self._placed
            )

    def fix(self) -> LiveFix | None:
        return self._live_place.take() if self._live_place else None

    def close(self) -> None:
        """Stop everything, the engine last since it may commit."""
        self.switch_live(None)
        for service in (self.tiles, self.pictures, self.facts, self.search, self.scenes):
            service.close()
        if self.engine is not None:
            self.engine.stop()

    def _placed(self, vector: Floats) -> tuple[Placement, tuple[int, ...]] | None:
        """Called on the live thread, which alone uses the projector."""
        arrival = self._arrival
        if arrival is None or not len(arrival.scene.ids):
            return None
        if self._projector is None or self._projector[0] is not arrival:
            self._projector = arrival, Projector(arrival.vector_index.whole(), arrival.scene.positions)
        placement = self._projector[1].place(vector[None])[0]
        return placement, tuple(int(arrival.scene.ids[row]) for row in placement.neighbours)


def source_name(paths: tuple[str, ...]) -> str:
    """What a person calls a library: its folder's name, and how many more there are."""
    name = Path(paths[0]).name or paths[0]
    return name if len(paths) == 1 else f"{name} and {len(paths) - 1} more"


def frame_encoder(model: Model, runtime: Runtime) -> Encode:
    """An encoder of camera frames, made on the thread that will use it."""
    from PIL import Image

    encoder = ImageEncoder(model, threads=1, runtime=runtime)

    def encode(frame: Bytes) -> Floats:
        pixels = to_input(Image.fromarray(frame), model.image.preprocessing)
        vector: Floats = encoder.encode(pixels[None])[0]
        return vector

    return encode


def _want(scene: Scene, row: int, level: int) -> Want:
    return int(scene.ids[row]), level, int(scene.tiles[row]), scene.paths[row]


def _job(settings: Settings, place: LibraryPlace, cache: Path) -> Job:
    return Job(
        place=place,
        cache=cache,
        model=settings.model,
        seed=settings.seed,
        threads=settings.threads,
        exclude=settings.exclude,
        niceness=NICENESS,
        stay=True,
        runtime=settings.runtime(cache),
        own_labels=settings.labels_path,
        granularity=settings.granularity,
    )
