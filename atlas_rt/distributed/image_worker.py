"""The worker: the bytes of an image become its vector, labels, tiles and metadata.

One object in three hosts: the local engine, AWS Lambda and Ray. It has no window, no engine and no library, writes
nothing but the cached vectors of the label words, starts no process, and needs neither a home folder nor shared memory.
Importing it loads neither SQLite nor FAISS (`tests/distributed/test_image_worker.py` looks).

The steps stand alone for a host that has something to do in between: the engine recognises content that it holds
already after `describe`, and decodes on many threads while it encodes. A host without such wishes calls `embed`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from atlas_rt.core.arrays import Floats
from atlas_rt.core.runtime import ANYWHERE, Runtime
from atlas_rt.encoders import registry
from atlas_rt.encoders.encoder import ImageEncoder, NoEncoder
from atlas_rt.encoders.preprocess import to_input
from atlas_rt.encoders.registry import Model
from atlas_rt.errors import DecodeError
from atlas_rt.library.decoding.decode import read_image
from atlas_rt.library.file_content import content_hash
from atlas_rt.library.formats import suffix_of
from atlas_rt.library.metadata.file_metadata import FileMetadata
from atlas_rt.library.metadata.reading import read_metadata
from atlas_rt.library.metadata.sidecars import NO_SIDECARS, Sidecars
from atlas_rt.library.tables.rows import FailureRow, ImageRow, Item, Label, Row
from atlas_rt.library.tables.shard import Maker
from atlas_rt.library.tile_files import TileSet
from atlas_rt.library.tile_making import make_tiles
from atlas_rt.search.labels import Vocabulary, load_vocabulary, read_own_words

VERSION = 1
"""Of what the worker makes: grows when the same bytes and model give another vector, tile or label."""
NO_VECTOR = "the encoder gave no vector"


@dataclass(frozen=True, slots=True)
class Description:
    """What a file's bytes tell before they are decoded."""

    content_hash: bytes
    metadata: FileMetadata


@dataclass(frozen=True, slots=True)
class PreparedImage:
    """A decoded image: all that is kept of it but its vector. pixels: (3, size, size) float32, the encoder's input."""

    content_hash: bytes
    width_px: int
    height_px: int
    metadata: FileMetadata
    tiles: TileSet
    pixels: Floats
    incomplete: str = ""


@dataclass(frozen=True, slots=True)
class Unusable:
    """Bytes that are no image, and why. stage: "read", "decode" or "encode"."""

    reason: str
    stage: str
    content_hash: bytes = b""


