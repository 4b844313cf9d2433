"""`neighbors`, `locate`, `clusters`, `export`, `library`: what they tell of a library, and how images are named."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from atlas_rt.library.lock import Lock
from atlas_rt.search import vector_index
from atlas_rt.search.vector_index import StoredVectorIndex
from tests.commands.person import Person
from tests.libraries import PICTURES, Library, copy_pictures
from tests.library.metadata.pictures import bag, make_xmp, photograph, saved

GUITAR = "acoustic-guitar.webp"


# -- neighbors ---------------------------------------------------------------------------------------------------------


def test_an_image_is_named_by_its_path_by_a_path_from_here_or_by_its_id(
    reader: Person, library: Library, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to(library.source)
    monkeypatch.chdir(library.source)
    words = ("--json", "--no-update", "--top", "3")
    whole = reader.ask("neighbors", library.source, library.source / GUITAR, *words).document
    assert whole["image"] == str(library.source / GUITAR)
    assert [result.keys() for result in whole["results"]] == [{"path", "score"}] * 3
    assert whole["image"] not in {result["path"] for result in whole["results"]}
    for word in (
        GUITAR,
        f"./{GUITAR}",
        f"../{library.source.name}/{GUITAR}",
        tmp_path / "link" / GUITAR,
        str(library.map.ids[row_of_the_guitar(library)]),
    ):
        assert reader.ask("neighbors", ".", word, *words).document == whole
    assert len(reader.ask("neighbors", ".", GUITAR, "--no-update").lines) == 20


def row_of_the_guitar(library: Library) -> int:
    """Ids were given in the order of the paths."""
    return sorted(path.name for path in library.source.glob("*.webp")).index(GUITAR)


@pytest.mark.parametrize("image", ["0", "999", "9" * 40, "²", "nothing.webp", "-5"])
def test_an_image_that_is_not_in_the_library_is_refused(reader: Person, library: Library, image: str) -> None:
    told = reader.ask("neighbors", library.source, image, "--no-update")
    assert told.code == 2
    assert (
        told.refusal
        == f"this library has no such image: {image}\nname it by its path, as `search` prints it, or by its id"
    )


# -- info --------------------------------------------------------------------------------------------------------------

FIELDS = {
    "path", "taken", "taken_from", "camera", "lens", "gps", "place", "size_px", "rating", "title", "caption",
    "keywords", "prompt", "text", "labels", "tags", "cluster",
}  # fmt: skip


def test_all_that_is_known_of_an_image_is_told(
    reader: Person, library: Library, monkeypatch: pytest.MonkeyPatch, newcomers: list[Path]
) -> None:
    monkeypatch.chdir(library.source)
    document = reader.ask("info", library.source, library.source / GUITAR, "--json", "--no-update").document
    assert document.keys() >= FIELDS
    assert document["path"] == str(library.source / GUITAR)
    with Image.open(library.source / GUITAR) as image:
        assert document["size_px"] == list(image.size)
    assert "guitar" in [label["word"] for label in document["labels"]]
    nearest = reader.ask("neighbors", library.source, library.source / GUITAR, "--top", "1", "--json", "--no-update")
    assert document["nearest"][0] == nearest.document["results"][0]
    assert document["cluster_why"]
    assert len(document["why_here"]["images"]) == 8
    assert "drew it to the" in document["why_here"]["sentence"]
    assert (document["taken_from"], document["gps"], document["keywords"]) == ("file", None, [])
    for word in (GUITAR, str(document["id"])):
        assert reader.ask("info", ".", word, "--json", "--no-update").document == document
    lines = reader.ask("info", ".", GUITAR, "--no-update").lines
    assert lines[0] == document["path"]
    assert [line.split()[0] for line in lines[1:] if line[2] != " "] == [
        "File", "Size", "Labels", "Cluster", "Nearest", "Why",
    ]  # fmt: skip
    assert max(map(len, lines[1:])) <= 100
    refused = reader.ask("info", library.source, "nothing.webp", "--no-update")
    assert (refused.code, refused.refusal.partition("\n")[0]) == (2, "this library has no such image: nothing.webp")


def test_a_photograph_tells_all_it_knows_of_itself(person: Person, here: Path) -> None:
    folder = here / "shots"
    folder.mkdir()
    packet = make_xmp("xmp:Rating='4'", bag("dc:subject", "grandma", "río") + bag("dc:title", "At the river"))
    (folder / "IMG_1.JPG").write_bytes(saved(exif=photograph().tobytes(), xmp=packet))
    (folder / "IMG_1.CR2").write_bytes(b"II*\0")
    document = person.ask("info", folder, folder / "IMG_1.JPG", "--json").document
    assert (document["taken"], document["taken_from"]) == ("2019-05-06T07:08:09+02:00", "original")
    assert (document["camera"], document["lens"], document["rating"]) == ("NIKON D90", "50mm f/1.8", 4)
    assert document["gps"] == pytest.approx([-38.7083333, 9.1333333])
    assert (document["title"], document["keywords"]) == ("At the river", ["grandma", "río"])
    assert document["raw"] == str(folder / "IMG_1.CR2")
    told = person.ask("info", folder, folder / "IMG_1.JPG", "--no-update").out
    for words in ("6 May 2019, 07:08 (+02:00)", "NIKON D90 · 50mm f/1.8", "1/250 s · f/2.8 · ISO 400 · 50 mm", "★★★★☆"):
        assert words in told


# -- locate ------------------------------------------------------------------------------------------------------------


def test_images_outside_are_placed_without_being_added(reader: Person, library: Library, newcomers: list[Path]) -> None:
    inside = library.source / GUITAR
    told = reader.ask("locate", library.source, inside, newcomers[0], "--json", "--no-update").document
    assert [each["path"] for each in told] == [str(inside), str(newcomers[0])]
    for each in told:
        assert each.keys() >= {"path", "position", "uncertainty", "neighbors", "ms"}
        assert each["ms"].keys() == {"decode", "encode", "project", "search"}
        assert (len(each["position"]), len(each["neighbors"])) == (3, 5)
        assert np.isfinite(each["position"]).all()
    away = np.linalg.norm(library.map.positions - np.array(told[0]["position"]), axis=1)
    assert away[row_of_the_guitar(library)] < 0.5 * np.median(away)  # it settles close to where it stands
    assert told[0]["neighbors"][0]["path"] == str(inside)
    assert reader.ask("index", library.source, "--json").document["images"] == 138


def test_a_file_that_is_no_image_does_not_stop_the_others(reader: Person, library: Library, here: Path) -> None:
    (here / "broken.jpg").write_bytes(b"no picture")
    told = reader.ask("locate", library.source, "broken.jpg", library.source / GUITAR, "--json", "--no-update")
    assert [each["path"] for each in told.document] == [str(library.source / GUITAR)]
    assert told.err == f"failed: {here}/broken.jpg: it is not a picture in a known format\n"
    alone = reader.ask("locate", library.source, "broken.jpg", "--no-update")
    assert alone.code == 2
    assert "none of these files can be placed; it is not a picture in a known format" in alone.refusal
    missing = reader.ask("locate", library.source, "nothing.jpg", "--no-update")
    assert (missing.code, missing.refusal) == (2, f"there is no such file: {here}/nothing.jpg")


# -- clusters ----------------------------------------------------------------------------------------------------------


def test_clusters_have_names_sizes_and_exemplars(reader: Person, library: Library) -> None:
    told = reader.ask("clusters", library.source, "--json", "--no-update").document
    assert len(told) > 2
    for cluster in told:
        assert cluster.keys() >= {"id", "name", "why", "named_by", "size", "exemplars", "borderline"}
        assert cluster["named_by"] in {"vocabulary", "claude", "user", "exemplar"}
        assert (cluster["name"] != "", cluster["why"] != "", cluster["size"] >= len(cluster["exemplars"]) > 0) == (
            True,
        ) * 3
        assert all(Path(path).parent == library.source for path in cluster["exemplars"] + cluster["borderline"])
        for part in cluster["subclusters"]:
            assert part.keys() == {"id", "name", "name_english", "size", "exemplars"}
            assert 1 < part["size"] < cluster["size"]
            assert all(Path(path).parent == library.source for path in part["exemplars"])
    assert any(cluster["subclusters"] for cluster in told)
    lines = reader.ask("clusters", library.source, "--no-update").lines
    assert len(lines) == len(told) + 1
    assert sum(int(line.split()[0]) for line in lines) == 138


def test_clusters_and_labels_are_told_in_the_persons_language_beside_english(
    reader: Person, library: Library, here: Path
) -> None:
    asked = ("clusters", library.source, "--json", "--no-update")
    english, german = reader.ask(*asked).document, reader.ask(*asked, "--language", "de").document
    for before, after in zip(english, german, strict=True):
        assert (before["label_language"], after["label_language"]) == ("en", "de")
        assert before["name"] == before["name_english"] == after["name_english"]
        assert (before["why"], before["evidence"]) == (after["why_english"], after["evidence"])
    shown = next(each["name"] for each in german if each["name_english"] not in each["name"])
    assert shown in reader.ask("clusters", library.source, "--no-update", "--language", "de").out
    told = reader.ask(
        "info", library.source, library.source / GUITAR, "--json", "--no-update", "--language", "ja"
    ).document
    assert {"word": "ギター", "english": "guitar"}.items() <= told["labels"][0].items()
    asked_in_german = ("search", library.source, "label:Gitarre", "--json", "--no-update", "--language", "de")
    in_english = ("search", library.source, "label:guitar", "--json", "--no-update")
    found = [
        [each["path"] for each in reader.ask(*words).document["results"]] for words in (asked_in_german, in_english)
    ]
    assert found[0] == found[1] != []
    reader.ask("export", library.source, "-o", "de.csv", "--no-update", "--language", "de")
    with (here / "de.csv").open(newline="", encoding="utf-8") as file:
        header, first, *_ = csv.reader(file)
    assert (header[7], header[-1], len(first)) == ("v0", "cluster_name_de", len(header))


# -- export ------------------------------------------------------------------------------------------------------------


def test_everything_is_exported_as_arrays(reader: Person, library: Library, here: Path) -> None:
    told = reader.ask("export", library.source, "-o", "all.npz", "--json", "--no-update", "--seed", "7").document
    assert (told["path"], told["images"]) == (str(here / "all.npz"), 138)
    with np.load(here / "all.npz", allow_pickle=False) as arrays:
        kinds = {
            name: (arrays[name].dtype.kind + str(arrays[name].dtype.itemsize), arrays[name].shape) for name in arrays
        }
        meta = json.loads(str(arrays["meta"]))
        ids, paths, vectors = arrays["ids"], arrays["paths"], arrays["vectors"]
        assert np.array_equal(arrays["positions"], library.map.positions)
        assert np.array_equal(arrays["clusters"], library.map.clusters)
    assert kinds.keys() == {"ids", "paths", "vectors", "positions", "clusters", "meta"}
    assert (kinds["ids"], kinds["vectors"]) == (("i8", (138,)), ("f4", (138, library.model.dim)))
    assert (kinds["positions"], kinds["clusters"]) == (("f4", (138, 3)), ("i4", (138,)))
    assert set(paths.tolist()) == {str(path) for path in library.source.glob("*.webp")}
    assert (np.diff(ids) > 0).all()
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=0.01)
    assert meta == {
        "model": "starter",
        "generation": library.map.generation,
        "seed": 42,
        "label_language": "en",
    }  # the map's, not the one asked for


def test_everything_is_exported_as_a_table(reader: Person, library: Library, here: Path) -> None:
    told = reader.ask("export", library.source, "-o", "all.csv", "--no-update")
    assert (told.out, told.err) == ("", f"138 images written: {here}/all.csv\n")
    with (here / "all.csv").open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    assert header[:8] == ["id", "path", "x", "y", "z", "cluster", "cluster_name", "v0"]
    assert (len(header), len(rows)) == (7 + library.model.dim, 138)
    assert [float(value) for value in rows[0][2:5]] == pytest.approx(library.map.positions[0].tolist(), abs=1e-5)


def test_the_map_is_exported_as_json_files_in_a_folder(reader: Person, library: Library, here: Path) -> None:
    """The fields are those that README.md documents; ids join the files."""
    words = ("export", library.source, "-o", "web", "--format", "json", "--no-update")
    assert reader.ask(*words).err == f"138 images written: {here}/web\n"
    files = {path.name: json.loads(path.read_text("utf-8")) for path in (here / "web").iterdir()}
    assert files.keys() == {"coords.json", "graph.json", "clusters.json", "meta.json"}
    coords, graph, clusters, meta = (files[f"{name}.json"] for name in ("coords", "graph", "clusters", "meta"))
    ids = library.map.ids.tolist()
    assert [each["id"] for each in coords] == graph["nodes"] == ids
    assert {Path(each["path"]).parent for each in coords} == {library.source}
    positions = [[each[axis] for axis in "xyz"] for each in coords]
    assert np.allclose(positions, library.map.positions, atol=1e-6)
    assert [each["cluster"] for each in coords] == library.map.clusters.tolist()
    assert {edge["source"] for edge in graph["edges"]} | {edge["target"] for edge in graph["edges"]} <= set(ids)
    assert all(0.0 < edge["weight"] <= 1.0001 for edge in graph["edges"])
    fields = {"id", "name", "why", "named_by", "size", "color", "centre", "exemplars", "borderline"}
    fields |= {"name_english", "why_english"}
    assert [each.keys() for each in clusters] == [fields] * len(library.map.cluster_records)
    assert sum(each["size"] for each in clusters) + (library.map.clusters < 0).sum() == 138
    counts = {"images": 138, "edges": len(graph["edges"]), "clusters": len(clusters)}
    told = {"model": "starter", "generation": library.map.generation, "seed": 42, "kind": "umap"}
    told |= {"label_language": "en"}
    assert meta == {"format": 1} | told | counts
    (here / "web/mine.txt").write_text("kept")
    assert reader.ask(*words, "--json").document["path"] == str(here / "web")  # over an earlier one
    assert sorted(path.name for path in (here / "web").iterdir()) == sorted([*files, "mine.txt"])


def test_json_files_that_cannot_be_written_leave_what_was_there(reader: Person, library: Library, here: Path) -> None:
    (here / "taken").write_text("a file")
    (here / "web/meta.json").mkdir(parents=True)
    for output, sentence in (
        ("taken", "a file already has this name, and --format json writes into a folder"),
        ("none/web", "this folder does not exist"),
        ("web", "a folder has the name of a file to be written"),
    ):
        told = reader.ask("export", library.source, "-o", output, "--format", "json", "--no-update")
        assert (told.code, sentence in told.refusal) == (2, True)
    assert list((here / "web").iterdir()) == [here / "web/meta.json"]
    told = reader.ask("export", library.source, "-o", "x.npz", "--format", "yaml", "--no-update")
    assert (told.code, "--format must be json" in told.refusal) == (2, True)


def test_vectors_on_disk_are_exported_block_by_block(
    reader: Person, library: Library, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each row read all vectors: at 250,000 images that takes 16 hours."""
    for name in ("all.csv", "all.npz"):
        reader.ask("export", library.source, "-o", name, "--no-update")
    monkeypatch.setattr(vector_index, "IN_MEMORY_TO", 10)

    def whole(_: object) -> None:
        raise AssertionError("all vectors are in memory at once")

    monkeypatch.setattr(StoredVectorIndex, "whole", whole)
    for name in ("streamed.csv", "streamed.npz"):
        assert reader.ask("export", library.source, "-o", name, "--no-update").code == 0
    assert (here / "streamed.csv").read_bytes() == (here / "all.csv").read_bytes()
    with np.load(here / "streamed.npz") as streamed, np.load(here / "all.npz") as arrays:
        assert streamed.keys() == arrays.keys()
        assert all(np.array_equal(streamed[name], arrays[name]) for name in arrays)


