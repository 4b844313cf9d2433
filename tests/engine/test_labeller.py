"""Words for stored images: the person's own, those that came late, and those that no longer hold."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from atlas_rt.core.reports import IndexReport
from atlas_rt.encoders import registry
from atlas_rt.engine.labeller import Labeller
from atlas_rt.engine.messages import Job, Said
from atlas_rt.library.store import StoreReader
from atlas_rt.library.store_writer import StoreWriter
from atlas_rt.library.vectors import VectorFile
from tests.libraries import Library, run

MakeJob = Callable[..., Job]


class StopError(Exception):
    """Someone asked to stop."""


@pytest.fixture
def library(indexed: Library, tmp_path: Path) -> Library:
    return indexed.copy(tmp_path / "cache")


def words(store: StoreWriter, model: str) -> dict[int, tuple[str, ...]]:
    ids, _ = store.encoded(model)
    return {int(id_): tuple(word for word, _ in store.labels(int(id_), model)) for id_ in ids}


def caught_up(library: Library, own: Path | None, *, stop_after: int = 10**9, fresh: bool = False) -> list[int]:
    """How many images had been labelled after each transaction."""
    done: list[int] = []

    def told(so_far: int, total: int) -> None:
        done.append(so_far)
        if len(done) >= stop_after:
            raise StopError

    labeller = Labeller(library.model, library.cache, own, fresh=fresh)
    with StoreWriter.open(library.place.folder) as store:
        rows = store.named_vectors(library.model.id)
        vectors = VectorFile(library.model_folder / "vectors.f16", library.model.dim, writable=False, rows=rows)
        try:
            labeller.catch_up(store, vectors, waiting=lambda: None, told=told)
        except StopError:
            pass
        finally:
            labeller.close()
    return done


def test_images_without_words_get_them_and_others_are_left_alone(library: Library) -> None:
    model = library.model.id
    with StoreWriter.open(library.place.folder) as store:
        before = words(store, model)
        first, second = sorted(before)[:2]
        store.label(model, {first: (), second: [("mine", 1.0)]})
        assert store.unlabelled(model).tolist() == [first]
    assert caught_up(library, None) == [1]
    assert caught_up(library, None) == []
    with StoreReader.open(library.place.folder) as store:
        assert words(store, model) == before | {second: ("mine",)}


def test_another_vocabulary_relabels_every_image(library: Library, tmp_path: Path) -> None:
    model, own = library.model.id, tmp_path / "labels.txt"
    with StoreReader.open(library.place.folder) as store:
        title = {Path(path).stem: int(id_) for id_, path in _paths(store, model)}
        before = words(store, model)
    own.write_text("# mine\nsix-string\nacoustic guitar made of wood\n", encoding="utf-8")
    assert caught_up(library, own) == [138]
    assert caught_up(library, own) == []
    with StoreReader.open(library.place.folder) as store:
        assert "acoustic guitar made of wood" in words(store, model)[title["acoustic-guitar"]]
    own.unlink()
    assert caught_up(library, own) == [138]
    with StoreReader.open(library.place.folder) as store:
        assert words(store, model) == before


def test_a_relabelling_that_is_stopped_begins_again(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("atlas_rt.engine.labeller.BLOCK", 50)
    own = tmp_path / "labels.txt"
    own.write_text("six-string\n", encoding="utf-8")
    assert caught_up(library, own, stop_after=1) == [50]
    assert caught_up(library, own) == [50, 100, 138]
    assert caught_up(library, own) == []


def test_images_are_stored_before_the_words_are_there(library: Library) -> None:
    """Whoever asks too early gets none, and closing does not wait for the rest."""
    empty = library.cache / "empty"
    labeller = Labeller(library.model, empty, None)
    assert labeller.label(np.zeros((1, library.model.dim), np.float32)) is None
    labeller.close()
    assert not labeller._thread.is_alive()
    assert not (empty / "vocabulary").exists()


def test_the_first_indexing_labels_no_image_twice(library: Library) -> None:
    with StoreWriter.open(library.place.folder) as store:
        store.set_setting(f"labels of {library.model.id}", "")
    assert caught_up(library, None, fresh=True) == []
    assert caught_up(library, None) == []


def test_a_stop_ends_the_wait_for_the_words(library: Library) -> None:
    labeller = Labeller(library.model, library.cache / "empty", None)

    def stop() -> None:
        raise StopError

    with pytest.raises(StopError):
        labeller.vocabulary(stop)
    labeller.close()


def test_the_engine_takes_the_persons_words_at_its_next_start(make_job: MakeJob, tmp_path: Path) -> None:
    own = tmp_path / "labels.txt"
    job = make_job(own_labels=own)
    assert not [message for message in run(job) if isinstance(message, Said)]
    own.write_text("acoustic guitar made of wood\n" + "x" * 61, encoding="utf-8")
    told = run(make_job(own_labels=own))
    assert [message.text for message in told if isinstance(message, Said)] == [
        f"of your labels 1 line is longer than 60 characters or no plain text, and left out: {own}"
    ]
    assert isinstance(told[-1], IndexReport)
    assert told[-1].unchanged == 9
    with StoreReader.open(job.place.folder) as store:
        assert "acoustic guitar made of wood" in store.label_words(registry.load(job.model, job.cache).id)
    with StoreReader.open(job.place.folder) as store:
        (model,) = (folder.name for folder in job.place.folder.glob("starter-*"))
        found = words(store, model)
    assert any("acoustic guitar made of wood" in each for each in found.values())


def _paths(store: StoreWriter, model: str) -> list[tuple[int, str]]:
    catalogue = store.catalogue(model)
    return list(zip(catalogue.ids.tolist(), catalogue.paths, strict=True))
