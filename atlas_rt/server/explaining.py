"""Why the images of a cluster stand together: the one place where an explainer is chosen.

`VocabularyExplainer` always answers, offline, from the everyday words of the images. Another one, such as Claude, is
handed to `rest.build` in its place; it raises AtlasError with a sentence where it may not or cannot answer.
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


class VocabularyExplainer:
    """Words that the typical images of a cluster carry, and the reason for its name."""

    def explain(self, reader: LibraryReader, cluster: int) -> Explanation:
        """See `Explainer`."""
        facts = reader.cluster(cluster).cluster
        return Explanation(
            cluster=facts.id,
            name=facts.name,
            text=facts.why,
            words=reader.words(facts.exemplars),
            evidence=facts.exemplars,
            explained_by="vocabulary",
        )
