"""What was embedded elsewhere comes in: shards there and back, into a library, tables of other programs."""

from __future__ import annotations

import csv
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from atlas_rt.encoders import registry
from atlas_rt.library import maps
from atlas_rt.library.cache_layout import Lock, place_of
from atlas_rt.library.file_content import content_hash
from atlas_rt.library.store import StoreReader
from atlas_rt.library.tables.rows import ImageRow, Item
from atlas_rt.library.tables.shard import Maker, write_shard
from atlas_rt.library.tables.shard_file import ShardFile
from atlas_rt.library.vectors import read_vector
from tests.commands.person import Person
from tests.libraries import PICTURES, Library, copy_pictures
from tests.s3_server import S3Server


@pytest.fixture(scope="module")
def shard(library: Library, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library of all tests as a shard."""
    path = tmp_path_factory.mktemp("shard") / "all.parquet"
    person = Person(path.parent, library.cache)
    assert person.run("export", library.source, "-o", path, "--no-update").code == 0
    return path


def rows_in(shard: Path) -> tuple[list[ImageRow], Maker]:
    with ShardFile(shard) as file:
        rows = [row for group in range(file.groups) for row in file.group(group)]
        return [row for row in rows if isinstance(row, ImageRow)], file.maker


def vectors_of(person: Person, source: Path) -> dict[str, np.ndarray]:
    """File name -> vector."""
    model, place = registry.load("starter", person.cache), place_of((str(source),), person.cache)
    with StoreReader.open(place.folder) as store:
        return {
            Path(each.path).name: read_vector(place.folder / model.id, each.known.vector_row, model.dim)
            for each in store.stored_images(model.id)
            if each.known.vector_row is not None
        }


def swapped(shard: Path, folder: Path, target: Path) -> Path:
    """A shard of these files that gives each the vector of another: so one sees that nothing was encoded."""
    rows, maker = rows_in(shard)
    hashes = [content_hash(path.read_bytes()) for path in sorted(folder.iterdir())]
    some = [row for row in rows if row.content_hash in hashes]
    others = [replace(row, vector=other.vector) for row, other in zip(some, some[1:] + some[:1], strict=True)]
    write_shard(target, others, maker)
    return target


def test_there_and_back_is_equal_to_the_byte(person: Person, shard: Path, library: Library) -> None:
    """Vectors, tiles, labels, metadata, positions; the files are not read, the map stays as it is."""
    told = person.ask("import", shard, "--map", "--json").document
    assert (told["imported"], told["known"], told["failed"], told["unusable"]) == (138, 0, 0, 0)
    assert person.ask("export", shard, "--no-update", "-o", "back.parquet").code == 0
    assert (person.here / "back.parquet").read_bytes() == shard.read_bytes()
    place = place_of((str(shard),), person.cache)
    map_ = maps.read_latest(place.folder / library.model.id)
    assert map_ is not None
    assert np.array_equal(map_.positions, library.map.positions)
    assert len(map_.cluster_records) > 1, "clusters are found in them again"
    again = person.ask("import", shard, "--json").document
    assert (again["imported"], again["known"], again["shards_known"]) == (0, 138, 1)
    assert again["report"]["generation"] == map_.generation


def test_a_librarys_own_images_are_taken_from_a_shard(
    person: Person, folder: Path, shard: Path, tmp_path: Path
) -> None:
    """Known by their content, wherever the shard's files lay; images that come later are taken too."""
    late = folder / PICTURES[0].name
    kept = shutil.copy(late, tmp_path / "kept")
    given = swapped(shard, folder, tmp_path / "some.parquet")
    expected = {Path(row.item.uri).name: row.vector for row in rows_in(given)[0]}
    assert len(expected) >= 3
    assert late.name in expected
    late.unlink()
    told = person.ask("import", given, "--into", folder, "--json").document
    assert (told["imported"], told["waiting"]) == (len(expected) - 1, 1)
    shutil.copy(kept, late)
    assert person.ask("index", folder, "--json").document["new"] == 1
    stored = vectors_of(person, folder)
    assert len(stored) == 6
    assert all(np.array_equal(stored[name], vector) for name, vector in expected.items())


def test_shards_that_cannot_be_used_stop_none_of_the_others(person: Person, shard: Path, tmp_path: Path) -> None:
    rows, maker = rows_in(shard)
    inbox = tmp_path / "inbox"
    (inbox / "deeper").mkdir(parents=True)
    write_shard(inbox / "deeper" / "good.parquet", rows[:6], maker)
    (inbox / "cut.parquet").write_bytes(shard.read_bytes()[:-9])
    write_shard(inbox / "other.parquet", rows[6:8], replace(maker, model="mobileclip-1234", model_name="mobileclip"))
    zero = replace(rows[9], vector=np.zeros_like(rows[9].vector))
    write_shard(inbox / "zero.parquet", [zero], maker)
    told = person.ask("import", inbox, "--json").document
    assert (told["imported"], told["unusable"], told["shards"]) == (6, 1, 2)
    reasons = {Path(each["path"]).name: each["reason"] for each in told["refused"]}
    assert "no whole Parquet file" in reasons["cut.parquet"]
    assert "mobileclip-1234" in reasons["other.parquet"]
    assert maker.model in reasons["other.parquet"]
    alone = person.ask("import", inbox / "other.parquet")
    assert (alone.code, alone.refusal.count("\n")) == (2, 0)
    assert "models get mobileclip" in alone.refusal


def test_a_library_that_another_process_has_open_is_handed_the_shards(
    person: Person, folder: Path, shard: Path, tmp_path: Path
) -> None:
    given = swapped(shard, folder, tmp_path / "some.parquet")
    place = place_of((str(folder),), person.cache)
    with Lock(place) as lock:
        assert lock.acquire()
        told = person.run("import", given, "--into", folder, "--json")
    assert (told.document["handed_over"], told.document["imported"]) == (True, 0)
    assert "handed over" in told.err
    person.ask("index", folder)
    stored = vectors_of(person, folder)
    assert all(np.array_equal(stored[Path(row.item.uri).name], row.vector) for row in rows_in(given)[0])


def test_a_table_of_another_program_with_positions(person: Person, folder: Path, tmp_path: Path) -> None:
    """Vectors of a named model, files of which one is gone, one row without a vector, a map in its own units."""
    paths = [*sorted(folder.iterdir()), tmp_path / "gone.jpg", tmp_path / "nothing.jpg"]
    vectors = np.random.default_rng(1).normal(size=(len(paths), 396)).astype(np.float32)
    vectors[-1] = np.nan
    places = np.random.default_rng(2).normal(size=(len(paths), 3)) * 40 + 100
    columns = {"file_name": list(map(str, paths)), "embedding": vectors.tolist(), "thumbnail": [b"x"] * len(paths)}
    table = tmp_path / "theirs.parquet"
    pq.write_table(pa.table(columns | dict(zip("xyz", places.T, strict=True))), table)
    unnamed = person.ask("import", table, "--into", folder)
    assert (unnamed.code, "--model starter" in unnamed.refusal) == (2, True)
    told = person.ask("import", table, "--map", "--model", "starter", "--json").document
    assert (told["imported"], told["failed"]) == (7, 1)
    assert [each["path"] for each in told["report"]["incomplete"]] == [str(tmp_path / "gone.jpg")]
    person.ask("export", table, "--no-update", "-o", "theirs.csv")
    with (person.here / "theirs.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["path"] for row in rows] == sorted(map(str, paths[:-1]))
    at = {str(path): place for path, place in zip(paths, places, strict=True)}
    ours = np.array([[float(row[axis]) for axis in "xyz"] for row in rows])
    theirs = np.array([at[row["path"]] for row in rows])
    ratio = np.linalg.norm(ours - ours.mean(0), axis=1) / np.linalg.norm(theirs - theirs.mean(0), axis=1)
    assert ratio == pytest.approx(np.full(7, ratio[0]), rel=1e-3), "moved and scaled as a whole"


def test_vectors_of_a_model_that_is_not_here(person: Person, folder: Path, tmp_path: Path) -> None:
    """Neighbours, but no search by words; there and back by a shard, into a cache that has never heard of them."""
    names = sorted(path.name for path in folder.iterdir())
    angles = np.linspace(0, 1, len(names))
    vectors = np.stack([np.cos(angles), np.sin(angles), 0 * angles], axis=1).astype(np.float32)
    table = folder.parent / "theirs.parquet"
    columns = pa.table({"path": [f"pictures/{name}" for name in names], "vector": vectors.tolist()})
    pq.write_table(columns.replace_schema_metadata({"model": "Their Net/2"}), table)
    told = person.ask("import", table, "--json")
    assert told.document["imported"] == 6
    assert "search by words is off" in told.err
    near = person.ask("neighbors", table, folder / names[0], "--no-update", "--json").document
    assert [Path(each["path"]).name for each in near["results"]] == names[1:]
    search = person.ask("search", table, "a dog", "--no-update")
    assert (search.code, "the model that made them is not here" in search.refusal) == (3, True)
    assert person.ask("export", table, "--no-update", "-o", "back.parquet").code == 0
    rows, maker = rows_in(person.here / "back.parquet")
    assert [np.array_equal(row.vector, vectors[i].astype(np.float16)) for i, row in enumerate(rows)] == [True] * 6
    assert maker.model.startswith("vectors-their-net-2-")
    other = Person(person.here, tmp_path / "other cache", person._capture)
    assert other.ask("import", "back.parquet", "--json").document["imported"] == 6
    assert other.ask("models", "list", "--json").code == 0


def test_numpy_and_csv_and_what_is_wrong_with_them(person: Person, folder: Path, tmp_path: Path) -> None:
    paths = [str(path) for path in sorted(folder.iterdir())]
    np.save(tmp_path / "v.npy", np.eye(6, 396, dtype=np.float64))
    (tmp_path / "v.txt").write_text("\n".join(paths))
    told = person.ask("import", tmp_path / "v.npy", "--model", "starter", "--json").document
    assert told["imported"] == 6
    np.save(tmp_path / "pickled.npy", np.array([{}], object), allow_pickle=True)
    (tmp_path / "pickled.txt").write_text("a")
    np.save(tmp_path / "alone.npy", np.eye(3))
    (tmp_path / "wrong.csv").write_text("name of it,x\na,1\n")
    (tmp_path / "empty.csv").write_text("path,x,y\n")
    (tmp_path / "none").mkdir()
    (tmp_path / "notes.txt").write_text("no table")
    expected = {
        "pickled.npy": "holds more than numbers",
        "alone.npy": "alone.txt",
        "wrong.csv": "A table needs a path and x, y, z",
        "empty.csv": "has no rows",
        "none": "There is no shard",
        "notes.txt": "cannot be imported",
        "nowhere.parquet": "There is no such file",
    }
    for name, words in expected.items():
        refused = person.ask("import", tmp_path / name)
        assert (refused.code, words in refused.refusal) == (2, True), refused.err


def test_a_table_with_positions_alone_is_embedded_here(person: Person, tmp_path: Path) -> None:
    folder = copy_pictures(PICTURES[:4], tmp_path / "few")
    lines = [
        f"{path.relative_to(tmp_path)},{number},{number * number}"
        for number, path in enumerate(sorted(folder.iterdir()))
    ]
    table = tmp_path / "places.csv"
    table.write_text("path,x,y\n" + "\n".join(lines))
    told = person.ask("import", table, "--map", "--json").document
    assert (told["imported"], told["report"]["images"]) == (4, 4)


def test_shards_and_images_that_lie_in_a_bucket(person: Person, shard: Path, s3: S3Server, tmp_path: Path) -> None:
    """Shards come from one prefix, the images of another are known by them: of those not one is fetched."""
    rows, maker = rows_in(shard)
    data = [Path(row.item.uri).read_bytes() for row in rows[:6]]
    keys = [f"pictures/a key//{number}.webp" for number in range(6)]
    bucket = s3.bucket(objects=dict(zip(keys, data, strict=True)))
    listed = s3.client.list_objects_v2(Bucket=bucket)["Contents"]
    etags = {each["Key"]: each["ETag"].strip('"') for each in listed}
    items = [Item(f"s3://{bucket}/{key}", len(each), 0, etags[key]) for key, each in zip(keys, data, strict=True)]
    given = [replace(row, item=item) for row, item in zip(rows, items, strict=False)]
    write_shard(tmp_path / "given.parquet", given, maker)
    s3.client.upload_file(str(tmp_path / "given.parquet"), bucket, "shards/0.parquet")
    where = ("--endpoint-url", s3.url)
    nothing = person.ask("import", f"s3://{bucket}/nowhere", *where)
    assert (nothing.code, "There is no shard" in nothing.refusal) == (2, True)
    s3.client.put_object(Bucket=bucket, Key="pictures/late.webp", Body=data[0])
    told = person.ask("import", f"s3://{bucket}/shards", "--into", f"s3://{bucket}/pictures", *where, "--json").document
    assert (told["imported"], told["report"]["images"], told["report"]["failed"]) == (6, 7, [])
    s3.client.delete_object(Bucket=bucket, Key="pictures/late.webp")
    alone = person.ask("import", f"s3://{bucket}/shards", *where, "--json").document
    assert (alone["imported"], alone["report"]["images"]) == (6, 6)


def test_a_shard_of_another_model_that_comes_first_takes_nothing_away(
    person: Person, shard: Path, tmp_path: Path
) -> None:
    """The library keeps the model of the images that it lists; vectors of two names are not mixed either."""
    rows, maker = rows_in(shard)
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    write_shard(inbox / "m.parquet", rows[:3], maker)
    assert person.ask("import", inbox, "--json").document["report"]["images"] == 3
    for name in ("Their Net", "Another Net"):
        theirs = pa.table({"path": [f"{name}.jpg"], "vector": [[1.0, 2.0, 3.0]]})
        pq.write_table(theirs.replace_schema_metadata({"model": name}), inbox / f"{name}.parquet")
    told = person.ask("import", inbox, "--json").document
    assert (told["report"]["images"], told["report"]["away"], len(told["refused"])) == (3, 0, 2)
    (inbox / "m.parquet").rename(tmp_path / "m.parquet")
    mixed = person.ask("import", inbox / "Their Net.parquet", inbox / "Another Net.parquet", "--json").document
    assert (mixed["imported"], [Path(each["path"]).stem for each in mixed["refused"]]) == (1, ["Another Net"])


def test_a_library_of_a_shard_moves_along_with_the_file(person: Person, shard: Path, tmp_path: Path) -> None:
    rows, maker = rows_in(shard)
    old, new = tmp_path / "old.parquet", tmp_path / "new.parquet"
    write_shard(old, rows[:3], maker)
    person.ask("import", old)
    old.rename(new)
    assert person.ask("library", "move", old, new, "--json").document["moved"] == [
        {"from": [str(old)], "to": [str(new)]}
    ]
    assert person.ask("index", new, "--json").document["images"] == 3
