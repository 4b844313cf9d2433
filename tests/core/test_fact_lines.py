"""What is known of an image as lines and as text."""

from __future__ import annotations

from atlas_rt.core.fact_lines import lines_of, text_of
from atlas_rt.core.metadata import Metadata
from tests.ui.huds import make_facts, make_metadata


def test_what_the_file_tells_is_among_the_lines_and_what_is_not_known_is_not() -> None:
    told = dict(lines_of(make_facts(7, metadata=make_metadata(), raw="image.cr2")))
    assert told["Taken"] == "6 May 2019, 07:08 (+02:00)"
    assert told["Exposure"] == "1/250 s · f/2.8 · ISO 400 · 50 mm"
    assert told["RAW"] == "image.cr2"
    assert told["Keywords"].startswith("keyword 0, keyword 1")
    assert told["Folder"] == "/pictures/2024"
    bare = dict(lines_of(make_facts(7, metadata=Metadata()), with_folder=False))
    assert set(bare) == {"Size", "Cluster", "Labels"}


def test_as_text_it_begins_with_the_file() -> None:
    first, *others = text_of(make_facts(7, metadata=make_metadata())).splitlines()
    assert first == "/pictures/2024/image 7.jpg"
    assert "Camera: NIKON D90 · 50mm f/1.8" in others
