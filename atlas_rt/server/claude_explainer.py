"""Clusters explained by Claude when another program wants it, where the person started the server with their consent.

A cluster that Claude has not explained yet in this language, and that no person named, is asked for once, however many
requests wait for it; of the others it is told what is known. Different clusters come one after the other, on a thread
of their own. When everybody has gone who waited for an answer, and when the server ends, a request to Claude is left.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from atlas_rt.aws.answer_ladder import AnswerLadder
from atlas_rt.aws.bedrock import Bedrock
from atlas_rt.aws.bedrock_errors import StoppedError
from atlas_rt.aws.model_memory import ModelMemory
from atlas_rt.errors import DecodeError, MissingError
from atlas_rt.library.explanations import Explanations
from atlas_rt.library.store import StoreReader
from atlas_rt.narrator.claude import ClaudeNarrator, Manner
from atlas_rt.narrator.name_check import NameCheck
from atlas_rt.narrator.spending import Ledger
from atlas_rt.narrator.subject import Picture
from atlas_rt.server.answers import Explanation
from atlas_rt.server.decoding import Decoder
from atlas_rt.server.explaining import by_claude, known
from atlas_rt.server.library_reader import LibraryReader

ENDS = "the server ends, and so does the request to Claude"


@dataclass(frozen=True, slots=True)
class Consent:
    """What the person who started the server agreed to, and where it is kept. ledger: of the library that is served,
    with its budgets."""

    bedrock: Bedrock
    memory: ModelMemory
    manner: Manner
    ledger: Ledger
    kept: Explanations


@dataclass(slots=True, eq=False)
class _Asked:
    """A cluster that is being asked for. waiting: requests that wait for the answer. left: once none does."""

    answer: asyncio.Future[Explanation]
    left: threading.Event
    waiting: int = 0


@dataclass(slots=True)
class ClaudeExplainer:
    """An `Explainer`. decoder: makes the sheets, from files of which some may be made to harm a decoder. tell: called
    on any thread with sentences for the person who runs the server."""

    consent: Consent
    decoder: Decoder
    tell: Callable[[str], None]
    _asked: dict[int, _Asked] = field(default_factory=dict)
    _threads: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, thread_name_prefix="claude"))
    _ended: threading.Event = field(default_factory=threading.Event)
    _checked: bool = False

    async def explain(self, reader: LibraryReader, cluster: int) -> Explanation:
        """Raises UnknownError, BudgetError, BedrockError, MissingError, and StoppedError when the server ends."""
        if not await asyncio.to_thread(reader.unexplained, cluster, self.consent.manner.language):
            return await asyncio.to_thread(known, reader, cluster)
        asked = self._asked.get(cluster) or self._begin(reader, cluster)
        asked.waiting += 1
        try:
            return await asyncio.shield(asked.answer)  # whoever leaves takes it from nobody else
        finally:
            asked.waiting -= 1
            if not asked.waiting:
                asked.left.set()
                if self._asked.get(cluster) is asked:
                    del self._asked[cluster]

    def close(self) -> None:
        """See `Explainer`."""
        self._ended.set()
        self._threads.shutdown(wait=False)

    def _begin(self, reader: LibraryReader, cluster: int) -> _Asked:
        if self._ended.is_set():
            raise StoppedError(ENDS)
        left = threading.Event()
        answer = asyncio.get_running_loop().run_in_executor(self._threads, self._ask, reader, cluster, left)
        answer.add_done_callback(lambda done: done.cancelled() or done.exception())  # nobody may be left to hear it
        self._asked[cluster] = _Asked(answer, left)
        return self._asked[cluster]

    def _ask(self, reader: LibraryReader, cluster: int, left: threading.Event) -> Explanation:
        """On the thread of its own."""

        def stop() -> bool:
            return left.is_set() or self._ended.is_set()

        if stop():
            raise StoppedError(ENDS)
        consent = self.consent
        if not reader.unexplained(cluster, consent.manner.language):  # since it had to wait
            return known(reader, cluster)
        self._check_once()
        try:
            with StoreReader.open(reader.place.folder) as store:
                narrator = ClaudeNarrator.of_library(
                    store,
                    ladder=AnswerLadder(consent.bedrock, consent.memory),
                    manner=consent.manner,
                    sheets=lambda subject: (self._sheet(reader, subject.pictures),),
                    check=NameCheck(reader.phrase_vector, reader.model.text.templates),
                    ledger=consent.ledger,
                    kept=consent.kept,
                )
                subject, others = reader.subject(cluster, store)
                said = narrator.explain(subject, taken=others, stop=stop)
        except StoppedError as error:
            raise StoppedError(ENDS) from error
        reader.look_again()
        return by_claude(reader, cluster, said)

    def _check_once(self) -> None:
        """Tell what is to be known of the model, before anything is sent."""
        if not self._checked:
            self._checked = True
            if remark := self.consent.bedrock.check(self.consent.manner.model_id):
                self.tell(remark)

    def _sheet(self, reader: LibraryReader, pictures: Sequence[Picture]) -> bytes:
        try:
            return self.decoder.sheet(pictures, reader.place.folder)
        except DecodeError as error:
            raise MissingError(f"the pictures of a cluster cannot be shown to Claude: {error}") from error
