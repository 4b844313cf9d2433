"""Folders that are absent, such as a drive that is not plugged in: nothing that was known below one is hidden.

The file system does not say "unplugged". A mount point without its drive is an empty folder, or it is gone, or another
drive is mounted there. So a source is absent that is missing, empty or unreadable, or that lies on another device and
lacks most of what was known of it. A drive gets another device number at every plug-in, and another drive may get the
same one, so the number alone means nothing. The device of a bucket is the service that was asked: another one may have
another bucket of this name. Folders within a source are judged likewise where they were mount points, where they are
reached by a link that now leads nowhere, and where they are empty and held MANY images: a person who deletes so many
usually deletes their folder, too. All else that a scan does not find is hidden.
"""

from __future__ import annotations

import errno
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from atlas_rt.core.images import Absence
from atlas_rt.core.s3_address import is_s3
from atlas_rt.library.changes import KnownFile, below
from atlas_rt.library.disk_errors import reason_of
from atlas_rt.library.scanning import Scan

MANY = 10
"""Images that a folder within a source held, from which on it is absent, and not only emptied, once it is empty."""
VANISHING_SECS = 60.0
"""What was hidden so shortly before a folder was found absent had been in it: a scan saw it half unmounted."""
_NOT_THERE = reason_of(FileNotFoundError(errno.ENOENT, ""))


def find_absences(
    scan: Scan,
    sources: Sequence[str],
    known: Sequence[KnownFile],
    *,
    devices: Mapping[str, str],
    before: Sequence[Absence] = (),
) -> tuple[Absence, ...]:
    """The absent sources, and the absent folders in them below which images are shown; none lies in another.

    known: all rows of the library. devices: of sources and mount points, from when what is known of them was there.
    before: what the last scan found absent; what is there now may be another drive with the same number.
    """
    found = {file.path for file in scan.files}
    missed = [row for row in known if row.path not in found and row.state == "ready"]
    lost = _by_folder(missed) | _by_address(missed, sources)
    files = {row.path for row in missed}
    states = {failure.path: "missing" if failure.reason == _NOT_THERE else "unreadable" for failure in scan.unreadable}
    states |= dict.fromkeys(scan.dangling, "missing") | scan.states
    states |= {folder: "empty" for folder in scan.empty if folder in sources or lost[folder] >= MANY}
    others = {place for place, device in devices.items() if scan.devices.get(place) != device}
    others |= {absence.path for absence in before} & scan.devices.keys()
    for place in others - states.keys() - scan.unlisted:
        if _most_missed(place, known, found):
            states[place] = _state_of_place(place, scan)
    absent = [path for path in states if path in sources or (lost[path] and path not in files)]
    outermost = [path for path in absent if not below(other for other in absent if other != path)(path)]
    return tuple(Absence(path, states[path], lost[path]) for path in sorted(outermost))


def hidden_while_vanishing(
    absences: Iterable[Absence], known: Sequence[KnownFile], *, now_secs: float
) -> list[KnownFile]:
    """Images that were hidden although they lie in an absent folder: a scan came while it was being unmounted.

    Of a library that version 0.1.0 wrote nobody knows when they vanished: all are shown where else none would be.
    """
    folders = [absence.path for absence in absences if absence.state != "partly"]
    if not folders:
        return []
    is_absent = below(folders)
    inside = [row for row in known if is_absent(row.path)]
    taken = {row.path for row in inside if row.state != "away"}
    since = now_secs - VANISHING_SECS
    again = {
        row.path: row
        for row in sorted(inside, key=lambda row: (row.away_secs, row.id))  # the newest of a path
        if row.state == "away" and (row.away_secs >= since or (row.away_secs == 0.0 and not taken))
    }
    return [row for path, row in again.items() if path not in taken]


def remembered_devices(
    scan: Scan, sources: Sequence[str], absences: Sequence[Absence], devices: Mapping[str, str]
) -> dict[str, str]:
    """The devices to keep: those seen now, and of what is absent the old ones."""
    is_absent = below(absence.path for absence in absences)
    seen = {path: device for path, device in scan.devices.items() if not is_absent(path)}
    kept = {path: device for path, device in devices.items() if is_absent(path) or path in sources}
    return kept | seen


def source_state(absences: Sequence[Absence], sources: Sequence[str]) -> str:
    """ "present", "missing", "empty" or "unreadable" where that is true of all sources, "partly" where it is not."""
    states = {absence.path: absence.state for absence in absences}
    of_sources = {states.get(source, "present") for source in sources}
    if len(of_sources) > 1 or states.keys() - set(sources):
        return "partly"
    return of_sources.pop() if of_sources else "present"


def sentence(absences: Sequence[Absence], reasons: Mapping[str, str] | None = None) -> str:
    """What a person should know of it; empty where no image is concerned. reasons: source in S3 -> why it could not be
    listed."""
    concerned = sorted((each for each in absences if each.images), key=lambda each: -each.images)
    if not concerned:
        return ""
    worst, others = concerned[0], len(concerned) - 1
    more = f" (and {others:,} more {'folder' if others == 1 else 'folders'})" if others else ""
    if is_s3(worst.path):
        return f"{worst.path} {_WORDS[worst.state]}{more}{_why(worst, reasons or {})} Showing what was known"
    return f"{worst.path} {_WORDS[worst.state]}{more}: is the drive connected? Showing what was known"


def _why(absence: Absence, reasons: Mapping[str, str]) -> str:
    """The end of a sentence."""
    elsewhere = "is it the right bucket, at the right service?" if absence.state == "partly" else ""
    reason = reasons.get(absence.path, elsewhere)
    return (f": {reason}" if reason.endswith((".", "?")) else f": {reason}.") if reason else "."


_WORDS = {
    "missing": "is missing",
    "empty": "is empty",
    "unreadable": "cannot be read",
    "partly": "holds other files than before",
}


def _by_folder(rows: Iterable[KnownFile]) -> Counter[str]:
    """How many of these rows are files at or below each path."""
    counts: Counter[str] = Counter()
    files = [row.path for row in rows if not is_s3(row.path)]
    counts.update(files)
    for inner, count in Counter(os.path.split(path)[0] for path in files).items():
        folder, below = inner, ""
        while folder != below:
            counts[folder] += count
            folder, below = os.path.split(folder)[0], folder
    return counts


def _by_address(rows: Sequence[KnownFile], sources: Iterable[str]) -> Counter[str]:
    """How many of these rows are objects at or below each source in S3."""
    objects = [row.path for row in rows if is_s3(row.path)]
    return Counter({source: sum(map(below([source]), objects)) for source in sources if is_s3(source)})


def _most_missed(place: str, known: Sequence[KnownFile], found: set[str]) -> bool:
    """Whether most of what was known below a place is missed. While it is absent, what was there before alone counts,
    and not what has come since; nor what had vanished before it was absent and is shown again: a person may have
    deleted it."""
    is_inside = below([place])
    inside = [row for row in known if row.state == "ready" and not row.away_secs and is_inside(row.path)]
    judged = [row for row in inside if not row.present] or inside
    return sum(row.path not in found for row in judged) * 2 > len(judged)


def _state_of_place(place: str, scan: Scan) -> str:
    if place in scan.empty:
        return "empty"
    return "partly" if place in scan.devices else "missing"
