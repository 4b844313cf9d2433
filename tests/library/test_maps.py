"""A map is published whole or not at all, and a damaged one gives way to the one before."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from atlas_rt.core.maps import Cluster, Map, Subcluster
from atlas_rt.errors import MissingError
from atlas_rt.library import maps


def map_of(generation: int, count: int = 20, seed: int = 0) -> Map:
    random = np.random.default_rng(seed)
    cluster = Cluster(0, "cats 猫", "they look alike", "vocabulary", count, (1, 2), (3,), (0.1, -0.2, 0.3))
    part = Subcluster(5, 0, "tabby 猫", "vocabulary", ("tabby 猫", "kitten"), count // 2, (1,))
    return Map(
        ids=np.arange(1, count + 1, dtype=np.int64),
        rows=np.arange(count, dtype=np.int32),
        positions=random.normal(size=(count, 3)).astype(np.float32),
        edges=random.integers(0, max(count, 1), (2 * count, 2)).astype(np.int32),
        weights=random.random(2 * count).astype(np.float32),
        clusters=np.zeros(count, np.int32),
        fitted=random.random(count) < 0.5,
        cluster_records=(cluster,),
        generation=generation,
        kind="umap",
        model="starter",
        seed=42,
        stacks=np.maximum(np.arange(1, count + 1, dtype=np.int64) // 2 * 2, 1),
        subclusters=np.where(np.arange(count) % 2, 5, -1).astype(np.int32),
        subcluster_records=(part,),
    )


def assert_same(found: Map, expected: Map) -> None:
    for field in dataclasses.fields(Map):
        ours, theirs = getattr(found, field.name), getattr(expected, field.name)
        if isinstance(theirs, np.ndarray):
            assert ours.dtype == theirs.dtype
            assert np.array_equal(ours, theirs)
        else:
            assert ours == theirs


def test_a_map_comes_back_bit_for_bit(tmp_path: Path) -> None:
    folder = tmp_path / "starter"
    assert (maps.latest(folder), maps.read_latest(folder), maps.generations(folder)) == (0, None, [])
    maps.write_map(folder, map_of(1))
    assert maps.latest(folder) == 1
    assert_same(maps.read_map(folder, 1), map_of(1))
    manifest = json.loads((folder / "map-1/manifest.json").read_text())
    assert {"model", "seed", "kind", "generation", "n", "versions"} <= manifest.keys()
    assert manifest["versions"].keys() == {"umap-learn", "numpy"}
    assert not isinstance(maps.read_map(folder, 1).positions, np.memmap)


def test_a_map_of_nothing_is_a_map(tmp_path: Path) -> None:
    maps.write_map(tmp_path, map_of(1, count=0))
    read = maps.read_map(tmp_path, 1)
    assert read.positions.shape == (0, 3)
    assert read.edges.shape == (0, 2)


@pytest.mark.parametrize(
    ("files", "lacks"),
    [
        (["stacks.npy"], {"stacks": np.zeros(0, np.int64)}),
        (["subclusters.npy", "subclusters.json"], {"subclusters": np.zeros(0, np.int32), "subcluster_records": ()}),
    ],
)
def test_a_map_written_before_images_stacked_or_clusters_divided_is_read(
    tmp_path: Path, files: list[str], lacks: dict[str, Any]
) -> None:
    place = maps.write_map(tmp_path, map_of(1))
    manifest = json.loads((place / "manifest.json").read_text())
    for name in files:
        (place / name).unlink()
        del manifest["files"][name]
    (place / "manifest.json").write_text(json.dumps(manifest))
    assert maps.latest(tmp_path) == 1
    assert_same(maps.read_map(tmp_path, 1), dataclasses.replace(map_of(1), **lacks))
    again = maps.write_map(tmp_path, dataclasses.replace(maps.read_map(tmp_path, 1), generation=2))
    assert_same(maps.read_map(tmp_path, 2), dataclasses.replace(map_of(2), **lacks))
    assert again.name == "map-2"


def test_the_last_three_generations_stay(tmp_path: Path) -> None:
    for generation in range(1, 13):
        maps.write_map(tmp_path, map_of(generation))
    assert maps.generations(tmp_path) == [10, 11, 12]
    assert maps.latest(tmp_path) == 12


def test_a_published_map_is_never_written_again(tmp_path: Path) -> None:
    maps.write_map(tmp_path, map_of(1))
    with pytest.raises(ValueError, match="already published"):
        maps.write_map(tmp_path, map_of(1, seed=9))
    assert_same(maps.read_map(tmp_path, 1), map_of(1))


def test_what_a_killed_writer_left_is_no_map_and_goes(tmp_path: Path) -> None:
    left = tmp_path / ".tmp-123-7"
    left.mkdir()
    (left / "ids.npy").write_bytes(b"half")
    assert maps.latest(tmp_path) == 0
    maps.write_map(tmp_path, map_of(1))
    assert not left.exists()


def test_a_damaged_generation_gives_way_to_the_one_before(tmp_path: Path) -> None:
    maps.write_map(tmp_path, map_of(1))
    maps.write_map(tmp_path, map_of(2))
    file = tmp_path / "map-2/positions.npy"
    whole = file.read_bytes()
    file.write_bytes(whole[:-5])
    assert maps.latest(tmp_path) == 1
    with pytest.raises(
        MissingError,
        match=r"Generation 2 of the map is not there or damaged; `atlas-rt index SOURCE` mends it: .*map-2",
    ):
        maps.read_map(tmp_path, 2)
    file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))  # the length alone does not show it
    found = maps.read_latest(tmp_path)
    assert found is not None
    assert found.generation == 1
    for breakage in (b"", b"[]", b'{"files": {}}', b"not json"):
        (tmp_path / "map-2/manifest.json").write_bytes(breakage)
        with pytest.raises(MissingError):
            maps.read_map(tmp_path, 2)
    assert maps.generations(tmp_path)[-1] + 1 == 3  # the next one's number is free


def test_a_pickle_is_never_read(tmp_path: Path) -> None:
    maps.write_map(tmp_path, map_of(1))
    file = tmp_path / "map-1/ids.npy"
    np.save(file, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    manifest = json.loads((tmp_path / "map-1/manifest.json").read_text())
    manifest["files"]["ids.npy"] = [file.stat().st_size, maps._hash(file.read_bytes())]
    (tmp_path / "map-1/manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(MissingError, match="damaged"):
        maps.read_map(tmp_path, 1)


def test_a_map_that_cannot_be_written_leaves_the_last_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    maps.write_map(tmp_path, map_of(1))

    def refuse(path: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(maps, "_write_file", refuse)
    with pytest.raises(MissingError, match="The disk is full"):
        maps.write_map(tmp_path, map_of(2))
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["map-1"]
    assert maps.latest(tmp_path) == 1


def fit_of(fit: int, generation: int, kind: str = "umap") -> Map:
    return dataclasses.replace(map_of(generation, seed=fit), fit=fit, kind=kind, drift=0.01 * fit)


def test_the_newest_generation_of_each_of_the_last_three_fits_is_kept(tmp_path: Path) -> None:
    for generation, fit in enumerate((1, 1, 2, 2, 2, 3, 3, 4, 4, 4, 4, 4), 1):
        maps.write_map(tmp_path, fit_of(fit, generation))
    assert [(each.fit, each.generation) for each in maps.kept(tmp_path)] == [(2, 5), (3, 7), (4, 12)]
    assert maps.generations(tmp_path) == [5, 7, 10, 11, 12]
    assert [round(each.drift, 3) for each in maps.kept(tmp_path)] == [0.02, 0.03, 0.04]
    before = maps.read_before(tmp_path, 4)
    assert before is not None
    assert_same(before, fit_of(3, 7))
    assert maps.read_before(tmp_path, 2) is None


def test_a_map_that_its_writer_removes_while_one_asks_for_the_list_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for generation in (1, 2):
        maps.write_map(tmp_path, fit_of(generation, generation))
    looks_whole = maps._looks_whole

    def and_gone(place: Path) -> bool:
        whole = looks_whole(place)
        if place.name == "map-1":
            shutil.rmtree(place)
        return whole

    monkeypatch.setattr(maps, "_looks_whole", and_gone)
    assert [each.generation for each in maps.kept(tmp_path)] == [2]


def test_what_is_not_final_is_nothing_to_go_back_to(tmp_path: Path) -> None:
    for generation, kind in enumerate(("principal axes", "umap so far", "umap so far", "umap so far", "umap"), 1):
        maps.write_map(tmp_path, fit_of(generation, generation, kind))
    assert [each.fit for each in maps.kept(tmp_path)] == [5]
    assert maps.read_before(tmp_path, 5) is None


def test_the_network_comes_back_as_it_was(tmp_path: Path) -> None:
    map_ = dataclasses.replace(map_of(1), network=b"\x08\x07graph", scale=3.5, drift=0.02, fit=4, clusters_given=9)
    maps.write_map(tmp_path, map_)
    assert_same(maps.read_map(tmp_path, 1), map_)
    assert (tmp_path / "map-1" / "projector.onnx").read_bytes() == b"\x08\x07graph"


def test_a_map_of_an_earlier_version_is_read(tmp_path: Path) -> None:
    maps.write_map(tmp_path, map_of(1))
    file = tmp_path / "map-1" / "manifest.json"
    manifest = json.loads(file.read_text())
    for name in ("fit", "scale", "drift", "clusters_given"):
        del manifest[name]
    file.write_text(json.dumps(manifest))
    assert_same(maps.read_map(tmp_path, 1), map_of(1))
    assert [each.fit for each in maps.kept(tmp_path)] == [0]
