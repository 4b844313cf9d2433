"""Which images carry the labels that a query asks for."""

from __future__ import annotations

import difflib

import numpy as np
from numpy.typing import NDArray

from atlas_rt.core.arrays import Ids
from atlas_rt.core.images import LibraryPlace
from atlas_rt.errors import AtlasError
from atlas_rt.library.store import StoreReader
from atlas_rt.search.labels import SURE
from atlas_rt.search.query import Filter

NEAR = 0.75
"""Share of a word that has to agree for it to be offered: what was mistyped, and not "apron" for "cartoon"."""


class LabelIndex:
    """The labels of one model in one library. Belongs to the thread that asks first, which closes it too."""

    def __init__(self, place: LibraryPlace, model_id: str) -> None:
        self._place, self._model_id = place, model_id
        self._store: StoreReader | None = None

    def among(self, wanted: Filter, ids: Ids) -> tuple[NDArray[np.bool_], str]:
        """(n,) which of the images, ascending by id, pass; and a sentence where a wanted label is on none of all."""
        passes, sentence = np.ones(len(ids), np.bool_), ""
        try:
            store = self._store = self._store or StoreReader.open(self._place.folder)
            for word in wanted.having:
                found = self._found(store, word)
                sentence = sentence or ("" if len(found) else self._no_such(store, word))
                passes &= np.isin(ids, found)
            for word in wanted.lacking:
                passes &= ~np.isin(ids, self._found(store, word))
        except AtlasError as error:
            self.close()  # the next query opens it again
            return np.zeros(len(ids), np.bool_), f"labels cannot be read: {error}"
        return passes, sentence

    def _found(self, store: StoreReader, word: str) -> Ids:
        """Labels are singular; who types several means each."""
        found = store.labelled(word, self._model_id, least=SURE)
        return found if len(found) or not word.endswith("s") else self._found(store, word[:-1])

    def _no_such(self, store: StoreReader, word: str) -> str:
        words = {known.lower(): known for known in store.label_words(self._model_id, least=SURE)}
        near = difflib.get_close_matches(word.lower(), words, n=1, cutoff=NEAR)
        meant = f" The nearest label is “{words[near[0]]}”." if near else ""
        return f"No image here is labelled “{word}”.{meant}"

    def close(self) -> None:
        if self._store is not None:
            self._store.close()
            self._store = None
