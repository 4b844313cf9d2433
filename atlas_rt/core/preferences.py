"""What a person sets in the window, as one table: the settings panel and the palette are made from it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from atlas_rt.core.language_names import LANGUAGE_NAMES
from atlas_rt.core.words import folded

Value = str | float | bool


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a setting, and what it is called. also: another name, by which it is found too."""

    value: Value
    label: str
    also: str = ""


@dataclass(frozen=True, slots=True)
class Preference:
    """One setting. name: of the field of `Settings`. says: what it does."""

    name: str
    title: str
    says: str
    choices: tuple[Choice, ...]

    def chosen(self, value: Value) -> int:
        """The place of a value among the choices, -1 for one that was set elsewhere, such as in atlas.toml."""
        return next((place for place, choice in enumerate(self.choices) if choice.value == value), -1)

    def after(self, value: Value, step: int) -> Value:
        """The choice that lies so many steps farther; the last one stays, since a line has ends."""
        place = self.chosen(value)
        first = 0 if step > 0 else len(self.choices) - 1
        place = first if place < 0 else min(max(place + step, 0), len(self.choices) - 1)
        return self.choices[place].value


def _languages() -> Iterator[Choice]:
    """The system's and English, then all others by their own names."""
    yield Choice("", "the system's")
    yield Choice("en", "English")
    for code, (own, english) in sorted(LANGUAGE_NAMES.items(), key=lambda each: folded(each[1][0])):
        if code != "en":
            yield Choice(code, own, "" if own == english else english)


OFF_ON = (Choice(False, "off"), Choice(True, "on"))

PREFERENCES: tuple[Preference, ...] = (
    Preference(
        "quality",
        "Picture quality",
        "How rich the picture is; auto keeps it fluent",
        tuple(Choice(word, word) for word in ("auto", "low", "normal", "high")),
    ),
    Preference(
        "flying_speed",
        "Flying speed",
        "How fast W A S D flies; the wheel changes it for now",
        (Choice(0.5, "half"), Choice(1.0, "usual"), Choice(2.0, "double"), Choice(4.0, "four times")),
    ),
    Preference(
        "field_of_view",
        "Field of view",
        "How much you see from top to bottom",
        tuple(Choice(degrees, f"{degrees}°") for degrees in (40, 55, 70, 85)),
    ),
    Preference("invert_look", "Invert look", "Dragging turns your gaze instead of the picture", OFF_ON),
    Preference(
        "ui_scale",
        "Size of panels",
        "How large type and panels are; auto goes by the screen",
        (
            Choice(0.0, "auto"),
            Choice(1.0, "100 %"),
            Choice(1.25, "125 %"),
            Choice(1.5, "150 %"),
            Choice(2.0, "200 %"),
        ),
    ),
    Preference("language", "Language", "Of what you type to search, and of labels", tuple(_languages())),
    Preference("reduced_motion", "Reduced motion", "Nothing moves by itself, flights become jumps", OFF_ON),
    Preference("hints", "Hints", "What to try next, until you have done it once", OFF_ON),
)
"""In the order of the panel."""

BY_NAME: dict[str, Preference] = {preference.name: preference for preference in PREFERENCES}


@dataclass(frozen=True, slots=True)
class PreferenceRow:
    """A setting in the panel, with the value it has now."""

    preference: Preference
    value: Value


@dataclass(frozen=True, slots=True)
class PreferencesView:
    """The settings panel. cursor: place of the row the person is at."""

    rows: tuple[PreferenceRow, ...]
    cursor: int
