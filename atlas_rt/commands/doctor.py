"""`atlas-rt doctor`: check what works on this machine, with one line of advice for what does not."""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import shlex
import shutil
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from atlas_rt import __version__
from atlas_rt.commands.collection import read_collection, sources_of
from atlas_rt.commands.output import print_json, tell
from atlas_rt.core.assets import assets_folder
from atlas_rt.core.runtime import Runtime
from atlas_rt.core.s3_address import is_s3
from atlas_rt.encoders import registry, sessions
from atlas_rt.encoders.encoder import ImageEncoder, TextEncoder
from atlas_rt.errors import AtlasError, UsageError
from atlas_rt.library.cache_layout import Lock, cache_folder, place_of
from atlas_rt.library.inotify_limits import (
    WATCHES,
    how_to_raise,
    limit_of,
    used_up,
    watches_in_use,
    watches_needed,
)
from atlas_rt.library.store import StoreReader
from atlas_rt.render.gl.context import headless_advice, is_software, open_headless, renderer_name
from atlas_rt.render.soft.loading import is_compiled
from atlas_rt.search.labels import read_words
from atlas_rt.search.vector_index import recall_at_10
from atlas_rt.settings import Settings
from atlas_rt.typesetting.system_fonts import SystemFonts, advice
from atlas_rt.ui.window import display_available

OK, WARNING, BROKEN = "ok", "warning", "broken"
SPACE_LOW_BYTES = 2 * 10**9
TRIED, RECALL_LOW = 32, 0.9
"""How many words and images are searched for, and the share of the true best ten below which search is bad."""
SCRIPTS = {
    "Arabic": "ع", "Hebrew": "ש", "Devanagari": "क", "Thai": "ก", "Chinese": "中", "Japanese": "あ", "Korean": "한",
    "emoji": "😀",
}  # fmt: skip
"""Kinds of writing, with a character of each."""
PACKAGES = ("numpy", "onnxruntime", "moderngl", "pyglet", "imgui-bundle", "faiss-cpu", "umap-learn", "pillow")


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check. status: "ok", "warning" or "broken"; advice is empty if none is needed."""

    check: str
    status: str
    detail: str
    advice: str = ""


def run(settings: Settings, arguments: argparse.Namespace) -> int:
    checks: dict[str, Callable[[], Finding]] = {
        "program": _python,
        "packages": _packages,
        "cache": lambda: _cache(settings),
        "ONNX Runtime": lambda: _onnxruntime(settings),
        "models": lambda: _models(settings),
        "image encoder": lambda: _image_encoder(settings),
        "text encoder": lambda: _text_encoder(settings),
        "OpenGL": lambda: _opengl(settings),
        "display": _display,
        "scripts": _scripts,
        "camera": _camera,
        "watching": lambda: _watching(settings, ()),
    }
    if arguments.source or arguments.demo:
        paths = sources_of(settings, arguments.source, demo=arguments.demo)
        checks["library"] = lambda: _library(settings, paths)
        checks["search"] = lambda: _search(settings, paths)
        checks["watching"] = lambda: _watching(settings, paths)
    findings = [_tried(name, check) for name, check in checks.items()]
    if settings.json:
        print_json([asdict(finding) for finding in findings])
        return 0
    marks = {OK: "ok     ", WARNING: "warning", BROKEN: "broken "}
    for finding in findings:
        tell(f"{marks[finding.status]}  {finding.check}: {finding.detail}")
        if finding.advice:
            tell(f"         {finding.advice}")
    return 0


def _tried(name: str, check: Callable[[], Finding]) -> Finding:
    """The finding of a check; a check that raises is a finding too."""
    try:
        return check()
    except AtlasError as error:
        return Finding(name, BROKEN, str(error), "fix this, then run `atlas-rt doctor` again")
    except Exception as error:  # noqa: BLE001 - any error is a finding
        return Finding(name, BROKEN, f"{type(error).__name__}: {error}", "report this: the check itself failed")


def _python() -> Finding:
    detail = f"atlas_rt {__version__}, Python {platform.python_version()}, {platform.platform()}"
    return Finding("program", OK, detail)


def _packages() -> Finding:
    found = {name: _version(name) for name in PACKAGES}
    found["onnxruntime"] = found["onnxruntime"] or _version("onnxruntime-gpu")
    missing = [name for name, version in found.items() if not version]
    detail = ", ".join(f"{name} {version}" for name, version in found.items() if version)
    if missing:
        return Finding(
            "packages", BROKEN, f"missing: {', '.join(missing)}", "install the program again: pip install atlas_rt"
        )
    if _version("onnxruntime") and _version("onnxruntime-gpu"):
        advice = "onnxruntime and onnxruntime-gpu overwrite each other: uninstall both, then install the one you want"
        return Finding("packages", WARNING, detail, advice)
    return Finding("packages", OK, detail)


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _cache(settings: Settings) -> Finding:
    cache = cache_folder(settings.cache_path)
    standing = next(folder for folder in (cache, *cache.parents) if folder.exists())
    if not os.access(standing, os.W_OK | os.X_OK):
        return Finding(
            "cache",
            BROKEN,
            f"this folder cannot be written to: {cache}",
            "allow writing there, or choose another with --cache DIR",
        )
    free = shutil.disk_usage(standing).free
    detail = f"{free / 1e9:.1f} GB free: {cache}"
    if free < SPACE_LOW_BYTES:
        return Finding("cache", WARNING, detail, "free some space, or choose another place with --cache DIR")
    return Finding("cache", OK, detail)


def _onnxruntime(settings: Settings) -> Finding:
    """The providers it was built with, and the one that really runs."""
    built_in, runs = sessions.built_in(), sessions.working_provider(settings.runtime())
    why, advice = sessions.why_no_gpu()
    detail = f"built in: {', '.join(built_in)}; runs on {runs}"
    if runs != "CPU":
        return Finding("ONNX Runtime", OK, detail)
    if settings.require_gpu:
        return Finding("ONNX Runtime", BROKEN, f"{detail}, but a GPU is required: {why}", advice)
    if len(built_in) > 1 or _nvidia_card():
        return Finding("ONNX Runtime", WARNING, f"{detail}: {why}", advice)
    return Finding("ONNX Runtime", OK, detail)


def _nvidia_card() -> bool:
    """Whether NVIDIA's driver is here, which a build without CUDA leaves unused."""
    return Path("/proc/driver/nvidia/version").exists() or shutil.which("nvidia-smi") is not None


