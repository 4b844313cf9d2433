"""The narrator that is always there: the vocabulary's words, offline."""

from __future__ import annotations

from collections.abc import Collection

from atlas_rt.aws.stoppable_call import Stop, never
from atlas_rt.core.explanations import CAPTION_MAX, Claim, Explanation
from atlas_rt.core.word_names import begun
from atlas_rt.narrator.label_answers import claims_about, difference_answer, images, selection_answer, view_answer
from atlas_rt.narrator.narrator import OnText
from atlas_rt.narrator.subject import Subject

CLAIMS = 3
LEAST = 2
"""A word of fewer pictures than this says nothing about their group."""


class VocabularyNarrator:
    """Says what is known already; costs nothing and contacts nobody."""

    def explain(
        self,
        subject: Subject,
        *,
        taken: Collection[str] = (),  # noqa: ARG002  the names of one map differ already
        on_text: OnText | None = None,
        stop: Stop = never,  # noqa: ARG002  it takes no time
    ) -> Explanation:
        """Names and reasons from labels and clusters, with the pictures that show them."""
        explanation = _ANSWERS[subject.kind](subject)
        if on_text is not None:
            on_text(explanation.why)
        return explanation


def claims_of(subject: Subject) -> tuple[Claim, ...]:
    """The labels that most pictures of the sheet carry, with the images that do."""
    return claims_about(
        subject, [(f"looks like: {subject.words.shown(word)}", subject.labelled(word)) for word in _words(subject)]
    )


def _cluster_answer(subject: Subject) -> Explanation:
    """The cluster's own name and reason."""
    name, why = _told(subject)
    return Explanation(name, why, claims_of(subject), "vocabulary", caption=_caption(subject))


def _caption(subject: Subject) -> str:
    """For the guided tour: what the cluster is called, how large it is, and why."""
    words = [subject.words.shown(word) for word in _words(subject)]
    called, reason = _told(subject)
    why = reason or (f"most of its pictures look like: {', '.join(words)}" if words else "")
    name = f"{called}, {images(subject.size)}" if called else images(subject.size)
    sentences = [f"{begun(each)}." for each in (name, why) if each]
    whole = " ".join(sentences)
    return whole if len(whole) <= CAPTION_MAX else sentences[0]


def _told(subject: Subject) -> tuple[str, str]:
    """Name and reason in the person's language; a name without a reason of the vocabulary's is somebody's own."""
    return (subject.words.name(subject.name), subject.words.reason(subject.why)) if subject.why else (subject.name, "")


def _words(subject: Subject) -> list[str]:
    return [word for word, numbers in subject.labels()[:CLAIMS] if len(numbers) >= LEAST]


_ANSWERS = {
    "cluster": _cluster_answer,
    "selection": selection_answer,
    "view": view_answer,
    "difference": difference_answer,
}
