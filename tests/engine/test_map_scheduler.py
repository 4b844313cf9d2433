"""Which map is published when; on a real library whose images are forgotten and encoded again."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import numpy as np
import pytest

from atlas_rt.core.maps import Map
from atlas_rt.core.rows import rows_of
from atlas_rt.engine import map_scheduler as scheduling
from atlas_rt.engine.map_scheduler import MapScheduler
from atlas_rt.engine.placing import EDGES
from atlas_rt.engine.stack_finder import StackFinder
from atlas_rt.errors import MissingError
from atlas_rt.library import maps
from atlas_rt.library.scanning import scan
from atlas_rt.library.store_writer import Ready, StoreWriter
from atlas_rt.library.tile_files import TileFiles
from atlas_rt.library.vectors import VectorFile
from atlas_rt.search.labels import load_vocabulary
from tests.libraries import Library, same_bits

FIFTH = ("b*", "t*")
"""Patterns that leave out a part of the pictures, less than makes a fit due again."""


@pytest.fixture
def library(indexed: Library, tmp_path: Path) -> Library:
    return indexed.copy(tmp_path / "cache")


def go_on(_share: float, _secs: float) -> bool:
    return True


class Desk:
    """A map scheduler at work on a library, and what it published. Each `encode` is a round's beginning."""

    def __init__(self, library: Library, store: StoreWriter, granularity: str = "") -> None:
        self.library, self.store = library, store
        self.encoded = store.database.rows("SELECT image_id, path, row FROM vectors JOIN images ON id = image_id")
        self.vectors = VectorFile(
            library.model_folder / "vectors.f16",
            library.model.dim,
            writable=True,
            rows=store.named_vectors(library.model.id),
        )
        self.published: list[Map] = []
        self.map_scheduler = MapScheduler(
            library.model_folder,
            store=store,
            vectors=self.vectors,
            vocabulary=lambda: load_vocabulary(library.model, library.cache),
            stack_finder=StackFinder(
                store,
                TileFiles(library.place.folder, writable=True, count=store.named_tiles()),
                library.model,
            ),
            model_id=library.model.id,
            seed=42,
            published=self.published.append,
            granularity=granularity,
        )

    @property
    def map(self) -> Map:
        assert self.map_scheduler.map is not None
        return self.map_scheduler.map

    def encode(self, *exclude: str) -> None:
        """As if exactly the pictures that do not match these patterns had been encoded so far."""
        model = self.library.model.id
        self.store.database.write("DELETE FROM vectors WHERE model = ?", [(model,)])
        there = [
            (model, id_, row)
            for id_, path, row in self.encoded
            if not any(fnmatch(Path(os.fsdecode(path)).name, pattern) for pattern in exclude)
        ]
        self.store.database.write("INSERT INTO vectors VALUES (?, ?, ?)", there)

    def scan(self, *exclude: str) -> None:
        """As if the files of these patterns had vanished."""
        self.store.reconcile(scan(self.library.place.sources, exclude=exclude), self.library.model.id)

    def sketch(self) -> None:
        self.map_scheduler._looked_at_secs = -scheduling.LOOK_EVERY_SECS  # as if a second had passed
        self.map_scheduler.look_on(0, shown=True)

    def finish(self) -> None:
        self.map_scheduler.finish(fit=True, waiting=go_on)

    def round(self, *exclude: str) -> None:
        self.map_scheduler.begin()
        self.encode(*exclude)
        self.finish()


@pytest.fixture
def desk(library: Library) -> Iterator[Desk]:
    with StoreWriter.open(library.place.folder) as store:
        yield Desk(library, store)


def test_a_library_is_sketched_while_it_is_first_indexed_and_fitted_at_the_end(indexed: Library) -> None:
    kept = [maps.read_map(indexed.model_folder, each) for each in maps.generations(indexed.model_folder)]
    assert len(kept) >= 2
    *sketches, last = kept
    assert {sketch.kind for sketch in sketches} == {"principal axes"}
    assert [len(map_.ids) for map_ in kept] == sorted(len(map_.ids) for map_ in kept)
    assert not any(sketch.fitted.any() for sketch in sketches)
    assert last.kind == "umap"
    assert last.fitted.all()
    assert len(last.cluster_records) >= 2


def test_edges_join_each_image_to_its_nearest(indexed: Library) -> None:
    map_ = indexed.map
    file = VectorFile(indexed.model_folder / "vectors.f16", indexed.model.dim, rows=len(map_.rows))
    vectors = file.array()[map_.rows].astype(np.float32)
    scores = vectors @ vectors.T
    np.fill_diagonal(scores, -1.0)
    nearest = np.argsort(-scores, axis=1, kind="stable")[:, :EDGES]
    wanted = {tuple(sorted((row, int(other)))) for row, others in enumerate(nearest) for other in others}
    assert {tuple(edge) for edge in map_.edges.tolist()} == wanted
    assert map_.weights == pytest.approx(scores[map_.edges[:, 0], map_.edges[:, 1]], abs=1e-5)


