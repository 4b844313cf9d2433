"""What Claude said, kept by what was sent, and of clusters also by what they hold.

An answer is found again in two ways: by the hash of its request, so nothing is asked twice, and by the contents of its
cluster, as names that a person gave are (`cluster_names`), so it outlives maps, models and caches. An answer about
anything else than a cluster is found by its request alone: it names no cluster, whatever its images are.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from atlas_rt.library.personal_data import Kept, PersonalFile

SAMPLE = 64
"""Contents kept with an answer: enough to tell a half from a third, 3 KB."""
SAME = 0.5
OTHERS_KEPT = 256
"""Answers about anything else than clusters that are kept, the newest: each is 1 KB of a file that is read whole."""
CLUSTER = "cluster"


@dataclass(frozen=True, slots=True)
class KeptClaim:
    """contents: hashes of the images that it is about."""

    text: str
    contents: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class KeptExplanation:
    """One answer. request: the hash of what was sent. name: empty where no name of Claude's fitted. date: 2026-11-28.
    size: how many contents a cluster had; contents: those with the smallest hashes, ascending; of anything else there
    are none. kind: of `core.explanations`. caption: empty for none."""

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
    kind: str = CLUSTER
    caption: str = ""


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
        """Keep an answer; it replaces those to the same request, and one about a cluster those of the same model and
        language about the same images. Raises MissingError where it cannot be kept."""

        def changed(answers: tuple[KeptExplanation, ...]) -> tuple[KeptExplanation, ...]:
            kept = (*(each for each in answers if not _replaced(each, answer)), answer)
            others = [each for each in kept if each.kind != CLUSTER]
            forgotten = {each.request for each in others[:-OTHERS_KEPT]}
            return tuple(each for each in kept if each.request not in forgotten)

        self._file.change(changed)


def sample_of(contents: Collection[bytes]) -> tuple[bytes, ...]:
    """Those of a cluster's contents that are kept: a random sample, the same for the same images."""
    return tuple(sorted(set(contents))[:SAMPLE])


def _replaced(old: KeptExplanation, new: KeptExplanation) -> bool:
    """Whether a new answer stands for an old one. Only clusters go by their images: two selections of the same images
    may have been asked about in two ways, and both were paid for."""
    if old.request == new.request:
        return True
    shared = len(set(old.contents) & set(new.contents))
    same = shared > SAME * max(len(old.contents), len(new.contents))
    both_of_clusters = old.kind == new.kind == CLUSTER
    return both_of_clusters and same and (old.model, old.language) == (new.model, new.language)


def _read(facts: object) -> KeptExplanation:
    if not isinstance(facts, dict):
        raise TypeError
    claims = tuple(KeptClaim(str(each["text"]), _bytes(each["contents"])) for each in facts["claims"])
    texts = {name: str(facts[name]) for name in ("request", "name", "why", "model", "language", "date")}
    return KeptExplanation(
        **texts,
        claims=claims,
        cost_usd=float(facts["cost_usd"]),
        size=int(facts["size"]),
        contents=_bytes(facts["contents"]),
        kind=str(facts.get("kind", CLUSTER)),  # older files hold only clusters, and no captions
        caption=str(facts.get("caption", "")),
    )


def _write(answer: KeptExplanation) -> dict[str, object]:
    claims = [{"text": each.text, "contents": _hex(each.contents)} for each in answer.claims]
    names = ("request", "name", "why", "model", "language", "date", "cost_usd", "size", "kind", "caption")
    return {name: getattr(answer, name) for name in names} | {"claims": claims, "contents": _hex(answer.contents)}


def _bytes(texts: list[str]) -> tuple[bytes, ...]:
    return tuple(bytes.fromhex(each) for each in texts)


def _hex(contents: tuple[bytes, ...]) -> list[str]:
    return [each.hex() for each in contents]
