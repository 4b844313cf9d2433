"""Pictures of the view become files, and none is written over."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from atlas_rt.workers.picture_files import PictureFiles, SavedPicture
from tests.libraries import wait_for

RED = np.full((9, 16, 3), (200, 0, 0), np.uint8)


def saved(files: PictureFiles) -> SavedPicture:
    picture: SavedPicture = wait_for(files.take)
    return picture


def test_pictures_of_one_second_get_names_of_their_own(tmp_path: Path) -> None:
    files = PictureFiles()
    for _ in range(4):
        files.save(RED, tmp_path)
    written = [saved(files) for _ in range(4)]
    files.close()
    assert [picture.error for picture in written] == [""] * 4
    assert len({picture.path for picture in written}) == len(list(tmp_path.iterdir())) == 4
    for picture in written:
        assert np.array_equal(np.asarray(Image.open(picture.path)), RED)


def test_a_picture_that_cannot_be_saved_says_why_and_stops_no_other(tmp_path: Path) -> None:
    files = PictureFiles()
    files.save(RED, tmp_path / "missing")
    files.save(RED, tmp_path)
    assert saved(files).error == "No such file or directory"
    assert saved(files).error == ""
    files.close()


def test_what_was_asked_for_is_written_when_the_program_ends(tmp_path: Path) -> None:
    files = PictureFiles()
    for _ in range(6):
        files.save(RED, tmp_path)
    files.close(limit_secs=10.0)
    assert len(list(tmp_path.iterdir())) == 6
