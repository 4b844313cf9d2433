"""What was read of one file besides its pixels, with the stamp of its sidecars."""

from __future__ import annotations

from dataclasses import dataclass

from atlas_rt.core.metadata import Metadata

READER = 1
"""Version of all that reads metadata. Rows of another one are read again."""


@dataclass(frozen=True, slots=True)
class FileMetadata:
    """What was read of one file. sidecars: their stamp (`Sidecars.stamp`) when they were read."""

    metadata: Metadata
    sidecars: int = 0
