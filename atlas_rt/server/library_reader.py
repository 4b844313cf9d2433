"""A library for reading, as other programs see it: search, neighbours, clusters, images, the map.

REST and MCP ask the same object. It answers from one frozen scene, and takes the newest one from the disk when a
request comes and something was written since: by an open window, by this server's engine, or by `atlas-rt index`.
"""

from __future__ import annotations

import contextlib
import io
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from atlas_rt.core.answers import SearchAnswer
from atlas_rt.core.arrays import Floats
from atlas_rt.core.assets import assets_folder
from atlas_rt.core.explanations import Explanation
from atlas_rt.core.images import LibraryPlace
from atlas_rt.core.maps import Cluster, subclusters_of
from atlas_rt.core.query_picture import QueryPicture
from atlas_rt.core.rows import row_of
from atlas_rt.core.runtime import Runtime
from atlas_rt.core.scene import Scene
from atlas_rt.core.spoken_scene import in_words
from atlas_rt.core.word_names import IN_ENGLISH
from atlas_rt.encoders.encoder import ImageEncoder, TextEncoder
from atlas_rt.encoders.registry import Model
from atlas_rt.errors import AtlasError, UsageError
from atlas_rt.library.cluster_names import ClusterNames
from atlas_rt.library.explanations import Explanations
from atlas_rt.library.store import StoreReader
from atlas_rt.narrator.claude import explanation_of
from atlas_rt.narrator.plan import unexplained
from atlas_rt.narrator.subject import Subject, subjects_of
from atlas_rt.search.dictionary import ENGLISH
from atlas_rt.search.labels import SURE
from atlas_rt.search.vector_index import VectorIndex
from atlas_rt.search.word_names import words_or_english
from atlas_rt.server.answers import (
    ClusterFacts,
    ClusterMembers,
    Embedding,
    Found,
    ImageDetails,
    LibraryFacts,
    MapEdge,
    MapPlaces,
    Near,
    Neighbours,
    SearchResults,
    SubclusterFacts,
    TextReading,
    Word,
)
from atlas_rt.spoken import asked_code
from atlas_rt.workers.facts import nearest_images
from atlas_rt.workers.scenes import Arrival, SceneReader
from atlas_rt.workers.searcher import Query, Searcher
from atlas_rt.workers.text_search import TextSearch

LOOK_SECS = 0.5
"""The disk is looked at for news at most so often; it costs a few calls of the file system."""
NOTHING_ASKED = "say what to look for: text, an image's id, or both"
WORDS = 12
"""Words told of a group of images."""


class UnknownError(UsageError):
    """There is no image or cluster with this id, or none any more."""


@dataclass(frozen=True, slots=True)
class TileRecord:
    """Where an image's thumbnail lies in the tile files of a folder. aspect: width / height."""

    folder: Path
    record: int
    aspect: float


