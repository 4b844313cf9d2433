"""How close indexing is to this machine's limit, without a window.

The limit is what one image costs when every stage runs alone on one thread, shared out over the cores. The measure is
the pipeline's images a second times that cost, divided by the cores: 1 would be a pipeline that wastes nothing.

With a model that costs more than everything else (any but the starter) the encoder alone is a second limit. Without a
source, memory is measured too: what the engine and the process that fits hold at most, with ten times the images.
"""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from atlas_rt.bench.report import Bar, BenchReport
from atlas_rt.core.arrays import Bytes
from atlas_rt.core.assets import assets_folder
from atlas_rt.core.images import MEDIUM_TILE_PX
from atlas_rt.core.reports import IndexReport
from atlas_rt.encoders import registry
from atlas_rt.encoders.encoder import ImageEncoder
from atlas_rt.encoders.preprocess import to_input
from atlas_rt.encoders.registry import Model
from atlas_rt.engine.messages import Job, Refused
from atlas_rt.engine.process import EngineProcess
from atlas_rt.errors import AtlasError, UsageError
from atlas_rt.library import file_content, scanning
from atlas_rt.library.cache_layout import cache_folder, place_of
from atlas_rt.library.decoding.decode import read_image
from atlas_rt.library.formats import suffix_of
from atlas_rt.library.tile_making import make_tiles
from atlas_rt.search import labels
from atlas_rt.settings import Settings

SHARE, SHARE_OF_ENCODER = 0.85, 0.9
STARTER = "starter"
FEW, MANY, GROWTH = 1_000, 10_000, 1.2
"""Images of the two libraries whose memory is compared, and by how much it may grow."""
SMALL_PX = 96
SAMPLE = 60
"""Images whose stages are measured one by one."""
PHOTOGRAPHS, PICTURES = 160, 1500
PHOTOGRAPH_PX = (4000, 3000)
SEED = 20261122
POLL_SECS = 0.01


def measure(settings: Settings, *, source: tuple[str, ...] | None) -> BenchReport:
    """source: images to index; photographs of 12 megapixels and small pictures of our own making otherwise.

    Everything goes into a fresh cache, which is thrown away. Raises UsageError where `source` holds no image.
    """
    model = registry.load(settings.model, cache_folder(settings.cache_path))
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        labels.load_vocabulary(model, Path(folder))  # made once for a model, and no part of how fast it indexes
        words_secs = round(time.perf_counter() - began, 3)
        sets = {"source": source} if source else _made_sets(Path(folder))
        reports = [_measured(settings, model, name, paths, Path(folder)) for name, paths in sets.items()]
        if not source and Path("/proc/self/status").exists():  # where Linux tells what a process holds
            reports.append(_memory(settings, model, Path(folder)))
        return _joined(reports, {"vocabulary_seconds": words_secs, "cores": os.cpu_count()})


def _joined(reports: Sequence[BenchReport], besides: Mapping[str, Any]) -> BenchReport:
    raw = {name: figures for report in reports for name, figures in report.raw.items()}
    return BenchReport(tuple(bar for report in reports for bar in report.bars), raw | dict(besides))


