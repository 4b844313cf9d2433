"""What lies before the person besides the cloud: the search, the open panel, notices. Owned by the main thread."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from atlas_rt.core.answers import SearchAnswer
from atlas_rt.core.bucket_lines import fetching_line, requests_line
from atlas_rt.core.hud import BucketView, ImageFacts, Notice
from atlas_rt.core.images import Failure
from atlas_rt.core.objects import Coming, Requests
from atlas_rt.core.reports import Progress
from atlas_rt.core.rows import row_of
from atlas_rt.core.scene import Scene
from atlas_rt.core.troubles import Trouble, lasting
from atlas_rt.core.undo import UndoStack
from atlas_rt.window.cluster_state import ClusterState
from atlas_rt.window.filter_state import FilterState
from atlas_rt.window.look_state import LookState
from atlas_rt.window.narrator_state import NarratorState
from atlas_rt.window.palette import PaletteState
from atlas_rt.window.search_state import SearchState
from atlas_rt.workers.bookmarks import PlacedBookmark

NOTICES_MAX = 4
WORK_SECS = 0.7
"""Work that lasts no longer is not shown: a line that flashes by only disturbs."""


@dataclass(slots=True)
class PanelState:
    """Plain state, changed by `app` alone.

    picture_error: the image whose full picture came last, and why it cannot be shown, empty where it can.
    query: the words that are searched for; search: what else is. setting_at: place of the setting that the person is
    at. opening: the person is about to open another library. result_id: the image among the answer's best that the
    person stands at, -1 for none; result: its place there when they came to it. absence: what to know, as long as it
    lasts, of sources that are not there, as the scene tells; source_trouble: as the engine does, which knows the reason
    and goes first. undo: what the person changed since this library was opened. clusters: what
    they do in the panel of clusters; filters: what they filter by; narrator: what they ask; look: what they look at
    whole. progress: of what the engine works on, working_secs: for how long it has; `work` is what is shown of it. new:
    images that were found and of which the person was not told yet; the map of generation `new_at` has them. coming:
    what is fetched from S3 for the person. requests, fetching_requests: what the engine and that have asked of S3.
    """

    source: str = ""
    opening: bool = False
    searching: bool = False
    query: str = ""
    search: SearchState = field(default_factory=SearchState)
    result: int = -1
    result_id: int = -1
    help_open: bool = False
    settings_open: bool = False
    setting_at: int = 0
    figures_open: bool = False
    minimap_open: bool = False
    failures: tuple[Failure, ...] = ()
    progress: Progress | None = None
    working_secs: float = 0.0
    new: int = 0
    new_at: int = 0
    provider: str = ""
    absence: str = ""
    source_trouble: str = ""
    undo: UndoStack = field(default_factory=UndoStack)
    clusters: ClusterState = field(default_factory=ClusterState)
    filters: FilterState = field(default_factory=FilterState)
    narrator: NarratorState = field(default_factory=NarratorState)
    palette: PaletteState = field(default_factory=PaletteState)
    bookmarks: tuple[PlacedBookmark, ...] = ()
    look: LookState = field(default_factory=LookState)
    hovered: ImageFacts | None = None
    selected: ImageFacts | None = None
    picture_error: tuple[int, str] = (-1, "")
    notices: list[Notice] = field(default_factory=list)
    said: set[str] = field(default_factory=set)
    troubles: tuple[Trouble, ...] = ()
    coming: tuple[Coming, ...] = ()
    requests: Requests = field(default_factory=Requests)
    fetching_requests: Requests = field(default_factory=Requests)

    @property
    def lasting(self) -> tuple[Trouble, ...]:
        """What to know as long as it lasts: troubles, and sources that are not there."""
        return lasting(self.troubles, absence=self.source_trouble or self.absence)

    def say(self, text: str, tone: str = "plain") -> None:
        """Show a sentence for some seconds; one that is already shown stays longer instead of twice."""
        self.notices = [notice for notice in self.notices if notice.text != text][-(NOTICES_MAX - 1) :]
        self.notices.append(Notice(text, tone, 0.0))

    def say_once(self, text: str) -> None:
        """Show a sentence that is true again and again, the first time."""
        if text not in self.said:
            self.said.add(text)
            self.say(text)

    def advance(self, dt_secs: float) -> None:
        aged = (Notice(notice.text, notice.tone, notice.age_secs + dt_secs) for notice in self.notices)
        self.notices = [notice for notice in aged if not notice.over]
        self.working_secs = 0.0 if self.progress is None else self.working_secs + dt_secs

    @property
    def work(self) -> Progress | None:
        """What the engine works on, once that has lasted for a moment."""
        return self.progress if self.working_secs >= WORK_SECS else None

    @property
    def bucket(self) -> BucketView:
        """What is to be said of S3."""
        return BucketView(fetching_line(self.coming), requests_line(self.requests + self.fetching_requests))

    @property
    def lively(self) -> bool:
        """Something here moves by itself: a notice that fades, figures."""
        return self.figures_open or any(notice.alpha < 1.0 for notice in self.notices)

    @property
    def views(self) -> tuple[str, ...]:
        """The names of the views that were kept."""
        return tuple(each.bookmark.name for each in self.bookmarks)

    @property
    def picture_trouble(self) -> str:
        """Why the selected image's full picture cannot be shown, empty where it can."""
        id_, reason = self.picture_error
        return reason if self.selected is not None and self.selected.id == id_ else ""

    def keep_to(self, scene: Scene, *, selected: tuple[int, ...]) -> None:
        """Let go of what is told of images that a new scene lacks, or that are no longer selected."""
        if self.selected is not None and self.selected.id not in selected:
            self.selected = None
        if self.hovered is not None and row_of(scene.ids, self.hovered.id) is None:
            self.hovered = None
        if self.selected is not None:
            self.selected = _without_gone(self.selected, scene)

    def place_among(self, answer: SearchAnswer | None) -> int:
        """Where the result that the person stands at is among an answer's best, -1 where it is not."""
        ids = [match.id for match in answer.best] if answer else []
        return ids.index(self.result_id) if self.result_id in ids else -1

    def take_facts(self, facts: ImageFacts, *, scene: Scene, selected: tuple[int, ...], hovered: int) -> None:
        """Show facts that came, unless the person has moved on. They may be of an older scene than this one."""
        if selected and facts.id == selected[-1] and facts.whole:
            self.selected = _without_gone(facts, scene)
        if facts.id == hovered:
            self.hovered = facts


def _without_gone(facts: ImageFacts, scene: Scene) -> ImageFacts:
    """Facts without the other images that a scene lacks."""

    def here(pairs: tuple[tuple[int, float], ...]) -> tuple[tuple[int, float], ...]:
        return tuple(pair for pair in pairs if row_of(scene.ids, pair[0]) is not None)

    why = facts.why_here and replace(facts.why_here, images=here(facts.why_here.images))
    return replace(facts, neighbours=here(facts.neighbours), copies=here(facts.copies), why_here=why)
