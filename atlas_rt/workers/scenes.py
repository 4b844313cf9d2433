"""From the library on disk to a scene to show: read on a thread whenever the engine has published something."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np

from atlas_rt.core.arrays import Bytes, Floats, Ints
from atlas_rt.core.channels import Latest
from atlas_rt.core.images import SMALL_TILE_PX, Catalogue, Failure, LibraryPlace
from atlas_rt.core.maps import Cluster, Map
from atlas_rt.core.palette import cluster_hues, node_hues
from atlas_rt.core.preparation import Preparation, prepare
from atlas_rt.core.rows import rows_of
from atlas_rt.core.scene import Scene
from atlas_rt.core.spoken_scene import in_words
from atlas_rt.core.stacks import folded, stacks_of
from atlas_rt.core.submap import submap
from atlas_rt.core.troubles import reason_of
from atlas_rt.core.wall import unfolded
from atlas_rt.core.word_names import IN_ENGLISH, Words
from atlas_rt.errors import AtlasError
from atlas_rt.library import maps
from atlas_rt.library.absence import sentence
from atlas_rt.library.cluster_names import ClusterName, ClusterNames
from atlas_rt.library.explanations import Explanations, KeptExplanation
from atlas_rt.library.store import StoreReader
from atlas_rt.library.tile_files import TileFiles
from atlas_rt.library.vectors import VectorFile
from atlas_rt.search.held_vectors import HeldVectors
from atlas_rt.search.vector_index import VectorIndex, vector_index_of
from atlas_rt.search.word_names import words_or_english
from atlas_rt.workers.naming import Named, named_map
from atlas_rt.workers.worker import Announce, Worker, unheard

NODE_SIZE_SHARE = 0.62
"""Half a card's side in median distances to the nearest neighbour: cards touch in crowds and stand free elsewhere."""
NODE_SIZE_LIMITS = (0.004, 0.09)
SAMPLE = 256
"""Images whose nearest neighbour is looked for when the median distance is estimated."""
DATABASE_SECS = 10.0
"""What another process wrote without a new map is read so long after the last reading."""
UNREADABLE_SECS = 2.0
"""A library that could not be read is looked at again so often."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A scene and all that changed with it.

    vector_index: the images' vectors, in the scene's rows. tiles, pixels: small tiles not delivered before, (k,)
    records and (k, 32, 32, 3) uint8. failures: every file that could not become an image. absence: what a person should
    know of sources that are absent, empty where all are there. hidden: how many images of the map are away and not
    shown. given: cluster -> the name a person gave it. explained: cluster -> what Claude said of it. remark: a sentence
    on names that could not be read as they should. prepared: what it takes to show the scene, None where nobody has
    made that ready.
    """

    scene: Scene
    vector_index: VectorIndex
    tiles: Ints
    pixels: Bytes
    failures: tuple[Failure, ...]
    absence: str = ""
    hidden: int = 0
    given: Mapping[int, ClusterName] = field(default_factory=dict)
    explained: Mapping[int, KeptExplanation] = field(default_factory=dict)
    remark: str = ""
    prepared: Preparation | None = None

    def once_shown(self) -> Arrival:
        """What may still be asked about when it is on screen: without tiles, and the way there from the one before."""
        prepared = None if self.prepared is None else replace(self.prepared, way=None)
        return replace(self, tiles=self.tiles[:0].copy(), pixels=self.pixels[:0].copy(), prepared=prepared)


