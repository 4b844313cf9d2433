"""Clusters in the real app: found, flown to, shown alone, named; through refits, other libraries and full disks."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import moderngl
import numpy as np
import pytest

from atlas_rt.core.camera import project
from atlas_rt.core.cluster_list import ShownClusters
from atlas_rt.core.hud import ClusterPage
from atlas_rt.core.maps import Cluster, subclusters_of
from atlas_rt.core.requests import (
    BeginRename,
    Deselect,
    Do,
    FindClusters,
    HideCluster,
    IsolateCluster,
    OpenClusterPage,
    OpenSource,
    PointAtCluster,
    PointAtSubcluster,
    RenameCluster,
    Search,
    Select,
    ShowAllClusters,
    VisitCluster,
    VisitSubcluster,
)
from atlas_rt.core.scene import HIDDEN, Scene
from atlas_rt.core.world import World
from atlas_rt.library.cluster_names import ClusterNames
from atlas_rt.settings import Settings
from atlas_rt.ui.input import Button, Input, Modifiers, PointerMoved
from atlas_rt.window import arrivals
from atlas_rt.window.cluster_state import ClusterState
from atlas_rt.workers.scenes import Arrival
from tests.libraries import Library
from tests.window.player import Player

SIZE_PX = (1000, 560)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where names are kept."""
    return tmp_path_factory.mktemp("names") / "data"


@pytest.fixture(scope="module")
def opened(
    context: moderngl.Context, indexed: Library, tmp_path_factory: pytest.TempPathFactory, data: Path
) -> Iterator[Player]:
    """The common library in a window, in a cache that it may write to."""
    home = indexed.copy(tmp_path_factory.mktemp("clusters"))
    settings = Settings(cache=str(home.cache), data=str(data), offline=True, quality="low")
    player = Player(context, settings, home.source, size_px=SIZE_PX)
    yield player
    player.close()


@pytest.fixture(scope="module")
def first(opened: Player) -> Arrival:
    """The library's own map."""
    session = opened.app.parts.session
    assert session is not None
    assert session._arrival is not None
    return session._arrival


@pytest.fixture
def player(opened: Player, first: Arrival) -> Player:
    """The same with nothing open, everything drawn, and the library's own map."""
    parts = opened.app.parts
    if parts.panel_state.clusters.open:
        opened.do("clusters")
    opened.window.told = Input(events=(PointerMoved(None),))
    opened.do(Search(""), Deselect(), ShowAllClusters(), "home")
    if clusters(opened) != first.scene.cluster_records:
        arrivals.show(parts, first)
    opened.frame(8, dt_secs=0.2)
    return opened


def clusters(player: Player) -> tuple[Cluster, ...]:
    return player.app.parts.world.scene.cluster_records


def state(player: Player) -> ClusterState:
    return player.app.parts.panel_state.clusters


def notice(player: Player) -> str:
    notices = player.app.parts.panel_state.notices
    return notices[-1].text if notices else ""


def page_of(player: Player) -> ClusterPage:
    page = state(player).page
    assert page is not None
    return page


def members(player: Player, cluster: int) -> list[int]:
    scene = player.app.parts.world.scene
    ids: list[int] = scene.ids[scene.clusters == cluster].tolist()
    return ids


def hidden(player: Player) -> set[int]:
    """Ids of the images that are not drawn."""
    view = player.app.parts.world.view(SIZE_PX)
    return set() if view.tiers is None else set(view.scene.ids[view.tiers == HIDDEN].tolist())


def with_scene(player: Player, scene: Scene) -> None:
    """This map comes as a newer one."""
    session = player.app.parts.session
    assert session is not None
    assert session._arrival is not None
    scene = dataclasses.replace(scene, generation=scene.generation + 1)
    arrivals.show(
        player.app.parts, dataclasses.replace(session._arrival, scene=scene, tiles=session._arrival.tiles[:0])
    )
    player.frame(2)


def with_clusters(player: Player, *, without: int) -> None:
    """A new map comes on which one cluster is no more."""
    scene = player.app.parts.world.scene
    kept = [place for place, record in enumerate(scene.cluster_records) if record.id != without]
    scene = dataclasses.replace(
        scene,
        clusters=np.where(scene.clusters == without, -1, scene.clusters).astype(np.int32),
        cluster_records=tuple(scene.cluster_records[place] for place in kept),
        cluster_hues=scene.cluster_hues[kept],
    )
    with_scene(player, scene)


