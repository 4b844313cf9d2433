"""Words for what the store holds: in the batch where they are at hand, afterwards where they are not or no longer hold.

The vocabulary's vectors take seconds the first time (a millisecond a word), which no image waits for: a thread makes
them while files are decoded. Images stored meanwhile are labelled when it is done, and all of them when another
vocabulary, a word of the person's own or another temperature makes other labels. That costs no decoding, as vectors
are stored: 10,000 images a second.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

import numpy as np

from atlas_rt.core.arrays import Floats, Ids
from atlas_rt.core.runtime import ANYWHERE, Runtime
from atlas_rt.encoders.registry import Model
from atlas_rt.library.store import LABELS, Labels
from atlas_rt.library.store_writer import StoreWriter
from atlas_rt.library.vectors import VectorFile
from atlas_rt.search.labels import StoppedError, Vocabulary, load_vocabulary, read_own_words, vocabulary_key

BLOCK = 2048
"""Images labelled in one transaction: a fifth of a second."""
STOP_SECS = 5.0


class Labeller:
    """The vocabulary of one model. Owned by the engine's main thread; its thread only loads.

    remark: what of the person's own words is not used. fresh: the model has no vectors in the library yet, so all its
    labels will be of this vocabulary. key: of the vocabulary, known before it is there.
    """

    def __init__(
        self, model: Model, cache: Path, own_file: Path | None, *, runtime: Runtime = ANYWHERE, fresh: bool = False
    ) -> None:
        own = read_own_words(own_file)
        self.remark, self.key = own.remark, vocabulary_key(model, own.words)
        self._model, self._runtime, self._fresh = model, runtime, fresh
        self._closed = threading.Event()
        self._vocabulary: Future[Vocabulary] = Future()
        self._thread = threading.Thread(target=self._load, args=(cache, own.words), name="words", daemon=True)
        self._thread.start()

    def _load(self, cache: Path, own: tuple[str, ...]) -> None:
        try:
            wanted = lambda: not self._closed.is_set()  # noqa: E731
            vocabulary = load_vocabulary(self._model, cache, own=own, runtime=self._runtime, wanted=wanted)
            self._vocabulary.set_result(vocabulary)
        except StoppedError:
            self._vocabulary.cancel()
        except BaseException as error:  # noqa: BLE001 - it is raised again where the vocabulary is asked for
            self._vocabulary.set_exception(error)

    def close(self) -> None:
        """Ends the loading, too."""
        self._closed.set()
        self._thread.join(STOP_SECS)

    def vocabulary(self, waiting: Callable[[], None], *, every_secs: float = 0.05) -> Vocabulary:
        """The vocabulary, once it is there. waiting: called meanwhile; what it raises ends the wait.

        Raises MissingError where the model's text tower cannot be used.
        """
        while not self._vocabulary.done():
            waiting()
            self._closed.wait(every_secs)
        return self._vocabulary.result()

    @property
    def ready(self) -> bool:
        """The vocabulary is there, and nothing stood in its way."""
        return self._vocabulary.done() and not self._vocabulary.cancelled() and self._vocabulary.exception() is None

    def label(self, vectors: Floats) -> list[Labels] | None:
        """The words of (n, dim) vectors, None as long as the vocabulary is not there. Never waits."""
        if not self._vocabulary.done() or self._vocabulary.exception():
            return None
        # by what is stored of them, as whoever is labelled late is: else words would depend on timing
        stored = vectors.astype(np.float16).astype(np.float32)
        return list(self._vocabulary.result().label(stored))

    def catch_up(
        self, store: StoreWriter, vectors: VectorFile, *, waiting: Callable[[], None], told: Callable[[int, int], None]
    ) -> None:
        """Label every image that has no words, or all where their words are those of another vocabulary.

        told(done, total) is called after each transaction; what it raises ends the work, and the next run goes on.
        """
        vocabulary = self.vocabulary(waiting)
        setting = LABELS.format(model=self._model.id)
        known = vocabulary.key if self._fresh else store.setting(setting)
        stale = known != vocabulary.key
        ids, rows = store.encoded(self._model.id)
        if not stale:
            lacking = np.isin(ids, store.unlabelled(self._model.id))
            ids, rows = ids[lacking], rows[lacking]
        for start in range(0, len(ids), BLOCK):
            part = vectors.array()[rows[start : start + BLOCK]].astype(np.float32)
            store.label(self._model.id, _by_id(ids[start : start + BLOCK], vocabulary.label(part)))
            told(min(start + BLOCK, len(ids)), len(ids))
        if stale or self._fresh:
            store.set_setting(setting, vocabulary.key)
            self._fresh = False


def _by_id(ids: Ids, labels: list[tuple[tuple[str, float], ...]]) -> dict[int, Labels]:
    return dict(zip(ids.tolist(), labels, strict=True))
