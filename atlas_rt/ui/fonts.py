"""The type: Inter in two weights (shipped, `fonts/OFL.txt`). What it lacks comes from the system's fonts, shaped: see
`shaped_text`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from imgui_bundle import imgui

FOLDER = Path(__file__).parent / "fonts"
REGULAR, STRONG = FOLDER / "Inter-Regular.otf", FOLDER / "Inter-SemiBold.otf"
NO_HINTING = 1 << 0
"""Of the FreeType loader: hinting bends Inter's letters and rounds the space between them, which shows when small."""
SIZE_PX = 17.0
"""The size of running text before scaling, as the height of a line (Inter's em is 0.83 of it)."""
EM = 2816.0 / 3408.0
"""Inter's em as a share of its line: its units, and the sum of its ascender and descender."""


@dataclass(frozen=True, slots=True)
class Fonts:
    """The fonts of one Dear ImGui context; any size of them, glyphs are made when they are first used."""

    regular: imgui.ImFont
    strong: imgui.ImFont


def load_fonts() -> Fonts:
    """Add our fonts to the current context. To be called once, before its first frame."""
    return Fonts(regular=_add(REGULAR), strong=_add(STRONG))


def current_fonts() -> Fonts:
    """The fonts of the current context, in the order in which `load_fonts` added them."""
    fonts = imgui.get_io().fonts.fonts
    return Fonts(regular=fonts[0], strong=fonts[1])


def _add(path: Path) -> imgui.ImFont:
    config = imgui.ImFontConfig()
    config.font_loader_flags = NO_HINTING
    return imgui.get_io().fonts.add_font_from_file_ttf(str(path), SIZE_PX, config)
