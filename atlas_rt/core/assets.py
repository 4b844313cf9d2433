"""Where the files that travel with the program lie: shaders and models."""

from __future__ import annotations

from pathlib import Path

from atlas_rt.errors import AtlasError

DEMO = "demo"
"""Name of the pictures that come with the program."""
_PACKAGE = Path(__file__).resolve().parents[1]


def assets_folder(name: str) -> Path:
    """The folder `name` ("shaders", "models") in an installed wheel, else in a source checkout.

    Raises AtlasError when neither has it: the installation is damaged.
    """
    for folder in (_PACKAGE / "_data" / name, _PACKAGE.parent / name):
        if folder.is_dir():
            return folder
    raise AtlasError(f"the program's own {name} are missing; install it again: {_PACKAGE}")


def demo_folder() -> Path:
    """The folder of the pictures that come with the program. Raises AtlasError as `assets_folder` does."""
    return assets_folder("models") / DEMO