def test_a_place_that_cannot_be_written_is_refused_before_anything_else(
    reader: Person, library: Library, here: Path
) -> None:
    (here / "folder.npz").mkdir()
    for word, said in (
        ("all.xls", f"the file's name must end in .npz or .csv or .parquet: {here}/all.xls"),
        ("nowhere/all.npz", f"this folder does not exist: {here}/nowhere"),
        ("folder.npz", f"a folder already has this name; choose another: {here}/folder.npz"),
    ):
        told = reader.ask("export", library.source, "-o", word)
        assert (told.code, told.refusal) == (2, said)
    assert reader.ask("shot", library.source, "-o", "shot.jpg").refusal.startswith("the file's name must end in .png")


def test_a_file_that_is_replaced_is_whole_or_stays(
    reader: Person, library: Library, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "all.npz").write_text("the one before")

    def refuse(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np.lib.format, "write_array", refuse)
    told = reader.ask("export", library.source, "-o", "all.npz", "--no-update")
    assert (told.code, told.refusal) == (3, f"the file could not be written (No space left on device): {here}/all.npz")
    assert [path.name for path in here.iterdir()] == ["all.npz"]
    assert (here / "all.npz").read_text() == "the one before"


def test_a_file_goes_into_the_source_only_when_it_is_named(reader: Person, person: Person, folder: Path) -> None:
    told = person.ask("export", folder, "-o", folder / "all.csv", "--json").document
    assert told["path"] == str(folder / "all.csv")
    assert {path.suffix for path in folder.iterdir()} == {".webp", ".csv"}
    assert len(list(folder.iterdir())) == 7