class ImageWorker:
    """Bytes to vectors by one model. Any number of threads may call any of its functions.

    vocabulary: what images are labelled with; None labels none.
    """

    def __init__(self, encoder: ImageEncoder | NoEncoder, vocabulary: Vocabulary | None = None) -> None:
        self.encoder, self.vocabulary = encoder, vocabulary
        self._spec = encoder.model.image.preprocessing

    @classmethod
    def open(
        cls,
        model: str | Model,
        *,
        cache: Path,
        threads: int = 1,
        labels: bool = True,
        own_labels: Path | None = None,
        runtime: Runtime = ANYWHERE,
    ) -> ImageWorker:
        """A worker that is ready. model: as for `registry.load`.

        threads: of one run of the graph; the local engine uses 1, and other numbers may change a vector's last bits.
        cache: where fetched models lie and the vectors of the label words are kept. One that cannot be written is
        fine; if the words are not in it, they cost 2 to 3 s. Raises UsageError or MissingError for the model.
        """
        loaded = registry.load(model, cache) if isinstance(model, str) else model
        encoder = encoder_of(loaded, threads=threads, runtime=runtime)
        own = read_own_words(own_labels).words
        return cls(encoder, load_vocabulary(loaded, cache, own=own, runtime=runtime) if labels else None)

    @property
    def model(self) -> Model:
        return self.encoder.model

    @property
    def maker(self) -> Maker:
        """What the shards say that hold rows of this worker."""
        return maker_of(self.model, self.vocabulary.key if self.vocabulary is not None else "", worker=VERSION)

    # -- the steps -----------------------------------------------------------------------------------------------------

    def describe(
        self, data: bytes, name: str = "", *, mtime_ns: int = 0, sidecars: Sidecars = NO_SIDECARS
    ) -> Description:
        """What is known before decoding. name: path or address, by which sidecars are found."""
        return Description(content_hash(data), read_metadata(data, name, mtime_ns=mtime_ns, sidecars=sidecars))

    def decode(self, data: bytes, name: str, described: Description) -> PreparedImage:
        """The same bytes decoded, once. name: its ending decides about camera RAW. Raises DecodeError."""
        decoded = read_image(data, target_px=self._spec.size_px, fit=self._spec.resize, suffix=suffix_of(name))
        return PreparedImage(
            described.content_hash,
            decoded.width_px,
            decoded.height_px,
            described.metadata,
            make_tiles(decoded),
            to_input(decoded.image, self._spec),
            decoded.incomplete,
        )

    def prepare(self, data: bytes, name: str = "", *, mtime_ns: int = 0) -> PreparedImage | Unusable:
        """Both steps."""
        described = self.describe(data, name, mtime_ns=mtime_ns)
        try:
            return self.decode(data, name, described)
        except DecodeError as error:
            return Unusable(str(error), "decode", described.content_hash)

    def encode(self, prepared: Sequence[PreparedImage]) -> Floats:
        """(k, dim) float32, unit length but where `is_vector` says no. No row depends on what else is asked for."""
        if not prepared:
            return np.zeros((0, self.model.dim), np.float32)
        return self.encoder.encode(np.stack([each.pixels for each in prepared]))

    def label(self, vectors: Floats) -> list[tuple[Label, ...]]:
        """The words of (n, dim) vectors, best first; none without a vocabulary. They are found by what is kept of a
        vector, so that they are the same whenever an image is labelled."""
        stored = vectors.astype(np.float16).astype(np.float32)
        return self.vocabulary.label(stored) if self.vocabulary is not None else [()] * len(vectors)

    # -- all of them ---------------------------------------------------------------------------------------------------

    def embed(self, items: Iterable[tuple[Item, bytes]]) -> list[Row]:
        """What becomes of some items, in their order. A bad one is a FailureRow and stops none of the others."""
        given = [(item, self._prepare_any(item, data)) for item, data in items]
        prepared = [each for _, each in given if isinstance(each, PreparedImage)]
        vectors = self.encode(prepared)
        labels = self.label(vectors)
        made = iter(zip(vectors, is_vector(vectors).tolist(), labels, strict=True))
        return [
            FailureRow(item, each.reason, each.stage, each.content_hash)
            if isinstance(each, Unusable)
            else _row(item, each, *next(made))
            for item, each in given
        ]

    def finish(self, item: Item, image: PreparedImage) -> Row:
        """One prepared image as its row."""
        vectors = self.encode([image])
        return _row(item, image, vectors[0], bool(is_vector(vectors)[0]), self.label(vectors)[0])

    def _prepare_any(self, item: Item, data: bytes) -> PreparedImage | Unusable:
        """The engine notes which file killed it and goes on; other hosts would lose the whole batch to one image."""
        try:
            return self.prepare(data, item.uri, mtime_ns=item.mtime_ns)
        except Exception as error:  # noqa: BLE001 - decoders raise anything
            return Unusable(f"it cannot be decoded ({type(error).__name__})", "decode", content_hash(data))


def encoder_of(model: Model, *, threads: int = 1, runtime: Runtime = ANYWHERE) -> ImageEncoder | NoEncoder:
    """What encodes for a model, if anything does. Raises MissingError where its files are not the recorded ones."""
    return NoEncoder(model) if model.vectors_only else ImageEncoder(model, threads=threads, runtime=runtime)


def maker_of(model: Model, vocabulary_key: str, *, worker: int = 0) -> Maker:
    """What a shard says that holds vectors of this model, labelled with this vocabulary. worker: 0 for an export."""
    spec = asdict(model.image.preprocessing)
    return Maker(model.id, model.name, model.image.file.sha256, model.dim, spec, worker, vocabulary_key)


def is_vector(vectors: Floats) -> NDArray[np.bool_]:
    """(n,) whether each of (n, dim) is a vector at all: encoders give length one, and what is no number is not more."""
    with np.errstate(all="ignore"):
        whole: NDArray[np.bool_] = np.linalg.norm(vectors, axis=1) > 0.5
    return whole


def _row(item: Item, image: PreparedImage, vector: Floats, whole: bool, labels: tuple[Label, ...]) -> Row:
    if not whole:
        return FailureRow(item, NO_VECTOR, "encode", image.content_hash)
    return ImageRow(
        item,
        image.content_hash,
        image.width_px,
        image.height_px,
        vector.astype(np.float16),
        image.tiles,
        image.metadata,
        labels,
        image.incomplete,
    )
