"""What each thread does when something breaks under it: it says what no longer works, and goes on once it can."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from atlas_rt.core.images import LibraryPlace
from atlas_rt.core.look import PictureKey
from atlas_rt.core.runtime import Runtime
from atlas_rt.encoders.registry import Model
from atlas_rt.library import maps
from atlas_rt.library.lock import Lock
from atlas_rt.workers import places, scenes
from atlas_rt.workers.facts import FactsRequest, FactsWorker
from atlas_rt.workers.lookout import LockLookout
from atlas_rt.workers.pictures import PictureWorker
from atlas_rt.workers.places import PlaceWorker
from atlas_rt.workers.scenes import Arrival, SceneReader, SceneWorker
from atlas_rt.workers.search import Query, SearchWorker
from atlas_rt.workers.tiles import TileWorker
from atlas_rt.workers.whole_pictures import WholePictureWorker, Wish
from atlas_rt.workers.worker import Change, State
from tests.libraries import PICTURES, Library, wait_for

pytestmark = pytest.mark.usefixtures("quick_retries")

Opened = Callable[[Any], Any]


@pytest.fixture
def told() -> list[Change]:
    return []


@pytest.fixture
def opened(capfd: pytest.CaptureFixture[str]) -> Iterator[Opened]:
    """Closes what a test opens. No thread has written anything: a traceback, say."""
    workers: list[Any] = []

    def keep(worker: Any) -> Any:
        workers.append(worker)
        return worker

    yield keep
    for worker in workers:
        worker.close()
    assert capfd.readouterr() == ("", "")


def troubles(told: list[Change], state: State = State.WAITING) -> list[str]:
    return [change.trouble for change in told if change.state is state]


def damaged(library: Library) -> Callable[[], None]:
    """Overwrite the database; what puts it right again."""
    file = library.place.folder / "library.db"
    for log in library.place.folder.glob("library.db-*"):
        log.unlink()
    whole = file.read_bytes()
    file.write_bytes(b"no database" * 2000)
    return lambda: file.write_bytes(whole) and None  # type: ignore[func-returns-value]


def question(arrival: Arrival, row: int) -> FactsRequest:
    return FactsRequest(int(arrival.scene.ids[row]), arrival.scene, arrival.vector_index, neighbours=False)


def test_labels_that_cannot_be_read_are_told_of_and_the_rest_is_shown(
    opened: Opened, library: Library, arrival: Arrival, ids: dict[str, int]
) -> None:
    repair = damaged(library)
    worker: FactsWorker = opened(FactsWorker(library.place))
    worker.ask(question(arrival, 3))
    (facts,) = wait_for(worker.take)
    assert (facts.path, facts.labels) == (arrival.scene.paths[3], ())
    assert worker.trouble.startswith("Labels, dates and keywords cannot be shown: The stored library is damaged")
    repair()
    worker.ask(question(arrival, arrival.scene.ids.tolist().index(ids["acoustic guitar"])))
    assert wait_for(worker.take)[0].labels
    assert worker.trouble == ""


def test_a_question_that_cannot_be_answered_does_not_silence_the_facts(
    opened: Opened, library: Library, arrival: Arrival, told: list[Change]
) -> None:
    worker: FactsWorker = opened(FactsWorker(library.place, announce=told.append))
    broken = dataclasses.replace(question(arrival, 3), scene=dataclasses.replace(arrival.scene, paths=()))
    worker.ask(broken)
    wait_for(lambda: troubles(told))
    assert troubles(told) == ["What is known of an image cannot be shown: IndexError: tuple index out of range"]
    worker.ask(question(arrival, 3))
    assert wait_for(worker.take)[0].path == arrival.scene.paths[3]


@pytest.fixture
def own_text(model: Model, tmp_path: Path) -> Model:
    """The model with a copy of its text tower that may be spoilt."""
    file = tmp_path / "text.onnx"
    shutil.copy(model.text.file.path, file)
    text = dataclasses.replace(model.text, file=dataclasses.replace(model.text.file, path=file))
    return dataclasses.replace(model, text=text)


def test_a_text_tower_that_is_rubbish_is_told_of_and_the_phrase_answered_once_it_is_whole(
    opened: Opened, own_text: Model, indexed: Library, arrival: Arrival, told: list[Change]
) -> None:
    file = own_text.text.file.path
    whole = file.read_bytes()
    file.write_bytes(b"no graph")
    runtime = Runtime(cache=indexed.cache)
    worker: SearchWorker = opened(SearchWorker(own_text, indexed.place, runtime=runtime, announce=told.append))
    wait_for(lambda: worker.state is State.FAILED)
    assert len(troubles(told)) == 3
    assert worker.trouble.startswith("Search does not work: ")
    worker.ask(Query("a guitar", arrival.scene.ids, arrival.vector_index))
    answer = wait_for(worker.take)
    assert answer.error
    assert worker.trouble.endswith(answer.error)
    file.write_bytes(whole)
    worker.retry()
    answer = wait_for(worker.take)  # it was not asked again
    assert (answer.query, answer.error) == ("a guitar", "")
    assert answer.best
    assert worker.trouble == ""


def test_a_phrase_that_cannot_be_answered_is_told_so_and_the_next_one_is_answered(
    opened: Opened, indexed: Library, arrival: Arrival, told: list[Change]
) -> None:
    runtime = Runtime(cache=indexed.cache)
    worker: SearchWorker = opened(SearchWorker(indexed.model, indexed.place, runtime=runtime, announce=told.append))
    worker.ask(Query("a guitar", arrival.scene.ids, arrival.vector_index.tail(5)))  # vectors of another scene
    assert wait_for(worker.take).error.startswith("IndexError: ")
    wait_for(lambda: troubles(told))
    worker.ask(Query("a guitar", arrival.scene.ids, arrival.vector_index))
    assert wait_for(worker.take).error == ""


def test_a_picture_that_breaks_its_thread_is_told_of_and_the_next_one_is_looked_at(
    opened: Opened, told: list[Change], tmp_path: Path
) -> None:
    worker: WholePictureWorker = opened(WholePictureWorker(tmp_path, announce=told.append))
    reasons = []
    for number, path in enumerate(("a name\0that no system knows", str(PICTURES[0]))):
        key = PictureKey(number, number)
        worker.want(Wish(((key, path),), (), {key: 1}))
        reasons.append(wait_for(lambda: next(worker.drain(budget_secs=0.0), None)).error)
    assert reasons == ["ValueError: embedded null byte", ""]
    assert troubles(told) == ["Pictures cannot be looked at whole: ValueError: embedded null byte"]


def test_a_picture_that_breaks_the_decoder_is_told_of_and_the_next_one_is_shown(
    opened: Opened, told: list[Change]
) -> None:
    worker: PictureWorker = opened(PictureWorker(announce=told.append))
    worker.ask(7, "a name\0that no system knows")
    picture = wait_for(worker.take)
    assert (picture.id, picture.pixels, picture.error) == (7, None, "ValueError: embedded null byte")
    wait_for(lambda: troubles(told))
    assert troubles(told) == ["Full pictures cannot be shown: ValueError: embedded null byte"]
    worker.ask(8, str(PICTURES[0]))
    assert wait_for(worker.take).pixels is not None


def test_a_tile_that_breaks_its_thread_is_told_of_and_others_come(
    opened: Opened, library: Library, arrival: Arrival, told: list[Change]
) -> None:
    worker: TileWorker = opened(TileWorker(library.place, threads=1, announce=told.append))
    scene = arrival.scene
    good = [(int(scene.ids[row]), 1, int(scene.tiles[row]), scene.paths[row]) for row in range(3)]
    worker.want([(77, 1, None, ""), *good])  # type: ignore[list-item]
    found: list[int] = []
    wait_for(lambda: found.extend(tile.id for tile in worker.drain(budget_secs=0.01)) or len(found) == 3)
    assert found == scene.ids[:3].tolist()
    assert len(troubles(told)) == 1
    assert troubles(told)[0].startswith("Images cannot be shown sharply from near: TypeError: ")


def reader_of(library: Library) -> SceneReader:
    return SceneReader(library.place, model=library.model.id, dim=library.model.dim)


def test_a_library_that_breaks_while_it_is_open_is_told_of_and_read_again_by_itself(
    opened: Opened, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scenes, "UNREADABLE_SECS", 0.05)
    worker: SceneWorker = opened(SceneWorker(reader_of(library)))
    repair = damaged(library)
    worker.poke()
    told = "New images cannot be shown: The stored library is damaged"
    assert wait_for(lambda: worker.trouble).startswith(told)
    assert worker.state is State.RUNNING
    repair()
    assert len(wait_for(worker.take).scene.ids) == 138
    assert worker.trouble == ""


def test_a_defect_of_the_reading_is_told_of_and_the_reading_begun_again(
    opened: Opened, library: Library, told: list[Change], monkeypatch: pytest.MonkeyPatch
) -> None:
    read_latest = maps.read_latest

    def broken(_folder: Path) -> None:
        raise KeyError("positions")

    monkeypatch.setattr(maps, "read_latest", broken)
    worker: SceneWorker = opened(SceneWorker(reader_of(library), announce=told.append))
    worker.poke()
    wait_for(lambda: worker.state is State.FAILED)
    assert worker.trouble == "New images cannot be shown: KeyError: 'positions'"
    assert len(troubles(told)) == 3
    monkeypatch.setattr(maps, "read_latest", read_latest)
    worker.retry()
    assert len(wait_for(worker.take).scene.ids) == 138


def test_while_no_places_can_be_made_of_a_new_map_those_of_the_old_one_hold(
    opened: Opened, arrival: Arrival, told: list[Change], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "REST_SECS", 0.01)
    worker: PlaceWorker = opened(PlaceWorker(announce=told.append))
    vector = arrival.vector_index.whole()[5]
    assert worker.place(vector) is None
    worker.show(arrival)
    placement, near = wait_for(lambda: worker.place(vector))
    assert near[0] == arrival.scene.ids[5]
    scene = dataclasses.replace(arrival.scene, positions=arrival.scene.positions[:2])
    worker.show(dataclasses.replace(arrival, scene=scene))
    wait_for(lambda: troubles(told))
    assert troubles(told)[0].startswith("The live marker does not follow the map: IndexError: ")
    again = worker.place(vector)
    assert again is not None
    assert np.array_equal(again[0].position, placement.position)


def test_a_marker_has_places_while_the_next_map_is_made_ready(
    opened: Opened, arrival: Arrival, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two seconds at 100,000 images, as a map comes each second of a first indexing."""
    monkeypatch.setattr(places, "REST_SECS", 0.2)
    worker: PlaceWorker = opened(PlaceWorker())
    worker.show(arrival)
    vector = arrival.vector_index.whole()[5]
    wait_for(lambda: worker.place(vector))
    made = list[object]()
    make = places.Projector
    monkeypatch.setattr(places, "Projector", lambda *tools: made.append(tools) or make(*tools))
    for _ in range(40):
        worker.show(dataclasses.replace(arrival))
        assert worker.place(vector) is not None
    wait_for(lambda: made)
    assert len(made) == 1  # of the newest alone


def test_a_lookout_that_fails_goes_on_looking(
    opened: Opened, tmp_path: Path, told: list[Change], monkeypatch: pytest.MonkeyPatch
) -> None:
    place, answers = LibraryPlace(tmp_path, ()), [RuntimeError("no answer"), "process 4711 on laptop"]

    def holder(_lock: Lock) -> str:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(Lock, "holder", holder)
    lookout: LockLookout = opened(LockLookout(place, announce=told.append))
    lookout.begin()
    assert wait_for(lookout.take) == "process 4711 on laptop"
    assert len(troubles(told)) == 1
