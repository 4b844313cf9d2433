"""What a scan passes over: hidden files and folders, unless asked for, and always what no person put there.

That is recycle bins, snapshots, and thumbnails that other programs and storage servers keep. Their names are known by
heart, in any case: a disk of Windows is read on Linux too.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import re

from atlas_rt.library.formats import is_picture

PASSED_OVER_FOLDERS_MAX, PASSED_OVER_ENTRIES_MAX = 5_000, 200_000
"""Of what is passed over, so much is looked at in one scan to count its pictures; beyond that they are not counted. A
hidden cache may hold more files than the source, and a storage server keeps a folder of thumbnails for each picture.
200,000 entries cost 0.2 s, a second scan nothing."""

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


class PassedOver:
    """What is left out without having been named, and how many pictures that is: told by their endings, nothing of them
    is read or looked up. Links are not followed.

    counts: of folders that were counted before, to which new ones are added: what changes deep in a hidden folder is
    found at the next scan of everything. sources: folders that a person named, which are no such part of others.
    """

    def __init__(self, counts: dict[str, int], sources: frozenset[str], *, hidden: bool) -> None:
        self._counts, self._sources, self._hidden = counts, sources, hidden
        self._folders_left, self._entries_left = PASSED_OVER_FOLDERS_MAX, PASSED_OVER_ENTRIES_MAX

    def holds(self, name: str, parent: str) -> bool:
        """Whether what has this name in a folder of that name is left out."""
        return is_passed_over(name, parent, hidden=self._hidden)

    def pictures(self, entry: os.DirEntry[str]) -> int:
        """How many pictures are left out with an entry."""
        if not _is_folder(entry):
            return int(is_picture(entry.name))
        if entry.path not in self._counts:
            self._counts[entry.path] = 0 if entry.path in self._sources else self._counted(entry.path)
        return self._counts[entry.path]

    def _counted(self, folder: str) -> int:
        count, waiting = 0, [folder]
        while waiting and self._folders_left > 0 and self._entries_left > 0:
            self._folders_left -= 1
            with contextlib.suppress(OSError), os.scandir(waiting.pop()) as entries:
                for entry in itertools.islice(entries, self._entries_left):
                    self._entries_left -= 1
                    if is_picture(entry.name):
                        count += 1
                    elif _is_folder(entry):
                        waiting.append(entry.path)
        return count


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """Whether it is a real folder, as the listing of its parent tells."""
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False
