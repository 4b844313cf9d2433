"""Where numba keeps the kernels it has compiled, and that nothing else tells numba what to do.

Its cache holds pickles, which are code to whoever reads them, so it lies in a folder of this user that nobody else may
write to. By itself numba writes next to the sources, which an installed program often may not; and it takes
settings from `.numba_config.yaml` in the current folder, the folder of such pickles among them.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import platformdirs

FOLDER = "numba"


def prepare(other: Path | None = None) -> None:
    """To be called before numba is imported. other: a folder of ours, for where the user's cache folder is no use.

    With no lasting folder for it, kernels are compiled again in each process.
    """
    if "numba" in sys.modules:
        return
    folder = next((each for each in _choices(other) if is_private(each)), None)
    if folder is None:
        folder = Path(tempfile.mkdtemp(prefix="atlas_rt-numba-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ["NUMBA_CACHE_DIR"] = str(folder)
    with contextlib.chdir(folder):
        from numba.core import config
    # It is read again whenever something is compiled.
    config._config_fname = str(folder / "numba_config.yaml")


def holds_compiled(sources: Path) -> bool:
    """Whether modules of the folder `sources` seem to have been compiled since they were last changed.

    Only by the times of the files: numba itself looks again, and compiles what is not there.
    """
    folder = next((each for each in _choices(None) if is_private(each)), None)
    if folder is None:
        return False
    compiled = [each.stat().st_mtime for each in folder.glob(f"{sources.name}_*/*.nbi")]
    changed = [each.stat().st_mtime for each in sources.glob("*.py")]
    return bool(compiled) and max(compiled) >= max(changed, default=0.0)


def _choices(other: Path | None) -> Iterator[Path]:
    """Folders to keep kernels in, the best first; each is made if it is not there and can be."""
    if given := os.environ.get("NUMBA_CACHE_DIR"):
        yield _made(Path(given).absolute())
    for parent in (platformdirs.user_cache_path("atlas_rt", appauthor=False), other):
        if parent is not None and parent.is_absolute():
            folder = _made(parent / FOLDER)
            with contextlib.suppress(OSError):
                folder.chmod(0o700, follow_symlinks=False)
            yield folder


def _made(folder: Path) -> Path:
    with contextlib.suppress(OSError):
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def is_private(folder: Path) -> bool:
    """Whether it is a folder, no link, in which this user may write and nobody else."""
    try:
        status = folder.lstat()
        if not stat.S_ISDIR(status.st_mode):
            return False
        if hasattr(os, "getuid") and (status.st_uid != os.getuid() or status.st_mode & 0o022):
            return False
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        return False
    return True
