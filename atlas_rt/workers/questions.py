"""What can be answered here about clusters, images and the view, and what would be sent to Claude; read on a thread."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from atlas_rt.aws.session import NO_REGION, open_session
from atlas_rt.core.arrays import Bytes
from atlas_rt.core.channels import LatestOfEach
from atlas_rt.core.explanations import Explanation
from atlas_rt.core.images import LibraryPlace
from atlas_rt.core.narration import Offer, Proposal, ProposalPage, Spent, Topic
from atlas_rt.core.scene import Scene
from atlas_rt.core.troubles import reason_of
from atlas_rt.errors import AtlasError, MissingError
from atlas_rt.library.consents import Consent, Consents
from atlas_rt.library.explanations import KeptExplanation
from atlas_rt.library.store import StoreReader
from atlas_rt.narrator.claude import estimate_usd
from atlas_rt.narrator.language import NAMES
from atlas_rt.narrator.permission import Permission
from atlas_rt.narrator.plan import plan_of, unexplained
from atlas_rt.narrator.sheets import Sheets
from atlas_rt.narrator.spending import Ledger
from atlas_rt.narrator.subject import Subject, difference_subject, selection_subject, subjects_of, view_subject
from atlas_rt.narrator.vocabulary import VocabularyNarrator
from atlas_rt.narrator.wording import description, instructions
from atlas_rt.search.labels import Vocabulary
from atlas_rt.search.vector_index import VectorIndex
from atlas_rt.workers.worker import Announce, Worker, unheard

USUAL_REGION = "us-east-1"
"""For prices before anybody has to know the region: finding it out loads boto3."""
GAP_PX = 24
"""Between two sheets that are shown."""
GONE = "what was asked about is not on the map any more"


@dataclass(frozen=True, slots=True)
class Shown:
    """The map that a question is about."""

    scene: Scene
    vector_index: VectorIndex


@dataclass(frozen=True, slots=True)
class SpentRequest:
    """Tell what Claude has cost."""


@dataclass(frozen=True, slots=True)
class OfferRequest:
    """Tell which clusters Claude could be asked about, and for how much."""

    shown: Shown
    explained: Mapping[int, KeptExplanation]


@dataclass(frozen=True, slots=True)
class AnswerRequest:
    """Answer from what is known here."""

    topic: Topic
    shown: Shown


@dataclass(frozen=True, slots=True)
class ProposalRequest:
    """Tell what would be sent about these topics."""

    topics: tuple[Topic, ...]
    all: bool
    shown: Shown


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Show what would be sent about one of the subjects of a proposal."""

    at: int
    subject: Subject
    file_names: bool


@dataclass(frozen=True, slots=True)
class Answered:
    """The vocabulary's answer, and what Claude's would cost about. trouble: why there is none."""

    topic: Topic
    answer: Explanation | None
    usd: float = 0.0
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Proposed:
    """subjects: of the proposal's topics, exactly as they would be sent."""

    proposal: Proposal
    subjects: tuple[Subject, ...] = ()


@dataclass(frozen=True, slots=True)
class PageShown:
    """pixels: (h, w, 3), the sheet."""

    page: ProposalPage
    pixels: Bytes


Asked = SpentRequest | OfferRequest | AnswerRequest | ProposalRequest | PageRequest
Told = Spent | Offer | Answered | Proposed | PageShown