class SceneReader:
    """Reads one library; remembers which small tiles it has handed over, and the vectors. One thread at a time."""

    def __init__(
        self,
        place: LibraryPlace,
        *,
        model: str,
        dim: int,
        names: ClusterNames | None = None,
        explanations: Explanations | None = None,
        words: Words = IN_ENGLISH,
    ) -> None:
        """model: the id under which vectors and maps lie. names: those that a person gave to clusters; explanations:
        what Claude said of them. words: the language of the vocabulary's names, which may be set to another one."""
        self.words = words
        self._place, self._model, self._dim = place, model, dim
        self._names, self._explanations = names, explanations
        self._delivered = np.zeros(0, np.bool_)
        self._vectors = HeldVectors()
        self._read: tuple[object, ...] = ()
        self._read_secs = 0.0

    def has_news(self) -> bool:
        """Whether anything was written since the last reading that went well; costs a few calls of the file system.

        Where it was the database alone, so often as DATABASE_SECS: texts in pictures are written there one after the
        other, for hours, and whatever changes what is shown comes with a map.
        """
        now, (map_, *stamps) = time.monotonic(), self._signature()
        if not self._read or (map_, *stamps[2:]) != (self._read[0], *self._read[3:]):
            return True
        return (map_, *stamps) != self._read and now - self._read_secs >= DATABASE_SECS

    def read(self) -> Arrival | None:
        """The newest whole map with what is known of its images; None while there is none.

        Raises AtlasError when the library cannot be read.
        """
        signature = self._signature()
        if not (self._place.folder / "library.db").exists():
            return None
        map_ = maps.read_latest(
            self._place.folder / self._model
        )  # a damaged one is passed over, and mended by the engine
        if map_ is None:
            return None
        store = StoreReader.open(self._place.folder)
        try:
            if store.cleaning:  # its files have other numbers than its rows, until its next writer has moved them
                return None
            catalogue = store.catalogue(self._model)
            rows = store.vector_rows(self._model, map_.ids)
            failures, absence = store.failures(), sentence(store.absences())
            named = named_map(map_, store, self._names, self._explanations) if self._names else Named(map_)
        finally:
            store.close()
        scene = in_words(make_scene(named.map, catalogue), self.words)
        vector_index = self._vector_index(rows, map_, scene)
        tiles, pixels = self._new_tiles(scene.tiles)
        self._read, self._read_secs = signature, time.monotonic()
        hidden = len(map_.ids) - len(scene.ids)
        return Arrival(
            scene,
            vector_index,
            tiles,
            pixels,
            failures,
            absence,
            hidden,
            given=named.given,
            explained=named.explained,
            remark=named.remark,
        )

    def _vector_index(self, rows: Ints, map_: Map, scene: Scene) -> VectorIndex:
        kept, _ = rows_of(map_.ids, scene.ids)
        used, folder = rows[kept], self._place.folder / self._model
        if not len(used):
            return VectorIndex(np.zeros((0, self._dim), np.float32))
        path = folder / "vectors.f16"
        file = VectorFile(path, self._dim, rows=int(used.max()) + 1)
        floats = partial(self._vectors.floats, ids=scene.ids, path=path)
        return vector_index_of(file.array(), used, folder, floats)

    def _new_tiles(self, tiles: Ints) -> tuple[Ints, Bytes]:
        """Tiles not handed over yet. Their records are in no order of arrival: changed and returned images mix them."""
        if not len(tiles):
            return tiles, np.zeros((0, SMALL_TILE_PX, SMALL_TILE_PX, 3), np.uint8)
        missing = int(tiles.max()) + 1 - len(self._delivered)
        if missing > 0:
            self._delivered = np.concatenate([self._delivered, np.zeros(missing, np.bool_)])
        new = np.unique(tiles[~self._delivered[tiles]])
        pixels = TileFiles(self._place.folder, writable=False).small(new)
        self._delivered[new] = True  # once they are here: what a reading that failed did not bring comes with the next
        return new, pixels

    def _signature(self) -> tuple[object, ...]:
        """Tells two states of the library apart: the newest map, the database with its log, and the names."""
        folder = self._place.folder
        files = [folder / "library.db", folder / "library.db-wal"]
        files += [kept.path for kept in (self._names, self._explanations) if kept is not None]
        return maps.latest(folder / self._model), *(_stamp(file) for file in files)


