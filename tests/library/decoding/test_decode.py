"""Every odd picture ends upright, in sRGB, with 8 bits; every broken one in a reason of a few words."""

from __future__ import annotations

import contextlib
import io
import struct
import threading
import time
import zlib
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from atlas_rt.errors import DecodeError
from atlas_rt.library.decoding.decode import Decoded, read_image, read_picture
from atlas_rt.library.decoding.stored_picture import PIXELS_MAX, Enough

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # as the module itself sets it, which pytest undoes

RED, GREEN, BLUE, YELLOW = (220, 30, 30), (30, 200, 40), (30, 60, 220), (230, 220, 40)
UPRIGHT = [RED, GREEN, BLUE, YELLOW]
WAYS_BACK = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""How a camera stores an upright picture that it marks with each orientation."""


def quarters(width: int = 160, height: int = 80) -> Image.Image:
    """A picture whose quarters tell which way is up: red, green above blue, yellow."""
    pixels = np.empty((height, width, 3), np.uint8)
    pixels[: height // 2, : width // 2], pixels[: height // 2, width // 2 :] = RED, GREEN
    pixels[height // 2 :, : width // 2], pixels[height // 2 :, width // 2 :] = BLUE, YELLOW
    return Image.fromarray(pixels)


def saved(image: Image.Image, format_: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format_, **options)
    return buffer.getvalue()


def read(data: bytes, **options: Any) -> Decoded:
    return read_image(data, target_px=224, **options)


def colours(decoded: Decoded) -> list[tuple[int, ...]]:
    """In the middle of the quarters: top left, top right, bottom left, bottom right."""
    pixels = np.asarray(decoded.image.convert("RGB"))
    height, width = pixels.shape[:2]
    return [
        tuple(int(v) for v in pixels[y, x])
        for y in (height // 4, 3 * height // 4)
        for x in (width // 4, 3 * width // 4)
    ]


def assert_like(found: Sequence[tuple[int, ...]], expected: Sequence[tuple[int, ...]], within: int) -> None:
    assert np.abs(np.array(found) - np.array(expected)).max() <= within, (found, expected)


@pytest.mark.parametrize("format_", ["JPEG", "PNG", "TIFF", "WEBP", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_all_orientations_end_upright(format_: str, orientation: int) -> None:
    way = WAYS_BACK[orientation]
    stored = quarters() if way is None else quarters().transpose(way)
    exif = Image.Exif()
    exif[0x0112] = orientation
    settings: dict[str, dict[str, Any]] = {"JPEG": {"quality": 95}, "WEBP": {"lossless": True}}
    options = settings.get(format_, {})
    decoded = read(saved(stored, format_, exif=exif, **options))
    assert (decoded.width_px, decoded.height_px) == (160, 80)
    assert decoded.image.size == (160, 80)
    assert_like(colours(decoded), UPRIGHT, within=12)


def test_orientation_holds_for_a_reduced_jpeg() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    stored = quarters(2400, 1200).transpose(Image.Transpose.ROTATE_90)
    decoded = read(saved(stored, "JPEG", exif=exif))
    assert (decoded.width_px, decoded.height_px) == (2400, 1200)
    assert decoded.image.size == (1200, 600)
    assert_like(colours(decoded), UPRIGHT, within=8)


def test_a_broken_orientation_is_ignored() -> None:
    data = saved(quarters(), "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff")
    assert_like(colours(read(data)), UPRIGHT, within=8)
    exif = Image.Exif()
    exif[0x0112] = 77
    assert read(saved(quarters(), exif=exif)).image.size == (160, 80)


@pytest.mark.parametrize("format_", ["JPEG", "PNG", "BMP"])
@pytest.mark.parametrize(("width", "height"), [(4000, 3000), (3000, 4000), (900, 900), (447, 100), (9000, 1000)])
def test_no_more_is_kept_than_needed_and_no_less(format_: str, width: int, height: int) -> None:
    decoded = read(saved(quarters(width, height), format_))
    long, short = max(decoded.image.size), min(decoded.image.size)
    assert long >= min(672, max(width, height))
    assert short >= min(128, width, height)
    assert long <= 2 * 672 or short < 2 * 128
    assert (decoded.width_px, decoded.height_px) == (width, height)
    assert abs(decoded.image.width / decoded.image.height - width / height) < 0.02 * width / height


def test_a_crop_keeps_enough_on_the_short_side() -> None:
    data = saved(quarters(4000, 2000), "JPEG")
    assert min(read(data, fit="crop").image.size) >= 672
    assert min(read(data, fit="squash").image.size) >= 672
    assert min(read(data).image.size) < 672


def test_wide_gamut_colours_come_to_srgb() -> None:
    """A linear-light profile: its middle grey is much brighter in sRGB."""
    data = saved(Image.new("RGB", (40, 40), (55, 55, 55)), icc_profile=linear_profile())
    assert_like(colours(read(data)), [(128, 128, 128)] * 4, within=3)


def test_a_profile_holds_beside_transparency() -> None:
    image = Image.new("RGBA", (40, 40), (55, 55, 55, 255))
    image.paste((0, 0, 0, 0), (0, 0, 10, 40))
    decoded = read(saved(image, icc_profile=linear_profile()))
    assert decoded.image.mode == "RGBA"
    pixel = decoded.image.getpixel((30, 20))
    assert isinstance(pixel, tuple)
    assert abs(pixel[0] - 128) <= 3
    assert pixel[3] == 255


@pytest.mark.parametrize(
    "profile", [b"not a profile", ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()]
)
def test_srgb_and_damaged_profiles_change_nothing(profile: bytes) -> None:
    assert_like(colours(read(saved(quarters(), icc_profile=profile))), UPRIGHT, within=0)


def test_cmyk_and_grey_become_rgb() -> None:
    decoded = read(saved(quarters().convert("CMYK"), "JPEG", quality=95))
    assert decoded.image.mode == "RGB"
    assert_like(colours(decoded), UPRIGHT, within=12)
    for mode, format_ in (("CMYK", "TIFF"), ("LAB", "TIFF"), ("YCbCr", "TIFF")):
        image = quarters() if mode == "LAB" else quarters().convert(mode)
        if mode == "LAB":
            image = to_lab(image)
        assert_like(colours(read(saved(image, format_))), UPRIGHT, within=14)
    assert colours(read(saved(Image.new("L", (9, 9), 77), "JPEG"))) == [(77, 77, 77)] * 4
    assert colours(read(saved(Image.new("1", (9, 9), 1)))) == [(255, 255, 255)] * 4


@pytest.mark.parametrize("format_", ["PNG", "TIFF"])
def test_sixteen_bits_are_scaled_not_clipped(format_: str) -> None:
    values = np.array([[0, 257 * 64], [257 * 128, 65535]], np.uint16).repeat(20, 0).repeat(20, 1)
    grey = [colour[0] for colour in colours(read(saved(Image.fromarray(values), format_)))]
    assert grey == [0, 64, 128, 255]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([[0, 0.25], [0.5, 1]], np.float32), [0, 64, 128, 255]),
        (np.array([[0, 64], [128, 255]], np.float32), [0, 64, 128, 255]),
        (np.array([[-10, 0], [np.nan, 10]], np.float32), [0, 128, 128, 255]),
        (np.array([[0, 257 * 64], [257 * 128, 65535]], np.int32), [0, 64, 128, 255]),
        (np.array([[7, 7], [7, 7]], np.int32), [7, 7, 7, 7]),
    ],
)
def test_floats_and_wide_integers_find_their_range(values: Any, expected: list[int]) -> None:
    image = Image.fromarray(values.repeat(20, 0).repeat(20, 1))
    assert [colour[0] for colour in colours(read(saved(image, "TIFF")))] == expected


def test_transparency_in_all_its_forms() -> None:
    half = Image.new("RGBA", (40, 20), (*RED, 255))
    half.paste((0, 0, 0, 0), (0, 0, 20, 20))
    palette = Image.new("P", (40, 20), 1)
    palette.putpalette([0, 0, 0, *RED])
    palette.paste(0, (0, 0, 20, 20))
    grey = half.convert("LA")
    cases = [saved(half), saved(half, "WEBP", lossless=True), saved(palette, transparency=0), saved(grey)]
    cases += [saved(palette, transparency=bytes([0, 255])), saved(palette, "GIF", transparency=0), saved(half, "TIFF")]
    keyed = Image.new("RGB", (40, 20), RED)
    keyed.paste((1, 2, 3), (0, 0, 20, 20))
    cases.append(saved(keyed, transparency=(1, 2, 3)))
    for data in cases:
        decoded = read(data)
        assert decoded.image.mode == "RGBA"
        alpha = np.asarray(decoded.image)[..., 3]
        assert alpha[10, 5] == 0
        assert alpha[10, 30] == 255


def test_an_alpha_channel_that_hides_nothing_is_dropped() -> None:
    assert read(saved(Image.new("RGBA", (9, 9), (*RED, 255)))).image.mode == "RGB"


@pytest.mark.parametrize("format_", ["GIF", "PNG", "WEBP", "TIFF", "MPO"])
def test_of_several_pictures_the_first_is_shown(format_: str) -> None:
    later = [Image.new("RGB", (40, 20), BLUE), Image.new("RGB", (40, 20), GREEN)]
    data = saved(Image.new("RGB", (40, 20), RED), format_, save_all=True, append_images=later)
    assert_like(colours(read(data)), [RED] * 4, within=6)


@pytest.mark.parametrize(("width", "height"), [(1, 1), (1, 5000), (5000, 1), (2, 3)])
@pytest.mark.parametrize("format_", ["JPEG", "PNG"])
def test_tiny_and_extreme_pictures_are_fine(width: int, height: int, format_: str) -> None:
    decoded = read(saved(Image.new("RGB", (width, height), RED), format_))
    assert (decoded.width_px, decoded.height_px) == (width, height)
    assert min(decoded.image.size) >= 1


def test_the_name_does_not_matter() -> None:
    assert_like(colours(read(saved(quarters()), suffix=".jpg")), UPRIGHT, within=0)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "the file is empty"),
        (b"just some text\n" * 50, "it is not a picture in a known format"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "it is not a picture in a known format"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "it is not a picture in a known format"),
        (saved(quarters(900, 900), "JPEG")[:900], "the file is cut short"),
        (saved(quarters(900, 900), "JPEG")[:30], "the file is cut short"),
        (saved(quarters(900, 900))[:60], "the file is cut short"),
        (saved(quarters(), "TIFF", compression="tiff_lzw")[:500], "the file is cut short"),
        (saved(quarters(), "GIF")[:200], "the file is cut short"),
        (saved(quarters(), "WEBP")[:60], "the file is cut short"),
        (saved(quarters(), "AVIF")[:200], "the file is cut short"),
        (b"\xff\xd8\xff" + bytes(500), "damaged|not a picture|cut short"),
        (b"\x89PNG\r\n\x1a\n" + bytes(500), "damaged|not a picture|cut short"),
    ],
)
def test_what_is_no_picture_gets_a_plain_reason(data: bytes, reason: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(DecodeError, match=reason) as raised:
        read(data)
    assert "0x" not in str(raised.value)
    assert len(str(raised.value)) < 80
    assert capfd.readouterr() == ("", "")


def test_a_bomb_is_refused_before_it_is_decoded() -> None:
    side = 30_000
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)), (b"IDAT", zlib.compress(bytes(10)))]
    data = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in [*chunks, (b"IEND", b"")]
    )
    with pytest.raises(DecodeError, match=f"it has 900 megapixels, more than the {PIXELS_MAX // 1_000_000} that are"):
        read(data)


def test_flipped_bits_never_escape_as_anything_but_a_reason() -> None:
    random = np.random.default_rng(7)
    for format_ in ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "AVIF", "BMP"):
        whole = saved(quarters(), format_)
        for _ in range(25):
            data = bytearray(whole)
            for place in random.integers(0, len(data), 6):
                data[place] ^= 1 << int(random.integers(8))
            with contextlib.suppress(DecodeError):
                assert read(bytes(data)).image.mode in ("RGB", "RGBA")


def test_threads_share_profiles() -> None:
    data = saved(Image.new("RGB", (300, 300), (55, 55, 55)), icc_profile=linear_profile())
    results: list[list[tuple[int, ...]]] = []
    threads = [threading.Thread(target=lambda: results.append(colours(read(data)))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 8
    assert all(result == results[0] for result in results)


def test_a_large_photograph_is_much_faster_than_decoding_it_whole() -> None:
    random = np.random.default_rng(0)
    image = Image.fromarray(random.integers(0, 256, (375, 500, 3), np.uint8)).resize(
        (4000, 3000), Image.Resampling.BICUBIC
    )
    data = saved(image, "JPEG", quality=90)

    def whole() -> None:
        Image.open(io.BytesIO(data)).convert("RGB").resize((224, 168), Image.Resampling.BICUBIC)

    def ours() -> None:
        read(data).image.resize((224, 168), Image.Resampling.BICUBIC)

    assert fastest(whole) > 2.5 * fastest(ours)


def test_a_picture_for_the_panel_keeps_what_it_needs() -> None:
    data = saved(quarters(4000, 2000), "JPEG")
    assert read_picture(data, enough=Enough(1200, 1)).image.size == (2000, 1000)


@pytest.mark.skipif(find_spec("pillow_heif") is None, reason="pillow_heif is not installed")
def test_heic_is_read_upright() -> None:
    import pillow_heif

    pillow_heif.register_heif_opener()
    exif = Image.Exif()
    exif[0x0112] = 6
    stored = quarters().transpose(Image.Transpose.ROTATE_90)
    decoded = read(saved(stored, "HEIF", exif=exif.tobytes()), suffix=".heic")
    assert (decoded.width_px, decoded.height_px) == (160, 80)
    assert_like(colours(decoded), UPRIGHT, within=14)


@pytest.mark.skipif(find_spec("rawpy") is None, reason="rawpy is not installed")
def test_a_raw_file_that_is_none_gets_a_reason() -> None:
    with pytest.raises(DecodeError, match=r"cannot be read|damaged"):
        read(b"no camera wrote this" * 100, suffix=".nef")


def fastest(call: Any) -> float:
    times = []
    for _ in range(3):
        begun = time.perf_counter()
        call()
        times.append(time.perf_counter() - begun)
    return min(times)


def to_lab(image: Image.Image) -> Image.Image:
    way = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")
    converted = ImageCms.applyTransform(image, way)
    assert converted is not None
    return converted


def linear_profile() -> bytes:
    """A minimal ICC v2 matrix profile: sRGB primaries (adapted to D50), gamma 1."""

    def xyz(x: float, y: float, z: float) -> bytes:
        return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(value * 65536) for value in (x, y, z)))

    curve = b"curv\0\0\0\0" + struct.pack(">I", 0)
    tags = {
        b"wtpt": xyz(0.9642, 1.0, 0.8249),
        b"rXYZ": xyz(0.4361, 0.2225, 0.0139),
        b"gXYZ": xyz(0.3851, 0.7169, 0.0971),
        b"bXYZ": xyz(0.1431, 0.0606, 0.7141),
        b"rTRC": curve,
        b"gTRC": curve,
        b"bTRC": curve,
        b"desc": b"desc\0\0\0\0" + struct.pack(">I", 7) + b"linear\0" + bytes(79),
        b"cprt": b"text\0\0\0\0none\0",
    }
    table, body, offset = b"", b"", 128 + 4 + 12 * len(tags)
    for name, content in tags.items():
        table += name + struct.pack(">II", offset + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    head = struct.pack(">I4sI4s4s4s", 0, b"\0\0\0\0", 0x02100000, b"mntr", b"RGB ", b"XYZ ")
    head += bytes(12) + b"acsp" + bytes(28) + struct.pack(">3i", 63190, 65536, 54061)
    whole = head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body
    return struct.pack(">I", len(whole)) + whole[4:]


def test_jpeg_xl_is_read_and_turned_once() -> None:
    pylibjxl = pytest.importorskip("pylibjxl", reason="the extra formats is not installed")
    pixels = np.zeros((60, 90, 3), np.uint8)
    pixels[:, :45] = 250, 10, 10
    exif = Image.Exif()
    exif[0x0112] = 6  # libjxl turns pictures itself, by what the stream says
    decoded = read_image(pylibjxl.encode(pixels, exif=exif.tobytes()), target_px=64, suffix=".jxl")
    assert (decoded.width_px, decoded.height_px, decoded.image.getpixel((5, 5))) == (90, 60, (250, 10, 10))
