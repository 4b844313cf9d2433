"""EXIF (CIPA DC-008, version 2.32), with the tags that Windows adds."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

from atlas_rt.core.metadata import CHANGED, DIGITIZED, ORIGINAL, Metadata
from atlas_rt.library.metadata.dates import Moment, moment_of
from atlas_rt.library.metadata.directories import Directory, Value
from atlas_rt.library.metadata.prompts import prompt_of
from atlas_rt.library.metadata.texts import LINE, TEXT, cleaned, decoded, keywords_of

_MAKE, _MODEL, _SOFTWARE, _DESCRIPTION = 0x010F, 0x0110, 0x0131, 0x010E
_CHANGED, _ORIGINAL, _DIGITIZED = 0x0132, 0x9003, 0x9004
_CHANGED_ZONE, _ORIGINAL_ZONE, _DIGITIZED_ZONE = 0x9010, 0x9011, 0x9012
_EXPOSURE, _SHUTTER_SPEED, _F_NUMBER, _APERTURE, _FOCAL = 0x829A, 0x9201, 0x829D, 0x9202, 0x920A
_SPEEDS = (0x8827, 0x8831, 0x8832, 0x8833)
"""Ways to tell the sensitivity; the first has 16 bits and is full above 65,534."""
_LENS_MAKE, _LENS, _USER_COMMENT = 0xA433, 0xA434, 0x9286
_RATING, _XP_TITLE, _XP_COMMENT, _XP_KEYWORDS = 0x4746, 0x9C9B, 0x9C9C, 0x9C9E
_LATITUDE_REF, _LATITUDE, _LONGITUDE_REF, _LONGITUDE = 1, 2, 3, 4
TAGS = frozenset([
    _MAKE, _MODEL, _SOFTWARE, _DESCRIPTION, _CHANGED, _ORIGINAL, _DIGITIZED, _CHANGED_ZONE, _ORIGINAL_ZONE,
    _DIGITIZED_ZONE, _EXPOSURE, _SHUTTER_SPEED, _F_NUMBER, _APERTURE, _FOCAL, *_SPEEDS, _LENS_MAKE, _LENS,
    _USER_COMMENT, _RATING, _XP_TITLE, _XP_COMMENT, _XP_KEYWORDS, _LATITUDE_REF, _LATITUDE, _LONGITUDE_REF, _LONGITUDE,
])  # fmt: skip
"""What is read of the directories."""

_COMPANY = re.compile(
    r"[\s,]+(camera|corporation|corp|company|co|ltd|inc|imaging|optical|electric|computer|techwin|technologies|gmbh|ag)\b\.?",
    re.IGNORECASE,
)
_NO_CAPTION = re.compile(
    r"(olympus|minolta|konica minolta|kodak|samsung|pentax|maginon|vivitar)?\s*digital (still )?camera|sony dsc"
    r"|dcim\\.*|untitled|screenshot|default|\W*", re.IGNORECASE
)  # fmt: skip
"""Descriptions that cameras give to every picture."""


def metadata_of_exif(main: Directory, photo: Directory, gps: Directory) -> Metadata:
    """main: the first directory; photo: the Exif directory; gps: the GPS directory. Empty where they are missing."""
    moment, which = _moment(main, photo)
    latitude, longitude = _position(gps)
    caption = _text(main, _DESCRIPTION, TEXT)
    return Metadata(
        taken=moment.text if moment else "",
        taken_secs=moment.secs if moment else None,
        taken_from=which,
        camera=camera_name(_text(main, _MAKE), _text(main, _MODEL)),
        lens=_lens(photo),
        exposure_secs=_exposure(photo),
        aperture=_aperture(photo),
        iso=_iso(photo),
        focal_mm=_number(photo, _FOCAL, 0.1, 100_000.0),
        latitude=latitude,
        longitude=longitude,
        rating=rating_of(_number(main, _RATING, 0.0, 5.0)),
        title=_windows_text(main, _XP_TITLE),
        caption=_windows_text(main, _XP_COMMENT, TEXT) or ("" if _NO_CAPTION.fullmatch(caption) else caption),
        keywords=keywords_of(_windows_text(main, _XP_KEYWORDS, TEXT).split(";")),
        software=_text(main, _SOFTWARE),
        prompt=prompt_of({"UserComment": _user_comment(photo)}),
    )


def camera_name(make: str, model: str) -> str:
    """Both in one, without saying the maker twice: "Canon" and "Canon EOS 5D", "NIKON CORPORATION" and "NIKON D90"."""
    maker = _COMPANY.sub("", make)
    if not model or not maker:
        return model or maker
    says_it = model.casefold().split()[0] in make.casefold().split() or model.casefold().startswith(maker.casefold())
    return model if says_it else f"{maker} {model}"


def rating_of(value: float | None) -> int | None:
    """-1 for rejected, 0 to 5; None for what is no rating."""
    return int(value) if value is not None and math.isfinite(value) and -1 <= value <= 5 else None


def place_of(latitude: float, longitude: float) -> tuple[float, float] | tuple[None, None]:
    """Degrees, both None for what is no place; 0, 0 is what receivers write that have none."""
    if not (abs(latitude) <= 90.0 and abs(longitude) <= 180.0) or (latitude, longitude) == (0.0, 0.0):
        return None, None
    return round(latitude, 7), round(longitude, 7)


def _moment(main: Directory, photo: Directory) -> tuple[Moment | None, str]:
    for directory, tag, zone, which in (
        (photo, _ORIGINAL, _ORIGINAL_ZONE, ORIGINAL),
        (photo, _DIGITIZED, _DIGITIZED_ZONE, DIGITIZED),
        (main, _CHANGED, _CHANGED_ZONE, CHANGED),
    ):
        if moment := moment_of(_text(directory, tag), _text(photo, zone)):
            return moment, which
    return None, ""


def _lens(photo: Directory) -> str:
    lens = _text(photo, _LENS)
    return camera_name(_text(photo, _LENS_MAKE), lens) if re.search(r"\w", lens) else ""


def _exposure(photo: Directory) -> float | None:
    return _number(photo, _EXPOSURE, 1e-7, 1e6) or _converted(photo, _SHUTTER_SPEED, lambda apex: 2.0**-apex)


def _aperture(photo: Directory) -> float | None:
    return _number(photo, _F_NUMBER, 0.1, 1000.0) or _converted(photo, _APERTURE, lambda apex: 2.0 ** (apex / 2.0))


def _iso(photo: Directory) -> int | None:
    speeds = [_number(photo, tag, 1.0, 1e8) for tag in _SPEEDS]
    known = [int(speed) for speed in speeds if speed]
    return next((speed for speed in known if speed != 65535), known[0] if known else None)


def _position(gps: Directory) -> tuple[float, float] | tuple[None, None]:
    latitude = _degrees(gps.get(_LATITUDE), _text(gps, _LATITUDE_REF), "NS")
    longitude = _degrees(gps.get(_LONGITUDE), _text(gps, _LONGITUDE_REF), "EW")
    return (None, None) if latitude is None or longitude is None else place_of(latitude, longitude)


def _degrees(value: Value | None, side: str, sides: str) -> float | None:
    """Degrees, minutes and seconds as one number; None where it is not said on which side of the line they are."""
    if not isinstance(value, tuple) or not 1 <= len(value) <= 3 or side[:1].upper() not in tuple(sides):
        return None
    degrees = sum(part / 60.0**power for power, part in enumerate(value))
    return -degrees if side[:1].upper() == sides[1] else degrees


def _text(directory: Directory, tag: int, most: int = LINE) -> str:
    value = directory.get(tag)
    return cleaned(decoded(value), most) if isinstance(value, bytes) else ""


def _windows_text(directory: Directory, tag: int, most: int = LINE) -> str:
    """UTF-16, as a field of bytes."""
    value = directory.get(tag)
    return cleaned(value.decode("utf-16-le", "ignore"), most) if isinstance(value, bytes) else ""


def _user_comment(photo: Directory) -> str:
    """Behind eight bytes that name the character set; programs disagree about the order of UTF-16's bytes."""
    value = photo.get(_USER_COMMENT)
    if not isinstance(value, bytes):
        return ""
    if not value.startswith(b"UNICODE\0"):
        return decoded(value[8:])
    return value[8:].decode("utf-16-be" if value[8:9] == b"\0" else "utf-16-le", "ignore")


def _number(directory: Directory, tag: int, least: float, most: float) -> float | None:
    value = directory.get(tag)
    return float(value[0]) if isinstance(value, tuple) and value and least <= value[0] <= most else None


def _converted(directory: Directory, tag: int, convert: Callable[[float], float]) -> float | None:
    """A value in APEX units."""
    value = _number(directory, tag, -20.0, 20.0)
    return None if value is None else convert(value)
