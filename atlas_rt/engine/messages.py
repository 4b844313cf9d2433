"""What crosses the pipe between the engine and whoever started it: small frozen values, never bulk data.

To the engine: its Job first, then Add, Remove, Rescan, Refit, Undo, UseModel, Stop. From the engine: Progress, Failure,
IndexReport, Trouble, Requests, and the other classes here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from atlas_rt.core.images import Failure, LibraryPlace
from atlas_rt.core.objects import Requests
from atlas_rt.core.reports import IndexReport, Progress
from atlas_rt.core.runtime import ANYWHERE, Runtime
from atlas_rt.core.s3_options import S3Options
from atlas_rt.core.troubles import Trouble


@dataclass(frozen=True, slots=True)
class Published:
    """A map with this generation lies in the store, or the catalogue grew; `images` are in the library."""

    model: str
    generation: int
    images: int


@dataclass(frozen=True, slots=True)
class Provider:
    """What really runs the encoder."""

    model: str
    provider: str


@dataclass(frozen=True, slots=True)
class Locked:
    """Another process writes this library; this engine has ended."""

    holder: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The engine cannot go on: a sentence, and the exit code that belongs to it."""

    text: str
    exit_code: int


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence worth showing once."""

    text: str


@dataclass(frozen=True, slots=True)
class SourceState:
    """Whether the sources are there, told when it changes. state: as in IndexReport. text: what a person should know
    as long as it lasts, such as a drive that is not connected; empty when nothing is missing."""

    state: str
    text: str


@dataclass(frozen=True, slots=True)
class Added:
    """These files and folders belong to the library now; what is in them is indexed next. new: those that had
    not been added before."""

    paths: tuple[str, ...]
    new: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Removed:
    """These files and folders belong to the library no more; their images are hidden next."""

    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Add:
    """Take these files and folders into the library."""

    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Remove:
    """Take files and folders that were added out of the library again; their images are away then."""

    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rescan:
    """Look for changes in the sources."""


@dataclass(frozen=True, slots=True)
class Refit:
    """Fit the map anew, the old images held near their places."""


@dataclass(frozen=True, slots=True)
class Undo:
    """Go back to the map before the newest fit."""


@dataclass(frozen=True, slots=True)
class PlaceAsGiven:
    """Let images stand at the positions that the listed shards give them: a new map, of which undo leads back."""


MapRequest = Refit | Undo | PlaceAsGiven
"""What can be asked of the map."""


@dataclass(frozen=True, slots=True)
class UseModel:
    """Go on with this encoder: what lacks a vector of it is encoded. What others made of the library stays."""

    name: str


@dataclass(frozen=True, slots=True)
class Stop:
    """Commit what is there and end."""


@dataclass(frozen=True, slots=True)
class Job:
    """What one engine works on. stay: wait for requests when everything is done, instead of ending.

    niceness: how far to step back from other processes, 0 to 19. own_labels: file of the person's own words. request:
    what to do with the map in the first round. granularity: of its clusters, empty for what they are. received: folder
    of images that other programs send, there or not yet. ocr: read the text in pictures, where that is installed.

    s3: how buckets are reached. offline: they are not. originals_gb: how much room the copies of objects may take.
    poll_secs: with `stay`, so long after one listing of a bucket the next one follows, later while nothing changes.
    patience_secs: without it, so long an interruption is waited for that passes by itself, such as keys that expired.
    """

    place: LibraryPlace
    cache: Path
    model: str
    seed: int
    threads: int
    exclude: tuple[str, ...] = ()
    hidden: bool = False
    niceness: int = 0
    stay: bool = False
    fit: bool = True
    runtime: Runtime = ANYWHERE
    own_labels: Path | None = None
    request: MapRequest | None = None
    granularity: str = ""
    received: Path | None = None
    ocr: bool = True
    s3: S3Options = field(default_factory=S3Options)
    offline: bool = False
    originals_gb: float = 2.0
    poll_secs: float = 60.0
    patience_secs: float = 600.0


FromEngine = (
    Progress
    | Failure
    | IndexReport
    | Published
    | Provider
    | Locked
    | Refused
    | Said
    | Added
    | Removed
    | Trouble
    | SourceState
    | Requests
)
ToEngine = Add | Remove | Rescan | Refit | Undo | UseModel | Stop