def test_what_stays_when_others_go_does_not_move(desk: Desk, indexed: Library) -> None:
    desk.round(*FIFTH)
    before, after = indexed.map, desk.map
    assert 80 < len(after.ids) < 130
    at, known = rows_of(before.ids, after.ids)
    assert known.all()
    assert same_bits(after.positions, before.positions[at])
    assert same_bits(after.clusters, before.clusters[at])
    assert after.kind == "umap"
    sizes = {record.id: record.size for record in after.cluster_records}
    assert sizes == {id_: int((after.clusters == id_).sum()) for id_ in sizes}
    kept = {tuple(after.ids[edge]) for edge in after.edges}
    both = np.isin(before.ids[before.edges], after.ids).all(axis=1)
    assert kept == {tuple(before.ids[edge]) for edge in before.edges[both]}


def test_nothing_is_published_when_nothing_changed(desk: Desk) -> None:
    desk.round()
    desk.sketch()
    assert desk.published == []


def test_a_new_image_is_joined_to_its_nearest_and_stands_among_them(desk: Desk) -> None:
    desk.round(*FIFTH)
    few = desk.map
    desk.round()
    all_ = desk.map
    at, known = rows_of(all_.ids, few.ids)
    assert known.all()
    assert same_bits(all_.positions[at], few.positions)
    new = np.setdiff1d(np.arange(len(all_.ids)), at)
    vectors = desk.vectors.array()[all_.rows].astype(np.float32)
    edges = {tuple(edge) for edge in all_.edges.tolist()}
    radius = np.linalg.norm(few.positions, axis=1).mean()
    distances = []
    for row in new:
        scores = vectors @ vectors[row]
        scores[row] = -1.0
        nearest = int(scores.argmax())
        assert tuple(sorted((int(row), nearest))) in edges
        known_scores = np.where(np.isin(np.arange(len(scores)), at), scores, -1.0)
        distances.append(np.linalg.norm(all_.positions[row] - all_.positions[int(known_scores.argmax())]))
    assert np.median(distances) < radius / 2


def test_a_new_image_s_place_does_not_depend_on_when_others_are_shown(desk: Desk) -> None:
    desk.round(*FIFTH)
    desk.round()
    at_once = desk.map
    desk.round(*FIFTH)
    desk.map_scheduler.begin()
    for patterns in (FIFTH[1:], ()):
        desk.encode(*patterns)
        desk.sketch()
    desk.finish()
    for name in ("ids", "positions", "clusters", "edges", "weights", "stacks"):
        assert same_bits(getattr(desk.map, name), getattr(at_once, name)), name


def test_an_image_that_is_away_stays_on_the_map_and_comes_back_without_a_new_one(desk: Desk) -> None:
    """Also a renamed one, whose content is known again only when it is read."""
    desk.map_scheduler.begin()
    for patterns in (FIFTH, FIFTH[1:], FIFTH[2:], ()):
        desk.scan(*patterns)
        desk.sketch()
        desk.finish()
    assert desk.published == []


@pytest.mark.slow
def test_a_refit_and_its_undo_include_what_is_away(desk: Desk, indexed: Library) -> None:
    desk.scan(*FIFTH)
    assert desk.map_scheduler.refit(go_on)
    refitted = desk.map
    assert same_bits(refitted.ids, indexed.map.ids)
    assert not same_bits(refitted.positions, indexed.map.positions)
    desk.scan()
    desk.finish()
    assert desk.map is refitted  # what came back stands where the refit put it
    desk.scan(*FIFTH)
    assert desk.map_scheduler.undo()
    assert same_bits(desk.map.positions, indexed.map.positions)
    assert same_bits(desk.map.ids, indexed.map.ids)


def test_a_changed_image_alone_gets_another_place(desk: Desk, indexed: Library) -> None:
    id_, other = int(indexed.map.ids[7]), 100
    (path,), (tile,) = desk.store.paths_of(indexed.map.ids[7:8]), desk.store.tile_records(indexed.map.ids[7:8])
    row = desk.vectors.append(desk.vectors.array()[other][None].astype(np.float32))
    ready = Ready(id_, path, 1, 1, b"another content!", 9, 9, (1, 2, 3), 1.0, int(tile), row)
    desk.map_scheduler.begin()
    desk.store.commit(indexed.model.id, [ready])
    desk.finish()
    moved = np.flatnonzero((desk.map.positions != indexed.map.positions).any(axis=1))
    assert moved.tolist() == [7]
    apart = np.linalg.norm(desk.map.positions[7] - desk.map.positions[other])
    assert apart < 0.2  # it looks as that one now
    assert desk.map.rows[7] == row


def test_what_a_killed_fit_left_behind_is_swept_away(desk: Desk) -> None:
    left = desk.library.model_folder / ".fit-left"
    left.mkdir()
    (left / "vectors.f32").write_bytes(bytes(1000))
    Desk(desk.library, desk.store)
    assert not left.exists()


