"""Places from GPS: named, searched, told of; nothing where nothing is near."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from atlas_rt.core.images import LibraryPlace
from atlas_rt.engine import place_finder
from atlas_rt.engine.geonames import GeoNames
from atlas_rt.errors import MissingError
from atlas_rt.library.cache_layout import place_of
from atlas_rt.library.metadata.exif import place_of as checked
from atlas_rt.library.places import REACH_KM, Unplaced, distances_km
from atlas_rt.library.store import StoreReader
from atlas_rt.search.fields import read
from atlas_rt.workers.text_search import TextSearch
from tests.engine.test_metadata import told
from tests.libraries import Library
from tests.library.metadata.pictures import make_exif, saved

TAKEN_AT = {"tram": (38.701, -9.171), "bridge": (-33.852, 151.211), "ocean": (0.5, -150.0), "fjord": (69.65, 18.96)}
"""Lisbon, Sydney, the middle of the Pacific, Tromsø."""


def gps(latitude: float, longitude: float) -> bytes:
    exif = make_exif({})
    exif[0x8825] = {
        1: "N" if latitude >= 0 else "S", 2: (abs(latitude), 0.0, 0.0),
        3: "E" if longitude >= 0 else "W", 4: (abs(longitude), 0.0, 0.0),
    }  # fmt: skip
    return exif.tobytes()


@pytest.fixture(scope="module")
def names() -> GeoNames:
    return GeoNames()


@pytest.fixture(scope="module")
def library(indexed: Library, tmp_path_factory: pytest.TempPathFactory) -> LibraryPlace:
    """Four pictures with GPS and one without, indexed."""
    folder = tmp_path_factory.mktemp("places")
    shutil.copytree(indexed.cache / "vocabulary", folder / "cache" / "vocabulary")
    return library_in(folder, TAKEN_AT)


def library_in(folder: Path, taken_at: dict[str, tuple[float, float]]) -> LibraryPlace:
    photos = folder / "photos"
    photos.mkdir(exist_ok=True)
    for name, at in taken_at.items():
        (photos / f"{name}.jpg").write_bytes(saved(exif=gps(*at)))
    (photos / "nowhere.jpg").write_bytes(saved())
    place = place_of((str(photos),), folder / "cache")
    told(place, folder / "cache")
    return place


def found(library: LibraryPlace, asked: str) -> list[str]:
    """Names of the files that a field lets through."""
    with StoreReader.open(library.folder) as store:
        files = store.catalogue()
    with closing(TextSearch(library, "none")) as search:
        passes, _ = search.passing(read(asked).conditions, files.ids, None)
    return [Path(path).stem for path, passed in zip(files.paths, passes, strict=True) if passed]


def test_images_are_named_by_what_is_near(library: LibraryPlace) -> None:
    with StoreReader.open(library.folder) as store:
        files = store.catalogue()
        by_id = store.place_names(files.ids)
        cities = set(store.city_names(files.ids).values())
    named = {Path(path).stem: by_id.get(id_, "") for path, id_ in zip(files.paths, files.ids.tolist(), strict=True)}
    assert named["tram"] == "Alcântara, Lisbon, Portugal"
    assert named["fjord"].startswith("Tromsø, ")
    assert named["bridge"].endswith("Sydney, Australia")
    assert (named["ocean"], named["nowhere"]) == ("", "")
    assert cities == {"Lisbon", "Sydney", "Tromsø"}


def test_a_city_finds_the_images_around_it(library: LibraryPlace) -> None:
    assert found(library, "near:Lisbon") == ["tram"]
    assert found(library, "near:tromsø") == ["fjord"]
    assert found(library, "near:Syd") == ["bridge"]
    assert found(library, "near:Paris") == found(library, "near:!") == []
    assert sorted(found(library, "-near:Lisbon")) == ["bridge", "fjord", "nowhere", "ocean"]


def test_images_divide_by_city(library: LibraryPlace) -> None:
    """As the filters count them: each value lets through what it counts."""
    with StoreReader.open(library.folder) as store:
        groups = {city: ids.tolist() for city, ids in store.finder.groups("near").items()}
        assert set(groups) == {"Lisbon", "Sydney", "Tromsø"}
        for city, ids in groups.items():
            assert store.finder.exactly("near", city).tolist() == ids
    assert found(library, "near:=Lisbon") == ["tram"]
    assert found(library, "near:=Lisb") == []


def test_places_are_words_too_and_complete(library: LibraryPlace) -> None:
    with StoreReader.open(library.folder) as store:
        ids = store.catalogue().ids
    with closing(TextSearch(library, "none")) as search:
        for typed in ("lisbon", "portugal", "alcantara"):
            hits = search.hits(typed, [typed], [], ids)
            (row,) = np.flatnonzero(hits.whole)
            assert search.reasons([int(ids[row])], hits) == {int(ids[row]): ("place",)}
        assert set(search.values("near")) >= {"Lisbon", "Sydney"}


def test_a_place_that_is_not_here_is_answered(library: LibraryPlace) -> None:
    with StoreReader.open(library.folder) as store:
        ids = store.catalogue().ids
    with closing(TextSearch(library, "none")) as search:
        _, (sentence,) = search.passing(read("near:Lisbom").conditions, ids, None)
    assert sentence == "No image here was taken near “Lisbom”. The nearest place is “Lisbon”."


def test_an_image_that_moved_gets_its_new_place(tmp_path: Path, cache: Path) -> None:
    library = library_in(tmp_path, {"tram": TAKEN_AT["tram"]})
    assert found(library, "near:Lisbon") == ["tram"]
    library_in(tmp_path, {"tram": TAKEN_AT["bridge"]})
    assert (found(library, "near:Sydney"), found(library, "near:Lisbon")) == (["tram"], [])
    (tmp_path / "photos/tram.jpg").write_bytes(saved("PNG"))
    library_in(tmp_path, {})
    assert found(library, "near:Sydney") == []


def test_without_the_names_everything_else_goes_on(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone() -> GeoNames:
        raise MissingError("not here")

    monkeypatch.setattr(place_finder, "GeoNames", gone)
    library = library_in(tmp_path, {"tram": TAKEN_AT["tram"]})
    with StoreReader.open(library.folder) as store:
        assert (store.images(), store.place_names(store.catalogue().ids)) == (2, {})


@pytest.mark.parametrize("at", [(0.0, 0.0), (91.0, 0.0), (0.0, 180.5), (float("nan"), 1.0), (float("inf"), 1.0)])
def test_what_is_no_place_is_none(at: tuple[float, float]) -> None:
    assert checked(*at) == (None, None)


def test_distances_are_those_of_the_globe(names: GeoNames) -> None:
    """Across the date line, at a pole, and where a degree of longitude is short."""
    (paris_london,) = distances_km(np.array([48.8566]), np.array([2.3522]), 51.5074, -0.1278)
    assert paris_london == pytest.approx(343.6, abs=1.0)
    (date_line,) = distances_km(np.array([-17.0]), np.array([179.9]), -17.0, -179.9)
    assert date_line == pytest.approx(21.3, abs=0.3)
    for at in ((90.0, 0.0), (-90.0, 0.0), (-16.8, -179.99), (69.65, 18.96), (89.99, 180.0)):
        image, rows = names.around(Unplaced(1, *at))
        places = names.named(rows.tolist())
        assert all(
            distances_km(np.array([each.latitude]), np.array([each.longitude]), *at)[0] <= REACH_KM for each in places
        )
        assert bool(image.place) == bool(places)
