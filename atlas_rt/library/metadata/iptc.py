"""IPTC-NAA records (IIM, version 4.2): what picture agencies wrote before XMP, and many programs still write."""

from __future__ import annotations

from collections.abc import Iterator

from atlas_rt.core.metadata import Metadata
from atlas_rt.library.metadata.texts import TEXT, cleaned, decoded, keywords_of

_APPLICATION = 2
_TITLE, _KEYWORD, _CAPTION = 5, 25, 120
_MARK = 0x1C


def metadata_of_iptc(block: bytes) -> Metadata:
    """As far as the block can be read."""
    found: dict[int, list[str]] = {_TITLE: [], _KEYWORD: [], _CAPTION: []}
    for dataset, value in _datasets(block):
        if dataset in found:
            found[dataset].append(decoded(value))
    return Metadata(
        title=cleaned(" ".join(found[_TITLE][:1])),
        caption=cleaned(" ".join(found[_CAPTION][:1]), TEXT),
        keywords=keywords_of(found[_KEYWORD]),
    )


def _datasets(block: bytes) -> Iterator[tuple[int, bytes]]:
    """(number, value) of the application record. One of more than 32 kB ends them: none of ours is so long."""
    at = 0
    while at + 5 <= len(block):
        mark, record, number = block[at : at + 3]
        size = int.from_bytes(block[at + 3 : at + 5], "big")
        if mark != _MARK or size >= 0x8000:
            return
        if record == _APPLICATION:
            yield number, block[at + 5 : at + 5 + size]
        at += 5 + size
