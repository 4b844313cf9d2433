"""Where the picture before the camera belongs, on a real library."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from atlas_rt.core.answers import LiveFix
from atlas_rt.core.arrays import Floats
from atlas_rt.core.maps import Placement
from atlas_rt.core.runtime import ANYWHERE
from atlas_rt.encoders.registry import Model
from atlas_rt.mapping.projector import Projector
from atlas_rt.window.session import frame_encoder
from atlas_rt.workers.live_place import FIXES_PER_SEC, LivePlaceWorker
from atlas_rt.workers.scenes import Arrival, SceneReader
from atlas_rt.workers.worker import State
from tests.libraries import Library, wait_for
from tests.workers.films import MakeFilm, held_up, plain

Placed = tuple[Placement, tuple[int, ...]] | None
Locate = Callable[..., LivePlaceWorker]


@pytest.fixture(scope="module")
def arrival(indexed: Library) -> Arrival:
    arrival = SceneReader(indexed.place, model=indexed.model.id, dim=indexed.model.dim).read()
    assert arrival is not None
    return arrival


@pytest.fixture(scope="module")
def place(arrival: Arrival) -> Callable[[Floats], Placed]:
    """Places a vector in the library's map."""
    projector = Projector(arrival.vector_index.whole(), arrival.scene.positions)

    def placed(vector: Floats) -> Placed:
        placement = projector.place(vector[None])[0]
        return placement, tuple(int(arrival.scene.ids[row]) for row in placement.neighbours)

    return placed


@pytest.fixture
def locate(indexed: Library, place: Callable[[Floats], Placed]) -> Iterator[Locate]:
    """Starts a live place worker on a film; closes it afterwards."""
    opened: list[LivePlaceWorker] = []

    def start(film: Path, **changes: Any) -> LivePlaceWorker:
        tools = {"encode": lambda: frame_encoder(indexed.model, ANYWHERE), "place": place} | changes
        opened.append(LivePlaceWorker(str(film), **tools))
        return opened[-1]

    yield start
    for live_place in opened:
        live_place.close()
        assert not live_place._thread.is_alive()


def id_of(arrival: Arrival, name: str) -> int:
    row = [Path(path).name for path in arrival.scene.paths].index(name)
    return int(arrival.scene.ids[row])


@pytest.mark.parametrize("name", ["acoustic-guitar.webp", "tiger-face.webp"])
def test_a_picture_of_the_library_before_the_camera_is_found_where_it_stands(
    locate: Locate, make_film: MakeFilm, indexed: Library, arrival: Arrival, name: str
) -> None:
    live_place = locate(make_film("film.mp4", [held_up(indexed.source / name)] * 5))
    fix: LiveFix = wait_for(live_place.take)
    assert fix.error == ""
    assert fix.neighbours[0] == id_of(arrival, name)
    assert fix.similarities[0] > 0.6
    assert len(fix.neighbours) == len(fix.similarities) == 15
    stands = arrival.scene.positions[arrival.scene.ids == fix.neighbours[0]][0]
    apart = np.linalg.norm(arrival.scene.positions - fix.position, axis=1)
    assert np.linalg.norm(stands - fix.position) < np.percentile(apart, 20)
    assert 0.0 <= fix.uncertainty <= 1.0


def test_the_marker_follows_when_another_picture_is_held_up(
    locate: Locate, make_film: MakeFilm, indexed: Library, arrival: Arrival
) -> None:
    first, second = (held_up(indexed.source / name) for name in ("acoustic-guitar.webp", "tiger-face.webp"))
    live_place = locate(make_film("film.mp4", [first] * 15 + [second] * 15))
    for name in ("acoustic-guitar.webp", "tiger-face.webp", "acoustic-guitar.webp"):
        nearest = id_of(arrival, name)
        wait_for(lambda nearest=nearest: (fix := live_place.take()) and fix.neighbours[0] == nearest, why=name)


def test_what_resembles_nothing_is_less_certain(locate: Locate, make_film: MakeFilm, indexed: Library) -> None:
    noise = np.random.default_rng(0).integers(0, 255, plain(0, 0, 0).shape, np.uint8)
    known = wait_for(locate(make_film("known.mp4", [held_up(indexed.source / "tiger-face.webp")] * 3)).take)
    unknown = wait_for(locate(make_film("unknown.mp4", [noise] * 3)).take)
    assert unknown.uncertainty > known.uncertainty
    assert unknown.similarities[0] < known.similarities[0]


def test_each_fix_brings_a_small_preview_and_how_often_they_come(locate: Locate, make_film: MakeFilm) -> None:
    live_place = locate(make_film("film.mp4", [plain(200, 40, 40)] * 5))
    fix: LiveFix = wait_for(live_place.take)
    assert fix.picture.shape == (240, 320, 3)
    assert fix.picture.flags.c_contiguous
    assert np.abs(fix.picture[100, 100].astype(int) - [200, 40, 40]).max() < 12
    begun, count = time.monotonic(), 0
    while time.monotonic() - begun < 0.6:
        count += live_place.take() is not None
        time.sleep(0.002)
    assert 1 <= count <= 0.6 * FIXES_PER_SEC + 2
    assert 0.0 < wait_for(live_place.take).fps < 2 * FIXES_PER_SEC