class QuestionWorker(Worker):
    """A thread that answers the newest question of each kind. It contacts nobody."""

    part = "questions"
    lost = "Questions about the map are not answered"

    def __init__(
        self,
        place: LibraryPlace,
        permission: Permission,
        sheets: Sheets,
        *,
        data: Path,
        vocabulary: Callable[[], Vocabulary],
        announce: Announce = unheard,
    ) -> None:
        """data: where the ledger and consents lie. vocabulary: loads words for images, when a question needs them."""
        super().__init__(announce=announce)
        self._load_vocabulary = vocabulary
        self._vocabulary: Vocabulary | None = None
        self._models = 0  # how often another one came into use
        self._place, self._permission, self._sheets = place, permission, sheets
        self._ledger = Ledger(data, place.folder.name, permission.budget)
        self._consents = Consents(data)
        self._asked: LatestOfEach[type, Asked] = LatestOfEach()
        self._told: LatestOfEach[type, Told] = LatestOfEach()
        self.start()

    def ask(self, asked: Asked) -> None:
        self._asked.put(type(asked), asked)

    def take(self) -> tuple[Told, ...]:
        return self._told.take()

    def consent_to(self, proposal: Proposal) -> Consent:
        return Consent(self._place.folder.name, proposal.model, proposal.region, proposal.file_names)

    def wake(self) -> None:
        self._asked.close()

    def work(self) -> None:
        while True:
            asked = self._asked.wait()
            try:
                told = self._told_of(asked)
            except AtlasError as error:
                self._tell(_without(asked, str(error)))
            except Exception as error:
                self._tell(_without(asked, reason_of(error)))
                raise
            else:
                self._tell(told)
            self.went_well()

    def _tell(self, told: Told | None) -> None:
        if told is not None:
            self._told.put(type(told), told)

    def _told_of(self, asked: Asked) -> Told | None:
        match asked:
            case SpentRequest():
                return self._spent()
            case OfferRequest():
                return self._offer(asked)
            case AnswerRequest(topic, shown):
                subject = self._subjects((topic,), shown)[0]
                usd = estimate_usd(subject, self._permission.manner(self._permission.region or USUAL_REGION))
                return Answered(topic, VocabularyNarrator().explain(subject), usd)
            case ProposalRequest():
                return self._proposed(asked)
            case PageRequest():
                return self._page(asked)

    def _spent(self) -> Spent:
        library, month = self._ledger.spent()
        budget = self._permission.budget
        return Spent(library, month, budget.library_usd, budget.month_usd)

    def _offer(self, asked: OfferRequest) -> Offer:
        """The price of one is that of the first: sheets and words of clusters hardly differ."""
        left = unexplained(asked.shown.scene, asked.explained, self._permission.language)
        topics = tuple(Topic("cluster", clusters=(record.id,), names=(record.name,)) for record in left)
        if not topics:
            return Offer()
        subjects = self._subjects(topics[:1], asked.shown)
        plan = plan_of(subjects, self._permission.manner(self._permission.region or USUAL_REGION), "", (0.0, 0.0))
        return Offer(topics, plan.usd[0])

    def _proposed(self, asked: ProposalRequest) -> Proposed:
        open_session()  # without boto3, or with settings that it cannot read, nothing needs to be agreed to
        region = self._permission.where()
        if not region:
            return Proposed(Proposal(asked.topics, asked.all, trouble=NO_REGION))
        subjects = self._subjects(asked.topics, asked.shown)
        plan = plan_of(subjects, self._permission.manner(region), region, self._ledger.spent())
        proposal = Proposal(
            topics=asked.topics,
            all=asked.all,
            usd=plan.usd,
            model=plan.manner.model_id,
            region=region,
            language=NAMES[plan.manner.language],
            file_names=plan.manner.file_names,
            priced=plan.priced,
        )
        consented = self._permission.consented or self._consents.holds(self.consent_to(proposal))
        return Proposed(replace(proposal, consented=consented), plan.subjects)

    def _page(self, asked: PageRequest) -> PageShown:
        sheets = [np.asarray(Image.open(io.BytesIO(each)).convert("RGB")) for each in self._sheets.of(asked.subject)]
        pixels = _beside(sheets)
        text = description(asked.subject, file_names=asked.file_names)
        told = f"{text}\n\n{instructions(asked.subject.kind, self._permission.language)}"
        return PageShown(ProposalPage(asked.at, (pixels.shape[1], pixels.shape[0]), told), pixels)

    def _subjects(self, topics: Sequence[Topic], shown: Shown) -> tuple[Subject, ...]:
        vocabulary = None
        if any(topic.kind != "cluster" for topic in topics):
            vocabulary = self._known_words()
        with StoreReader.open(self._place.folder) as store:
            return subjects_about(topics, shown, store, vocabulary)

    def forget_words(self) -> None:
        """They are other ones from now on, as another model is used."""
        self._vocabulary, self._models = None, self._models + 1

    def _known_words(self) -> Vocabulary | None:
        """Not before a question needs them; None where the model's text tower cannot be used."""
        known, models = self._vocabulary, self._models
        if known is None:
            with contextlib.suppress(MissingError):
                known = self._load_vocabulary()
            if models == self._models:  # else it is the one of the model before
                self._vocabulary = known
        return known


def subjects_about(
    topics: Sequence[Topic], shown: Shown, store: StoreReader, vocabulary: Vocabulary | None
) -> tuple[Subject, ...]:
    """One for each topic. Raises MissingError where nothing of one is on the map any more."""
    scene, vector_index = shown.scene, shown.vector_index
    wanted = {cluster for topic in topics if topic.kind == "cluster" for cluster in topic.clusters}
    records = [record for record in scene.cluster_records if record.id in wanted]
    clusters = {subject.cluster: subject for subject in subjects_of(records, scene, vector_index, store)}

    def about(topic: Topic) -> Subject:
        if topic.kind == "selection":
            return selection_subject(topic.ids, scene, vector_index, store, vocabulary=vocabulary)
        if topic.kind == "view":
            return view_subject(topic.ids, scene, vector_index, store, vocabulary=vocabulary)
        if topic.kind == "difference":
            first, second = (scene.ids[scene.clusters == cluster] for cluster in topic.clusters)
            names = topic.names[0], topic.names[1]
            return difference_subject(first, second, names, scene, vector_index, store, vocabulary=vocabulary)
        if topic.clusters[0] not in clusters:
            raise MissingError(GONE)
        return clusters[topic.clusters[0]]

    return tuple(about(topic) for topic in topics)


def _beside(sheets: Sequence[Bytes]) -> Bytes:
    """Pictures next to each other, (h, w, 3), with a gap between them."""
    height = max(sheet.shape[0] for sheet in sheets)
    width = sum(sheet.shape[1] for sheet in sheets) + GAP_PX * (len(sheets) - 1)
    whole, x = np.zeros((height, width, 3), np.uint8), 0
    for sheet in sheets:
        whole[: sheet.shape[0], x : x + sheet.shape[1]] = sheet
        x += sheet.shape[1] + GAP_PX
    return whole


def _without(asked: Asked, trouble: str) -> Told | None:
    """What is told where a question cannot be answered; what is only an extra is left out."""
    match asked:
        case AnswerRequest(topic):
            return Answered(topic, None, trouble=trouble)
        case ProposalRequest(topics, all_):
            return Proposed(Proposal(topics, all_, trouble=trouble))
        case PageRequest(at):
            return PageShown(ProposalPage(at, (0, 0), trouble), np.zeros((0, 0, 3), np.uint8))
        case _:
            return None
