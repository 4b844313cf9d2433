"""Queries in a person's language, with the real dictionary and text encoder on real pictures."""

from __future__ import annotations

import shutil
import time
import unicodedata
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from atlas_rt.core.answers import SearchAnswer
from atlas_rt.core.assets import assets_folder
from atlas_rt.core.runtime import Runtime
from atlas_rt.encoders.encoder import TextEncoder
from atlas_rt.encoders.registry import Model
from atlas_rt.search import dictionary
from atlas_rt.workers.scenes import Arrival
from atlas_rt.workers.search import SearchWorker
from atlas_rt.workers.searcher import Query, Searcher
from atlas_rt.workers.text_search import TextSearch
from tests.libraries import Library, wait_for


@dataclass(frozen=True)
class Asker:
    """Asks one library, as a person of some language."""

    searcher: Searcher
    arrival: Arrival

    def query(self, text: str, language: str = "en", *, as_typed: bool = False) -> Query:
        query = Query(text, self.arrival.scene.ids, self.arrival.vector_index, self.arrival.scene)
        return replace(query, language=language, as_typed=as_typed)

    def ask(self, text: str, language: str = "en", *, as_typed: bool = False) -> SearchAnswer:
        return self.searcher.answer(self.query(text, language, as_typed=as_typed))

    def of(self, model: Model) -> Asker:
        """The same library, asked as by another model of the same vectors."""
        searcher = Searcher(model, self.searcher._encoder)
        searcher._background = self.searcher._background  # the same vectors: to encode the words again takes seconds
        return Asker(searcher, self.arrival)


@pytest.fixture(scope="module")
def asker(model: Model, indexed: Library, arrival: Arrival) -> Iterator[Asker]:
    texts = TextSearch(indexed.place, model.id)
    yield Asker(Searcher(model, TextEncoder(model), texts, cache=indexed.cache), arrival)
    texts.close()


@pytest.fixture
def damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The dictionary's file, cut in the middle."""
    file = tmp_path / "dictionary.zip"
    shutil.copyfile(assets_folder("models") / dictionary.FILE, file)
    file.write_bytes(file.read_bytes()[:1_000_000])
    caches = (
        dictionary._member,
        dictionary.languages,
        dictionary.load_dictionary,
        dictionary._emoji,
        dictionary._hints,
    )
    for each in caches:
        each.cache_clear()
    monkeypatch.setattr(dictionary, "FILE", str(file))
    yield file
    for each in caches:
        each.cache_clear()


def same(one: SearchAnswer, other: SearchAnswer) -> bool:
    """To the bit."""
    return one.best == other.best and np.array_equal(one.lights, other.lights)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("de", "eine Gitarre"), ("fr", "guitare"), ("ja", "ギター"), ("ru", "гитара"), ("he", "גיטרה"),
        ("zh_Hant", "吉他"), ("en", "🎸"), ("ja", "🎸"), ("de", "Gitarre guitar"),
    ],
)  # fmt: skip
def test_a_word_finds_what_its_english_finds(asker: Asker, ids: dict[str, int], language: str, text: str) -> None:
    found = asker.ask(text, language)
    assert {match.id for match in found.best[:2]} == {ids["acoustic guitar"], ids["electric guitar"]}
    assert found.best[0].band == "strong"
    assert found.reading is not None
    assert found.reading.words[0][1] == "guitar"
    assert (found.language, found.not_understood) == (language, ())
    assert not any("English only" in notice for notice in found.notices)
    scores = [match.score for match in found.best]
    assert scores == sorted(scores, reverse=True)


def test_signs_weights_and_fields_work_in_every_language(asker: Asker) -> None:
    english = asker.ask("+guitar -drum:2 name:a")
    for text, language in (("+Gitarre -Trommel:2 name:a", "de"), ("＋ギター －太鼓:2 name:a", "ja")):
        found = asker.ask(text, language)
        assert found.reading is not None
        assert found.reading.english == "guitar -drum:2"
        assert [match.id for match in found.best[:8]] == [match.id for match in english.best[:8]]
    accents = unicodedata.normalize("NFD", "éléphant")
    assert same(asker.ask("elephant", "fr"), replace(asker.ask(accents, "fr")))


def test_what_is_not_wanted_is_not_let_through_as_typed(asker: Asker, ids: dict[str, int]) -> None:
    """`instrument` is English, `Gitarre` says nothing: "instrument minus nothing" is led by guitars."""
    guitars = {ids["acoustic guitar"], ids["electric guitar"]}
    for text, language in (("instrument -Gitarre", "de"), ("instrument -ギター", "ja"), ("instrument -guitare", "fr")):
        found = asker.ask(text, language)
        assert not guitars & {match.id for match in found.best[:20]}, text
    japanese, english = (asker.ask(*asked) for asked in (("instrument -ギター", "ja"), ("instrument -guitar",)))
    assert [match.id for match in japanese.best] == [match.id for match in english.best]


