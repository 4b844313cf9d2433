"""The one interface to whoever names and explains images: clusters, selections, views, and how two groups differ."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Protocol

from atlas_rt.aws.stoppable_call import Stop, never
from atlas_rt.core.explanations import Explanation
from atlas_rt.library.cluster_names import LENGTH_MAX
from atlas_rt.narrator.subject import Subject

OnText = Callable[[str], None]
"""Hears all that can be read of an answer whenever more of it has come: its reasons, a line for each sentence. One that
is asked for again begins anew."""


class Narrator(Protocol):
    """Names and explains. One call at a time, from any thread; a call may take seconds, and can be stopped."""

    def explain(
        self,
        subject: Subject,
        *,
        taken: Collection[str] = (),
        on_text: OnText | None = None,
        stop: Stop = never,
    ) -> Explanation:
        """taken: names of other clusters, from which a cluster's will differ. Raises AtlasError with a sentence."""
        ...


def told_apart(name: str, taken: Collection[str], words: Collection[str]) -> str:
    """A name that no other group has: with the first word that adds something, else with a number."""
    others = {each.casefold() for each in taken}
    if name.casefold() not in others:
        return name
    ends = [f" ({word})" for word in words if word.casefold() not in name.casefold()]
    ends += [f" {number}" for number in range(2, len(others) + 3)]
    told = (name[: LENGTH_MAX - len(end)].rstrip() + end for end in ends)
    return next(each for each in told if each.casefold() not in others)
