"""The container image: its folder, what is installed in it, and the builder that is here."""

from __future__ import annotations

import importlib.metadata
import os
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = ROOT / "atlas_rt/aws/Dockerfile"
NAME = "atlas-rt-embed"
PACKAGES = (
    *("numpy", "pillow", "simplejpeg", "opencv-python-headless", "onnxruntime", "tokenizers", "pyarrow"),
    *("boto3", "botocore", "jmespath", "s3transfer", "urllib3", "python-dateutil", "six"),
)
"""What the functions load, and what that loads. (tokenizers asks for huggingface_hub, onnxruntime for protobuf and
sympy's successors; neither loads them.)"""
RUNTIME = ("awslambdaric==4.2.2", "simplejson==4.3.0", "snapshot-restore-py==1.0.0")
"""The client of Lambda's runtime."""
BUILDERS = ("docker", "podman", "buildah")


class ImageError(Exception):
    """The image cannot be built; the message says why and what to do."""


def requirements() -> str:
    """The packages in the versions that are installed here, as other versions may give other last bits."""
    return "\n".join([*(f"{name}=={importlib.metadata.version(name)}" for name in PACKAGES), *RUNTIME, ""])


def make_folder(folder: Path, models: Sequence[Path] = ()) -> Path:
    """The folder that the image is built from. models: folders of encoders besides the shipped one."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copy(DOCKERFILE, folder)
    (folder / "requirements.txt").write_text(requirements())
    shutil.copytree(ROOT / "atlas_rt", folder / "atlas_rt", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "models", folder / "models", ignore=shutil.ignore_patterns("demo", "report.md"))
    for model in models:
        if not (model / "model.toml").is_file():
            raise ImageError(f"there is no model.toml, so this is no encoder: {model}")
        shutil.copytree(model, folder / "models" / model.name)
    return folder


def builder(wanted: str = "") -> str:
    """The first builder that works here. Raises ImageError."""
    for name in [wanted] if wanted else BUILDERS:
        probe = [name, "info"] if name != "buildah" else [name, "--version"]
        if shutil.which(name) and subprocess.run(probe, capture_output=True, check=False).returncode == 0:
            return name
    raise ImageError(
        f"no builder of images works here ({', '.join([wanted] if wanted else BUILDERS)}). Install Docker, Podman or "
        "buildah; on Debian and Ubuntu: sudo apt-get install buildah"
    )


def build_command(with_: str, folder: Path, tag: str, *, base: str, machine: str, more: Sequence[str]) -> list[str]:
    """machine: x86_64 or arm64. more: options for the builder, such as --volume for pip's settings behind a proxy."""
    platform = {"x86_64": "linux/amd64", "arm64": "linux/arm64"}[machine]
    words = [with_, "build", "--platform", platform, "--tag", tag, *more]
    if with_ == "docker":
        words += ["--provenance=false"]  # Lambda takes no list of manifests
    return [*words, *(["--build-arg", f"BASE={base}"] if base else []), str(folder)]


def build(command: Sequence[str]) -> None:
    """Raises ImageError."""
    print("+", shlex.join(command), flush=True)
    if subprocess.run(command, check=False, env=os.environ).returncode:
        raise ImageError("the image was not built; the builder's message is above")
