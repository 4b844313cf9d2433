"""Where the program is started: folders whose files would run as code, users without a home, places of others."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from tests.commands.person import PATIENCE_SECS, ROOT, Person, Told, environment, without_privileges
from tests.libraries import PICTURES, Library, copy_pictures
from tests.screens import screen_of

MARKER = "with open({marker!r}, 'a') as file:\n    file.write({name!r} + ' ')\n"


def plant(folder: Path, names: set[str], marker: Path) -> None:
    """A file for each module, which tells that it was run and, as the module it stands before is then missing, would
    end the program too."""
    for name in names:
        (folder / f"{name}.py").write_text(MARKER.format(marker=str(marker), name=name))


def plant_libraries(folder: Path) -> None:
    """Files with the names of system libraries; the loader ends a process that comes upon one, as it is none."""
    for name in ("libc.so.6", "libm.so.6", "libdl.so.2", "libz.so.1", "libpthread.so.0", "libstdc++.so.6"):
        (folder / name).write_bytes(b"")


def every_module() -> set[str]:
    """The standard library's and those of every installed package: more than we and our children import."""
    installed = {name for name in metadata.packages_distributions() if name.isidentifier()}
    return set(sys.stdlib_module_names) | installed | {"sitecustomize", "usercustomize"}


def as_installed(tmp_path: Path) -> list[str]:
    """`atlas-rt` as pip writes it."""
    script = tmp_path / "bin" / "atlas-rt"
    script.parent.mkdir()
    script.write_text(
        "import sys\nfrom atlas_rt.__main__ import main\nif __name__ == '__main__':\n    sys.exit(main())\n"
    )
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


@pytest.mark.slow
def test_a_folder_of_pictures_never_runs_code(person: Person, tmp_path: Path) -> None:
    """Indexed with a fit and drawn from inside it, as installed and from a checkout."""
    folder, marker = copy_pictures(PICTURES[:12], tmp_path / "pictures"), tmp_path / "marker"
    plant(folder, every_module(), marker)
    plant_libraries(folder)
    (folder / ".numba_config.yaml").write_text("cache_dir: [")  # numba would end here, and with a whole list obey
    subprocess.run([sys.executable, "-c", "import random"], cwd=folder, env=environment(), timeout=PATIENCE_SECS)
    assert "random" in marker.read_text().split(), "the files do tell when they are run"
    marker.unlink()
    indexed = run(person, as_installed(tmp_path), "index", ".", "--json", here=folder)
    assert (indexed.document["images"], indexed.document["generation"]) == (12, 1), indexed.err
    drawn = run(person, as_checkout(tmp_path), "shot", ".", "-o", str(tmp_path / "map.png"), here=folder)
    assert drawn.code == 0, drawn.err
    assert not marker.exists(), f"run from the folder: {marker.read_text()}"


def test_a_window_loads_no_library_from_the_current_folder(tmp_path: Path) -> None:
    for name in ("X11", "GL", "EGL", "Xext"):
        for folder in ("lib", "."):
            (tmp_path / folder).mkdir(exist_ok=True)
            (tmp_path / folder / f"lib{name}.so").write_bytes(b"")  # could not be loaded, and no window be opened
    code = "from atlas_rt.ui.window import Window; Window('x').close(); print('opened')"
    with screen_of(800, 600) as screen:
        done = subprocess.run(
            [sys.executable, "-P", "-c", code],
            cwd=tmp_path,
            env=environment() | {"DISPLAY": screen},
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECS,
        )
    assert done.stdout == "opened\n", done.stderr


def test_without_a_safe_path_the_file_that_may_have_run_is_named(person: Person, folder: Path, tmp_path: Path) -> None:
    plant(folder, {"random", "numpy", "holidays"}, tmp_path / "marker")
    told = person.run("index", ".", "--json", here=folder, PYTHONPATH=f"{ROOT}:")  # an empty entry is this folder, too
    assert told.document["images"] == 6
    assert "numpy.py in the current folder has the name of a module" in told.err
    assert "start as `python -P -m atlas_rt`" in told.err
    assert "holidays" not in told.err
    assert not (tmp_path / "marker").exists()