def test_a_cluster_is_found_lit_flown_to_and_shown_alone(player: Player) -> None:
    world = player.app.parts.world
    wanted = clusters(player)[1]
    others = [each for each in clusters(player) if each.id != wanted.id]
    player.do("clusters", FindClusters(wanted.name))
    assert state(player).cursor == wanted.id
    player.do("fly_to_best")
    player.frame(30, dt_secs=0.1)
    view, taken = world.view(SIZE_PX), player.app.parts.display.free_view.left
    assert 0.3 < taken < 0.5
    rows = [world.row(id_) for id_ in members(player, wanted.id)]
    xy, depths = project(view.positions[rows], view.view_from_world, view.clip_from_view, SIZE_PX)
    inside = (depths > 0.0) & (xy >= (taken * SIZE_PX[0], 0.0)).all(axis=1) & (xy <= SIZE_PX).all(axis=1)
    assert inside.mean() >= 0.9, (world.camera, world.home(), world.scene.generation)

    exemplar = wanted.exemplars[0]
    player.do(PointAtCluster(others[0].id))
    player.frame(4, dt_secs=0.1)
    dimmed = player.colour_of(exemplar)
    player.do(PointAtCluster(wanted.id))
    player.frame(4, dt_secs=0.1)
    assert player.colour_of(exemplar).mean() > 2.0 * dimmed.mean()

    player.do(IsolateCluster(wanted.id))
    assert hidden(player) >= set(world.scene.ids.tolist()) - set(members(player, wanted.id))
    assert exemplar not in hidden(player)
    player.do(PointAtCluster(-1), Search("a car"), Select(others[0].exemplars[0]))  # a result that is not drawn
    assert notice(player) == "the other clusters are shown again"
    assert others[0].exemplars[0] not in hidden(player)
    player.do(IsolateCluster(wanted.id), Search(""))
    left = []
    for _ in range(4):  # Esc: what is looked for, the panel, what is alone, the selection
        player.do("step_back")
        alone = world.shown_clusters.alone >= 0
        left.append((bool(state(player).wanted), state(player).open, alone, bool(world.selected_ids)))
    assert left == [(False, True, True, True), (False, False, True, True), (False, False, False, True), (False,) * 4]


def test_an_exemplar_is_visited_with_another_images_picture_on_show(player: Player) -> None:
    """The picture was freed between building the panels and drawing them, which is an error of OpenGL."""
    parts = player.app.parts
    first, second = clusters(player)[:2]
    player.do("clusters", Select(second.exemplars[0]))
    player.see(lambda: parts.panel_state.picture_error[0] == second.exemplars[0], why="its picture")
    player.frame(2)
    at_px = (60.0, 218.0)  # in the first row of the list
    for down in (True, False):
        press = Button("left", down=down, at_px=at_px, modifiers=Modifiers())
        player.window.told = Input(pointer_px=at_px, events=(PointerMoved(at_px), press))
        player.frame(2)
    assert parts.world.selected_ids == (first.exemplars[0],)


def test_all_can_be_hidden_and_the_keyboard_goes_through_the_list(player: Player) -> None:
    ids = [each.id for each in clusters(player)]
    player.do("clusters", *(HideCluster(id_) for id_ in ids))
    assert hidden(player) >= {id_ for cluster in ids for id_ in members(player, cluster)}
    player.do(PointAtCluster(-1), Select(clusters(player)[0].exemplars[0]), HideCluster(ids[0]))
    world = player.app.parts.world
    world.shown_clusters = ShownClusters(alone=max(ids) + 1)  # not even what is in no cluster
    player.frame(12, dt_secs=0.2)
    view, empty = world.view(SIZE_PX), World(reduced_motion=True)
    empty.camera.pose = world.camera.pose
    nothing = player.app.parts.display.picture_of(empty.view(SIZE_PX)).astype(np.int16)
    assert np.abs(player.app.parts.display.picture_of(view).astype(np.int16) - nothing).max() <= 4  # no line, no ring
    player.do("home", "tour")  # which would fly through nothing
    assert hidden(player).isdisjoint(members(player, ids[0]))
    player.do("step_back" if not state(player).open else "clusters", "clusters")
    walked = []
    for _ in range(len(ids) + 2):
        player.do("neighbour_down")
        walked.append(state(player).cursor)
    assert walked == [*sorted(ids, key=ids.index), ids[-1], ids[-1]]
    player.do("neighbour_right")
    player.see(lambda: state(player).page, why="the page")
    assert state(player).page is not None
    assert state(player).page.id == ids[-1]  # type: ignore[union-attr]
    player.do("neighbour_up")
    player.see(lambda: state(player).page and state(player).page.id == ids[-2], why="the page before")  # type: ignore[union-attr]
    player.do("neighbour_left", HideCluster(ids[0]), VisitCluster(ids[0]))
    assert state(player).opened == -1
    assert hidden(player).isdisjoint(members(player, ids[0]))  # who flies there sees it


