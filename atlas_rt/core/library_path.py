"""Where the system looks for shared libraries, kept as it was while a package is imported that changes it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

VARIABLE = "LD_LIBRARY_PATH"


@contextmanager
def library_path_kept() -> Iterator[None]:
    """OpenCV's loader lengthens LD_LIBRARY_PATH for the processes that are started later, and where it was empty leaves
    an empty entry in it. That means the current folder: each of our processes would load libm.so.6 from a folder of
    pictures that holds a file of that name."""
    before = os.environ.get(VARIABLE)
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(VARIABLE, None)
        else:
            os.environ[VARIABLE] = before
