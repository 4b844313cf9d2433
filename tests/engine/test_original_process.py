"""The process that fetches objects for a window."""

from __future__ import annotations

from pathlib import Path

import pytest

from atlas_rt.core.s3_options import S3Options
from atlas_rt.engine import original_process
from atlas_rt.engine.original_process import OriginalProcess
from atlas_rt.library.whole_picture import AbandonedError


def test_once_closed_it_starts_no_other_child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The threads of a window that is closing may still ask."""

    def never(*_: object, **__: object) -> None:
        pytest.fail("a child was started")

    monkeypatch.setattr(original_process, "Child", never)
    process = OriginalProcess(S3Options(), tmp_path, limit_bytes=0)
    process.close()
    with pytest.raises(AbandonedError):
        process.fetch("s3://bucket/a.jpg", "", -1, abandoned=lambda: False, told=lambda _: None)
