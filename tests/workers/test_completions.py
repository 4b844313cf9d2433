"""What is typed is completed by fields and by values that the library has."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from atlas_rt.core.metadata import ORIGINAL, Metadata
from atlas_rt.library.metadata.file_metadata import FileMetadata
from atlas_rt.library.store_writer import StoreWriter
from atlas_rt.workers.completions import SHOWN, Completer
from atlas_rt.workers.scenes import Arrival
from atlas_rt.workers.text_search import TextSearch
from tests.libraries import Library


class Typist:
    """Types over one library. shown: what is offered."""

    def __init__(self, library: Library, arrival: Arrival) -> None:
        self.texts = TextSearch(library.place, library.model.id)
        self._completer, self._scene = Completer(self.texts, library.place.sources), arrival.scene

    def shown(self, text: str) -> list[str]:
        return [each.shown for each in self._completer.completions(text, self._scene)]

    def first(self, text: str) -> str:
        return self._completer.completions(text, self._scene)[0].query


@pytest.fixture(scope="module")
def typist(indexed: Library, arrival: Arrival, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Typist]:
    library = indexed.copy(tmp_path_factory.mktemp("typist"))
    known = [
        Metadata(camera=camera, keywords=("Grandma", "at sea"), taken_secs=secs, taken_from=ORIGINAL)
        for camera, secs in (("Canon EOS 5D", 0.0), ("Canon EOS 5D", 86_400.0 * 400), ("CONTAX T3", 86_400.0 * 800))
    ]
    with StoreWriter.open(library.place.folder) as store:
        store.put_metadata({id_: FileMetadata(each) for id_, each in enumerate(known, start=1)})
    typist = Typist(library, arrival)
    yield typist
    typist.texts.close()


def test_names_of_fields_are_completed_from_two_letters_on(typist: Typist) -> None:
    assert typist.shown("a beach -ca") == ["camera:"]
    assert typist.first("a beach -ca") == "a beach -camera:"
    assert typist.shown("c") == typist.shown("castle") == typist.shown("camera ") == typist.shown("") == []


def test_values_are_completed_the_most_common_first(typist: Typist) -> None:
    assert typist.shown("camera:c") == ['camera:"Canon EOS 5D"', 'camera:"CONTAX T3"']
    assert typist.first("dog camera:5d") == 'dog camera:"Canon EOS 5D" '
    assert typist.first('dog +camera:"cont') == 'dog +camera:"CONTAX T3" '
    assert typist.shown("keyword:sea") == ['keyword:"at sea"']
    assert typist.shown("date:19") == ["date:1972", "date:1971", "date:1970"]
    assert typist.shown("rating:>") == ["rating:>=4", "rating:>=3", "rating:>=2", "rating:>=1"]
    assert typist.shown("type:") == ["type:webp"]
    assert len(typist.shown("label:")) == len(typist.shown("cluster:")) == SHOWN


def test_what_is_typed_whole_or_unknown_is_not_completed(typist: Typist) -> None:
    for text in (
        "type:webp",
        "camera:qx",
        "name:a",
        "foo:ba",
        "folder:x",
        "12:3",
        "camera:canon dog",
        "keyword:grandma",
    ):
        assert typist.shown(text) == [], text


def test_folders_are_told_from_below_the_root(indexed: Library, arrival: Arrival) -> None:
    above = str(indexed.source.parent)
    texts = TextSearch(indexed.place, indexed.model.id)
    completions = Completer(texts, [above]).completions("folder:pic", arrival.scene)
    assert [each.shown for each in completions] == [f"folder:{Path(indexed.source).name}"]
    texts.close()


def test_keys_that_begin_with_slashes_have_folders_too(indexed: Library, arrival: Arrival) -> None:
    texts = TextSearch(indexed.place, indexed.model.id)
    keys = ("/abs/x.jpg", "a//b/y.jpg", "//z.jpg", *map(str, range(len(arrival.scene.paths) - 3)))
    scene = replace(arrival.scene, paths=tuple(f"s3://bucket/{key}" for key in keys))
    completer = Completer(texts, ["s3://bucket"])
    assert [each.shown for each in completer.completions("folder:a", scene)] == ["folder:/abs", "folder:a//b"]
    texts.close()
