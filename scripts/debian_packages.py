"""Debian packages as a source of files: downloaded once, unpacked without installing.

Needs `apt-get` and `dpkg-deb`, no root. What was downloaded stays in a folder of the user's cache.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import platformdirs


class PackageError(Exception):
    """A package cannot be had here; the message is the sentence for the person."""


@dataclass(frozen=True)
class Package:
    """One unpacked package.

    share: its /usr/share, unpacked.
    """

    name: str
    version: str
    share: Path


def default_folder() -> Path:
    """Where packages are kept between calls."""
    return Path(platformdirs.user_cache_dir("atlas_rt", appauthor=False)) / "packages"


def fetch(names: Sequence[str], folder: Path) -> dict[str, Package]:
    """The packages by name, downloaded into `folder` and unpacked there where they are not yet.

    Raises PackageError with no apt, no network, or a name this Debian does not know.
    """
    for program in ("apt-get", "dpkg-deb"):
        if shutil.which(program) is None:
            raise PackageError(
                f"{program} is not here: the images come from Debian packages, so this needs Debian or Ubuntu"
            )
    folder.mkdir(parents=True, exist_ok=True)
    missing = [name for name in names if _downloaded(name, folder) is None]
    if missing:
        _download(missing, folder)
    return {name: _unpacked(name, folder) for name in names}


def _downloaded(name: str, folder: Path) -> Path | None:
    return max(folder.glob(f"{name}_*.deb"), default=None)


def _download(names: Sequence[str], folder: Path) -> None:
    print(f"downloading {', '.join(names)}", file=sys.stderr)
    # The sandbox user of apt may not write into the cache folder of root.
    command = ["apt-get", "download", "-qq", "-o", "APT::Sandbox::User=root", *names]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if result.returncode:
        # The lists of a fresh machine are empty; without root this fails too, and the message below says what to do.
        subprocess.run(["apt-get", "update", "-qq"], capture_output=True, check=False)
        result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if result.returncode:
        last = (result.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise PackageError(
            f"apt-get could not download {', '.join(names)} ({last}); "
            "this needs a network, and package lists no older than `sudo apt-get update` makes them"
        )


def _unpacked(name: str, folder: Path) -> Package:
    archive = _downloaded(name, folder)
    if archive is None:
        raise PackageError(f"apt-get downloaded no {name} into {folder}")
    field = subprocess.run(["dpkg-deb", "--field", archive, "Version"], capture_output=True, text=True, check=False)
    tree = archive.with_suffix("")
    if field.returncode == 0 and not tree.exists():
        print(f"unpacking {archive.name}", file=sys.stderr)
        beside = tree.with_name(f"{tree.name}.part")
        shutil.rmtree(beside, ignore_errors=True)
        extracted = subprocess.run(["dpkg-deb", "--extract", archive, beside], capture_output=True, check=False)
        if extracted.returncode == 0:
            beside.rename(tree)
    if not tree.exists():
        raise PackageError(f"a downloaded package is damaged; delete it and start again: {archive}")
    return Package(name, field.stdout.strip(), tree / "usr/share")
