"""Text of all scripts as it is seen: joined, in its order, in colour, or named by numbers; never boxes.

The system's fonts are made here where a test is about them. Arabic and Hebrew are drawn in DejaVu, which is Debian's
usual font; other scripts where this machine has fonts for them.
"""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fontTools.colorLib.builder import buildCOLR, buildCPAL
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont, features

from atlas_rt.core.arrays import Bytes
from atlas_rt.core.requests import Search
from atlas_rt.typesetting.directions import levels_of
from atlas_rt.typesetting.glyph_pictures import draw_line
from atlas_rt.typesetting.shaping import Line, Shaper, cut_before
from atlas_rt.typesetting.system_fonts import SystemFonts, advice, open_own_font
from atlas_rt.ui.fonts import EM, REGULAR
from tests.ui.huds import Sheet, make_hud, typed

DEJAVU = Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")
ARABIC, HEBREW = "مرحبا", "שלום"


@pytest.fixture(scope="module")
def dejavu() -> Shaper:
    if not DEJAVU.exists():
        pytest.skip(f"{DEJAVU} is not installed here (Debian: fonts-dejavu-core)")
    return Shaper(open_own_font(REGULAR), SystemFonts([DEJAVU.parent]))


@pytest.fixture(scope="module")
def nothing(tmp_path_factory: pytest.TempPathFactory) -> Shaper:
    """On a system without fonts."""
    return Shaper(open_own_font(REGULAR), SystemFonts([tmp_path_factory.mktemp("fonts")]))


def mask(line: Line, em_px: float = 40.0) -> Bytes:
    """Coverage (h, w) of its uncoloured glyphs."""
    (pixels,) = draw_line(line, em_px)
    assert pixels.tinted
    return pixels.rgba[..., 3]


