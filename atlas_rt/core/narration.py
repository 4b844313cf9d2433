"""What is asked of a narrator, and what the window tells of it. Frozen."""

from __future__ import annotations

from dataclasses import dataclass

from atlas_rt.core.explanations import Explanation


@dataclass(frozen=True, slots=True)
class Topic:
    """What a question is about.

    kind: "cluster"; "selection", why these images are together; "view", what one looks at; "difference", how two
    clusters differ. ids: of the images of a selection or a view, the most important first. clusters: one, or the two
    that are compared. names: what they are called.
    """

    kind: str
    ids: tuple[int, ...] = ()
    clusters: tuple[int, ...] = ()
    names: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """The question as a person asks it."""
        if self.kind == "view":
            return "What am I looking at?"
        if self.kind == "selection":
            return f"Why are these {len(self.ids):,} together?"
        quoted = [f"“{name}”" for name in self.names]
        return f"How do {' and '.join(quoted)} differ?" if self.kind == "difference" else "".join(quoted)


@dataclass(frozen=True, slots=True)
class Spent:
    """Dollars that Claude has cost, and how many it may: on this library, and on all this month."""

    library: float
    month: float
    library_budget: float
    month_budget: float


@dataclass(frozen=True, slots=True)
class Offer:
    """What Claude could be asked about the clusters. left: of those it has not explained and no person named. usd: what
    one costs about."""

    left: tuple[Topic, ...] = ()
    usd: float = 0.0


@dataclass(frozen=True, slots=True)
class Proposal:
    """What would be sent if the person agreed.

    topics: the one that was asked about is the first; for a cluster, the others that could follow. all: they were asked
    for together. usd: what each costs about. priced: the model's price is known. language: in words. file_names: they
    are told. consented: the person agreed before, for this library, region and model. trouble: why nothing can be sent,
    empty where it can.
    """

    topics: tuple[Topic, ...]
    all: bool = False
    usd: tuple[float, ...] = ()
    model: str = ""
    region: str = ""
    language: str = ""
    file_names: bool = False
    priced: bool = True
    consented: bool = False
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class ProposalPage:
    """What would be sent about one topic. size_px: of its sheet, whose picture is "sheet". text: every word."""

    at: int
    size_px: tuple[int, int]
    text: str


@dataclass(frozen=True, slots=True)
class Asking:
    """Claude is asked. topic: about which one now; text: what it has said of it so far. done of total are answered;
    secs_left: until all are, None while unknown. stopping: the person does not want it any more."""

    topic: Topic
    text: str
    done: int
    total: int
    secs_left: float | None
    stopping: bool = False


@dataclass(frozen=True, slots=True)
class AnswerCard:
    """The answer to a question other than about one cluster. own: the vocabulary's, None while it is not here; claude:
    Claude's, whose answer would cost about `usd`. trouble: why there is none."""

    topic: Topic
    own: Explanation | None = None
    claude: Explanation | None = None
    usd: float = 0.0
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class NarratorView:
    """What the panels tell of the narrator.

    closed: why Claude is not asked here ("--offline"), empty where it may be. spent: None while it has cost nothing.
    waiting: what the person asked about while it is not known yet what would be sent. trouble: why Claude did not
    explain the cluster whose page is open.
    """

    closed: str = "kiosk"
    offer: Offer = Offer()
    spent: Spent | None = None
    waiting: Topic | None = None
    proposal: Proposal | None = None
    page: ProposalPage | None = None
    asking: Asking | None = None
    card: AnswerCard | None = None
    trouble: str = ""
