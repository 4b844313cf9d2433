"""`search`: phrases, signs and weights, an image, both, and the lines of a file; results alone on standard output."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from tests.commands.person import Person
from tests.libraries import PICTURES, Library

GUITAR = "acoustic-guitar.webp"


def names(document: dict[str, list[dict[str, str]]]) -> list[str]:
    return [Path(result["path"]).name for result in document["results"]]


def test_the_best_images_for_a_phrase(reader: Person, library: Library) -> None:
    told = reader.ask("search", library.source, "a guitar", "--json", "--no-update").document
    assert told.keys() >= {"query", "model", "results", "ms"}
    assert (told["query"], told["model"], told["ms"].keys()) == ("a guitar", "starter", {"encode", "search"})
    assert (len(told["results"]), names(told)[0]) == (20, GUITAR)
    assert {result["match"] for result in told["results"]} <= {"strong", "weak", "none"}
    scores = [result["score"] for result in told["results"]]
    assert scores == sorted(scores, reverse=True)
    assert told["results"][0]["path"] == str(library.source / GUITAR)


def test_results_alone_go_to_standard_output(reader: Person, library: Library) -> None:
    told = reader.run("search", library.source, "a guitar", "--top", "3")
    assert (told.code, told.err) == (0, "")
    assert all(re.fullmatch(r"-?\d\.\d{3}  (strong|weak|none) +/.*", line) for line in told.lines)
    assert len(told.lines) == 3
    nothing = reader.run("search", library.source, "qwertz uiop", "--top", "1", "--no-update")
    assert len(nothing.lines) == 1
    said, nearest = nothing.err.splitlines()
    assert said.startswith("The search did not understand “qwertz” and “uiop”.")
    assert nearest == "the nearest images are:"
    nothing = reader.run("search", library.source, "quarterly synergy", "--top", "1", "--no-update")
    assert nothing.err == "nothing here matches 'quarterly synergy'; the nearest images are:\n"


def test_words_are_read_in_the_persons_language_and_as_typed(reader: Person, library: Library) -> None:
    words = ("search", library.source, "eine Gitarre", "--top", "3", "--no-update")
    told = reader.ask(*words, "--language", "de", "--json").document
    assert told["reading"] == {"language": "de", "english": "guitar", "words": [["Gitarre", "guitar"]], "unread": []}
    assert (names(told)[0], told["results"][0]["match"]) == (GUITAR, "strong")
    assert "read as “guitar” too; --as-typed" in reader.run(*words, "--language", "de_AT.UTF-8").err
    as_typed = reader.ask(*words, "--language", "de", "--as-typed", "--json").document
    assert as_typed["reading"] is None
    assert as_typed["results"] == reader.ask(*words, "--language", "en", "--json").document["results"]


@pytest.mark.parametrize("locale", ["C", "xx_YY.UTF-8", "de_AT.UTF-8"])
def test_a_locale_that_is_no_language_is_english(
    reader: Person, library: Library, monkeypatch: pytest.MonkeyPatch, locale: str
) -> None:
    monkeypatch.setenv("LC_ALL", locale)
    told = reader.ask("search", library.source, "Gitarre", "--top", "1", "--no-update", "--json").document
    assert (told["reading"] or {}).get("language") == ("de" if locale.startswith("de") else None)


def test_a_language_that_is_none_is_refused_with_those_that_are(reader: Person, library: Library) -> None:
    told = reader.run("search", library.source, "a guitar", "--language", "klingon")
    assert told.code == 2
    assert "--language must be one of af, am, ar" in told.err


def test_a_phrase_that_begins_with_a_minus_sign_is_what_is_not_wanted(reader: Person, library: Library) -> None:
    words = ("--json", "--no-update", "--top", "138")
    liked = names(reader.ask("search", library.source, "guitar", *words).document)
    disliked = reader.ask("search", library.source, "-guitar", *words).document
    assert disliked["query"] == "-guitar"
    assert names(disliked)[-1] == liked[0] == GUITAR
    assert names(disliked) == names(reader.ask("search", library.source, *words, "--", "-guitar").document)


def test_terms_may_be_words_of_their_own(reader: Person, library: Library) -> None:
    words = ("--json", "--no-update", "--top", "3")
    one = reader.ask("search", library.source, "music -guitar:0.5 +drum", *words).document
    several = reader.ask("search", library.source, "music", "-guitar:0.5", "+drum", *words).document
    assert (
        one["results"]
        == several["results"]
        != reader.ask("search", library.source, "music", *words).document["results"]
    )
    assert GUITAR not in names(one)
    weighted = reader.ask("search", library.source, "drum:2", "guitar:0.1", *words).document
    assert weighted["query"] == "drum:2 guitar:0.1"
    quoted = reader.ask("search", library.source, "+music", "-acoustic guitar", *words).document
    assert quoted["query"] == '+music -"acoustic guitar"'


def test_an_image_and_both(reader: Person, library: Library, newcomers: list[Path]) -> None:
    words = ("--json", "--no-update", "--top", "3")
    image = library.source / GUITAR
    same = reader.ask("search", library.source, "--image", image, *words).document
    assert (names(same)[0], same["results"][0]["score"], same["query"]) == (
        GUITAR,
        pytest.approx(1.0, abs=0.01),
        str(image),
    )
    both = reader.ask("search", library.source, "a tiger", "--image", image, *words[:-1], "12").document
    assert {GUITAR, "tiger-walking.webp"} <= set(names(both))
    assert both["query"] == "a tiger"
    outside = reader.ask("search", library.source, "--image", newcomers[0], *words).document
    assert len(outside["results"]) == 3


def test_names_and_fields_are_found_first_and_say_why(reader: Person, library: Library) -> None:
    words = ("--json", "--no-update", "--top", "3")
    found = reader.ask("search", library.source, "tiger-walking", *words).document
    assert (names(found)[0], found["results"][0]["match"], found["results"][0]["why"][0]) == (
        "tiger-walking.webp",
        "exact",
        "name",
    )
    assert [result["match"] for result in found["results"][1:]] != ["exact", "exact"]
    assert found["notices"] == []
    fields = reader.ask("search", library.source, "name:tiger", "type:webp", "-name:face", *words).document
    assert (names(fields), fields["query"]) == (["tiger-walking.webp"], "name:tiger type:webp -name:face")
    assert fields["results"][0]["why"] == ["name", "type"]
    wrong = reader.ask("search", library.source, "date:2023-13 tiger", *words).document
    assert wrong["notices"][0].startswith("“2023-13” is no date")
    told = reader.ask("search", library.source, "tiger-walking", "--no-update", "--top", "1")
    assert told.lines[0].endswith("tiger-walking.webp  (name, label)") or told.lines[0].endswith("webp  (name)")


def test_each_line_of_a_file_is_answered_by_a_line(reader: Person, library: Library, here: Path) -> None:
    (here / "queries.txt").write_bytes("\ufeffa guitar\r\n\r\n   \n-guitar +drum\na tiger".encode())
    told = reader.ask("search", library.source, "--queries", "queries.txt", "--json", "--no-update", "--top", "2")
    documents = [json.loads(line) for line in told.lines]
    assert [each["query"] for each in documents] == ["a guitar", "-guitar +drum", "a tiger"]
    assert [len(each["results"]) for each in documents] == [2, 2, 2]
    alone = reader.ask("search", library.source, "a guitar", "--json", "--no-update", "--top", "2").document
    assert documents[0]["results"] == alone["results"]
    plain = reader.ask("search", library.source, "--queries", "queries.txt", "--no-update", "--top", "1").lines
    assert plain[::2] == ["a guitar:", "-guitar +drum:", "a tiger:"]


def test_queries_may_come_from_standard_input(reader: Person, library: Library) -> None:
    words = ("search", library.source, "--queries", "-", "--top", "1", "--json", "--no-update")
    assert reader.run(*words, stdin=b"a guitar\n\n").document["query"] == "a guitar"
    assert "must be UTF-8 text" in reader.run(*words, stdin=b"\xff\xfe").refusal
    assert "the file of queries is empty: -" in reader.run(*words, stdin=b"").refusal


def test_a_reader_that_leaves_after_a_line_is_no_error(reader: Person, library: Library, here: Path) -> None:
    (here / "queries.txt").write_text("a guitar\n" * 2000)
    process = reader.start("search", library.source, "--queries", "queries.txt", "--json", "--no-update")
    assert process.stdout is not None
    assert process.stderr is not None
    assert json.loads(process.stdout.readline())["query"] == "a guitar"
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait(20) == 0


def test_wrong_words_are_answered_with_what_is_right(reader: Person, library: Library, here: Path) -> None:
    (here / "latin.txt").write_bytes(b"caf\xe9\n")
    (here / "empty.txt").touch()
    (here / "broken.png").write_bytes(b"no picture")
    source = str(library.source)
    for words, said in (
        ([source, "red", "car"], "(put a phrase of several words in quotes)"),
        ([source, ""], "say what to look for"),
        (["./nowhere", "a car"], f"There is no such file or folder: {here}/nowhere"),
        (["./nowhere", "--image", "broken.png"], f"There is no such file or folder: {here}/nowhere"),
        ([source, "--image", "nothing.png"], f"there is no such image: {here}/nothing.png"),
        ([source, "--image", "."], f"there is no such image: {here}"),
        (
            [source, "--image", "broken.png"],
            "this image cannot be used for a search (it is not a picture in a known format)",
        ),
        (
            [source, "--queries", "nothing.txt"],
            "the file of queries cannot be read (it is no longer there): nothing.txt",
        ),
        ([source, "--queries", "."], "the file of queries cannot be read (is a directory): ."),
        ([source, "--queries", "empty.txt"], "the file of queries is empty: empty.txt"),
        ([source, "--queries", "latin.txt"], "the file of queries must be UTF-8 text"),
        (
            [source, "a car", "--queries", "latin.txt"],
            "--queries reads the phrases from a file; leave out either --queries or the phrase 'a car'",
        ),
    ):
        told = reader.ask("search", *words, "--no-update")
        assert told.code == 2, words
        assert said in told.refusal


def test_a_library_that_is_not_there_yet_is_not_made_without_an_update(person: Person, folder: Path) -> None:
    told = person.ask("search", folder, "tree", "--no-update")
    assert told.code == 2
    assert told.refusal == f"nothing is indexed yet; run `atlas-rt index` first: {folder}"
    assert not (person.cache / "libraries").exists()
    assert len(person.ask("search", folder, "tree", "--json").document["results"]) == 6
    shutil.copy(PICTURES[7], folder)
    assert len(person.ask("search", folder, "tree", "--json", "--no-update").document["results"]) == 6
    assert len(person.ask("search", folder, "tree", "--json").document["results"]) == 7
