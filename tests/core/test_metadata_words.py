"""What is known of a picture, in words."""

from __future__ import annotations

import pytest

from atlas_rt.core.metadata import FILE, Metadata
from atlas_rt.core.metadata_words import date_words, exposure_time_words, rating_words, words_of


@pytest.mark.parametrize(
    ("taken", "words"),
    [
        ("2023-06-04T12:33:10+02:00", "4 June 2023, 12:33 (+02:00)"),
        ("1932-12-31T00:00:00", "31 December 1932, 00:00"),
        ("1932-06-04", "4 June 1932"),
        ("1932-06", "June 1932"),
        ("1932", "1932"),
        ("", ""),
    ],
)
def test_a_date_says_as_much_as_is_known(taken: str, words: str) -> None:
    assert date_words(taken) == words


def test_numbers_are_told_as_photographers_do() -> None:
    told = [exposure_time_words(secs) for secs in (1 / 8000, 0.004, 1 / 15, 0.25, 0.5, 2.5, 30.0, 1200.0)]
    assert told == ["1/8,000 s", "1/250 s", "1/15 s", "1/4 s", "0.5 s", "2.5 s", "30 s", "1,200 s"]
    assert [rating_words(rating) for rating in (None, -1, 0, 1, 5)] == ["", "rejected", "", "★☆☆☆☆", "★★★★★"]


def test_what_is_not_known_is_left_out() -> None:
    assert words_of(Metadata()) == ()
    of_file = Metadata(taken="2020-09-13T21:26:40+09:00", taken_from=FILE, lens="50mm", iso=102400)
    assert words_of(of_file, "a.CR2") == (
        ("File date", "13 September 2020, 21:26"),
        ("Camera", "50mm"),
        ("Exposure", "ISO 102,400"),
        ("RAW", "a.CR2"),
    )
    assert words_of(Metadata(latitude=-38.70834, longitude=0.0)) == (("GPS", "38.7083° S, 0.0000° E"),)
