"""What the person permits Claude to be asked: whether at all, which model and where, in what language, for how much."""

from __future__ import annotations

from dataclasses import dataclass

from atlas_rt.aws import claude_models
from atlas_rt.aws.session import open_session, region_of
from atlas_rt.errors import MissingError
from atlas_rt.narrator.claude import Manner
from atlas_rt.narrator.spending import Budget


@dataclass(frozen=True, slots=True)
class Permission:
    """closed: why nothing is sent at all, such as "--offline"; empty where it may be. consented: the person has agreed
    to what is sent before they see it. model, region: empty for those that AWS settings and region give. language: a
    code. file_names: whether they may be told."""

    closed: str
    consented: bool
    model: str
    region: str
    language: str
    file_names: bool
    budget: Budget

    def where(self) -> str:
        """The region that will be asked; empty where none is set, or boto3 is not here to say. Contacts nothing."""
        try:
            return region_of(open_session(), self.region)
        except MissingError:
            return self.region

    def manner(self, region: str) -> Manner:
        """How Claude is asked in a region."""
        return Manner(self.model or claude_models.default_model(region), self.language, self.file_names)
