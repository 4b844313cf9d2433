"""The tables `places` and `image_places` of a library: what stands where its images were taken, from their GPS.

`places` holds everything within reach of some image, so that a search for a city looks nowhere else: the list of all
places of the world (`engine.geonames`) takes half a second and 100 MB to read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from atlas_rt.core.arrays import Ids
from atlas_rt.core.words import pieces_of
from atlas_rt.library.database import Database

Degrees = NDArray[np.float64]

REACH_KM = 50.0
"""Farther from an image nothing is its place, and nothing that is searched as near."""
EARTH_KM = 6371.0
DEGREE_KM = 111.2
"""Of latitude."""
_HERE = """image_places.image_id = metadata.image_id AND image_places.latitude = metadata.latitude
    AND image_places.longitude = metadata.longitude"""
"""Whether a row of image_places is of where its image was taken as far as is known today."""


GROUPED = f"""SELECT city, group_concat(metadata.image_id) FROM metadata JOIN image_places ON {_HERE}
    WHERE city != '' GROUP BY city"""
"""Each city with its images."""


@dataclass(frozen=True, slots=True)
class NamedPlace:
    """A place that can be searched."""

    name: str
    latitude: float
    longitude: float
    population: int


@dataclass(frozen=True, slots=True)
class ImagePlace:
    """Where one image was taken. place: "Alcântara, Lisbon, Portugal", empty where nothing is near. city: what it would
    be called from afar. words: all that it may be searched by."""

    id: int
    latitude: float
    longitude: float
    place: str = ""
    city: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True)
class Unplaced:
    """An image of which only the numbers are known."""

    id: int
    latitude: float
    longitude: float


def unplaced(database: Database) -> list[Unplaced]:
    """The images with GPS whose place nobody looked up, or for which it says otherwise now, by id."""
    sql = f"""SELECT metadata.image_id, metadata.latitude, metadata.longitude
        FROM metadata LEFT JOIN image_places ON {_HERE}
        WHERE metadata.latitude IS NOT NULL AND image_places.image_id IS NULL ORDER BY metadata.image_id"""
    return [Unplaced(*row) for row in database.rows(sql)]


def put(database: Database, images: Iterable[ImagePlace], around: Iterable[NamedPlace]) -> None:
    """Store where images were taken, and what is around; inside a transaction."""
    database.execute_each(
        "INSERT OR IGNORE INTO places VALUES (?, ?, ?, ?, ?)",
        [(each.name, each.latitude, each.longitude, each.population, _searched(each.name)) for each in around],
    )
    database.execute_each(
        "INSERT OR REPLACE INTO image_places VALUES (?, ?, ?, ?, ?, ?)",
        [(each.id, each.latitude, each.longitude, each.place, each.city, each.words) for each in images],
    )


def place_names(database: Database, ids: Sequence[int]) -> dict[int, str]:
    """Image -> its place in words; of how many at once, the caller sees to. Images without one are left out."""
    wanted = ", ".join("?" * len(ids))
    sql = f"""SELECT metadata.image_id, place FROM metadata JOIN image_places ON {_HERE}
        WHERE place != '' AND metadata.image_id IN ({wanted})"""
    return dict(database.rows(sql, ids))


def city_names(database: Database, ids: Sequence[int]) -> dict[int, str]:
    """The same as what it is called from afar: a district of Lisbon is Lisbon."""
    wanted = ", ".join("?" * len(ids))
    sql = f"""SELECT metadata.image_id, city FROM metadata JOIN image_places ON {_HERE}
        WHERE city != '' AND metadata.image_id IN ({wanted})"""
    return dict(database.rows(sql, ids))


def taken_in(database: Database, city: str) -> Ids:
    """The images that were taken in this city, ascending."""
    sql = f"""SELECT metadata.image_id FROM metadata JOIN image_places ON {_HERE}
        WHERE city = ? COLLATE NOCASE ORDER BY metadata.image_id"""
    return database.columns(sql, (city,), names=("image_id",))[0]


def cities(database: Database) -> list[str]:
    """What the places of images are called from afar, the most common first."""
    sql = f"""SELECT city FROM metadata JOIN image_places ON {_HERE}
        WHERE city != '' GROUP BY city ORDER BY count(*) DESC, city LIMIT 1000"""
    return [str(city) for (city,) in database.rows(sql)]


def centres(database: Database, name: str) -> list[tuple[float, float]]:
    """Latitude and longitude of the places of that name, else of the largest one whose name begins so."""
    words = _searched(name)
    if not words:
        return []
    exact = database.rows("SELECT latitude, longitude FROM places WHERE words = ?", (words,))
    if exact:
        return [(latitude, longitude) for latitude, longitude in exact]
    sql = """SELECT latitude, longitude FROM places WHERE words >= ? AND words < ? || char(1114111)
        ORDER BY population DESC LIMIT 1"""
    return [(latitude, longitude) for latitude, longitude in database.rows(sql, (words, words))]


def distances_km(latitudes: Degrees, longitudes: Degrees, latitude: float, longitude: float) -> NDArray[np.float64]:
    """Along the sphere, from degrees (the haversine formula)."""
    down, across = np.radians(latitudes - latitude), np.radians(longitudes - longitude)
    share = np.sin(down / 2.0) ** 2 + np.cos(np.radians(latitudes)) * np.cos(np.radians(latitude)) * (
        np.sin(across / 2.0) ** 2
    )
    distances: NDArray[np.float64] = 2.0 * EARTH_KM * np.arcsin(np.sqrt(np.minimum(share, 1.0)))
    return distances


def _searched(name: str) -> str:
    return " ".join(pieces_of(name))
