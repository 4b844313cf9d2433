"""From a name to a registered model: build, export, prove, make variants, describe, put in place."""

from __future__ import annotations

import contextlib
import errno
import logging
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from atlas_rt.core.arrays import Floats
from atlas_rt.encoders.export import bytepairs, description, proof, variants
from atlas_rt.encoders.export.description import Made, Measured, file_name
from atlas_rt.encoders.export.proof import Equality
from atlas_rt.encoders.export.source import Source, build, byte_pairs_file, check_installed
from atlas_rt.encoders.model_list import Entry
from atlas_rt.encoders.model_toml import IMAGE, MODEL, TEXT, TOKENIZER
from atlas_rt.encoders.sessions import open_session
from atlas_rt.errors import MissingError, UsageError

PLAIN = "fp32"
STALE_SECS = 24 * 3600
"""Age at which a folder that a killed export left behind is removed."""
Progress = Callable[[str], None]
Rows = TypeVar("Rows", Floats, NDArray[np.int64])


@dataclass(frozen=True, slots=True)
class VariantReport:
    """One precision of a model. cosine_image, cosine_text: to torch's vectors, mean, and worst where so named.

    company: worst cosine between a vector alone and in a batch with 15 others, of both towers; below 0.9999 the
    variant is described with `batch = 1`. images_per_second: one at a time, on one core of this machine.
    """

    name: str
    cosine_image: float
    cosine_text: float
    worst_image: float
    worst_text: float
    company: float
    images_per_second: float
    bytes_image: int
    bytes_text: int


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What an export made. folder: where the model lies now. variants: "fp32" first."""

    name: str
    folder: Path
    variants: tuple[VariantReport, ...]
    seconds: float


def export(
    entry: Entry,
    folder: Path,
    *,
    checkpoint: Path | None = None,
    random_weights: bool = False,
    seed: int = 0,
    tokenizer: Path | None = None,
    config: Path | None = None,
    offline: bool = False,
    progress: Progress,
) -> ExportReport:
    """Export `entry` into `folder`, which is `<cache>/models/<name>` and appears only when everything is proven.

    checkpoint: weights (.safetensors, or torch's, read as weights only). tokenizer: a tokenizer.json, needed where the
    architecture's own is on the hub. config: an open_clip model configuration (JSON) in place of the one named by
    `entry.architecture`. offline: refuse rather than fetch weights. A model that lies in `folder` already is replaced.
    Raises UsageError, MissingError, and AtlasError where a graph is not equal to the model.
    """
    begin = time.monotonic()
    check_installed()
    progress(f"building {entry.name}")
    entry = entry.untrained() if random_weights else entry
    source = build(
        entry, checkpoint=checkpoint, random_weights=random_weights, seed=seed, config=config, offline=offline
    )
    words = _tokenizer(source, tokenizer)
    if words is None:
        raise UsageError(
            f"The tokenizer of {entry.name} is not part of open_clip, and without one no phrase can be searched for. "
            f"Give its tokenizer.json with --tokenizer FILE{_where(entry)}."
        )
    with _folder_beside(folder) as work:
        (work / TOKENIZER).write_text(words.to_str(), encoding="utf-8")
        found = prove(source, words, work, seed=seed, progress=progress)
        origin = "Untrained weights" if random_weights else f"Weights {checkpoint or entry.pretrained}"
        text = description.describe(_made(entry, source, found, origin), work)
        (work / MODEL).write_text(text, encoding="utf-8")
        _put(work, folder)
    return ExportReport(entry.name, folder, found, time.monotonic() - begin)


def prove(
    source: Source, tokenizer: Tokenizer | None, work: Path, *, seed: int, progress: Progress
) -> tuple[VariantReport, ...]:
    """Write every graph into `work` and measure it; without a tokenizer on random ids. Raises AtlasError where the fp32
    graphs are not equal to the model, or their vectors depend on what shares their batch."""
    from atlas_rt.encoders.export.graphs import write_graphs

    progress("torch to ONNX")
    with _unheard():
        write_graphs(source, work / IMAGE, work / TEXT)
    progress("64 pictures and 64 phrases by torch")
    pixels, ids = proof.pictures(source.preprocessing), _ids(source, tokenizer, seed)
    expected = (_chunked(source.images, pixels), _chunked(source.phrases, _reference_ids(source, ids, tokenizer)))
    reports = []
    for name in (PLAIN, *variants.VARIANTS):
        suffix = "" if name == PLAIN else name
        files = work / file_name(IMAGE, suffix), work / file_name(TEXT, suffix)
        if suffix:
            progress(f"making {name}")
            with _unheard():
                for plain, file in zip((IMAGE, TEXT), files, strict=True):
                    variants.make_variant(name, work / plain, file)
        progress(f"checking {name}: 64 pictures and 64 phrases at batch {', '.join(map(str, _batches(suffix)))}")
        reports.append(_measured(name, files, source, (pixels, ids), expected))
    return tuple(reports)


def _measured(
    name: str,
    files: tuple[Path, Path],
    source: Source,
    rows: tuple[Floats, NDArray[np.int64]],
    expected: tuple[Floats, Floats],
) -> VariantReport:
    batches = _batches("" if name == PLAIN else name)
    image, text = (open_session(file, threads=1) for file in files)
    found = (
        proof.compare(image, rows[0], expected[0], trimmed=False, batches=batches),
        proof.compare(text, rows[1], expected[1], trimmed=source.pad_id is None, batches=batches),
    )
    if name == PLAIN:
        for what, equality, file in zip(("image", "text"), found, files, strict=True):
            proof.refuse(what, equality, file)
    return _report(name, found, proof.images_per_second(image, rows[0]), files)


def _report(name: str, found: tuple[Equality, Equality], speed: float, files: tuple[Path, Path]) -> VariantReport:
    image, text = found
    return VariantReport(
        name=name,
        cosine_image=image.mean,
        cosine_text=text.mean,
        worst_image=image.worst,
        worst_text=text.worst,
        company=min(image.company, text.company),
        images_per_second=speed,
        bytes_image=files[0].stat().st_size,
        bytes_text=files[1].stat().st_size,
    )


def _batches(variant: str) -> tuple[int, ...]:
    return proof.BATCHES if not variant else (proof.BATCHES[0], proof.BATCHES[-1])


def _tokenizer(source: Source, file: Path | None) -> Tokenizer | None:
    if file:
        try:
            return Tokenizer.from_file(str(file))
        except Exception as error:  # noqa: BLE001  tokenizers raises the bare class
            raise UsageError(f"This is no tokenizer.json ({str(error).strip()}): {file}") from None
    if source.byte_pairs:
        return bytepairs.clip_tokenizer(bytepairs.read_merges(byte_pairs_file()), source.context_length)
    return None


def _where(entry: Entry) -> str:
    return f" (it lies in {entry.tokenizer} on the hub)" if "/" in entry.tokenizer else ""


def _ids(source: Source, tokenizer: Tokenizer | None, seed: int) -> NDArray[np.int64]:
    """(64, context_length) tokens, padded, as our tokenizer file gives them."""
    pad = source.pad_id or 0
    if tokenizer is None:
        return proof.random_ids(source.vocabulary, source.context_length, pad, proof.COUNT, seed)
    tokenizer.enable_truncation(source.context_length)
    tokenizer.enable_padding(length=source.context_length, pad_id=pad)
    ids = np.array([each.ids for each in tokenizer.encode_batch(proof.phrases())], np.int64)
    tokenizer.no_padding()
    if ids.max() >= source.vocabulary:
        raise UsageError(f"The tokenizer has tokens up to {ids.max()}, the model knows {source.vocabulary} of them.")
    return ids


def _reference_ids(source: Source, ids: NDArray[np.int64], tokenizer: Tokenizer | None) -> NDArray[np.int64]:
    """What open_clip's own tokenizer makes of the phrases where it can be had: the proof then covers ours too."""
    return source.tokens(proof.phrases()) if tokenizer is not None and source.byte_pairs else ids


def _chunked(encode: Callable[[Rows], Floats], rows: Rows) -> Floats:
    return np.concatenate([encode(rows[start : start + 8]) for start in range(0, len(rows), 8)])


def _made(entry: Entry, source: Source, found: tuple[VariantReport, ...], origin: str) -> Made:
    from atlas_rt.encoders.export import graphs

    measured = [
        Measured(each.name, each.cosine_image, each.cosine_text, each.images_per_second, each.company < proof.EQUAL)
        for each in found
        if each.name != PLAIN
    ]
    return Made(
        entry=entry,
        preprocessing=source.preprocessing,
        dim=source.dim,
        context_length=source.context_length,
        pad_id=source.pad_id,
        clean=source.clean,
        inputs=(graphs.IMAGE_INPUT, graphs.TEXT_INPUT),
        output=graphs.OUTPUT,
        origin=origin,
        variants=tuple(measured),
    )


@contextlib.contextmanager
def _folder_beside(folder: Path) -> Iterator[Path]:
    """A folder on the same disk, gone afterwards whatever happened; nothing in it is taken for a model before its time.

    Raises MissingError where the disk is full or may not be written to.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        _sweep(folder.parent)
        with tempfile.TemporaryDirectory(prefix=".export-", dir=folder.parent, ignore_cleanup_errors=True) as work:
            yield Path(work)
    except (OSError, RuntimeError) as error:
        if isinstance(error, OSError) and error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
            raise MissingError(f"The folder for models cannot be written to: {folder.parent}") from error
        full = getattr(error, "errno", None) in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
        if full or "No space left" in str(error):  # torch and onnx raise classes of their own
            raise MissingError(
                "The disk is full; nothing of the export was kept. It needs about three times the size of the model's "
                f"weights: free some space, or choose another place with --cache DIR. {folder.parent}"
            ) from error
        raise


def _sweep(parent: Path) -> None:
    for left in parent.glob(".export-*"):
        with contextlib.suppress(OSError):
            if time.time() - left.stat().st_mtime > STALE_SECS:
                shutil.rmtree(left, ignore_errors=True)


def _put(work: Path, folder: Path) -> None:
    """The finished folder in its place; what lay there goes with the working folder."""
    done = work / "done"
    done.mkdir()
    for file in list(work.iterdir()):
        if file != done:
            file.rename(done / file.name)
    if folder.exists():
        folder.rename(work / "old")
    done.rename(folder)


@contextlib.contextmanager
def _unheard() -> Iterator[None]:
    """Exporters and converters report each node in the log."""
    level = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(level)
