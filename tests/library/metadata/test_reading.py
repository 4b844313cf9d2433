"""What files tell of their pictures: every kind of file, and files that are not as they should be."""

from __future__ import annotations

import io
import random
import struct
import time
import zlib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, PngImagePlugin
from PIL.TiffImagePlugin import IFDRational

from atlas_rt.core.metadata import CHANGED, DIGITIZED, FILE, ORIGINAL, XMP, Metadata
from atlas_rt.library.metadata import xmp
from atlas_rt.library.metadata.exif import camera_name
from atlas_rt.library.metadata.reading import read_file, read_metadata
from atlas_rt.library.metadata.sidecars import NO_SIDECARS, Sidecars
from tests.library.metadata.pictures import (
    MTIME_NS,
    PHOTO,
    bag,
    coordinates,
    make_exif,
    make_iptc,
    make_xmp,
    photograph,
    png_with,
    saved,
    with_iptc,
)


def known(data: bytes) -> Metadata:
    return read_metadata(data, mtime_ns=MTIME_NS).metadata


# -- each kind of file -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_a_photograph_tells_when_with_what_and_where_it_was_taken(kind: str, tmp_path: Path) -> None:
    data = saved(kind, exif=photograph().tobytes())
    metadata = known(data)
    assert (metadata.taken, metadata.taken_from) == ("2019-05-06T07:08:09+02:00", ORIGINAL)
    assert metadata.taken_secs == 1_557_126_489
    assert (metadata.camera, metadata.lens, metadata.software) == ("NIKON D90", "50mm f/1.8", "Ver.1.00")
    assert (metadata.exposure_secs, metadata.aperture) == (pytest.approx(1 / 250), pytest.approx(2.8))
    assert (metadata.iso, metadata.focal_mm) == (400, 50.0)
    assert (metadata.latitude, metadata.longitude) == (pytest.approx(-38.7083333), pytest.approx(9.1333333))
    file = tmp_path / "photo"
    file.write_bytes(data)
    read = read_file(str(file), mtime_ns=MTIME_NS, sidecars=NO_SIDECARS)
    assert read is not None
    assert read.metadata == metadata


@pytest.mark.parametrize("start", [b"II*\0", b"IIRO", b"IIU\0"])
def test_tiff_and_the_raw_files_that_are_nearly_tiff_tell_it_too(start: bytes) -> None:
    data = photograph().tobytes().removeprefix(b"Exif\0\0")
    little = data if data.startswith(b"II") else _little_endian()
    assert known(start + little[4:]).camera == "NIKON D90"
    assert known(saved("TIFF", exif=make_exif({0x010F: "Canon", 0x0110: "Canon EOS 5D"}))).camera == "Canon EOS 5D"


def _little_endian() -> bytes:
    exif = photograph()
    exif.endian = "<"
    return exif.tobytes().removeprefix(b"Exif\0\0")


def test_fujifilms_and_canons_raw_files_tell_it_too() -> None:
    preview = saved(exif=photograph().tobytes())
    fuji = b"FUJIFILMCCD-RAW ".ljust(84, b"\0") + (100).to_bytes(4, "big") + len(preview).to_bytes(4, "big")
    assert known(fuji.ljust(100, b"\0") + preview).taken.startswith("2019-05-06")
    boxes = {
        b"CMT1": make_exif({0x010F: "Canon", 0x0110: "Canon EOS R5"}),
        b"CMT2": make_exif({0x9003: "2021:01:02 03:04:05"}),
        b"CMT4": make_exif(coordinates("N", (48, 30), "W", (2, 15))),
    }
    body = b"".join(name + exif.tobytes().removeprefix(b"Exif\0\0") for name, exif in boxes.items())
    metadata = known(b"\0\0\0\x18ftypcrx " + body)
    assert (metadata.camera, metadata.taken) == ("Canon EOS R5", "2021-01-02T03:04:05")
    assert (metadata.latitude, metadata.longitude) == (48.5, -2.25)


