"""What the page of a cluster tells, of a real library."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from atlas_rt.core.hud import ClusterPage
from atlas_rt.core.images import LibraryPlace
from atlas_rt.library.store import StoreReader
from atlas_rt.workers.cluster_pages import ClusterPageWorker, PageRequest, page_of
from atlas_rt.workers.scenes import Arrival
from tests.libraries import Library, wait_for


def test_a_page_tells_of_the_clusters_own_images_and_of_the_nearest_ones(indexed: Library, arrival: Arrival) -> None:
    scene = arrival.scene
    with StoreReader.open(indexed.place.folder) as store:
        pages = [page_of(PageRequest(each.id, scene, arrival.vector_index), store) for each in scene.cluster_records]
        gone = page_of(PageRequest(999, scene, arrival.vector_index), store)
    assert len(pages) > 1
    assert gone == ClusterPage(999)
    for record, page in zip(scene.cluster_records, pages, strict=True):
        own = set(scene.ids[scene.clusters == record.id].tolist())
        theirs = set(scene.ids[scene.clusters == page.nearest].tolist())
        assert page.nearest != record.id
        assert theirs
        assert {*page.typical, *page.borderline, *page.apart} <= own
        assert set(page.theirs) <= theirs
        assert len(page.typical) == min(8, len(own))
        assert page.typical[0] in record.exemplars
        assert sum(images for _, _, images in page.months) == len(own)
        assert all(2000 < year < 2100 and 1 <= month <= 12 for year, month, _ in page.months)
        shares = [share for _, share, _ in page.labels]
        assert shares == sorted(shares, reverse=True)
        assert all(0.0 < share <= 1.0 and 0.0 <= other <= 1.0 for _, share, other in page.labels)
    assert any(page.labels for page in pages)
    divided = [(record, page) for record, page in zip(scene.cluster_records, pages, strict=True) if page.subclusters]
    assert divided
    for record, page in divided:
        own = set(scene.ids[scene.clusters == record.id].tolist())
        parts = [set(scene.ids[scene.subclusters == each.id].tolist()) for each in page.subclusters]
        assert [each.size for each in page.subclusters] == sorted(map(len, parts), reverse=True)
        assert record.size / 2 <= sum(map(len, parts)) == len(set.union(*parts)) <= record.size
        assert set.union(*parts) <= own
        for each, part in zip(page.subclusters, parts, strict=True):
            assert each.name
            assert len(each.images) == 4
            assert set(each.images) <= part
            assert each.name not in each.words
    vectors = dict(zip(scene.ids.tolist(), arrival.vector_index.whole(), strict=True))
    page = pages[0]
    rows = {name: np.stack([vectors[id_] for id_ in getattr(page, name)]) for name in ("apart", "theirs")}
    along = rows["apart"].mean(axis=0) - rows["theirs"].mean(axis=0)
    assert (rows["apart"] @ along).min() > (rows["theirs"] @ along).max()


def test_a_library_that_cannot_be_read_is_told_on_the_page(tmp_path: Path, arrival: Arrival) -> None:
    worker = ClusterPageWorker(LibraryPlace(tmp_path, ()))
    worker.ask(PageRequest(3, arrival.scene, arrival.vector_index))
    page = wait_for(worker.take)
    worker.close()
    assert page.id == 3
    assert page.remark
    assert page.typical == ()
