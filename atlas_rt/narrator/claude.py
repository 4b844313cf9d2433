"""The narrator that asks Claude: contact sheets and what is known of them, a checked answer, kept for good.

At most two requests for a subject: an answer that cannot be used, or whose name fits a neighbouring group clearly
better, is asked for once more; then it is dropped. Each request is entered in the ledger before it is sent.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from atlas_rt.aws.answer_ladder import Answered, AnswerLadder, Question
from atlas_rt.aws.bedrock_errors import BedrockError, BrokenAnswerError, StoppedError, Usage
from atlas_rt.aws.claude_models import cost_usd, picture_tokens
from atlas_rt.aws.stoppable_call import Stop, never
from atlas_rt.core.explanations import Claim, Explanation
from atlas_rt.library.explanations import Explanations, KeptClaim, KeptExplanation, sample_of
from atlas_rt.library.store import StoreReader
from atlas_rt.narrator.answer import Answer, AnswerError, read_answer, schema_of
from atlas_rt.narrator.contact_sheet import sheet_size
from atlas_rt.narrator.name_check import NameCheck
from atlas_rt.narrator.narrator import OnText, told_apart
from atlas_rt.narrator.partial_answer import PartialAnswer
from atlas_rt.narrator.spending import Ledger
from atlas_rt.narrator.subject import Subject
from atlas_rt.narrator.wording import FORM, SAYS, again_unfitting, again_unusable, description, instructions

OUTPUT_TOKENS = 2000
"""Room for an answer, thinking included: what it may cost at most."""
USUAL_OUTPUT_TOKENS = 300
CHARACTERS_A_TOKEN = 3.0
"""Of English text a token has 4 in the mean; the running total is corrected by what Bedrock counts."""

Sheets = Callable[[Subject], tuple[bytes, ...]]
"""The contact sheets of a subject, JPEG."""
IdsOf = Callable[[Sequence[bytes]], dict[bytes, int]]
"""Hashes of contents -> ids of the images of this library that hold them."""
ContentsOf = Callable[[Sequence[int]], Collection[bytes]]
"""Ids of images -> the hashes of their contents."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How Claude is asked. model_id: of Bedrock. language: a code. file_names: whether they may be told."""

    model_id: str
    language: str
    file_names: bool = False


def estimate_usd(subject: Subject, manner: Manner, *, output_tokens: int = USUAL_OUTPUT_TOKENS) -> float:
    """What one request about a subject costs."""
    told = description(subject, file_names=manner.file_names) + json.dumps(schema_of(subject.kind))
    words = round(len(instructions(subject.kind, manner.language) + told) / CHARACTERS_A_TOKEN)
    pictures = sum(picture_tokens(*sheet_size(len(sheet))) for sheet in subject.sheets)
    return cost_usd(manner.model_id, Usage(pictures + words, output_tokens))


