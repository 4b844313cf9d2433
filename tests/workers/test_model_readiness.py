"""Whether a library can be shown as a model sees it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from atlas_rt.workers.model_readiness import is_ready
from tests.libraries import Library

STARTER = "SELECT DISTINCT model FROM vectors"


def test_images_of_an_absent_folder_hold_up_no_other_model(indexed: Library, tmp_path: Path) -> None:
    """Nobody can encode them before it is back; those that can be encoded and are not do hold it up."""
    library = indexed.copy(tmp_path)
    with closing(sqlite3.connect(library.place.folder / "library.db")) as database, database:
        ((model,),) = database.execute(STARTER).fetchall()
        database.execute("DELETE FROM vectors WHERE image_id % 3 = 0")
    assert not is_ready(library.place, model)
    with closing(sqlite3.connect(library.place.folder / "library.db")) as database, database:
        database.execute("UPDATE images SET present = 0 WHERE id % 3 = 0")
    assert is_ready(library.place, model)
