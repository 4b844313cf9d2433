"""What the panels show in one frame, frozen: made by the app, read by `ui.panels`."""

from __future__ import annotations

from dataclasses import dataclass, field

from atlas_rt.core.answers import LiveFix, SearchAnswer
from atlas_rt.core.arrays import Floats
from atlas_rt.core.command_list import Command
from atlas_rt.core.compass import Compass
from atlas_rt.core.drop_offer import DropOffer
from atlas_rt.core.explanations import Explanation
from atlas_rt.core.filter_panel import FilterPanel
from atlas_rt.core.hints import Hint
from atlas_rt.core.images import Failure
from atlas_rt.core.look import LookPanel
from atlas_rt.core.maps import Cluster
from atlas_rt.core.match_threshold import ALL
from atlas_rt.core.metadata import NOTHING_KNOWN, Metadata
from atlas_rt.core.minimap import Minimap
from atlas_rt.core.narration import NarratorView
from atlas_rt.core.preferences import PreferencesView
from atlas_rt.core.query_picture import QueryPicture
from atlas_rt.core.reports import Progress
from atlas_rt.core.troubles import Trouble
from atlas_rt.core.upgrade import UpgradeView
from atlas_rt.core.word_names import IN_ENGLISH, Words


@dataclass(frozen=True, slots=True)
class WhyHere:
    """Why an image stands where it does. sentence: in words. images: (id, similarity) of those by whose places it has
    its own, first those that stand nearest to it."""

    sentence: str
    images: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """One image as a panel tells it.

    labels: (word, confidence 0..1), best first. neighbours: (id, similarity), nearest first. alike: which of how many
    near-duplicates it is, from 1. metadata: what its file tells. place: where that is, in words. text: what stands in
    the picture. raw: name of the RAW file of the same shot.
    cluster_id: -1 for none; cluster_why: what its images have in common. folder: below its source, empty at the root.
    copies: (id, similarity) of its near-duplicates. why_here: why it stands there. whole: its neighbours, copies and
    RAW file were looked for, too, and why it stands there; those of what is only hovered are not.
    """

    id: int
    path: str
    width_px: int
    height_px: int
    cluster: str
    labels: tuple[tuple[str, float], ...] = ()
    neighbours: tuple[tuple[int, float], ...] = ()
    alike: tuple[int, int] = (1, 1)
    metadata: Metadata = NOTHING_KNOWN
    place: str = ""
    text: str = ""
    raw: str = ""
    cluster_id: int = -1
    cluster_why: str = ""
    folder: str = ""
    copies: tuple[tuple[int, float], ...] = ()
    why_here: WhyHere | None = None
    whole: bool = True

    @property
    def alike_words(self) -> str:
        """As one reads it; empty for an image that is alone."""
        place, count = self.alike
        return f"{place:,} of {count:,} alike" if count > 1 else ""


@dataclass(frozen=True, slots=True)
class NameTag:
    """A cluster's name at its place on screen. at_px: window pixels, top left origin; strength 0..1 after fog. part: it
    names a part of a cluster, which is near."""

    text: str
    at_px: tuple[float, float]
    strength: float
    rgb: tuple[int, int, int]
    size: int
    part: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """The cluster that one has just flown into. alpha: how strongly it is told, 0..1."""

    name: str
    rgb: tuple[int, int, int]
    alpha: float


@dataclass(frozen=True, slots=True)
class CountTag:
    """How many images a node stands for. at_px: the corner of its card, window pixels; strength 0..1 after fog."""

    count: int
    at_px: tuple[float, float]
    strength: float


@dataclass(frozen=True, slots=True)
class VisitedImage:
    """Where the card of the image stands that the person was taken to, window pixels. glass: 0..1, how far what stood
    before it has made way."""

    id: int
    left: float
    top: float
    right: float
    bottom: float
    glass: float


@dataclass(frozen=True, slots=True)
class ClusterRow:
    """A cluster in the list. hidden: it is not drawn on the map. pending: the name that is being written, None for
    none."""

    cluster: Cluster
    rgb: tuple[int, int, int]
    hidden: bool = False
    pending: str | None = None

    @property
    def name(self) -> str:
        """What it is called; those of a first map may have no name yet."""
        return self.pending or self.cluster.name or f"cluster {self.cluster.id}"


@dataclass(frozen=True, slots=True)
class SubclusterRow:
    """A subcluster on the page of its cluster. name: empty where there were no words. words: others that tell it from
    its siblings. images: ids, the most typical first."""

    id: int
    name: str
    words: tuple[str, ...]
    size: int
    images: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ClusterPage:
    """What is known of one cluster, read from the store.

    typical, borderline: ids of images, best first. subclusters: what it divides into, the largest first; none where it
    is all of one kind. labels: (word, share of its images, share of the nearest cluster's), the commonest first.
    months: (year, month, images) in the order of time, by the files' times of change. nearest: the
    cluster it is most alike, -1 for none; apart, theirs: ids of the images of each that show best how the two differ.
    said: by Claude of it, None where it was not asked. remark: what could not be read.
    """

    id: int
    typical: tuple[int, ...] = ()
    borderline: tuple[int, ...] = ()
    subclusters: tuple[SubclusterRow, ...] = ()
    labels: tuple[tuple[str, float, float], ...] = ()
    months: tuple[tuple[int, int, int], ...] = ()
    nearest: int = -1
    apart: tuple[int, ...] = ()
    theirs: tuple[int, ...] = ()
    said: Explanation | None = None
    remark: str = ""


