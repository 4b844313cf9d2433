"""What a picture's file tells of it, besides its pixels: when, with what, where, and what was written about it."""

from __future__ import annotations

from dataclasses import dataclass

ORIGINAL, DIGITIZED, CHANGED, XMP, FILE = "original", "digitized", "changed", "xmp", "file"
"""Where a date is from: EXIF's DateTimeOriginal, DateTimeDigitized or DateTime, XMP, or the time of the file."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """What is known of one picture; what is not known is None or empty.

    taken: ISO 8601 as the camera's clock showed it, "2023-06-04T12:33:10", with "+02:00" behind it where the time zone
    is known; of a date that is not known to the second only what is known, "1932" or "1932-06-04". taken_secs: the
    same clock's seconds since 1970 as if in UTC, to sort by. taken_from: which of the dates it is. exposure_secs,
    aperture (f-number), iso, focal_mm: how it was exposed. latitude, longitude: degrees, north and east. rating: 0 to
    5, -1 for rejected. prompt: what a generated picture was made from.
    """

    taken: str = ""
    taken_secs: float | None = None
    taken_from: str = ""
    camera: str = ""
    lens: str = ""
    exposure_secs: float | None = None
    aperture: float | None = None
    iso: int | None = None
    focal_mm: float | None = None
    latitude: float | None = None
    longitude: float | None = None
    rating: int | None = None
    title: str = ""
    caption: str = ""
    keywords: tuple[str, ...] = ()
    software: str = ""
    prompt: str = ""


NOTHING_KNOWN = Metadata()