def test_english_is_answered_as_ever_whatever_the_language_is(asker: Asker) -> None:
    for text in ("a guitar", "red car -wheel", "tiger", "a dog in the snow"):
        plain = asker.ask(text)
        assert plain.reading is None
        for language in ("ja", "zh", "th", "ar", "xx", ""):  # a code without a dictionary, too
            assert same(asker.ask(text, language), plain), (text, language)


def test_a_word_of_two_languages_is_looked_for_as_both(asker: Asker, ids: dict[str, int]) -> None:
    """`chat` is English, too: what is nearer to either counts, and no image loses by the other reading."""
    both, typed, english = asker.ask("chat", "fr"), asker.ask("chat", "fr", as_typed=True), asker.ask("cat")
    by_meaning = np.isfinite(english.levels)  # what has the word in its name is found as text in English alone
    better = np.maximum(typed.levels, english.levels)
    assert np.allclose(both.levels[by_meaning], better[by_meaning], atol=1e-5)
    better = np.maximum(typed.lights, english.lights)
    assert np.allclose(both.lights[by_meaning], better[by_meaning], atol=1e-5)
    assert not np.isinf(both.levels).any()
    for text in ("gift", "die"):  # unknown to the dictionary, and a little word there
        assert same(asker.ask(text, "de"), asker.ask(text))


def test_a_reading_is_undone_for_this_query_alone(asker: Asker) -> None:
    undone = asker.ask("Gitarre", "de", as_typed=True)
    assert undone.reading is not None
    assert undone.reading.undone
    assert undone.as_typed
    assert same(undone, asker.ask("Gitarre"))
    assert not same(undone, asker.ask("Gitarre", "de"))


@pytest.mark.parametrize("language", ["en", "de", "ja"])
def test_what_nobody_understands_is_said_by_name(asker: Asker, language: str) -> None:
    found = asker.ask("qwrtz blorf", language)
    assert found.not_understood == ("qwrtz", "blorf")
    assert found.notices[0].startswith("The search did not understand “qwrtz” and “blorf”.")
    for text in ("guitar qwrtz", "reptiles", "IMG_0042.jpg", "0042"):
        assert asker.ask(text, language).not_understood == (), text


def test_one_piece_of_the_tokenizer_is_a_word_that_is_known(asker: Asker) -> None:
    encoder = asker.searcher._encoder
    assert encoder.has_word("guitar")
    assert not any(map(encoder.has_word, ("qwrtz", "ქათამი", "red car", "")))


def test_a_name_that_is_found_is_understood(asker: Asker) -> None:
    name = asker.ask("name:acoustic zzqq")
    assert name.not_understood == ("zzqq",)
    assert asker.ask("acoustic-guitar.webp").not_understood == ()


def test_thousands_of_characters_are_read_at_once(asker: Asker) -> None:
    asker.ask("犬", "ja")
    begun = time.process_time()
    found = asker.ask("犬と猫が走る" * 700, "ja")
    assert time.process_time() - begun < 3.0
    assert found.reading is not None
    assert found.error == ""


def test_only_models_that_read_english_alone_get_the_dictionary(asker: Asker, model: Model) -> None:
    for name in ("ViT-B-16-SigLIP2", "a-model-of-ones-own"):
        found = asker.of(replace(model, name=name)).ask("Gitarre", "de")
        assert (found.reading, found.not_understood) == (None, ())
    assert asker.of(replace(model, name="ViT-B-32-laion2b:int8")).ask("Gitarre", "de").reading is not None


def test_a_damaged_dictionary_is_said_and_searches_go_on(asker: Asker, damaged: Path) -> None:
    found = asker.ask("Gitarre", "de")
    assert (found.reading, found.error) == (None, "")
    assert len(found.best) == len(asker.ask("Gitarre").best)
    assert any("The dictionary cannot be read" in notice and str(damaged) in notice for notice in found.notices)
    assert not any("dictionary" in notice for notice in asker.ask("a guitar").notices)


@pytest.mark.parametrize(("member", "text"), [("de", "Gitarre"), ("emoji", "🎸"), ("languages", "Gitarre")])
def test_damage_in_the_midst_is_said_too(asker: Asker, damaged: Path, member: str, text: str) -> None:
    whole = assets_folder("models") / "dictionary.zip"
    with zipfile.ZipFile(whole) as archive:
        begin = archive.getinfo(member).header_offset + 30 + len(member)
    body = bytearray(whole.read_bytes())
    body[begin : begin + 200] = bytes(range(200))
    damaged.write_bytes(body)
    found = asker.ask(text, "de")
    assert (found.reading, found.error) == (None, "")
    assert any("The dictionary cannot be read" in notice for notice in found.notices)


def test_the_language_may_change_while_a_search_runs(asker: Asker, model: Model, indexed: Library) -> None:
    worker = SearchWorker(model, indexed.place, runtime=Runtime(cache=indexed.cache))
    try:
        for language in ("en", "fr", "de"):
            worker.ask(asker.query("Gitarre", language))
        found = wait_for(lambda: (answer := worker.take()) and answer.language == "de" and answer)
        assert found.reading is not None
        assert found.reading.language == "de"
    finally:
        worker.close()
