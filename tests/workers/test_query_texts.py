"""Earlier searches on their thread: read once, written soon, and told of where that is impossible."""

from __future__ import annotations

from pathlib import Path

import pytest

from atlas_rt.core.images import LibraryPlace
from atlas_rt.library.query_texts import QueryTexts
from atlas_rt.workers.query_texts import QueryTextWorker
from tests.libraries import wait_for


def place(folder: Path) -> LibraryPlace:
    return LibraryPlace(folder / "libraries" / "0123", (str(folder / "pictures"),))


def test_what_is_kept_is_there_for_the_next_window_also_when_it_closes_at_once(tmp_path: Path) -> None:
    first = QueryTextWorker(place(tmp_path), QueryTexts(tmp_path / "data"), data_named=False)
    assert wait_for(lambda: first.take() == ())
    for number in range(20):
        first.keep(f"search {number}")
    first.close()
    second = QueryTextWorker(place(tmp_path), QueryTexts(tmp_path / "data"), data_named=False)
    assert wait_for(second.take) == tuple(f"search {number}" for number in range(20))
    assert second.take() is None
    second.close()


@pytest.mark.usefixtures("quick_retries")
def test_a_data_folder_that_cannot_be_written_costs_the_window_nothing(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file stands here")
    worker = QueryTextWorker(place(tmp_path), QueryTexts(tmp_path / "data"), data_named=False)
    worker.keep("search")
    wait_for(lambda: worker.trouble)
    assert worker.trouble.startswith("Earlier searches are not kept")
    for number in range(200):
        worker.keep(str(number))  # nobody waits for it
    (tmp_path / "data").unlink()
    worker.retry()
    wait_for(lambda: QueryTexts(tmp_path / "data").of("0123"))
    worker.close()


@pytest.mark.usefixtures("quick_retries")
def test_nothing_is_written_into_the_pictures(tmp_path: Path) -> None:
    data = tmp_path / "pictures" / "data"
    worker = QueryTextWorker(place(tmp_path), QueryTexts(data), data_named=False)
    worker.keep("search")
    wait_for(lambda: worker.trouble)
    assert "lies inside the source" in worker.trouble
    assert not data.exists()
    worker.close()
