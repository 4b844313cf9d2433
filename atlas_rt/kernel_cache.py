"""Where numba keeps the kernels it has compiled, and that nothing else tells numba what to do.

Its cache holds pickles, which are code to whoever reads them, so it lies in a folder of this user that nobody else may
write to. By itself numba writes next to the sources, which an installed program often may not; and it takes
settings from `.numba_config.yaml` in the current folder, the folder of such pickles among them.
"""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import platformdirs

FOLDER = "numba"
STAMP = "sources.sha256"


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


def holds_compiled(sources: Path, others: Sequence[Path]) -> bool:
    """Whether the modules of the folder `sources`, and what they were compiled with, are kept as they are now.

    others: files whose numbers are in the kernels, too.
    """
    folder = next((each for each in _choices(None) if is_private(each)), None)
    if folder is None:
        return False
    kept = _kept_in(folder, sources)
    return any(kept.glob("*.nbi")) and _read(kept / STAMP) == _digest(sources, others)


def forget_stale(sources: Path, others: Sequence[Path]) -> None:
    """Remove what was compiled of the folder `sources` with other files than those of now, after `prepare`.

    numba looks whether a kernel's own file has changed, not at those that it takes functions and numbers from.
    """
    kept, digest = _kept_in(Path(os.environ.get("NUMBA_CACHE_DIR", "")), sources), _digest(sources, others)
    if _read(kept / STAMP) == digest or "NUMBA_CACHE_DIR" not in os.environ:
        return
    shutil.rmtree(kept, ignore_errors=True)
    with contextlib.suppress(OSError):
        kept.mkdir(mode=0o700)
        (kept / STAMP).write_text(digest)


def _kept_in(folder: Path, sources: Path) -> Path:
    """Where numba keeps what it compiles of the modules in a folder: named as `numba.core.caching` does."""
    return folder / f"{sources.name}_{hashlib.sha1(str(sources).encode(), usedforsecurity=False).hexdigest()}"


def _digest(sources: Path, others: Sequence[Path]) -> str:
    return hashlib.sha256(b"".join(each.read_bytes() for each in (*sorted(sources.glob("*.py")), *others))).hexdigest()


def _read(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:
        return ""


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
