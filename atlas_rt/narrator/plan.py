"""What would be sent about which groups, to whom, and what it costs: what a person agrees to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from atlas_rt.aws import claude_models
from atlas_rt.core.maps import Cluster
from atlas_rt.core.scene import Scene
from atlas_rt.library.explanations import KeptExplanation
from atlas_rt.narrator.claude import Manner, estimate_usd
from atlas_rt.narrator.contact_sheet import sheet_size
from atlas_rt.narrator.subject import Subject


@dataclass(frozen=True, slots=True)
class Plan:
    """subjects: at least one. region: empty where none is set. usd: what each costs about. spent: dollars on this
    library, and on all this month."""

    subjects: tuple[Subject, ...]
    manner: Manner
    region: str
    usd: tuple[float, ...]
    spent: tuple[float, float]

    @property
    def largest_px(self) -> tuple[int, int]:
        """Width and height of the largest contact sheet."""
        return max(sheet_size(len(sheet)) for subject in self.subjects for sheet in subject.sheets)

    @property
    def priced(self) -> bool:
        """Whether the model's price is known; if not, the dearest is taken."""
        return claude_models.model_of(self.manner.model_id).priced


def plan_of(subjects: Sequence[Subject], manner: Manner, region: str, spent: tuple[float, float]) -> Plan:
    usd = tuple(estimate_usd(subject, manner) for subject in subjects)
    return Plan(tuple(subjects), manner, region, usd, spent)


def unexplained(scene: Scene, explained: Mapping[int, KeptExplanation], language: str) -> list[Cluster]:
    """The clusters that Claude has not explained in this language, and that no person named."""
    return [
        record
        for record in scene.cluster_records
        if record.named_by != "user" and (record.id not in explained or explained[record.id].language != language)
    ]
