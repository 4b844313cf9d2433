"""Files that Pillow refuses: what is there of them is shown, and the reason of the rest is the true one."""

from __future__ import annotations

import contextlib
import logging
import os
import struct
import threading
import time
import zlib
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin

from atlas_rt.errors import DecodeError
from atlas_rt.library.decoding import salvage
from atlas_rt.library.decoding.decode import Decoded
from atlas_rt.library.decoding.native_messages import libtiff_is_silent, unheard
from atlas_rt.library.decoding.stored_picture import Enough
from tests.library.decoding.test_decode import UPRIGHT, assert_like, colours, linear_profile, quarters, read, saved

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

RED, GREY = (220, 30, 30), (128, 128, 128)


def painting() -> Image.Image:
    """400 x 300 of soft noise, for which every format needs many bytes, and a red stripe at the left."""
    noise = np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8)
    image = Image.fromarray(noise).resize((400, 300))
    image.paste(RED, (0, 0, 48, 300))
    return image


def with_alpha() -> Image.Image:
    image = painting()
    image.putalpha(Image.linear_gradient("L").resize(image.size).point(lambda level: 255 - level // 2))
    return image


CUT: dict[str, Callable[[], bytes]] = {
    "jpeg": lambda: saved(painting(), "JPEG"),
    "jpeg, cmyk": lambda: saved(painting().convert("CMYK"), "JPEG"),
    "jpeg, grey": lambda: saved(painting().convert("L"), "JPEG"),
    "png": lambda: saved(painting()),
    "png, palette": lambda: saved(painting().quantize(64)),
    "png, alpha": lambda: saved(with_alpha()),
    "webp": lambda: saved(painting(), "WEBP"),
    "webp, lossless": lambda: saved(painting(), "WEBP", lossless=True),
    "webp, alpha": lambda: saved(with_alpha(), "WEBP"),
    "gif": lambda: saved(painting().quantize(64), "GIF", interlace=0),
    "gif, transparent": lambda: saved(painting().quantize(64), "GIF", interlace=0, transparency=63),
    "tiff": lambda: saved(painting(), "TIFF"),
    "avif": lambda: saved(painting(), "AVIF"),
}
"""Files whose rows are stored from the top."""


def stripe(decoded: Decoded, top: float, bottom: float) -> tuple[int, ...]:
    """The mean colour of the stripe from one share of the height to another; fails where it has several."""
    pixels = np.asarray(decoded.image.convert("RGB")).astype(int)
    part = pixels[int(top * len(pixels)) : int(bottom * len(pixels)), 8:32]
    assert np.abs(part - part.mean(axis=(0, 1))).max() < 40, part.reshape(-1, 3)[:: part.size // 30]
    return tuple(part.mean(axis=(0, 1)).astype(int).tolist())


@pytest.mark.parametrize("kind", CUT)
def test_a_picture_is_shown_as_far_as_it_goes(kind: str, capfd: pytest.CaptureFixture[str]) -> None:
    data = CUT[kind]()
    half = read(data[: len(data) // 2])
    assert (half.width_px, half.height_px) == (400, 300)
    percent = int(half.incomplete.removeprefix("the file is cut short: ").removesuffix(" % of its rows are there"))
    assert 25 <= percent <= 70
    there, missing = stripe(half, 0.0, percent / 100 - 0.08), stripe(half, percent / 100 + 0.08, 1.0)
    assert_like([missing], [(64, 64, 64) if kind == "jpeg, cmyk" else GREY], within=6)  # libjpeg: half of each ink
    if kind != "jpeg, grey":
        assert_like([there], [RED], within=24)
    with pytest.raises(DecodeError, match="the file is cut short"):
        read(data[: len(data) // 25])
    assert capfd.readouterr() == ("", "")


def test_a_bitmap_is_stored_from_the_bottom() -> None:
    data = saved(painting(), "BMP")
    half = read(data[: len(data) // 2])
    assert half.incomplete == "the file is cut short: 49 % of its rows are there"
    assert_like([stripe(half, 0.0, 0.48), stripe(half, 0.53, 1.0)], [GREY, RED], within=6)


@pytest.mark.parametrize("kind", ["jpeg", "jpeg, cmyk", "jpeg, grey", "png", "webp", "gif"])
def test_a_picture_that_lacks_only_its_end_marker_is_whole(kind: str) -> None:
    data = CUT[kind]()
    whole, cut = read(data), read(data[:-2])
    assert cut.incomplete == (salvage.END_MISSING if kind.startswith("jpeg") else "")
    assert np.array_equal(np.asarray(cut.image), np.asarray(whole.image))


@pytest.mark.parametrize("kind", ["jpeg", "png", "gif"])
def test_zeros_where_a_download_has_not_come_to_are_no_picture(kind: str) -> None:
    data = CUT[kind]()
    part = read(data[: len(data) // 2] + bytes(len(data) - len(data) // 2))
    assert part.incomplete
    assert_like([stripe(part, 0.0, 0.25), stripe(part, 0.6, 1.0)], [RED, GREY], within=24)


def test_less_than_a_tenth_is_refused_with_how_much_there_is() -> None:
    data = saved(painting())
    with pytest.raises(DecodeError, match="the file is cut short: only 4 % of its rows are there"):
        read(data[: len(data) // 20])
    assert salvage.LEAST_SHARE == 0.1
    assert read(data[: len(data) // 8]).incomplete == "the file is cut short: 12 % of its rows are there"


def test_a_cut_picture_keeps_its_turn_and_its_colours() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    image = Image.new("RGB", (300, 200), (55, 55, 55))
    for data in (
        saved(image, "JPEG", exif=exif, icc_profile=linear_profile()),
        saved(image, icc_profile=linear_profile()),
    ):
        part = read(data[: len(data) - 90 if data.startswith(b"\xff") else len(data) - 30])
        assert part.incomplete
        pixels = np.asarray(part.image)
        start = (
            pixels[:, -3:] if part.height_px == 300 else pixels[:3]
        )  # turned to the right: the first row stands there
        assert np.abs(start.astype(int) - 128).max() <= 4
    assert (part.width_px, part.height_px) == (300, 200)


@pytest.mark.parametrize(
    "data",
    [
        saved(painting(), "JPEG", progressive=True),
        saved(painting().quantize(64), "GIF", interlace=1),
    ],
)
def test_what_is_stored_coarsely_first_lacks_only_detail(data: bytes) -> None:
    part = read(data[: len(data) // 2])
    assert part.incomplete == "the file is cut short: all of its rows are there, but not all of their detail"
    whole = np.asarray(read(data).image.convert("RGB").reduce(8)).astype(int)
    assert np.abs(np.asarray(part.image.convert("RGB").reduce(8)) - whole).mean() < 12


def adam7(image: Image.Image) -> bytes:
    """A PNG stored in seven passes (PNG, 8.2), which Pillow does not write."""
    pixels, passes = np.asarray(image), b""
    for y, x, down, right in (
        (0, 0, 8, 8),
        (0, 4, 8, 8),
        (4, 0, 8, 4),
        (0, 2, 4, 4),
        (2, 0, 4, 2),
        (0, 1, 2, 2),
        (1, 0, 2, 1),
    ):
        passes += b"".join(b"\0" + row.tobytes() for row in pixels[y::down, x::right])
    head = struct.pack(">IIBBBBB", *image.size, 8, 2, 0, 0, 1)
    return png((b"IHDR", head), (b"IDAT", zlib.compress(passes)), (b"IEND", b""))


def png(*chunks: tuple[bytes, bytes]) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in chunks
    )


def test_an_interlaced_png_fills_its_holes() -> None:
    data = adam7(painting())
    assert_like(colours(read(data)), colours(read(saved(painting()))), within=0)
    part = read(data[: len(data) // 3])
    assert part.incomplete.endswith("but not all of their detail")
    whole = np.asarray(painting().reduce(8)).astype(int)
    assert np.abs(np.asarray(part.image.reduce(8)) - whole).mean() < 25


@pytest.mark.parametrize("kind", ["png", "gif"])
def test_damaged_data_are_shown_as_far_as_they_can_be_read(kind: str, capfd: pytest.CaptureFixture[str]) -> None:
    data = CUT[kind]()
    part = read(scratched(data, len(data) // 2))
    assert part.incomplete == "the picture data is damaged: 49 % of its rows can be read"
    assert_like([stripe(part, 0.0, 0.45), stripe(part, 0.53, 1.0)], [RED, GREY], within=2)
    assert capfd.readouterr() == ("", "")


def test_opencv_reads_on_behind_a_damaged_strip(capfd: pytest.CaptureFixture[str]) -> None:
    data = saved(painting(), "TIFF", compression="tiff_lzw")
    assert_like([stripe(read(scratched(data, len(data) // 2)), 0.6, 1.0)], [RED], within=2)
    assert capfd.readouterr() == ("", "")


# Files that are whole, but surrounded by what readers stumble over


def text(*, international: bool, after: bool) -> bytes:
    """A PNG with 3 MB of compressed text, before or behind the picture."""
    info = PngImagePlugin.PngInfo()
    (info.add_itxt if international else info.add_text)("Comment", "words " * 500_000, zip=True)
    data = saved(quarters(), pnginfo=info)
    if not after:
        return data
    start = data.index(b"iTXt" if international else b"zTXt") - 4
    end = start + 12 + int.from_bytes(data[start : start + 4], "big")
    return data[:start] + data[end:-12] + data[start:end] + data[-12:]


@pytest.mark.parametrize("international", [False, True])
@pytest.mark.parametrize("after", [False, True])
def test_a_png_with_megabytes_of_text_is_whole(*, international: bool, after: bool) -> None:
    decoded = read(text(international=international, after=after))
    assert_like(colours(decoded), UPRIGHT, within=0)
    assert decoded.incomplete == ""


def test_a_png_with_megabytes_of_profile_keeps_its_colours() -> None:
    profile = linear_profile()
    large = struct.pack(">I", len(profile) + 2**21) + profile[4:] + bytes(2**21)
    data = saved(Image.new("RGB", (40, 40), (55, 55, 55)), icc_profile=large)
    assert_like(colours(read(data)), [GREY] * 4, within=3)


@pytest.mark.parametrize("stray", ["ff9a00040000", "ff9a", "ff0200040000", "ff9a00"])
@pytest.mark.parametrize("place", [b"\xff\xe0", b"\xff\xdb", b"\xff\xc4", b"\xff\xda"])
def test_a_stray_marker_between_segments_is_passed_over(stray: str, place: bytes) -> None:
    data = saved(quarters(), "JPEG", quality=95)
    at = data.index(place)
    decoded = read(data[:at] + bytes.fromhex(stray) + data[at:])
    assert_like(colours(decoded), UPRIGHT, within=8)
    assert decoded.incomplete == ""


def mpo() -> bytes:
    later = quarters().transpose(Image.Transpose.ROTATE_180)
    return saved(quarters(), "MPO", save_all=True, append_images=[later], quality=95)


def test_a_broken_index_of_further_pictures_does_not_matter() -> None:
    data = mpo()
    index = data.index(b"MPF\0")
    random = np.random.default_rng(3)
    for _ in range(40):
        broken = bytearray(data)
        for place in random.integers(4, 90, 4):
            broken[index + place] = int(random.integers(256))
        assert_like(colours(read(bytes(broken))), UPRIGHT, within=8)
    assert_like(colours(read(data[: data.index(b"\xff\xd9") + 40])), UPRIGHT, within=8)  # the second is cut off


def test_of_an_ultra_hdr_photograph_the_still_is_shown() -> None:
    data = mpo()
    xmp = b'http://ns.adobe.com/xap/1.0/\0<x:xmpmeta><rdf:Description hdrgm:Version="1.0"/></x:xmpmeta>'
    ultra = data[:2] + b"\xff\xe1" + struct.pack(">H", len(xmp) + 2) + xmp + data[2:]
    for each in (ultra, ultra[: len(ultra) - 300], ultra[: ultra.index(b"\xff\xd9") + 2]):
        decoded = read(each)
        assert_like(colours(decoded), UPRIGHT, within=8)
        assert decoded.incomplete == ""


def without_adobe(data: bytes) -> bytes:
    at = data.index(b"\xff\xee")
    return data[:at] + data[at + 2 + int.from_bytes(data[at + 2 : at + 4], "big") :]


def with_transform(data: bytes, transform: int) -> bytes:
    at = data.index(b"\xff\xee") + 15
    return data[:at] + bytes([transform]) + data[at + 1 :]


YCCK_COLOURS = [(172, 0, 209), (255, 187, 97), (96, 255, 255), (148, 0, 0)]
"""What Chromium shows of `quarters` as CMYK that is marked as YCCK."""


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (saved(quarters().convert("CMYK"), "JPEG", quality=95), UPRIGHT),
        (without_adobe(saved(quarters().convert("CMYK"), "JPEG", quality=95)), UPRIGHT),
        (with_transform(saved(quarters().convert("CMYK"), "JPEG", quality=95), 2), YCCK_COLOURS),
        (without_adobe(with_transform(saved(quarters().convert("CMYK"), "JPEG", quality=95), 2)), UPRIGHT),
        (saved(quarters(), "JPEG", quality=95, keep_rgb=True), UPRIGHT),
        (without_adobe(saved(quarters(), "JPEG", quality=95, keep_rgb=True)), UPRIGHT),
    ],
    ids=["cmyk", "cmyk, unmarked", "ycck", "ycck, unmarked", "rgb", "rgb, unmarked"],
)
@pytest.mark.parametrize("stray", [b"", b"\xff\x9a\0\x04\0\0"])
def test_colours_are_those_a_browser_shows(data: bytes, expected: list[tuple[int, ...]], stray: bytes) -> None:
    """Expected values were read from a canvas of Chromium, to the level."""
    assert_like(colours(read(data[:2] + stray + data[2:])), expected, within=1)


def animation(format_: str, **options: Any) -> bytes:
    later = [Image.new("RGB", (160, 80), (0, 0, 0)), Image.new("RGB", (160, 80), (9, 99, 0))]
    return saved(quarters(), format_, save_all=True, append_images=later, duration=50, **options)


def control(data: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """An animated PNG with its frame controls changed."""
    chunks, at = [], 8
    while at < len(data):
        length, name = struct.unpack(">I4s", data[at : at + 8])
        body = data[at + 8 : at + 8 + length]
        chunks.append((name, change(body) if name == b"fcTL" else body))
        at += 12 + length
    return png(*chunks)


def scratched(data: bytes, place: int) -> bytes:
    return data[:place] + b"\xff" * 30 + data[place + 30 :]


BROKEN_ANIMATIONS = {
    "gif, cut": animation("GIF")[:-60],
    "webp, cut": animation("WEBP", lossless=True)[:-30],
    "webp, scratched": scratched(
        animation("WEBP", lossless=True), animation("WEBP", lossless=True).rindex(b"ANMF") + 30
    ),
    "webp, lossy, cut": animation("WEBP", quality=95)[:-30],
    "apng, order": control(animation("PNG"), lambda body: struct.pack(">I", 77) + body[4:]),
    "apng, size": control(animation("PNG"), lambda body: body[:4] + struct.pack(">I", 7000) + body[8:]),
    "apng, cut": animation("PNG")[:-40],
}


@pytest.mark.parametrize("kind", BROKEN_ANIMATIONS)
def test_of_a_broken_animation_the_still_is_shown(kind: str) -> None:
    decoded = read(BROKEN_ANIMATIONS[kind])
    assert_like(colours(decoded), UPRIGHT, within=14)
    assert (decoded.width_px, decoded.height_px, decoded.incomplete) == (160, 80, "")


def test_a_still_that_is_smaller_than_its_canvas_stands_at_its_place() -> None:
    """The first frame as one in the middle of a larger canvas, cut off behind it."""
    data = bytearray(animation("WEBP", lossless=True))
    data[24:30] = struct.pack("<I", 320 - 1)[:3] + struct.pack("<I", 240 - 1)[:3]
    frame = data.index(b"ANMF") + 8
    data[frame : frame + 6] = struct.pack("<I", 80 // 2)[:3] + struct.pack("<I", 60 // 2)[:3]
    decoded = read(bytes(data[:-30]))
    assert (decoded.width_px, decoded.height_px, decoded.image.mode) == (320, 240, "RGBA")
    assert decoded.image.getpixel((10, 10)) == (0, 0, 0, 0)
    assert_like([decoded.image.getpixel((120, 80))[:3]], [UPRIGHT[0]], within=4)  # type: ignore[index]


# The second decoder, reasons, and the terminal


def floats(image: Image.Image) -> bytes:
    """A TIFF of three floats a pixel, as scientists write it."""
    pixels = np.asarray(image)[..., ::-1].astype(np.float32) / 255
    return bytes(cv2.imencode(".tiff", pixels)[1].tobytes())


def test_opencv_is_asked_where_pillow_refuses() -> None:
    decoded = read(floats(quarters()))
    assert_like(colours(decoded), UPRIGHT, within=1)
    assert decoded.incomplete == ""


def test_opencv_is_never_asked_for_a_picture_that_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(*_: object) -> NDArray[np.uint8]:
        raise AssertionError("a bomb was decoded")

    monkeypatch.setattr(cv2, "imdecode", asked)
    data = bytearray(floats(quarters()))
    order = "<" if data[:2] == b"II" else ">"
    at = struct.unpack_from(order + "I", data, 4)[0]
    for entry in range(at + 2, at + 2 + 12 * struct.unpack_from(order + "H", data, at)[0], 12):
        if struct.unpack_from(order + "H", data, entry)[0] in (256, 257):
            struct.pack_into(order + "HHII", data, entry, struct.unpack_from(order + "H", data, entry)[0], 4, 1, 60_000)
    with pytest.raises(DecodeError):
        read(bytes(data))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (
            saved(quarters(), "JPEG").replace(b"\xff\xc0\x00\x11\x08", b"\xff\xc0\x00\x11\x0c"),
            "a variant of its format",
        ),
        (saved(quarters(), "JPEG").replace(b"\xff\xc0", b"\xff\xc3"), "a variant of its format"),
        (saved(quarters(), "AVIF").replace(b"av01", b"xx01"), "damaged"),
        (saved(painting())[:-1000].replace(b"IDAT", b"IDAX", 1), "cut short"),
        (b"BM is how this text begins, which is no bitmap", "it is not a picture in a known format"),
    ],
)
def test_the_reason_is_the_true_one(data: bytes, reason: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(DecodeError, match=reason):
        read(data)
    assert capfd.readouterr() == ("", "")


FUZZED: dict[str, Callable[[], bytes]] = CUT | {
    "jpeg, progressive": lambda: saved(quarters(), "JPEG", progressive=True),
    "mpo": mpo,
    "png, interlaced": lambda: adam7(quarters()),
    "apng": lambda: animation("PNG"),
    "webp, animated": lambda: animation("WEBP"),
    "gif, animated": lambda: animation("GIF"),
    "bmp": lambda: saved(quarters(), "BMP"),
    "tiff, lzw": lambda: saved(quarters(), "TIFF", compression="tiff_lzw"),
    "tiff, jpeg": lambda: saved(quarters(), "TIFF", compression="jpeg"),
    "tiff, floats": lambda: floats(quarters()),
}


@pytest.mark.parametrize("kind", FUZZED)
def test_whatever_is_cut_or_flipped_there_are_pixels_or_one_reason(
    kind: str, capfd: pytest.CaptureFixture[str]
) -> None:
    whole, random = FUZZED[kind](), np.random.default_rng(len(kind))
    cuts = [whole[:place] for place in random.integers(1, len(whole), 20)]
    for _ in range(20):
        flipped = bytearray(whole)
        for place in random.integers(0, len(whole) if random.random() < 0.5 else min(len(whole), 200), 5):
            flipped[place] ^= 1 << int(random.integers(8))
        cuts.append(bytes(flipped))
    for data in cuts:
        try:
            decoded = read(data)
        except DecodeError as error:
            reason = str(error)
        else:
            reason = decoded.incomplete or "none"
            assert decoded.image.mode in ("RGB", "RGBA")
        assert 0 < len(reason) < 100
        assert "\n" not in reason
        assert "0x" not in reason
    assert capfd.readouterr() == ("", "")


def test_threads_that_meet_broken_files_leave_the_terminal_alone_and_as_it_was(
    capfd: pytest.CaptureFixture[str],
) -> None:
    lzw = saved(painting(), "TIFF", compression="tiff_lzw")
    broken = [
        scratched(lzw, len(lzw) // 2),
        scratched(saved(painting()), 60),
        floats(quarters())[:-9000],
        b"BM" + bytes(99),
    ]

    def work(turn: int) -> None:
        for data in broken[turn % 4 :] + broken[: turn % 4]:
            with contextlib.suppress(DecodeError):
                read(data)

    threads = [threading.Thread(target=work, args=(turn,)) for turn in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    os.write(2, b"heard")
    assert capfd.readouterr() == ("", "heard")


def test_what_cannot_be_told_to_be_silent_is_unheard_until_the_last_has_left(capfd: pytest.CaptureFixture[str]) -> None:
    with unheard():
        with unheard():
            os.write(2, b"one ")
        os.write(2, b"two ")
    os.write(2, b"three")
    assert capfd.readouterr().err == "three"


def test_pillows_log_stays_off_the_terminal() -> None:
    """Its errors would reach standard error by Python's handler of last resort."""
    assert not logging.getLogger("PIL.TiffImagePlugin").isEnabledFor(logging.CRITICAL)


def test_a_damaged_header_costs_neither_memory_nor_time() -> None:
    """Few bytes that claim to be millions of pixels are refused before room is made for those."""
    data = png((b"IHDR", struct.pack(">IIBBBBB", 16_000, 16_000, 8, 2, 0, 0, 0)), (b"IDAT", zlib.compress(bytes(10))))
    bitmap = bytearray(saved(quarters(), "BMP"))
    struct.pack_into("<ii", bitmap, 18, 16_000, 16_000)
    for broken in (data, bytes(bitmap)):
        begun = time.process_time()
        with pytest.raises(DecodeError):
            salvage.salvage(broken, Enough(672, 128), OSError("Pillow's"))
        assert time.process_time() - begun < 0.2


def test_libtiff_is_told_to_be_silent() -> None:
    assert libtiff_is_silent()  # on Linux; elsewhere descriptor 2 is turned away


def test_a_sound_picture_is_decoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is looked at again, so sound pictures cost what they did."""
    monkeypatch.setattr(
        "atlas_rt.library.decoding.decode.salvage", lambda *_: pytest.fail("a sound picture was salvaged")
    )
    for format_ in ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"):
        read(saved(quarters(), format_))