class ClaudeNarrator:
    """Asks Claude about the images of one library. Whoever makes one has the person's consent."""

    def __init__(
        self,
        ladder: AnswerLadder,
        manner: Manner,
        *,
        sheets: Sheets,
        check: NameCheck,
        ledger: Ledger,
        kept: Explanations,
        contents_of: ContentsOf,
        ids_of: IdsOf,
        today: Callable[[], date] = date.today,
    ) -> None:
        self._ladder, self._manner, self._sheets, self._check = ladder, manner, sheets, check
        self._ledger, self._kept, self._today = ledger, kept, today
        self._contents_of, self._ids_of = contents_of, ids_of

    @classmethod
    def of_library(
        cls,
        store: StoreReader,
        *,
        ladder: AnswerLadder,
        manner: Manner,
        sheets: Sheets,
        check: NameCheck,
        ledger: Ledger,
        kept: Explanations,
    ) -> ClaudeNarrator:
        """For as long as the store is open."""
        return cls(
            ladder,
            manner,
            sheets=sheets,
            check=check,
            ledger=ledger,
            kept=kept,
            contents_of=store.content_hashes,
            ids_of=store.ids_with,
        )

    def explain(
        self,
        subject: Subject,
        *,
        taken: Collection[str] = (),
        on_text: OnText | None = None,
        stop: Stop = never,
    ) -> Explanation:
        """Claude's answer, or the kept one where this very request was answered before.

        Raises BudgetError before anything is sent, BedrockError and StoppedError, MissingError where the answer cannot
        be kept; after a DailyQuotaError nothing is sent until tomorrow. An explanation without a name says in `remark`
        why there is none.
        """
        question = self._question(subject)
        key = request_key(question)
        if (kept := self._kept.answer_to(key)) is not None:
            return explanation_of(kept, self._ids_of)
        asking = _Asking(
            question,
            lambda asked: self._request(asked, subject, on_text, stop),
            lambda facts: read_answer(
                facts, pictures=len(subject.pictures), language=self._manner.language, kind=subject.kind
            ),
        )
        answer, remark = asking.usable(), ""
        neighbour = self._check.fits_better(answer.english_name, subject)
        if neighbour is not None and not asking.twice:
            answer = asking.usable(again_unfitting(answer.name, neighbour))
            neighbour = self._check.fits_better(answer.english_name, subject)
        name = answer.name
        if subject.kind == "cluster":  # the title of another answer stands on no map
            name = told_apart(name, taken, [word for word, _ in subject.labels()])
        if neighbour is not None:
            remark = f"Claude's name {answer.name!r} fits the cluster {neighbour.name!r} better, and is not used."
            name = ""
        claims = tuple(
            Claim(each.text, tuple(subject.pictures[number - 1].id for number in each.images)) for each in answer.claims
        )
        found = Explanation(
            name=name,
            why=answer.why,
            claims=claims,
            named_by="claude",
            model=self._manner.model_id,
            date=self._today().isoformat(),
            cost_usd=round(asking.usd, 9),
            remark=remark,
            caption=answer.caption,
        )
        self._keep(key, subject, found)
        return found

    def _question(self, subject: Subject) -> Question:
        return Question(
            model_id=self._manner.model_id,
            system=instructions(subject.kind, self._manner.language),
            pictures=self._sheets(subject),
            text=description(subject, file_names=self._manner.file_names),
            schema=schema_of(subject.kind),
            name=FORM,
            says=SAYS,
            output_tokens=OUTPUT_TOKENS,
        )

    def _request(
        self, question: Question, subject: Subject, on_text: OnText | None, stop: Stop
    ) -> tuple[Answered, float]:
        """One request, entered in the ledger: its answer, and what it cost."""
        model = question.model_id
        self._ladder.check_quota(model)
        reserved = self._ledger.reserve(model, estimate_usd(subject, self._manner, output_tokens=OUTPUT_TOKENS))
        hear = PartialAnswer(on_text).hear if on_text else None
        try:
            answered = self._ladder.ask(question, on_text=hear, stop=stop)
        except StoppedError:
            raise  # nobody says what was billed, so the most it may have been stays entered
        except BedrockError as error:
            if error.usage is not None or not error.billed:
                self._ledger.settle(reserved, cost_usd(model, error.usage or Usage()))
            raise
        usd = cost_usd(model, answered.usage)
        self._ledger.settle(reserved, usd)
        return answered, usd

    def _keep(self, key: str, subject: Subject, found: Explanation) -> None:
        claims = (KeptClaim(each.text, tuple(sorted(self._contents_of(each.images)))) for each in found.claims)
        # Nothing but a cluster is looked for by its images, and a selection may be of all of a large library.
        contents = self._contents_of(subject.ids.tolist()) if subject.kind == "cluster" else ()
        self._kept.keep(
            KeptExplanation(
                request=key,
                name=found.name,
                why=found.why,
                claims=tuple(claims),
                model=found.model,
                language=self._manner.language,
                date=found.date,
                cost_usd=found.cost_usd,
                size=len(contents),
                contents=sample_of(contents),
                kind=subject.kind,
                caption=found.caption,
            )
        )


class _Asking:
    """The requests about one subject: two at most. usd: what they cost. twice: whether there were two."""

    def __init__(
        self,
        question: Question,
        request: Callable[[Question], tuple[Answered, float]],
        read: Callable[[dict[str, Any]], Answer],
    ) -> None:
        self._question, self._request, self._read = question, request, read
        self._asked, self.usd = 0, 0.0

    @property
    def twice(self) -> bool:
        return self._asked >= 2

    def usable(self, more: str = "") -> Answer:
        """The answer to the question, with more words; asked again once where it cannot be used.

        Raises BrokenAnswerError where the second cannot be used either.
        """
        try:
            return self._answer(more)
        except AnswerError as wrong:
            if self.twice:
                raise BrokenAnswerError(f"Claude's answer cannot be used: {wrong}.") from wrong
            return self.usable(again_unusable(str(wrong)))

    def _answer(self, more: str) -> Answer:
        self._asked += 1
        answered, usd = self._request(replace(self._question, text=self._question.text + more))
        self.usd += usd
        return self._read(answered.facts)


def request_key(question: Question) -> str:
    """The hash of all that is sent to ask a question, in whatever way."""
    pictures = [hashlib.sha256(each).hexdigest() for each in question.pictures]
    facts = [question.model_id, question.system, pictures, question.text, question.schema]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def explanation_of(kept: KeptExplanation, ids_of: IdsOf) -> Explanation:
    """A kept answer, its claims about the images of this library; a claim about none of them is left out."""
    claims = (Claim(each.text, tuple(sorted(ids_of(each.contents).values()))) for each in kept.claims)
    shown = tuple(claim for claim in claims if claim.images)
    return Explanation(kept.name, kept.why, shown, "claude", kept.model, kept.date, kept.cost_usd, caption=kept.caption)
