"""Run once as the container image is built: fills its cache, and embeds a picture so that a missing part is found now.

python3 -m atlas_rt.aws.image_check
"""

from __future__ import annotations

import io
import logging
import os
from pathlib import Path

import numpy as np
from PIL import Image

from atlas_rt.aws.handler import CACHE
from atlas_rt.aws.s3_connection import S3Connection
from atlas_rt.core.s3_options import S3Options
from atlas_rt.distributed.image_worker import VERSION, ImageWorker, maker_of
from atlas_rt.encoders.encoder import TextEncoder
from atlas_rt.errors import AtlasError
from atlas_rt.library.decoding.opencv_decode import load_with_opencv
from atlas_rt.library.decoding.stored_picture import Enough
from atlas_rt.library.tables.rows import ImageRow, Item
from atlas_rt.library.tables.shard import shard_bytes

SIZE_PX = 320


def check(cache: Path, model: str) -> str:
    """What was found, as a sentence. Raises AtlasError where a picture does not become a row."""
    worker = ImageWorker.open(model, cache=cache)
    noise = np.random.default_rng(1).integers(0, 255, (SIZE_PX, SIZE_PX, 3), dtype=np.uint8)
    rows = []
    for kind in ("JPEG", "WEBP", "GIF", "TIFF", "BMP", "AVIF", "PNG"):
        data = io.BytesIO()
        Image.fromarray(noise).save(data, kind)
        rows += worker.embed([(Item(f"check.{kind.lower()}", data.tell()), data.getvalue())])
    lost = [row.item.uri for row in rows if not isinstance(row, ImageRow)]
    if lost:
        raise AtlasError(f"These formats cannot be read in this image: {', '.join(lost)}")
    assert worker.vocabulary is not None
    shard = shard_bytes(rows, maker_of(worker.model, worker.vocabulary.key, worker=VERSION))
    TextEncoder(worker.model).encode("a check")
    load_with_opencv(data.getvalue(), "PNG", Enough(64, 64))
    S3Connection(S3Options(region="us-east-1", no_sign_request=True)).close()
    words = len(worker.vocabulary.words)
    return f"{worker.model.id}: {len(rows)} formats, a shard of {len(shard):,} bytes, {words:,} words"


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    logging.getLogger("atlas_rt").info(
        "%s", check(Path(os.environ.get("ATLAS_RT_CACHE", CACHE)), os.environ.get("ATLAS_RT_MODEL", "starter"))
    )
