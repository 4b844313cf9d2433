"""Fonts for other scripts: each kind has a place on each system."""

from __future__ import annotations

import pytest

from atlas_rt.ui.fonts import FALLBACKS


@pytest.mark.parametrize("folder", ["/usr/share/fonts/", "/System/Library/Fonts/", "C:/Windows/Fonts/"])
def test_each_system_has_a_font_for_each_kind_of_script(folder: str) -> None:
    assert all(any(path.as_posix().startswith(folder) for path in choices) for choices in FALLBACKS)
