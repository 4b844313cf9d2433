"""What a search of very many images finds, beside the exact answer. The limits are drawn in, so that a few are many."""

import threading
from pathlib import Path

import numpy as np
import pytest

from atlas_rt.core.arrays import Floats
from atlas_rt.search import vector_index as vector_indexes
from atlas_rt.search.vector_index import StoredVectorIndex, VectorIndex, keep_index, vector_index_of

COUNT, DIM = 6_000, 48


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"IN_MEMORY_TO": 2_000, "LIT": 900, "RERANKED": 60, "SAMPLE": 500}.items():
        monkeypatch.setattr(vector_indexes, name, value)


def made(count: int = COUNT, seed: int = 0) -> Floats:
    rng = np.random.default_rng(seed)
    middles = np.random.default_rng(99).normal(size=(20, DIM))
    vectors = middles[rng.integers(0, 20, count)] + 0.8 * rng.normal(size=(count, DIM))
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def stored(vectors: Floats, folder: Path) -> np.memmap:
    file, part = folder / "vectors.f16", folder / "vectors.part"
    part.write_bytes(vectors.astype(np.float16).tobytes())
    part.replace(file)  # who reads a mapped file that shrinks, if only for a moment, dies of a bus error
    return np.memmap(file, np.float16, "r").reshape(-1, DIM)


def rows_of_all(count: int = COUNT) -> np.ndarray:
    return np.arange(count, dtype=np.int32)


def indexed(vectors: Floats, folder: Path) -> np.memmap:
    file = stored(vectors, folder)
    assert keep_index(file, folder, going_on=lambda _: None)
    return file


def best(vector_index: VectorIndex, query: Floats, count: int = 10) -> list[int]:
    return np.argsort(-vector_index.score(query).scores, kind="stable")[:count].tolist()


def recall(vector_index: VectorIndex, exact: VectorIndex, queries: Floats) -> float:
    return float(np.mean([len({*best(vector_index, query)} & {*best(exact, query)}) / 10 for query in queries]))


def test_few_images_are_in_memory_and_have_no_index(tmp_path: Path) -> None:
    file = stored(made(1_500), tmp_path)
    assert not keep_index(file, tmp_path, going_on=lambda _: None)
    assert type(vector_index_of(file, rows_of_all(1_500), tmp_path)) is VectorIndex


def test_the_best_ten_of_many_are_found_with_their_exact_scores(tmp_path: Path) -> None:
    vectors = made()
    vector_index = vector_index_of(indexed(vectors, tmp_path), rows_of_all(), tmp_path)
    assert isinstance(vector_index, StoredVectorIndex)
    exact, queries = VectorIndex(vector_index.whole()), made(40, seed=5)
    assert recall(vector_index, exact, queries) >= 0.95
    found = best(vector_index, queries[0])
    assert vector_index.score(queries[0]).scores[found] == pytest.approx(
        exact.score(queries[0]).scores[found], abs=1e-6
    )
    assert np.isfinite(vector_index.score(queries[0]).scores).sum() <= 900  # the rest of the cloud stays dark


def test_what_came_since_is_found_and_what_has_gone_is_not(tmp_path: Path) -> None:
    vectors = made()
    indexed(vectors, tmp_path)
    query = made(1, seed=7)[0]
    newcomer = query[None]
    file = stored(np.concatenate([vectors, newcomer]), tmp_path)
    gone = best(VectorIndex(vectors), query, 3)
    rows = np.delete(np.arange(COUNT + 1, dtype=np.int32), gone)
    vector_index = vector_index_of(file, rows, tmp_path)
    assert isinstance(vector_index, StoredVectorIndex)
    assert rows[best(vector_index, query)[0]] == COUNT
    assert not {*rows[best(vector_index, query, 50)].tolist()} & {*gone}
    assert vector_index.score(query).scores.max() == pytest.approx(1.0, abs=1e-3)
    assert not keep_index(file, tmp_path, going_on=lambda _: None)  # one of 6,000 is missing