class LibraryReader:
    """Answers about one library. May be used from several threads at once."""

    def __init__(
        self,
        place: LibraryPlace,
        model: Model,
        arrival: Arrival,
        *,
        cache: Path,
        runtime: Runtime,
        names: ClusterNames,
        explanations: Explanations,
        show_paths: bool = False,
        language: str = ENGLISH,
    ) -> None:
        """arrival: what was read of it so far. names: what a person called clusters; explanations: what Claude said.
        language: in which labels are shown, and texts read where none is asked for; a code of
        `dictionary.languages`."""
        self._language = language
        self.place, self.model = place, model
        self._names, self._show_paths = names, show_paths
        self._scenes = SceneReader(
            place,
            model=model.id,
            dim=model.dim,
            names=names,
            explanations=explanations,
            words=words_or_english(language)[0],
        )
        self._arrival = arrival
        self._looked_secs = 0.0
        self._reading, self._searching, self._encoding = threading.Lock(), threading.Lock(), threading.Lock()
        texts = TextSearch(place, model.id)
        self._text_encoder = TextEncoder(model, runtime=runtime)
        self._searcher = Searcher(model, self._text_encoder, texts, cache=cache)
        self._runtime = runtime
        self._encoder: ImageEncoder | None = None

    # -- what there is -------------------------------------------------------------------------------------------------

    def library(self) -> LibraryFacts:
        """The library as a whole."""
        arrival = self._newest()
        scene = arrival.scene
        return LibraryFacts(
            name=", ".join(Path(source).name for source in self.place.sources),
            images=len(scene.ids),
            clusters=len(scene.cluster_records),
            edges=len(scene.edges),
            model=self.model.name,
            dim=self.model.dim,
            generation=scene.generation,
            kind=scene.kind,
            label_language=scene.words.code,
            notice="some of the images' folders are not there now" if arrival.absence else "",
        )

    def image(self, id_: int) -> ImageDetails:
        """One image. Raises UnknownError."""
        scene, row = self._row(id_)
        with StoreReader.open(self.place.folder) as store:
            labels = store.labels(id_, self.model.id)
        return ImageDetails(
            id=id_,
            width_px=int(scene.sizes_px[row, 0]),
            height_px=int(scene.sizes_px[row, 1]),
            cluster=int(scene.clusters[row]),
            position=_rounded(scene.positions[row]),
            labels=[Word(scene.words.shown(word), round(share, 4), word) for word, share in labels if share >= SURE],
            path=self._shown(scene.paths[row]),
        )

    def path(self, id_: int) -> str:
        """The file of an image. Raises UnknownError."""
        scene, row = self._row(id_)
        return scene.paths[row]

    def tile(self, id_: int) -> TileRecord:
        """The thumbnail of an image. Raises UnknownError."""
        scene, row = self._row(id_)
        return TileRecord(self.place.folder, int(scene.tiles[row]), float(scene.aspects[row]))

    def id_at(self, path: Path) -> int | None:
        """The image that is shown from a file, None for none yet."""
        scene = self._newest().scene
        return next((int(scene.ids[row]) for row, each in enumerate(scene.paths) if each == str(path)), None)

    # -- search --------------------------------------------------------------------------------------------------------

    def search(
        self,
        text: str = "",
        image_id: int | None = None,
        *,
        top: int = 20,
        language: str = "",
        as_typed: bool = False,
    ) -> SearchResults:
        """The best images for a text as `atlas-rt search` reads it, for an image of the library, or for both.

        language: "" for the person's. Raises UnknownError for an image that is not there, UsageError for a language.
        """
        language = asked_code(language) if language else self._language
        text = text.strip()
        arrival = self._newest()
        index = arrival.vector_index
        picture = None if image_id is None else QueryPicture("", self._vector(arrival, image_id), image_id)
        if not text and picture is None:
            return SearchResults("", self.model.name, [], [NOTHING_ASKED], {"encode": 0.0, "search": 0.0})
        query = Query(text, arrival.scene.ids, index, arrival.scene, picture, language=language, as_typed=as_typed)
        with self._searching:
            answer = self._searcher.answer(query, top=top)
        paths = self._paths_of(arrival.scene, [match.id for match in answer.best])
        return SearchResults(
            query=text,
            model=self.model.name,
            results=[
                Found(match.id, round(match.score, 6), match.band, list(match.why), path)
                for match, path in zip(answer.best, paths, strict=True)
            ],
            notices=[self._told(each) for each in (answer.error, *answer.notices) if each],
            ms={"encode": round(answer.encode_ms, 3), "search": round(answer.search_ms, 3)},
            reading=_reading_of(answer),
        )

    def _told(self, notice: str) -> str:
        """Where the program is installed is told to those alone who may see paths."""
        return notice if self._show_paths else notice.replace(str(assets_folder("models")), "models")

    def neighbours(self, id_: int, *, top: int = 20) -> Neighbours:
        """The images nearest to one. Raises UnknownError."""
        arrival = self._newest()
        row = _row_in(arrival.scene, id_)
        found = [each for each in nearest_images(arrival.scene, arrival.vector_index, row, top) if np.isfinite(each[1])]
        paths = self._paths_of(arrival.scene, [near for near, _ in found])
        results = [Near(near, round(score, 6), path) for (near, score), path in zip(found, paths, strict=True)]
        return Neighbours(id_, results)

    def embed_text(self, text: str) -> Embedding:
        """The vector of a text as a search reads it."""
        with self._searching:
            return self._embedding(self._searcher.vector_of(text))

    def phrase_vector(self, phrase: str) -> Floats:
        """(dim,) of a phrase in which no sign or weight is heeded."""
        with self._searching:
            return self._text_encoder.encode(phrase)

    def embed_pixels(self, pixels: Floats) -> Embedding:
        """The vector of a picture. pixels: (3, size, size) float32, the encoder's input."""
        with self._encoding:
            self._encoder = self._encoder or ImageEncoder(self.model, runtime=self._runtime)
        return self._embedding(self._encoder.encode(pixels[None])[0])

    # -- clusters ------------------------------------------------------------------------------------------------------

    def clusters(self) -> list[ClusterFacts]:
        """Every cluster, the largest first."""
        records = self._newest().scene.cluster_records
        return [_cluster_facts(record) for record in sorted(records, key=lambda record: (-record.size, record.id))]

    def cluster(self, id_: int) -> ClusterMembers:
        """A cluster with its images. Raises UnknownError."""
        scene = self._newest().scene
        record = _record_in(scene, id_)
        within = [
            SubclusterFacts(each.id, each.name, each.size, list(each.exemplars), each.english[0])
            for each in subclusters_of(id_, scene.subcluster_records)
        ]
        return ClusterMembers(_cluster_facts(record), scene.ids[scene.clusters == id_].tolist(), within)

    def said_by_claude(self, id_: int) -> Explanation | None:
        """What Claude said of a cluster when a person last had it explained, None for nothing."""
        kept = self._newest().explained.get(id_)
        if kept is None:
            return None
        with StoreReader.open(self.place.folder) as store:
            return explanation_of(kept, store.ids_with)

    def unexplained(self, id_: int, language: str) -> bool:
        """Whether Claude has not explained a cluster in this language and no person named it. Raises UnknownError."""
        arrival = self._newest()
        record = _record_in(arrival.scene, id_)
        return record in unexplained(arrival.scene, arrival.explained, language)

    def subject(self, id_: int, store: StoreReader) -> tuple[Subject, list[str]]:
        """A cluster as a narrator is asked about it, and the names of all others. Raises UnknownError."""
        arrival = self._newest()
        scene = in_words(arrival.scene, IN_ENGLISH)
        subjects = subjects_of([_record_in(scene, id_)], scene, arrival.vector_index, store)
        if not subjects:
            raise UnknownError(f"there are no images in cluster {id_} any more")
        return subjects[0], [record.name for record in scene.cluster_records if record.id != id_]

    def look_again(self) -> None:
        """Look at the disk for news with the next request."""
        self._looked_secs = 0.0

    def words(self, ids: list[int]) -> list[Word]:
        """The everyday words that these images carry, and by which share of them, the most common first."""
        with StoreReader.open(self.place.folder) as store:
            said = Counter(
                word for id_ in ids for word, confidence in store.labels(id_, self.model.id) if confidence >= SURE
            )
        shown = self._scenes.words.shown
        return [Word(shown(word), round(count / len(ids), 4), word) for word, count in said.most_common(WORDS)]

    def rename(self, id_: int, name: str) -> ClusterFacts:
        """Give a cluster a name that stays, or with an empty one its own back.

        Raises UnknownError, UsageError for what is no name, MissingError where it cannot be kept.
        """
        arrival = self._newest()
        scene = arrival.scene
        _record_in(scene, id_)
        with StoreReader.open(self.place.folder) as store:
            contents = store.content_hashes(scene.ids[scene.clusters == id_].tolist())
        self._names.give(name, contents, instead_of=arrival.given.get(id_))
        self.look_again()
        return _cluster_facts(_record_in(self._newest().scene, id_))

    # -- the map -------------------------------------------------------------------------------------------------------

    def map(self) -> MapPlaces:
        """Where every image stands, and which are neighbours."""
        scene = self._newest().scene
        ends = scene.ids[scene.edges].tolist()
        return MapPlaces(
            generation=scene.generation,
            ids=scene.ids.tolist(),
            positions=[_rounded(position) for position in scene.positions],
            clusters=scene.clusters.tolist(),
            edges=[
                MapEdge(one, other, round(weight, 6))
                for (one, other), weight in zip(ends, scene.weights.tolist(), strict=True)
            ],
        )

    def map_arrays(self) -> bytes:
        """The same as the bytes of an .npz file: ids int64, positions (n, 3) float32, clusters int32, edges (m, 2)
        int64 ids, weights float32."""
        scene = self._newest().scene
        file = io.BytesIO()
        np.savez(
            file,
            ids=scene.ids,
            positions=scene.positions,
            clusters=scene.clusters,
            edges=scene.ids[scene.edges],
            weights=scene.weights,
            generation=np.int64(scene.generation),
        )
        return file.getvalue()

    # -- parts ---------------------------------------------------------------------------------------------------------

    def _newest(self) -> Arrival:
        """What the library holds now. Where it cannot be read, what it held before."""
        with self._reading:
            now = time.monotonic()
            if now - self._looked_secs >= LOOK_SECS:
                self._looked_secs = now
                with contextlib.suppress(AtlasError, OSError):
                    if self._scenes.has_news() and (arrival := self._scenes.read()) is not None:
                        self._arrival = arrival
            return self._arrival

    def _row(self, id_: int) -> tuple[Scene, int]:
        scene = self._newest().scene
        return scene, _row_in(scene, id_)

    def _vector(self, arrival: Arrival, id_: int) -> Floats:
        return _vector_at(arrival.vector_index, _row_in(arrival.scene, id_))

    def _embedding(self, vector: Floats) -> Embedding:
        return Embedding(self.model.name, self.model.dim, [round(value, 7) for value in vector.tolist()])

    def _shown(self, path: str) -> str | None:
        return path.encode("utf-8", "backslashreplace").decode() if self._show_paths else None

    def _paths_of(self, scene: Scene, ids: list[int]) -> Iterator[str | None]:
        return (self._shown(scene.paths[_row_in(scene, id_)]) for id_ in ids)


