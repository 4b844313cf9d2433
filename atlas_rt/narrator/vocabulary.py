"""The narrator that is always there: the vocabulary's words, offline."""

from __future__ import annotations

from collections.abc import Collection

from atlas_rt.aws.stoppable_call import Stop, never
from atlas_rt.core.explanations import Claim, Explanation
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
        """The cluster's own name and reason, with the pictures that carry its labels."""
        if on_text is not None:
            on_text(subject.why)
        return Explanation(subject.name, subject.why, claims_of(subject), "vocabulary")


def claims_of(subject: Subject) -> tuple[Claim, ...]:
    """The labels that most pictures of the sheet carry, with the images that do."""
    return tuple(
        Claim(f"looks like: {word}", tuple(subject.pictures[number - 1].id for number in numbers))
        for word, numbers in subject.labels()[:CLAIMS]
        if len(numbers) >= LEAST
    )
