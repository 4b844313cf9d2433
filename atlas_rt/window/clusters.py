"""What a person does with clusters: listing, lighting, visiting, hiding and naming them."""

from __future__ import annotations

from atlas_rt.core.cluster_list import ORDERS, ShownClusters
from atlas_rt.core.maps import Cluster
from atlas_rt.core.requests import (
    BeginRename,
    ClusterRequest,
    FindClusters,
    HideCluster,
    IsolateCluster,
    OpenClusterPage,
    PointAtCluster,
    PointAtSubcluster,
    RenameCluster,
    ShowAllClusters,
    SortClusters,
    VisitCluster,
    VisitSubcluster,
)
from atlas_rt.core.undo import Undoable
from atlas_rt.errors import UsageError
from atlas_rt.library.cluster_names import NameChange, checked_name
from atlas_rt.window import hiding, narrating
from atlas_rt.window.parts import Parts
from atlas_rt.window.session import Session
from atlas_rt.workers.renaming import GiveName, NamesWritten

GONE = "this cluster is not on the map any more"
GONE_WITHIN = "this group is not on the map any more"


def carry_out(parts: Parts, request: ClusterRequest) -> None:
    """Do what was asked for in the panel."""
    state = parts.panel_state.clusters
    if not isinstance(request, PointAtCluster | PointAtSubcluster | ShowAllClusters):
        state.focused = state.open
    match request:
        case PointAtCluster(id_):
            _light(parts, id_)
        case VisitCluster(id_):
            visit(parts, id_)
        case PointAtSubcluster(id_):
            parts.world.light_subcluster(id_)
        case VisitSubcluster(id_):
            visit_subcluster(parts, id_)
        case IsolateCluster(id_):
            isolate(parts, id_)
        case HideCluster(id_):
            hide(parts, id_)
        case ShowAllClusters():
            hiding.change(parts, ShownClusters())
        case SortClusters(order) if order in ORDERS:
            state.order = order
            state.moved += 1
        case FindClusters(text):
            find(parts, text)
        case BeginRename(id_):
            begin_rename(parts, id_)
        case RenameCluster(id_, name):
            rename(parts, id_, name)
        case OpenClusterPage(id_):
            open_page(parts, id_)


# -- the panel ---------------------------------------------------------------------------------------------------------


def toggle(parts: Parts) -> None:
    """K: open the panel, or close it."""
    state = parts.panel_state.clusters
    if state.open:
        close(parts)
    else:
        state.open = state.focused = True
        parts.panel_state.filters.open = parts.panel_state.filters.focused = False
        narrating.follow(parts)


def close(parts: Parts) -> None:
    parts.panel_state.clusters.close()
    parts.world.light_cluster(-1)


def step_back(parts: Parts) -> None:
    """Esc with the panel open: the page, what is looked for, the panel, one at a time."""
    state = parts.panel_state.clusters
    if state.opened >= 0:
        open_page(parts, -1)
    elif state.wanted:
        find(parts, "")
    else:
        close(parts)


def move(parts: Parts, step: int) -> None:
    """Up and down: go to another row, or to another cluster's page."""
    state, world = parts.panel_state.clusters, parts.world
    ids = [row.cluster.id for row in state.rows(world.scene, world.shown_clusters)]
    if not ids:
        return
    at = ids.index(state.cursor) + step if state.cursor in ids else min(step, 0)
    state.cursor = ids[min(max(at, 0), len(ids) - 1) if state.cursor in ids else at]
    state.moved += 1
    if state.opened >= 0:
        open_page(parts, state.cursor)
    _light(parts, state.cursor)


def turn(parts: Parts, *, right: bool) -> None:
    """Right opens the page of the row the person is at, left goes back to the list."""
    open_page(parts, parts.panel_state.clusters.cursor if right else -1)


def enter(parts: Parts) -> None:
    """Fly to the cluster the person is at, at first to the first of the list; a name that is typed ends by itself."""
    state, world = parts.panel_state.clusters, parts.world
    if state.renaming >= 0:
        return
    rows = state.rows(world.scene, world.shown_clusters)
    ids = [row.cluster.id for row in rows]
    if ids:
        visit(parts, state.cursor if state.cursor in ids else ids[0])


def find(parts: Parts, text: str) -> None:
    """List only the clusters that these words tell of; the person is at the first of them."""
    state, world = parts.panel_state.clusters, parts.world
    state.wanted = text
    rows = state.rows(world.scene, world.shown_clusters)
    state.cursor = rows[0].cluster.id if rows and text.strip() else -1
    state.moved += 1


def open_page(parts: Parts, cluster: int) -> None:
    """Show what is known of a cluster, in the panel, which opens for it; -1 for the list."""
    state, session = parts.panel_state.clusters, parts.session
    state.opened = cluster if record_of(parts, cluster) else -1
    state.renaming = -1
    state.open |= state.opened >= 0
    if state.opened >= 0 and session is not None:
        state.cursor = cluster
        session.ask_page(cluster)


# -- on the map --------------------------------------------------------------------------------------------------------


def visit(parts: Parts, cluster: int) -> None:
    """Fly until the cluster fills what the panels leave of the view."""
    world = parts.world
    pose = world.before_cluster(cluster, parts.display.free_view)
    if pose is None:
        parts.panel_state.say(GONE)
        return
    parts.panel_state.clusters.cursor = cluster
    if world.shown_clusters.conceals(cluster):
        world.shown_clusters = world.shown_clusters.with_cluster(cluster)
    world.let_go()
    world.camera.fly_to(pose)


