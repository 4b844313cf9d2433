"""What a scan passes over: hidden files and folders, unless asked for, and always what no person put there.

That is recycle bins, snapshots, and thumbnails that other programs and storage servers keep. Their names are known by
heart, in any case: a disk of Windows is read on Linux too.
"""

from __future__ import annotations

import re

_SYSTEM = frozenset(
    [
        # Windows
        "$recycle.bin",
        "recycler",
        "recycled",
        "system volume information",
        # macOS
        ".trash",
        ".trashes",
        ".spotlight-v100",
        ".fseventsd",
        ".documentrevisions-v100",
        ".temporaryitems",
        ".mobilebackups",
        ".apdisk",
        ".appledouble",
        "network trash folder",
        "temporary items",
        # storage servers: Synology, QNAP, Samba, NetApp, ZFS, Btrfs
        "@eadir",
        "#recycle",
        "#snapshot",
        "@recycle",
        "@recently-snapshot",
        ".@__thumb",
        ".recycle",
        ".snapshot",
        ".snapshots",
        ".zfs",
        # Linux desktops and their programs
        ".thumbnails",
        ".dtrash",
    ]
)
_SYSTEM_EXACTLY = frozenset(["lost+found"])
"""Only so written: with capitals it may be a person's own."""
_SYSTEM_PATTERN = re.compile(r"\.trash-\d+|\._.+|\.trashed-.+", re.IGNORECASE)
"""Recycle bins of Linux desktops by user number, macOS's halves of files, and what Android's gallery threw away."""
_SYSTEM_INSIDE = frozenset([("share", "Trash"), (".cache", "thumbnails")])
"""(folder, folder in it), of Linux desktops."""


def is_passed_over(name: str, parent: str, *, hidden: bool) -> bool:
    """Whether a file or folder is left out. parent: name of the folder that it lies in; hidden: take hidden ones."""
    if name.startswith(".") and not hidden:
        return True
    return (
        name.lower() in _SYSTEM
        or name in _SYSTEM_EXACTLY
        or (parent, name) in _SYSTEM_INSIDE
        or bool(name.startswith(".") and _SYSTEM_PATTERN.fullmatch(name))
    )
