"""A disk that takes no more: one sentence, exit code 3, nothing lost, and a later run with room goes on."""

from __future__ import annotations

import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from atlas_rt.library.cache_layout import place_of
from atlas_rt.library.store import StoreReader
from tests.libraries import PICTURES, ROOT, copy_pictures, index, job_of

FULL = "The disk is full; everything found so far is kept. Free some space, or choose another place with --cache DIR: "


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    return copy_pictures(PICTURES[:60], tmp_path / "pictures")


def test_files_that_may_grow_no_more(pictures: Path, cache: Path) -> None:
    """The system limits the size of every file that the program and its engine write."""
    pytest.importorskip("resource")
    code = """
        import resource, sys
        from atlas_rt.cli import main
        resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
        sys.exit(main(sys.argv[1:]))
    """
    words = ["index", str(pictures), "--cache", str(cache), "--json", "--quiet"]
    refused = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *words], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    place = place_of((str(pictures),), cache)
    assert (refused.returncode, refused.stdout) == (3, "")
    assert refused.stderr == f"atlas-rt: {FULL}{place.folder}\n"
    with StoreReader.open(place.folder) as store:
        kept = store.images()
        assert 0 < kept <= 48  # so many medium tiles fit
        assert store.failures() == ()
    report = index(job_of(pictures, cache, fit=False))
    assert (report.images, report.new, report.unchanged) == (60, 60 - kept, kept)


def test_a_file_system_without_room(pictures: Path, cache: Path, tmp_path: Path) -> None:
    """A real one, in memory and visible to these programs alone, that is given room afterwards."""
    isolated = ["unshare", "--mount", "--map-root-user"]
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    vocabulary = sum(file.stat().st_size for file in (cache / "vocabulary").iterdir())
    mounting = f"mount -t tmpfs -o size={vocabulary + 600_000} tmpfs {shelf}"
    if not shutil.which("unshare") or subprocess.run([*isolated, "sh", "-c", mounting], capture_output=True).returncode:
        pytest.skip("file systems cannot be mounted here")
    later = tmp_path / "later.py"
    later.write_text(
        textwrap.dedent(f"""
            from pathlib import Path
            from tests.libraries import index, job_of
            if __name__ == "__main__":
                print(index(job_of(Path("{pictures}"), Path("{shelf}"), fit=False)))
        """)
    )
    script = f"""
        {mounting} && cp -r {cache}/vocabulary {shelf} || exit 9
        {sys.executable} -m atlas_rt index {pictures} --cache {shelf} --json --quiet 2>&1; echo "exit $?"
        mount -o remount,size=20m {shelf} || exit 9
        PYTHONPATH=. {sys.executable} {later}
    """
    done = subprocess.run([*isolated, "sh", "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=90)
    assert done.returncode == 0, done.stderr
    sentence, code, report = done.stdout.splitlines()
    assert sentence.startswith(f"atlas-rt: {FULL}{shelf}")
    assert code == "exit 3"
    assert report.startswith("IndexReport(images=60, new=")
    assert "new=60," not in report
    assert "failed=()" in report
