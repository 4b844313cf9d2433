"""Fields are taken out of what a person types; what cannot be read is said and stops nothing."""

from __future__ import annotations

import math
import time

import pytest

from atlas_rt.search.fields import Condition, read

DAY = 86_400.0


def spans(text: str) -> list[tuple[float, float]]:
    return [condition.span for condition in read(text).conditions]


def test_a_text_without_fields_is_left_as_it_stands() -> None:
    for text in ("  two  spaces ", "red car", "12:30 tea", "apple:2 -pear:.5", "", "🎸", '12" vinyl'):
        assert (read(text).text, read(text).conditions, read(text).notices) == (text, (), ())


def test_fields_are_taken_out_with_their_signs_and_quotes() -> None:
    reading = read('beach Folder:2023 -label:"palm tree" +camera:Contax sky')
    assert reading.text == "beach sky"
    assert reading.conditions == (
        Condition("folder", "2023"),
        Condition("label", "palm tree", wanted=False),
        Condition("camera", "Contax"),
    )
    assert reading.notices == ()


@pytest.mark.parametrize(
    ("value", "days"),
    [
        ("1970-01-02", (1, 2)),
        ("1970-02", (31, 59)),
        ("1971", (365, 730)),
        ("1970-12", (334, 365)),
        ("1970..1971-01", (0, 396)),
        ("..1970-01-01", (-math.inf, 1)),
        ("1971..", (365, math.inf)),
        (">1970", (365, math.inf)),
        (">=1970-01-03", (2, math.inf)),
        ("<1970", (-math.inf, 0)),
        ("<=1969-12-31", (-math.inf, 0)),
    ],
)
def test_dates_are_years_months_days_and_spans_of_them(value: str, days: tuple[float, float]) -> None:
    assert spans(f"date:{value}") == [(days[0] * DAY, days[1] * DAY)]


def test_ratings_and_sizes_are_compared() -> None:
    assert spans("rating:>=4 rating:2 rating:-1 rating:1..3") == [(4, math.inf), (2, 3), (-1, 0), (1, 4)]
    (above,) = spans("size:>12mp")
    assert 12e6 < above[0] < 12e6 + 1  # a picture of exactly twelve megapixels is not larger
    (about,) = spans("size:12MP")
    assert 11e6 < about[0] < 12e6
    assert 12.2e6 < about[1] < 13e6
    assert [condition.pixels for condition in read("size:>12mp size:<500kb").conditions] == [True, False]
    assert spans("size:2mb..5mb")[0][0] == 2e6


@pytest.mark.parametrize(
    ("text", "rest", "said"),
    [
        ("date:2023-13 dog", "dog", "“2023-13” is no date; write date:2023"),
        ("date:0000:00:00", "", "is no date"),
        ("date:2024..2020", "", "is no date"),
        ("date:99999 date:9999", "", "is no date"),
        ("date:..", "", "is no date"),
        ("rating:9", "", "is no rating"),
        ("size:12", "", "is no size"),
        ("size:>" + "9" * 10_000 + "zz", "", "is no size"),
        ("camera:", "", "camera: needs a value"),
        ('camera:"" dog', "dog", "camera: needs a value"),
        ("label: guitar", "guitar", "label: needs a value"),
        ("camra:contax", "camra:contax", "did you mean camera:?"),
        ("colour:red", "colour:red", "There is no field colour:, so it is read as text"),
        ('"red car', '"red car', "A quotation mark is not closed"),
        ('label:"red car', 'label:"red car', "A quotation mark is not closed"),
    ],
)
def test_what_cannot_be_read_is_said_and_the_rest_is_read(text: str, rest: str, said: str) -> None:
    reading = read(text)
    assert (reading.text, reading.conditions) == (rest, ())
    assert said in " ".join(reading.notices)


def test_only_signs_are_nothing_to_look_for() -> None:
    for text in ("", "+ - -", '-"" ++', " : ' * ( )", "-label:dog"):
        assert read(text).empty, text
    for text in ("a", "🎸", "猫", "-a", "c++"):
        assert not read(text).empty, text


def test_nonsense_of_any_length_is_read_in_a_moment() -> None:
    begun = time.perf_counter()
    for text in ("a:" * 5_000, "camera:x " * 2_000, '"' * 10_000, "label:" * 2_000, "-" * 10_000, "camera:\udce9\0"):
        read(text)
    assert time.perf_counter() - begun < 2.0
