"""One opened library, as the window opens it: everything asked is answered, and closing leaves nothing behind."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from atlas_rt.core.images import Tile
from atlas_rt.core.reports import IndexReport
from atlas_rt.encoders import registry
from atlas_rt.engine.messages import FromEngine, Published, Said
from atlas_rt.library.cache_layout import last_opened, move, place_of
from atlas_rt.library.cluster_names import ClusterNames
from atlas_rt.library.lock import Lock
from atlas_rt.library.store import StoreReader
from atlas_rt.settings import Settings
from atlas_rt.window.session import Session, source_name
from atlas_rt.workers.scenes import Arrival
from tests.libraries import (
    PICTURES,
    Library,
    as_version_0_1_0_wrote,
    copy_pictures,
    index,
    job_of,
    lives,
    same_bits,
    wait_for,
)

NAMES = ("acoustic-guitar", "tiger-face", "tiger-walking", "adobe-house", "red-rose", "sailing-boat", "hot-dog")
OTHER = "electric-guitar"
Open = Callable[[], Session]


def pictures(*names: str) -> list[Path]:
    return [picture for picture in PICTURES if picture.stem in names]


@pytest.fixture
def cache(indexed: Library, tmp_path: Path) -> Path:
    """A cache in which the vocabulary need not be encoded again."""
    shutil.copytree(indexed.cache / "vocabulary", tmp_path / "cache" / "vocabulary")
    return tmp_path / "cache"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Seven pictures: too few for a fit."""
    return copy_pictures(pictures(*NAMES), tmp_path / "pictures")


@pytest.fixture
def open_session(folder: Path, cache: Path) -> Iterator[Open]:
    opened: list[Session] = []

    def make() -> Session:
        settings = Settings(model="starter", threads=2)
        opened.append(Session(settings, (str(folder),), cache=cache, model=registry.load("starter", cache)))
        return opened[-1]

    yield make
    for session in opened:
        session.close()


@pytest.fixture
def indexed_session(open_session: Open, folder: Path, cache: Path) -> Session:
    """A session on a library that is up to date."""
    index(job_of(folder, cache))
    session = open_session()
    follow(session, until=IndexReport)
    return session


def follow(session: Session, *, until: type, images: int = 0, shown_tiles: list[int] | None = None) -> list[FromEngine]:
    """Hear the engine and pass on what it says as the window does, up to a message of this kind and, where a number is
    given, a scene with so many images. shown_tiles: takes the tiles that came."""
    told: list[FromEngine] = []

    def enough() -> bool:
        for message in session.messages():
            told.append(message)
            if isinstance(message, Published):
                session.scenes.poke()
        if (arrival := session.arrival()) is not None:
            session.follow(arrival, aspect=1.6)
            if shown_tiles is not None:
                shown_tiles.extend(arrival.tiles.tolist())
        shown = len(session._arrival.scene.ids) if session._arrival else 0
        return any(isinstance(message, until) for message in told) and shown >= images

    wait_for(enough, secs=60.0, why=f"{until.__name__}, {images} images")
    return told


def title_of(session: Session, id_: int) -> str:
    assert session._arrival is not None
    scene = session._arrival.scene
    return Path(scene.paths[scene.ids.tolist().index(id_)]).stem


def id_of(arrival: Arrival | None, title: str) -> int:
    assert arrival is not None
    return int(arrival.scene.ids[[Path(path).stem for path in arrival.scene.paths].index(title)])


# A first and a second start


def test_a_new_library_fills_while_one_looks(open_session: Open, folder: Path, cache: Path) -> None:
    session = open_session()
    assert session.first is None
    assert session.read_only == ""
    assert last_opened(cache) == session.place
    told = follow(session, until=IndexReport, images=7)
    (report,) = [message for message in told if isinstance(message, IndexReport)]
    assert (report.images, report.new) == (7, 7)
    assert session._arrival is not None
    assert {Path(path).stem for path in session._arrival.scene.paths} == set(NAMES)


def test_a_second_start_shows_everything_before_the_engine_has_said_a_word(
    open_session: Open, folder: Path, cache: Path
) -> None:
    index(job_of(folder, cache))
    session = open_session()
    assert session.first is not None
    assert len(session.first.scene.ids) == len(session.first.tiles) == 7
    told = follow(session, until=IndexReport)
    assert not [message for message in told if isinstance(message, Published)]
    assert session.arrival() is None  # nothing changed, so nothing is read again