def test_xmp_is_read_from_every_kind_of_file() -> None:
    packet = make_xmp("xmp:Rating='4'", bag("dc:subject", "grandma", "München") + bag("dc:title", "A title"))
    info = PngImagePlugin.PngInfo()
    info.add_itxt("XML:com.adobe.xmp", packet.decode())
    tiff = Image.Exif()
    tiff[700] = packet
    for data in (
        saved("JPEG", xmp=packet),
        saved("WEBP", xmp=packet),
        saved("AVIF", xmp=packet),
        saved("PNG", pnginfo=info),
        saved("TIFF", exif=tiff),
    ):
        metadata = known(data)
        assert (metadata.rating, metadata.title) == (4, "A title")
        assert metadata.keywords == ("grandma", "München")


def test_what_stands_between_the_segments_of_a_jpeg_is_passed_over() -> None:
    whole = with_iptc(saved(exif=photograph().tobytes()), make_iptc((25, b"grandma")))
    odd = b"\xff\xd8" + b"\xff\xff\xff\x01\xff\xd0" + b"\xff\xfe\x00\x07hello" + whole[2:]
    assert known(odd) == known(whole)
    assert known(odd).keywords == ("grandma",)
    named = whole.replace(b"8BIM\x04\x04\0\0", b"8BIM\x03\xed\x04name\0\0\0\0\x038BI\0" + b"8BIM\x04\x04\0\0")
    length = whole.index(b"Photoshop") - 2
    grown = int.from_bytes(whole[length : length + 2], "big") + len(named) - len(whole)
    named = named[:length] + grown.to_bytes(2, "big") + named[length + 2 :]
    assert known(named) == known(whole)
    assert known(whole[:2] + b"\xff\xe1\0\0" + whole[2:]).taken_from == ORIGINAL  # a segment shorter than its length


def test_a_png_tells_what_stands_behind_its_pixels() -> None:
    late = png_with(("Title", "found late"))[33:]
    chunk = late[: late.index(b"IDAT") - 4]
    assert known(png_with(late=chunk)).title == "found late"


@pytest.mark.parametrize(
    ("make", "model", "name"),
    [
        ("Canon", "Canon EOS 5D", "Canon EOS 5D"),
        ("NIKON CORPORATION", "NIKON D90", "NIKON D90"),
        ("OLYMPUS IMAGING CORP.", "E-M5", "OLYMPUS E-M5"),
        ("EASTMAN KODAK COMPANY", "KODAK DX4530", "KODAK DX4530"),
        ("CASIO COMPUTER CO.,LTD.", "EX-Z750", "CASIO EX-Z750"),
        ("Leica Camera AG", "M10", "Leica M10"),
        ("CONTAX", "Contax T2", "Contax T2"),
        ("Apple", "iPhone 12", "Apple iPhone 12"),
        ("", "X100", "X100"),
        ("Canon", "", "Canon"),
    ],
)
def test_a_camera_is_named_without_saying_its_maker_twice(make: str, model: str, name: str) -> None:
    assert camera_name(make, model) == name


# -- dates -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("main", "photo", "packet", "expected"),
    [
        ({0x0132: "2020:01:01 00:00:00"}, {0x9004: "2019:01:01 00:00:00"}, "", ("2019-01-01T00:00:00", DIGITIZED)),
        ({0x0132: "2020:01:01 00:00:00"}, {0x9003: "0000:00:00 00:00:00"}, "", ("2020-01-01T00:00:00", CHANGED)),
        ({}, {0x9003: "    :  :     :  :  "}, "xmp:CreateDate='2018-03-04T05:06'", ("2018-03-04T05:06:00", XMP)),
        ({}, {}, "photoshop:DateCreated='1932-06'", ("1932-06", XMP)),
        ({}, {0x9003: "1932:06:01 10:00:00"}, "", ("1932-06-01T10:00:00", ORIGINAL)),
        ({0x0132: "2020:01:01 00:00:00"}, {0x9003: "2101:01:01 00:00:00"}, "", ("2020-01-01T00:00:00", CHANGED)),
        ({}, {0x9003: "2019:02:30 00:00:00", 0x9011: "rubbish"}, "xmp:CreateDate='2018'", ("2018", XMP)),
        ({}, {0x9003: 7}, "xmp:CreateDate='2018-03-04T05:06:07.25Z'", ("2018-03-04T05:06:07+00:00", XMP)),
    ],
)
def test_the_best_date_is_told_and_which_it_is(
    main: dict[int, Any], photo: dict[int, Any], packet: str, expected: tuple[str, str]
) -> None:
    metadata = known(saved(exif=make_exif(main, photo).tobytes(), xmp=make_xmp(packet)))
    assert (metadata.taken, metadata.taken_from) == expected


