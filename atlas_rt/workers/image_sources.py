"""Where the threads of a window get the file of an image from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

Abandoned = Callable[[], bool]
"""Whether nobody waits for the file any more; asked again and again while it comes."""
FileOf = Callable[[str, Abandoned], Path]
"""The file to open for an image, which may have to be fetched first. Raises AbandonedError
(`library/whole_picture.py`), AtlasError with the reason where it cannot be had."""


def own_file(path: str, _abandoned: Abandoned) -> Path:
    """For images that are files themselves."""
    return Path(path)