def test_a_renamed_folder_is_shown_at_once_with_the_names_given(
    open_session: Open, indexed: Library, folder: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    source = tmp_path / "source"
    shutil.copytree(indexed.source, source)
    shutil.rmtree(cache)
    move(indexed.copy(cache).place, {str(indexed.source): str(source)}, cache)
    shutil.rmtree(folder)
    source.rename(folder)
    largest = indexed.map.cluster_records[0]
    with StoreReader.open(indexed.place.folder) as store:
        contents = store.content_hashes(indexed.map.ids[indexed.map.clusters == largest.id].tolist())
    ClusterNames(tmp_path / "data/atlas_rt").give("ours", contents)
    session = open_session()
    assert session.first is not None
    assert same_bits(session.first.scene.positions, indexed.map.positions)
    assert {Path(path).parent for path in session.first.scene.paths} == {folder}
    assert (session.first.scene.cluster_records[0].name, largest.name != "ours") == ("ours", True)
    said = [message.text for message in follow(session, until=IndexReport) if isinstance(message, Said)]
    assert said == [f"the library of {source} has moved along: 138 of its 138 images are here"]


@pytest.mark.skipif(not hasattr(os, "getpriority"), reason="no priorities here")
def test_the_engine_steps_back_behind_the_window(indexed_session: Session) -> None:
    assert indexed_session.engine is not None
    assert os.getpriority(os.PRIO_PROCESS, indexed_session.engine.pid) == 19


def test_a_library_that_another_process_writes_is_opened_for_looking(
    open_session: Open, folder: Path, cache: Path
) -> None:
    index(job_of(folder, cache))
    place = place_of((str(folder),), cache)
    with Lock(place) as lock:
        assert lock.acquire()
        session = open_session()
        assert session.read_only.startswith("process ")
        assert session.engine is None
        assert session.first is not None
        assert not session.add((str(folder / "more"),))
        assert list(session.messages()) == []
        session.ask("a guitar")
        assert title_of(session, wait_for(session.answer).best[0].id) == "acoustic-guitar"


# Asking


def test_pictures_dropped_on_it_join_the_map(indexed_session: Session, tmp_path: Path) -> None:
    session = indexed_session
    dropped = copy_pictures(pictures(OTHER), tmp_path / "dropped")
    assert session.add((str(dropped),))
    tiles: list[int] = []
    told = follow(session, until=IndexReport, images=8, shown_tiles=tiles)
    assert [message.new for message in told if isinstance(message, IndexReport)] == [1]
    arrival = session._arrival
    assert arrival is not None
    assert id_of(arrival, OTHER) == max(arrival.scene.ids)
    assert len(tiles) == 1  # of the newcomer alone
    assert not len(arrival.tiles)  # what is shown is not kept


def test_a_phrase_is_answered_for_the_scene_that_is_shown(indexed_session: Session) -> None:
    session = indexed_session
    session.ask("a guitar")
    answer = wait_for(session.answer)
    assert title_of(session, answer.best[0].id) == "acoustic-guitar"
    assert session._arrival is not None
    assert answer.ids is session._arrival.scene.ids
    assert len(answer.lights) == 7


def test_an_image_is_told_of_shown_and_given_its_tiles(indexed_session: Session) -> None:
    session = indexed_session
    id_ = id_of(session._arrival, "tiger-face")
    session.tell_of(id_, neighbours=True)
    session.ask_picture(id_)
    session.want_tiles([(id_, 2), (id_, 1)])
    (facts,) = wait_for(session.told)
    assert facts.id == id_
    assert title_of(session, facts.neighbours[0][0]) == "tiger-walking"
    picture = wait_for(session.picture)
    assert (picture.id, picture.error) == (id_, "")
    tiles: list[Tile] = []
    wait_for(lambda: tiles.extend(session.drain_tiles(budget_secs=0.01)) or len(tiles) == 2)
    assert {(tile.id, tile.level) for tile in tiles} == {(id_, 1), (id_, 2)}


def test_nothing_asked_of_an_empty_library_does_harm(open_session: Open) -> None:
    session = open_session()
    session.ask("a guitar")
    session.tell_of(1, neighbours=True)
    session.ask_picture(1)
    session.want_tiles([(1, 1)])
    time.sleep(0.1)
    assert (session.answer(), session.told(), session.picture(), session.fix()) == (None, (), None, None)


# Live


@pytest.fixture
def film(folder: Path, tmp_path: Path) -> str:
    """The guitar, held before a white wall."""
    drawing = Image.open(folder / "acoustic-guitar.webp").convert("RGBA").resize((200, 200))
    wall = Image.new("RGB", (320, 240), "white")
    wall.paste(drawing, (60, 20), drawing)
    writer = cv2.VideoWriter(str(tmp_path / "film.mp4"), cv2.VideoWriter_fourcc(*"mp4v"), 25.0, (320, 240))
    for _ in range(5):
        writer.write(np.asarray(wall)[..., ::-1].copy())
    writer.release()
    return str(tmp_path / "film.mp4")


def test_the_camera_is_switched_on_and_off(indexed_session: Session, film: str) -> None:
    session = indexed_session
    assert not session.live
    assert session.fix() is None
    session.switch_live(film)
    assert session.live
    fix = wait_for(session.fix)
    assert fix.error == ""
    assert title_of(session, fix.neighbours[0]) == "acoustic-guitar"
    session.switch_live(film)  # on again is another camera, and no second one beside it
    assert len([thread for thread in threading.enumerate() if thread.name == "live"]) == 1
    wait_for(session.fix)
    session.switch_live(None)
    assert not session.live
    assert session.fix() is None
    assert not [thread for thread in threading.enumerate() if thread.name in {"live", "camera"}]


def test_the_marker_moves_on_to_a_new_map(indexed_session: Session, film: str, tmp_path: Path) -> None:
    session = indexed_session
    session.switch_live(film)
    assert len(wait_for(session.fix).neighbours) == 7
    session.add((str(copy_pictures(pictures(OTHER), tmp_path / "dropped")),))
    follow(session, until=IndexReport, images=8)
    fix = wait_for(lambda: (fix := session.fix()) and len(fix.neighbours) == 8 and fix)
    assert title_of(session, fix.neighbours[1]) == OTHER


# Closing


def test_a_library_of_version_0_1_0_is_shown_in_the_first_frame(folder: Path, cache: Path, open_session: Open) -> None:
    job = job_of(folder, cache)
    index(job)
    as_version_0_1_0_wrote(job.place)
    session = open_session()
    assert session.first is not None
    assert len(session.first.scene.ids) == len(NAMES)


def test_closing_leaves_no_thread_and_no_process_behind(
    open_session: Open, folder: Path, cache: Path, film: str
) -> None:
    """In the middle of everything: indexing, searching, the camera on."""
    before, others = set(threading.enumerate()), multiprocessing.active_children()
    session = open_session()
    assert session.engine is not None
    engine = session.engine.pid
    session.switch_live(film)
    session.ask("a guitar")
    started = {thread.name for thread in set(threading.enumerate()) - before}
    assert {"scenes", "search", "facts", "pictures", "tiles-0", "live"} <= started
    wait_for(lambda: list(session.messages()))
    begun = time.monotonic()
    session.close()
    assert time.monotonic() - begun < 8.0  # an engine that does not listen is killed after five
    assert set(threading.enumerate()) - before == set()
    assert multiprocessing.active_children() == others
    assert not lives(engine)
    with Lock(session.place) as lock:
        assert lock.acquire()
    session.close()  # a second time does nothing


def test_what_was_shown_last_is_shown_first_the_next_time(indexed_session: Session, open_session: Open) -> None:
    session = indexed_session
    session.close()
    again = open_session()
    assert session._arrival is not None
    assert again.first is not None
    assert same_bits(again.first.scene.positions, session._arrival.scene.positions)


def test_a_library_is_called_by_its_folders() -> None:
    assert source_name(("/home/ada/pictures",)) == "pictures"
    assert source_name(("/home/ada/pictures", "/media/card", "/tmp/one.jpg")) == "pictures and 2 more"
    assert source_name(("/",)) == "/"
