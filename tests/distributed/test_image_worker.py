"""The worker alone: what its import loads, where it runs, and that it gives what the engine stores."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from atlas_rt.distributed.image_worker import ImageWorker
from atlas_rt.library.file_content import content_hash
from atlas_rt.library.store import StoreReader
from atlas_rt.library.tables.rows import FailureRow, ImageRow, Item
from atlas_rt.library.tile_files import read_tiles
from atlas_rt.library.vectors import read_vector
from tests.libraries import PICTURES, ROOT, Library

HEAVY = ("sqlite3", "faiss", "umap", "numba", "pyglet", "moderngl", "cv2", "multiprocessing", "watchdog", "pyarrow")


def items_of(paths: list[Path]) -> list[tuple[Item, bytes]]:
    return [(Item(str(path), path.stat().st_size, path.stat().st_mtime_ns), path.read_bytes()) for path in paths]


def test_its_import_is_lean_and_it_runs_without_a_home_or_a_disk_to_write_on(tmp_path: Path) -> None:
    """As Lambda has it: HOME is not there, nothing can be written, no process is started."""
    code = f"""
import sys
from pathlib import Path
from atlas_rt.distributed.image_worker import ImageWorker
from atlas_rt.library.tables.rows import Item
worker = ImageWorker.open("starter", cache=Path("/proc/no/cache"), labels=False)
data = Path({str(PICTURES[0])!r}).read_bytes()
row, = worker.embed([(Item("s3://bucket/a key", len(data)), data)])
print(row.vector.shape, row.item.uri, *[name for name in {HEAVY!r} if name in sys.modules],
    *[name for name in sys.modules if name.startswith(("atlas_rt.engine", "atlas_rt.window", "atlas_rt.workers"))])
"""
    kept = {name: value for name, value in os.environ.items() if name not in {"HOME", "XDG_CACHE_HOME"}}
    environment = kept | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment, cwd=tmp_path
    )
    assert (done.stdout, done.stderr) == ("(396,) s3://bucket/a key\n", "")


@pytest.fixture(scope="module")
def worker(indexed: Library) -> ImageWorker:
    return ImageWorker.open("starter", cache=indexed.cache)


def test_it_gives_what_the_engine_stores(worker: ImageWorker, indexed: Library) -> None:
    """Vectors, tiles, metadata to the bit. Confidences nearly: their last bits know how many are labelled at once."""
    paths = sorted(indexed.source.glob("*.webp"))[:20]
    rows = worker.embed(items_of(paths))
    with StoreReader.open(indexed.place.folder) as store:
        for path, row in zip(paths, rows, strict=True):
            assert isinstance(row, ImageRow)
            known = store.known(content_hash(path.read_bytes()), worker.model.id)
            assert known is not None
            assert known.vector_row is not None
            stored = read_vector(indexed.model_folder, known.vector_row, worker.model.dim)
            assert np.array_equal(row.vector, stored.astype(np.float16))
            tiles = read_tiles(indexed.place.folder, known.tile, mean_rgb=known.mean_rgb, aspect=known.aspect)
            assert np.array_equal(row.tiles.small, tiles.small)
            assert (row.tiles.medium, row.tiles.mean_rgb) == (tiles.medium, tiles.mean_rgb)
            assert (row.width_px, row.height_px) == (known.width_px, known.height_px)
            words = store.labels(known.id, worker.model.id)
            assert [word for word, _ in row.labels] == [word for word, _ in words]
            assert [share for _, share in row.labels] == pytest.approx([share for _, share in words], rel=1e-5)
            assert row.metadata.metadata == store.metadata_of(np.array([known.id]))[known.id]


def test_a_bad_item_stops_none_of_the_others(worker: ImageWorker) -> None:
    good = items_of([PICTURES[3]])[0]
    given = [(Item("a.png", 0), b""), good, (Item("b.jpg", 4), b"none"), (Item("c.jpg", 9), good[1][:60]), good]
    rows = worker.embed(given)
    assert [type(row) for row in rows] == [FailureRow, ImageRow, FailureRow, FailureRow, ImageRow]
    assert isinstance(rows[0], FailureRow)
    assert (rows[0].reason, rows[0].stage) == ("the file is empty", "decode")
    assert rows[0].content_hash == content_hash(b"")


def test_a_vector_that_is_none_is_a_failure(worker: ImageWorker, monkeypatch: pytest.MonkeyPatch) -> None:
    """An encoder that gives no numbers, as some do in half precision."""
    nothing = lambda pixels: np.full((len(pixels), 396), np.nan, np.float32)  # noqa: E731
    monkeypatch.setattr(worker.encoder, "encode", nothing)
    (row,) = worker.embed(items_of([PICTURES[0]]))
    assert isinstance(row, FailureRow)
    assert (row.reason, row.stage) == ("the encoder gave no vector", "encode")