def test_an_index_is_made_anew_while_searches_go_on(tmp_path: Path) -> None:
    vectors = made()
    old = vector_index_of(indexed(vectors, tmp_path), rows_of_all(), tmp_path)
    query, found, stop = made(1, seed=3)[0], [], threading.Event()

    def search() -> None:
        while not stop.is_set():
            found.append(best(old, query))

    searching = threading.Thread(target=search)
    searching.start()
    grown = stored(np.concatenate([vectors, made(600, seed=8)]), tmp_path)
    made_anew = keep_index(grown, tmp_path, going_on=lambda _: None)
    new = vector_index_of(grown, rows_of_all(COUNT + 600), tmp_path)
    new_best = best(new, query)
    stop.set()
    searching.join()
    assert made_anew
    assert found
    assert all(each == found[0] for each in found)
    assert len(list(tmp_path.glob("search-*"))) == 1
    assert recall(new, VectorIndex(new.whole()), query[None]) == 1.0
    assert new_best[0] in best(VectorIndex(new.whole()), query)


def test_what_words_score_at_best_is_nearly_what_it_is(tmp_path: Path) -> None:
    vector_index = vector_index_of(indexed(made(), tmp_path), rows_of_all(), tmp_path)
    words = made(100, seed=11)
    exact = VectorIndex(vector_index.whole()).best_of(words)
    assert np.abs(vector_index.best_of(words) - exact).max() < 0.02
    assert np.median(np.abs(vector_index.best_of(words) - exact)) < 0.003


def test_a_missing_or_broken_index_costs_time_and_nothing_else(tmp_path: Path) -> None:
    vectors = made()
    file, query = stored(vectors, tmp_path), made(1, seed=2)[0]
    exact = best(VectorIndex(file.astype(np.float32)), query)
    assert best(vector_index_of(file, rows_of_all(), tmp_path), query) == exact
    whole = tmp_path / f"search-{COUNT}.ivf"
    for damage in (b"no index", b"\0" * (COUNT * DIM + 10)):
        whole.write_bytes(damage)
        assert best(vector_index_of(file, rows_of_all(), tmp_path), query) == exact
    whole.unlink()
    indexed(vectors, tmp_path)
    whole.write_bytes(whole.read_bytes()[: COUNT * DIM - 1])  # cut off
    assert best(vector_index_of(file, rows_of_all(), tmp_path), query) == exact


def test_a_broken_index_is_made_anew_and_leftovers_go(tmp_path: Path) -> None:
    file, whole = indexed(made(), tmp_path), tmp_path / f"search-{COUNT}.ivf"
    (tmp_path / ".tmp-1-search").write_bytes(b"of a process that was killed")
    (tmp_path / "search-12 (copy).ivf").write_bytes(b"whatever")
    for damage in (b"cut off", b"\0" * (COUNT * DIM + 10)):
        whole.write_bytes(damage)
        assert keep_index(file, tmp_path, going_on=lambda _: None)
        assert isinstance(vector_index_of(file, rows_of_all(), tmp_path), StoredVectorIndex)
        assert "an index of" in vector_index_of(file, rows_of_all(), tmp_path).how
    assert [each.name for each in tmp_path.iterdir() if each.suffix != ".f16"] == [whole.name]
    assert not keep_index(file, tmp_path, going_on=lambda _: None)


def test_a_wish_to_stop_leaves_nothing_behind(tmp_path: Path) -> None:
    class Stop(Exception):  # noqa: N818
        pass

    def going_on(share: float) -> None:
        if share:
            raise Stop

    file, before = stored(made(), tmp_path), {*tmp_path.iterdir()}
    block, vector_indexes.BLOCK = vector_indexes.BLOCK, 1_000
    try:
        with pytest.raises(Stop):
            keep_index(file, tmp_path, going_on=going_on)
    finally:
        vector_indexes.BLOCK = block
    assert {*tmp_path.iterdir()} == before