def _runtime(settings: Settings) -> Runtime:
    """Where encoders run. That a required GPU is missing is the finding of another check."""
    return replace(settings.runtime(cache_folder(settings.cache_path)), require_gpu=False)


def _models(settings: Settings) -> Finding:
    """The models that are here, and the folders of models that cannot be used."""
    models, broken = registry.survey(cache_folder(settings.cache_path))
    detail = f"{', '.join(model.name for model in models)} here"
    if broken:
        reasons = "; ".join(f"{each.name}: {each.reason}" for each in broken)
        return Finding("models", WARNING, f"{detail}; left out: {reasons}", "fetch or export it again, or delete it")
    return Finding("models", OK, detail)


def _image_encoder(settings: Settings) -> Finding:
    try:
        model = registry.load(settings.model, cache_folder(settings.cache_path))
        encoder = ImageEncoder(model, runtime=_runtime(settings))
        size_px = model.image.preprocessing.size_px
        vector = encoder.encode(np.zeros((1, 3, size_px, size_px), np.float32))[0]
    except AtlasError as error:
        return Finding(
            "image encoder",
            BROKEN,
            str(error),
            "choose another with --model; `atlas-rt models list` shows which there are",
        )
    status = OK if np.isfinite(vector).all() else BROKEN
    return Finding("image encoder", status, f"{model.name}, {model.dim} dimensions, runs on {encoder.provider}")


def _text_encoder(settings: Settings) -> Finding:
    try:
        model = registry.load(settings.model, cache_folder(settings.cache_path))
        encoder = TextEncoder(model, runtime=_runtime(settings))
        encoder.encode("a red apple")
    except AtlasError as error:
        return Finding(
            "text encoder",
            BROKEN,
            str(error),
            "choose another with --model; `atlas-rt models list` shows which there are",
        )
    return Finding("text encoder", OK, f"runs on {encoder.provider}")


def _opengl(settings: Settings) -> Finding:
    """The driver, and what draws the map with `--renderer` as it is set."""
    try:
        context = open_headless()
    except AtlasError as error:
        detail = f"{error}; `atlas-rt shot` draws the map without it, without panels"
        return Finding("OpenGL", BROKEN, detail, headless_advice(sys.platform))
    name, version, software = renderer_name(context), context.version_code / 100, is_software(context)
    context.release()
    chosen = settings.renderer
    by_rasterizer = chosen == "software" or (chosen == "auto" and software)
    detail = f"{version:.1f}, {name}; the map is drawn by {_rasterizer() if by_rasterizer else 'OpenGL'}"
    if software:
        return Finding(
            "OpenGL", WARNING, detail, "the processor draws the map; a graphics driver would make it smoother"
        )
    return Finding("OpenGL", OK, detail)


def _rasterizer() -> str:
    """What draws instead of OpenGL, and whether it is ready."""
    state = "compiled" if is_compiled() else "not compiled yet: the first window does that, in the background"
    return f"atlas_rt's rasterizer ({state})"


