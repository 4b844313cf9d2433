"""Pictures from other programs, decoded outside of the server: what is decoded, and a decoder that dies."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from atlas_rt.encoders.preprocess import to_input
from atlas_rt.engine import decoder_process
from atlas_rt.errors import DecodeError
from atlas_rt.library.decoding.decode import read_image
from atlas_rt.library.store import StoreReader
from atlas_rt.library.tile_files import TileFiles
from atlas_rt.narrator.contact_sheet import contact_sheet
from atlas_rt.narrator.subject import Picture
from atlas_rt.server.decoding import Decoder
from tests.libraries import PICTURES, Library, children, wait_for


@pytest.fixture(scope="module")
def decoder() -> Iterator[Decoder]:
    before = set(_processes())  # other tests may have theirs
    decoder = Decoder()
    yield decoder
    decoder.close()
    wait_for(lambda: not set(_processes()) - before)


def _processes() -> list[int]:
    """Ids of decoders that this process has started."""
    return [pid for pid, command in children(os.getpid()).items() if "spawn_main" in command]


def test_a_picture_is_decoded_as_the_engine_decodes_it(decoder: Decoder, library: Library) -> None:
    spec, data = library.model.image.preprocessing, PICTURES[0].read_bytes()
    here = to_input(read_image(data, target_px=spec.size_px, fit=spec.resize).image, spec)
    before = set(_processes())
    assert np.array_equal(decoder.pixels(data, suffix=".webp", spec=spec), here)
    assert len(set(_processes()) - before) == 1
    with pytest.raises(DecodeError, match="not a picture in a known format"):
        decoder.pixels(b"<svg/>", suffix=".png", spec=spec)


def test_a_decoder_that_dies_or_takes_too_long_is_replaced(
    decoder: Decoder, library: Library, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = str(PICTURES[0])
    assert decoder.picture(path, 64).startswith(b"\xff\xd8")
    assert decoder._process._child is not None
    os.kill(decoder._process._child.pid, signal.SIGKILL)
    wait_for(lambda: decoder._process._child is not None and not decoder._process._child.alive)
    with pytest.raises(DecodeError, match="the decoder failed on it"):
        decoder.picture(path, 64)
    os.mkfifo(tmp_path / "endless.png")
    monkeypatch.setattr(decoder_process, "PATIENCE_SECS", 1.0)
    with pytest.raises(DecodeError, match="longer than 1 s"):
        decoder.picture(str(tmp_path / "endless.png"), 64)
    monkeypatch.undo()
    assert decoder.picture(path, 64).startswith(b"\xff\xd8")


def test_a_contact_sheet_is_the_narrators_and_where_a_file_harms_it_made_of_tiles(
    decoder: Decoder, library: Library, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = library.place.folder
    with StoreReader.open(folder) as store:
        catalogue = store.catalogue()
    pictures = [
        Picture(int(catalogue.ids[row]), catalogue.paths[row], int(catalogue.tiles[row]), 1.0, ()) for row in range(3)
    ]
    sheet = contact_sheet(pictures, TileFiles(folder))
    assert decoder.sheet(pictures, folder) == sheet
    os.mkfifo(tmp_path / "endless.png")
    harmful = [replace(pictures[0], path=str(tmp_path / "endless.png")), *pictures[1:]]
    monkeypatch.setattr(decoder_process, "PATIENCE_SECS", 4.0)  # in which another child has to start
    of_tiles = decoder.sheet(harmful, folder)
    assert of_tiles == contact_sheet([replace(each, path="") for each in pictures], TileFiles(folder))
    assert of_tiles != sheet
