"""Why the images of a cluster stand together: what an explainer is, and the one that sends nothing.

`KnownExplainer` always answers: with what Claude said when a person had the clusters explained, and else with what the
everyday words of the images say. `claude_explainer` has the one that asks Claude, where the person who started the
server agreed to it.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

from atlas_rt.core import explanations
from atlas_rt.server.answers import Explanation
from atlas_rt.server.library_reader import LibraryReader


class Explainer(Protocol):
    """Explains clusters, for one event loop."""

    async def explain(self, reader: LibraryReader, cluster: int) -> Explanation:
        """Raises UnknownError where the map has no such cluster, and AtlasError with a sentence where it may not or
        cannot answer. May be cancelled at any moment."""
        ...

    def close(self) -> None:
        """Whoever waits is answered at once; nothing more is begun."""
        ...


class KnownExplainer:
    """Tells what is known: of Claude, or the words that the typical images of a cluster carry."""

    async def explain(self, reader: LibraryReader, cluster: int) -> Explanation:
        """See `Explainer`."""
        return await asyncio.to_thread(known, reader, cluster)

    def close(self) -> None:
        """It makes nobody wait."""


def known(reader: LibraryReader, cluster: int) -> Explanation:
    """What is known of a cluster. Raises UnknownError."""
    facts = reader.cluster(cluster).cluster
    said = reader.said_by_claude(cluster)
    if said is not None:
        return by_claude(reader, cluster, said)
    return Explanation(facts.id, facts.name, facts.why, reader.words(facts.exemplars), facts.exemplars, "vocabulary")


def by_claude(reader: LibraryReader, cluster: int, said: explanations.Explanation) -> Explanation:
    """What Claude said of a cluster, under the name that the map has for it. Raises UnknownError."""
    facts = reader.cluster(cluster).cluster
    evidence = sorted({id_ for claim in said.claims for id_ in claim.images})
    words = reader.words(facts.exemplars)
    return Explanation(facts.id, facts.name, said.why, words, evidence, "claude", said.model, said.cost_usd)
