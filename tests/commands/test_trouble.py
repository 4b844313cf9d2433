"""Caches that cannot be used, full disks and damaged libraries: a sentence, the right exit code, nothing lost."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from atlas_rt.core.assets import assets_folder
from atlas_rt.library.store_writer import StoreWriter
from tests.commands.person import Person, images_of, without_privileges
from tests.libraries import PICTURES, Library, copy_pictures, listing, wait_for


@pytest.fixture
def copy(library: Library, person: Person, tmp_path: Path) -> Library:
    """The common library in the person's cache, to be damaged."""
    made = library.copy(tmp_path / "damaged")
    person.cache = made.cache
    return made


# -- the cache ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", ["index", "search", "doctor", "library list", "library forget", "models list", ""])
def test_a_cache_that_is_a_file_is_refused(person: Person, folder: Path, here: Path, words: str) -> None:
    (here / "cache").write_text("mine")
    source = [] if "list" in words else [folder]
    text = ["tree"] if words == "search" else []
    for cache in ("cache", "cache/deeper"):
        told = person.run(*words.split(), *source, *text, "--cache", cache)
        sentence = f"The cache must be a folder, and this is not one; choose another with --cache DIR: {here}/cache"
        if words == "doctor":
            assert f"broken   cache: {sentence}" in told.lines
        else:
            assert (told.code, told.refusal) == (2, sentence)
    assert (here / "cache").read_text() == "mine"