# -- library -----------------------------------------------------------------------------------------------------------


def test_libraries_are_listed_and_forgotten_by_any_name_of_their_source(person: Person, here: Path) -> None:
    folder = copy_pictures(PICTURES[:2], here / "pictures")
    assert person.ask("library").err == "no libraries yet; `atlas-rt SOURCE` makes one\n"
    assert person.ask("library", "list", "--json").document == []
    person.ask("index", folder)
    (listed,) = person.ask("library", "list", "--json").document
    assert (listed["sources"], listed["images"], listed["bytes"] > 10_000) == ([str(folder)], 2, True)
    (line,) = person.ask("library", "list").lines
    assert line.split()[:2] == ["2", "images"]
    assert line.endswith(str(folder))
    said = person.ask("library", "forget", "./nowhere").refusal
    assert said == f"there is no library of {here}/nowhere; there are:\n  {folder}"
    told = person.ask("library", "forget", "pictures/../pictures/", "--json")
    assert told.document == {"forgotten": [[str(folder)]]}
    assert told.err == f"forgotten (no image was touched): {folder}\n"
    assert person.ask("library", "list", "--json").document == []
    assert len(list(folder.iterdir())) == 2
    assert "there are none" in person.ask("library", "forget", folder).refusal


def test_a_library_that_another_process_writes_is_read_as_it_is(library: Library, person: Person) -> None:
    copy = library.copy(person.cache.parent / "held")
    person.cache = copy.cache
    with Lock(copy.place) as lock:
        assert lock.acquire()
        told = person.ask("search", library.source, "a guitar", "--json", "--top", "1")
        assert told.document["results"][0]["path"] == str(library.source / GUITAR)
        assert told.err.startswith(
            "reading the library as it is now: another process is updating this library (process "
        )
        assert person.ask("search", library.source, "a guitar", "--quiet", "--top", "1").err == ""
        busy = person.ask("index", library.source)
        assert busy.code == 3
        assert "another process is updating this library (process " in busy.refusal
        forget = person.ask("library", "forget", library.source)
        assert forget.code == 2
        assert "close it first" in forget.refusal


def test_known_encoders_are_listed(reader: Person, library: Library) -> None:
    starter, *others = reader.ask("models", "list", "--json").document
    dim = library.model.dim
    assert (starter["name"], starter["chosen"], starter["dim"], starter["state"]) == ("starter", True, dim, "here")
    assert not any(model["chosen"] or model["state"] == "here" for model in others)
    assert reader.ask("models").lines[0].split()[:3] == ["*", "starter", "here"]
