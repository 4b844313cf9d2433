"""`index --engine ray` on one node: the vectors of the local engine, nothing sent twice, mistakes in one line.

Two nodes, one of which dies, and a head that dies: `scripts/campaign ray`.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from atlas_rt.commands.shard_folder import ShardFolder
from atlas_rt.distributed.image_worker import ImageWorker
from atlas_rt.distributed.ray_actor import DEADLY, RayActor, columns_of
from atlas_rt.distributed.ray_job import RayJob
from atlas_rt.encoders import registry
from atlas_rt.errors import MissingError
from atlas_rt.library.cache_layout import place_of
from atlas_rt.library.file_content import content_hash
from atlas_rt.library.store import StoreReader
from atlas_rt.library.tables.remembered_shards import ShardShelf
from atlas_rt.library.tables.rows import ImageRow, Item
from atlas_rt.library.tables.shard_file import ShardFile
from atlas_rt.library.vectors import read_vector
from atlas_rt.settings import Settings
from tests.commands.person import Person
from tests.libraries import PICTURES, copy_pictures
from tests.s3_server import S3Server

IMAGES = 60


class Table:
    """What Ray gives an actor, as far as it is used."""

    def __init__(self, items: list[Item]) -> None:
        self._items = items

    def to_pylist(self) -> list[dict[str, object]]:
        return [columns_of(item) for item in self._items]


@pytest.fixture
def job(person: Person, tmp_path: Path) -> RayJob:
    """Three files, of which one is none and one is not there."""
    (source,) = copy_pictures(PICTURES[:1], tmp_path / "few").iterdir()
    (tmp_path / "few" / "bad.png").write_text("no picture")
    names = [str(source), str(tmp_path / "few" / "bad.png"), str(tmp_path / "few" / "go\udcffne.jpg")]
    model = registry.load("starter", person.cache)
    return RayJob(tuple(Item(name, 10, 5) for name in names), "starter", model.id, person.cache)


def rows_of(made: dict[str, object], tmp_path: Path) -> list[object]:
    (data,) = made["shard"]  # type: ignore[misc]
    (tmp_path / "made.parquet").write_bytes(data)
    with ShardFile(tmp_path / "made.parquet") as shard:
        return list(shard.group(0))


def test_an_actor_makes_a_shard_of_what_it_reads(job: RayJob, tmp_path: Path) -> None:
    actor = RayActor(job)
    made = actor(Table(list(job.items)))
    assert (made["images"], made["failures"]) == ([1], [2])
    image, bad, gone = rows_of(made, tmp_path)
    assert isinstance(image, ImageRow)
    assert (bad.stage, gone.stage, gone.item) == ("decode", "read", job.items[2])  # type: ignore[attr-defined]


def test_an_actor_reads_a_bucket(job: RayJob, s3: S3Server, tmp_path: Path) -> None:
    """An object that has changed since it was listed is no failure for good: the library's engine reads it itself."""
    data = PICTURES[0].read_bytes()
    bucket = s3.bucket(objects={"a key//x.webp": data, "b.webp": data})
    etag = s3.client.head_object(Bucket=bucket, Key="b.webp")["ETag"].strip('"')
    items = [
        Item(f"s3://{bucket}/a key//x.webp", len(data), 0, etag),
        Item(f"s3://{bucket}/b.webp", len(data), 0, "another"),
        Item(f"s3://{bucket}/none.webp", len(data), 0, etag),
    ]
    image, changed, gone = rows_of(RayActor(replace(job, s3=s3.options))(Table(items)), tmp_path)
    assert isinstance(image, ImageRow)
    assert image.content_hash == content_hash(data)
    assert (changed.stage, gone.stage) == ("read", "read")  # type: ignore[attr-defined]


def test_shards_are_kept_in_a_bucket_and_found_there(job: RayJob, s3: S3Server, tmp_path: Path) -> None:
    bucket = s3.bucket(objects={"kept/foreign.parquet": b"no shard"})
    kept = ShardFolder(Settings(endpoint_url=s3.url), f"s3://{bucket}/kept")
    (shard,) = RayActor(job)(Table(list(job.items)))["shard"]
    kept.keep(shard)
    kept.keep(shard)
    assert len(s3.client.list_objects_v2(Bucket=bucket)["Contents"]) == 2
    kept.give_to(ShardShelf(tmp_path, listed=False), model_id=job.model_id)
    (found,) = (tmp_path / "shards").iterdir()
    assert found.read_bytes() == shard


