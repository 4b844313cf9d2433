"""`index`: what it tells of a folder, whatever is in it, and that it never writes to one."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from pathlib import Path

import pytest
from PIL import Image

from atlas_rt.library.cache_layout import place_of
from atlas_rt.library.decoding.salvage import END_MISSING
from tests.commands.person import PATIENCE_SECS, Person, without_privileges
from tests.libraries import PICTURES, Library, copy_pictures, listing, wait_for

FIELDS = {"images", "new", "unchanged", "changed", "removed", "away", "source_state", "skipped", "failed"}
FIELDS |= {"model", "generation", "seconds"}
STAGES = {"scan", "decode", "encode", "store", "fit", "total"}


def test_it_tells_what_came_stayed_changed_and_went(person: Person, folder: Path) -> None:
    (folder / "notes.txt").write_text("no picture")
    first = person.ask("index", folder, "--json").document
    assert FIELDS | {"images_per_second"} <= first.keys()
    assert first["seconds"].keys() == STAGES
    assert (first["images"], first["new"], first["unchanged"], first["skipped"], first["failed"]) == (6, 6, 0, 1, [])
    assert (first["model"], first["generation"] > 0, first["images_per_second"] > 0) == ("starter", True, True)
    old = sorted(folder.glob("*.webp"))
    old[0].unlink()
    shutil.copy(PICTURES[7], old[1])
    shutil.copy(PICTURES[8], folder)
    old[2].rename(folder / "moved.webp")
    told = person.ask("index", folder)
    assert told.lines[0].startswith("6 images: 1 new, 1 changed, 4 unchanged, 1 away; 0 failed, 1 other file")
    assert told.err == ""


def test_a_second_time_nothing_is_new(reader: Person, library: Library) -> None:
    before = listing(library.source)
    told = reader.ask("index", library.source, "--json").document
    assert (told["images"], told["new"], told["unchanged"]) == (138, 0, 138)
    assert listing(library.source) == before == library.before


@pytest.mark.parametrize("json_too", [True, False])
def test_a_folder_without_images_is_refused_and_says_what_is_there(
    person: Person, tmp_path: Path, json_too: bool
) -> None:
    options = ["--json"] if json_too else []
    (tmp_path / "empty").mkdir()
    told = person.ask("index", tmp_path / "empty", *options)
    assert told.code == 2
    assert told.err.strip().endswith(f"there are no images here; name a folder that holds some: {tmp_path / 'empty'}")
    (tmp_path / "empty/notes.txt").touch()
    (tmp_path / "empty/more.txt").touch()
    told = person.ask("index", tmp_path / "empty", *options)
    assert told.code == 2
    assert "there are no images here, only 2 other files; name a folder that holds some" in told.err
    assert (json.loads(told.out)["skipped"] == 2) if json_too else (told.out == "")


def test_one_good_picture_among_two_hundred_broken_ones(person: Person, tmp_path: Path) -> None:
    folder = copy_pictures(PICTURES[:1], tmp_path / "broken")
    for number in range(200):
        (folder / f"{number:03}.jpg").write_bytes(b"\xff\xd8\xff no picture " * number)
    told = person.ask("index", folder, "--json")
    report = told.document
    assert (report["images"], len(report["failed"])) == (1, 200)
    assert all(failure["reason"] for failure in report["failed"])
    assert {Path(failure["path"]).name for failure in report["failed"]} == {f"{number:03}.jpg" for number in range(200)}
    assert told.err.count("failed: ") == 200
    assert person.ask("search", folder, "tree", "--json").document["results"][0]["path"] == str(
        folder / PICTURES[0].name
    )
    (folder / PICTURES[0].name).unlink()
    said = person.ask("index", folder, "--quiet")
    assert said.code == 2
    assert "none of the 200 image files could be read (000.jpg: " in said.refusal


def test_one_image_is_enough_for_every_command(person: Person, tmp_path: Path) -> None:
    folder = copy_pictures(PICTURES[:1], tmp_path / "one")
    image = folder / PICTURES[0].name
    assert person.ask("search", image, "tree", "--json").document["results"][0]["path"] == str(image)
    assert person.ask("neighbors", folder, image, "--json").document == {"image": str(image), "results": []}
    words = ("--json", "--no-update")
    (located,) = person.ask("locate", folder, PICTURES[1], *words).document
    assert located["neighbors"][0]["path"] == str(image)
    assert person.ask("clusters", folder, *words).document == []
    assert person.ask("export", folder, "-o", "one.csv", *words).document["images"] == 1


def test_what_is_excluded_is_left_out_and_comes_back(person: Person, folder: Path) -> None:
    (folder / "drafts").mkdir()
    shutil.copy(PICTURES[9], folder / "drafts")
    assert person.ask("index", folder, "--exclude", "drafts", "--json").document["images"] == 6
    told = person.ask("index", folder, "--exclude", "drafts", "--exclude", f"{PICTURES[0].stem}.*", "--json").document
    assert (told["images"], told["removed"], told["away"], told["skipped"]) == (5, 0, 1, 1)
    assert person.ask("index", folder, "--json").document["images"] == 7


def test_what_is_incomplete_is_told_at_each_run_and_what_is_hidden_when_asked_for(person: Person, folder: Path) -> None:
    photograph = Image.effect_noise((300, 300), 80)
    photograph.save(folder / "cut.jpg")
    data = (folder / "cut.jpg").read_bytes()
    (folder / "cut.jpg").write_bytes(data[: len(data) // 2])
    (folder / "all but the end.jpg").write_bytes(data[:-2])
    photograph.rotate(90).save(folder / ".hidden.png")
    (folder / "#recycle").mkdir()
    photograph.rotate(180).save(folder / "#recycle" / "thrown away.png")
    first = person.ask("index", folder, "--json")
    endless, image = first.document["incomplete"]
    assert (endless["path"], endless["reason"]) == (str(folder / "all but the end.jpg"), END_MISSING)
    assert image["path"] == str(folder / "cut.jpg")
    assert image["reason"].startswith("the file is cut short: 4")
    assert (first.document["images"], first.document["skipped"], first.document["failed"]) == (8, 2, [])
    assert f"incomplete: {image['path']}: {image['reason']}" in first.err
    again = person.ask("index", folder, "--hidden", "--json").document
    assert again["incomplete"] == [endless, image]
    assert (again["images"], again["new"], again["skipped"]) == (9, 1, 1)
    (folder / "cut.jpg").write_bytes(data)
    assert (
        person.ask("index", folder)
        .lines[0]
        .startswith("8 images: 0 new, 1 changed, 7 unchanged, 1 away, 1 incomplete; 0 failed")
    )


def test_formats_that_need_a_package_are_named_with_it(
    person: Person, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("atlas_rt.library.formats.find_spec", lambda _name: None)
    (folder / "a.heic").touch()
    (folder / "b.HEIC").touch()
    (folder / "c.nef").touch()
    told = person.ask("index", folder, "--json")
    assert told.document["images"] == 6
    assert "2 HEIC files were skipped; `pip install atlas_rt[formats]` reads them" in told.err
    assert "1 RAW file was skipped" in told.err
    refused = person.ask("index", folder / "a.heic")
    assert refused.code == 3
    assert "HEIC files need one more package, `pip install atlas_rt[formats]`" in refused.refusal


# -- paths -------------------------------------------------------------------------------------------------------------

WEIRD = "a folder with ü, #, %41, ? and 'quotes' 🌋"


def test_paths_are_printed_absolute_whatever_they_are_called_and_wherever_one_stands(
    person: Person, tmp_path: Path, here: Path
) -> None:
    folder = copy_pictures(PICTURES[:3], here / WEIRD)
    Image.open(PICTURES[3]).save(folder / "-5 #%20.png")
    person.cache = person.cache.rename(tmp_path / f"cache, {WEIRD}")
    assert person.ask("index", WEIRD, "--json").document["images"] == 4
    results = person.ask("search", f"./{WEIRD}/../{WEIRD}/", "a tree", "--json").document["results"]
    assert {result["path"] for result in results} == {str(path) for path in folder.iterdir()}
    told = person.ask("neighbors", WEIRD, f"{WEIRD}/-5 #%20.png", "--json").document
    assert told["image"] == str(folder / "-5 #%20.png")
    listed = person.ask("library", "list", "--json").document
    assert [each["sources"] for each in listed] == [[str(folder)]]


def test_a_name_that_begins_with_a_minus_sign_is_named_behind_two(person: Person, here: Path) -> None:
    copy_pictures(PICTURES[:2], here / "-pictures")
    assert person.ask("index", "--json", "--", "-pictures").document["images"] == 2
    assert person.ask("index", "./-pictures", "--json").document["unchanged"] == 2


def test_a_name_that_is_no_text_goes_in_and_out(person: Person, tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    image = copy_pictures(PICTURES[:1], folder) / PICTURES[0].name
    image = image.rename(folder / os.fsdecode(b"\xfcber.webp"))
    copy_pictures(PICTURES[1:2], folder)
    results = person.ask("search", folder, "a tree", "--json").document["results"]
    assert str(image) in {result["path"] for result in results}
    told = person.run("search", folder, "a tree", "--no-update")
    assert os.fsencode(str(image)) in os.fsencode(told.out)
    words = ("--json", "--no-update")
    assert person.ask("neighbors", folder, image, *words).document["image"] == str(image)
    assert person.ask("export", folder, "-o", "names.csv", *words).document["images"] == 2
    assert os.fsencode(str(image)) in (person.here / "names.csv").read_bytes()


@pytest.mark.parametrize("command", ["index", "view", None])
def test_what_is_no_source_is_refused_in_a_sentence(person: Person, here: Path, command: str | None) -> None:
    (here / "text.txt").write_text("no picture")
    (here / "loop").symlink_to("loop")
    (here / "pictures").mkdir()
    long = "x" * 300
    words = [command] if command else []
    for word, said in (
        ("./pictuers", f"There is no such file or folder (did you mean {here}/pictures?): {here}/pictuers"),
        ("text.txt", "This is no image (known are avif bmp gif"),
        ("loop", f"It cannot be opened (the link leads back to itself): {here}/loop"),
        (f"./{long}", f"It cannot be opened (its path is too long): {here}/{long}"),
        (f"/tmp/{long}/pictures", "It cannot be opened (its path is too long)"),
        ("~nobody-of-that-name/pictures", f"There is no such file or folder: {here}/~nobody-of-that-name/pictures"),
    ):
        told = person.ask(*words, word)
        assert told.code == 2
        assert told.refusal.startswith(said)


def test_a_folder_that_may_not_be_read_is_said(person: Person, tmp_path: Path) -> None:
    folder = copy_pictures(PICTURES[:2], tmp_path / "locked")
    copy_pictures(PICTURES[2:3], folder / "inner")
    before = without_privileges()
    folder.chmod(0)
    try:
        for words in (("index", folder), (folder,), (folder / "inner",), ("search", folder / "inner", "tree")):
            told = person.run(*words, before=before)
            assert told.code == 2
            assert told.refusal.startswith("It cannot be opened (no permission to read it): ")
        folder.chmod(0o755)
        (folder / "inner").chmod(0)
        told = person.run("index", folder, "--json", before=before)
        assert told.document["images"] == 2
        assert told.document["failed"] == [{"path": str(folder / "inner"), "reason": "no permission to read it"}]
    finally:
        folder.chmod(0o755)
        (folder / "inner").chmod(0o755)


def test_a_file_that_vanishes_before_it_is_decoded_is_listed(person: Person, folder: Path) -> None:
    """The first of them takes a second to decode, and one thread does it all."""
    Image.new("RGB", (7000, 7000), "teal").save(folder / "000.png", compress_level=1)
    last = folder / "zzz.webp"
    shutil.copy(PICTURES[7], last)
    database = place_of((str(folder),), person.cache).folder / "library.db"
    process = person.start("index", folder, "--json", ATLAS_RT_THREADS="1")
    wait_for(lambda: planned(database) == 8, why="the scan")
    last.unlink()
    out, err = process.communicate(timeout=PATIENCE_SECS)
    assert process.returncode == 0, err
    report = json.loads(out)
    assert (report["images"], report["failed"]) == (7, [{"path": str(last), "reason": "it is no longer there"}])
    assert f"failed: {last}: it is no longer there" in err


def planned(database: Path) -> int:
    """Files that the scan has given ids."""
    try:
        with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
            return int(connection.execute("SELECT count(*) FROM images").fetchone()[0])
    except sqlite3.Error:
        return 0
    finally:
        if "connection" in locals():
            connection.close()
