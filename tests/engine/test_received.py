"""A library takes in the folder of images that other programs sent, whenever it comes."""

from __future__ import annotations

from pathlib import Path

from atlas_rt.engine.received import ReceivedFolder
from atlas_rt.library.store_writer import StoreWriter


def test_a_folder_belongs_to_the_library_once_it_is_there(tmp_path: Path) -> None:
    folder = tmp_path / "received"
    with StoreWriter.open(tmp_path) as store:
        received = ReceivedFolder(folder, store)
        assert not received.appeared()
        folder.mkdir()
        assert received.appeared()
        assert store.extras() == (str(folder),)
        assert not received.appeared()
        assert not ReceivedFolder(folder, store).appeared()  # at the next start it is known
        assert not ReceivedFolder(None, store).appeared()