def as_stranger() -> list[str]:
    """What starts a program as a user that the system has no entry for, who may read everything (the interpreter and
    the checkout may be root's)."""
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        pytest.skip("only root can become a user without an entry, by setpriv")
    rights = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
    start = ["setpriv", "--reuid=12345", "--regid=12345", "--clear-groups", *rights]
    if subprocess.run([*start, "true"], capture_output=True, timeout=PATIENCE_SECS).returncode:
        pytest.skip("no right to read everything can be handed on here")
    return start


def test_no_home_no_entry_one_core_a_plain_locale(person: Person, folder: Path, tmp_path: Path) -> None:
    (folder / "Übung 日本.webp").write_bytes(PICTURES[7].read_bytes())
    (tmp_path / "temporary").mkdir()
    for place in (person.cache, tmp_path / "temporary", person.here):
        subprocess.run(["chmod", "-R", "a+rwX", place], check=True)
    before = ["env", "-u", "HOME", *as_stranger(), *(["taskset", "-c", "0"] if shutil.which("taskset") else [])]
    told = person.run("index", folder, "--json", before=before, TMPDIR=str(tmp_path / "temporary"), LC_ALL="C")
    assert told.document["images"] == 7
    assert told.err.startswith("atlas-rt: the system knows no home folder for this user, so ")
    assert "Traceback" not in told.err
    home = tmp_path / "temporary" / "atlas_rt-12345"
    assert (home.stat().st_uid, home.stat().st_mode & 0o777) == (12345, 0o700)
    assert list(person.here.iterdir()) == []  # no folder called "~"
    assert not list(home.rglob("*icrosoft*")), "ONNX Runtime has not noted an id of this device"
    found = person.run("search", folder, "日本", "--json", "--no-update", LC_ALL="C")
    assert len(found.document["results"]) == 7


def test_a_home_of_someone_else_is_said_or_does_no_harm(person: Person, folder: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / ".config" / "atlas_rt").mkdir(parents=True)
    (home / ".config" / "atlas_rt" / "atlas.toml").write_text("fps = 30")
    home.chmod(0o700)
    told = person.run("index", folder, "--cache", home / ".cache", before=as_stranger(), HOME=str(home))
    assert (told.code, told.refusal) == (
        3,
        f"The cache folder cannot be written to. Allow it, or choose another with --cache DIR: {home}/.cache",
    )
    home.chmod(0o000)
    settings = {"HOME": str(home), "XDG_CONFIG_HOME": str(home / ".config")}
    assert person.run("library", "list", before=without_privileges(), **settings).code == 0
    home.chmod(0o700)
    (home / ".config" / "atlas_rt" / "atlas.toml").chmod(0o000)
    refused = person.run("library", "list", before=without_privileges(), **settings)
    assert refused.code == 2
    assert refused.refusal.startswith("the settings file cannot be read (Permission denied); allow it, or move")


def test_a_current_folder_one_may_not_enter_is_said(person: Person, folder: Path, tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    start = ["sh", "-c", f'cd {closed} && chmod 000 {closed} && exec "$@"', "sh", *without_privileges()]
    told = person.run("index", folder, before=start)
    closed.chmod(0o700)
    assert (told.code, told.refusal) == (
        2,
        "the current folder cannot be used (Permission denied); change to another one first",
    )


def test_text_that_is_none_in_this_locale_is_drawn_all_the_same(reader: Person, library: Library, here: Path) -> None:
    told = reader.run("shot", library.source, "--search", os.fsdecode(b"\xff tree"), "-o", here / "map.png")
    assert (told.code, "defect" in told.err) == (0, False), told.err


NO_LOCKS = """
import errno, fcntl

def flock(*_):
    raise OSError(errno.ENOLCK, "No locks available")

fcntl.flock = flock
"""


def test_a_cache_without_locks_is_said(person: Person, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(NO_LOCKS)
    told = person.run("index", folder, PYTHONPATH=f"{tmp_path / 'site'}{os.pathsep}{ROOT}")
    assert told.code == 3
    assert told.refusal.startswith("The file system of this folder has no locks (No locks available), and without them")
    assert "Choose a folder on a disk of this computer with --cache DIR: " in told.refusal
