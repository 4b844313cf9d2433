"""The folder of images that other programs sent to a library: taken in as a source as soon as it is there."""

from __future__ import annotations

from pathlib import Path

from atlas_rt.library.store_writer import StoreWriter


class ReceivedFolder:
    """Whether the folder has come. Owned by the engine's main thread."""

    def __init__(self, folder: Path | None, store: StoreWriter) -> None:
        """folder: None where nothing can be sent."""
        self._folder, self._store = folder, store

    def appeared(self) -> bool:
        """Whether the folder has come since it was last asked for; it belongs to the library from then on. One call of
        the file system, and none once the folder is there."""
        if self._folder is None or not self._folder.is_dir():
            return False
        path, self._folder = str(self._folder), None
        if path in self._store.extras():
            return False
        self._store.add_extras((path,))
        return True
