"""What the person asks the narrator, and what the panels show of it. Owned by the main thread."""

from __future__ import annotations

from dataclasses import dataclass, field

from atlas_rt.core.narration import AnswerCard, Asking, NarratorView, Offer, ProposalPage, Spent, Topic
from atlas_rt.core.scene import Scene
from atlas_rt.core.word_names import IN_ENGLISH, Words
from atlas_rt.workers.claude import ClaudeRequest
from atlas_rt.workers.questions import Proposed


@dataclass(slots=True)
class NarratorState:
    """Plain state; as `NarratorView`, and besides:

    proposed: what the person is to agree to, at: which of its topics they look at. requests: those that have not ended.
    troubles: cluster -> why Claude did not explain it. words: the language in which answers were told.
    """

    closed: str = "no library is open"
    offer: Offer = field(default_factory=Offer)
    spent: Spent | None = None
    waiting: Topic | None = None
    proposed: Proposed | None = None
    at: int = 0
    page: ProposalPage | None = None
    asking: Asking | None = None
    requests: list[ClaudeRequest] = field(default_factory=list)
    card: AnswerCard | None = None
    troubles: dict[int, str] = field(default_factory=dict)
    words: Words = IN_ENGLISH

    def view(self, *, opened: int) -> NarratorView:
        """What the panels show in this frame. opened: the cluster whose page is open, -1 for none."""
        return NarratorView(
            closed=self.closed,
            offer=self.offer,
            spent=self.spent,
            waiting=self.waiting,
            proposal=self.proposed.proposal if self.proposed else None,
            page=self.page,
            asking=self.asking,
            card=self.card,
            trouble=self.troubles.get(opened, ""),
        )

    def keep_to(self, scene: Scene) -> None:
        """Let go of what is told of clusters that a new scene lacks."""
        ids = {record.id for record in scene.cluster_records}
        self.troubles = {cluster: trouble for cluster, trouble in self.troubles.items() if cluster in ids}

    def note(self, topic: Topic, trouble: str) -> None:
        """Claude did not answer this; empty where it did."""
        if topic.kind == "cluster":
            self.troubles[topic.clusters[0]] = trouble
