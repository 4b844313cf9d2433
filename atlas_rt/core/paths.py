"""Paths of images as texts: files' paths, and addresses of objects (`s3://bucket/key`), which are never tidied."""

from __future__ import annotations

import os

from atlas_rt.core.s3_address import is_s3


def start_of(folder: str) -> str:
    """What every path in a folder, or below an address, begins with; it ends with a separator."""
    if is_s3(folder):
        return folder if folder.endswith("/") else f"{folder}/"
    return folder.rstrip(os.sep) + os.sep


def is_in(path: str, folder: str) -> bool:
    """Whether a path is this one or lies in it."""
    return path == folder or path.startswith(start_of(folder))


def relative_to(path: str, folder: str) -> str:
    """The rest of a path at or below a folder; empty for the folder itself."""
    return path[len(start_of(folder)) :]