def test_there_is_no_fix_before_there_is_a_map(
    locate: Locate, make_film: MakeFilm, place: Callable[[Floats], Placed]
) -> None:
    asked, drawn = list[Floats](), list[bool]()

    def placed(vector: Floats) -> Placed:
        asked.append(vector)
        return place(vector) if drawn else None

    live_place = locate(make_film("film.mp4", [plain(9, 99, 9)] * 5), place=placed)
    wait_for(lambda: len(asked) >= 2)
    assert live_place.take() is None
    drawn.append(True)
    assert wait_for(live_place.take).error == ""


def test_a_camera_that_is_not_there_is_told_as_a_fix(locate: Locate, tmp_path: Path) -> None:
    fix: LiveFix = wait_for(locate(tmp_path / "no film.mp4").take)
    assert fix.error.startswith("there is no film at this path: ")
    assert fix.neighbours == ()
    assert fix.position.size == fix.picture.size == 0


def test_a_film_that_ends_is_told_after_its_last_fix(locate: Locate, make_film: MakeFilm) -> None:
    film = make_film("film.avi", [plain(9, 99, 9)] * 3)
    live_place = locate(film)
    wait_for(live_place.take)
    film.unlink()
    fix: LiveFix = wait_for(lambda: (fix := live_place.take()) and fix.error and fix)
    assert fix.error == "the film has no more frames"


def test_a_model_that_is_not_here_is_told_as_a_fix(
    locate: Locate, make_film: MakeFilm, indexed: Library, tmp_path: Path
) -> None:
    model: Model = indexed.model
    file = dataclasses.replace(model.image.file, path=tmp_path / "image.onnx")
    lacking = dataclasses.replace(model, image=dataclasses.replace(model.image, file=file))
    live_place = locate(make_film("film.mp4", [plain(9, 9, 9)] * 3), encode=lambda: frame_encoder(lacking, ANYWHERE))
    fix: LiveFix = wait_for(live_place.take)
    assert fix.error.startswith("A model file cannot be read")


def test_closing_joins_its_threads_at_once(locate: Locate, make_film: MakeFilm) -> None:
    live_place = locate(make_film("film.mp4", [plain(9, 99, 9)] * 5))
    wait_for(live_place.take)
    begun = time.monotonic()
    live_place.close()
    assert time.monotonic() - begun < 1.0
    assert not live_place._thread.is_alive()


@pytest.mark.usefixtures("quick_retries")
def test_an_image_tower_that_is_rubbish_is_told_of_and_followed_once_it_is_whole(
    locate: Locate, make_film: MakeFilm, indexed: Library, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    model: Model = indexed.model
    whole = model.image.file.path.read_bytes()
    (tmp_path / "image.onnx").write_bytes(b"no graph")
    file = dataclasses.replace(model.image.file, path=tmp_path / "image.onnx")
    spoilt = dataclasses.replace(model, image=dataclasses.replace(model.image, file=file))
    live_place = locate(make_film("film.mp4", [plain(9, 9, 9)] * 3), encode=lambda: frame_encoder(spoilt, ANYWHERE))
    wait_for(lambda: live_place.state is State.FAILED)
    assert live_place.trouble.startswith("The camera cannot be followed: ")
    assert wait_for(live_place.take).error in live_place.trouble
    (tmp_path / "image.onnx").write_bytes(whole)
    live_place.retry()
    assert wait_for(live_place.take).error == ""
    assert live_place.trouble == ""
    assert capfd.readouterr().err == ""


@pytest.mark.usefixtures("quick_retries")
def test_a_camera_that_comes_back_is_followed_again_by_itself(
    locate: Locate, make_film: MakeFilm, tmp_path: Path
) -> None:
    film = make_film("film.avi", [plain(9, 99, 9)] * 3)
    live_place = locate(film)
    wait_for(lambda: (fix := live_place.take()) and not fix.error)
    film.rename(tmp_path / "away.avi")
    wait_for(lambda: (fix := live_place.take()) and fix.error)
    (tmp_path / "away.avi").rename(film)
    live_place.retry()
    assert wait_for(lambda: (fix := live_place.take()) and not fix.error and fix)


@pytest.mark.usefixtures("quick_retries")
def test_a_place_that_cannot_be_found_is_told_and_the_next_picture_followed(
    locate: Locate, make_film: MakeFilm, place: Callable[[Floats], Placed]
) -> None:
    asked = list[Floats]()

    def broken_once(vector: Floats) -> Placed:
        asked.append(vector)
        return place(vector if len(asked) > 1 else vector[:3])

    live_place = locate(make_film("film.mp4", [plain(9, 99, 9)] * 5), place=broken_once)
    assert wait_for(live_place.take).error
    assert wait_for(lambda: (fix := live_place.take()) and not fix.error and fix)