def test_the_users_cache_in_the_source_is_refused(
    person: Person, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    told = person.ask("index", folder, "--cache", folder / "atlas_rt")
    assert (told.code, len(list(folder.iterdir()))) == (2, 6)
    assert told.refusal.startswith(f"The cache folder lies inside the source {folder}; choose another with --cache DIR")


def test_a_cache_that_is_named_in_the_source_is_passed_over_and_said(
    person: Person, folder: Path, library: Library
) -> None:
    cache = folder / "deeper/cache"
    shutil.copytree(library.cache / "vocabulary", cache / "vocabulary")
    shutil.copy(PICTURES[-1], cache)
    for _ in range(2):
        told = person.ask("index", folder, "--json", "--cache", cache)
        assert (told.document["images"], told.document["skipped"]) == (6, 0)
        assert told.err == f"the cache lies inside the source and is passed over: {cache}\n"


def test_the_home_folder_can_be_looked_at(person: Person, folder: Path, library: Library) -> None:
    """The user's cache folder lies in it, hidden."""
    home = folder.parent / "home"
    shutil.copytree(library.cache / "vocabulary", home / ".cache/atlas_rt/vocabulary")
    folder.rename(home / "Pictures")
    places = {"HOME": str(home), "XDG_CACHE_HOME": str(home / ".cache"), "XDG_DATA_HOME": str(home / ".local/share")}
    told = person.run("index", "~", "--json", "--cache", home / ".cache/atlas_rt", **places)
    assert told.document["images"] == 6
    assert "inside" not in told.err


def test_a_cache_that_may_not_be_written_is_said(person: Person, copy: Library, folder: Path, here: Path) -> None:
    before = without_privileges()
    (here / "locked").mkdir(0o555)
    for cache in ("locked", "locked/deeper"):
        told = person.run("index", folder, "--cache", cache, before=before)
        assert told.code == 3
        assert told.refusal == (
            f"The cache folder cannot be written to. Allow it, or choose another with --cache DIR: {here}/{cache}"
        )
    for path in (copy.cache, *copy.cache.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        words = ("search", copy.source, "a guitar", "--top", "1")
        assert person.run(*words, before=before).code == 3
        best = person.run(*words, "--no-update", before=before).lines[0]
        assert "/acoustic-guitar.webp  (" in best
        doctor = person.run("doctor", copy.source, before=before)
        assert f"broken   cache: this folder cannot be written to: {copy.cache}" in doctor.lines
        assert "ok       library: 138 images" in doctor.out
    finally:
        for path in (copy.cache, *copy.cache.rglob("*")):
            path.chmod(0o755)


def test_a_cache_that_may_not_be_read_is_said(person: Person, folder: Path, here: Path) -> None:
    (here / "locked").mkdir(0)
    before = without_privileges()
    for words in (("library", "list"), ("search", folder, "tree"), ("index", folder)):
        told = person.run(*words, "--cache", "locked", before=before)
        assert told.code == 3
        assert told.refusal.startswith("The cache folder cannot be used (no permission to read it); choose another")
    (here / "locked").chmod(0o755)


def test_a_place_that_may_not_be_written_is_refused_before_anything_else(
    person: Person, folder: Path, here: Path
) -> None:
    (here / "locked").mkdir(0o555)
    for words in (("export", folder, "-o", "locked/all.csv"), ("shot", folder, "-o", "locked/shot.png")):
        told = person.run(*words, before=without_privileges())
        assert (told.code, told.refusal) == (
            3,
            f"this folder cannot be written to; choose another with -o: {here}/locked",
        )
    assert not (person.cache / "libraries").exists()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of one megabyte."""
    if os.geteuid() != 0 or not shutil.which("mount"):
        pytest.skip("a small disk can only be mounted by root")
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)]
    if subprocess.run(command, capture_output=True).returncode != 0:
        pytest.skip("no disk can be mounted here")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


@pytest.mark.slow
def test_a_full_disk_keeps_what_was_found_and_goes_on_when_there_is_room(
    person: Person, disk: Path, tmp_path: Path
) -> None:
    folder = copy_pictures(PICTURES[:60], tmp_path / "many")
    before = listing(folder)
    (disk / "ballast").write_bytes(bytes(300_000))
    told = person.ask("index", folder, "--cache", disk / "cache")
    assert told.code == 3
    assert told.refusal.startswith(
        "The disk is full; everything found so far is kept. Free some space, or choose another"
    )
    (disk / "ballast").unlink()
    (listed,) = person.ask("library", "list", "--json", "--cache", disk / "cache").document
    assert 0 < listed["images"] < 60
    subprocess.run(["mount", "-o", "remount,size=8m", str(disk)], check=True)
    process = person.start("index", folder, "--cache", disk / "cache")
    wait_for(lambda: images_of(folder, disk / "cache") == 60, why="the other images")
    os.killpg(process.pid, signal.SIGTERM)  # a fit would only take time
    process.communicate()
    assert listing(folder) == before


def test_a_disk_without_room_for_a_single_page_is_said_to_be_full(person: Person, library: Library, disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
    copy = library.copy(disk / "cache")
    with StoreWriter.open(copy.place.folder):
        pass  # which folds the log into the database: it would make room
    free = shutil.disk_usage(disk).free
    (disk / "ballast").write_bytes(bytes(free - 8192))
    for words in (("index",), ("map", "refit")):
        told = person.ask(*words, copy.source, "--cache", copy.cache)
        assert (told.code, told.refusal.partition(";")[0]) == (3, "The disk is full")


def test_a_full_disk_refuses_an_export_and_keeps_the_one_before(reader: Person, library: Library, disk: Path) -> None:
    (disk / "all.csv").write_text("the one before")
    (disk / "ballast").write_bytes(bytes(700_000))
    told = reader.ask("export", library.source, "-o", disk / "all.csv", "--no-update")
    assert (told.code, told.refusal) == (3, f"the file could not be written (No space left on device): {disk}/all.csv")
    assert {path.name for path in disk.iterdir()} == {"all.csv", "ballast"}
    assert (disk / "all.csv").read_text() == "the one before"


# -- damage ------------------------------------------------------------------------------------------------------------


def cut_vectors(library: Library) -> None:
    vectors = library.model_folder / "vectors.f16"
    vectors.write_bytes(vectors.read_bytes()[:1000])


def scramble_vectors(library: Library) -> None:
    vectors = library.model_folder / "vectors.f16"
    vectors.write_bytes(np.random.default_rng(1).bytes(vectors.stat().st_size))


def blank_vectors(library: Library) -> None:
    vectors = library.model_folder / "vectors.f16"
    vectors.write_bytes(bytes(vectors.stat().st_size))


def scramble_database(library: Library) -> None:
    for file in library.place.folder.glob("library.db*"):
        file.unlink()
    (library.place.folder / "library.db").write_bytes(b"damaged beyond recognition" * 200)


def cut_database(library: Library) -> None:
    database = library.place.folder / "library.db"
    for file in library.place.folder.glob("library.db-*"):
        file.unlink()
    database.write_bytes(database.read_bytes()[:9000])


def cut_tiles(library: Library) -> None:
    tiles = library.place.folder / "tiles-32.bin"
    tiles.write_bytes(tiles.read_bytes()[:100])


@pytest.mark.parametrize(
    "damage", [cut_vectors, scramble_vectors, blank_vectors, scramble_database, cut_database, cut_tiles]
)
def test_a_damaged_library_is_said_and_forgotten_as_told(
    person: Person, copy: Library, damage: Callable[[Library], None]
) -> None:
    damage(copy)
    for words in (("search", copy.source, "guitar"), ("clusters", copy.source), ("export", copy.source, "-o", "a.npz")):
        told = person.ask(*words, "--no-update")
        assert told.code == 3
        assert told.refusal.startswith(
            "The stored library is damaged (your images are not touched by this). Delete it with"
        )
        assert "Warning" not in told.err
    assert [each["sources"] for each in person.ask("library", "list", "--json").document] == [[str(copy.source)]]
    assert person.ask("library", "forget", copy.source).code == 0
    assert not copy.place.folder.exists()
    assert listing(copy.source) == copy.before


def test_what_the_doctor_advises_for_a_damaged_library_can_be_typed_as_it_stands(person: Person, copy: Library) -> None:
    cut_vectors(copy)
    told = person.run("doctor", copy.source)
    at = next(
        i for i, line in enumerate(told.lines) if line.startswith("broken   library: The stored library is damaged")
    )
    advice = told.lines[at + 1].strip()
    assert advice == f"atlas-rt library forget {copy.source} --cache {copy.cache}"
    assert person.ask(*advice.split()[1:]).code == 0


def scramble_positions(library: Library) -> None:
    for file in library.model_folder.glob("map-*/positions.npy"):
        content = bytearray(file.read_bytes())
        content[200:204] = b"XXXX"
        file.write_bytes(content)


def scramble_manifest(library: Library) -> None:
    for file in library.model_folder.glob("map-*/manifest.json"):
        file.write_text("{")


def empty_maps(library: Library) -> None:
    for place in library.model_folder.glob("map-*"):
        shutil.rmtree(place)
        place.mkdir()


@pytest.mark.parametrize("damage", [scramble_positions, scramble_manifest, empty_maps])
def test_a_damaged_map_is_said(person: Person, copy: Library, damage: Callable[[Library], None]) -> None:
    damage(copy)
    told = person.ask("search", copy.source, "guitar", "--no-update")
    assert told.code in {2, 3}
    assert "`atlas-rt index" in told.refusal


def test_a_damaged_map_is_made_anew_by_itself(person: Person, folder: Path) -> None:
    generation = person.ask("index", folder, "--json").document["generation"]
    for file in person.cache.glob("libraries/*/*/map-*/positions.npy"):
        file.write_bytes(b"no positions")
    assert len(person.ask("search", folder, "tree", "--json").document["results"]) == 6
    assert person.ask("index", folder, "--json").document["generation"] == generation + 1


@pytest.mark.parametrize(
    "note",
    ["", "{", "[]", '{"sources": ["/etc"], "opened": 0}', '{"sources": null}', '{"sources": ["%s"], "opened": 1e300}'],
)
def test_a_damaged_note_of_the_sources_heals_by_itself(person: Person, copy: Library, note: str) -> None:
    file = copy.place.folder / "sources.json"
    file.write_text(note.replace("%s", str(copy.source)))
    assert person.ask("library", "list", "--json").document == []
    assert person.ask("search", copy.source, "guitar", "--json", "--top", "1").document["results"]
    assert [each["sources"] for each in person.ask("library", "list", "--json").document] == [[str(copy.source)]]
    file.write_text(note)
    assert person.ask("library", "forget", copy.source).code == 0
    assert not copy.place.folder.exists()


def test_a_file_where_the_librarys_folder_is_to_be_is_said(person: Person, copy: Library) -> None:
    shutil.rmtree(copy.place.folder)
    copy.place.folder.touch()
    told = person.ask("index", copy.source)
    assert told.code == 3
    assert told.refusal == f"A file lies where the library's folder must go; delete it: {copy.place.folder}"


# -- models ------------------------------------------------------------------------------------------------------------


def test_a_model_file_that_is_missing_or_another_is_not_used(person: Person, folder: Path) -> None:
    shipped = assets_folder("models") / "starter"
    mine = person.cache / "models" / "mine"
    mine.mkdir(parents=True)
    description = (shipped / "model.toml").read_text(encoding="utf-8")
    (mine / "model.toml").write_text(description.replace('name = "starter"', 'name = "mine"'), encoding="utf-8")
    missing = person.ask("index", folder, "--model", "mine")
    assert missing.code == 3
    assert "A model file cannot be read (No such file or directory); install or fetch it again" in missing.refusal
    for file in (*shipped.glob("*.onnx"), *shipped.glob("*.json")):
        (mine / file.name).write_bytes(file.read_bytes() + b" ")
    another = person.ask("index", folder, "--model", "mine")
    assert another.code == 3
    assert "A model file is not the recorded one and is not used" in another.refusal
    (mine / "model.toml").write_text("name =")
    broken = person.ask("index", folder, "--model", "mine")
    assert broken.code == 3
    assert "This model's description cannot be used" in broken.refusal


def test_a_model_that_cannot_be_read_stops_nothing_else(person: Person, folder: Path) -> None:
    mine = person.cache / "models" / "mine"
    mine.mkdir(parents=True)
    (mine / "model.toml").write_text("name =")
    assert person.ask("index", folder, "--json").document["model"] == "starter"
    (line,) = [line for line in person.ask("models", "list").lines if "mine" in line.split()]
    assert "broken" in line
    assert "This model's description cannot be used" in line
    findings = {each["check"]: each for each in person.run("doctor", "--json").document}
    assert findings["models"]["status"] == "warning"
    assert "mine: This model's description cannot be used" in findings["models"]["detail"]
    assert findings["image encoder"]["status"] == "ok"
