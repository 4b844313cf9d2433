"""What a window says of S3, in words: what is being fetched, and what was asked for so far."""

from __future__ import annotations

from collections.abc import Iterable

from atlas_rt.core.data_sizes import data_size
from atlas_rt.core.objects import Coming, Requests


def amount(coming: Coming) -> str:
    """How much of an object is here: "12 MB of 340 MB"."""
    if coming.total < 0:
        return data_size(coming.done)
    return f"{data_size(min(coming.done, coming.total))} of {data_size(coming.total)}"


def fetching_line(coming: Iterable[Coming]) -> str:
    """What is being fetched, empty for nothing."""
    lines = [f"Fetching {each.path.rpartition('/')[2]} from S3: {amount(each)}" for each in coming]
    return "  ·  ".join(lines)


def requests_line(requests: Requests) -> str:
    """What was asked of S3 since the window was opened, empty for nothing: each request may cost money."""
    asked = requests.lists + requests.gets + requests.others
    if not asked:
        return ""
    return f"S3: {asked:,} request{'' if asked == 1 else 's'}, {data_size(requests.bytes_read)} read"