def test_without_a_date_that_of_the_file_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        metadata = known(saved())
        assert (metadata.taken, metadata.taken_from) == ("2020-09-13T21:26:40+09:00", FILE)
        assert metadata.taken_secs == MTIME_NS // 10**9 + 9 * 3600
        assert read_metadata(saved(), mtime_ns=2**62).metadata == Metadata()  # in the year 2116
        assert read_metadata(saved(), mtime_ns=-10 * 10**18).metadata == Metadata()
    finally:
        monkeypatch.undo()
        time.tzset()


# -- what is written badly ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "gps",
    [
        coordinates("N", (0, 0, 0), "E", (0, 0, 0)),
        coordinates("N", (91, 0, 0), "E", (9, 0, 0)),
        coordinates("N", (50, 0, 0), "E", (181, 0, 0)),
        coordinates("", (50, 0, 0), "E", (9, 0, 0)),
        {1: "N", 2: (IFDRational(1, 0), IFDRational(0), IFDRational(0)), 3: "E", 4: (IFDRational(9), IFDRational(0))},
        {1: "N", 3: "E"},
        {1: "N", 2: (IFDRational(1),), 3: "", 4: (IFDRational(9),)},
    ],
)
def test_no_place_is_told_where_none_can_be(gps: dict[int, Any]) -> None:
    metadata = known(saved(exif=make_exif({0x0110: "a camera"}, gps=gps).tobytes()))
    assert (metadata.latitude, metadata.longitude, metadata.camera) == (None, None, "a camera")


def test_numbers_that_cannot_be_are_not_told() -> None:
    photo = {0x829A: IFDRational(0, 0), 0x829D: IFDRational(1, 0), 0x8827: 65535, 0x920A: IFDRational(0, 1)}
    metadata = known(saved(exif=make_exif({0x4746: 9}, photo | {0x8832: 204800}).tobytes()))
    assert (metadata.exposure_secs, metadata.aperture, metadata.focal_mm, metadata.rating) == (None, None, None, None)
    assert metadata.iso == 204800


def test_keywords_are_read_in_utf8_in_latin_1_and_where_both_are_mixed() -> None:
    words = [b"grandma", "München".encode(), "Zürich".encode("latin-1"), "Köln ".encode() + b"D\xfcren"]
    words += ["MÜNCHEN".encode("latin-1"), b"\0hol\x01iday\0rubbish", b"", "“quoted”".encode("cp1252")]
    block = make_iptc((5, b"A title"), *((25, word) for word in words), (120, b"A cap\ntion"))
    metadata = known(with_iptc(saved(), block))
    assert metadata.keywords == ("grandma", "München", "Zürich", "Köln Düren", "hol iday", "“quoted”")
    assert (metadata.title, metadata.caption) == ("A title", "A cap tion")
    cut = block[: block.index("München".encode()) + 5]
    assert known(with_iptc(saved(), cut)).keywords == ("grandma", "Münc")


def test_what_windows_writes_is_read() -> None:
    main = {
        0x9C9B: "Ein Titel\0".encode("utf-16-le"),
        0x9C9C: "Am Strand\0".encode("utf-16-le"),
        0x9C9E: "Oma;Straße; ;oma\0".encode("utf-16-le"),
        0x4746: 3,
    }
    metadata = known(saved(exif=make_exif(main).tobytes()))
    assert (metadata.title, metadata.caption, metadata.rating) == ("Ein Titel", "Am Strand", 3)
    assert metadata.keywords == ("Oma", "Straße")


