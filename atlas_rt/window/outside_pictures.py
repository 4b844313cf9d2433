"""Pictures from outside of the library, opened in a process of their own: they may be made to harm a decoder."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np

from atlas_rt.encoders.preprocess import Preprocessing, to_input
from atlas_rt.engine.decoder_process import DecoderProcess
from atlas_rt.errors import DecodeError
from atlas_rt.library.decoding.decode import read_image
from atlas_rt.library.tile_making import flatten
from atlas_rt.workers.query_pictures import PREVIEW_PX, Sample

NO_PICTURE = "there is no picture on the clipboard, or the program that holds it does not hand it over"
_HEAD = struct.Struct("<HHH")
"""Width and height of the preview, bytes of the remark."""


@dataclass(frozen=True, slots=True)
class _Pasted:
    """The picture on the clipboard."""

    def run(self) -> bytes:
        from atlas_rt.ui.clipboard_picture import clipboard_picture

        if data := clipboard_picture():
            return data
        raise DecodeError(NO_PICTURE)


@dataclass(frozen=True, slots=True)
class _Sampled:
    """What is needed of a file's bytes: head, preview, remark, pixels."""

    data: bytes
    suffix: str
    spec: Preprocessing

    def run(self) -> bytes:
        decoded = read_image(self.data, target_px=self.spec.size_px, fit=self.spec.resize, suffix=self.suffix)
        preview = flatten(decoded.image)
        preview.thumbnail((PREVIEW_PX, PREVIEW_PX))
        remark = decoded.incomplete.encode()
        pixels = to_input(decoded.image, self.spec).astype("<f4").tobytes()
        return _HEAD.pack(*preview.size, len(remark)) + preview.tobytes() + remark + pixels


class OutsidePictures:
    """Opens them for one model. Used by one thread at a time."""

    def __init__(self, spec: Preprocessing) -> None:
        self._spec, self._process = spec, DecoderProcess()

    def pasted(self) -> bytes:
        """The picture on the clipboard, as a file's bytes. Raises DecodeError where there is none."""
        return self._process.ask(_Pasted())

    def sample(self, data: bytes, suffix: str) -> Sample:
        """What is needed of a file's bytes. Raises DecodeError with the reason where they are no picture."""
        answer = self._process.ask(_Sampled(data, suffix, self._spec))
        try:
            width, height, length = _HEAD.unpack_from(answer)
            end = _HEAD.size + width * height * 3
            preview = np.frombuffer(answer[_HEAD.size : end], np.uint8).reshape(height, width, 3)
            pixels = np.frombuffer(answer[end + length :], "<f4").reshape(3, self._spec.size_px, self._spec.size_px)
        except (struct.error, ValueError) as error:  # by a decoder that was taken over
            raise DecodeError("it could not be decoded") from error
        return Sample(pixels, preview, answer[end : end + length].decode(errors="replace"))

    def close(self) -> None:
        """End the process; the next picture starts another."""
        self._process.close()

    def interrupt(self) -> None:
        """End the process whatever it does. From any thread."""
        self._process.interrupt()
