"""Films made of real pictures, as a webcam would see them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from atlas_rt.core.arrays import Bytes

SIZE_PX = (320, 240)
MakeFilm = Callable[..., Path]


def plain(*colour: int) -> Bytes:
    """A frame of one colour."""
    return np.full((SIZE_PX[1], SIZE_PX[0], 3), colour, np.uint8)


def held_up(picture: Path) -> Bytes:
    """A picture before a white wall."""
    drawing = Image.open(picture).convert("RGBA").resize((200, 200))
    wall = Image.new("RGB", SIZE_PX, "white")
    wall.paste(drawing, (60, 20), drawing)
    return np.asarray(wall)


@pytest.fixture
def make_film(tmp_path: Path) -> MakeFilm:
    """Writes a film of RGB frames: MPEG-4 as .mp4, motion JPEG as .avi, where each frame stands alone."""

    def write(name: str, frames: Sequence[Bytes], *, fps: float = 25.0) -> Path:
        path = tmp_path / name
        code = cv2.VideoWriter_fourcc(*{".mp4": "mp4v", ".avi": "MJPG"}[path.suffix])
        writer = cv2.VideoWriter(str(path), code, fps, SIZE_PX)
        assert writer.isOpened()
        for frame in frames:
            writer.write(np.ascontiguousarray(frame[..., ::-1]))
        writer.release()
        return path

    return write
