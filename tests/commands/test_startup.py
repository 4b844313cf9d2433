"""Where the program is started: folders whose files would run as code, users without a home, places one may not write."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from tests.commands.person import PATIENCE_SECS, ROOT, Person, Told, environment
from tests.libraries import PICTURES, copy_pictures

MARKER = "with open({marker!r}, 'a') as file:\n    file.write({name!r} + ' ')\n"


def plant(folder: Path, names: set[str], marker: Path) -> None:
    """A file for each module, which tells that it was run and, as the module it stands before is then missing, would
    end the program too."""
    for name in names:
        (folder / f"{name}.py").write_text(MARKER.format(marker=str(marker), name=name))


def every_module() -> set[str]:
    """The standard library's and those of every installed package: more than we and our children import."""
    installed = {name for name in metadata.packages_distributions() if name.isidentifier()}
    return set(sys.stdlib_module_names) | installed | {"sitecustomize", "usercustomize"}


def as_installed(tmp_path: Path) -> list[str]:
    """`atlas-rt` as pip writes it."""
    script = tmp_path / "bin" / "atlas-rt"
    script.parent.mkdir()
    script.write_text("import sys\nfrom atlas_rt.__main__ import main\nif __name__ == '__main__':\n    sys.exit(main())\n")
    return [sys.executable, str(script)]


def as_checkout(tmp_path: Path) -> list[str]:
    """scripts/atlas of a checkout whose .venv is ours."""
    scripts, python = tmp_path / "checkout" / "scripts", tmp_path / "checkout" / ".venv" / "bin" / "python"
    scripts.mkdir(parents=True)
    python.parent.mkdir(parents=True)
    shutil.copy(ROOT / "scripts" / "atlas", scripts)
    for file, text in ((scripts / "setup", ""), (python, f'exec "{sys.executable}" "$@"\n')):
        file.write_text(f"#!/usr/bin/env bash\n{text}")
        file.chmod(0o755)
    return [str(scripts / "atlas")]


def run(person: Person, start: list[str], *words: str, here: Path, **changes: str) -> Told:
    done = subprocess.run(
        [*start, *person.words(words)],
        cwd=here,
        env=environment() | changes,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECS,
    )
    return Told(done.returncode, done.stdout, done.stderr)


def test_a_folder_of_pictures_never_runs_code(person: Person, tmp_path: Path) -> None:
    """Indexed with a fit and drawn from inside it, as installed and from a checkout."""
    folder, marker = copy_pictures(PICTURES[:12], tmp_path / "pictures"), tmp_path / "marker"
    plant(folder, every_module(), marker)
    (folder / ".numba_config.yaml").write_text("cache_dir: [")  # numba would end here, and with a whole list obey
    subprocess.run([sys.executable, "-c", "import random"], cwd=folder, timeout=PATIENCE_SECS)
    assert "random" in marker.read_text().split(), "the files do tell when they are run"
    marker.unlink()
    indexed = run(person, as_installed(tmp_path), "index", ".", "--json", here=folder)
    assert (indexed.document["images"], indexed.document["generation"]) == (12, 1), indexed.err
    drawn = run(person, as_checkout(tmp_path), "shot", ".", "-o", str(tmp_path / "map.png"), here=folder)
    assert drawn.code == 0, drawn.err
    assert not marker.exists(), f"run from the folder: {marker.read_text()}"


def test_without_a_safe_path_the_file_that_may_have_run_is_named(person: Person, folder: Path, tmp_path: Path) -> None:
    plant(folder, {"random", "numpy", "holidays"}, tmp_path / "marker")
    told = person.run("index", ".", "--json", here=folder, PYTHONPATH=f"{ROOT}:")  # an empty entry is this folder, too
    assert told.document["images"] == 6
    assert "numpy.py in the current folder has the name of a module" in told.err
    assert "start as `python -P -m atlas_rt`" in told.err
    assert "holidays" not in told.err
    assert not (tmp_path / "marker").exists()
