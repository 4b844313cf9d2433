"""What a picture's file tells of it as a stable JSON text: the fields that are known, in the order of the alphabet."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

from atlas_rt.core.metadata import NOTHING_KNOWN, Metadata

_NAMES = tuple(sorted(field.name for field in fields(Metadata)))
_KINDS: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(
        ("taken", "taken_from", "camera", "lens", "title", "caption", "software", "prompt"),
        (str,),
    ),
    **dict.fromkeys(("taken_secs", "exposure_secs", "aperture", "focal_mm", "latitude", "longitude"), (float, int)),
    "iso": (int,),
    "rating": (int,),
    "keywords": (list,),
}
_BOUNDS: dict[str, tuple[float, float]] = {
    "taken_secs": (-4.6e9, 4.2e9),  # the years of `metadata.dates`
    "latitude": (-90.0, 90.0),
    "longitude": (-180.0, 180.0),
    "rating": (-1, 5),
}
_GREATEST = 2**53
"""Of the other numbers: what every part of the program and SQLite can hold."""


def text_of(metadata: Metadata) -> str:
    """The same metadata always gives the same text. What is not known is left out."""
    values = {name: getattr(metadata, name) for name in _NAMES}
    known = {name: value for name, value in values.items() if value != getattr(NOTHING_KNOWN, name)}
    return json.dumps(known, ensure_ascii=True, separators=(",", ":"))


def metadata_of(text: str) -> Metadata:
    """Fields that a newer version added are passed over. Raises ValueError for what is no such text."""
    values = json.loads(text)
    if not isinstance(values, dict):
        raise ValueError("metadata is no JSON object")  # noqa: TRY004 - what a row of a file holds, not a wrong call
    return Metadata(**{name: _checked(name, value) for name, value in values.items() if name in _KINDS})


def _checked(name: str, value: Any) -> Any:
    """A value of the kind the field has; a list of keywords as a tuple."""
    if not isinstance(value, _KINDS[name]) or isinstance(value, bool):
        raise ValueError(f"{name} of the metadata is {value!r}")  # noqa: TRY004
    if isinstance(value, int | float):
        least, greatest = _BOUNDS.get(name, (-_GREATEST, _GREATEST))
        if not least <= value <= greatest:
            raise ValueError(f"{name} of the metadata is {value!r}")
    checked = tuple(str(each) for each in value) if isinstance(value, list) else value
    for each in checked if isinstance(checked, tuple) else (checked,):
        str(each).encode()  # a surrogate is no text, which UnicodeEncodeError says
    return checked
