"""Recycle bins, system folders and hidden files of every system are passed over, and what merely sounds so is not."""

from __future__ import annotations

import pytest

from atlas_rt.library.hidden import is_passed_over

ALWAYS = [
    *("$RECYCLE.BIN", "$Recycle.Bin", "RECYCLER", "recycled", "System Volume Information", "SYSTEM VOLUME INFORMATION"),
    *(".Trash", ".Trashes", ".Spotlight-V100", ".fseventsd", ".DocumentRevisions-V100", ".TemporaryItems"),
    *(".AppleDouble", "._IMG_1.jpg", "Network Trash Folder", "lost+found", ".Trash-1000", ".thumbnails"),
    *("#recycle", "@eaDir", "@EADIR", "#snapshot", "@Recycle", "@recycle", "@Recently-Snapshot", ".@__thumb"),
    *(".snapshot", ".recycle", ".zfs", ".trashed-1699999999-IMG_1.jpg"),
]
HIDDEN = [".git", ".cache", ".hidden.png", ".Trash-bin", ".picasaoriginals", "..."]
SHOWN = ["Recycle", "Trash", "recycled art", "Lost+Found", "$money", "#1.png", "@home", "System", "thumbnails", "_.png"]


@pytest.mark.parametrize(
    "name", [*ALWAYS, "System Volume Information", "SYSTEM VOLUME INFORMATION", "Network Trash Folder"]
)
def test_what_no_person_put_there_is_always_passed_over(name: str) -> None:
    assert is_passed_over(name, "pictures", hidden=False)
    assert is_passed_over(name, "pictures", hidden=True)


@pytest.mark.parametrize("name", HIDDEN)
def test_what_is_hidden_is_passed_over_unless_asked_for(name: str) -> None:
    assert is_passed_over(name, "pictures", hidden=False)
    assert not is_passed_over(name, "pictures", hidden=True)


@pytest.mark.parametrize("name", SHOWN)
def test_what_sounds_so_is_shown(name: str) -> None:
    assert not is_passed_over(name, "pictures", hidden=False)


def test_bins_and_thumbnails_of_linux_desktops_are_known_by_where_they_lie() -> None:
    assert is_passed_over("Trash", "share", hidden=True)
    assert is_passed_over("thumbnails", ".cache", hidden=True)
