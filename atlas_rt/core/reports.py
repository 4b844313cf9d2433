"""What the engine tells of its work. Frozen."""

from __future__ import annotations

from dataclasses import dataclass, field

from atlas_rt.core.images import Failure


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the engine is. stage: one of `progress.STAGES`, or "idle". done of total in images; rate per second;
    eta_secs: None while unknown."""

    stage: str
    done: int
    total: int
    rate: float
    eta_secs: float | None
    failed: int = 0


@dataclass(frozen=True, slots=True)
class IndexReport:
    """What bringing a library up to date did. Counts are images; seconds by stage.

    images: shown on the map. removed: forgotten. away: known, but not found now; they count among `images` where their
    folder is absent. source_state: "present", "missing", "empty", "unreadable" or "partly".
    failed: files that could not become images. incomplete: images of which something is missing, and what.
    missing_formats: of the skipped files, those an extra would read, by format. archived: objects in S3 that must be
    restored from an archive before they can be read. left: objects for a later round, as they changed since they were
    listed or could not be read now. requests: to S3 since the engine began, as "list", "get" and "other", and the
    "bytes" that were read; empty where no source lies there.
    """

    images: int = 0
    new: int = 0
    unchanged: int = 0
    changed: int = 0
    removed: int = 0
    away: int = 0
    source_state: str = "present"
    skipped: int = 0
    missing_formats: dict[str, int] = field(default_factory=dict)
    failed: tuple[Failure, ...] = ()
    incomplete: tuple[Failure, ...] = ()
    model: str = ""
    generation: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    images_per_second: float = 0.0
    archived: int = 0
    left: int = 0
    requests: dict[str, int] = field(default_factory=dict)
