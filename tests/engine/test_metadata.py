"""What files tell of their pictures: stored while indexing, filled in where it lacks, followed when it changes."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing, suppress
from multiprocessing import Pipe
from pathlib import Path

import numpy as np
import pytest

from atlas_rt.core.images import LibraryPlace
from atlas_rt.core.metadata import FILE, ORIGINAL, Metadata
from atlas_rt.core.reports import IndexReport, Progress
from atlas_rt.engine import metadata_filler
from atlas_rt.engine.engine import Engine
from atlas_rt.engine.messages import FromEngine, Published
from atlas_rt.engine.process import EngineProcess
from atlas_rt.library.cache_layout import place_of
from atlas_rt.library.store import StoreReader
from tests.libraries import as_written_before_metadata, hear, job_of
from tests.library.metadata.pictures import bag, make_exif, make_xmp, photograph, saved

NAMES = ("a.jpg", "b.png", "c.jpg")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A photograph, a picture without a word, and one with a sidecar."""
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "a.jpg").write_bytes(saved(exif=photograph().tobytes()))
    (folder / "b.png").write_bytes(saved("PNG"))
    (folder / "c.jpg").write_bytes(saved(exif=make_exif({0x0110: "a camera"}).tobytes()))
    write_sidecar(folder / "c.xmp", "grandma", secs=1_000)
    return folder


def write_sidecar(path: Path, keyword: str, *, secs: int) -> None:
    path.write_bytes(make_xmp("", bag("dc:subject", keyword)))
    os.utime(path, (secs, secs))


@pytest.fixture
def place(photos: Path, cache: Path) -> LibraryPlace:
    return place_of((str(photos),), cache)


def told(place: LibraryPlace, cache: Path) -> list[FromEngine]:
    """All that an engine tells of one round, in this process: to start one takes longer than the round."""
    ours, theirs = Pipe()
    Engine(job_of(place, cache, fit=False), theirs).work()
    theirs.close()
    messages: list[FromEngine] = []
    with suppress(EOFError):
        while True:
            messages.append(ours.recv())
    ours.close()
    return messages


def report(messages: list[FromEngine]) -> IndexReport:
    return next(message for message in messages if isinstance(message, IndexReport))


def known(place: LibraryPlace) -> dict[str, Metadata]:
    with StoreReader.open(place.folder) as store:
        catalogue = store.catalogue()
        metadata = store.metadata_of(catalogue.ids)
        assert store.metadata_of(np.array([999])) == {}
    return {
        Path(path).name: metadata[id_]
        for id_, path in zip(catalogue.ids.tolist(), catalogue.paths, strict=True)
        if id_ in metadata
    }


@pytest.fixture
def indexed_photos(place: LibraryPlace, cache: Path) -> LibraryPlace:
    assert report(told(place, cache)).new == 3
    return place


def test_it_is_stored_while_indexing_and_followed_when_it_changes(
    indexed_photos: LibraryPlace, cache: Path, photos: Path
) -> None:
    first = known(indexed_photos)
    assert first.keys() == set(NAMES)
    assert (first["a.jpg"].taken_from, first["a.jpg"].camera) == (ORIGINAL, "NIKON D90")
    assert (first["c.jpg"].camera, first["c.jpg"].keywords) == ("a camera", ("grandma",))
    # a sidecar that changes, one that comes, and a file's time that changes
    write_sidecar(photos / "c.xmp", "grandpa", secs=2_000)
    write_sidecar(photos / "a.jpg.xmp", "river", secs=1_000)
    os.utime(photos / "b.png", (86_400 * 365, 86_400 * 365))
    again = told(indexed_photos, cache)
    assert (report(again).changed, report(again).unchanged) == (0, 3)
    assert [each.total for each in again if isinstance(each, Progress) and each.stage == "metadata"] == [2]
    second = known(indexed_photos)
    assert (second["a.jpg"].keywords, second["a.jpg"].camera) == (("river",), "NIKON D90")
    assert second["c.jpg"].keywords == ("grandpa",)
    assert (second["b.png"].taken[:4], second["b.png"].taken_from) == ("1971", FILE)
    # a file that is renamed with its sidecar keeps all, and one that loses its sidecar loses its words
    (photos / "c.jpg").rename(photos / "renamed.jpg")
    (photos / "c.xmp").rename(photos / "renamed.xmp")
    (photos / "a.jpg.xmp").unlink()
    assert report(told(indexed_photos, cache)).unchanged == 3
    third = known(indexed_photos)
    assert third["renamed.jpg"] == second["c.jpg"]
    assert third["a.jpg"] == first["a.jpg"]
    assert not [each for each in told(indexed_photos, cache) if isinstance(each, Progress) and each.stage == "metadata"]


