"""What REST and MCP share: paths are told only where that was allowed, and the newest state of the library is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from atlas_rt.core.assets import assets_folder
from atlas_rt.core.runtime import ANYWHERE
from atlas_rt.library.cluster_names import ClusterNames
from atlas_rt.library.explanations import Explanations, KeptClaim, KeptExplanation, sample_of
from atlas_rt.library.store import StoreReader
from atlas_rt.search import dictionary
from atlas_rt.server.explaining import known
from atlas_rt.server.library_reader import LibraryReader
from atlas_rt.workers.scenes import SceneReader
from tests.libraries import Library


def test_paths_are_shown_where_the_person_allowed_it_and_names_given_elsewhere_are_read(
    library: Library, tmp_path: Path
) -> None:
    names, said, model = ClusterNames(tmp_path / "data"), Explanations(tmp_path / "data"), library.model
    arrival = SceneReader(library.place, model=model.id, dim=model.dim, names=names).read()
    assert arrival is not None
    readers = [
        LibraryReader(
            library.place,
            model,
            arrival,
            cache=library.cache,
            runtime=ANYWHERE,
            names=names,
            explanations=said,
            show_paths=shown,
        )
        for shown in (True, False)
    ]
    for reader, shown in zip(readers, (True, False), strict=True):
        found = reader.search("a guitar", top=1).results[0]
        path = reader.path(found.id) if shown else None
        assert Path(reader.path(found.id)).parent == library.source
        assert (found.path, reader.image(found.id).path) == (path, path)
        near = reader.neighbours(found.id, top=1).results[0]
        assert near.path == (reader.path(near.id) if shown else None)
    cluster = readers[0].clusters()[0]
    assert readers[0].rename(cluster.id, " My  name ").name == "My name"
    readers[1]._looked_secs = 0.0  # it looks twice a second
    assert readers[1].clusters()[0].name == "My name"
    assert readers[1].rename(cluster.id, "").name == cluster.name

    assert known(readers[0], cluster.id).explained_by == "vocabulary"
    with StoreReader.open(library.place.folder) as store:
        contents = store.content_hashes(readers[0].cluster(cluster.id).images)
        claim = KeptClaim("a claim", tuple(store.content_hashes(cluster.exemplars[:2])))
    kept = KeptExplanation(
        "r", "Woods", "why", (claim,), "claude-x", "en", "2026-11-28", 0.01, len(contents), sample_of(contents)
    )
    said.keep(kept)
    readers[0]._looked_secs = 0.0
    told = known(readers[0], cluster.id)
    assert (told.name, told.text, told.explained_by, told.model) == ("Woods", "why", "claude", "claude-x")
    assert told.evidence == sorted(cluster.exemplars[:2])


def test_a_missing_dictionary_is_said_and_the_search_goes_on(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names, said, model = ClusterNames(tmp_path / "data"), Explanations(tmp_path / "data"), library.model
    arrival = SceneReader(library.place, model=model.id, dim=model.dim, names=names).read()
    assert arrival is not None
    reader = LibraryReader(
        library.place, model, arrival, cache=library.cache, runtime=ANYWHERE, names=names, explanations=said
    )
    monkeypatch.setattr(dictionary, "FILE", "missing.zip")
    caches = (dictionary._member, dictionary.languages, dictionary.load_dictionary)
    for each in caches:
        each.cache_clear()
    try:
        found = reader.search("eine Gitarre", top=3, language="de")
    finally:
        for each in caches:
            each.cache_clear()
    assert (len(found.results), found.reading) == (3, None)
    assert any("The dictionary cannot be read" in notice for notice in found.notices)
    assert str(assets_folder("models")) not in "".join(found.notices)
