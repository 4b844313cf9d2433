"""The RAW and the JPEG (or HEIC) file that a camera writes of one shot: the same name in the same folder.

They are one image of the library, and the JPEG stands for it: it is what the camera made of the shot, quickly read.
The scan passes the RAW file over (`walking`), so it is not decoded, not encoded and no second hit of a search. Where
the JPEG is damaged, the next scan takes the RAW file.
"""

from __future__ import annotations

from pathlib import Path

from atlas_rt.core.s3_address import is_s3
from atlas_rt.library.formats import RAW_SUFFIXES, SHOT_SUFFIXES, suffix_of, without_suffix


def raw_of(path: str) -> str:
    """The RAW file of the shot that a picture is of; empty for none, and in S3, where nobody asks for it."""
    if is_s3(path) or suffix_of(path) not in SHOT_SUFFIXES:
        return ""
    endings = (each for suffix in sorted(RAW_SUFFIXES) for each in (suffix.upper(), suffix))
    return next((raw for ending in endings if Path(raw := without_suffix(path) + ending).is_file()), "")
