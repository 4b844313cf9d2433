"""Other looks of a drawing: turned, cut, on other grounds, in other tones."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Colours = NDArray[np.float32]

TURN_DEGREES = 20.0
SCALES = (0.7, 1.3)
SHIFT = 0.12
WHITE_SHARE, GREY_SHARE, BLUR_SHARE = 0.4, 0.1, 0.15


def plain(rgba: Pixels, side_px: int) -> Pixels:
    """(side_px, side_px, 3) on white, as the program shows a picture to the encoder."""
    white = _over(rgba, np.full(3, 255, np.float32))
    return np.asarray(cv2.resize(white, (side_px, side_px), interpolation=cv2.INTER_AREA), np.uint8)


def varied(rgba: Pixels, side_px: int, chance: np.random.Generator) -> Pixels:
    """(side_px, side_px, 3) of one look taken at random."""
    middle = rgba.shape[0] / 2
    scale = chance.uniform(*SCALES) * side_px / rgba.shape[0]
    turn = cv2.getRotationMatrix2D((middle, middle), chance.uniform(-TURN_DEGREES, TURN_DEGREES), scale)
    turn[:, 2] += side_px / 2 - middle + chance.uniform(-SHIFT, SHIFT, 2) * side_px
    if chance.random() < 0.5:
        rgba = np.ascontiguousarray(rgba[:, ::-1])
    alpha = rgba[..., 3:].astype(np.float32) / 255.0
    premultiplied = np.concatenate([rgba[..., :3] * alpha, alpha], axis=2).astype(np.float32)
    turned = cv2.warpAffine(premultiplied, turn, (side_px, side_px), flags=cv2.INTER_AREA)
    ground = np.full(3, 255, np.float32) if chance.random() < WHITE_SHARE else _ground(side_px, chance)
    image = turned[..., :3] + (1.0 - turned[..., 3:]) * ground
    return _toned(image, chance)


def _over(rgba: Pixels, ground: Colours) -> Pixels:
    alpha = rgba[..., 3:].astype(np.float32) / 255.0
    return np.rint(rgba[..., :3] * alpha + (1.0 - alpha) * ground).astype(np.uint8)


def _ground(side_px: int, chance: np.random.Generator) -> Colours:
    """A soft blend of four colours, more often light than dark."""
    corners = 255.0 * chance.uniform(0, 1, (2, 2, 3)).astype(np.float32) ** 0.6
    flat = corners.mean((0, 1), keepdims=True)
    return cv2.resize(flat + chance.uniform(0, 1) * (corners - flat), (side_px, side_px), interpolation=cv2.INTER_CUBIC)


def _toned(image: Colours, chance: np.random.Generator) -> Pixels:
    if chance.random() < GREY_SHARE:
        image = np.repeat(image.mean(axis=2, keepdims=True), 3, axis=2)
    toned = 255.0 * np.clip(image / 255.0, 0, 1) ** np.exp(chance.uniform(-0.4, 0.4))
    toned = (toned - 128.0) * chance.uniform(0.75, 1.2) + 128.0 + chance.uniform(-20, 20, 3)
    if chance.random() < BLUR_SHARE:
        toned = np.asarray(cv2.GaussianBlur(toned, (0, 0), chance.uniform(0.5, 2.0)))
    return np.clip(np.rint(toned), 0, 255).astype(np.uint8)
