"""What is known of every image, read from SQLite. This module, `store_writer`, `store_cleaner`,
`last_comparison`, `metadata.table`, `text_index` and `finding` hold all SQL of the program.

Vectors and tiles lie in flat files, and a record there counts only once a transaction names it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from atlas_rt.core.arrays import Ids, Ints
from atlas_rt.core.images import Absence, Catalogue, Failure
from atlas_rt.core.metadata import Metadata
from atlas_rt.core.rows import rows_of
from atlas_rt.library import places, readings
from atlas_rt.library.changes import FailedFile
from atlas_rt.library.database import Database, path_of
from atlas_rt.library.finding import Finder
from atlas_rt.library.metadata import table
from atlas_rt.library.text_index import TextIndex

CLEANING, DIM = "cleaning", "dimensions of {model}"
"""Settings: the note of a cleaning, and how long a model's vectors are."""

TOGETHER = 500
"""Values in one question; SQLite takes a thousand everywhere."""

LABELS = "labels of {model}"
"""Setting: the key of the vocabulary that a model's labels were made with."""
Labels = Sequence[tuple[str, float]]
"""(word, confidence 0..1), best first."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is stored of some content, for another file with the same bytes. vector_row: None without a vector."""

    id: int
    width_px: int
    height_px: int
    mean_rgb: tuple[int, int, int]
    aspect: float
    tile: int
    vector_row: int | None
    incomplete: str


@dataclass(frozen=True, slots=True)
class Content:
    """A file as it was when it was last read well. hash: of its content (`content_hash`)."""

    path: str
    size: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class StoredImage:
    """An image with all that is kept of it but metadata and labels. path, size, mtime_ns, etag: of its file."""

    path: str
    size: int
    mtime_ns: int
    etag: str
    hash: bytes
    known: Known


