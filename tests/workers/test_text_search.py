"""Text and fields before meaning, over real pictures with the real encoder."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from atlas_rt.core.answers import SearchAnswer
from atlas_rt.core.metadata import ORIGINAL, Metadata
from atlas_rt.encoders.encoder import TextEncoder
from atlas_rt.encoders.registry import Model
from atlas_rt.library.metadata.file_metadata import FileMetadata
from atlas_rt.library.store_writer import StoreWriter
from atlas_rt.workers.scenes import Arrival
from atlas_rt.workers.searcher import RESULTS, TEXT_LIGHT, Query, Searcher
from atlas_rt.workers.text_search import TextSearch
from tests.libraries import Library

DAY_SECS = 86_400.0
KNOWN = {
    "adobe house": Metadata(
        keywords=("grandma", "Été"), taken="1970-01-03T00:00:00", taken_secs=2 * DAY_SECS, rating=5
    ),
    "acorn": Metadata(camera="CONTAX T3", lens="Sonnar", taken="1970-01-02T00:00:00", taken_secs=DAY_SECS, rating=3),
    "tiger face": Metadata(caption="Grandmother laughs", taken="1970-02-02T00:00:00", taken_secs=32 * DAY_SECS),
}


class Box:
    """The search of one library. names: title of a picture -> its id."""

    def __init__(self, library: Library, arrival: Arrival, names: dict[str, int]) -> None:
        self.names, self.arrival = names, arrival
        self.texts = TextSearch(library.place, library.model.id)
        encoder = TextEncoder(library.model)
        self.searcher = Searcher(library.model, encoder, self.texts, cache=library.cache)
        self.by_meaning = Searcher(library.model, encoder, cache=library.cache)

    def query(self, text: str) -> Query:
        return Query(text, self.arrival.scene.ids, self.arrival.vector_index, self.arrival.scene)

    def ask(self, text: str) -> SearchAnswer:
        return self.searcher.answer(self.query(text))

    def exact(self, text: str) -> dict[str, tuple[str, ...]]:
        """Title -> why, of the exact results in their order; they come first."""
        best = self.ask(text).best
        exact = [match for match in best if match.band == "exact"]
        assert list(best[: len(exact)]) == exact
        titles = {id_: title for title, id_ in self.names.items()}
        return {titles[match.id]: match.why for match in exact}


def renamed(library: Library, names: dict[str, int], name_of: dict[str, str]) -> None:
    """Give files other names and what is known of them, as a writer would who finds them moved."""
    with StoreWriter.open(library.place.folder) as store:
        rows = [(os.fsencode(library.source / name), names[title]) for title, name in name_of.items()]
        store.database.write("UPDATE images SET path = ? WHERE id = ?", rows)
        taken_from = {names[title]: FileMetadata(replace(known, taken_from=ORIGINAL)) for title, known in KNOWN.items()}
        store.put_metadata(taken_from)
        while store.renew_texts():
            pass


@pytest.fixture(scope="module")
def box(
    indexed: Library, arrival: Arrival, ids: dict[str, int], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Box]:
    """Most files are in a folder "Archive", under the hash of their name; some have names."""
    library = indexed.copy(tmp_path_factory.mktemp("box"))
    names = {title: f"Archive/{hashlib.sha256(title.encode()).hexdigest()[:32]}.webp" for title in ids}
    names |= {
        "adobe house": "holiday/beach/IMG_0042.webp",
        "acorn": "holiday/IMG_0043.webp",
        "tiger face": "KingOfBeasts.webp",
    }
    names |= {"pear": "Archive/2023/garden.webp", "family house": "holiday/beach.webp"}
    renamed(library, ids, names)
    box = Box(library, arrival, ids)
    yield box
    box.texts.close()


@pytest.mark.parametrize(
    ("text", "titles", "why"),
    [
        ("IMG_0042", ["adobe house"], "name"),
        ("img_0042.JPG", ["adobe house"], "name"),
        ("0042", ["adobe house"], "name"),
        ("004", ["adobe house", "acorn"], "name"),
        ("holiday/beach", ["adobe house", "family house"], "folder"),
        ("beach/img_0042", ["adobe house"], "folder"),
        ("king of beasts", ["tiger face"], "name"),
        ("contax", ["acorn"], "camera"),
        ("ete", ["adobe house"], "keyword"),
        ("laughs", ["tiger face"], "text"),
        ("grandma -contax", ["adobe house"], "keyword"),
        ('"king of"', ["tiger face"], "name"),
    ],
)
def test_words_find_theirs_first_and_say_where(box: Box, text: str, titles: list[str], why: str) -> None:
    found = box.exact(text)
    assert sorted(found) == sorted(titles)
    assert why in found[titles[0]]
    assert len(box.ask(text).best) == RESULTS  # the others follow by meaning


def test_whole_words_come_before_those_that_are_begun(box: Box) -> None:
    assert list(box.exact("grand")) in (["adobe house", "tiger face"], ["tiger face", "adobe house"])
    assert list(box.exact("grandmother")) == ["tiger face"]
    assert list(box.exact("grandma")) == ["adobe house"]
    both = box.exact("beach")
    assert set(both) == {"adobe house", "family house"}


def test_all_words_must_match_and_none_that_is_unwanted(box: Box) -> None:
    assert box.exact("grandma contax") == {}
    assert list(box.exact("holiday grandma")) == ["adobe house"]
    assert box.exact("grandma -holiday") == {}


def test_what_was_found_as_text_shines_fully(box: Box) -> None:
    answer = box.ask("contax")
    row = answer.ids.tolist().index(box.names["acorn"])
    assert answer.lights[row] == answer.lights.max() >= TEXT_LIGHT


def test_a_folder_of_most_images_is_offered_as_a_filter(box: Box) -> None:
    assert all(why != ("folder",) for why in box.exact("archive garden").values())  # the name counts
    answer = box.ask("archive")
    assert "exact" not in {match.band for match in answer.best}
    (offer,) = answer.offers
    assert (offer.filter, offer.query, offer.images) == ("folder:archive", "folder:archive", 134)
    assert answer.notices[0] == ("“archive” is in the folder names of 134 of 138 images; as a filter: folder:archive")


def test_fields_alone_list_what_fulfils_them_the_newest_first(box: Box) -> None:
    assert list(box.exact("date:1970-01 rating:>=3")) == ["adobe house", "acorn"]
    assert list(box.exact("date:1970..1970")) == ["tiger face", "adobe house", "acorn"]
    assert box.exact("camera:contax") == {"acorn": ("camera",)}
    assert box.exact("lens:sonnar") == {"acorn": ("camera",)}
    assert list(box.exact("folder:holiday -name:img_0043")) == list(
        box.exact("folder:holiday -keyword:x -camera:contax")
    )
    assert len(box.exact("type:webp size:<100mp")) == RESULTS
    answer = box.ask("camera:contax")
    assert (answer.lights > 0.0).sum() == 1
    assert answer.encode_ms == 0.0


def test_fields_narrow_what_words_are_looked_for_in(box: Box) -> None:
    answer = box.ask("a house folder:holiday")
    assert {match.id for match in answer.best[:2]} == {box.names["adobe house"], box.names["family house"]}
    assert [("folder" in match.why) for match in answer.best] == [True] * 3
    cluster = box.arrival.scene.cluster_records[0]
    members = box.ask(f'cluster:"{cluster.name}"')
    assert {match.why for match in members.best} == {("cluster",)}
    assert (members.lights > 0.0).sum() >= cluster.size


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("date:2023-13", "is no date"),
        ("type:png", "No image here fulfils type:png."),
        ("camera:", "camera: needs a value"),
        ("+ - -", "There is nothing to look for"),
        ("cluster:qwxz", "No cluster here is called “qwxz”."),
        ("ქათამი", "the model starter reads English best"),
        ("house " * 300, "reads 128 pieces of words"),
        ('"a house', "A quotation mark is not closed"),
        ("colour:red house", "There is no field colour:"),
    ],
)
def test_what_cannot_be_answered_as_it_was_meant_is_said(box: Box, text: str, said: str) -> None:
    answer = box.ask(text)
    assert said in " ".join(answer.notices)
    assert answer.error == ""


@pytest.mark.parametrize(
    "text", ["x" * 10_000, '"' * 999, "AND OR NOT NEAR(a, b) * ^ :", 'name:( folder:* camera:"', "a\0b\udce9"]
)
def test_any_text_is_answered(box: Box, text: str) -> None:
    answer = box.ask(text)
    assert answer.error == ""
    assert np.isfinite(answer.lights).all()


def test_words_of_labels_count_as_meaning(box: Box, indexed: Library) -> None:
    plain = box.by_meaning.answer(box.query("a guitar"))
    with_labels = box.ask("a guitar")
    assert [match.id for match in with_labels.best] == [match.id for match in plain.best]
    guitars = [match for match in box.ask("guitar").best if "label" in match.why]
    assert guitars
    assert all(match.band != "exact" for match in guitars)


def test_names_that_are_hashes_change_nothing_of_what_meaning_finds(
    indexed: Library, arrival: Arrival, ids: dict[str, int], tmp_path: Path
) -> None:
    """Also for words of the letters a to f, which hashes hold."""
    library = indexed.copy(tmp_path / "hashes")
    names = {title: f"{hashlib.md5(title.encode()).hexdigest()}.webp" for title in ids}
    renamed(library, ids, names)
    box = Box(library, arrival, ids)
    phrases = [*list(ids)[::5], "bee", "ace", "dad", "cafe", "face", "bed", "a red car", "something to eat", "c"]
    for phrase in phrases:
        if phrase in ("adobe house", "acorn", "tiger face"):
            continue
        assert box.exact(phrase) == {}, phrase
        plain = box.by_meaning.answer(box.query(phrase))
        assert [match.id for match in box.ask(phrase).best] == [match.id for match in plain.best], phrase
    box.texts.close()


def test_a_library_that_cannot_be_read_is_searched_by_meaning(
    library: Library, arrival: Arrival, ids: dict[str, int], model: Model
) -> None:
    box = Box(library, arrival, ids)
    (library.place.folder / "library.db").unlink()
    answer = box.ask("a guitar")
    assert answer.best[0].id in {ids["acoustic guitar"], ids["electric guitar"]}
    assert answer.notices[0].startswith("Names and fields cannot be searched: There is no library yet")