@pytest.mark.slow
def test_a_full_disk_leaves_the_old_map_to_a_refit_and_to_going_back(desk: Desk) -> None:
    """Where not even the vectors that are fitted can be written, and where the new map cannot be published."""
    resource = pytest.importorskip("resource")
    folder = desk.library.model_folder
    assert desk.map_scheduler.refit(go_on)
    before, there = desk.map, sorted(folder.iterdir())
    network = len(before.network)
    vectors = len(before.ids) * desk.library.model.dim * 4
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    requests = [(lambda: desk.map_scheduler.refit(go_on), room) for room in (vectors - 1, network - 1)]
    assert vectors < network - 1
    for request, room in [*requests, (desk.map_scheduler.undo, network - 1)]:
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
        try:
            with pytest.raises(MissingError, match="The disk is full; everything found so far is kept"):
                request()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert sorted(folder.iterdir()) == there
        assert desk.map is before
    read = maps.read_latest(folder)
    assert read is not None
    assert same_bits(read.positions, before.positions)
    assert desk.map_scheduler.refit(go_on)
    assert desk.map.fit == before.fit + 1


@pytest.mark.slow
def test_a_new_cluster_never_has_the_id_of_one_that_is_gone(library: Library) -> None:
    """Nor of one that came with a refit from which one went back: a name given to it would jump onto the new one."""
    with StoreWriter.open(library.place.folder) as store:
        desk, ids = Desk(library, store), list[set[int]]()
        for desk.map_scheduler._wanted_granularity in ("many", "few", "many"):
            desk.round()
            ids.append({record.id for record in desk.map.cluster_records})
        desk.map_scheduler.close()
        many, few, again = ids
        assert many - few
        assert again - few
        assert not (again - few) & many
        assert desk.map.clusters_given == max(again | many) + 1
        desk.map_scheduler._publish(dataclasses.replace(desk.map, fit=desk.map.fit + 1, clusters_given=99))
        assert desk.map_scheduler.undo()
        assert desk.map.clusters_given == 99
        assert Desk(library, store).map.clusters_given == 99


def test_what_is_let_go_of_at_rest_is_had_again_and_places_are_the_same(desk: Desk, indexed: Library) -> None:
    desk.round(*FIFTH)
    few = desk.map
    desk.map_scheduler.begin()
    desk.map_scheduler.make_ready()
    desk.encode()
    desk.finish()
    at_once = desk.map
    desk.round(*FIFTH)
    fitter = desk.map_scheduler._fit.start()
    desk.map_scheduler.make_ready()
    desk.map_scheduler.rest()
    assert "_projector" not in vars(desk.map_scheduler._reference)
    assert not fitter._child.alive
    desk.round()
    assert same_bits(desk.map.positions, at_once.positions)
    assert len(few.ids) < len(desk.map.ids) == len(indexed.map.ids)
    desk.map_scheduler.refit(None)
    desk.map_scheduler.rest()  # not while it fits
    assert desk.map_scheduler.fitting is not None
    desk.map_scheduler.close()


def test_another_number_of_clusters_is_made_on_the_same_map_and_kept(library: Library, indexed: Library) -> None:
    with StoreWriter.open(library.place.folder) as store:
        desk = Desk(library, store, "many")
        desk.round()
        many = desk.map
        assert len(many.cluster_records) > len(indexed.map.cluster_records)
        assert many.granularity == "many"
        for name in ("ids", "positions", "edges", "weights", "fitted"):
            assert same_bits(getattr(many, name), getattr(indexed.map, name))
        assert (many.fit, many.scale, many.network) == (indexed.map.fit, indexed.map.scale, indexed.map.network)
        desk.map_scheduler.close()
        again = Desk(library, store)
        again.round()
        assert again.published == []


def test_a_refit_is_due_when_a_fifth_is_new_and_holds_the_old_alone(desk: Desk) -> None:
    """Newcomers are placed first, which makes nobody of them old."""
    desk.round("a*", "b*", "r*", "s*")
    before = desk.map
    desk.map_scheduler._publish(dataclasses.replace(before, fitted=np.ones(len(before.ids), np.bool_)))
    desk.round()
    after = desk.map
    placed, fitted = desk.published[-2:]
    assert (placed.fit, fitted.fit) == (before.fit, before.fit + 1)
    at, _ = rows_of(placed.ids, before.ids)
    new = np.setdiff1d(np.arange(len(placed.ids)), at)
    assert len(new) >= 0.2 * len(placed.ids)
    assert same_bits(placed.positions[at], before.positions)
    assert after.fitted.all()
    moved = np.linalg.norm(after.positions - placed.positions, axis=1)
    assert np.median(moved[new]) > 2 * np.median(moved[at])
    assert after.drift == pytest.approx(np.median(moved[at]), rel=0.15)
    assert same_bits(after.ids, placed.ids)


@pytest.mark.slow
def test_one_goes_back_along_the_line_of_fits_and_no_further(desk: Desk) -> None:
    first = desk.map
    refit, undo = lambda: desk.map_scheduler.refit(go_on), desk.map_scheduler.undo
    assert refit()
    assert undo()
    assert refit()
    assert not same_bits(desk.map.positions, first.positions)
    assert undo()  # to the first, and not to the refit that one went back from before
    assert same_bits(desk.map.positions, first.positions)
    assert not undo()
    assert [each.fit for each in maps.kept(desk.library.model_folder)] == [first.fit]