class SceneWorker(Worker):
    """The thread that reads when poked; the newest arrival waits in one slot, with the tiles of those it replaced."""

    part = "scenes"
    lost = "New images cannot be shown"

    def __init__(
        self,
        reader: SceneReader,
        *,
        first: Arrival | None = None,
        poll_secs: float | None = None,
        announce: Announce = unheard,
    ) -> None:
        """first: what was read before. poll_secs: look for news so often (another process writes the library), None to
        read only when poked."""
        super().__init__(announce=announce)
        self._reader = reader
        self._poll_secs = poll_secs
        self._arrivals: Latest[Arrival] = Latest()
        self._poke = threading.Event()
        self._unreadable = ""
        self._shown: Preparation | None = None
        self._aspect = 1.0
        self.newest = None if first is None else first.once_shown()
        """The newest scene, as on the map."""
        self.flat = False
        """Whether scenes come as flat walls."""
        self._turned = False
        self._spoken = ""
        self.start()

    @property
    def trouble(self) -> str:
        """A library that cannot be read now included: it is looked at again and again until it can."""
        return super().trouble or self._unreadable

    def poke(self) -> None:
        """Read now."""
        self._poke.set()

    def poll(self, secs: float | None) -> None:
        """Look for news so often from now on, as `poll_secs`."""
        self._poll_secs = secs
        self._poke.set()

    def lay_out(self, *, flat: bool) -> None:
        """From now on scenes come as the flat wall, or as the map; so does the newest one, again."""
        self.flat, self._turned = flat, True
        self._poke.set()

    def speak(self, code: str) -> None:
        """From now on the vocabulary's names come in this language, which is read here; so does the newest scene,
        again."""
        self._spoken, self._turned = code, True
        self._poke.set()

    def follow(self, shown: Preparation | None, *, aspect: float) -> None:
        """What the window shows now, in which shape: the next arrival is made ready to follow on it."""
        self._shown, self._aspect = shown, aspect

    def retry(self) -> None:
        self._poke.set()
        super().retry()

    def take(self) -> Arrival | None:
        return self._arrivals.take()

    def wake(self) -> None:
        self._poke.set()
        self._arrivals.close()

    def work(self) -> None:
        while True:
            poked = self._poke.wait(UNREADABLE_SECS if self._unreadable else self._poll_secs)
            self._poke.clear()
            if self.closing:
                return
            if self._turned:
                self._turned = False
                if self._spoken:
                    self._reader.words, _ = words_or_english(self._spoken)
                if self.newest is not None:
                    scene = in_words(self.newest.scene, self._reader.words)
                    self.newest = replace(self.newest, scene=scene)
                    self._deliver(self.newest)
                if not self._reader.has_news():
                    continue
            if not poked and not self._unreadable and not self._reader.has_news():
                continue  # reading 100,000 images again and again would cost the window its frames
            self._read()

    def _read(self) -> None:
        try:
            arrival = self._reader.read()
        except (AtlasError, OSError, ValueError) as error:
            self._unreadable = f"{self.lost}: {reason_of(error)}"
            return
        except BaseException:
            self._poke.set()  # the next try reads at once
            raise
        self._unreadable = ""
        self.went_well()
        if arrival is not None:
            self.newest = arrival.once_shown()
            self._deliver(arrival)

    def _deliver(self, arrival: Arrival) -> None:
        """Make an arrival ready, and let it replace one that nobody took, with the tiles which that one brought."""
        if self.flat:
            arrival = replace(arrival, scene=unfolded(arrival.scene))
        arrival = made_ready(arrival, aspect=self._aspect, shown=self._shown)
        missed = self._arrivals.take()
        if missed is not None and len(missed.tiles):
            tiles = np.concatenate([missed.tiles, arrival.tiles])
            pixels = np.concatenate([missed.pixels, arrival.pixels])
            arrival = replace(arrival, tiles=tiles, pixels=pixels)
        self._arrivals.put(arrival)


def made_ready(arrival: Arrival, *, aspect: float, shown: Preparation | None = None) -> Arrival:
    """An arrival prepared to follow on what a window of this aspect shows."""
    return replace(arrival, prepared=prepare(arrival.scene, aspect=aspect, before=shown))