def test_captions_that_a_camera_gives_to_every_picture_are_none() -> None:
    for text, told in (("OLYMPUS DIGITAL CAMERA         ", ""), ("Grandma\0\0in May", "Grandma"), ("SONY DSC", "")):
        assert known(saved(exif=make_exif({0x010E: text}).tobytes())).caption == told


def test_words_are_merged_and_a_sidecar_comes_first(tmp_path: Path) -> None:
    picture = tmp_path / "IMG_1.jpg"
    packet = make_xmp("xmp:Rating='2'", bag("dc:subject", "river", "Oma") + bag("dc:title", "From the file"))
    picture.write_bytes(
        with_iptc(saved(xmp=packet), make_iptc((5, b"Older title"), (25, b"boat"), (120, b"A caption")))
    )
    beside = {"IMG_1.jpg.xmp": ("xmp:Rating='-1'", bag("dc:subject", "oma")), "IMG_1.xmp": ("xmp:Rating='5'", "")}
    for name, (attributes, elements) in beside.items():
        (tmp_path / name).write_bytes(make_xmp(attributes, elements))
    sidecars = Sidecars({str(tmp_path / name): 7 for name in beside})
    read = read_file(str(picture), mtime_ns=MTIME_NS, sidecars=sidecars)
    assert read is not None
    assert (read.metadata.rating, read.metadata.title, read.metadata.caption) == (-1, "From the file", "A caption")
    assert read.metadata.keywords == ("oma", "river", "boat")
    assert read.sidecars == 14


def test_damage_anywhere_costs_only_what_is_damaged() -> None:
    """Whatever is cut off or overwritten, something is told, and nothing raises."""
    chance = random.Random(1)
    packet = make_xmp("xmp:Rating='4'", bag("dc:subject", "grandma"))
    for kind in ("JPEG", "PNG", "WEBP", "TIFF"):
        whole = saved(kind, exif=photograph().tobytes(), **({"xmp": packet} if kind != "TIFF" else {}))
        for _ in range(150):
            data = bytearray(whole[: chance.randrange(len(whole))] if chance.random() < 0.3 else whole)
            for _ in range(chance.randrange(8)):
                if data:
                    data[chance.randrange(len(data))] = chance.randrange(256)
            assert known(bytes(data)).taken


def test_of_a_broken_directory_every_whole_entry_is_read() -> None:
    for tag, lacks in ((0x8769, "lens"), (0x0110, "camera"), (0x829A, "exposure_secs"), (0x927C, "")):
        exif = photograph()
        exif.get_ifd(PHOTO)[0x927C] = bytes(5_000)  # what the maker notes for itself
        data = bytearray(saved(exif=exif.tobytes()))
        entry = data.index(tag.to_bytes(2, "big"), data.index(b"Exif\0\0"))
        data[entry + 8 : entry + 12] = b"\xff\xff\xff\xf0"  # where its value lies
        metadata = known(bytes(data))
        assert (metadata.camera == "NIKON D90") == (lacks != "camera")
        assert (metadata.lens == "50mm f/1.8") == (lacks != "lens")
        assert (metadata.exposure_secs is not None) == (lacks not in ("exposure_secs", "lens"))
        assert (metadata.taken_from == ORIGINAL) == (lacks != "lens")
        assert metadata.latitude is not None


def test_directories_that_lead_in_circles_or_are_endless_end() -> None:
    head = b"II*\0\x08\0\0\0"
    circle = b"\x01\0" + struct.pack("<HHII", 0x8769, 4, 1, 8)
    huge = b"\xff\xff" + struct.pack("<HHII", 0x0110, 2, 2**32 - 1, 8) * 65535
    for body in (circle, huge, huge.replace(b"\x10\x01\x02", b"\x10\x01\x05"), b"", b"\x01"):
        begun = time.process_time()
        assert known(head + body).camera == ""
        assert time.process_time() - begun < 0.2


