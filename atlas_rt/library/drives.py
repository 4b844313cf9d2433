"""On what kind of drive a folder lies."""

from __future__ import annotations

import os
import re
from pathlib import Path

REMOTE = {
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "smbfs",
    "9p",
    "afs",
    "ceph",
    "glusterfs",
    "fuse.sshfs",
    "fuse.rclone",
    "davfs",
}
"""File systems that others may write to without this system knowing: they cause no events here, and share no memory."""


def is_remote(folder: str) -> bool:
    """Whether it lies on a network drive, as Linux tells it; elsewhere nobody asks."""
    try:
        lines = Path("/proc/self/mounts").read_bytes().splitlines()
    except OSError:
        return False
    real, best, kind = os.path.realpath(folder), "", ""
    for line in lines:
        _, place, found, *_ = line.split(b" ")
        mounted = os.fsdecode(re.sub(rb"\\([0-7]{3})", lambda octal: bytes([int(octal[1], 8)]), place))
        inside = real == mounted or real.startswith(mounted.rstrip("/") + "/")
        if inside and len(mounted) >= len(best):
            best, kind = mounted, os.fsdecode(found)
    return kind in REMOTE
