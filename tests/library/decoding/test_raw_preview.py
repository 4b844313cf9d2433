"""Which way up a RAW file's preview belongs."""

from __future__ import annotations

import pytest
from PIL import Image

from atlas_rt.library.decoding.decode import Decoded, read_image
from atlas_rt.library.decoding.raw_preview import orientation_of_flip
from tests.library.decoding.test_decode import UPRIGHT, WAYS_BACK, assert_like, colours, quarters, saved


@pytest.mark.parametrize(("flip", "orientation"), [(0, 1), (3, 3), (5, 8), (6, 6), (-1, 1), (4, 1), (90, 1)])
def test_librawes_flip_is_an_orientation(flip: int, orientation: int) -> None:
    assert orientation_of_flip(flip) == orientation


def seen(monkeypatch: pytest.MonkeyPatch, preview: bytes, flip: int) -> Decoded:
    """What is shown of a RAW file with this preview, from behind LibRaw, which is not installed everywhere."""
    turned = (preview, orientation_of_flip(flip))
    monkeypatch.setattr("atlas_rt.library.decoding.decode.raw_preview", lambda _data: turned)
    return read_image(b"a RAW file", target_px=224, suffix=".nef")


@pytest.mark.parametrize("flip", [0, 3, 5, 6])
def test_a_preview_that_tells_no_orientation_is_turned_as_the_photograph(
    monkeypatch: pytest.MonkeyPatch, flip: int
) -> None:
    way = WAYS_BACK[orientation_of_flip(flip)]
    stored = quarters() if way is None else quarters().transpose(way)
    decoded = seen(monkeypatch, saved(stored, "JPEG", quality=95), flip)
    assert (decoded.width_px, decoded.height_px) == decoded.image.size == (160, 80)
    assert_like(colours(decoded), UPRIGHT, within=12)


@pytest.mark.parametrize("own", [1, 6])
def test_a_preview_with_an_orientation_of_its_own_is_turned_by_that_alone(
    monkeypatch: pytest.MonkeyPatch, own: int
) -> None:
    exif = Image.Exif()
    exif[0x0112] = own
    stored = quarters() if own == 1 else quarters().transpose(Image.Transpose.ROTATE_90)
    decoded = seen(monkeypatch, saved(stored, "JPEG", quality=95, exif=exif), 3)
    assert_like(colours(decoded), UPRIGHT, within=12)
