"""The door to pyarrow: loaded when a table is first touched, missed with one clear sentence."""

from __future__ import annotations

from typing import Any

from atlas_rt.errors import MissingError


def parquet() -> tuple[Any, Any]:
    """The modules (pyarrow, pyarrow.parquet); 0.2 s the first time. Raises MissingError without them."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise MissingError("Parquet files need one more package: `pip install atlas_rt[parquet]`") from error
    return pa, pq
