"""Tables of other programs: their columns are recognised, and what is damaged is refused with a sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from atlas_rt.errors import UsageError
from atlas_rt.library.tables.foreign_table import ForeignTable, read_table


def table_of(path: Path, /, **columns: Any) -> ForeignTable:
    pq.write_table(pa.table(columns), path)
    return read_table(path)


def test_paths_are_found_whatever_kind_of_text_they_are(tmp_path: Path) -> None:
    """Polars writes large strings, pandas dictionaries."""
    names = pa.array(["a.jpg", "b.jpg"])
    kinds = (names, names.cast(pa.large_string()), names.dictionary_encode(), names.cast(pa.string_view()))
    for kind in kinds:
        table = table_of(tmp_path / "t.parquet", path=kind, embedding=[[1.0, 2.0], [3.0, 4.0]])
        assert table.uris == (str(tmp_path / "a.jpg"), str(tmp_path / "b.jpg"))


def test_columns_of_other_kinds_are_passed_over(tmp_path: Path) -> None:
    table = table_of(
        tmp_path / "t.parquet", path=["a"], embedding=[[1e300, 2.0]], x=["left"], y=["top"], image=[{"bytes": "text"}]
    )
    assert (table.positions, table.pictures) == (None, {})
    assert table.vectors is not None
    assert np.isinf(table.vectors[0, 0]), "too large for float32, and so no vector"


@pytest.mark.parametrize("kind", [pa.list_(pa.float64()), pa.large_list(pa.float32()), pa.list_(pa.float16(), 2)])
def test_vectors_of_any_kind_of_list_keep_their_rows(tmp_path: Path, kind: Any) -> None:
    """Where one is missing or has another length the row stays and has none; chunks make no difference."""
    odd = [5.0] if kind.__class__ is not pa.FixedSizeListType else None
    parts = [[[1.0, 2.0], None], [odd, [3.0, None]], [[4.0, 5.0]]]
    chunks = pa.chunked_array([pa.array(part, kind) for part in parts])
    pq.write_table(pa.table({"path": list("abcde"), "embedding": chunks}), tmp_path / "t.parquet")
    vectors = read_table(tmp_path / "t.parquet").vectors
    nan = np.nan
    np.testing.assert_array_equal(vectors, np.float32([[1, 2], [nan, nan], [nan, nan], [3, nan], [4, 5]]))


def test_a_file_that_claims_more_rows_than_it_has_bytes_is_refused(tmp_path: Path) -> None:
    nothing = pa.table({"path": pa.nulls(1_000_000, pa.string()), "x": pa.nulls(1_000_000, pa.float32())})
    pq.write_table(nothing, tmp_path / "t.parquet")
    with pytest.raises(UsageError, match="claims 1,000,000 rows in"):
        read_table(tmp_path / "t.parquet")


def test_a_name_may_hold_what_unicode_calls_the_end_of_a_line(tmp_path: Path) -> None:
    np.save(tmp_path / "v.npy", np.eye(2, dtype=np.float32))
    (tmp_path / "v.txt").write_bytes("a\u2028b.jpg\r\nc\x0cd.jpg\n".encode("utf-8-sig"))
    assert read_table(tmp_path / "v.npy").uris == (str(tmp_path / "a\u2028b.jpg"), str(tmp_path / "c\x0cd.jpg"))


@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_damaged_numpy_files_are_refused(tmp_path: Path, suffix: str) -> None:
    (tmp_path / "v.txt").write_text("a")
    huge = b"{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000, 512)}\n"
    heads = [b"\x93NUMPY\x01\x00" + len(each).to_bytes(2, "little") + each for each in (huge, b"(" * 100)]
    path = tmp_path / f"v{suffix}"
    for data in (b"", b"text", b"PK\x03\x04 and no more", *heads):
        path.write_bytes(data)
        with pytest.raises(UsageError, match="damaged"):
            read_table(path)


def test_arrays_of_wrong_shape_are_refused(tmp_path: Path) -> None:
    good = {
        "paths": np.array(["a", "b"]),
        "vectors": np.eye(2),
        "positions": np.ones((2, 3)),
        "meta": np.array('{"model": "starter"}'),
    }
    np.savez(tmp_path / "z.npz", **good)
    assert read_table(tmp_path / "z.npz").model == "starter"
    wrong = {
        "vectors": (np.ones(2), np.array([["a"], ["b"]]), np.ones((2, 0)), np.ones((3, 2))),
        "positions": (np.ones((2, 2)), np.ones((1, 3)), np.ones((2, 3)) * 1j),
        "paths": (np.array("a"),),
        "meta": (np.array("[" * 9999), np.array("[]")),
    }
    for name, arrays in wrong.items():
        for array in arrays:
            np.savez(tmp_path / "z.npz", **good | {name: array})
            with pytest.raises(UsageError, match=r"z\.npz"):
                read_table(tmp_path / "z.npz")
