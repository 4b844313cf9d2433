"""Whether a library can be shown as a model sees it, and waiting until it can.

A library holds the vectors and maps of any number of models, each in a folder of its own, and its images have the same
ids in all of them. So the map that one model made stays on screen while another one encodes, and gives way to the
other's when that is whole.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from atlas_rt.core.channels import Latest
from atlas_rt.core.images import LibraryPlace
from atlas_rt.encoders import registry
from atlas_rt.encoders.registry import Model
from atlas_rt.errors import AtlasError
from atlas_rt.library import maps
from atlas_rt.library.store import StoreReader
from atlas_rt.library.tables.remembered_shards import listed_model
from atlas_rt.mapping.fit import SMALLEST_FIT
from atlas_rt.workers.worker import Announce, Worker, unheard

LOOK_SECS = 1.0
WHOLE_SHARE = 0.9
"""A fitted map is shown once so many of the images are encoded: the others are placed in it as they come."""


def is_ready(place: LibraryPlace, model_id: str) -> bool:
    """Whether the model's newest map is the one to show: fitted, or of so few images that none is, and of nearly all.

    Raises AtlasError where the library cannot be read.
    """
    newest = maps.newest(place.folder / model_id)
    if newest is None:
        return False
    with StoreReader.open(place.folder) as store:
        images, encoded = store.encodable(model_id)  # those of absent folders follow when these are back
    if newest.kind == maps.FIT:
        return encoded >= WHOLE_SHARE * images
    return images < SMALLEST_FIT and newest.images >= encoded >= images


def models_to_show(place: LibraryPlace, wanted: Model, cache: Path) -> tuple[Model, Model]:
    """The wanted model, and the one to open a library with (`model_to_show`). Of a library whose images shards list
    the wanted one is the one that their vectors are of."""
    listed = listed_model(place.folder)
    with suppress(AtlasError):  # the engine says why
        wanted = registry.load(listed, cache) if listed else wanted
    return wanted, model_to_show(place, wanted, cache)


def model_to_show(place: LibraryPlace, wanted: Model, cache: Path) -> Model:
    """The model to open a library with: the wanted one, or until that has a map another that is installed and has one,
    the newest of several."""
    try:
        if not (place.folder / "library.db").exists() or is_ready(place, wanted.id):
            return wanted
        others = [model for model in registry.known(cache) if model.id != wanted.id and is_ready(place, model.id)]
    except AtlasError:  # whoever opens it says why
        return wanted
    return max(others, key=lambda model: _made_secs(place, model), default=wanted)


def _made_secs(place: LibraryPlace, model: Model) -> float:
    newest = maps.newest(place.folder / model.id)
    return newest.made_secs if newest else 0.0


class ReadinessLookout(Worker):
    """A thread that ends once the library can be shown as a model sees it, whichever process makes that map."""

    part = "next map"
    lost = "This window will not notice when the map of the new model is there"

    def __init__(self, place: LibraryPlace, model_id: str, *, announce: Announce = unheard) -> None:
        super().__init__(announce=announce)
        self._place, self._model_id = place, model_id
        self._ready: Latest[bool] = Latest()
        self.start()

    def take(self) -> bool:
        """Whether it has become so since the last call; never waits."""
        return self._ready.take() is not None

    def work(self) -> None:
        while not self.closing:
            if self._looks_ready():
                self._ready.put(True)
                return
            self.rest(LOOK_SECS)

    def _looks_ready(self) -> bool:
        try:
            return is_ready(self._place, self._model_id)
        except AtlasError:  # it is being written, or cleaned
            return False
