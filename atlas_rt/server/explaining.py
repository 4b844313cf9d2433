"""Why the images of a cluster stand together: the one place where an explainer is chosen.

`KnownExplainer` always answers, and sends nothing: what Claude said when a person had the clusters explained, and else
what the everyday words of the images say. Another one is handed to `rest.build` in its place; it raises AtlasError with
a sentence where it may not or cannot answer.
"""

from __future__ import annotations

from typing import Protocol

from atlas_rt.server.answers import Explanation
from atlas_rt.server.library_reader import LibraryReader


class Explainer(Protocol):
    """Explains clusters. Called from several threads at once."""

    def explain(self, reader: LibraryReader, cluster: int) -> Explanation:
        """Raises UnknownError where the map has no such cluster."""
        ...


class KnownExplainer:
    """Tells what is known: of Claude, or the words that the typical images of a cluster carry."""

    def explain(self, reader: LibraryReader, cluster: int) -> Explanation:
        """See `Explainer`."""
        facts = reader.cluster(cluster).cluster
        words = reader.words(facts.exemplars)
        said = reader.said_by_claude(cluster)
        if said is None:
            return Explanation(facts.id, facts.name, facts.why, words, facts.exemplars, "vocabulary")
        evidence = sorted({id_ for claim in said.claims for id_ in claim.images})
        return Explanation(facts.id, facts.name, said.why, words, evidence, "claude", said.model, said.cost_usd)
