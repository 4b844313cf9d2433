"""What labels and clusters say of a selection, of a view, and of how two groups differ: answers of the vocabulary."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import zip_longest

from atlas_rt.core.explanations import Claim, Explanation
from atlas_rt.library.cluster_names import LENGTH_MAX
from atlas_rt.narrator.label_counts import LEAST, LabelCounts, more_common
from atlas_rt.narrator.subject import Subject
from atlas_rt.search.cluster_words import WORDS

MOST = 0.5
PARTS = 3
"""Clusters in sight that are told one by one."""
UNKNOWN = "nothing is known of these images, as they have no labels"
NOTHING_SHARED = "no label is on more than one of them"
Evidence = tuple[str, tuple[int, ...]]
"""A statement, and the numbers of the pictures that show it."""


def selection_answer(subject: Subject) -> Explanation:
    """What most of the images share, what the rest of the library has less of, and the clusters that they are in."""
    labels, rest, shown = subject.groups[0].labels, subject.rest, subject.words.shown
    common = _common(labels)
    apart = _ahead(labels, rest)[:WORDS]
    told = [_look_like(labels, common, shown)]
    if apart:
        rarer = ", ".join(
            f"{shown(word)} ({labels.percent(word)} here, {rest.percent(word)} elsewhere)" for word in apart
        )
        told.append(f"what sets them apart: {rarer}")
    most, named = subject.parts[0], [part for part in subject.parts if part.name]
    if most.name and most.size > MOST * subject.size:
        told.append(f"{most.size:,} of {subject.size:,} are in the cluster “{most.name}”")
    elif len(named) > 1:
        told.append(f"they come from {len(named):,} clusters: {_divided(subject)}")
    claims = _labelled(subject, dict.fromkeys((*apart, *common)))
    return _answer(_listed([*dict.fromkeys(map(shown, common))]) or subject.name, told, subject, claims)


def view_answer(subject: Subject) -> Explanation:
    """Which clusters are in sight, and the commonest labels."""
    labels, shown = subject.groups[0].labels, subject.words.shown
    common = _common(labels)
    named = [part for part in subject.parts if part.name][:PARTS]
    told = [f"in sight: {_divided(subject)}", _look_like(labels, common, shown)]
    of_clusters = [
        (f"in the cluster “{part.name}”: {part.size:,} of {subject.size:,}", part.pictures) for part in named
    ]
    name = (
        _listed([part.name for part in named]) or _listed([*dict.fromkeys(map(shown, common))]) or images(subject.size)
    )
    return _answer(name, told, subject, [*of_clusters, *_labelled(subject, common)])


def difference_answer(subject: Subject) -> Explanation:
    """The labels whose shares differ most, with the images of both groups that carry them."""
    (first, second), shown = subject.groups, subject.words.shown
    names = [_quoted(first.name) or "the first group", _quoted(second.name) or "the second group"]
    sides = _ahead(first.labels, second.labels)[:WORDS], _ahead(second.labels, first.labels)[:WORDS]
    told = [
        f"{name} looks more like: {', '.join(dict.fromkeys(map(shown, words)))}"
        for name, words in zip(names, sides, strict=True)
        if words
    ]
    if not (first.labels and second.labels):
        told = [UNKNOWN]
    elif not told:
        told = ["no label is clearly commoner in one group than in the other"]
    if subject.shared:
        told.append(f"images in both groups are not compared: {subject.shared:,}")
    words = [word for pair in zip_longest(*sides) for word in pair if word]
    claims = [
        (f"{shown(word)}: {first.labels.told(word)} here, {second.labels.told(word)} there", subject.labelled(word))
        for word in words
    ]
    return _answer(subject.name, told, subject, claims)


def claims_about(subject: Subject, evidence: Iterable[Evidence]) -> tuple[Claim, ...]:
    """Statements with the images that show them; what no picture shows is left out."""
    return tuple(
        Claim(text, tuple(subject.pictures[number - 1].id for number in numbers))
        for text, numbers in evidence
        if numbers
    )


def images(count: int) -> str:
    return "1 image" if count == 1 else f"{count:,} images"


def _answer(name: str, told: Sequence[str], subject: Subject, evidence: Iterable[Evidence]) -> Explanation:
    return Explanation(name[:LENGTH_MAX].rstrip(), "; ".join(told), claims_about(subject, evidence), "vocabulary")


def _common(labels: LabelCounts) -> list[str]:
    """The labels that most images share; where most share none, the commonest that more than one carries."""
    best = [word for word in labels.common if labels.counts[word] >= min(LEAST, labels.counted)]
    most = [word for word in best if labels.share(word) >= MOST]
    return (most or best)[:WORDS]


def _look_like(labels: LabelCounts, words: Sequence[str], shown: Callable[[str], str]) -> str:
    """What is told of labels that `_common` found. shown: how they read to the person."""
    if not words:
        return NOTHING_SHARED if labels else UNKNOWN
    if labels.size == 1:
        return f"it looks like: {', '.join(dict.fromkeys(map(shown, words)))}"
    if labels.share(words[0]) >= MOST:
        return f"most look like: {', '.join(dict.fromkeys(map(shown, words)))}"
    return f"some look like: {', '.join(f'{shown(word)} ({labels.told(word)})' for word in words)}"


def _ahead(here: LabelCounts, there: LabelCounts) -> tuple[str, ...]:
    """The words that are clearly commoner here; none where nothing is known of one of both."""
    return more_common(here, there) if here and there else ()


def _labelled(subject: Subject, words: Iterable[str]) -> list[Evidence]:
    labels = subject.groups[0].labels
    return [(f"{subject.words.shown(word)}: {labels.told(word)}", subject.labelled(word)) for word in words]


def _divided(subject: Subject) -> str:
    """Images by their clusters: "40 of “dogs”, 12 of “cats”, 3 of another cluster, 5 in no cluster"."""
    named = [part for part in subject.parts if part.name]
    told = [f"{part.size:,} of “{part.name}”" for part in named[:PARTS]]
    if others := named[PARTS:]:
        clusters = "another cluster" if len(others) == 1 else f"{len(others):,} other clusters"
        told.append(f"{sum(part.size for part in others):,} of {clusters}")
    told += [f"{part.size:,} in no cluster" for part in subject.parts if not part.name]
    return ", ".join(told)


def _listed(words: Sequence[str]) -> str:
    """As many of the words as a title takes; of one that is too long for it, its beginning."""
    title = ", ".join(words)
    while len(title) > LENGTH_MAX and len(words) > 1:
        words = words[:-1]
        title = ", ".join(words)
    return title


def _quoted(name: str) -> str:
    return f"“{name}”" if name else ""
