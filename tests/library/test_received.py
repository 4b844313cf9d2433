"""Images that other programs have sent: what their files are called, and that each is kept once."""

from __future__ import annotations

from pathlib import Path

import pytest

from atlas_rt.core.images import LibraryPlace
from atlas_rt.errors import MissingError
from atlas_rt.library.received import keep, received_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return received_folder(tmp_path / "data", LibraryPlace(tmp_path / "libraries" / "0123456789abcdef", ()))


def test_a_file_is_named_by_its_content_and_kept_once(folder: Path, tmp_path: Path) -> None:
    assert folder == tmp_path / "data/received/0123456789abcdef"
    path, new = keep(folder, b"a picture", name="../../beach at dusk.jpeg", suffix=".jpg")
    assert (path.parent, path.name[:14], path.suffix, new) == (folder, "beach-at-dusk-", ".jpg", True)
    assert path.read_bytes() == b"a picture"
    assert keep(folder, b"a picture", name="another name", suffix=".jpg") == (path, False)
    other, new = keep(folder, b"another", name="/", suffix=".png")
    assert (other.suffix, new, other.stem.isalnum()) == (".png", True, True)
    assert sorted(folder.iterdir()) == sorted([path, other])
    assert not list((folder.parent / ".incoming").iterdir())


def test_a_folder_that_cannot_be_written_is_said(folder: Path) -> None:
    folder.parent.parent.mkdir()
    folder.parent.write_text("a file in its place")
    with pytest.raises(MissingError, match="A file stands where the folder for received images must be"):
        keep(folder, b"a picture", name="", suffix=".jpg")
