"""RAW files, sidecars and the pictures they belong to, as a scan finds them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from atlas_rt.library import formats, walking
from atlas_rt.library.metadata.sidecars import Sidecars
from atlas_rt.library.pairs import raw_of
from atlas_rt.library.scanning import Scanner, scan
from tests.library.metadata.pictures import saved


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "shots"
    folder.mkdir()
    for name in ("IMG_1.JPG", "IMG_2.jpg", "other.png", "b.IMG_1.JPG"):
        (folder / name).write_bytes(saved())
    for name in ("IMG_1.CR2", "IMG_3.CR2", "other.dng"):
        (folder / name).write_bytes(b"II*\0")
    return folder


def names(scanner: Scanner, folder: Path) -> list[str]:
    """Of what a scan that reads only what changed finds; another scan of everything finds the same."""
    found = scanner.scan([str(folder)], changed=[])
    assert found.files == scan([str(folder)]).files
    assert found.skipped == scan([str(folder)]).skipped
    return [Path(file.path).name for file in found.files]


@pytest.fixture
def readable(monkeypatch: pytest.MonkeyPatch) -> None:
    """As with rawpy, which tells nothing of the names of files."""
    monkeypatch.setattr(walking, "readable_suffixes", lambda: formats.IMAGE_SUFFIXES | formats.RAW_SUFFIXES)


def test_a_shot_is_one_image_and_its_raw_file_comes_and_goes_with_the_jpeg(folder: Path, readable: None) -> None:
    scanner = Scanner()
    assert names(scanner, folder) == ["IMG_1.JPG", "IMG_2.jpg", "IMG_3.CR2", "b.IMG_1.JPG", "other.dng", "other.png"]
    (folder / "IMG_2.NEF").write_bytes(b"II*\0")
    shutil.copy(folder / "IMG_1.JPG", folder / "IMG_3.JPG")
    assert names(scanner, folder) == ["IMG_1.JPG", "IMG_2.jpg", "IMG_3.JPG", "b.IMG_1.JPG", "other.dng", "other.png"]
    broken = scanner.scan([str(folder)], broken=[str(folder / "IMG_1.JPG")]).files
    assert [Path(file.path).name for file in broken][:2] == ["IMG_1.CR2", "IMG_1.JPG"]
    (folder / "IMG_1.JPG").unlink()
    assert names(scanner, folder)[0] == "IMG_1.CR2"


def test_where_raw_files_are_not_read_only_those_without_a_jpeg_are_missed(folder: Path) -> None:
    if ".cr2" in formats.readable_suffixes():
        pytest.skip("rawpy is here")
    found = scan([str(folder)])
    assert (len(found.files), found.skipped, found.missing_formats) == (4, 2, {"RAW": 2})


def test_a_raw_file_is_named_by_the_picture_of_its_shot(folder: Path) -> None:
    assert raw_of(str(folder / "IMG_1.JPG")) == str(folder / "IMG_1.CR2")
    assert [raw_of(str(folder / name)) for name in ("IMG_2.jpg", "other.png", "IMG_3.CR2", "b.IMG_1.JPG")] == [""] * 4


def test_sidecars_are_found_with_their_times(folder: Path) -> None:
    times = {"IMG_1.xmp": 10, "IMG_1.JPG.XMP": 20, "IMG_1.CR2.xmp": 30, "IMG_2.xmp.xmp": 40, "loose.xmp": 50}
    for name, time in times.items():
        (folder / name).write_bytes(b"<x/>")
        os.utime(folder / name, ns=(time, time))
    (folder / "gone.xmp").symlink_to("nowhere")
    os.mkfifo(folder / "IMG_2.xmp")  # which nobody writes: to read it would take for ever
    found = scan([str(folder)])
    assert {Path(path).name: time for path, time in found.sidecars.items()} == times
    sidecars = Sidecars(found.sidecars)
    of = {name: [Path(each).name for each in sidecars.of(str(folder / name))] for name in ("IMG_1.JPG", "IMG_2.jpg")}
    assert of == {"IMG_1.JPG": ["IMG_1.JPG.XMP", "IMG_1.CR2.xmp", "IMG_1.xmp"], "IMG_2.jpg": []}
    assert sidecars.of(str(folder / "b.IMG_1.JPG")) == ()
    assert (sidecars.stamp(str(folder / "IMG_1.JPG")), sidecars.stamp(str(folder / "IMG_2.jpg"))) == (60, 0)
    (folder / "IMG_1.xmp").unlink()
    assert sidecars.packets(str(folder / "IMG_1.JPG")) == [b"<x/>"] * 2