def _measured(settings: Settings, model: Model, name: str, paths: tuple[str, ...], folder: Path) -> BenchReport:
    found = scanning.scan(paths, exclude=settings.exclude, hidden=settings.hidden)
    files = [file.path for file in found.files]
    if not files:
        raise UsageError(f"there are no images to measure with: {' '.join(paths)}")
    chosen = files[:: max(len(files) // SAMPLE, 1)][:SAMPLE]
    before = _stages_ms(model, chosen)
    report = _indexed(settings, model, paths, folder / f"cache-{name}")
    after = _stages_ms(model, chosen)  # the machine's pace changes: the mean of before and after is what held meanwhile
    stages = {stage: round((before[stage] + after[stage]) / 2.0, 3) for stage in before}
    share = report.images_per_second * sum(stages.values()) / 1000.0 / (os.cpu_count() or 1)
    bars = [Bar(f"ingest, {name}", share, "of the machine's limit", "at least", SHARE)]
    if model.name.partition(":")[0] != STARTER:
        of_encoder = share * stages["encode"] / sum(stages.values())
        bars.append(Bar(f"ingest, {name}, encoder", of_encoder, "of the encoder alone", "at least", SHARE_OF_ENCODER))
    figures = {
        "images": report.images,
        "images_per_second": report.images_per_second,
        "stages_ms": stages,
        "bare_ms": _bare_ms(model, chosen),
        "seconds": report.seconds,
    }
    return BenchReport(tuple(bars), {name: figures})


def _indexed(
    settings: Settings,
    model: Model,
    paths: tuple[str, ...],
    cache: Path,
    *,
    fit: bool = False,
    watch: Callable[[int], None] = lambda _: None,
) -> IndexReport:
    """The report of a whole run of the engine, as nice as a command's. watch: called with its process id meanwhile."""
    place = place_of(paths, cache)
    cache.mkdir(parents=True, exist_ok=True)
    (cache / labels.FOLDER).symlink_to(cache.parent / labels.FOLDER, target_is_directory=True)
    if not model.folder.is_relative_to(assets_folder("models")):  # the engine looks for the person's in its own cache
        (cache / "models").symlink_to(model.folder.parent, target_is_directory=True)
    job = Job(place, cache, model.name, settings.seed, settings.threads, fit=fit, runtime=settings.runtime(cache))
    engine = EngineProcess(job)
    try:
        while True:
            watch(engine.pid)
            for message in engine.messages():
                if isinstance(message, IndexReport):
                    return message
                if isinstance(message, Refused):
                    raise AtlasError(message.text)
            time.sleep(POLL_SECS)
    finally:
        engine.stop()


def _stages_ms(model: Model, files: Sequence[str]) -> dict[str, float]:
    """Mean milliseconds of each stage for one image, one thread, with nothing else running."""
    spec, encoder = model.image.preprocessing, ImageEncoder(model, threads=1)
    clocks = []
    for path in files:
        clock = [time.perf_counter()]
        data = file_content.read(path)
        hashlib.sha256(data).digest()
        decoded = read_image(data, target_px=spec.size_px, fit=spec.resize, suffix=suffix_of(path))
        clock.append(time.perf_counter())
        make_tiles(decoded)
        clock.append(time.perf_counter())
        pixels = to_input(decoded.image, spec)
        clock.append(time.perf_counter())
        encoder.encode(pixels[None])
        clock.append(time.perf_counter())
        clocks.append(clock)
    means = np.diff(np.array(clocks[1:] or clocks), axis=1).mean(axis=0) * 1000.0  # the first one warms up
    return dict(zip(("decode", "tiles", "preprocess", "encode"), means.tolist(), strict=True))


def _bare_ms(model: Model, files: Sequence[str]) -> dict[str, float]:
    """What the libraries alone take: Pillow decoding in full and resizing; ONNX Runtime encoding one image."""
    size_px, encoder = model.image.preprocessing.size_px, ImageEncoder(model, threads=1)
    blank = np.zeros((1, 3, size_px, size_px), np.float32)

    def pillow(path: str) -> None:
        with Image.open(path) as file:
            whole = file.convert("RGB")
            for side in (MEDIUM_TILE_PX, size_px):
                whole.resize((side, side), Image.Resampling.BICUBIC)

    decodable = [path for path in files if _opens(path)]
    return {
        "pillow_in_full": _mean_ms(pillow, decodable),
        "onnxruntime": _mean_ms(lambda _: encoder.encode(blank), files),
    }


def _opens(path: str) -> bool:
    """Whether plain Pillow reads it: RAW and HEIF are read by others."""
    try:
        with Image.open(path):
            return True
    except OSError:
        return False


def _mean_ms(do: Callable[[str], object], paths: Sequence[str]) -> float:
    times = []
    for path in paths:
        begun = time.perf_counter()
        do(path)
        times.append(time.perf_counter() - begun)
    return round(float(np.mean(times[1:] or times)) * 1000.0, 3) if times else 0.0


# -- memory ----------------------------------------------------------------------------------------------------------


class Peak:
    """The most anonymous memory that a process and its children held together whenever it was looked at."""

    def __init__(self) -> None:
        self.megabytes = 0.0

    def look(self, pid: int) -> None:
        self.megabytes = max(self.megabytes, sum(map(_anonymous_megabytes, _family(pid))))


def _memory(settings: Settings, model: Model, folder: Path) -> BenchReport:
    """A library ten times as large, its map fitted too, against a small one."""
    drawings = _drawings()
    peaks = {}
    for count in (FEW, MANY):
        pictures = folder / f"memory-{count}"
        pictures.mkdir()
        for number in range(count):
            picture = _turned(drawings, number).resize((SMALL_PX, SMALL_PX), Image.Resampling.BILINEAR)
            picture.save(pictures / f"{number:05}.jpg", quality=90)
        peak = Peak()
        _indexed(settings, model, (str(pictures),), folder / f"cache-memory-{count}", fit=True, watch=peak.look)
        peaks[count] = peak.megabytes
    bar = Bar(
        "ingest, memory", peaks[MANY] / peaks[FEW], f"times that of {FEW:,} images, {MANY:,} of them", "at most", GROWTH
    )
    return BenchReport((bar,), {"memory_mb": {f"{count:,} images": round(peak) for count, peak in peaks.items()}})


def _family(pid: int) -> Iterator[int]:
    """A process and all that it started, as long as they live."""
    yield pid
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
        children = [child for thread in threads for child in (thread / "children").read_text().split()]
    except OSError:
        return
    for child in children:
        yield from _family(int(child))


def _anonymous_megabytes(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) / 1024.0 for line in lines if line.startswith("RssAnon"))


# -- images of our own -----------------------------------------------------------------------------------------------


def _made_sets(folder: Path) -> dict[str, tuple[str, ...]]:
    """Folders of photographs and of small pictures made from the demo's drawings, the same each time."""
    drawings = _drawings()
    rng = np.random.default_rng(SEED)
    photographs, pictures = folder / "photographs", folder / "pictures"
    photographs.mkdir()
    pictures.mkdir()
    for number in range(PHOTOGRAPHS):
        (photographs / f"{number:04}.jpg").write_bytes(_photograph(drawings, number, rng))
    for number in range(PICTURES):
        _turned(drawings, number).save(pictures / f"{number:04}.png")
    return {"photographs": (str(photographs),), "pictures": (str(pictures),)}


def _drawings() -> list[Bytes]:
    files = sorted((assets_folder("models") / "demo").glob("*.webp"))
    return [np.asarray(Image.open(path).convert("RGB")) for path in files]


def _photograph(drawings: Sequence[Bytes], number: int, rng: np.random.Generator) -> bytes:
    """A JPEG of 12 megapixels and a photograph's density: an enlarged drawing under the noise of a sensor."""
    width, height = PHOTOGRAPH_PX
    picture = Image.fromarray(drawings[number % len(drawings)]).resize((width, height), Image.Resampling.BICUBIC)
    grain = rng.integers(-9, 10, (height // 4, width // 4, 3), dtype=np.int16)
    pixels = np.asarray(picture, np.int16) + np.tile(grain, (4, 4, 1))
    buffer = io.BytesIO()
    Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def _turned(drawings: Sequence[Bytes], number: int) -> Image.Image:
    """One of the drawings, its colours turned further at each round, so that no two files are the same."""
    turns, index = divmod(number, len(drawings))
    hue, saturation, value = Image.fromarray(drawings[index]).convert("HSV").split()
    turned = hue.point([(level + 37 * turns) % 256 for level in range(256)])
    return Image.merge("HSV", (turned, saturation, value)).convert("RGB")
