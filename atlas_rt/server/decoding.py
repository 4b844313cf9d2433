"""Pictures decoded outside of the server's process (`engine.decoder_process`), and what is made of them there."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from atlas_rt.core.arrays import Floats
from atlas_rt.core.s3_errors import S3Error
from atlas_rt.encoders.preprocess import Preprocessing, to_input
from atlas_rt.engine.decoder_process import DecoderProcess
from atlas_rt.errors import DecodeError
from atlas_rt.library.decoding.decode import read_image
from atlas_rt.library.originals import Originals
from atlas_rt.library.tile_files import TileFiles, read_tiles
from atlas_rt.library.tile_making import load_picture
from atlas_rt.narrator.contact_sheet import contact_sheet
from atlas_rt.narrator.subject import Picture
from atlas_rt.server.library_reader import TileRecord

JPEG_QUALITY = 88


@dataclass(frozen=True, slots=True)
class _Pixels:
    """The encoder's input from a file's bytes, as float32."""

    data: bytes
    suffix: str
    spec: Preprocessing

    def run(self) -> bytes:
        decoded = read_image(self.data, target_px=self.spec.size_px, fit=self.spec.resize, suffix=self.suffix)
        return to_input(decoded.image, self.spec).astype("<f4").tobytes()


@dataclass(frozen=True, slots=True)
class _Picture:
    """A file as a JPEG without any metadata, its long side at most `max_px`."""

    path: str
    max_px: int

    def run(self) -> bytes:
        return _jpeg(Image.fromarray(load_picture(self.path, self.max_px)).convert("RGB"))


@dataclass(frozen=True, slots=True)
class _Thumbnail:
    """A stored tile as a JPEG in the aspect of its image."""

    tile: TileRecord

    def run(self) -> bytes:
        tiles = read_tiles(self.tile.folder, self.tile.record, mean_rgb=(0, 0, 0), aspect=self.tile.aspect)
        with Image.open(io.BytesIO(tiles.medium), formats=["JPEG"]) as square:
            side_px, aspect = square.width, self.tile.aspect
            size = (side_px, round(side_px / aspect)) if aspect >= 1.0 else (round(side_px * aspect), side_px)
            return _jpeg(square.resize(size, Image.Resampling.BICUBIC))


@dataclass(frozen=True, slots=True)
class _Sheet:
    """The contact sheet of a group. folder: of the library, where the tiles lie."""

    pictures: tuple[Picture, ...]
    folder: Path

    def run(self) -> bytes:
        return contact_sheet(self.pictures, TileFiles(self.folder))


class Decoder:
    """The child process. May be used from several threads at once, each of which waits for its turn."""

    def __init__(self, originals: Originals | None = None) -> None:
        """originals: fetches what lies in S3, here and not where it is decoded: there are no keys."""
        self._process, self._originals = DecoderProcess(), originals

    def pixels(self, data: bytes, *, suffix: str, spec: Preprocessing) -> Floats:
        """(3, size, size) float32, an encoder's input. Raises DecodeError with the reason if this is no picture."""
        answer = self._process.ask(_Pixels(data, suffix, spec))
        shape = (3, spec.size_px, spec.size_px)
        if len(answer) != 4 * int(np.prod(shape)):
            raise DecodeError("it could not be decoded")
        pixels: Floats = np.frombuffer(answer, "<f4").reshape(shape)
        return pixels

    def picture(self, path: str, max_px: int) -> bytes:
        """A file of the library as a JPEG, its long side at most `max_px`. Raises DecodeError."""
        return self._process.ask(_Picture(self._file_of(path), max_px))

    def thumbnail(self, tile: TileRecord) -> bytes:
        """A stored tile as a JPEG. Raises DecodeError."""
        return self._process.ask(_Thumbnail(tile))

    def sheet(self, pictures: Sequence[Picture], folder: Path) -> bytes:
        """The contact sheet of a group, the same as the narrator makes, not opened here. folder: of the library.

        Where a file ends the decoder or takes too long, all of the sheet is made from tiles, which are our own. Raises
        DecodeError where these cannot be read either.
        """
        try:
            return self._process.ask(_Sheet(tuple(pictures), folder))
        except DecodeError:
            return self._process.ask(_Sheet(tuple(replace(each, path="") for each in pictures), folder))

    def _file_of(self, path: str) -> str:
        try:
            return str(self._originals.local_file(path)) if self._originals is not None else path
        except S3Error as error:
            raise DecodeError(str(error)) from error

    def close(self) -> None:
        """End the child."""
        self._process.close()


def _jpeg(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=JPEG_QUALITY)
    return file.getvalue()