def test_what_kills_its_worker_twice_is_set_aside(job: RayJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    actor, items = RayActor(job), Table(list(job.items))
    monkeypatch.setattr(ImageWorker, "embed", lambda *_: (_ for _ in ()).throw(SystemExit))  # as if it died
    for _ in range(2):
        with pytest.raises(SystemExit):
            actor(items)
    rows = rows_of(RayActor(job)(items), tmp_path)
    assert {(row.reason, row.stage) for row in rows} == {(DEADLY, "read")}  # type: ignore[attr-defined]


def test_a_machine_with_another_model_says_so(job: RayJob) -> None:
    with pytest.raises(MissingError, match=r"a machine of the cluster has starter-.*, not another"):
        RayActor(RayJob(job.items, "starter", "another", job.cache))


@pytest.mark.slow
def test_sixty_images_on_one_node(person: Person, tmp_path: Path) -> None:
    """Whatever RAY_ADDRESS says; the second time nothing is sent."""
    source = copy_pictures(PICTURES[:IMAGES], tmp_path / "pictures")
    (source / "bad.png").write_text("no picture")
    words = ("index", source, "--engine", "ray", "--shards", tmp_path / "shards", "--json")
    first = person.run(*words, RAY_ADDRESS="127.0.0.1:1", ATLAS_RT_THREADS="2")
    report = first.document
    assert (report["images"], len(report["failed"])) == (IMAGES, 1)
    assert "Ray: 61 images for 2 workers" in first.err
    assert not {line for line in first.err.splitlines() if "INFO" in line or "WARNING" in line or "ray::" in line}
    shards = sorted((tmp_path / "shards").iterdir())
    assert len(shards) > 1
    worker = ImageWorker.open("starter", cache=person.cache, labels=False)
    place = place_of((str(source),), person.cache)
    with StoreReader.open(place.folder) as store:
        for each in list(store.stored_images(worker.model.id))[::10]:
            (row,) = worker.embed([(Item(each.path, each.size), Path(each.path).read_bytes())])
            assert isinstance(row, ImageRow)
            assert each.known.vector_row is not None
            stored = read_vector(place.folder / worker.model.id, each.known.vector_row, worker.model.dim)
            assert np.array_equal(stored, row.vector.astype(np.float32))
    again = person.run(*words)
    assert again.document["unchanged"] == IMAGES
    assert "workers" not in again.err
    assert sorted((tmp_path / "shards").iterdir()) == shards


def test_mistakes_end_in_one_line(person: Person, folder: Path) -> None:
    expected = {
        ("--engine", "spark"): (2, "--engine must be local or ray"),
        ("--address", "auto"): (2, "need --engine ray"),
    }
    for words, (code, sentence) in expected.items():
        told = person.ask("index", folder, *words)
        assert (told.code, sentence in told.refusal) == (code, True)


def test_a_cluster_that_is_not_there(person: Person, folder: Path) -> None:
    told = person.run("index", folder, "--engine", "ray", "--address", "127.0.0.1:1")
    assert told.code == 3
    assert "The Ray cluster at 127.0.0.1:1 " in told.refusal
    assert told.refusal.count("\n") == 0


def test_a_library_that_lists_shards_keeps_their_model(
    person: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What "auto" means would embed for nobody; of vectors alone there is nothing to embed with."""
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    theirs = pa.table({"path": ["a.jpg", "b.jpg"], "vector": [[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]]})
    pq.write_table(theirs.replace_schema_metadata({"model": "Their Net"}), inbox / "theirs.parquet")
    assert person.ask("import", inbox, "--json").document["imported"] == 2
    copy_pictures(PICTURES[:1], inbox)
    asked: list[RayJob] = []
    monkeypatch.setattr("atlas_rt.commands.ray_indexing.RayRun", asked.append)
    told = person.ask("index", inbox, "--engine", "ray", "--json").document
    assert (told["images"], asked) == (2, [])