def square_font(path: Path, character: str, *, coloured: bool) -> None:
    """A font with one character, a square; coloured: it is red."""
    builder = FontBuilder(1000)
    builder.setupGlyphOrder([".notdef", "square", "layer"])
    builder.setupCharacterMap({ord(character): "square"})
    pen = TTGlyphPen(None)
    pen.moveTo((100, 0))
    for corner in ((100, 700), (900, 700), (900, 0)):
        pen.lineTo(corner)
    pen.closePath()
    square = pen.glyph()
    builder.setupGlyf({".notdef": TTGlyphPen(None).glyph(), "square": square, "layer": square})
    builder.setupHorizontalMetrics(dict.fromkeys((".notdef", "square", "layer"), (1000, 100)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupOS2()
    builder.setupPost()
    if coloured:
        builder.font["CPAL"] = buildCPAL([[(1.0, 0.0, 0.0, 1.0)]])
        builder.font["COLR"] = buildCOLR({"square": [("layer", 0)]}, version=0)
    builder.save(path)


def test_simple_text_is_left_to_dear_imgui(dejavu: Shaper) -> None:
    assert all(map(dejavu.is_simple, ("IMG_0042.jpg", "Äußerst schön · 3 × 4", "Αθήνα", "Москва")))
    assert not any(map(dejavu.is_simple, (ARABIC, HEBREW, "e\u0301", "a\nb", "a\u202eb", "a\u200db", "\udcff", "🎉")))


def test_arabic_letters_are_joined(dejavu: Shaper) -> None:
    joined = dejavu.shape("بيت")
    apart = [dejavu.shape(letter) for letter in "بيت"]
    assert {glyph.id for glyph in joined.glyphs}.isdisjoint(line.glyphs[0].id for line in apart)
    ink = (mask(joined) > 128).any(axis=0)
    assert ink[2:-2].all(), "a column without ink between letters that join"


def test_text_is_drawn_as_pillow_draws_it_with_raqm(dejavu: Shaper) -> None:
    if not features.check("fribidi"):
        pytest.skip("Pillow's raqm needs the system's fribidi, which is not here")
    size_px = 160  # hinting, which is Pillow's, hardly shows
    font = ImageFont.truetype(str(DEJAVU), size_px, layout_engine=ImageFont.Layout.RAQM)
    for text in (ARABIC, HEBREW, "لا إله", "שָׁלוֹם"):
        drawn = mask(dejavu.shape(text), size_px)
        sheet = Image.new("L", (4 * size_px, 2 * size_px))
        ImageDraw.Draw(sheet).text((size_px, size_px // 2), text, 255, font)
        picture = sheet.crop(sheet.getbbox())
        theirs = np.asarray(picture, np.float32)
        assert abs(theirs.shape[1] - (drawn.shape[1] - 2)) <= 5, text
        fitted = np.asarray(Image.fromarray(drawn[1:-1, 1:-1]).resize(picture.size), np.float32)
        alike = np.corrcoef(theirs.ravel(), fitted.ravel())[0, 1]
        mirrored = np.corrcoef(theirs[:, ::-1].ravel(), fitted.ravel())[0, 1]
        assert alike > 0.9, f"{text}: {alike:.2f}"
        assert alike > mirrored + 0.3


def test_lines_run_in_their_own_direction(dejavu: Shaper) -> None:
    """Carets tell the order: of Hebrew from right to left, of numbers and Latin within it from left to right."""
    line = dejavu.shape(f"{HEBREW} 12")
    carets = [line.caret(index) for index in range(len(HEBREW))]
    assert carets == sorted(carets, reverse=True)
    assert line.cells[-2].left < line.cells[-1].left < line.cells[0].left
    assert line.caret(0) == pytest.approx(line.width)
    latin = dejavu.shape(f"abc {HEBREW}")
    assert latin.caret(0) == 0.0
    assert latin.cells[4].left > latin.cells[5].left > latin.cells[2].right
    assert all(line.index_at(line.caret(index)) == index for index in range(len(HEBREW)))


def test_brackets_turn_with_their_line(dejavu: Shaper) -> None:
    leftmost = dejavu.shape(f"{HEBREW} ({HEBREW})").glyphs[0]
    assert leftmost.id == leftmost.font.font.get_nominal_glyph(ord("(")), "what closes opens when read from the left"


def test_marks_stand_over_their_letters(dejavu: Shaper) -> None:
    """As macOS writes names: a letter, then its accent."""
    assert dejavu.shape("e\u0301").width == pytest.approx(dejavu.shape("é").width)
    assert len(mask(dejavu.shape("e\u0301"))) > len(mask(dejavu.shape("e")))


@pytest.mark.parametrize(
    ("text", "place", "cut"),
    [
        ("abc", 2, 2),
        ("e\u0301e\u0301", 3, 2),
        ("की", 1, 0),
        ("👨\u200d👩", 2, 0),
        ("a👍🏽", 2, 1),
        ("abc", 0, 0),
        ("abc", 3, 3),
    ],
)
def test_text_is_shortened_between_letters_and_not_within_one(text: str, place: int, cut: int) -> None:
    assert cut_before(text, place) == cut


def test_what_no_font_has_is_named_by_its_number(nothing: Shaper) -> None:
    assert np.array_equal(mask(nothing.shape("क")), mask(nothing.shape("\\u0915")))
    cells = nothing.shape("aकz").cells
    assert len(cells) == 3
    assert cells[1].right - cells[1].left == pytest.approx(nothing.shape("\\u0915").width)


@pytest.mark.parametrize(
    ("text", "shown"),
    [("\u202egpj.exe", "\\u202egpj.exe"), ("\n", "\\u000a"), ("\udcff", "\\xff"), ("\U000f0000", "\\U000f0000")],
)
def test_what_cannot_be_seen_is_named_by_its_number(dejavu: Shaper, text: str, shown: str) -> None:
    assert dejavu.shape(text).width == pytest.approx(dejavu.shape(shown).width, abs=0.05)  # less or more kerning


def test_emoji_have_their_colours_and_take_none(tmp_path: Path) -> None:
    square_font(tmp_path / "SomeEmoji.ttf", "🎉", coloured=True)
    shaper = Shaper(open_own_font(REGULAR), SystemFonts([tmp_path]))
    pictures = draw_line(shaper.shape("at 🎉"), 40.0)
    assert [picture.tinted for picture in pictures] == [True, False]
    red = pictures[1].rgba
    assert tuple(red[len(red) // 2, red.shape[1] // 2]) == (255, 0, 0, 255)


def test_a_broken_font_is_passed_over_and_one_of_boxes_too(tmp_path: Path) -> None:
    (tmp_path / "Devanagari Broken.ttf").write_bytes(b"no font" * 99)
    square_font(tmp_path / "LastResort.ttf", "क", coloured=False)
    fonts = SystemFonts([tmp_path, tmp_path / "not there"])
    assert fonts.known("क") is None
    assert fonts.missing() == ["क"]
    assert "Devanagari" in advice(fonts.missing())
    assert advice([]) == ""


def test_a_text_whose_fonts_are_sought_is_as_wide_as_it_may_become(tmp_path: Path) -> None:
    square_font(tmp_path / "Any.ttf", "क", coloured=False)
    asked: list[str] = []
    fonts = SystemFonts([tmp_path])
    fonts.ask = asked.append
    shaper = Shaper(open_own_font(REGULAR), fonts)
    waiting = shaper.shape("कक")
    assert (waiting.complete, waiting.placed, asked) == (False, (), ["क"])
    assert waiting.width > 0.0
    fonts.look(asked)
    assert shaper.shape("कक").width == pytest.approx(2.0)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=40))
@example("".join(map(chr, range(0x2066, 0x206A))) + ARABIC)
@example("\u0301\u200d\ufe0f")
@example("\u0378\ue000" + HEBREW)
@example("👨‍👩‍👧" * 9)
def test_any_text_has_a_place_for_each_of_its_characters(text: str) -> None:
    shaper = Shaper(open_own_font(REGULAR), NO_FONTS)
    line = shaper.shape(text)
    assert len(line.cells) == len(text) == len(levels_of(text))
    assert all(-1e-6 <= cell.left <= cell.right <= line.width + 1e-6 for cell in line.cells)
    draw_line(line, 12.0)


NO_FONTS = SystemFonts([])


@pytest.mark.gpu
def test_panels_draw_arabic_and_keep_it_in_their_texture(sheet: Sheet, dejavu: Shaper) -> None:
    hud = make_hud(source=ARABIC)
    sheet.show(hud, frames=2)
    first = sheet.pixels().copy()
    sheet.show(replace(hud, source="....."))
    sheet.show(hud)
    assert np.array_equal(first, sheet.pixels())
    sheet.show(replace(hud, source=unicodedata.normalize("NFKC", "ﻡﺭﺡﺏﺍ")), frames=2)
    assert np.array_equal(first, sheet.pixels()), "presentation forms normalise to the same letters"


@pytest.mark.gpu
def test_typed_hebrew_is_shaped_with_its_caret_left_of_it(sheet: Sheet, dejavu: Shaper) -> None:
    hud = make_hud(searching=True)
    sheet.show(hud, frames=4)
    requests = sheet.show(hud, *typed(HEBREW), frames=6)
    assert any(getattr(request, "text", "") == HEBREW for request in requests)
    lit = (sheet.pixels().max(axis=2) > 120)[20:72, 330:700]
    width_px = dejavu.shape(HEBREW).width * 27.0 * EM
    columns = np.flatnonzero(lit.any(axis=0))
    assert columns[-1] - columns[0] == pytest.approx(width_px, abs=6.0)
    assert lit[:, columns[0] : columns[0] + 3].sum(axis=0).max() > 20, "no caret at the left end"


@pytest.mark.gpu
def test_a_click_puts_the_caret_where_the_shaped_letters_are(sheet: Sheet, dejavu: Shaper) -> None:
    hud = make_hud(searching=True)
    sheet.show(hud, frames=4)
    sheet.show(hud, *typed(HEBREW), frames=6)
    lit = (sheet.pixels().max(axis=2) > 120)[20:72, 330:700]
    left_px = 330.0 + float(np.flatnonzero(lit.any(axis=0))[0])
    place = left_px + dejavu.shape(HEBREW).caret(1) * 27.0 * EM
    sheet.click(hud, place, 45.0)
    requests = sheet.show(hud, *typed("x"), frames=4)
    assert [request.text for request in requests if isinstance(request, Search)] == [f"{HEBREW[:1]}x{HEBREW[1:]}"]
