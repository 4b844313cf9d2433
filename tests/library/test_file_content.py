"""A file that cannot be read says why."""

from __future__ import annotations

from pathlib import Path

import pytest

from atlas_rt.errors import DecodeError
from atlas_rt.library import file_content, formats


def test_reading_tells_why_it_cannot(tmp_path: Path) -> None:
    with pytest.raises(DecodeError, match="no longer there"):
        file_content.read(str(tmp_path / "gone.jpg"))
    huge = tmp_path / "huge.tif"
    with huge.open("wb") as file:
        file.truncate(formats.FILE_BYTES_MAX + 1)
    with pytest.raises(DecodeError, match="larger than 1 GB"):
        file_content.read(str(huge))