def _stamp(file: Path) -> tuple[int, int]:
    try:
        status = file.stat()
    except OSError:
        return 0, 0
    return status.st_size, status.st_mtime_ns


def make_scene(map_: Map, catalogue: Catalogue) -> Scene:
    """Join a map and a catalogue: rows are the images that both hold, ascending by id.

    Sizes and hues are those of the whole map: nothing changes about the others when an image is hidden.
    """
    rows, known = rows_of(catalogue.ids, map_.ids)
    rows, shown = rows[known], submap(map_, known)
    centres = np.array([cluster.centre for cluster in map_.cluster_records], np.float32).reshape(-1, 3)
    edges, weights = shown.edges, shown.weights
    stacks = stacks_of(shown.stacks) if len(map_.stacks) else None
    hues = node_hues(shown.positions, _places(shown.clusters, map_.cluster_records), centres)
    if stacks is not None:
        edges, weights = folded(edges, weights, stacks)
        hues = hues[stacks.leaders]  # what fans out is seen to belong together
    away = catalogue.away[rows]
    return Scene(
        ids=shown.ids,
        paths=catalogue.paths if len(rows) == len(catalogue.paths) else tuple(catalogue.paths[row] for row in rows),
        positions=shown.positions,
        aspects=catalogue.aspects[rows],
        mean_rgb=catalogue.mean_rgb[rows],
        hues=hues,
        tiles=catalogue.tiles[rows],
        sizes_px=catalogue.sizes_px[rows],
        clusters=shown.clusters,
        edges=edges,
        weights=weights,
        cluster_records=shown.cluster_records,
        cluster_hues=cluster_hues(centres)[_kept_records(map_, shown)],
        node_size=node_size(_nodes_of(map_)),
        generation=map_.generation,
        kind=map_.kind,
        model=map_.model,
        stacks=stacks,
        away=away if away.any() else None,
        subclusters=shown.subclusters,
        subcluster_records=shown.subcluster_records,
        wall=shown.wall,
        fitted=shown.fitted,
    )


def _kept_records(map_: Map, shown: Map) -> list[int]:
    """The places of the clusters that are shown among all."""
    ids = {record.id for record in shown.cluster_records}
    return [place for place, record in enumerate(map_.cluster_records) if record.id in ids]


def _nodes_of(map_: Map) -> Floats:
    """(k, 3) where the nodes of a map stand: those that lead a stack or stand alone."""
    stacks = stacks_of(map_.stacks) if len(map_.stacks) else None
    return map_.positions if stacks is None else np.delete(map_.positions, stacks.members, axis=0)


def _places(clusters: Ints, records: tuple[Cluster, ...]) -> Ints:
    """The place of each image's cluster among the records, -1 for none: ids are kept from map to map, with gaps."""
    places = np.full(max((record.id for record in records), default=-1) + 2, -1, np.int32)  # the last one is for -1
    for place, record in enumerate(records):
        places[record.id] = place
    return places[clusters]


def node_size(positions: Floats) -> float:
    """Half the side of a card for a map with these positions, world units."""
    if len(positions) < 2:
        return NODE_SIZE_LIMITS[1]
    step = max(len(positions) // SAMPLE, 1)
    columns = np.ascontiguousarray(positions.T)
    nearest = [_nearest_distance(columns, row) for row in range(0, len(positions), step)]
    size = NODE_SIZE_SHARE * float(np.median(nearest))
    return min(max(size, NODE_SIZE_LIMITS[0]), NODE_SIZE_LIMITS[1])


def _nearest_distance(columns: Floats, row: int) -> float:
    """columns: (3, n), which are added up five times as fast as (n, 3)."""
    x, y, z = columns - columns[:, row : row + 1]
    squares: Floats = x * x + y * y + z * z
    squares[row] = np.inf
    return float(np.sqrt(squares.min()))
