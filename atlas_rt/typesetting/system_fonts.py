"""Which font of the system has a character that our own does not have.

Font files are mapped into memory, not read: of a Chinese font of 20 MB some pages are touched. To ask 270 fonts for a
character takes 15 ms, so all are asked where nothing better is known; what their names tell is tried first.
"""

from __future__ import annotations

import itertools
import os
import sys
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import uharfbuzz as hb

FOLDERS: dict[str, tuple[str, ...]] = {
    "linux": ("/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "~/.fonts"),
    "darwin": ("/System/Library/Fonts", "/Library/Fonts", "~/Library/Fonts"),
    "win32": ("C:/Windows/Fonts", "~/AppData/Local/Microsoft/Windows/Fonts"),
}
SUFFIXES = (".ttf", ".otf", ".ttc", ".otc")
BOXES = ("lastresort", "adobeblank")
"""Fonts that have every character, as a box or as nothing."""
OTHERWISE = ("mono", "serif", "italic", "oblique", "bold", "black", "light", "thin", "condensed", "display", "looped")
"""In the names of fonts that look unlike our own."""
CJK = ("cjk", "hiragino", "msyh", "yugoth", "malgun", "droidsansfallback")
"""Fonts of Chinese, Japanese and Korean, one of which is to draw all three."""
EMOJI = ("emoji", "seguiemj")
IN_NAMES = {
    "CJK": CJK, "HIRAGANA": CJK, "KATAKANA": CJK, "HANGUL": CJK, "BOPOMOFO": CJK, "FULLWIDTH": CJK, "HALFWIDTH": CJK,
    "IDEOGRAPHIC": CJK,
}  # fmt: skip
"""First word of a character's name -> what the names of its fonts contain, where that is not the word itself."""
COLOURED = "\ufe0f"
"""Stands behind a character that is to be drawn as an emoji."""
SMALL_EMOJI = frozenset(
    "⌚⌛⏩⏪⏫⏬⏰⏳◽◾☔☕♈♉♊♋♌♍♎♏♐♑♒♓♿⚓⚡⚪⚫⚽⚾⛄⛅⛎⛔⛪⛲⛳⛵⛺⛽✅✊✋✨❌❎❓❔❕❗➕➖➗➰➿⬛⬜⭐⭕"
)
"""Emoji by themselves that stand among older signs (Unicode's Emoji_Presentation below U+1F000)."""
FIRST_EMOJI = "\U0001f000"
REMEMBERED = 8192
"""Characters of which it is remembered what they are."""
PACKAGES = {"emoji": "fonts-noto-color-emoji", "CJK": "fonts-noto-cjk"}
PACKAGE = "fonts-noto-core"
"""Debian's package that has the fonts of most scripts."""


class SystemFont(NamedTuple):
    """A font. coloured: its glyphs have colours of their own. upem: its units in an em."""

    path: Path
    font: hb.Font
    emboldened: hb.Font
    coloured: bool
    upem: int

    def has(self, character: str) -> bool:
        return bool(self.font.get_nominal_glyph(ord(character)))


class SystemFonts:
    """Finds fonts, each character once. `look` may be called on one thread, all else is for one other.

    ask: called by `known` with a character that nobody has looked up; without it `known` looks itself.
    """

    def __init__(self, folders: Sequence[Path] | None = None) -> None:
        chosen = FOLDERS.get(sys.platform, FOLDERS["linux"])
        self._folders = [Path(each).expanduser() for each in chosen] if folders is None else folders
        self.ask: Callable[[str], None] | None = None
        self._paths: list[Path] | None = None
        self._opened: dict[Path, SystemFont | None] = {}
        self._by_name: dict[tuple[str, ...], list[Path]] = {}
        self._used: list[SystemFont] = []
        self._found: dict[str, SystemFont | None] = {}
        self._asked: set[str] = set()
        self.changes = 0
        """Another number whenever more is known."""

    def known(self, character: str) -> SystemFont | None:
        """The font of a character; None if there is none, or while nobody has looked yet (see `is_known`). A character
        with COLOURED behind it is sought among the emoji."""
        if character not in self._found:
            if self.ask is None:
                return self._find(character)
            if character not in self._asked:
                self._asked.add(character)
                self.ask(character)
            return None
        return self._found[character]

    def is_known(self, character: str) -> bool:
        """Whether `known` has its answer."""
        return self.ask is None or character in self._found

    def missing(self) -> list[str]:
        """Characters that were looked for and that no font has."""
        return [character for character, font in list(self._found.items()) if font is None]

    def look(self, characters: Sequence[str]) -> None:
        """Look for the fonts of some characters."""
        for character in characters:
            self._find(character)
        self.changes += 1

    def give_up(self) -> None:
        """Nobody looks any more for what was asked until now: no font has it."""
        for character in list(self._asked):
            self._found.setdefault(character, None)
        self.changes += 1

    def _find(self, character: str) -> SystemFont | None:
        if character not in self._found:
            font = self._search(character)
            if font is not None and font not in self._used:
                self._used.append(font)
            self._found[character] = font
        return self._found[character]

    def _search(self, character: str) -> SystemFont | None:
        """First the fonts whose names tell that they are for it, then those that are used already, then all."""
        if self._paths is None:
            self._paths = sorted(_font_files(self._folders), key=_rank)
        plain = character[0]
        used = (font for font in self._used if not font.coloured)
        for font in itertools.chain(self._named(_in_names(character)), used):
            if font.has(plain):
                return font
        return next((each for path in self._paths if (each := self._open(path)) and each.has(plain)), None)

    def _named(self, names: tuple[str, ...]) -> Iterable[SystemFont]:
        """The fonts whose names hold one of these, opened one by one."""
        if names not in self._by_name:
            self._by_name[names] = [
                path for path in self._paths or () if any(name in path.stem.lower() for name in names)
            ]
        return filter(None, map(self._open, self._by_name[names]))

    def _open(self, path: Path) -> SystemFont | None:
        if path not in self._opened:
            self._opened[path] = open_font(path)
        return self._opened[path]


def open_font(path: Path) -> SystemFont | None:
    """A font file, mapped; None if it cannot be used."""
    try:
        face = hb.Face(hb.Blob.from_file_path(str(path)), 0)
    except (hb.HarfBuzzError, OSError, ValueError):
        return None
    if not face.glyph_count:
        return None
    font, emboldened = hb.Font(face), hb.Font(face)
    emboldened.synthetic_bold = (0.022, 0.022, False)
    coloured = bool(face.has_color_png or face.has_color_layers or face.has_color_paint)
    return SystemFont(path, font, emboldened, coloured, face.upem)


def open_own_font(path: Path) -> SystemFont:
    """A font of ours, which is as strong as it should be. Raises FileNotFoundError where the installation lacks it."""
    font = open_font(path)
    if font is None:
        raise FileNotFoundError(path)
    return font._replace(emboldened=font.font)


@lru_cache(REMEMBERED)
def script_of(character: str) -> str:
    """A character's script as the first word of its name ("DEVANAGARI"); the scripts of one font are one."""
    if is_emoji(character):
        return "emoji"
    word = unicodedata.name(character[0], "").partition(" ")[0].partition("-")[0]
    return "CJK" if IN_NAMES.get(word) is CJK else word


def package_for(character: str) -> str:
    """Debian's package with a font that has it."""
    return PACKAGES.get(script_of(character), PACKAGE)


def advice(characters: Sequence[str]) -> str:
    """What is to be said where no font has some characters, empty where there are none."""
    scripts = sorted({_script_in_words(each) for each in characters})
    if not scripts:
        return ""
    named = ", ".join(scripts[:3]) + (f" and {len(scripts) - 3} more" if len(scripts) > 3 else "")
    told = f"No font here has these characters, which are shown as numbers: {named}"
    packages = " ".join(sorted(set(map(package_for, characters))))
    return f"{told}. On Debian and Ubuntu: sudo apt-get install {packages}" if sys.platform == "linux" else told


def _script_in_words(character: str) -> str:
    script = script_of(character)
    if script == "CJK":
        return "Chinese, Japanese or Korean"
    return script.capitalize() if unicodedata.category(character[0])[0] in "LM" else "signs"


@lru_cache(REMEMBERED)
def is_emoji(character: str) -> bool:
    """Whether it is drawn in colour where a font can."""
    large = FIRST_EMOJI <= character < "\U00020000"
    return large or character in SMALL_EMOJI or COLOURED in character[1:]


def _in_names(character: str) -> tuple[str, ...]:
    if is_emoji(character):
        return EMOJI
    word = unicodedata.name(character[0], "").partition(" ")[0].partition("-")[0]
    return IN_NAMES.get(word, (word.lower(),) if word.isalpha() else ())


def _font_files(folders: Sequence[Path]) -> list[Path]:
    """A folder that is not there or may not be read has none; one that links lead to is looked into once."""
    seen: set[str] = set()
    files: list[Path] = []
    for start in folders:
        for folder, below, names in os.walk(start, followlinks=True):
            if (real := os.path.realpath(folder)) in seen:
                below.clear()
                continue
            seen.add(real)
            files += [Path(folder, name) for name in names if _is_font(name.lower())]
    return files


def _is_font(name: str) -> bool:
    return name.endswith(SUFFIXES) and not any(box in name for box in BOXES)


def _rank(path: Path) -> tuple[int, bool, bool, str]:
    """Upright sans fonts of usual weight first, those of the Noto family before others."""
    stem = path.stem.lower()
    return sum(word in stem for word in OTHERWISE) + (EMOJI[0] in stem), "sans" not in stem, "noto" not in stem, stem
