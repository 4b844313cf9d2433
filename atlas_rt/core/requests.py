"""What a person can ask for: small frozen values that panels and keys emit and `window.actions` carries out."""

from __future__ import annotations

from dataclasses import dataclass

from atlas_rt.core.narration import Topic
from atlas_rt.core.preferences import Value


@dataclass(frozen=True, slots=True)
class Do:
    """An action of the key table, by its name in `controls.ACTIONS`."""

    action: str


@dataclass(frozen=True, slots=True)
class Search:
    """Light the cloud by this phrase; sent at every change of the text. Empty clears the search."""

    text: str


@dataclass(frozen=True, slots=True)
class MoreLike:
    """Search by an image of the library."""

    id: int


@dataclass(frozen=True, slots=True)
class SearchByFile:
    """Search by the picture in a file, beside the words that are there."""

    path: str


@dataclass(frozen=True, slots=True)
class ForgetPicture:
    """Search no longer by a picture, but by the words beside it."""


@dataclass(frozen=True, slots=True)
class ClearSearch:
    """Search for nothing any more."""


@dataclass(frozen=True, slots=True)
class SetThreshold:
    """List only what is at least so much alike, on the scale of `match_threshold`."""

    threshold: float


@dataclass(frozen=True, slots=True)
class RecallQuery:
    """Put the search before (-1) or after (1) into the field."""

    step: int


@dataclass(frozen=True, slots=True)
class ToggleReading:
    """Search for what was typed alone, or again for what it means in English, too."""


@dataclass(frozen=True, slots=True)
class CloseOffer:
    """Do nothing with what was dropped."""


@dataclass(frozen=True, slots=True)
class FlyTo:
    """Fly until the image stands before the eye."""

    id: int


@dataclass(frozen=True, slots=True)
class Select:
    """Open the panel of an image; `add` keeps the earlier selection."""

    id: int
    add: bool = False


@dataclass(frozen=True, slots=True)
class Deselect:
    """Close the panel."""


@dataclass(frozen=True, slots=True)
class Hover:
    """The pointer rests on an image outside the cloud (a strip, a panel): ring its node, -1 for none."""

    id: int


@dataclass(frozen=True, slots=True)
class CopyPath:
    """Put the image's path on the clipboard."""

    id: int


@dataclass(frozen=True, slots=True)
class CopyPicture:
    """Put the picture itself on the clipboard."""

    id: int


@dataclass(frozen=True, slots=True)
class CopyText:
    """Put what is known of the image on the clipboard, as lines of text."""

    id: int


@dataclass(frozen=True, slots=True)
class OpenFile:
    """Open the image in the program that the system has for it."""

    id: int


@dataclass(frozen=True, slots=True)
class ShowInFolder:
    """Show the image's file in the system's file manager."""

    id: int


@dataclass(frozen=True, slots=True)
class LookAt:
    """Look at these images whole, side by side."""

    ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class LookZoom:
    """Show pictures that are looked at larger, by so many notches of the wheel; what is there stays there."""

    notches: float
    at_px: tuple[float, float]


@dataclass(frozen=True, slots=True)
class LookMove:
    """Move pictures that are looked at."""

    by_px: tuple[float, float]


@dataclass(frozen=True, slots=True)
class LookSize:
    """Show pictures that are looked at pixel for pixel around a place, or whole again."""

    at_px: tuple[float, float]


@dataclass(frozen=True, slots=True)
class OpenSource:
    """Open a library: folders or files; `demo` for the pictures that come with the program."""

    paths: tuple[str, ...]
    demo: bool = False


@dataclass(frozen=True, slots=True)
class AddPaths:
    """Add files and folders to the open library (a drop, a paste)."""

    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StopFetching:
    """Fetch nothing from S3 any more of what is being fetched for the person."""


@dataclass(frozen=True, slots=True)
class Retry:
    """Try again what has a trouble: `part` as in `core.troubles`."""

    part: str


@dataclass(frozen=True, slots=True)
class PointAtCluster:
    """The pointer rests on a cluster in a panel: light its images, -1 for none."""

    id: int


@dataclass(frozen=True, slots=True)
class VisitCluster:
    """Fly until the cluster fills what the panels leave of the view."""

    id: int


@dataclass(frozen=True, slots=True)
class PointAtSubcluster:
    """The pointer rests on a subcluster on the page of its cluster: light its images alone, -1 for none."""

    id: int


@dataclass(frozen=True, slots=True)
class VisitSubcluster:
    """Fly until the subcluster fills what the panels leave of the view."""

    id: int


@dataclass(frozen=True, slots=True)
class IsolateCluster:
    """Draw this cluster alone, or everything again if it is alone already."""

    id: int


@dataclass(frozen=True, slots=True)
class HideCluster:
    """Leave this cluster out of the map, or draw it again."""

    id: int


@dataclass(frozen=True, slots=True)
class ShowAllClusters:
    """Draw every cluster."""


@dataclass(frozen=True, slots=True)
class SortClusters:
    """Sort the list of clusters; order: one of `cluster_list.ORDERS`."""

    order: str


@dataclass(frozen=True, slots=True)
class FindClusters:
    """List the clusters whose name or reason holds these words."""

    text: str


@dataclass(frozen=True, slots=True)
class BeginRename:
    """Put the caret into a cluster's name."""

    id: int


