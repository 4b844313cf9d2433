"""Where compiled kernels are kept: in a folder of this user that nobody else may write to, and numba hears only us."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from atlas_rt import kernel_cache
from atlas_rt.kernel_cache import is_private

CODE = """
import os, sys
from pathlib import Path
from atlas_rt import kernel_cache
kernel_cache.prepare(Path(sys.argv[1]))
import numba
print(os.environ["NUMBA_CACHE_DIR"], numba.config.CACHE_DIR, sep="\\n")
"""


def kept_in(here: Path, other: Path, **changes: str) -> str:
    """Where a process of its own, started in a folder, keeps its kernels."""
    done = subprocess.run(
        [sys.executable, "-c", CODE, str(other)],
        cwd=here,
        env={k: v for k, v in os.environ.items() if k != "NUMBA_CACHE_DIR"} | {"PYTHONPATH": str(Path.cwd())} | changes,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    said, used = done.stdout.split()
    assert said == used
    return said


def test_a_folder_that_others_may_write_to_is_not_private(tmp_path: Path) -> None:
    mine, link = tmp_path / "mine", tmp_path / "link"
    mine.mkdir(0o700)
    link.symlink_to(mine)
    assert is_private(mine)
    assert not is_private(link)
    assert not is_private(tmp_path / "nowhere")
    for mode in (0o720, 0o702, 0o777):
        mine.chmod(mode)
        assert not is_private(mine)
    if os.geteuid() == 0:
        mine.chmod(0o700)
        os.chown(mine, 12345, 12345)
        assert not is_private(mine)


def test_kernels_are_kept_where_nobody_else_writes_and_by_nobody_elses_settings(tmp_path: Path) -> None:
    """The user's cache folder; if that is no use, the folder given; if that is none either, one that goes."""
    (tmp_path / ".numba_config.yaml").write_text("cache_dir: [")
    usual, other = tmp_path / "cache", tmp_path / "library"
    home = {"XDG_CACHE_HOME": str(usual), "TMPDIR": str(tmp_path)}
    assert kept_in(tmp_path, other, **home) == str(usual / "atlas_rt" / "numba")
    assert (usual / "atlas_rt" / "numba").stat().st_mode & 0o777 == 0o700
    (usual / "atlas_rt" / "numba").rmdir()
    (usual / "atlas_rt" / "numba").write_text("in the way")
    assert kept_in(tmp_path, other, **home) == str(other / "numba")
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    assert kept_in(tmp_path, other, NUMBA_CACHE_DIR=str(tmp_path / "open"), **home) == str(other / "numba")
    (other / "numba").rmdir()
    (other / "numba").write_text("in the way")
    gone = kept_in(tmp_path, other, **home)
    assert Path(gone).name.startswith("atlas_rt-numba-")
    assert not Path(gone).exists()


@pytest.mark.skipif(sys.platform == "win32", reason="modes are Unix's")
def test_a_folder_of_ours_that_others_may_look_into_is_closed(tmp_path: Path) -> None:
    folder = tmp_path / "atlas_rt" / "numba"
    folder.mkdir(parents=True, mode=0o755)
    assert kept_in(tmp_path, tmp_path / "other", XDG_CACHE_HOME=str(tmp_path)) == str(folder)
    assert folder.stat().st_mode & 0o777 == 0o700


def test_what_was_compiled_of_other_sources_is_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sources, numbers = tmp_path / "kernels", tmp_path / "look.py"
    sources.mkdir()
    (sources / "cards.py").write_text("one")
    numbers.write_text("WIDTH = 1")
    cache = tmp_path / "cache"
    cache.mkdir(mode=0o700)
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(cache))
    kernel_cache.forget_stale(sources, [numbers])
    (kept,) = cache.iterdir()
    assert not kernel_cache.holds_compiled(sources, [numbers])
    (kept / "cards.nbi").write_text("compiled")
    kernel_cache.forget_stale(sources, [numbers])
    assert kernel_cache.holds_compiled(sources, [numbers])
    numbers.write_text("WIDTH = 2")
    assert not kernel_cache.holds_compiled(sources, [numbers])
    kernel_cache.forget_stale(sources, [numbers])
    assert not (kept / "cards.nbi").exists()
