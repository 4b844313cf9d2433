"""Text that stands in pictures, read by RapidOCR (PP-OCR's small networks, Apache-2.0), whose models come in its wheel.

One picture of a megapixel takes 0.4 to 1.1 s on one core, with its text and 600 MB of memory; so it is loaded when the
first picture is read and let go after the last. The models are named by their paths: by itself the package would
download what it lacks.
"""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from atlas_rt.errors import MissingError

PACKAGE = "rapidocr"
MODELS = {
    "Det": "PP-OCRv6_det_small.onnx",
    "Cls": "ch_ppocr_mobile_v2.0_cls_mobile.onnx",
    "Rec": "PP-OCRv6_rec_small.onnx",
}
"""What finds lines, what turns them upright, and what reads them."""
SIDE_PX = 1600
"""Long side of the picture that is read: type of 12 pixels in it is found."""
SURE = 0.7
"""Below this the network guesses: leaves and fences become letters."""
LETTERS_MIN = 2


def is_installed() -> bool:
    return importlib.util.find_spec(PACKAGE) is not None


class TextReader:
    """The networks. Raises MissingError where they cannot be loaded."""

    def __init__(self, *, threads: int) -> None:
        spec = importlib.util.find_spec(PACKAGE)
        if spec is None or not spec.submodule_search_locations:
            raise MissingError("text in pictures is not read: pip install atlas_rt[ocr]")
        folder = Path(spec.submodule_search_locations[0]) / "models"
        lacking = [name for name in MODELS.values() if not (folder / name).is_file()]
        if lacking:
            raise MissingError(f"text in pictures is not read: {lacking[0]} is missing; install atlas_rt[ocr] again")
        try:
            self._engine = _loaded({kind: folder / name for kind, name in MODELS.items()}, threads)
        except Exception as error:
            raise MissingError(f"text in pictures is not read ({error}); install atlas_rt[ocr] again") from error

    def text_of(self, picture: Image.Image) -> str:
        """The lines of text in an upright picture, from top to bottom; empty where there are none."""
        blue_first = np.asarray(picture.convert("RGB"))[..., ::-1]
        found = self._engine(np.ascontiguousarray(blue_first))
        lines = zip(found.txts or (), found.scores or (), strict=True)
        return "\n".join(line.strip() for line, score in lines if score >= SURE and _says_something(line))


def _says_something(line: str) -> bool:
    """A single letter is a wheel, a window or a plate more often than a letter."""
    return sum(map(str.isalnum, line)) >= LETTERS_MIN


def _loaded(paths: Mapping[str, Path], threads: int) -> Any:
    from rapidocr import RapidOCR

    logging.getLogger("RapidOCR").setLevel(logging.CRITICAL)
    onnxruntime = "EngineConfig.onnxruntime"
    return RapidOCR(
        params={
            "Global.log_level": "critical",
            "Global.max_side_len": SIDE_PX,
            f"{onnxruntime}.intra_op_num_threads": threads,
            f"{onnxruntime}.inter_op_num_threads": 1,
            **{f"{kind}.model_path": str(path) for kind, path in paths.items()},
        }
    )