@dataclass(frozen=True, slots=True)
class ClusterPanel:
    """The list of clusters and what the person does in it.

    rows: as sorted and found. total: how many clusters there are, free: how many images are in none. cursor: the id of
    the row the person is at, -1 for none; moved: how often the keyboard moved it. renaming: the id of the cluster whose
    name is being typed, -1 for none. opened: the cluster whose page is open, with what came of it so far.
    concealed: how many clusters are not drawn. alone: the name of the only cluster that is drawn, empty for none.
    """

    open: bool = False
    rows: tuple[ClusterRow, ...] = ()
    total: int = 0
    free: int = 0
    order: str = "size"
    wanted: str = ""
    cursor: int = -1
    moved: int = 0
    renaming: int = -1
    opened: ClusterRow | None = None
    page: ClusterPage | None = None
    nearest: ClusterRow | None = None
    concealed: int = 0
    alone: str = ""


@dataclass(frozen=True, slots=True)
class FrameFigures:
    """Frame times of the last seconds. times_ms: newest last."""

    fps: float
    median_ms: float
    p99_ms: float
    late: float
    times_ms: Floats
    step: str
    drawn: str


NOTICE_SECS, FADE_SECS = 5.0, 0.25


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence that appears for NOTICE_SECS. tone: "plain", "good", "warning"."""

    text: str
    tone: str
    age_secs: float

    @property
    def over(self) -> bool:
        return self.age_secs >= NOTICE_SECS

    @property
    def alpha(self) -> float:
        """How strongly it shows: it fades in and out by its age."""
        return max(min(self.age_secs / FADE_SECS, (NOTICE_SECS - self.age_secs) / FADE_SECS, 1.0), 0.0)


@dataclass(frozen=True, slots=True)
class PaletteView:
    """What can be done, found by a text. cursor: place of the line one is at. naming: the text is a view's name."""

    text: str
    commands: tuple[Command, ...]
    cursor: int
    naming: bool = False


@dataclass(frozen=True, slots=True)
class BucketView:
    """What is to be said of S3, empty for nothing. fetching: what is being fetched. asked: what was asked so far."""

    fetching: str = ""
    asked: str = ""


@dataclass(frozen=True, slots=True)
class Hud:
    """Everything the panels show. size_px: window (not framebuffer) pixels; pointer_px likewise."""

    size_px: tuple[int, int]
    dt_secs: float
    source: str
    images: int
    failures: tuple[Failure, ...]
    map_kind: str
    model: str
    provider: str
    renderer: str
    progress: Progress | None
    name_tags: tuple[NameTag, ...]
    searching: bool
    """The search console is open."""
    query: str
    answer: SearchAnswer | None
    result: int
    """Index of the result the person stands at, -1 for none."""
    hovered: ImageFacts | None
    hovered_at_px: tuple[float, float, float]
    """x, y of the hovered node and its radius, window pixels."""
    selected: ImageFacts | None
    live: LiveFix | None
    live_on: bool
    touring: bool
    help_open: bool
    figures: FrameFigures | None
    """Shown when not None."""
    notices: tuple[Notice, ...]
    kiosk: bool
    welcome: bool
    """No library is open: show how to begin."""
    reduced_motion: bool
    speed: float
    clusters: ClusterPanel = field(default=ClusterPanel())
    filters: FilterPanel = field(default=FilterPanel())
    narrator: NarratorView = field(default=NarratorView())
    count_tags: tuple[CountTag, ...] = ()
    words: Words = IN_ENGLISH
    """The language in which labels are shown."""
    minimap: Minimap | None = None
    """Shown when not None."""
    palette: PaletteView | None = None
    place: Place | None = None
    compass: Compass | None = None
    troubles: tuple[Trouble, ...] = ()
    """What does not work now."""
    look: LookPanel | None = None
    """Pictures that are looked at whole, over everything else."""
    selection: int = 0
    """How many images are selected."""
    picture_id: int = -1
    """Of which image the full picture is that came last. It may come before the facts of its image."""
    picture_error: str = ""
    """Why the selected image's full picture cannot be shown, empty where it can."""
    visited: VisitedImage | None = None
    query_picture: QueryPicture | None = None
    """The picture that is searched by."""
    threshold: float = ALL
    """How alike a match must be to be listed."""
    drop_offer: DropOffer | None = None
    """What can be done with what was dropped."""
    upgrade: UpgradeView | None = None
    """A stronger encoder, offered or on its way."""
    settings: PreferencesView | None = None
    """The settings panel, shown when not None."""
    bucket: BucketView = field(default=BucketView())
    hint: Hint | None = None
    """What a newcomer may try next."""


def running_on(images: str, text: str) -> str:
    """The providers of the two towers as one word, or as two where they differ; empty for one that is not open."""
    if images and text and images != text:
        return f"images {images}, text {text}"
    return images or text
