"""What is known of one picture, put together from all that its file and its sidecars say.

A sidecar comes before the file, since a person wrote it later; in the file XMP comes before IPTC, EXIF and the texts of
a PNG file. Keywords of all are kept. Dates alone go by EXIF first: it is what the camera wrote when the picture was
taken. Nothing here raises: what cannot be read is not known. `file_metadata.READER` counts the versions of all this.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, BinaryIO

from atlas_rt.core.metadata import FILE, NOTHING_KNOWN, Metadata
from atlas_rt.library.metadata.blocks import Blocks, blocks_of
from atlas_rt.library.metadata.dates import moment_of_file
from atlas_rt.library.metadata.exif import metadata_of_exif
from atlas_rt.library.metadata.file_metadata import FileMetadata
from atlas_rt.library.metadata.iptc import metadata_of_iptc
from atlas_rt.library.metadata.prompts import prompt_of
from atlas_rt.library.metadata.sidecars import NO_SIDECARS, Sidecars
from atlas_rt.library.metadata.texts import TEXT, cleaned, keywords_of
from atlas_rt.library.metadata.xmp import metadata_of_xmp

_FIELDS = tuple(field.name for field in fields(Metadata))


def read_metadata(
    file: BinaryIO | bytes, path: str = "", *, mtime_ns: int, sidecars: Sidecars = NO_SIDECARS
) -> FileMetadata:
    """file: its bytes where they have been read, else the open file, of which only a little is read."""
    blocks = _blocks(io.BytesIO(file) if isinstance(file, bytes) else file)
    stamp = sidecars.stamp(path)
    written_later = [_kept(metadata_of_xmp, packet) for packet in (sidecars.packets(path) if stamp else ())]
    exif = _kept(metadata_of_exif, blocks.main, blocks.photo, blocks.gps)
    xmp = _kept(metadata_of_xmp, blocks.xmp) if blocks.xmp else NOTHING_KNOWN
    iptc = _kept(metadata_of_iptc, blocks.iptc) if blocks.iptc else NOTHING_KNOWN
    texts = _kept(_metadata_of_texts, blocks.texts) if blocks.texts else NOTHING_KNOWN
    known = _first_known([*written_later, xmp, iptc, exif, texts])
    return FileMetadata(_dated(known, [exif, *written_later, xmp], mtime_ns), stamp)


def read_file(path: str, *, mtime_ns: int, sidecars: Sidecars, file: Path | None = None) -> FileMetadata | None:
    """The same of a file on the disk; None where it cannot be opened. file: where its content lies, if elsewhere."""
    try:
        with (file or Path(path)).open("rb") as opened:
            return read_metadata(opened, path, mtime_ns=mtime_ns, sidecars=sidecars)
    except OSError:
        return None


def _blocks(file: BinaryIO) -> Blocks:
    try:
        return blocks_of(file)
    except Exception:  # noqa: BLE001  Pillow raises anything on broken files
        return Blocks()


def _kept(read: Callable[..., Metadata], *given: Any) -> Metadata:
    """What a reader makes of a block, nothing where it stumbles: files hold what no reader is ready for."""
    try:
        return read(*given)
    except Exception:  # noqa: BLE001
        return NOTHING_KNOWN


def _metadata_of_texts(texts: Mapping[str, str]) -> Metadata:
    """What the texts of a PNG file tell, by their usual keywords (PNG 3, 11.3.3.2)."""
    prompt = prompt_of(texts)
    caption = cleaned(texts.get("Description", ""), TEXT)
    return Metadata(
        title=cleaned(texts.get("Title", "")),
        caption="" if caption.startswith(prompt) and prompt else caption,
        software=cleaned(texts.get("Software", "")),
        prompt=prompt,
    )


def _first_known(parts: Sequence[Metadata]) -> Metadata:
    told = [part for part in parts if part is not NOTHING_KNOWN]
    values: dict[str, Any] = {}
    for part in reversed(told):
        values |= {name: value for name in _FIELDS if (value := getattr(part, name)) != getattr(NOTHING_KNOWN, name)}
    values["keywords"] = keywords_of(word for part in told for word in part.keywords)
    return Metadata(**values)


def _dated(metadata: Metadata, parts: Sequence[Metadata], mtime_ns: int) -> Metadata:
    """With the first date that there is, else that of the file."""
    for part in parts:
        if part.taken:
            return replace(metadata, taken=part.taken, taken_secs=part.taken_secs, taken_from=part.taken_from)
    moment = moment_of_file(mtime_ns)
    return replace(metadata, taken=moment.text, taken_secs=moment.secs, taken_from=FILE) if moment else metadata
