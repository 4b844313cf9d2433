"""The Python behind the scripts: reading packages, choosing and changing pictures, tables."""

from __future__ import annotations

import io
import random
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import bench
import demo_photographs
import demo_pictures
import make_demo
import pytest
import zstandard
from debian_packages import PackageError, fetch
from demo_pictures import Picture
from emoji_font import spoken
from PIL import Image
from qt_resources import ResourceError, read_resources

SCRIPTS = Path(__file__).resolve().parents[1] / "scripts"


def png(colour: str, size_px: tuple[int, int] = (40, 30)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size_px, colour).save(out, "PNG")
    return out.getvalue()


def resource_file(files: dict[str, tuple[int, bytes]]) -> bytes:
    """A Qt resource file of version 3 with one folder `pictures`: name -> (flags, stored bytes)."""
    names, name_at = b"", {}
    for name in ("pictures", *files):
        name_at[name] = len(names)
        names += struct.pack(">HI", len(name), 0) + name.encode("utf-16-be")
    tree = struct.pack(">IHII", 0, 2, 1, 1) + bytes(8)
    tree += struct.pack(">IHII", name_at["pictures"], 2, len(files), 2) + bytes(8)
    data = b""
    for name, (flags, stored) in files.items():
        tree += struct.pack(">IHHHI", name_at[name], flags, 0, 1, len(data)) + bytes(8)
        data += struct.pack(">I", len(stored)) + stored
    at = 20
    return b"qres" + struct.pack(">IIII", 3, at, at + len(tree), at + len(tree) + len(data)) + tree + data + names


def test_qt_resources_are_read_plain_and_compressed(tmp_path: Path) -> None:
    body = b"a picture, a picture, a picture"
    stored = {
        "plain.png": (0, body),
        "zlib.png": (1, struct.pack(">I", len(body)) + zlib.compress(body)),
        "zstandard.png": (4, zstandard.ZstdCompressor().compress(body)),
    }
    file = tmp_path / "some.rcc"
    file.write_bytes(resource_file(stored))
    assert dict(read_resources(file)) == {f"pictures/{name}": body for name in stored}


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"qres\0\0", resource_file({"a.png": (1, b"\0\0\0\0junk")})])
def test_damaged_qt_resources_are_an_error_that_names_the_file(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "damaged.rcc"
    file.write_bytes(content)
    with pytest.raises(ResourceError, match=r"damaged\.rcc"):
        list(read_resources(file))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("\N{GRINNING FACE}", "grinning face"),
        ("\N{WOMAN}\N{EMOJI MODIFIER FITZPATRICK TYPE-4}\N{ZERO WIDTH JOINER}\N{ROCKET}", "woman skin-4 rocket"),
        ("\N{REGIONAL INDICATOR SYMBOL LETTER S}\N{REGIONAL INDICATOR SYMBOL LETTER E}", "flag se"),
        ("\N{WAVING BLACK FLAG}\N{TAG LATIN SMALL LETTER G}\N{TAG LATIN SMALL LETTER B}\N{CANCEL TAG}", "flag gb"),
        ("\N{REGIONAL INDICATOR SYMBOL LETTER S}", ""),
    ],
)
def test_emoji_are_named_by_their_characters(text: str, name: str) -> None:
    assert spoken(tuple(map(ord, text))) == name


def test_the_choice_is_repeatable_has_no_doubles_and_takes_symbols_last() -> None:
    pictures = [Picture("p", f"{colour}.png", png(colour)) for colour in ("red", "green", "blue")]
    pictures += [Picture("p", "symbol.png", png("white"), rank=1), Picture("p", "red again.png", png("red"))]
    pictures += [Picture("p", "broken.png", b"no picture")]

    def names(count: int, *, repeat: bool = False, seed: int = 0) -> list[str]:
        return [p.name for p in demo_pictures.choose(pictures, count=count, repeat=repeat, seed=seed)]

    assert len(names(10)) == 4
    assert names(10)[-1] == "symbol.png"
    assert names(3) == names(10)[:3]
    assert len({tuple(names(3, seed=seed)) for seed in range(9)}) > 1
    copies = demo_pictures.choose(pictures, count=10, repeat=True, seed=0)
    assert [picture.copy for picture in copies] == [0] * 4 + [1] * 4 + [2] * 2


