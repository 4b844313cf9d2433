"""Which files are images, told by the endings of their names."""

from __future__ import annotations

import os
from importlib.util import find_spec

IMAGE_SUFFIXES = frozenset(
    [".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif"]
)
"""Formats that are always read."""
HEIC_SUFFIXES = frozenset([".heic", ".heif"])
"""Read when pillow_heif is installed."""
RAW_SUFFIXES = frozenset([".arw", ".cr2", ".cr3", ".dng", ".nef", ".orf", ".pef", ".raf", ".rw2", ".srw"])
"""Camera files, read by their embedded preview when rawpy is installed."""
JXL_SUFFIXES = frozenset([".jxl"])
"""Read when pylibjxl is installed. (pillow-jxl-plugin is under the GPL.)"""
SHOT_SUFFIXES = frozenset([".jpg", ".jpeg", ".jpe", ".jfif"]) | HEIC_SUFFIXES
"""What cameras write together with the RAW file of a shot."""
TABLE_SUFFIXES = (".parquet", ".npy", ".npz", ".csv")
"""Tables of images that `atlas-rt import` takes in; the first is that of shards."""
SIDECAR_SUFFIX = ".xmp"
"""What programs write about a picture into a file next to it."""
FORMAT_HINTS = {"HEIC": "pillow_heif", "JPEG XL": "pylibjxl", "RAW": "rawpy"}
"""Format -> the module that reads it, all from `pip install atlas_rt[formats]`."""

_SUFFIXES = {"HEIC": HEIC_SUFFIXES, "JPEG XL": JXL_SUFFIXES, "RAW": RAW_SUFFIXES}
_PICTURE_SUFFIXES = IMAGE_SUFFIXES.union(*_SUFFIXES.values())
FILE_BYTES_MAX = 2**30
"""A larger file is no picture a person looks at, and reading it would exhaust the memory."""


def suffix_of(path: str) -> str:
    """The ending of a name or path with its dot, in small letters; empty for none. Path.suffix is ten times slower."""
    name = path[path.rfind(os.sep) + 1 :]
    dot = name.rfind(".")
    return name[dot:].lower() if dot > 0 else ""


def without_suffix(path: str) -> str:
    """A name or path without its ending."""
    return path[: path.rfind(".")] if suffix_of(path) else path


def is_picture(path: str) -> bool:
    """Whether its ending is that of an image, readable here or not."""
    return suffix_of(path) in _PICTURE_SUFFIXES


def is_readable(path: str) -> bool:
    """Whether its ending is that of an image that can be read here."""
    return suffix_of(path) in readable_suffixes()


def readable_suffixes() -> frozenset[str]:
    return IMAGE_SUFFIXES.union(*(_SUFFIXES[name] for name, module in FORMAT_HINTS.items() if find_spec(module)))


def format_to_install(suffix: str) -> str:
    """Which optional format a suffix belongs to, empty for none."""
    return next((name for name, suffixes in _SUFFIXES.items() if suffix in suffixes), "")


def missing_words(name: str, count: int) -> str:
    """The sentence about files of a format that is not installed."""
    files = "file was" if count == 1 else "files were"
    return f"{count:,} {name} {files} skipped; `pip install atlas_rt[formats]` reads {'it' if count == 1 else 'them'}"
