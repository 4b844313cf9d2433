"""The type: Inter in two weights (shipped, `fonts/OFL.txt`), other scripts from the system's fonts if it has them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from imgui_bundle import imgui

FOLDER = Path(__file__).parent / "fonts"
FALLBACKS = (
    # Names of Chinese, Japanese and Korean files; the first that is there. Loading takes 11 to 18 ms.
    (
        Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"),
        Path("/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc"),
        Path("/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf"),
        Path("/System/Library/Fonts/Hiragino Sans GB.ttc"),
        Path("C:/Windows/Fonts/msyh.ttc"),
    ),
    # Arabic, Hebrew, Armenian and many symbols.
    (
        Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"),
        Path("/System/Library/Fonts/Supplemental/Arial Unicode.ttf"),
        Path("C:/Windows/Fonts/segoeui.ttf"),
    ),
)
NO_HINTING = 1 << 0
"""Of the FreeType loader: hinting bends Inter's letters and rounds the space between them, which shows when small."""
SIZE_PX = 17.0
"""The size of running text before scaling, as the height of a line (Inter's em is 0.83 of it)."""


@dataclass(frozen=True, slots=True)
class Fonts:
    """The fonts of one Dear ImGui context; any size of them, glyphs are made when they are first used."""

    regular: imgui.ImFont
    strong: imgui.ImFont


def load_fonts() -> Fonts:
    """Add our fonts to the current context. To be called once, before its first frame."""
    return Fonts(regular=_add("Inter-Regular.otf"), strong=_add("Inter-SemiBold.otf"))


def current_fonts() -> Fonts:
    """The fonts of the current context, in the order in which `load_fonts` added them."""
    fonts = imgui.get_io().fonts.fonts
    return Fonts(regular=fonts[0], strong=fonts[1])


def _add(name: str) -> imgui.ImFont:
    atlas = imgui.get_io().fonts
    config = imgui.ImFontConfig()
    config.font_loader_flags = NO_HINTING
    font = atlas.add_font_from_file_ttf(str(FOLDER / name), SIZE_PX, config)
    for choices in FALLBACKS:
        path = next((path for path in choices if path.is_absolute() and path.is_file()), None)
        if path:
            merged = imgui.ImFontConfig()
            merged.merge_mode = True
            atlas.add_font_from_file_ttf(str(path), SIZE_PX, merged)
    return font
