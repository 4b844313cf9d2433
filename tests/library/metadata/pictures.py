"""Pictures with metadata, made by Pillow."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image, PngImagePlugin
from PIL.TiffImagePlugin import IFDRational

PHOTO, GPS = 0x8769, 0x8825
MTIME_NS = 1_600_000_000 * 10**9
"""13 September 2020, 12:26:40 in UTC."""


def make_exif(
    main: dict[int, Any] | None = None, photo: dict[int, Any] | None = None, gps: dict[int, Any] | None = None
) -> Image.Exif:
    exif = Image.Exif()
    exif.update(main or {})
    for tag, values in ((PHOTO, photo), (GPS, gps)):
        if values:
            exif.get_ifd(tag).update(values)
    return exif


def photograph() -> Image.Exif:
    """What a camera with a receiver writes."""
    return make_exif(
        {0x010F: "NIKON CORPORATION", 0x0110: "NIKON D90", 0x0131: "Ver.1.00", 0x0132: "2020:01:02 03:04:05"},
        {
            0x9003: "2019:05:06 07:08:09",
            0x9004: "2019:05:06 07:08:10",
            0x9011: "+02:00",
            0x829A: IFDRational(1, 250),
            0x829D: IFDRational(28, 10),
            0x8827: 400,
            0x920A: IFDRational(50, 1),
            0xA434: "50mm f/1.8",
        },
        coordinates("S", (38, 42, 30), "E", (9, 8, 0)),
    )


def coordinates(north: str, latitude: tuple[float, ...], east: str, longitude: tuple[float, ...]) -> dict[int, Any]:
    return {
        1: north,
        2: tuple(IFDRational(part) for part in latitude),
        3: east,
        4: tuple(IFDRational(part) for part in longitude),
    }


def make_xmp(attributes: str = "", elements: str = "") -> bytes:
    return f"""<?xpacket begin='\ufeff' id='W5M0MpCehiHzreSzNTczkc9d'?>
<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>
<rdf:Description rdf:about='' xmlns:dc='http://purl.org/dc/elements/1.1/' xmlns:xmp='http://ns.adobe.com/xap/1.0/'
 xmlns:exif='http://ns.adobe.com/exif/1.0/' xmlns:tiff='http://ns.adobe.com/tiff/1.0/'
 xmlns:xmpMM='http://ns.adobe.com/xap/1.0/mm/' xmlns:MicrosoftPhoto='http://ns.microsoft.com/photo/1.0/'
 xmlns:photoshop='http://ns.adobe.com/photoshop/1.0/' {attributes}>{elements}</rdf:Description>
</rdf:RDF></x:xmpmeta>
<?xpacket end='w'?>""".encode()


def bag(name: str, *words: str) -> str:
    items = "".join(f"<rdf:li xml:lang='x-default'>{word}</rdf:li>" for word in words)
    return f"<{name}><rdf:Bag>{items}</rdf:Bag></{name}>"


def make_iptc(*datasets: tuple[int, bytes]) -> bytes:
    """(number, value) of the application record."""
    return b"".join(bytes((0x1C, 2, number)) + len(value).to_bytes(2, "big") + value for number, value in datasets)


def saved(kind: str = "JPEG", **options: Any) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (40, 30), (200, 90, 30)).save(file, kind, **options)
    return file.getvalue()


def with_iptc(jpeg: bytes, block: bytes) -> bytes:
    """Photoshop's segment with this block, after the start of the file."""
    body = b"Photoshop 3.0\x008BIM\x04\x04\0\0" + len(block).to_bytes(4, "big") + block + b"\0" * (len(block) % 2)
    return jpeg[:2] + b"\xff\xed" + (len(body) + 2).to_bytes(2, "big") + body + jpeg[2:]


def png_with(*texts: tuple[str, str], late: bytes = b"") -> bytes:
    """late: a whole chunk to stand before the end, behind the pixels."""
    info = PngImagePlugin.PngInfo()
    for keyword, text in texts:
        info.add_itxt(keyword, text, zip=len(text) > 200)
    data = saved("PNG", pnginfo=info)
    return data[:-12] + late + data[-12:]
