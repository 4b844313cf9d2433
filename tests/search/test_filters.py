"""Filters as values: fields put on, toggled, taken off; alternatives and whole values in the language of fields."""

from __future__ import annotations

import pytest

from atlas_rt.search.fields import Condition, read
from atlas_rt.search.filters import Filters


def filters(text: str) -> Filters:
    reading = read(text)
    assert not reading.notices
    assert reading.empty
    return Filters(reading.conditions)


@pytest.mark.parametrize(
    "text",
    [
        'camera:="NIKON D90"',
        "camera:contax",
        'camera:="NIKON D90|Contax T3"',
        "-folder:=2023/summer",
        "type:png|webp",
        "date:2019|2021..2022-06",
        "rating:>=4 date:2023 -label:=boat",
    ],
)
def test_filters_are_written_as_they_are_read(text: str) -> None:
    assert str(filters(text)) == text


def test_values_are_alternatives_and_one_that_is_wrong_is_told_of() -> None:
    (condition,) = read("rating:4|5").conditions
    assert [each.span for each in condition.alternatives] == [(4.0, 5.0), (5.0, 6.0)]
    assert read("type:|png|").conditions == (Condition("type", "png"),)
    assert read("rating:4|many").conditions == ()
    assert "many" in read("rating:4|many").notices[0]
    assert read("camera:=").notices
    assert read("rating:=4").conditions[0].span == (4.0, 5.0)  # as before there was a sign for whole values


def test_a_click_toggles_a_value_within_the_chip_of_its_facet() -> None:
    one = Filters().toggled("camera", "NIKON D90")
    assert str(one) == 'camera:="NIKON D90"'
    two = one.toggled("date", "2023").toggled("camera", "Contax")
    assert str(two) == 'camera:="NIKON D90|Contax" date:2023'
    assert str(two.toggled("camera", "NIKON D90")) == "camera:=Contax date:2023"
    assert str(two.toggled("camera", "Contax")) == 'camera:="NIKON D90" date:2023'
    assert str(one.toggled("camera", "NIKON D90")) == ""
    assert two.chosen("camera") == ("NIKON D90", "Contax")


def test_what_was_typed_or_left_out_is_a_chip_of_its_own() -> None:
    typed = filters("camera:nikon date:>2020")
    both = typed.toggled("camera", "NIKON D90").toggled("date", "2023")
    assert str(both) == 'camera:nikon date:>2020 camera:="NIKON D90" date:2023'
    out = typed.toggled("camera", "NIKON D90", wanted=False)
    assert str(out) == 'camera:nikon date:>2020 -camera:="NIKON D90"'
    assert out.chosen("camera") == ()
    assert str(out.toggled("camera", "NIKON D90", wanted=False)) == str(typed)


def test_a_brush_takes_the_place_of_the_dates_before() -> None:
    brushed = filters("date:2019|2021 type:png").dated("2022-05..2022-07")
    assert str(brushed) == "date:2022-05..2022-07 type:png"
    assert str(brushed.dated("")) == "type:png"
    assert Filters().dated("") == Filters()
    assert str(filters("-date:2020").dated("2021")) == "-date:2020 date:2021"


def test_one_filter_stands_once() -> None:
    on = filters("type:png date:2023")
    assert on.plus(*filters("date:2023 rating:5").conditions) == filters("type:png date:2023 rating:5")
    assert on.without(on.conditions[0]) == filters("date:2023")
    assert Filters().toggled("rating", "no rating") == Filters()