class StoreReader:
    """One connection to one library, for reading. Open it with `StoreReader.open`."""

    def __init__(self, database: Database) -> None:
        """texts: the index of words. finder: images by what is known of them."""
        self.database = database
        self.texts, self.finder = TextIndex(database), Finder(database)

    @classmethod
    def open(cls, folder: Path) -> Self:
        """The library in a folder; nothing is made.

        Raises MissingError: no library there, made by another version, damaged, or on a disk that is full.
        """
        return cls(Database.reading(folder))

    @classmethod
    def open_older(cls, folder: Path) -> StoreReader:
        """The same, or one that an older version made, for what all versions have (`known`, `contents`)."""
        return StoreReader(Database.reading(folder, older=True))

    def close(self) -> None:
        """End the connection."""
        self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def catalogue(self, model: str | None = None) -> Catalogue:
        """All images, or those with a vector of the model. 100,000: 0.3 s, most of it fetching rows."""
        columns = "SELECT id, path, aspect, rgb, tile, width, height"
        if model:
            # Led by the vectors, whose key is already in the order wanted: a third less than a test for each image.
            sql = f"""{columns} FROM vectors CROSS JOIN images ON id = image_id
                WHERE model = ? AND state = 'ready' ORDER BY image_id"""
            rows = self.database.rows(sql, (model,))
        else:
            rows = self.database.rows(f"{columns} FROM images WHERE state = 'ready' ORDER BY id")
        ids, paths, aspects, colours, tiles, widths, heights = zip(*rows, strict=True) if rows else [()] * 7
        missed = self.database.rows("SELECT id FROM images WHERE present = 0 AND state = 'ready'")
        rgb = np.array(colours, np.int32)
        return Catalogue(
            ids=np.array(ids, np.int64),
            paths=tuple(map(path_of, paths)),
            aspects=np.array(aspects, np.float32),
            mean_rgb=np.stack([rgb >> 16, rgb >> 8 & 255, rgb & 255], axis=-1).astype(np.uint8),
            tiles=np.array(tiles, np.int32),
            sizes_px=np.stack([np.array(widths, np.int32), np.array(heights, np.int32)], axis=-1),
            away=np.isin(np.array(ids, np.int64), np.array(missed, np.int64).ravel()),
        )

    def stored_images(self, model: str) -> Iterator[StoredImage]:
        """All that is kept of each image that is shown and has a vector of the model, by id."""
        sql = """SELECT path, size, mtime_ns, etag, hash, id, width, height, rgb, aspect, tile, row, incomplete
            FROM vectors CROSS JOIN images ON id = image_id
            WHERE model = ? AND state = 'ready' AND hash IS NOT NULL ORDER BY image_id"""
        for path, size, mtime_ns, etag, hash_, *known in self.database.each(sql, (model,)):
            id_, width, height, rgb, aspect, tile, row, missing = known
            stored = Known(id_, width, height, unpacked(rgb), aspect, tile, row, missing or "")
            yield StoredImage(path_of(path), size, mtime_ns, etag, hash_, stored)

    def vector_rows(self, model: str, ids: Ids) -> Ints:
        """(n,) int32 rows in the model's vector file for (n,) image ids; -1 for an image without one."""
        encoded, rows = self.encoded(model)
        at, known = rows_of(encoded, ids)
        result = np.full(len(ids), -1, np.int32)
        result[known] = rows[at[known]]
        return result

    def tile_records(self, ids: Ids) -> Ints:
        """(n,) int32 records of the tiles of (n,) images, away or not."""
        span = (int(ids.min()), int(ids.max())) if len(ids) else (0, -1)
        sql = "SELECT id, tile FROM images WHERE id BETWEEN ? AND ? AND tile IS NOT NULL ORDER BY id"
        stored = np.array(self.database.rows(sql, span), np.int64).reshape(-1, 2)
        records: Ints = stored[np.searchsorted(stored[:, 0], ids), 1].astype(np.int32)
        return records

    def encoded(self, model: str) -> tuple[Ids, Ints]:
        """Images with a vector of the model, away or not: (n,) ids ascending, (n,) int32 rows in its vector file."""
        sql = "SELECT image_id, row FROM vectors WHERE model = ? ORDER BY image_id"
        ids, rows = self.database.columns(sql, (model,), names=("image_id", "row"))
        return ids, rows.astype(np.int32)

    def encoded_images(self, model: str) -> int:
        """How many images have a vector of the model, away or not."""
        return self.database.number("SELECT count(*) FROM vectors WHERE model = ?", (model,))

    def encodable(self, model: str) -> tuple[int, int]:
        """How many images have a file to be encoded now, and how many of these the model has a vector of."""
        sql = """SELECT count(*), count(vectors.image_id) FROM images LEFT JOIN vectors ON image_id = id AND model = ?
            WHERE state = 'ready' AND present = 1"""
        ((images, encoded),) = self.database.rows(sql, (model,))
        return images, encoded

    def shown(self, model: str) -> Ids:
        """Ids of the images with a vector of the model that are shown, ascending."""
        sql = """SELECT image_id FROM vectors CROSS JOIN images ON id = image_id
            WHERE model = ? AND state = 'ready' ORDER BY image_id"""
        return self.database.columns(sql, (model,), names=("image_id",))[0]

    def hashes(self, model: str) -> frozenset[bytes]:
        """The contents that have a vector of the model."""
        sql = "SELECT hash FROM vectors CROSS JOIN images ON id = image_id WHERE model = ? AND hash IS NOT NULL"
        return frozenset(hash_ for (hash_,) in self.database.rows(sql, (model,)))

    def path_of(self, id_: int) -> str | None:
        """The path of any file that has an id, an image or not yet."""
        rows = self.database.rows("SELECT path FROM images WHERE id = ?", (id_,))
        return os.fsdecode(rows[0][0]) if rows else None

    def stamp_of(self, path: str) -> tuple[str, int]:
        """ETag and size in bytes of the image at a path; ("", -1) where there is none."""
        rows = self.database.rows("SELECT etag, size FROM images WHERE path = ?", (os.fsencode(path),))
        return (str(rows[0][0]), int(rows[0][1])) if rows else ("", -1)

    def paths_of(self, ids: Ids) -> tuple[str, ...]:
        """The paths of (n,) images, away or not."""
        span = (int(ids.min()), int(ids.max())) if len(ids) else (0, -1)
        paths = dict(self.database.rows("SELECT id, path FROM images WHERE id BETWEEN ? AND ?", span))
        return tuple(os.fsdecode(paths[id_]) for id_ in ids.tolist())

    def named_tiles(self) -> int:
        """Records of the tile files that count."""
        return self.database.number("SELECT max(tile) + 1 FROM images")

    def named_vectors(self, model: str) -> int:
        """Rows of the model's vector file that count."""
        return self.database.number("SELECT max(row) + 1 FROM vectors WHERE model = ?", (model,))

    def images(self) -> int:
        """How many images are shown."""
        return self.database.number("SELECT count(*) FROM images WHERE state = 'ready'")

    def away(self) -> int:
        """How many known images the last scan did not find, hidden or shown all the same."""
        return self.database.number("SELECT count(*) FROM images WHERE present = 0 AND state IN ('ready', 'away')")

    def away_ids(self) -> Ids:
        """Ids of the known images that the last scan did not find, ascending."""
        sql = "SELECT id FROM images WHERE present = 0 AND state IN ('ready', 'away') ORDER BY id"
        return np.array([id_ for (id_,) in self.database.rows(sql)], np.int64)

    def hidden_ids(self) -> Ids:
        """Ids of those that are not shown, ascending."""
        rows = self.database.rows("SELECT id FROM images WHERE present = 0 AND state = 'away' ORDER BY id")
        return np.array([id_ for (id_,) in rows], np.int64)

    @property
    def cleaning(self) -> str:
        """The note of a cleaning whose files are not all in their places yet, empty where there is none."""
        return self.setting(CLEANING) or ""

    def models(self) -> tuple[str, ...]:
        """The models that vectors are of."""
        return tuple(model for (model,) in self.database.rows("SELECT DISTINCT model FROM vectors ORDER BY model"))

    def dim_of(self, model: str) -> int:
        """The dimensions of a model's vectors, 0 where nobody noted them."""
        return int(self.setting(DIM.format(model=model)) or 0)

    def absences(self) -> tuple[Absence, ...]:
        """The absent sources and folders, by path."""
        rows = self.database.rows("SELECT path, state, images FROM absences ORDER BY path")
        return tuple(Absence(os.fsdecode(path), state, images) for path, state, images in rows)

    def known(self, hash_: bytes, model: str) -> Known | None:
        """What is stored of this content, whatever file it was in; one with a vector of the model comes first."""
        incomplete = "incomplete" if self.database.version > 1 else "NULL"  # version 0.1.0 had no such column
        sql = f"""SELECT id, width, height, rgb, aspect, tile, row, {incomplete}
            FROM images LEFT JOIN vectors ON image_id = id AND model = ?
            WHERE hash = ? ORDER BY row IS NULL, id LIMIT 1"""
        for id_, width, height, rgb, aspect, tile, row, missing in self.database.rows(sql, (model, hash_)):
            return Known(id_, width, height, unpacked(rgb), aspect, tile, row, missing or "")
        return None

    def labels(self, id_: int, model: str | None = None) -> tuple[tuple[str, float], ...]:
        """(word, confidence) of an image, best first; of every model where none is named."""
        where, values = ("AND model = ?", (id_, model)) if model else ("", (id_,))
        rows = self.database.rows(
            f"SELECT word, confidence FROM labels WHERE image_id = ? {where} ORDER BY confidence DESC, word", values
        )
        return tuple((word, confidence) for word, confidence in rows)

    def unlabelled(self, model: str) -> Ids:
        """Ids of images that have a vector of the model but no label from it."""
        sql = """SELECT image_id FROM vectors AS v WHERE model = ?
            AND NOT EXISTS (SELECT 1 FROM labels WHERE labels.image_id = v.image_id AND labels.model = v.model)
            ORDER BY image_id"""
        return np.array([id_ for (id_,) in self.database.rows(sql, (model,))], np.int64)

    def labelled(self, word: str, model: str, *, least: float = 0.0) -> Ids:
        """Ids of images that the model labelled with a word, in any case, with at least this confidence, shown or
        not."""
        sql = "SELECT image_id FROM labels WHERE word = ? AND confidence >= ? AND model = ?"
        return self.database.columns(sql, (word, least, model), names=("image_id",))[0]

    def label_counts(self, ids: Ids, model: str, *, least: float = 0.0) -> dict[str, int]:
        """Word -> how many of these images the model labelled with it. 10,000 images: 28 ms."""
        counts: dict[str, int] = {}
        for part in _parts(ids):
            wanted = ", ".join("?" * len(part))
            sql = f"""SELECT word, count(*) FROM labels
                WHERE image_id IN ({wanted}) AND model = ? AND confidence >= ? GROUP BY word"""
            for word, count in self.database.rows(sql, (*part, model, least)):
                counts[word] = counts.get(word, 0) + count
        return counts

    def changed_secs(self, ids: Ids) -> NDArray[np.int64]:
        """(k,) when the files of these images were last changed, seconds since 1970; ids that are gone are left out."""
        rows: list[tuple[int]] = []
        for part in _parts(ids):
            wanted = ", ".join("?" * len(part))
            rows += self.database.rows(f"SELECT mtime_ns FROM images WHERE id IN ({wanted})", part)
        return np.array(rows, np.int64).ravel() // 1_000_000_000

    def metadata_of(self, ids: Ids) -> dict[int, Metadata]:
        """What the files of these images tell of them, by id; images of which nothing was read yet are left out."""
        return {id_: metadata for part in _parts(ids) for id_, metadata in table.stored(self.database, part).items()}

    def place_names(self, ids: Ids) -> dict[int, str]:
        """Where images were taken, in words, by id; images without GPS, or far from every place, are left out."""
        return {id_: name for part in _parts(ids) for id_, name in places.place_names(self.database, part).items()}

    def city_names(self, ids: Ids) -> dict[int, str]:
        """The same by larger places: what `near:` is completed with, and images can be counted by."""
        return {id_: name for part in _parts(ids) for id_, name in places.city_names(self.database, part).items()}

    def text_in(self, id_: int) -> str:
        """The text that stands in an image, empty where there is none or nobody has read it yet."""
        return readings.text_in(self.database, id_)

    def label_words(self, model: str, *, least: float = 0.0) -> tuple[str, ...]:
        """The words that the model labelled images with, in the order of the alphabet."""
        sql = "SELECT DISTINCT word FROM labels WHERE model = ? AND confidence >= ? ORDER BY word"
        return tuple(word for (word,) in self.database.rows(sql, (model, least)))

    def failures(self) -> tuple[Failure, ...]:
        """Every file that could not become an image, by path."""
        return tuple(Failure(row.path, row.reason) for row in self.failed_files())

    def incomplete(self) -> tuple[Failure, ...]:
        """The images of which something is missing, by path, and what."""
        sql = "SELECT path, incomplete FROM images WHERE incomplete IS NOT NULL AND state = 'ready' ORDER BY path"
        return tuple(Failure(os.fsdecode(path), reason) for path, reason in self.database.rows(sql))

    def setting(self, key: str) -> str | None:
        """A remembered value."""
        rows = self.database.rows("SELECT value FROM settings WHERE key = ?", (key,))
        return str(rows[0][0]) if rows else None

    def extras(self) -> tuple[str, ...]:
        """Files and folders outside the source that belong to the library, by path."""
        return tuple(os.fsdecode(path) for (path,) in self.database.rows("SELECT path FROM extras ORDER BY path"))

    def suspects(self) -> dict[str, int]:
        """Path -> crashes of files the engine died on."""
        return {
            os.fsdecode(path): crashes for path, crashes in self.database.rows("SELECT path, crashes FROM suspects")
        }

    def contents(self) -> list[Content]:
        """Every file that was read well: those in the library, or all that ever were where it has none now."""
        sql = "SELECT path, size, hash FROM images WHERE hash IS NOT NULL"
        rows = self.database.rows(f"{sql} AND state = 'ready'") or self.database.rows(sql)
        return [Content(os.fsdecode(path), size, hash_) for path, size, hash_ in rows]

    def content_hashes(self, ids: Iterable[int]) -> frozenset[bytes]:
        """What these images hold."""
        sql = "SELECT hash FROM images WHERE id = ? AND hash IS NOT NULL"
        return frozenset(hash_ for id_ in ids for (hash_,) in self.database.rows(sql, (id_,)))

    def ids_with(self, hashes: Sequence[bytes]) -> dict[bytes, int]:
        """Content -> an image of the library that holds it, the oldest; what no image holds is left out."""
        found: dict[bytes, int] = {}
        for start in range(0, len(hashes), TOGETHER):
            part = hashes[start : start + TOGETHER]
            wanted = ", ".join("?" * len(part))
            sql = f"SELECT hash, min(id) FROM images WHERE hash IN ({wanted}) AND state = 'ready' GROUP BY hash"
            found |= self.database.rows(sql, part)
        return found

    def failed_files(self) -> list[FailedFile]:
        """The same as they were when they failed."""
        rows = self.database.rows("SELECT path, size, mtime_ns, reason, stage, etag FROM failures ORDER BY path")
        return [FailedFile(os.fsdecode(path), *rest) for path, *rest in rows]


def unpacked(rgb: int) -> tuple[int, int, int]:
    """A colour 0xRRGGBB as three bytes."""
    return (rgb >> 16, rgb >> 8 & 255, rgb & 255)


def _parts(ids: Ids) -> Iterator[list[int]]:
    """Ids in as many values as one question takes."""
    for start in range(0, len(ids), TOGETHER):
        yield ids[start : start + TOGETHER].tolist()