def visit_subcluster(parts: Parts, subcluster: int) -> None:
    """Fly until the subcluster fills what the panels leave of the view. Its cluster is drawn, if it was not."""
    world = parts.world
    parent = next((each.parent for each in world.scene.subcluster_records if each.id == subcluster), -1)
    pose = world.before_subcluster(subcluster, parts.display.free_view)
    if pose is None:
        parts.panel_state.say(GONE_WITHIN)
        return
    if world.shown_clusters.conceals(parent):
        world.shown_clusters = world.shown_clusters.with_cluster(parent)
    world.let_go()
    world.camera.fly_to(pose)


def isolate(parts: Parts, cluster: int) -> None:
    """Draw this cluster alone, or everything as before."""
    if record_of(parts, cluster) is not None:
        hiding.change(parts, parts.world.shown_clusters.isolated(cluster))


def hide(parts: Parts, cluster: int) -> None:
    """Leave this cluster out of the map, or draw it again."""
    if record_of(parts, cluster) is not None:
        hiding.change(parts, parts.world.shown_clusters.toggled(cluster))


def show_all(parts: Parts) -> None:
    """For a tour, or another visitor: nobody takes that back."""
    parts.world.shown_clusters = ShownClusters()


def reveal(parts: Parts, id_: int) -> None:
    """Draw the cluster of an image that the person goes to, and say so where it was not drawn."""
    world = parts.world
    if not world.concealed(id_):
        return
    cluster = int(world.scene.clusters[world.row(id_)])
    was_alone = world.shown_clusters.alone >= 0
    world.shown_clusters = world.shown_clusters.with_cluster(cluster)
    record = record_of(parts, cluster)
    everything = was_alone or record is None
    told = "the other clusters are shown again" if everything else f"“{called(record)}” is shown again"
    parts.panel_state.say(told)


def _light(parts: Parts, cluster: int) -> None:
    parts.panel_state.clusters.pointed = cluster
    parts.world.light_cluster(cluster if record_of(parts, cluster) else -1)


# -- names -------------------------------------------------------------------------------------------------------------


def begin_rename(parts: Parts, cluster: int) -> None:
    """Put the caret into a cluster's name."""
    if record_of(parts, cluster) is not None and not parts.settings.kiosk:
        parts.panel_state.clusters.renaming = parts.panel_state.clusters.cursor = cluster
        parts.panel_state.clusters.moved += 1


def rename_here(parts: Parts) -> None:
    """F2: rename the cluster the person is at."""
    state = parts.panel_state.clusters
    if state.open and state.cursor >= 0:
        begin_rename(parts, state.cursor)
    else:
        parts.panel_state.say("open the clusters (K) and choose one to rename it")


def rename(parts: Parts, cluster: int, name: str) -> None:
    """Give a cluster a name of the person's own. A name that is too long stays in its field."""
    state, session, record = parts.panel_state.clusters, parts.session, record_of(parts, cluster)
    if record is None or session is None:
        parts.panel_state.say(GONE)
        return
    try:
        word = checked_name(name)
    except UsageError:
        parts.panel_state.say("a name has at most 60 characters, all of them printable", "warning")
        return
    state.renaming = -1
    if word == record.name or not (word or record.named_by == "user"):
        return
    state.pending[cluster] = word
    session.rename(cluster, word, called=called(record))


def hear_names(parts: Parts) -> bool:
    """Take what became of names that were given; whether anything did."""
    session = parts.session
    written = session.names_written() if session is not None else ()
    for each in written:
        _hear(parts, each)
    if session is not None and any(not each.error for each in written):
        session.scenes.poke()
    return bool(written)


def _hear(parts: Parts, written: NamesWritten) -> None:
    panel_state, asked = parts.panel_state, written.asked
    if not isinstance(asked, GiveName):
        if written.error:
            panel_state.undo.fail(asked.undoable)
            panel_state.say(f"Nothing was changed. {written.error}", "warning")
    elif written.change is None:
        panel_state.clusters.pending.pop(asked.cluster, None)
        panel_state.say(f"The name “{asked.name}” was not kept. {written.error}", "warning")
    elif parts.session is not None:
        panel_state.undo.add(_undoable(parts.session, asked, written.change))
        told = f"“{asked.called}” is “{asked.name}” now" if asked.name else f"“{asked.called}” has no name of yours now"
        panel_state.say(told, "good")


def _undoable(session: Session, asked: GiveName, change: NameChange) -> Undoable:
    """A name that was given, to be taken back in any later map: what the file held before comes back."""

    def make(wanted: NameChange) -> str:
        session.change_names(wanted, entry)
        return ""

    entry = Undoable(
        undone=f"“{asked.called}” has its name again",
        redone=f"“{asked.called}” is “{asked.name}” again" if asked.name else f"“{asked.called}” lost its name again",
        undo=lambda: make(change.reversed),
        redo=lambda: make(change),
    )
    return entry


def record_of(parts: Parts, cluster: int) -> Cluster | None:
    """The newest map's record of a cluster, None where it has none."""
    return next((each for each in parts.world.scene.cluster_records if each.id == cluster), None)


def called(record: Cluster | None) -> str:
    """What a cluster is called; those of a first map may have no name."""
    return "" if record is None else record.name or f"cluster {record.id}"
