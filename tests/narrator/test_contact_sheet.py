"""A contact sheet: as large as its pictures need, pixels alone, and a tile where the file is away."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from atlas_rt.library.store import StoreReader
from atlas_rt.library.tile_files import TileFiles
from atlas_rt.narrator.contact_sheet import CELL_PX, LABEL_PX, contact_sheet, sheet_size
from atlas_rt.narrator.subject import Picture
from tests.libraries import Library

RED = (200, 20, 30)


def test_a_sheet_holds_pixels_alone_and_tiles_of_what_is_away(indexed: Library, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010E] = "secret words"  # ImageDescription
    exif[0x8825] = {1: "N", 2: (48.0, 12.0, 0.0)}  # where it was taken
    Image.new("RGB", (400, 200), RED).save(tmp_path / "red.jpg", exif=exif)
    with StoreReader.open(indexed.place.folder) as store:
        catalogue = store.catalogue()
    there = Picture(1, str(tmp_path / "red.jpg"), 0, 1.0, ())
    away = replace(there, path=str(tmp_path / "away.jpg"), record=int(catalogue.tiles[0]), aspect=0.5)
    sheet = contact_sheet([there, away, there, away, there], TileFiles(indexed.place.folder))
    assert b"secret" not in sheet
    with Image.open(io.BytesIO(sheet)) as image:
        assert (image.size, dict(image.getexif()), set(image.info) & {"exif", "icc_profile", "comment"}) == (
            (3 * CELL_PX, 2 * CELL_PX), {}, set(),
        )  # fmt: skip
        pixels = np.asarray(image).astype(int)
    middle = (CELL_PX + LABEL_PX) // 2
    assert np.abs(pixels[middle, CELL_PX // 2] - RED).max() < 12
    assert pixels[middle - 60 : middle + 60, CELL_PX + 80 : CELL_PX + 190].std() > 20  # the tile's drawing
    assert pixels[2:20, :40].max() > 200  # its number


def test_a_sheet_is_never_larger_than_is_worth_its_tokens() -> None:
    assert [sheet_size(count) for count in (1, 2, 5, 9, 16)] == [
        (273, 273), (546, 273), (819, 546), (819, 819), (1092, 1092),
    ]  # fmt: skip