def test_a_picture_that_is_there_twice_or_in_another_library_brings_it_along(
    indexed_photos: LibraryPlace, cache: Path, photos: Path, tmp_path: Path
) -> None:
    shutil.copy(photos / "a.jpg", photos / "twice.jpg")
    write_sidecar(photos / "twice.xmp", "copy", secs=1_000)
    told(indexed_photos, cache)
    assert known(indexed_photos)["twice.jpg"].keywords == ("copy",)
    assert known(indexed_photos)["a.jpg"].keywords == ()
    other = tmp_path / "other"
    other.mkdir()
    shutil.copy(photos / "a.jpg", other)
    place = place_of((str(other),), cache)
    assert report(told(place, cache)).seconds["encode"] < 0.01  # copied from the library of the photos
    assert known(place)["a.jpg"] == known(indexed_photos)["a.jpg"]


def test_an_older_library_fills_up_without_decoding_and_goes_on_where_it_was_stopped(
    indexed_photos: LibraryPlace, cache: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = known(indexed_photos)
    as_written_before_metadata(indexed_photos)
    monkeypatch.setattr(metadata_filler, "PART", 1)
    monkeypatch.setattr("atlas_rt.distributed.image_worker.read_image", None)
    fill = metadata_filler.MetadataFiller.fill_some

    def stopped(filler: metadata_filler.MetadataFiller) -> None:
        if filler.left == 1:
            raise BrokenPipeError
        fill(filler)

    with monkeypatch.context() as patched:
        patched.setattr(metadata_filler.MetadataFiller, "fill_some", stopped)
        with pytest.raises(BrokenPipeError):
            told(indexed_photos, cache)
    assert len(known(indexed_photos)) == 2
    messages = told(indexed_photos, cache)
    assert report(messages).seconds["decode"] == 0.0
    assert [each.total for each in messages if isinstance(each, Progress) and each.stage == "metadata"] == [1]
    assert known(indexed_photos) == first


def test_a_file_that_cannot_be_opened_keeps_none_of_the_others_from_being_read(
    indexed_photos: LibraryPlace, cache: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_written_before_metadata(indexed_photos)
    begin = metadata_filler.MetadataFiller.begin

    def then_it_is_gone(filler: metadata_filler.MetadataFiller, *given: object) -> None:
        begin(filler, *given)  # type: ignore[arg-type]
        (photos / "a.jpg").unlink(missing_ok=True)

    monkeypatch.setattr(metadata_filler.MetadataFiller, "begin", then_it_is_gone)
    told(indexed_photos, cache)
    assert known(indexed_photos).keys() == {"b.png", "c.jpg"}


def test_what_another_version_read_is_read_again_and_what_is_away_is_kept(
    indexed_photos: LibraryPlace, cache: Path, photos: Path
) -> None:
    (photos / "a.jpg").unlink()
    with closing(sqlite3.connect(indexed_photos.folder / "library.db")) as database, database:
        database.execute("UPDATE metadata SET reader = 0, camera = 'as it was'")
    told(indexed_photos, cache)
    assert known(indexed_photos)["c.jpg"].camera == "a camera"
    with closing(sqlite3.connect(indexed_photos.folder / "library.db")) as database:
        kept = database.execute("SELECT camera FROM metadata WHERE reader = 0").fetchall()
    assert kept == [("as it was",)]


def test_a_windows_engine_fills_up_when_it_has_nothing_else_to_do(indexed_photos: LibraryPlace, cache: Path) -> None:
    first = known(indexed_photos)
    as_written_before_metadata(indexed_photos)
    engine = EngineProcess(job_of(indexed_photos, cache, stay=True))
    try:
        assert isinstance(hear(engine)[-1], IndexReport)
        stages = [each.stage for each in hear(engine, until=Published) if isinstance(each, Progress)]
        assert "metadata" in stages
        assert known(indexed_photos) == first
    finally:
        engine.stop()