def test_a_name_that_cannot_be_written_is_told_and_changes_nothing(player: Player, data: Path) -> None:
    record = clusters(player)[0]
    player.do(RenameCluster(record.id, "pets"))
    player.see(lambda: clusters(player)[0].name == "pets")
    file = data / "cluster_names.json"
    file.rename(file.with_suffix(".elsewhere"))
    file.mkdir()  # nothing can be read there, nor written
    player.do(RenameCluster(record.id, "beasts"))
    player.see(lambda: "was not kept" in notice(player), why="the reason")
    assert notice(player).startswith("The name “beasts” was not kept. What you named cannot be read")
    assert state(player).pending == {}
    player.do("undo")
    player.see(lambda: notice(player).startswith("Nothing was changed."), why="the reason again")
    file.rmdir()
    file.with_suffix(".elsewhere").rename(file)
    player.do("undo")
    player.see(lambda: clusters(player)[0].name == record.name, why="the old name")


def test_a_part_of_a_cluster_is_lit_and_flown_to_until_a_new_map_lacks_it(player: Player) -> None:
    world, scene = player.app.parts.world, player.app.parts.world.scene
    cluster = next(each for each in clusters(player) if subclusters_of(each.id, scene.subcluster_records))
    part = subclusters_of(cluster.id, scene.subcluster_records)[1]
    inside, around = scene.subclusters == part.id, scene.clusters == cluster.id

    def lit() -> set[int]:
        player.frame(4, dt_secs=0.1)
        lights = world.view(SIZE_PX).lights
        assert lights is not None
        return set(scene.ids[lights > 0.0].tolist())

    player.do("clusters", OpenClusterPage(cluster.id), HideCluster(cluster.id))
    player.see(lambda: state(player).page)
    assert part.id in [each.id for each in page_of(player).subclusters]
    player.do(PointAtSubcluster(part.id), PointAtCluster(cluster.id))
    assert lit() == set(scene.ids[inside].tolist())
    player.do(VisitSubcluster(part.id))
    assert hidden(player) == set()
    player.frame(30, dt_secs=0.1)
    view, taken = world.view(SIZE_PX), player.app.parts.display.free_view.left
    xy, depths = project(view.positions[inside], view.view_from_world, view.clip_from_view, SIZE_PX)
    seen = (depths > 0.0) & (xy >= (taken * SIZE_PX[0], 0.0)).all(axis=1) & (xy <= SIZE_PX).all(axis=1)
    assert seen.mean() >= 0.75  # one of four may stand far from the others
    player.do(PointAtSubcluster(-1))
    assert lit() == set(scene.ids[around].tolist())
    player.do(PointAtSubcluster(part.id))
    with_scene(player, dataclasses.replace(scene, subclusters=scene.subclusters[:0], subcluster_records=()))
    assert lit() == set(scene.ids[around].tolist())
    pose = world.camera.pose
    player.do(VisitSubcluster(part.id), PointAtSubcluster(part.id))
    assert notice(player) == "this group is not on the map any more"
    assert world.camera.pose == pose
    player.do(PointAtSubcluster(-1), PointAtCluster(-1))
    with_scene(player, scene)


