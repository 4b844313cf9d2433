"""Text in pictures: read after everything else, stored at once, searched, and never in the way."""

from __future__ import annotations

import shutil
import sys
from contextlib import closing
from dataclasses import replace
from multiprocessing import Pipe
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from atlas_rt.core.images import LibraryPlace
from atlas_rt.engine import text_filler, text_reader
from atlas_rt.engine.engine import Engine
from atlas_rt.engine.text_reader import TextReader
from atlas_rt.errors import MissingError
from atlas_rt.library.cache_layout import place_of
from atlas_rt.library.readings import TRIES_MAX, Unread
from atlas_rt.library.store import StoreReader
from atlas_rt.library.store_writer import StoreWriter
from atlas_rt.workers.text_search import TextSearch
from tests.libraries import Library, job_of


class Sign:
    """Reads the colour of a picture instead of its letters: what is done with the answer is what is tested."""

    read = 0

    def __init__(self, *, threads: int) -> None:
        assert threads > 0

    def text_of(self, picture: Image.Image) -> str:
        type(self).read += 1
        red, green, _ = picture.convert("RGB").resize((1, 1)).getpixel((0, 0))
        if green > 200:
            raise RuntimeError("the network stumbles")
        return "Grand Hotel" if red > 200 else ""


@pytest.fixture
def place(tmp_path: Path, indexed: Library, monkeypatch: pytest.MonkeyPatch) -> LibraryPlace:
    """A red picture, a blue one, and one that cannot be read; ids in this order."""
    monkeypatch.setattr(text_filler, "TextReader", Sign)
    monkeypatch.setattr(text_filler, "is_installed", lambda: True)
    Sign.read = 0
    shutil.copytree(indexed.cache / "vocabulary", tmp_path / "cache" / "vocabulary")
    (tmp_path / "photos").mkdir()
    for name, colour in (("a", "red"), ("b", "blue"), ("c", "lime")):
        Image.new("RGB", (64, 48), colour).save(tmp_path / f"photos/{name}.png")
    return place_of((str(tmp_path / "photos"),), tmp_path / "cache")


def index(place: LibraryPlace, *, ocr: bool = True) -> None:
    ours, theirs = Pipe()
    with closing(ours), closing(theirs):
        Engine(replace(job_of(place, place.folder.parents[1], fit=False), ocr=ocr), theirs).work()


def texts(place: LibraryPlace) -> list[str]:
    with StoreReader.open(place.folder) as store:
        return [store.text_in(id_) for id_ in store.catalogue().ids.tolist()]


def test_what_stands_in_a_picture_finds_it(place: LibraryPlace) -> None:
    index(place)
    assert (texts(place), Sign.read) == (["Grand Hotel", "", ""], 3)
    with StoreReader.open(place.folder) as store:
        ids = store.catalogue().ids
    with closing(TextSearch(place, "none")) as search:
        hits = search.hits("hotel", ["hotel"], [], ids)
        assert hits.whole.tolist() == [True, False, False]
        assert search.reasons([int(ids[0])], hits) == {int(ids[0]): ("text",)}
    index(place)
    assert Sign.read == 3, "each picture is read once"


def test_another_picture_under_the_same_name_is_read_again(place: LibraryPlace) -> None:
    index(place)
    Image.new("RGB", (65, 48), "black").save(Path(place.sources[0]) / "a.png")
    index(place)
    assert (texts(place), Sign.read) == (["", "", ""], 4)
    with closing(TextSearch(place, "none")) as search, StoreReader.open(place.folder) as store:
        assert not search.hits("hotel", ["hotel"], [], store.catalogue().ids).whole.any()


def test_it_can_be_switched_off(place: LibraryPlace) -> None:
    index(place, ocr=False)
    assert (texts(place), Sign.read) == (["", "", ""], 0)


def test_a_picture_at_which_the_engine_dies_is_tried_twice(place: LibraryPlace) -> None:
    index(place, ocr=False)
    with StoreWriter.open(place.folder) as store:
        for tries in range(TRIES_MAX):
            unread = store.unread_pictures()
            assert [each.id for each in unread] == [1, 2, 3], f"after {tries} tries"
            store.note_reading(unread[0])  # and dies
        assert [each.id for each in store.unread_pictures()] == [2, 3]
        store.note_reading(Unread(1, unread[0].path, b"another picture"))
        assert [each.id for each in store.unread_pictures()] == [1, 2, 3]


def test_where_nothing_can_be_read_it_is_said_once_and_all_else_is_done(
    place: LibraryPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*, threads: int) -> Sign:
        raise MissingError("the models are gone")

    monkeypatch.setattr(text_filler, "TextReader", broken)
    ours, theirs = Pipe()
    with closing(ours):
        Engine(job_of(place, place.folder.parents[1], fit=False), theirs).work()
        theirs.close()
        told = []
        while ours.poll(0.1):
            try:
                told.append(ours.recv())
            except EOFError:
                break
    assert str(told).count("the models are gone") == 1
    with StoreReader.open(place.folder) as store:
        assert store.images() == 3


def test_without_its_models_nothing_is_downloaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "rapidocr/models").mkdir(parents=True)
    (tmp_path / "rapidocr/__init__.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "rapidocr", raising=False)
    assert text_reader.is_installed()
    with pytest.raises(MissingError, match="is missing; install"):
        TextReader(threads=1)


def test_signs_are_read() -> None:
    pytest.importorskip("rapidocr", reason="the extra ocr is not installed")
    picture = Image.new("RGB", (640, 240), (200, 210, 220))
    ImageDraw.Draw(picture).text((40, 60), "Grand Hotel Lisboa", (10, 10, 10), ImageFont.load_default(48))
    reader = TextReader(threads=1)
    assert reader.text_of(picture) == "Grand Hotel Lisboa"
    assert reader.text_of(Image.fromarray(np.full((64, 64, 3), 90, np.uint8))) == ""
