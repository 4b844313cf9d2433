"""Folders are walked to their images; nothing else gets through, and everything left out is counted."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from atlas_rt.errors import DecodeError, MissingError, UsageError
from atlas_rt.library import file_content, formats, hidden, scanning, sources

Write = Callable[..., Path]


def found(scan: scanning.Scan, root: Path) -> list[str]:
    return [str(Path(file.path).relative_to(root)) for file in scan.files]


def test_a_link_keeps_its_own_name(picture: Write, tmp_path: Path) -> None:
    picture("real/1.png")
    link = tmp_path / "holiday"
    link.symlink_to(tmp_path / "pictures/real")
    assert sources.resolve([str(link)]) == (str(link),)
    assert found(scanning.scan([str(link)]), link) == ["1.png"]


def test_no_permission_is_said(picture: Write, tmp_path: Path) -> None:
    picture("locked/1.png").parent.chmod(0)
    file = picture("open/2.png")
    file.chmod(0)
    with without_privileges(tmp_path):
        for path in (tmp_path / "pictures/locked", file):
            with pytest.raises(UsageError, match=r"It cannot be opened \(no permission to read it\): .*pictures"):
                sources.resolve([str(path)])
        scan = scanning.scan([str(tmp_path / "pictures")])
        assert [(Path(each.path).name, each.reason) for each in scan.unreadable] == [
            ("locked", "no permission to read it")
        ]
        with pytest.raises(DecodeError, match="no permission to read it"):
            file_content.read(str(file))


def test_a_scan_reads_subfolders_and_passes_over_what_is_hidden(picture: Write, tmp_path: Path) -> None:
    for name in ("b.JPG", "a.png", "sub/deep/c.webp", ".hidden.png", ".git/d.png", "@eaDir/e.png", ".thumbnails/f.png"):
        picture(name)
    (tmp_path / "pictures/notes.txt").touch()
    (tmp_path / "pictures/noending").touch()
    scan = scanning.scan([str(tmp_path / "pictures")])
    assert found(scan, tmp_path / "pictures") == ["a.png", "b.JPG", "sub/deep/c.webp"]
    assert scan.skipped == 2 + 4  # other files, and pictures that are passed over
    assert scan.files[0].size == (tmp_path / "pictures/a.png").stat().st_size
    assert scan.files[0].mtime_ns == (tmp_path / "pictures/a.png").stat().st_mtime_ns


def test_hidden_pictures_are_taken_when_asked_for_but_no_recycle_bin(picture: Write, tmp_path: Path) -> None:
    root = tmp_path / "pictures"
    bins = ("$RECYCLE.BIN/S-1-5/x.png", "#recycle/y.png", ".Trash-1000/files/z.png", "._a.png")
    for name in ("a.png", ".b.png", ".private/deep/c.png", "sub/.d.png", *bins):
        picture(name)
    shown, all_ = scanning.scan([str(root)]), scanning.scan([str(root)], hidden=True)
    assert (found(shown, root), shown.skipped) == (["a.png"], 7)
    assert (found(all_, root), all_.skipped) == ([".b.png", ".private/deep/c.png", "a.png", "sub/.d.png"], 4)
    named = scanning.scan([str(root), str(root / ".private")])
    assert (found(named, root), named.skipped) == ([".private/deep/c.png", "a.png"], 6)


def test_pictures_that_are_passed_over_are_counted_within_bounds_and_once(
    picture: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "pictures"
    for name in ("a.png", *(f".cache/{folder}/{i}.png" for folder in range(4) for i in range(5)), ".cache/0/index.db"):
        picture(name) if name.endswith(".png") else (root / name).touch()
    (root / ".cache/around").symlink_to(root)
    scanner = scanning.Scanner()
    assert scanner.scan([str(root)]).skipped == 20
    monkeypatch.setattr(hidden.PassedOver, "_counted", lambda *_: pytest.fail("counted again"))
    assert scanner.scan([str(root)], changed=[str(root)]).skipped == 20
    monkeypatch.undo()
    monkeypatch.setattr(hidden, "PASSED_OVER_ENTRIES_MAX", 12)
    assert 5 <= scanner.scan([str(root)]).skipped < 12
    monkeypatch.undo()
    monkeypatch.setattr(hidden, "PASSED_OVER_FOLDERS_MAX", 3)
    assert scanner.scan([str(root)]).skipped == 10


def test_a_large_hidden_cache_costs_little(tmp_path: Path) -> None:
    for folder in range(20):
        (tmp_path / ".cache" / str(folder)).mkdir(parents=True)
        for i in range(500):
            os.close(os.open(tmp_path / ".cache" / str(folder) / f"{i}.jpg", os.O_CREAT))
    begun = time.process_time()
    assert scanning.scan([str(tmp_path)]).skipped == 10_000
    assert time.process_time() - begun < 0.1  # 0.01 s here: nothing but the listings is read


def test_files_are_sorted_by_path_across_folders(picture: Write, tmp_path: Path) -> None:
    for name in ("a/z.png", "a-b/y.png", "a.png", "Z.png", "ä.png"):
        picture(name)
    paths = [file.path for file in scanning.scan([str(tmp_path / "pictures")]).files]
    assert paths == sorted(paths)


def test_patterns_leave_out_names_paths_and_folders(picture: Write, tmp_path: Path) -> None:
    for name in ("keep.png", "keep_small.png", "drafts/a.png", "year/drafts/b.png", "year/keep.png", "year/raw/c.png"):
        picture(name)
    scan = scanning.scan([str(tmp_path / "pictures")], exclude=["*_small.*", "drafts/", "year/raw"])
    assert found(scan, tmp_path / "pictures") == ["keep.png", "year/keep.png"]
    assert scan.skipped == 1  # the one file; what lies in a folder left out is not looked at


def test_links_cannot_lead_in_circles_and_real_paths_win(picture: Write, tmp_path: Path) -> None:
    root = tmp_path / "pictures"
    picture("z/1.png")
    (root / "a_link").symlink_to(root / "z")
    (root / "z/up").symlink_to(root)
    (root / "nowhere.jpg").symlink_to(root / "missing.jpg")
    (root / "self.png").symlink_to(root / "self.png")
    scan = scanning.scan([str(root)])
    assert found(scan, root) == ["z/1.png"]
    assert {Path(each.path).name: each.reason for each in scan.unreadable} == {
        "nowhere.jpg": "it is no longer there",
        "self.png": "the link leads back to itself",
    }


def test_overlapping_sources_hold_each_image_once(picture: Write, tmp_path: Path) -> None:
    inner = picture("sub/1.png")
    root = tmp_path / "pictures"
    assert found(scanning.scan([str(root), str(root / "sub"), str(inner)]), root) == ["sub/1.png"]


def test_a_pipe_named_like_an_image_is_not_opened(picture: Write, tmp_path: Path) -> None:
    picture("1.png")
    os.mkfifo(tmp_path / "pictures/pipe.jpg")
    scan = scanning.scan([str(tmp_path / "pictures")])
    assert len(scan.files) == 1
    assert scan.skipped == 1


def test_a_vanished_folder_is_unreadable_but_a_deleted_image_is_gone(tmp_path: Path) -> None:
    scan = scanning.scan([str(tmp_path / "unplugged"), str(tmp_path / "deleted.png")])
    assert [each.path for each in scan.unreadable] == [str(tmp_path / "unplugged")]
    assert not scan.files


def test_formats_not_installed_are_counted_and_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "find_spec", lambda _name: None)
    for name in ("a.heic", "b.HEIF", "c.nef", "d.txt", "e.jxl"):
        (tmp_path / name).touch()
    scan = scanning.scan([str(tmp_path)])
    assert (scan.files, scan.skipped, scan.missing_formats) == ((), 5, {"HEIC": 2, "JPEG XL": 1, "RAW": 1})
    with pytest.raises(MissingError, match=r"pip install atlas_rt\[formats\]"):
        sources.resolve([str(tmp_path / "a.heic")])
    monkeypatch.setattr(formats, "find_spec", lambda _name: object())
    assert len(scanning.scan([str(tmp_path)]).files) == 4


def test_names_that_are_no_text_are_found(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.png")
    (tmp_path / name).touch()
    assert [file.path for file in scanning.scan([str(tmp_path)]).files] == [str(tmp_path / name)]


def test_a_second_scan_reads_only_the_folders_that_are_named_or_changed_themselves(
    picture: Write, tmp_path: Path
) -> None:
    source = str(tmp_path / "pictures")
    named, other = picture("named/a.png"), picture("other/b.png")
    (tmp_path / "pictures/other/notes.txt").write_text("no image")
    (tmp_path / "pictures/other/c.heic.part").write_text("no image either")
    scanner = scanning.Scanner(("*.part",))
    first = scanner.scan([source])
    assert first == scanning.scan([source], exclude=("*.part",))
    for file in (named, other):
        file.write_bytes(b"another content")  # the time of the folder stays
    again = {file.path: file.size for file in scanner.scan([source], changed=[str(named.parent)]).files}
    assert again == {str(named): 15, str(other): first.files[1].size}
    assert scanner.scan([source]) == scanning.scan([source], exclude=("*.part",))


def test_what_comes_goes_moves_or_cannot_be_read_is_found_though_nobody_names_it(
    picture: Write, tmp_path: Path
) -> None:
    source, folder = str(tmp_path / "pictures"), tmp_path / "pictures"
    for name in ("a/1.png", "a/deep/2.png", "b/3.png", "c/4.png"):
        picture(name)
    scanner = scanning.Scanner()
    scanner.scan([source])

    def same() -> None:
        assert scanner.scan([source], changed=()) == scanning.scan([source])

    picture("a/deep/new.png")
    same()
    (folder / "b/3.png").unlink()
    same()
    (folder / "a").rename(folder / "d")
    same()
    shutil.rmtree(folder / "c")
    (folder / "d/deep").rename(folder / "c")
    same()
    (folder / "c/link").symlink_to(tmp_path / "nowhere")
    same()
    (folder / "c/link").unlink()
    same()
    folder.rename(tmp_path / "away")
    same()
    (tmp_path / "away").rename(folder)
    same()
    assert [Path(file.path).name for file in scanner.scan([source], changed=()).files] == ["2.png", "new.png", "1.png"]


def test_ten_thousand_files_take_well_under_a_second(tmp_path: Path) -> None:
    for folder in range(100):
        (tmp_path / str(folder)).mkdir()
        for i in range(100):
            os.close(os.open(tmp_path / str(folder) / f"{i}.jpg", os.O_CREAT))
    begun = time.perf_counter()
    assert len(scanning.scan([str(tmp_path)]).files) == 10_000
    assert time.perf_counter() - begun < 0.6  # 0.06 s here; generous for a busy machine


class without_privileges:  # noqa: N801  reads as a statement
    """Act as a person without rights, where the tests run as root (who may read everything)."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> None:
        if os.geteuid() == 0:
            for parent in (self._folder, *list(self._folder.parents)[:-2]):
                parent.chmod(parent.stat().st_mode | 0o055)
            os.seteuid(65534)

    def __exit__(self, *_: object) -> None:
        os.seteuid(os.getuid())
