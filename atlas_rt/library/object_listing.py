"""What lies at or below an address in S3, page by page: which objects are images, by the rules that folders have.

A key is split at its slashes, and its parts are judged like the names of folders and files: hidden ones, recycle bins
and what is excluded are left out. Keys that end with a slash stand for folders and hold nothing. `.` and `..` are names
like others here, as no folder is meant by them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field

from atlas_rt.core.objects import ListedObject
from atlas_rt.core.s3_address import S3Address, parse_address
from atlas_rt.library.formats import (
    RAW_SUFFIXES,
    SHOT_SUFFIXES,
    SIDECAR_SUFFIX,
    format_to_install,
    is_picture,
    readable_suffixes,
    suffix_of,
    without_suffix,
)
from atlas_rt.library.hidden import is_passed_over
from atlas_rt.library.walking import FoundFile


@dataclass(frozen=True, slots=True)
class ListedObjects:
    """What is known of one source in S3 by now.

    files: by path; those that are archived too. archived: paths of objects that must be restored before they can be
    read. skipped, missing_formats, sidecars: as in `Scan`. whole: the listing has come to its end; while it has not
    and there is no state, it goes on. state: "" while all is well, else as in Absence; reason: why, as a sentence.
    device: what tells one service from another, as a device tells one drive from another.
    """

    files: tuple[FoundFile, ...] = ()
    archived: frozenset[str] = frozenset()
    skipped: int = 0
    missing_formats: Mapping[str, int] = field(default_factory=dict)
    sidecars: Mapping[str, int] = field(default_factory=dict)
    whole: bool = False
    state: str = ""
    reason: str = ""
    device: str = ""

    @property
    def holds_something(self) -> bool:
        """As in `Listing`: an empty bucket holds nothing, one of which all is left out does."""
        return bool(self.files or self.skipped)


class ObjectListing:
    """One listing of one source. Owned by the thread that lists; `so_far` gives what others may have."""

    def __init__(
        self,
        source: str,
        excluded: Callable[[str, str], bool],
        before: Mapping[str, FoundFile],
        *,
        hidden: bool,
        broken: Collection[str] = (),
    ) -> None:
        """excluded: as `scanning.matcher` gives it. before: path -> file of the last listing, of which what did not
        change is taken over as it is. broken: pictures that cannot stand for a RAW file."""
        self._address = parse_address(source)
        self._excluded, self._before, self._hidden, self._broken = excluded, before, hidden, broken
        self._readable = readable_suffixes()
        self._folders: dict[str, str] = {"": ""}
        self._files: list[FoundFile] = []
        self._raws: list[FoundFile] = []
        self._archived: set[str] = set()
        self._sidecars: dict[str, int] = {}
        self._missing: Counter[str] = Counter()
        self._skipped = 0

    def take(self, page: Iterable[ListedObject]) -> None:
        """Add some objects, which come in the order of their keys."""
        for each in page:
            if not each.key.endswith("/"):
                self._take(each)

    def so_far(self, *, whole: bool, state: str = "", reason: str = "", device: str = "") -> ListedObjects:
        """What was taken. RAW files come with the end, when it is known which have a picture of the same shot."""
        files = sorted(self._files + self._alone(), key=lambda file: file.path) if whole else self._files
        return ListedObjects(
            tuple(files),
            frozenset(self._archived),
            self._skipped,
            dict(self._missing),
            dict(self._sidecars),
            whole=whole,
            state=state,
            reason=reason,
            device=device,
        )

    def _take(self, each: ListedObject) -> None:
        relative = each.key[len(self._address.folder) :] or each.key
        if each.key == self._address.key:  # the source is this object
            relative = each.key.rpartition("/")[2]
        folder, _, name = relative.rpartition("/")
        verdict = self._verdict(folder)
        if verdict == "excluded":
            return
        if verdict or is_left_out(name, folder.rpartition("/")[2], hidden=self._hidden):
            self._skipped += is_picture(name)
            return
        if self._excluded(name, relative):
            self._skipped += 1
            return
        path, suffix = str(S3Address(self._address.bucket, each.key)), suffix_of(name)
        if suffix not in self._readable:
            self._skip(path, suffix, each)
            return
        file = FoundFile(path, each.size, each.changed_ns, each.etag)
        same = self._before.get(path)
        (self._raws if suffix in RAW_SUFFIXES else self._files).append(file if same != file else same)
        if each.archived:
            self._archived.add(path)

    def _skip(self, path: str, suffix: str, each: ListedObject) -> None:
        self._skipped += 1
        if missing := format_to_install(suffix):
            self._missing[missing] += 1
        elif suffix == SIDECAR_SUFFIX:
            self._sidecars[path] = each.changed_ns

    def _verdict(self, folder: str) -> str:
        """Why what lies in a folder, or in one around it, is left out: "hidden", "excluded" or ""."""
        known = self._folders.get(folder)
        if known is None:
            around, _, name = folder.rpartition("/")
            known = self._verdict(around)
            if not known and is_left_out(name, around.rpartition("/")[2], hidden=self._hidden):
                known = "hidden"
            elif not known and self._excluded(name, folder):
                known = "excluded"
            self._folders[folder] = known
        return known

    def _alone(self) -> list[FoundFile]:
        """RAW files without a picture of the same shot."""
        if not self._raws:
            return []
        whole = (file.path for file in self._files if file.path not in self._broken)
        shots = {without_suffix(path) for path in whole if suffix_of(path) in SHOT_SUFFIXES}
        return [file for file in self._raws if without_suffix(file.path) not in shots]


def is_left_out(name: str, parent: str, *, hidden: bool) -> bool:
    """Whether a part of a key is the name of something hidden. parent: the part before it."""
    return name not in {"", ".", ".."} and is_passed_over(name, parent, hidden=hidden)