def test_a_copy_is_alike_but_not_the_same_and_always_made_the_same_way(tmp_path: Path) -> None:
    original = Picture("p", "sub/red.png", png("red"))
    copies = [Picture("p", original.name, original.content, copy=number) for number in (1, 2)]
    for picture in (original, *copies):
        size = demo_pictures.write(picture, tmp_path, seed=0)
        assert size > 0
    assert sorted(p.name for p in (tmp_path / "sub").iterdir()) == ["red, copy 1.png", "red, copy 2.png", "red.png"]
    first = demo_pictures.changed(original.content, random.Random("0 sub/red.png 1"))
    assert (tmp_path / "sub/red, copy 1.png").read_bytes() == first != original.content
    with Image.open(io.BytesIO(first)) as image:
        red, green, blue = image.convert("RGB").getpixel((image.width // 2, image.height // 2))  # type: ignore[misc]
        assert 32 <= image.width <= 40
        assert red > 200 > max(green, blue)


def test_photographs_are_cut_from_inside_at_the_right_aspect_and_size(tmp_path: Path) -> None:
    boxes = {demo_photographs.crop_box((1920, 1200), random.Random(number)) for number in range(50)}
    assert len(boxes) == 50
    for left, top, right, bottom in boxes:
        assert 0 <= left < right <= 1920.001
        assert 0 <= top < bottom <= 1200.001
        assert (right - left) / (bottom - top) == pytest.approx(4 / 3)
    wallpaper = tmp_path / "By_the_Water.png"
    wallpaper.write_bytes(png("teal", (160, 100)))
    one = demo_photographs.Wallpaper("p", wallpaper, 1)
    written = demo_photographs.write(one, tmp_path / "out", seed=0)
    (photograph,) = (tmp_path / "out").iterdir()
    with Image.open(photograph) as image:
        assert (photograph.name, image.size, image.format) == ("By the Water 0001.jpg", (4000, 3000), "JPEG")
    assert written == photograph.stat().st_size


def test_a_drawing_that_is_not_in_the_public_domain_is_refused(tmp_path: Path) -> None:
    svg = tmp_path / "drawing.svg"
    rdf = (
        "<rdf:RDF><dc:title>A pear</dc:title><dc:creator><cc:Agent><dc:title>N. B. (n@b.example)</dc:title></cc:Agent>"
    )
    svg.write_text(f'<svg>{rdf}</dc:creator><license resource=".../PublicDomain"/></rdf:RDF></svg>')
    assert make_demo.read_credit(svg) == make_demo.Credit("A pear", "N. B.")
    svg.write_text(f"<svg>{rdf}</dc:creator></rdf:RDF></svg>")
    with pytest.raises(make_demo.DemoError, match="public domain"):
        make_demo.read_credit(svg)


def test_without_apt_a_sentence_says_what_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PackageError, match="Debian"):
        fetch(["scratch"], tmp_path)


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.jpg").touch()
    command = [sys.executable, SCRIPTS / "demo_images.py", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("demo-images: it fills a new or an empty folder")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.jpg"]


def test_the_table_of_measurements_says_what_holds_and_what_failed() -> None:
    bar = {"name": "median", "value": 1.23456, "unit": "s", "sense": "at most", "bar": 2, "holds": True}
    reports = [
        bench.Report("start", {"machine": {"cores": 2}, "bars": [bar, bar | {"value": 3, "holds": False}]}),
        bench.Report("frame", None, "exit code 3"),
    ]
    lines = list(bench.markdown(reports))
    assert lines[0] == "Measured on cores 2."
    assert "| start | median | 1.235 s | at most 2 s | yes |" in lines
    assert "| start | median | 3 s | at most 2 s | **no** |" in lines
    assert "`bench frame` failed: exit code 3." in lines[-1]