def test_what_a_new_map_lacks_is_let_go_of(player: Player) -> None:
    gone, alone = clusters(player)[2].id, clusters(player)[1].id
    player.do("clusters", HideCluster(gone), IsolateCluster(gone), OpenClusterPage(gone), PointAtCluster(gone))
    player.do(BeginRename(gone))
    with_clusters(player, without=gone)
    now = state(player)
    assert (now.cursor, now.pointed, now.renaming, now.opened) == (-1, -1, -1, -1)
    assert hidden(player).isdisjoint(members(player, alone))
    told = [each.text for each in player.app.parts.panel_state.notices]
    assert "the cluster whose name you typed is not on the new map" in told
    assert "the cluster that was shown alone is not on the new map; everything is shown again" in told
    player.do(
        VisitCluster(gone), HideCluster(gone), IsolateCluster(gone), RenameCluster(gone, "late"), PointAtCluster(gone),
        OpenClusterPage(gone), BeginRename(gone), "rename_cluster", "fly_to_best", ShowAllClusters(),
    )  # fmt: skip
    assert player.app.parts.world.shown_clusters.all
    assert notice(player)
    player.do(Do("clusters"))
    assert now.wanted == ""


def test_what_was_hidden_or_shown_alone_is_taken_back_and_done_again(player: Player) -> None:
    first, second, third = clusters(player)[:3]
    everything = set(player.app.parts.world.scene.ids.tolist())
    stacked = hidden(player)

    def told_by(action: str) -> str:
        player.do(action)
        return notice(player)

    def drawn() -> list[bool]:
        return [each.exemplars[0] not in hidden(player) for each in (first, second, third)]

    player.do(HideCluster(first.id), HideCluster(second.id), IsolateCluster(third.id), IsolateCluster(second.id))
    assert drawn() == [False, True, False]
    assert told_by("undo") == f"“{third.name}” is shown alone again"
    assert drawn() == [False, False, True]
    assert told_by("undo") == "the other clusters are shown again"
    assert drawn() == [False, False, True]
    assert told_by("undo") == f"“{second.name}” is shown again"
    assert drawn() == [False, True, True]
    assert told_by("redo") == f"“{second.name}” is hidden again"
    player.do(VisitCluster(second.id))  # it is drawn for that, and stays so
    player.do(ShowAllClusters(), ShowAllClusters())
    assert drawn() == [True, True, True]
    assert told_by("undo") == f"“{first.name}” is hidden again"
    assert drawn() == [False, True, True]
    assert told_by("redo") == f"“{first.name}” is shown again"
    assert hidden(player) == stacked
    player.do(IsolateCluster(first.id), "step_back")  # Esc
    assert told_by("undo") == f"“{first.name}” is shown alone again"
    assert hidden(player) >= everything - set(members(player, first.id))


def test_what_a_refit_took_away_is_passed_over(player: Player) -> None:
    kept, gone = clusters(player)[0], clusters(player)[2]
    stacked = hidden(player)
    player.do(HideCluster(kept.id), HideCluster(gone.id), IsolateCluster(gone.id))
    with_clusters(player, without=gone.id)
    player.do("redo")
    assert notice(player) == "there is nothing to do again"
    player.do("undo")
    assert notice(player) == f"“{kept.name}” is shown again"
    assert hidden(player) == stacked
    player.do("redo", "redo")
    assert player.app.parts.world.shown_clusters == ShownClusters(frozenset({kept.id}))


def test_a_name_is_given_taken_back_and_given_again(player: Player, data: Path, tmp_path: Path) -> None:
    record = clusters(player)[0]
    names = ClusterNames(data)

    def called(name: str) -> bool:
        return clusters(player)[0].name == name

    player.do("clusters", BeginRename(record.id), RenameCluster(record.id, "x" * 61))
    assert state(player).renaming == record.id  # what was typed is still there
    player.do(RenameCluster(record.id, "  my  pets "))
    player.see(lambda: called("my pets"), why="the name")
    assert clusters(player)[0].named_by == "user"
    assert notice(player) == f"“{record.name}” is “my pets” now"
    player.do(RenameCluster(record.id, "beasts"))
    player.see(lambda: called("beasts"), why="the second name")
    for action, name in (("undo", "my pets"), ("undo", record.name), ("redo", "my pets"), ("redo", "beasts")):
        player.do(action)
        player.see(lambda name=name: called(name), why=f"{action}: {name}")
    assert [each.name for each in names.read().entries] == ["beasts"]
    player.do(RenameCluster(record.id, ""))
    player.see(lambda: called(record.name), why="the program's own name")
    assert names.read().entries == ()

    # Another library is opened with the panel open: nothing of this one can be taken back there.
    other = tmp_path / "other"
    other.mkdir()
    player.do(OpenSource((str(other),)), "undo")
    assert notice(player) == "there is nothing to take back"
    assert not state(player).open
    assert names.read().entries == ()