def test_iptc_of_a_tiff_file_is_read_whatever_its_numbers_are_called() -> None:
    block = make_iptc((25, b"grandma"))
    block += bytes(-len(block) % 4)
    head = b"II*\0\x08\0\0\0\x01\0"
    for kind, amount in ((4, len(block) // 4), (7, len(block))):
        entry = struct.pack("<HHII", 0x83BB, kind, amount, len(head) + 16)
        assert known(head + entry + bytes(4) + block).keywords == ("grandma",)


# -- XMP that is meant to do harm --------------------------------------------------------------------------------------


def test_entities_are_neither_expanded_nor_fetched() -> None:
    bomb = b"<!DOCTYPE x [<!ENTITY a 'aaaaaaaaaa'>" + b"".join(
        b"<!ENTITY %c '%s'>" % (98 + step, b"&%c;" % (97 + step) * 10) for step in range(12)
    )
    secret = b"<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>"
    for start in (bomb, secret):
        packet = start + b"]>" + make_xmp("", bag("dc:title", "&a;"))
        begun = time.process_time()
        assert xmp.properties_of(packet) == {}
        assert time.process_time() - begun < 0.2


def test_five_megabytes_of_xmp_cost_no_more_than_one() -> None:
    wanted = bag("dc:subject", "grandma")
    for filler in ("<xmpMM:a/>", "<xmpMM:a>", "x", "<!-- -->"):
        packet = make_xmp("xmp:Rating='4'", wanted + filler * (5 * 2**20 // len(filler)) + bag("dc:title", "far out"))
        begun = time.process_time()
        metadata = xmp.metadata_of_xmp(packet)
        assert (metadata.keywords, metadata.rating, metadata.title) == (("grandma",), 4, "")
        assert time.process_time() - begun < 2.0


def test_what_a_picture_was_made_from_is_not_taken_for_the_picture() -> None:
    inner = "<rdf:Description dc:title='no' xmp:Rating='1'><dc:title>no</dc:title></rdf:Description>"
    elements = f"<xmpMM:Pantry><rdf:Bag><rdf:li>{inner}</rdf:li></rdf:Bag></xmpMM:Pantry>" + bag("dc:title", "yes")
    metadata = xmp.metadata_of_xmp(make_xmp("", elements))
    assert (metadata.title, metadata.rating) == ("yes", None)


def test_xmp_in_other_encodings_or_half_broken_is_read_as_far_as_it_goes() -> None:
    text = make_xmp("MicrosoftPhoto:Rating='75'", bag("dc:title", "Zürich")).decode()
    for packet in (text.encode("utf-16"), text.encode("latin-1", "replace"), b"\0\n" + text.encode() + b"\0\0 rest"):
        metadata = xmp.metadata_of_xmp(packet)
        assert (metadata.title, metadata.rating) == ("Zürich", 4)
    assert xmp.metadata_of_xmp(text.encode()[: text.index("</dc:title>") - 10]).rating == 4
    place = make_xmp("exif:GPSLatitude='38,42.5N' exif:GPSLongitude='9,8,6W' tiff:Make='Canon' tiff:Model='Canon R5'")
    metadata = xmp.metadata_of_xmp(place)
    assert (metadata.latitude, metadata.longitude) == (pytest.approx(38.7083333), pytest.approx(-9.135))
    assert metadata.camera == "Canon R5"


def test_a_text_that_unpacks_to_gigabytes_is_cut() -> None:
    packer = zlib.compressobj()
    packed = b"".join([packer.compress(bytes(10**7)) for _ in range(30)] + [packer.flush()])
    body = b"Title\0\0" + packed
    chunk = len(body).to_bytes(4, "big") + b"zTXt" + body + zlib.crc32(b"zTXt" + body).to_bytes(4, "big")
    begun = time.process_time()
    assert known(png_with(("Software", "x"), late=chunk)).software == "x"
    assert time.process_time() - begun < 1.0
    assert Image.open(io.BytesIO(png_with())).size == (40, 30)