def _display() -> Finding:
    if display_available():
        return Finding("display", OK, "a window can be opened")
    return Finding(
        "display", WARNING, "none here", "start it from a desktop session; `atlas-rt shot` draws without one"
    )


def _scripts() -> Finding:
    """Whether the system has fonts for what names of files are written in."""
    fonts = SystemFonts()
    missing = [name for name, character in SCRIPTS.items() if fonts.known(character) is None]
    detail = f"fonts for {len(SCRIPTS) - len(missing)} of {len(SCRIPTS)} kinds of writing besides Latin"
    if missing:
        detail = f"{detail}; names with {', '.join(missing)} are shown with numbers"
        return Finding("scripts", WARNING, detail, advice(fonts.missing()))
    return Finding("scripts", OK, detail)


def _camera() -> Finding:
    if sys.platform == "linux" and not list(Path("/dev").glob("video*")):
        return Finding("camera", WARNING, "none is connected", "plug one in, or use --webcam FILE with a film")
    return Finding("camera", OK, "one is connected" if sys.platform == "linux" else "checked when it is switched on")


def _watching(settings: Settings, paths: tuple[str, ...]) -> Finding:
    """Whether the system has watches left, and enough of them for the folders of a library."""
    allowed, full = limit_of(WATCHES), used_up()
    if not allowed:
        return Finding("watching", OK, "the system tells of changes in any number of folders")
    in_use, needed = watches_in_use(), sum(watches_needed(path) for path in paths if not is_s3(path))
    detail = f"{in_use:,} of the {allowed:,} folders that can be watched are"
    place = place_of(paths, cache_folder(settings.cache_path), make=False) if paths else None
    if place is not None and Lock(place).holder():
        detail, needed = f"{detail}, those of this library among them", 0
    elif needed:
        detail = f"{detail}; this library needs {needed:,} more"
    if full or in_use + needed > allowed:
        advice = f"changes will be found by looking through the folders, late; {how_to_raise(full or WATCHES)}"
        return Finding("watching", WARNING, detail, advice)
    return Finding("watching", OK, detail)


def _library(settings: Settings, paths: tuple[str, ...]) -> Finding:
    cache = cache_folder(settings.cache_path)
    place = place_of(paths, cache, make=False)
    named = _named(paths, settings, cache)
    if not (place.folder / "library.db").exists():
        return Finding("library", WARNING, "not indexed yet", f"atlas-rt index {named}")
    try:
        with StoreReader.open(place.folder) as store:
            images, failed = store.images(), len(store.failures())
        if images:
            read_collection(settings, place, registry.load(settings.model, cache), cache)
    except UsageError:
        return Finding("library", WARNING, "not on a map yet", f"atlas-rt index {named}")
    except AtlasError as error:
        heals = "library forget" if "library forget" in str(error) else "index"
        return Finding("library", BROKEN, str(error), f"atlas-rt {heals} {named}")
    holder = Lock(place).holder()
    detail = f"{images:,} images, {failed:,} failed, in {place.folder}" + (f", written by {holder}" if holder else "")
    if not images:
        return Finding("library", WARNING, detail, f"atlas-rt index {named}")
    return Finding("library", OK, detail)


def _named(paths: tuple[str, ...], settings: Settings, cache: Path) -> str:
    """The library as words of a command."""
    return shlex.join([*paths, *(["--cache", str(cache)] if settings.cache else [])])


def _search(settings: Settings, paths: tuple[str, ...]) -> Finding:
    """How many of the true best ten a search finds: for everyday words, and for images of the library."""
    cache = cache_folder(settings.cache_path)
    place, model = place_of(paths, cache, make=False), registry.load(settings.model, cache)
    try:
        collection = read_collection(settings, place, model, cache)
    except AtlasError:  # the check of the library says why
        return Finding(
            "search", WARNING, "there is nothing to search yet", f"atlas-rt index {_named(paths, settings, cache)}"
        )
    everyday = read_words(assets_folder("models") / "vocabulary.txt")[:TRIED]
    words, vector_index = TextEncoder(model, runtime=_runtime(settings)).encode_all(everyday), collection.vector_index
    images = vector_index.at(np.linspace(0, len(vector_index) - 1, min(TRIED, len(vector_index))).astype(np.int32))
    found = [recall_at_10(vector_index, vectors) for vectors in (words, images)]
    detail = (
        f"recall at 10 against all: {found[0]:.3f} for everyday words, {found[1]:.3f} for images; {vector_index.how}"
    )
    if min(found) < RECALL_LOW:
        return Finding("search", WARNING, detail, "report this: the index finds less than it should")
    return Finding("search", OK, detail)
