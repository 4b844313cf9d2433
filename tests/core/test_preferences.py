"""The table of settings is sound, and its values are ones that the program takes."""

from __future__ import annotations

import pytest

from atlas_rt.core.preferences import BY_NAME, PREFERENCES
from atlas_rt.errors import UsageError
from atlas_rt.settings import Settings, with_value


def test_every_value_can_be_set_and_each_setting_offers_its_default() -> None:
    assert len(BY_NAME) == len(PREFERENCES)
    for preference in PREFERENCES:
        assert preference.chosen(getattr(Settings(), preference.name)) >= 0
        for choice in preference.choices:
            assert getattr(with_value(Settings(), preference.name, choice.value), preference.name) == choice.value
    with pytest.raises(UsageError, match=r"field_of_view must be from 20\.0 to 110\.0"):
        with_value(Settings(), "field_of_view", 300.0)


def test_steps_end_at_the_last_value_and_lead_back_from_one_that_is_not_listed() -> None:
    quality = BY_NAME["quality"]
    assert [quality.after("high", 1), quality.after("high", -1), quality.after("auto", -1)] == [
        "high",
        "normal",
        "auto",
    ]
    fov = BY_NAME["field_of_view"]
    assert (fov.chosen(61.0), fov.after(61.0, 1), fov.after(61.0, -1)) == (-1, 40, 85)
