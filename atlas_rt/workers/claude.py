"""Claude's answers, asked for one after the other on a thread: as they come, and as they end."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from atlas_rt.aws.answer_ladder import AnswerLadder
from atlas_rt.aws.bedrock import Bedrock
from atlas_rt.aws.bedrock_errors import BedrockError, StoppedError
from atlas_rt.aws.model_memory import ModelMemory
from atlas_rt.core.channels import Closed, Inbox, Latest
from atlas_rt.core.explanations import Explanation
from atlas_rt.core.images import LibraryPlace
from atlas_rt.core.narration import Topic
from atlas_rt.core.runtime import ANYWHERE, Runtime
from atlas_rt.core.troubles import reason_of
from atlas_rt.encoders.encoder import TextEncoder
from atlas_rt.encoders.registry import Model
from atlas_rt.errors import AtlasError
from atlas_rt.library import personal_data
from atlas_rt.library.consents import Consent, Consents
from atlas_rt.library.explanations import Explanations
from atlas_rt.library.store import StoreReader
from atlas_rt.narrator.claude import ClaudeNarrator
from atlas_rt.narrator.name_check import NameCheck
from atlas_rt.narrator.permission import Permission
from atlas_rt.narrator.sheets import Sheets
from atlas_rt.narrator.spending import Ledger
from atlas_rt.narrator.subject import Subject
from atlas_rt.workers.worker import Announce, Worker, unheard

WAITING_MAX = 16
EVENTS_MAX = 1024


@dataclass(frozen=True, slots=True)
class ClaudeRequest:
    """Ask about these topics. names: cluster -> what it is called now, from which new names will differ. consent: what
    the person has just agreed to, None where they did before. stopped: the answers are not wanted any more."""

    topics: tuple[Topic, ...]
    subjects: tuple[Subject, ...]
    region: str
    names: Mapping[int, str]
    consent: Consent | None = None
    stopped: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True, slots=True)
class Begun:
    """The question about a topic is sent. secs_left: until all are answered, None while unknown."""

    topic: Topic
    done: int
    total: int
    secs_left: float | None


@dataclass(frozen=True, slots=True)
class Replied:
    """The whole, checked answer on a topic; it is kept."""

    topic: Topic
    explanation: Explanation


@dataclass(frozen=True, slots=True)
class Unanswered:
    """No answer on a topic. trouble: why; empty where the person did not want it any more."""

    topic: Topic
    trouble: str


@dataclass(frozen=True, slots=True)
class Ended:
    """Nothing more is asked of this request. usd: what it cost. stopped: by the person. remark: on the model."""

    answered: int
    total: int
    usd: float
    stopped: bool = False
    remark: str = ""


ClaudeEvent = Begun | Replied | Unanswered | Ended


class ClaudeWorker(Worker):
    """A thread that asks. Nothing is contacted, and boto3 not even loaded, before the first request."""

    part = "narrator"
    lost = "Claude cannot be asked"

    def __init__(
        self,
        place: LibraryPlace,
        permission: Permission,
        sheets: Sheets,
        model: Model,
        *,
        data: Path,
        data_named: bool,
        memory: ModelMemory,
        runtime: Runtime = ANYWHERE,
        announce: Announce = unheard,
    ) -> None:
        """data: where answers and the ledger lie; data_named: the person named it, so that it may lie anywhere. memory:
        what is known of models."""
        super().__init__(announce=announce)
        self._place, self._permission, self._sheets = place, permission, sheets
        self._data, self._data_named = data, data_named
        self._model, self._runtime, self._memory = model, runtime, memory
        self._ledger = Ledger(data, place.folder.name, permission.budget)
        self._asked: Inbox[ClaudeRequest | None] = Inbox(WAITING_MAX)
        self._events: Inbox[ClaudeEvent] = Inbox(EVENTS_MAX)
        self._text: Latest[tuple[Topic, str]] = Latest()
        self._connection: _Connection | None = None
        self._at: ClaudeRequest | None = None
        self.start()

    def ask(self, request: ClaudeRequest) -> None:
        self._asked.put(request)

    def take(self) -> Sequence[ClaudeEvent]:
        """What has happened since, in order."""
        return tuple(self._events.drain(budget_secs=0.001))

    def text(self) -> tuple[Topic, str] | None:
        """What can be read so far of the answer that is coming, where that is more than before."""
        return self._text.take()

    def wake(self) -> None:
        self._events.close()
        with contextlib.suppress(Closed):
            self._asked.put(None)
        self._asked.close()

    def work(self) -> None:
        while (request := self._asked.wait()) is not None:
            self._at = request
            self._answer(request)
            self._at = None
            self.went_well()

    def failed(self, error: BaseException) -> None:
        """A defect of ours while it asked: the person does not wait any longer."""
        request, self._at = self._at, None
        if request is not None:
            self._tell(Unanswered(request.topics[0], reason_of(error)))
            self._tell(Ended(0, len(request.topics), 0.0))

    def _answer(self, request: ClaudeRequest) -> None:
        total = len(request.topics)
        if request.stopped.is_set():
            self._tell(Ended(0, total, 0.0, stopped=True))
            return
        try:
            before = self._ledger.spent()[0]
            connection, remark = self._connected(request)
        except AtlasError as error:
            self._tell(Unanswered(request.topics[0], str(error)))
            self._tell(Ended(0, total, 0.0))
            return
        answered = self._ask_all(request, connection)
        self._tell(Ended(answered, total, self._cost_since(before), request.stopped.is_set(), remark))

    def _connected(self, request: ClaudeRequest) -> tuple[_Connection, str]:
        """A connection for a request, and a sentence on its model the first time. Raises AtlasError."""
        personal_data.refuse_inside(self._data, self._place.sources, named=self._data_named)
        if request.consent is not None:
            Consents(self._data).give(request.consent)
        if self._connection is not None and self._connection.region == request.region:
            return self._connection, ""
        bedrock = Bedrock(region=request.region)
        encoder = TextEncoder(self._model, runtime=self._runtime)
        check = NameCheck(encoder.encode, self._model.text.templates)
        self._connection = _Connection(request.region, AnswerLadder(bedrock, self._memory), check)
        return self._connection, bedrock.check(self._permission.manner(request.region).model_id)

    def _ask_all(self, request: ClaudeRequest, connection: _Connection) -> int:
        """Ask about one topic after the other; how many were answered. What would go wrong with each ends it."""
        names, total, answered, begun = dict(request.names), len(request.topics), 0, time.monotonic()
        with StoreReader.open(self._place.folder) as store:
            narrator = ClaudeNarrator.of_library(
                store,
                ladder=connection.ladder,
                manner=self._permission.manner(request.region),
                sheets=self._sheets.of,
                check=connection.check,
                ledger=self._ledger,
                kept=Explanations(self._data),
            )
            for done, (topic, subject) in enumerate(zip(request.topics, request.subjects, strict=True)):
                secs_left = (time.monotonic() - begun) / done * (total - done) if done else None
                self._tell(Begun(topic, done, total, secs_left))
                try:
                    found = self._asked_about(narrator, request, topic, subject, names)
                except StoppedError:
                    self._tell(Unanswered(topic, ""))
                    break
                except AtlasError as error:
                    self._tell(Unanswered(topic, str(error)))
                    if not isinstance(error, BedrockError) or error.ends_all:
                        break
                else:
                    answered += 1
                    if subject.cluster >= 0:
                        names[subject.cluster] = found.name or subject.name
                    self._tell(Replied(topic, found))
        return answered

    def _asked_about(
        self,
        narrator: ClaudeNarrator,
        request: ClaudeRequest,
        topic: Topic,
        subject: Subject,
        names: Mapping[int, str],
    ) -> Explanation:
        return narrator.explain(
            subject,
            taken=[name for cluster, name in names.items() if cluster != subject.cluster],
            on_text=lambda text: self._text.put((topic, text)),
            stop=lambda: request.stopped.is_set() or self.closing,
        )

    def _cost_since(self, before: float) -> float:
        with contextlib.suppress(AtlasError):
            return max(self._ledger.spent()[0] - before, 0.0)
        return 0.0

    def _tell(self, event: ClaudeEvent) -> None:
        with contextlib.suppress(Closed):  # nobody looks any more
            self._events.put(event)


@dataclass(frozen=True, slots=True)
class _Connection:
    """What is kept between requests in one region."""

    region: str
    ladder: AnswerLadder
    check: NameCheck
