"""Dates as files hold them -> ISO 8601 and seconds."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

FIRST_YEAR, LAST_YEAR = 1826, 2100
"""The oldest photograph that is left is of 1826; a date beyond these is that of a clock that was never set."""
EPOCH = datetime(1970, 1, 1)
"""Without a time zone, as a camera's clock."""

_DATE = re.compile(
    r"(\d{4})(?:[-:/.](\d\d)(?:[-:/.](\d\d)(?:[T ]+(\d\d):(\d\d)(?::(\d\d))?(?:\.\d*)?)?)?)?\s*(Z|[+-]\d\d:?\d\d)?\s*"
)
_ZONE = re.compile(r"([+-])(\d\d):?(\d\d)")


@dataclass(frozen=True, slots=True)
class Moment:
    """When something was. text, secs: as `Metadata.taken` and `taken_secs`."""

    text: str
    secs: float


def moment_of(text: str, zone: str = "") -> Moment | None:
    """A date as EXIF or XMP writes it; None where it is none ("0000:00:00") or of no plausible year.

    zone: where the text names none. XMP may leave out the day, the month and the time: so does what is returned.
    """
    found = _DATE.fullmatch(text.strip().strip("\0"))
    if not found or not FIRST_YEAR <= int(found[1]) <= LAST_YEAR:
        return None
    year, month, day, hour, minute, second = found.groups()[:6]
    time = int(hour or 0), int(minute or 0), min(int(second or 0), 59)  # of a leap second, too
    try:
        moment = datetime(int(year), int(month or 1), int(day or 1), *time)
    except ValueError:
        return None
    date = "-".join(part for part in (year, month, day) if part)
    clock = f"T{moment:%H:%M:%S}{_zone(found[7] or zone)}" if hour else ""
    return Moment(date + clock, (moment - EPOCH).total_seconds())


def moment_of_file(mtime_ns: int) -> Moment | None:
    """A file's time of change, as the clocks here showed it."""
    try:
        moment = (EPOCH.replace(tzinfo=UTC) + timedelta(seconds=mtime_ns // 1_000_000_000)).astimezone()
    except (OverflowError, OSError, ValueError):
        return None
    return moment_of(moment.isoformat(timespec="seconds"))


def _zone(text: str) -> str:
    """ "+02:00", empty for what is no time zone."""
    if text.strip() == "Z":
        return "+00:00"
    found = _ZONE.fullmatch(text.strip())
    return f"{found[1]}{found[2]}:{found[3]}" if found and int(found[2]) <= 14 and int(found[3]) < 60 else ""