@dataclass(frozen=True, slots=True)
class RenameCluster:
    """Give a cluster this name; without one it goes by the program's own again."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class OpenClusterPage:
    """Show what is known of one cluster, -1 for the list."""

    id: int


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    """Answer a question in a panel of its own, from what is known here."""

    topic: Topic


@dataclass(frozen=True, slots=True)
class CloseQuestion:
    """Close that panel."""


@dataclass(frozen=True, slots=True)
class AskClaude:
    """Have Claude answer; what would be sent is shown first where the person has not agreed to it yet. Several topics
    are clusters, answered one after the other."""

    topics: tuple[Topic, ...]


@dataclass(frozen=True, slots=True)
class Agree:
    """Send what was shown. all: about all clusters, not only the first."""

    all: bool


@dataclass(frozen=True, slots=True)
class Decline:
    """Send nothing."""


@dataclass(frozen=True, slots=True)
class TurnPage:
    """Show what would be sent about another topic."""

    step: int


@dataclass(frozen=True, slots=True)
class StopClaude:
    """Do not wait for the answer, nor for those after it."""


@dataclass(frozen=True, slots=True)
class FindCommand:
    """Show what can be done that these words name."""

    text: str


@dataclass(frozen=True, slots=True)
class RunCommand:
    """Do what stands at this place of the palette."""

    place: int


@dataclass(frozen=True, slots=True)
class KeepBookmark:
    """Keep the view as it is now, by this name."""

    name: str


@dataclass(frozen=True, slots=True)
class VisitBookmark:
    """Fly to a view that was kept, by its place in the list."""

    place: int


@dataclass(frozen=True, slots=True)
class DropBookmark:
    """Take a view that was kept off the list."""

    place: int


@dataclass(frozen=True, slots=True)
class GetModel:
    """Fetch a stronger encoder if it is not here, and encode the images with it."""

    name: str


@dataclass(frozen=True, slots=True)
class StopModel:
    """Go on with the encoder in use instead."""


@dataclass(frozen=True, slots=True)
class DismissModel:
    """Offer none any more, in this window."""


@dataclass(frozen=True, slots=True)
class SetPreference:
    """Give a setting this value, and keep it."""

    name: str
    value: Value


@dataclass(frozen=True, slots=True)
class FilterBy:
    """Show only what these fields let through, beside the filters that are on: `folder:holiday`, `camera:contax`."""

    text: str


@dataclass(frozen=True, slots=True)
class ToggleFilter:
    """Put a value of a facet on, or take it off. wanted: False to leave out what has it."""

    field: str
    value: str
    wanted: bool = True


@dataclass(frozen=True, slots=True)
class TakeOffFilter:
    """Take off one filter, by its place."""

    place: int


@dataclass(frozen=True, slots=True)
class ClearFilters:
    """Take off all filters."""


@dataclass(frozen=True, slots=True)
class HideFiltered:
    """Do not draw what filters keep back, or draw it dim."""

    hide: bool


@dataclass(frozen=True, slots=True)
class FindFacets:
    """List the values of facets that hold these words."""

    text: str


@dataclass(frozen=True, slots=True)
class UnfoldFacet:
    """List what lies in a facet, or in one of its folders, or no longer; more: all values of a long one."""

    field: str
    value: str = ""
    more: bool = False


@dataclass(frozen=True, slots=True)
class BrushDates:
    """Let through only images of these days, as in `core.timeline`; None for all. ended: the hand has let go."""

    days: tuple[int, int] | None
    ended: bool = True


@dataclass(frozen=True, slots=True)
class SightTimeline:
    """Have these days in sight, from the first to before the last; None for all."""

    days: tuple[float, float] | None


ClusterRequest = (
    PointAtCluster
    | VisitCluster
    | PointAtSubcluster
    | VisitSubcluster
    | IsolateCluster
    | HideCluster
    | ShowAllClusters
    | SortClusters
    | FindClusters
    | BeginRename
    | RenameCluster
    | OpenClusterPage
)
SearchRequest = (
    MoreLike | SearchByFile | ForgetPicture | ClearSearch | SetThreshold | RecallQuery | ToggleReading | CloseOffer
)
FileRequest = CopyPath | CopyPicture | CopyText | OpenFile | ShowInFolder
FilterRequest = (
    FilterBy
    | ToggleFilter
    | TakeOffFilter
    | ClearFilters
    | HideFiltered
    | FindFacets
    | UnfoldFacet
    | BrushDates
    | SightTimeline
)
LookRequest = LookAt | LookZoom | LookMove | LookSize
NarratorRequest = OpenQuestion | CloseQuestion | AskClaude | Agree | Decline | TurnPage | StopClaude
PaletteRequest = FindCommand | RunCommand
BookmarkRequest = KeepBookmark | VisitBookmark | DropBookmark
UpgradeRequest = GetModel | StopModel | DismissModel
PreferenceRequest = SetPreference
Request = (
    Do
    | Search
    | FlyTo
    | Select
    | Deselect
    | Hover
    | OpenSource
    | AddPaths
    | Retry
    | StopFetching
    | SearchRequest
    | PaletteRequest
    | BookmarkRequest
    | UpgradeRequest
    | PreferenceRequest
    | FilterRequest
    | FileRequest
    | LookRequest
    | ClusterRequest
    | NarratorRequest
)
