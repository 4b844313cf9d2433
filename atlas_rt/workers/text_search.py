"""What a query finds as text: by names, folders, captions, keywords, cameras, dates, and by its fields.

All words must match. A match by a label alone counts as one by meaning, since the labels come from the same vectors: it
says so, and stands where its score puts it. So does one by a folder, a camera or a year that over half of the library
has: that is offered as a filter, as a list of nearly everything answers nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import TypeVar

import numpy as np

from atlas_rt.core.answers import Offer
from atlas_rt.core.arrays import Ids
from atlas_rt.core.images import LibraryPlace
from atlas_rt.core.rows import IdMask, Mask, rows_of
from atlas_rt.core.scene import Scene
from atlas_rt.errors import AtlasError
from atlas_rt.library.store import StoreReader
from atlas_rt.library.text_index import NAMES, Word
from atlas_rt.search.fields import Condition
from atlas_rt.search.labels import SURE
from atlas_rt.workers.conditions import in_column, labelled, passing

OWN = ("name", "words", "keywords", "seen")
"""Columns that tell of a single picture."""
SHARED = {"folder": "folder", "camera": "camera", "lens": "lens", "place": "near", "taken": "date"}
"""Columns that many pictures have in common -> the field that asks for them."""
SAYS = {
    "folder": "“{}” is in the folder names of",
    "camera": "“{}” is the camera of",
    "lens": "“{}” is the lens of",
    "near": "“{}” is the place of",
    "date": "“{}” is the year of",
}
COMMON_SHARE = 0.5
"""Of the library. What more images share is a filter and no answer."""
WORDS_MAX = 24
"""A longer text is a description and no name; it is searched by meaning alone."""
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class TextHits:
    """What was found as text, as (n,) masks of the images.

    whole: images that have all words whole; begun: others that have words which begin so. labelled: images that carry
    a word as their label. words: what was looked for. offers: filters for what over half of the library shares.
    """

    whole: Mask
    begun: Mask
    labelled: Mask
    words: tuple[Word, ...] = ()
    offers: tuple[Offer, ...] = ()


class TextSearch:
    """The words of one library, with the labels of one model. Used by one thread at a time; whoever made it closes it.

    Where the library cannot be read, its methods give nothing and `trouble` says why.
    """

    def __init__(self, place: LibraryPlace, model_id: str) -> None:
        self._place, self._model_id = place, model_id
        self._store: StoreReader | None = None
        self._images = IdMask(np.zeros(0, np.int64))
        self.trouble = ""

    def passing(self, conditions: Sequence[Condition], ids: Ids, scene: Scene | None) -> tuple[Mask, list[str]]:
        """(n,) which of the images fulfil all conditions; and sentences on those that none fulfils."""
        images = self._masks_of(ids)
        otherwise: tuple[Mask, list[str]] = images.of(), []
        return self._asked(
            lambda store: passing(conditions, images, store=store, scene=scene, model_id=self._model_id), otherwise
        )

    def hits(self, text: str, wanted: Sequence[str], unwanted: Sequence[str], ids: Ids) -> TextHits:
        """The images that have all wanted words and none of the others. text: what was typed, for the offers."""
        images = self._masks_of(ids)
        nothing = TextHits(images.of(), images.of(), images.of())
        words = {typed: word for typed in wanted if (word := Word.typed(typed))}
        if not words or len(words) > WORDS_MAX:
            return nothing
        without = [word for typed in unwanted if (word := Word.typed(typed))]
        return self._asked(lambda store: _Hunt(store, self._model_id, words, images).found(text, without), nothing)

    def reasons(self, ids: Sequence[int], hits: TextHits) -> dict[int, tuple[str, ...]]:
        """By what each of some images was found, as words for a person; nothing for those that were not."""
        rows, _ = rows_of(self._images.ids, np.array(ids, np.int64))
        as_text = [id_ for id_, found in zip(ids, (hits.whole | hits.begun)[rows].tolist(), strict=True) if found]
        nothing: dict[int, dict[str, str]] = {}
        columns = self._asked(lambda store: store.texts.columns_of(as_text), nothing) if as_text else nothing
        reasons = {id_: [each for word in hits.words for each in word.reasons(of)] for id_, of in columns.items()}
        for id_, is_labelled in zip(ids, hits.labelled[rows].tolist(), strict=True):
            if is_labelled:
                reasons.setdefault(id_, []).append("label")
        return {id_: tuple(dict.fromkeys(each)) for id_, each in reasons.items()}

    def newest(self, ids: Ids) -> Ids:
        """The same images, the newest first."""
        return self._asked(lambda store: store.finder.newest(ids), ids)

    def values(self, field: str) -> Sequence[str]:
        """Values of a field that images have, the most common first; none of fields that are not told of."""
        nothing: Sequence[str] = ()
        if field == "label":
            return self._asked(lambda store: store.label_words(self._model_id, least=SURE), nothing)
        return self._asked(lambda store: store.finder.values(field), nothing)

    @property
    def pending(self) -> int:
        """How many images wait for the engine to read their words."""
        return self._asked(lambda store: store.texts.pending, 0)

    def close(self) -> None:
        if self._store is not None:
            self._store.close()
            self._store = None

    def _masks_of(self, ids: Ids) -> IdMask:
        if self._images.ids is not ids:
            self._images = IdMask(ids)
        return self._images

    def _asked(self, question: Callable[[StoreReader], Answer], otherwise: Answer) -> Answer:
        try:
            self._store = self._store or StoreReader.open(self._place.folder)
            answer, self.trouble = question(self._store), ""
        except AtlasError as error:
            self.close()  # the next query opens it again
            self.trouble = f"Names and fields cannot be searched: {error}"
            return otherwise
        return answer


class _Hunt:
    """One query over one library. words: typed -> the word."""

    def __init__(self, store: StoreReader, model_id: str, words: dict[str, Word], images: IdMask) -> None:
        self._store, self._words, self._images = store, words, images
        self._labelled = {word: images.of(labelled(store, typed, model_id)) for typed, word in words.items()}
        self._inside = {
            (word, column): images.of(ids)
            for word in words.values()
            for column, ids in store.texts.holding(word.inside).items()
        }
        special = [word for word in words.values() if self._beyond(word).any()]
        self._plain = " AND ".join(word.expression() for word in words.values() if word not in special)
        self._special = special

    def found(self, text: str, without: Sequence[Word]) -> TextHits:
        words, no = tuple(self._words.values()), self._images.of()
        labels = reduce(np.bitwise_or, self._labelled.values(), no)
        everywhere = self._everywhere(without)
        if not everywhere.any():
            return TextHits(no, no, labels, words)
        exact = everywhere & self._with_any(OWN)
        shared = everywhere & ~exact
        if (shared & labels).any():  # labels alone may have brought it here
            shared &= self._with_any(SHARED)
        offers = self._offers(text) if shared.sum() > COMMON_SHARE * len(shared) else ()
        if not offers:
            exact |= shared
        whole = exact
        if exact.any():
            whole = exact & self._matching(" AND ".join(word.expression(whole=True) for word in words))
        return TextHits(whole, exact & ~whole, labels, words, offers)

    def _everywhere(self, without: Sequence[Word]) -> Mask:
        """The images that have all words, in whatever of them."""
        found = self._images.of(self._store.texts.matching(self._plain)) if self._plain else self._images.all()
        for word in self._special:
            if found.any():
                found &= self._matching(word.expression()) | self._beyond(word)
        for word in without:
            if found.any():
                found &= ~self._matching(word.expression(whole=True))
        return found

    def _beyond(self, word: Word) -> Mask:
        """What FTS5 does not know: labels, and what stands inside of words."""
        return reduce(np.bitwise_or, (self._inside[word, column] for column in NAMES), self._labelled[word])

    def _with_any(self, columns: Iterable[str]) -> Mask:
        """The images that have one of the words in one of these columns."""
        columns = tuple(columns)
        found = self._matching(" OR ".join(word.expression(columns) for word in self._words.values()))
        return reduce(
            np.bitwise_or, (inside for (_, column), inside in self._inside.items() if column in columns), found
        )

    def _matching(self, expression: str) -> Mask:
        """Among those that have all words that FTS5 alone knows: it is done before they are many."""
        expression = f"({self._plain}) AND ({expression})" if self._plain else expression
        return self._images.of(self._store.texts.matching(expression))

    def _offers(self, text: str) -> tuple[Offer, ...]:
        """Filters in place of words that over half of the library shares."""
        offers = []
        for typed, word in self._words.items():
            for column, name in SHARED.items():
                count = int(self._images.of(in_column(self._store, word, column)).sum())
                if count > COMMON_SHARE * len(self._images.ids) and (name != "date" or re.fullmatch(r"\d{4}", typed)):
                    filter_ = str(Condition(name, typed))
                    says = SAYS[name].format(typed)
                    offers.append(Offer(filter_, says, _with_filter(text, typed, filter_), count))
                    break
        return tuple(offers)


def _with_filter(text: str, typed: str, filter_: str) -> str:
    """What was typed with a filter in place of a word."""
    return re.sub(rf'(?<!\S)\+?"?{re.escape(typed)}"?(?!\S)', filter_.replace("\\", r"\\"), text, count=1)
