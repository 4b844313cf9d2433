"""XMP (ISO 16684-1): RDF in XML, in the file itself or in a sidecar.

Read by the standard library's expat. A document type is refused, and with it every entity that is not XML's own, so
nothing can be expanded or fetched; XMP has none. Of a packet the first megabyte is read, whatever its size: at worst
that takes 0.15 s, and what is looked for comes before histories and masks, which are what makes packets large. What was
read before a mistake counts.
"""

from __future__ import annotations

import re
from contextlib import suppress
from xml.parsers import expat

from atlas_rt.core.metadata import XMP, Metadata
from atlas_rt.library.metadata.dates import moment_of
from atlas_rt.library.metadata.exif import camera_name, place_of, rating_of
from atlas_rt.library.metadata.prompts import prompt_of
from atlas_rt.library.metadata.texts import TEXT, cleaned, decoded, keywords_of

LIMIT = 2**20
"""Bytes of a packet that are read."""

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_PREFIXES = {
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://ns.adobe.com/xap/1.0/": "xmp",
    "http://ns.adobe.com/exif/1.0/": "exif",
    "http://cipa.jp/exif/1.0/": "exifEX",
    "http://ns.adobe.com/exif/1.0/aux/": "aux",
    "http://ns.adobe.com/tiff/1.0/": "tiff",
    "http://ns.adobe.com/photoshop/1.0/": "photoshop",
    "http://ns.microsoft.com/photo/1.0/": "MicrosoftPhoto",
    "http://ns.microsoft.com/photo/1.0": "MicrosoftPhoto",
}
_UNFIT = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""What XML may not hold."""
_COORDINATE = re.compile(r"(\d+(?:\.\d+)?)(?:,(\d+(?:\.\d+)?))?(?:,(\d+(?:\.\d+)?))?\s*([NSEW])")
_DATES = ("exif:DateTimeOriginal", "photoshop:DateCreated", "xmp:CreateDate")

Properties = dict[str, list[str]]
"""Name with its usual prefix -> its values."""


def metadata_of_xmp(packet: bytes) -> Metadata:
    """As far as the packet can be read."""
    properties = properties_of(packet)
    if not properties:
        return Metadata()

    def first(*names: str, most: int = 300) -> str:
        return next((text for name in names for each in properties.get(name, ()) if (text := cleaned(each, most))), "")

    moment = next((moment for name in _DATES if (moment := moment_of(first(name)))), None)
    latitude, longitude = _place(first("exif:GPSLatitude"), first("exif:GPSLongitude"))
    return Metadata(
        taken=moment.text if moment else "",
        taken_secs=moment.secs if moment else None,
        taken_from=XMP if moment else "",
        camera=camera_name(first("tiff:Make"), first("tiff:Model")),
        lens=first("exifEX:LensModel", "aux:Lens"),
        exposure_secs=_number(first("exif:ExposureTime")),
        aperture=_number(first("exif:FNumber")),
        iso=int(_number(first("exifEX:PhotographicSensitivity", "exif:ISOSpeedRatings")) or 0) or None,
        focal_mm=_number(first("exif:FocalLength")),
        latitude=latitude,
        longitude=longitude,
        rating=_rating(first("xmp:Rating"), first("MicrosoftPhoto:Rating")),
        title=first("dc:title"),
        caption=first("dc:description", most=TEXT),
        keywords=keywords_of(properties.get("dc:subject", ())),
        software=first("xmp:CreatorTool"),
        prompt=prompt_of({"UserComment": first("exif:UserComment", most=TEXT)}),
    )


def properties_of(packet: bytes) -> Properties:
    """The properties of the picture itself, and not of what it was made from."""
    reader = _Reader()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text.append
    parser.StartDoctypeDeclHandler = _refuse
    with suppress(expat.ExpatError, _RefusedError):  # what came before counts
        parser.Parse(_as_text(packet[:LIMIT]), len(packet) <= LIMIT)
    return reader.found


class _RefusedError(Exception):
    """A document type."""


def _refuse(*_: object) -> None:
    raise _RefusedError


class _Reader:
    """Hears what expat reads: a property is an attribute or an element of a description right within the RDF."""

    def __init__(self) -> None:
        self.found: Properties = {}
        self.text: list[str] = []
        self._path: list[str] = []
        self._property = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.text.clear()
        if self._path[-1:] == [f"{_RDF} Description"] and not self._property:
            self._property = len(self._path) + 1
        elif self._path[-1:] == [f"{_RDF} RDF"]:
            for key, value in attributes.items():
                self._note(key, value)
        self._path.append(name)

    def end(self, name: str) -> None:
        depth = len(self._path)
        # its text, or the items of the one list in it
        if self._property and (depth == self._property or (depth == self._property + 2 and name == f"{_RDF} li")):
            self._note(self._path[self._property - 1], "".join(self.text))
        self.text.clear()
        if depth == self._property:
            self._property = 0
        self._path.pop()

    def _note(self, name: str, value: str) -> None:
        space, _, local = name.rpartition(" ")
        if (prefix := _PREFIXES.get(space)) and value.strip():
            self.found.setdefault(f"{prefix}:{local}", []).append(value)


def _as_text(packet: bytes) -> str:
    """As expat takes it, whatever the bytes are."""
    if packet.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = packet.decode("utf-16", "ignore")
    else:
        text = decoded(packet).removeprefix("\ufeff")
    return _UNFIT.sub("", text).strip()


def _place(latitude: str, longitude: str) -> tuple[float, float] | tuple[None, None]:
    """ "38,42.5N", "9,8,10W"."""
    north, east = _COORDINATE.fullmatch(latitude), _COORDINATE.fullmatch(longitude)
    if not north or not east or north[4] not in "NS" or east[4] not in "EW":
        return None, None
    return place_of(_degrees(north), _degrees(east))


def _degrees(found: re.Match[str]) -> float:
    degrees = sum(float(part or 0) / 60.0**power for power, part in enumerate(found.groups()[:3]))
    return -degrees if found[4] in "SW" else degrees


def _rating(stars: str, percent: str) -> int | None:
    """Windows tells the same in percent: 1, 25, 50, 75 and 99."""
    if stars:
        return rating_of(_number(stars, signed=True))
    share = _number(percent)
    return rating_of(share // 25 + 1) if share else None


def _number(text: str, *, signed: bool = False) -> float | None:
    """A number or a ratio that is not negative, unless it may be."""
    over, _, under = text.partition("/")
    try:
        number = float(over) / float(under or 1)
    except (ValueError, ZeroDivisionError):
        return None
    return number if abs(number) < 1e9 and (signed or number > 0) else None