def _row_in(scene: Scene, id_: int) -> int:
    row = row_of(scene.ids, id_)
    if row is None:
        raise UnknownError(f"there is no image {id_} in this library")
    return row


def _record_in(scene: Scene, id_: int) -> Cluster:
    for record in scene.cluster_records:
        if record.id == id_:
            return record
    raise UnknownError(f"there is no cluster {id_} on this map")


def _vector_at(index: VectorIndex, row: int) -> Floats:
    vector: Floats = index.at(np.array([row], np.int32))[0]
    return vector


def _rounded(values: Floats) -> list[float]:
    return [round(value, 6) for value in values.tolist()]


def _cluster_facts(record: Cluster) -> ClusterFacts:
    return ClusterFacts(
        id=record.id,
        name=record.name,
        why=record.why,
        name_english=record.english[0],
        why_english=record.english[1],
        named_by=record.named_by,
        size=record.size,
        exemplars=list(record.exemplars),
        borderline=list(record.borderline),
        centre=[round(value, 6) for value in record.centre],
    )


def _reading_of(answer: SearchAnswer) -> TextReading | None:
    reading = answer.reading
    if reading is None or reading.undone:
        return None
    words = [list(pair) for pair in reading.words]
    return TextReading(reading.language, reading.english, words, list(reading.unread))
