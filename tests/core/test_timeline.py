"""The timeline: bars of days, what is in sight, the brush; all as plain numbers."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from atlas_rt.core.timeline import (
    DAY,
    MONTH,
    YEAR,
    DayCounts,
    Timeline,
    dragged,
    held,
    in_sight,
    panned,
    stepped,
    ticks,
    timeline,
    whole_of,
    written,
    zoomed,
)


def day(year: int, month: int = 1, of_month: int = 1) -> int:
    return (date(year, month, of_month) - date(1970, 1, 1)).days


def counts(*days: int, images: int = 3) -> DayCounts:
    ascending = np.unique(np.array(days, np.int64))
    return DayCounts(ascending, np.full(len(ascending), images), np.ones(len(ascending), np.int64))


@pytest.fixture
def years() -> Timeline:
    """An image each 40 days from 2015 to 2024, one brushed month."""
    seen = timeline(counts(*range(day(2015), day(2024, 12), 40)), None, ())
    return replace(seen, brushed=((day(2020, 5), day(2020, 6)),))


@pytest.mark.parametrize(
    ("first", "last", "text"),
    [
        (day(2023), day(2024), "2023"),
        (day(2021), day(2024), "2021..2023"),
        (day(2023, 5), day(2023, 6), "2023-05"),
        (day(2023, 5), day(2024, 2), "2023-05..2024-01"),
        (day(2023, 5, 3), day(2023, 5, 4), "2023-05-03"),
        (day(2023, 5, 3), day(2023, 6, 1), "2023-05-03..2023-05-31"),
        (day(1, 1), day(2), "0001"),
    ],
)
def test_a_span_is_written_as_short_as_it_can_be(first: int, last: int, text: str) -> None:
    assert written((first, last)) == text


@pytest.mark.parametrize(
    ("sight", "unit"),
    [((day(2023), day(2023, 2)), DAY), ((day(2020), day(2024)), MONTH), ((day(1900), day(2024)), YEAR)],
)
def test_no_image_is_lost_between_bars(sight: tuple[int, int], unit: str) -> None:
    told = counts(*range(day(1890, 3, 5), day(2026), 17))
    seen = timeline(told, sight, ())
    assert seen.unit == unit
    assert seen.earlier + sum(bar.images for bar in seen.bars) + seen.later == told.images.sum()
    assert sum(bar.shown for bar in seen.bars) * 3 == sum(bar.images for bar in seen.bars)
    assert all(one.days[1] <= other.days[0] for one, other in zip(seen.bars, seen.bars[1:], strict=False))


def test_one_clock_that_stood_at_1970_squeezes_nothing_and_is_told_of() -> None:
    seen = timeline(counts(3, *range(day(2021), day(2024), 2)), None, ())
    assert seen.sight[0] >= day(2021)
    assert (seen.earlier, seen.later) == (3, 0)
    assert whole_of(counts(3, day(2023))) == (3, day(2023) + 1)
    nobody = DayCounts(*(np.zeros(0, np.int64),) * 3)
    assert timeline(nobody, None, ()).bars == ()


def test_the_wheel_keeps_the_day_under_the_pointer(years: Timeline) -> None:
    near = zoomed(years, day(2020), 3)
    share = (day(2020) - years.sight[0]) / (years.sight[1] - years.sight[0])
    assert near[1] - near[0] < (years.sight[1] - years.sight[0]) / 2
    assert (day(2020) - near[0]) / (near[1] - near[0]) == pytest.approx(share)
    far = zoomed(years, day(2020), -50)
    assert far[0] <= years.whole[0] < years.whole[1] <= far[1]
    for far_off in (-90_000.0, 90_000.0):
        beside = panned(years, far_off)
        assert beside[0] < years.whole[1]
        assert beside[1] > years.whole[0]
        assert beside[1] - beside[0] == pytest.approx(years.sight[1] - years.sight[0])
    nearest = zoomed(years, day(2020), 50)
    assert nearest[1] - nearest[0] == pytest.approx(14.0)


def test_a_hand_draws_a_brush_moves_it_and_takes_its_ends(years: Timeline) -> None:
    new = held(years, day(2016, 3, 7), reach=5.0)
    assert written(dragged(new, day(2016, 8, 20), MONTH)) == "2016-03..2016-08"
    assert written(dragged(new, day(2015, 12, 20), MONTH)) == "2015-12..2016-03"  # the other way
    inside = held(years, day(2020, 5, 16), reach=5.0)
    assert written(dragged(inside, day(2020, 8, 1), MONTH)) == "2020-08"
    assert written(dragged(inside, day(2019, 12, 31), MONTH)) == "2019-12"
    end = held(years, day(2020, 6, 2), reach=5.0)
    assert written(dragged(end, day(2020, 9, 2), MONTH)) == "2020-05..2020-09"
    assert written(dragged(end, day(2020, 2, 2), MONTH)) == "2020-02..2020-05"  # beyond the other end
    begin = held(years, day(2020, 4, 29), reach=5.0)
    assert written(dragged(begin, day(2020, 2, 2), MONTH)) == "2020-02..2020-05"


def test_the_keyboard_moves_the_brush_by_bars(years: Timeline) -> None:
    assert written(stepped(years, 1, widen=False)) == "2020-06"
    assert written(stepped(years, -1, widen=False)) == "2020-04"
    assert written(stepped(years, 1, widen=True)) == "2020-05..2020-06"
    assert written(stepped(years, -1, widen=True)) == "2020-05"  # no narrower than a bar
    none = replace(years, brushed=())
    assert written(stepped(none, -1, widen=False)) == "2015-01"
    assert stepped(none, 1, widen=False) == years.bars[-1].days
    assert in_sight(years, (day(2020), day(2021))) is None
    sight = in_sight(years, (day(2030), day(2031)))
    assert sight is not None
    assert sight[0] <= day(2030) < day(2031) <= sight[1]


def test_places_are_named_by_what_is_in_sight() -> None:
    assert [name for _, name, _ in ticks((day(2015), day(2024)), 12)] == [str(year) for year in range(2015, 2025)]
    assert [name for _, name, _ in ticks((day(2023), day(2023, 4, 2)), 12)][:2] == ["2023", "Feb"]
    assert [name for _, name, _ in ticks((day(2023), day(2023, 1, 9)), 12)][:2] == ["1 Jan", "2 Jan"]
    assert len(ticks((day(1), day(9999)), 12)) <= 13


@pytest.mark.parametrize("edge", [day(1), day(9999, 12, 31)])
def test_dates_end_where_dates_do(edge: int) -> None:
    seen = timeline(counts(edge), None, ())
    assert sum(bar.images for bar in seen.bars) == 3
    for hold in (held(seen, float(edge), reach=0.0), held(seen, seen.sight[1] + 400.0, reach=0.0)):
        for unit in (DAY, MONTH, YEAR):
            assert written(dragged(hold, float(edge), unit))
    assert ticks(seen.sight, 10) is not None
