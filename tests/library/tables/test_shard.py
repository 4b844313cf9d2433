"""Shards on disk: written whole, equal bytes for equal rows, refused or survived when they are read."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from atlas_rt.core.metadata import Metadata
from atlas_rt.distributed.foreign_rows import plain_card
from atlas_rt.errors import MissingError, UsageError
from atlas_rt.library.changes import Todo
from atlas_rt.library.file_content import content_hash
from atlas_rt.library.metadata.file_metadata import FileMetadata
from atlas_rt.library.tables.metadata_text import metadata_of, text_of
from atlas_rt.library.tables.remembered_shards import RememberedShards, ShardShelf
from atlas_rt.library.tables.rows import FailureRow, ImageRow, Item, Row
from atlas_rt.library.tables.shard import FORMAT, KEY, ROW_GROUP, Maker, shard_bytes, write_shard
from atlas_rt.library.tables.shard_file import ShardFile
from atlas_rt.library.tables.table_files import contents_of

DIM = 8
MAKER = Maker("model-0123", "model", "ab" * 32, DIM, {"size_px": 224}, 1, "words")
TOLD = Metadata(taken="2023-06-04", taken_secs=1.5e9, iso=200, latitude=-33.5, keywords=("a", "ü"), title="“x”")


def image(number: int, uri: str = "", **changes: object) -> ImageRow:
    """The row of an image that nobody painted."""
    vector = np.random.default_rng(number).normal(size=DIM)
    row = ImageRow(
        Item(uri or f"s3://bucket/a key//{number}.jpg", 100 + number, 7, f"etag{number}"),
        content_hash(number.to_bytes(4, "little")),
        640,
        480,
        (vector / np.linalg.norm(vector)).astype(np.float16),
        replace(plain_card(), aspect=4 / 3, mean_rgb=(1, 2, number % 256)),
        FileMetadata(TOLD),
        (("dog", 0.75), ("cat", 0.125)),
        "the lower half is missing",
    )
    return replace(row, **changes)  # type: ignore[arg-type]


def written(path: Path, rows: list[Row], maker: Maker = MAKER) -> Path:
    write_shard(path, rows, maker)
    return path


def read(path: Path) -> list[Row | None]:
    with ShardFile(path) as shard:
        return [row for group in range(shard.groups) for row in shard.group(group)]


def same(one: Row | None, other: Row | None) -> bool:
    if not isinstance(one, ImageRow) or not isinstance(other, ImageRow):
        return one == other
    arrays = np.array_equal(one.vector, other.vector) and np.array_equal(one.tiles.small, other.tiles.small)
    names = ("item", "content_hash", "width_px", "height_px", "metadata", "labels", "incomplete")
    tiles = all(getattr(one.tiles, name) == getattr(other.tiles, name) for name in ("medium", "mean_rgb", "aspect"))
    return arrays and tiles and all(getattr(one, name) == getattr(other, name) for name in names)


def test_what_is_written_is_read_to_the_bit(tmp_path: Path) -> None:
    """More rows than one group, keys of any kind, a name that is no text, and failures among them."""
    odd = ["s3://b/../x", "s3://b//", "s3://b/new\nline.png", "/home/\udcff.jpg", "s3://b/" + "k" * 1000]
    rows: list[Row] = [image(number) for number in range(ROW_GROUP + 20)]
    rows += [image(1000 + number, uri) for number, uri in enumerate(odd)]
    rows.insert(5, FailureRow(Item("s3://b/no", 3), "it is no picture", "decode", content_hash(b"no")))
    path = written(tmp_path / "a.parquet", rows)
    assert all(same(one, other) for one, other in zip(rows, read(path), strict=True))
    assert shard_bytes(rows, MAKER) == path.read_bytes()
    assert list(tmp_path.iterdir()) == [path]
    with ShardFile(path) as shard:
        assert [row.item.uri for row in shard.index()] == [row.item.uri for row in rows]
        assert (shard.maker.model, shard.maker.vocabulary, shard.rows) == ("model-0123", "words", len(rows))


def test_other_programs_read_it(tmp_path: Path) -> None:
    table = pq.read_table(written(tmp_path / "a.parquet", [image(0), FailureRow(Item("b", 1), "why", "read")]))
    assert table.schema.field("vector").type == pa.list_(pa.float16(), DIM)
    assert table["failure"].to_pylist() == [None, "why"]
    assert table["vector"].is_valid().to_pylist() == [True, False]
    assert table["labels"].to_pylist()[0][0] == {"word": "dog", "confidence": 0.75}
    assert json.loads(table["metadata"].to_pylist()[0])["keywords"] == ["a", "ü"]
    assert json.loads(table.schema.metadata[KEY])["model_hash"] == "ab" * 32


def test_a_failed_write_leaves_nothing_and_the_old_one(tmp_path: Path) -> None:
    path = written(tmp_path / "a.parquet", [image(0)])
    before = path.read_bytes()

    def rows() -> object:
        yield image(1)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_shard(path, rows(), MAKER)  # type: ignore[arg-type]
    assert (list(tmp_path.iterdir()), path.read_bytes()) == ([path], before)


def test_what_is_no_shard_is_refused_with_one_sentence(tmp_path: Path) -> None:
    whole = written(tmp_path / "a.parquet", [image(0)])
    cut, text, empty, foreign, newer, senseless = (tmp_path / f"{name}.parquet" for name in "bcdefg")
    cut.write_bytes(whole.read_bytes()[:-100])
    text.write_text("no table at all")
    empty.write_bytes(b"")
    pq.write_table(pa.table({"x": [1]}), foreign)
    written(newer, [image(0)], replace(MAKER, format=FORMAT + 1))
    pq.write_table(pa.table({"x": [1]}).replace_schema_metadata({KEY: b"[]"}), senseless)
    expected = {
        cut: "no whole Parquet file",
        text: "no whole Parquet file",
        empty: "is empty",
        foreign: "is no shard of atlas_rt",
        newer: f"newer version (its format is {FORMAT + 1}, this version reads up to {FORMAT})",
        senseless: "cannot be read",
        tmp_path / "none.parquet": "There is no such file",
    }
    for path, words in expected.items():
        with pytest.raises(UsageError) as caught:
            ShardFile(path)
        assert words in str(caught.value)
        assert str(caught.value).endswith(str(path))


def test_bad_rows_are_survived_one_by_one(tmp_path: Path) -> None:
    tiles = plain_card()
    bad = [
        image(1, vector=np.full(DIM, np.nan, np.float16)),
        image(2, vector=np.zeros(DIM, np.float16)),
        image(3, tiles=replace(tiles, medium=b"no JPEG")),
        image(4, tiles=replace(tiles, small=tiles.small[:10])),
        image(5, content_hash=b"short"),
        image(6, width_px=0),
        image(7, tiles=replace(tiles, aspect=float("nan"))),
    ]
    path = written(tmp_path / "a.parquet", [image(0), *bad, image(8)])
    assert [row is not None for row in read(path)] == [True, *[False] * len(bad), True]
    contents = contents_of(path)
    assert (len(contents.hashes), contents.unusable, contents.failures) == (2, len(bad), 0)


def test_a_shard_with_other_columns_is_refused(tmp_path: Path) -> None:
    """As another program may rewrite it, and as flipped bits leave it; a remembered one must not end the engine."""
    whole = pq.read_table(written(tmp_path / "a.parquet", [image(0), image(1)]))
    at = whole.column_names.index
    broken = pa.StringArray.from_buffers(2, pa.py_buffer(np.arange(3, dtype=np.int32)), pa.py_buffer(b"\xff\xff"))
    expected = {
        "has no column vector": whole.drop_columns(["vector"]),
        "The column uri of this shard is int64, not string": whole.set_column(at("uri"), "uri", pa.array([1, 2])),
        "The column vector of this shard is": whole.set_column(at("vector"), "vector", pa.array([[1.0], [2.0]])),
        "damaged": whole.set_column(at("uri"), "uri", broken),
    }
    for words, table in expected.items():
        pq.write_table(table, tmp_path / "b.parquet")
        with pytest.raises(UsageError, match=words):
            contents_of(tmp_path / "b.parquet")
    pq.write_table(whole.drop_columns(["position", "stage", "labels"]), tmp_path / "c.parquet")
    assert len(contents_of(tmp_path / "c.parquet").hashes) == 2, "these columns may be missing"
    said = json.loads(whole.schema.metadata[KEY]) | {"dim": 10**12}
    pq.write_table(whole.replace_schema_metadata({KEY: json.dumps(said).encode()}), tmp_path / "d.parquet")
    with pytest.raises(UsageError, match="makes no sense"):
        ShardFile(tmp_path / "d.parquet")


def test_pyarrow_is_missed_with_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingError, match=r"pip install atlas_rt\[parquet\]"):
        write_shard(tmp_path / "a.parquet", [], MAKER)


def test_metadata_as_text_is_stable_and_forgiving() -> None:
    assert metadata_of(text_of(TOLD)) == TOLD
    assert text_of(metadata_of(text_of(TOLD))) == text_of(TOLD)
    assert metadata_of('{"title": "x", "of a newer version": 1}') == Metadata(title="x")
    senseless = ('{"iso": 1e999}', '{"iso": 99999999999999999999}', '{"latitude": NaN}', '{"title": "\\ud800"}')
    for wrong in (
        "[]",
        '{"iso": "many"}',
        '{"title": 1}',
        "no",
        '{"rating": 99}',
        '{"keywords": ["\\ud800"]}',
        *senseless,
    ):
        with pytest.raises(ValueError, match=r"."):
            metadata_of(wrong)


def todo(item: Item) -> Todo:
    return Todo(1, item.uri, item.size, item.mtime_ns, "new", item.etag)


def test_a_library_remembers_shards_and_the_last_row_of_an_address_counts(tmp_path: Path) -> None:
    first, again = image(1, "s3://b/same"), image(2, "s3://b/same", item=Item("s3://b/same", 101, 7, "etag1"))
    first = replace(first, item=again.item)
    gone = FailureRow(Item("s3://b/cut", 5, 0, "e"), "the connection was cut", "read")
    broken = FailureRow(Item("s3://b/broken", 5, 0, "e"), "it is no picture", "decode")
    one = written(tmp_path / "1.parquet", [first, image(3), gone, broken])
    two = written(tmp_path / "2.parquet", [image(9, vector=np.zeros(DIM, np.float16)), again])
    other = written(tmp_path / "3.parquet", [image(4)], replace(MAKER, model="another"))
    (tmp_path / "library").mkdir()
    shelf = ShardShelf(tmp_path / "library", listed=False)
    assert [shelf.put(path) for path in (one, two, other)] == [True] * 3
    assert not ShardShelf(tmp_path / "library", listed=False).put(one)
    with RememberedShards(tmp_path / "library", model_id=MAKER.model, dim=MAKER.dim, vocabulary_key="words") as shards:
        assert same(shards.find_item(todo(again.item)), again)
        later = replace(again.item, mtime_ns=99)  # an object's date is not always told
        assert same(shards.find_item(todo(later)), again)
        assert shards.find_item(todo(replace(again.item, etag="changed"))) is None
        assert same(shards.find_content(first.content_hash), first)
        assert shards.find_content(image(9).content_hash) is None, "its vector is none"
        assert shards.find_content(image(4).content_hash) is None, "another model's"
        assert shards.find_item(todo(broken.item)) == broken
        assert shards.find_item(todo(gone.item)) is None, "it may be read now"
        assert (shards.listed(), shards.remarks, shards.appeared()) == ({}, [], False)
        ShardShelf(tmp_path / "library", listed=True).put(written(tmp_path / "4.parquet", [image(5)]))
        assert shards.appeared()
        shards.refresh()
        assert list(shards.listed()) == [image(5).item.uri]
    with RememberedShards(
        tmp_path / "library", model_id=MAKER.model, dim=MAKER.dim, vocabulary_key="other words"
    ) as shards:
        assert shards.find_content(first.content_hash) == replace(
            shards.find_content(first.content_hash) or first, labels=()
        )


def test_a_remembered_shard_that_is_damaged_is_passed_over_and_told(tmp_path: Path) -> None:
    ShardShelf(tmp_path, listed=False).put(written(tmp_path / "1.parquet", [image(1)]))
    (kept,) = (tmp_path / "shards").glob("*.parquet")
    kept.write_bytes(kept.read_bytes()[:200])
    with RememberedShards(tmp_path, model_id=MAKER.model, dim=MAKER.dim) as shards:
        assert shards.find_content(image(1).content_hash) is None
        assert len(shards.remarks) == 1


def test_vectors_of_other_length_do_not_count_under_the_same_name(tmp_path: Path) -> None:
    ShardShelf(tmp_path, listed=False).put(written(tmp_path / "1.parquet", [image(1)]))
    with RememberedShards(tmp_path, model_id=MAKER.model, dim=MAKER.dim + 1) as shards:
        assert shards.find_content(image(1).content_hash) is None
