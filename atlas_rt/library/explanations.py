"""What Claude said of clusters, kept by what the clusters hold, and by what was sent.

An answer is found again in two ways: by the hash of its request, so nothing is asked twice, and by the contents of its
cluster, as names that a person gave are (`cluster_names`), so it outlives maps, models and caches.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from atlas_rt.library.personal_data import Kept, PersonalFile

SAMPLE = 64
"""Contents kept with an answer: enough to tell a half from a third, 3 KB."""
SAME = 0.5


@dataclass(frozen=True, slots=True)
class KeptClaim:
    """contents: hashes of the images that it is about."""

    text: str
    contents: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class KeptExplanation:
    """One answer. request: the hash of what was sent. name: empty where no name of Claude's fitted. date: 2026-11-28.
    size: how many contents the cluster had; contents: those with the smallest hashes, ascending."""

    request: str
    name: str
    why: str
    claims: tuple[KeptClaim, ...]
    model: str
    language: str
    date: str
    cost_usd: float
    size: int
    contents: tuple[bytes, ...]


class Explanations:
    """The file of all answers."""

    def __init__(self, folder: Path) -> None:
        self._file = PersonalFile(folder, "explanations", read=_read, write=_write)

    @property
    def path(self) -> Path:
        return self._file.path

    def read(self) -> Kept[KeptExplanation]:
        """All answers, the newest last. Raises MissingError where they may not be read."""
        return self._file.read()

    def answer_to(self, request: str) -> KeptExplanation | None:
        """What was answered to this very request."""
        return next((each for each in reversed(self.read().entries) if each.request == request), None)

    def keep(self, answer: KeptExplanation) -> None:
        """Keep an answer; it replaces those to the same request, and those of the same model and language about the
        same images. Raises MissingError where it cannot be kept."""

        def changed(answers: tuple[KeptExplanation, ...]) -> tuple[KeptExplanation, ...]:
            return (*(each for each in answers if not _replaced(each, answer)), answer)

        self._file.change(changed)


def sample_of(contents: Collection[bytes]) -> tuple[bytes, ...]:
    """Those of a cluster's contents that are kept: a random sample, the same for the same images."""
    return tuple(sorted(set(contents))[:SAMPLE])


def _replaced(old: KeptExplanation, new: KeptExplanation) -> bool:
    shared = len(set(old.contents) & set(new.contents))
    same = shared > SAME * max(len(old.contents), len(new.contents))
    return old.request == new.request or (same and (old.model, old.language) == (new.model, new.language))


def _read(facts: object) -> KeptExplanation:
    if not isinstance(facts, dict):
        raise TypeError
    claims = tuple(KeptClaim(str(each["text"]), _bytes(each["contents"])) for each in facts["claims"])
    texts = {name: str(facts[name]) for name in ("request", "name", "why", "model", "language", "date")}
    contents = _bytes(facts["contents"])
    return KeptExplanation(
        **texts, claims=claims, cost_usd=float(facts["cost_usd"]), size=int(facts["size"]), contents=contents
    )


def _write(answer: KeptExplanation) -> dict[str, object]:
    claims = [{"text": each.text, "contents": _hex(each.contents)} for each in answer.claims]
    names = ("request", "name", "why", "model", "language", "date", "cost_usd", "size")
    return {name: getattr(answer, name) for name in names} | {"claims": claims, "contents": _hex(answer.contents)}


def _bytes(texts: list[str]) -> tuple[bytes, ...]:
    return tuple(bytes.fromhex(each) for each in texts)


def _hex(contents: tuple[bytes, ...]) -> list[str]:
    return [each.hex() for each in contents]
