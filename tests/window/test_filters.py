"""Filters in the real app: on the map, with a search, with what comes and goes, taken back; and the right pictures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import moderngl
import numpy as np
import pytest

from atlas_rt.core.requests import (
    AddPaths,
    BrushDates,
    ClearFilters,
    Deselect,
    FilterBy,
    FindFacets,
    FlyTo,
    HideFiltered,
    IsolateCluster,
    OpenSource,
    Search,
    Select,
    ShowAllClusters,
    TakeOffFilter,
    ToggleFilter,
    UnfoldFacet,
)
from atlas_rt.core.scene import HIDDEN
from atlas_rt.settings import Settings
from atlas_rt.ui.input import Button, Input, Modifiers, PointerMoved, Wheel
from atlas_rt.window.filter_state import FilterState
from tests.libraries import Library, copy_pictures
from tests.window.cards import colours_of_cards
from tests.window.player import Player

SIZE_PX = (1000, 560)


@pytest.fixture(scope="module")
def opened(context: moderngl.Context, indexed: Library, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Player]:
    """The common library in a window, in a cache that it may write to."""
    home = indexed.copy(tmp_path_factory.mktemp("filters"))
    settings = Settings(cache=str(home.cache), data=str(home.cache / "data"), offline=True, quality="low")
    player = Player(context, settings, home.source, size_px=SIZE_PX)
    yield player
    player.close()


@pytest.fixture
def player(opened: Player) -> Player:
    """The same with nothing open and no filter on."""
    for name, is_open in (("filters", state(opened).open), ("timeline", state(opened).timeline_open)):
        if is_open:
            opened.do(name)
    opened.do(ClearFilters(), HideFiltered(False), ShowAllClusters(), Search(""), Deselect(), "home")
    opened.window.told = Input(events=(PointerMoved(None),))
    state(opened).folded, state(opened).sight = frozenset(), None
    opened.frame(8, dt_secs=0.2)
    return opened


def state(player: Player) -> FilterState:
    return player.app.parts.panel_state.filters


def notices(player: Player) -> list[str]:
    return [notice.text for notice in player.app.parts.panel_state.notices]


def chips(player: Player) -> str:
    return str(state(player).filters)


def follow(player: Player) -> None:
    """Wait until the map shows what the filters let through."""
    world = player.app.parts.world

    def shown() -> bool:
        answer = state(player).answer
        if not state(player).filters:
            return world.passing is None
        return state(player).current and answer is not None and answer.ids is world.scene.ids

    player.see(shown, why=chips(player))
    player.frame(3, dt_secs=0.2)


def filtered(player: Player, *texts: str) -> set[int]:
    """Put filters on; the ids that they let through."""
    player.do(*map(FilterBy, texts))
    follow(player)
    return passing(player)


def passing(player: Player) -> set[int]:
    world = player.app.parts.world
    mask = world.passing
    return set(world.scene.ids.tolist() if mask is None else world.scene.ids[mask].tolist())


def drawn(player: Player) -> set[int]:
    view = player.app.parts.world.view(SIZE_PX)
    return set(view.scene.ids.tolist() if view.tiers is None else view.scene.ids[view.tiers != HIDDEN].tolist())


def press(player: Player, at_px: tuple[float, float], *, down: bool) -> None:
    button = Button("left", down=down, at_px=at_px, modifiers=Modifiers())
    player.window.told = Input(pointer_px=at_px, events=(PointerMoved(at_px), button))
    player.frame()


def move(player: Player, at_px: tuple[float, float]) -> None:
    player.window.told = Input(pointer_px=at_px, events=(PointerMoved(at_px),))
    player.frame()


def test_what_passes_lights_up_and_the_rest_sinks_to_embers_or_leaves(player: Player) -> None:
    world = player.app.parts.world
    cluster = max(world.scene.cluster_records, key=lambda each: each.size)
    inside = filtered(player, f'cluster:="{cluster.name}"')
    assert inside == set(world.scene.ids[world.scene.clusters == cluster.id].tolist())
    far = next(id_ for id_ in drawn(player) - inside)
    view = world.view(SIZE_PX)
    assert view.lights is not None
    assert view.lights[world.row(cluster.exemplars[0])] > 2.0 > view.lights[world.row(far)]
    assert drawn(player) > inside
    player.do("hide_filtered")
    player.frame(3, dt_secs=0.2)
    assert drawn(player) <= inside
    assert {tag.text for tag in player.app.hud(world.view(SIZE_PX), 0.0).name_tags} <= {cluster.name}
    home = world.home()
    player.do(TakeOffFilter(0))
    assert (chips(player), passing(player)) == ("", set(world.scene.ids.tolist()))
    assert world.home() != home


def test_every_node_that_is_left_shows_its_own_picture(player: Player, context: moderngl.Context) -> None:
    """tensorflow/tensorboard#725: the wrong picture on a node after filtering."""
    world, display = player.app.parts.world, player.app.parts.display
    before = colours_of_cards(context, display, world.view(SIZE_PX))
    passes = filtered(player, "name:a")
    player.do(HideFiltered(True))
    player.frame(3, dt_secs=0.2)
    rows = [world.row(id_) for id_ in passes & drawn(player)]
    assert 3 < len(rows) < len(before)
    after = colours_of_cards(context, display, world.view(SIZE_PX))
    assert np.abs(after[rows] - before[rows]).max() < 6.0
    for id_ in list(passes)[:2]:
        player.do(Select(id_))
        player.see(lambda: player.app.parts.panel_state.selected, why="its panel")
        told = player.app.parts.panel_state.selected
        assert told is not None
        assert told.path == world.scene.paths[world.row(told.id)]


def test_a_search_is_among_what_passes_and_counts_are_of_what_it_found(player: Player) -> None:
    world = player.app.parts.world
    player.do("filters", Search("bird"))
    player.see(lambda: world.answer is not None and world.answer.query == "bird")
    free = best_of(player)
    passes = filtered(player, "-name:b")
    player.see(lambda: best_of(player) and set(best_of(player)) <= passes, why="results that pass")
    assert not set(free) <= passes
    player.see(lambda: state(player).answer and state(player).answer.facets)  # type: ignore[union-attr]
    answer = world.answer
    assert answer is not None
    player.see(lambda: sum(counts_of(player, "type")) == int((answer.lights > 1.4)[mask(player)].sum()), why="counts")
    player.do(Search(""))
    player.see(lambda: sum(counts_of(player, "type")) == len(passes), why="counts without a search")
    filtered(player, "name:nosuchname")
    player.do(Search("bird"))
    player.see(lambda: world.answer is not None and world.answer.query == "bird" and not world.answer.best)
    assert "Nothing matches among what the filters let through." in (world.answer.notices if world.answer else ())


def mask(player: Player) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    passes = player.app.parts.world.passing
    assert passes is not None
    return passes


def best_of(player: Player) -> list[int]:
    answer = player.app.parts.world.answer
    return [match.id for match in answer.best] if answer is not None else []


def counts_of(player: Player, field: str) -> list[int]:
    answer = state(player).answer
    facets = answer.facets if answer is not None else ()
    return next((counts.tolist() for facet, counts in facets if facet.field == field), [])


def test_a_filter_that_nothing_fulfils_says_so_with_the_way_out(player: Player) -> None:
    assert filtered(player, "camera:leica", "type:webp") == set()
    panel = state(player).panel(len(player.names()))
    assert (panel.shown, panel.remarks) == (0, ("No image here fulfils camera:leica.",))
    player.do(HideFiltered(True))
    player.frame(2)
    assert drawn(player) == set()
    player.do("home", "next_result", "tour")  # nothing to see, nothing breaks
    player.frame(5, dt_secs=0.2)
    player.do("step_back", "undo", "undo")
    follow(player)
    assert (chips(player), len(drawn(player)) > 0) == ("", True)


def test_who_goes_to_what_is_filtered_away_sees_it_as_long_as_it_is_selected(player: Player) -> None:
    world = player.app.parts.world
    passes = filtered(player, "name:b")
    player.do(HideFiltered(True))
    away = next(id_ for id_ in world.scene.ids.tolist() if id_ not in passes)
    assert away not in drawn(player)
    player.do(FlyTo(away), Select(away))
    player.frame(12, dt_secs=0.2)
    assert "the filters leave this image out; it is shown as long as it is selected" in notices(player)
    assert away in drawn(player)
    assert player.contrast_of(away) > 5.0
    assert chips(player) == "name:b"
    player.do(Deselect())
    player.frame(3, dt_secs=0.2)
    assert away not in drawn(player)


def test_filters_isolation_and_search_are_taken_back_in_the_order_they_were_made(player: Player) -> None:
    world = player.app.parts.world
    first, second = world.scene.cluster_records[:2]
    filtered(player, "-name:a")
    player.do(IsolateCluster(first.id), HideFiltered(True))
    player.do(ToggleFilter("cluster", first.name), ToggleFilter("cluster", second.name))
    follow(player)
    assert chips(player) == f"-name:a {quoted(first.name, second.name)}"
    player.do("undo")
    assert chips(player) == f"-name:a {quoted(first.name)}"
    assert notices(player)[-1] == f"filtered by not name a, cluster {first.name} again"
    player.do("undo", "undo")
    assert (chips(player), world.shown_clusters.alone) == ("-name:a", -1)
    player.do("undo")
    assert chips(player) == ""
    follow(player)
    assert world.passing is None
    player.do("redo", "redo", "redo")
    follow(player)
    assert (chips(player), world.shown_clusters.alone) == (f"-name:a {quoted(first.name)}", first.id)
    assert drawn(player) <= passing(player)
    assert {int(world.scene.clusters[world.row(id_)]) for id_ in drawn(player)} == {first.id}
    player.do("clear_filters", "undo")
    assert chips(player) == f"-name:a {quoted(first.name)}"


def quoted(*names: str) -> str:
    value = "|".join(names)
    return f'cluster:="{value}"' if " " in value else f"cluster:={value}"


def test_esc_closes_the_list_and_the_timeline_and_no_filter(player: Player) -> None:
    filtered(player, "type:webp")
    player.do("timeline", "filters", FindFacets("we"))
    left = []
    for _ in range(4):
        player.do("step_back")
        left.append((state(player).wanted, state(player).open, state(player).timeline_open, chips(player)))
    assert left == [
        ("", True, True, "type:webp"), ("", False, True, "type:webp"), ("", False, False, "type:webp"),
        ("", False, False, "type:webp"),
    ]  # fmt: skip
    player.do("filters", "clusters")
    assert (state(player).open, player.app.parts.panel_state.clusters.open) == (False, True)
    player.do("filters")
    assert (state(player).open, player.app.parts.panel_state.clusters.open) == (True, False)


def test_values_that_let_most_through_stand_first_and_a_click_moves_none_of_its_own(player: Player) -> None:
    player.do("filters")
    cluster = player.app.parts.world.scene.cluster_records[1]

    def labels() -> list[tuple[str, int]]:
        return [(line.value, line.count) for line in state(player).lines() if line.field == "label" and line.value][:6]

    player.see(labels, why="the list")
    before = labels()
    filtered(player, quoted(cluster.name))
    player.see(lambda: labels() != before, why="other counts")
    counts = [count for _, count in labels()]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > 0
    listed = labels()
    filtered(player, f"label:={listed[2][0]}")
    player.see(lambda: state(player).answer and state(player).answer.facets)  # type: ignore[union-attr]
    assert labels() == listed


def test_the_keyboard_alone_filters(player: Player) -> None:
    player.do("filters")
    player.see(lambda: state(player).current and state(player).lines(), why="the list")
    lines = state(player).lines()
    at = next(place for place, line in enumerate(lines) if line.field == "label" and line.value)
    player.do(*["neighbour_down"] * (at + 1), "fly_to_best")
    assert chips(player) == f"label:={lines[at].value}"
    player.do("fly_to_best")
    assert chips(player) == ""
    heading = next(place for place, line in enumerate(lines) if line.field == "label" and not line.value)
    player.do(*["neighbour_up"] * (at - heading), "neighbour_left")
    assert "label" in state(player).folded
    player.do("neighbour_right", FindFacets("type:webp"), "fly_to_best")
    assert (chips(player), state(player).wanted) == ("type:webp", "")
    player.do(UnfoldFacet("label", more=True))
    assert len(state(player).lines()) > len(lines)


def test_the_timeline_is_brushed_by_hand_and_by_keys_and_a_drag_is_one_change(player: Player) -> None:
    player.do("timeline")
    seen = player.see(lambda: state(player).timeline(), why="the timeline")
    player.window.told = Input(exposed=True)  # a key press would have it drawn, too
    player.frame(10)
    strip = max(player.app.parts.display._panels.covered, key=lambda rect: rect.width)
    y, left = strip.centre[1], strip.x + 40.0
    move(player, (left, y))
    press(player, (left, y), down=True)
    for step in range(1, 6):
        move(player, (left + 60.0 * step, y))
    assert chips(player).startswith("date:")
    undoable = len(player.app.parts.panel_state.undo._made)
    press(player, (left + 300.0, y), down=False)
    player.frame(2)
    drawn_span = state(player).timeline().brushed[0]  # type: ignore[union-attr]
    assert len(player.app.parts.panel_state.undo._made) == undoable + 1
    assert drawn_span[1] - drawn_span[0] > 1
    middle = (left + 150.0, y)
    press(player, middle, down=True)
    move(player, (middle[0] + 120.0, y))
    press(player, (middle[0] + 120.0, y), down=False)
    player.frame(2)
    moved = state(player).timeline().brushed[0]  # type: ignore[union-attr]
    assert moved[0] > drawn_span[0]
    player.do("neighbour_left")
    assert state(player).timeline().brushed[0][0] < moved[0]  # type: ignore[union-attr]
    player.window.told = Input(pointer_px=middle, events=(PointerMoved(middle), Wheel(0.0, 2.0)), wheel=2.0)
    player.frame(2)
    near = state(player).timeline()
    assert near is not None
    assert near.sight[1] - near.sight[0] <= seen.sight[1] - seen.sight[0]
    player.do("undo", "undo", "undo")
    assert chips(player) == ""
    player.do(BrushDates((0, 20_000), ended=False), "timeline", BrushDates(None))
    assert chips(player) == ""


def test_a_folder_whose_name_is_no_text_is_shown(player: Player) -> None:
    player.do("filters", ToggleFilter("folder", "w\udcff"))
    follow(player)
    panel = state(player).panel(len(player.names()))
    assert panel.chips[0].text == "w?"
    assert panel.shown == 0
    player.do("undo")
    assert notices(player)[-1] == "no filters are on any more"


def test_words_that_are_no_filter_are_said(player: Player) -> None:
    player.do(FilterBy("a phrase"), FilterBy("colour:red"), FilterBy("rating:many"))
    assert chips(player) == ""
    assert any("“a phrase” is no filter" in text for text in notices(player))
    assert any("There is no field colour:" in text for text in notices(player))
    assert any("“many” is no rating" in text for text in notices(player))


def test_filters_hold_for_what_comes_and_what_goes(
    context: moderngl.Context, indexed: Library, newcomers: list[Path], tmp_path: Path
) -> None:
    home = indexed.copy(tmp_path / "cache")
    settings = Settings(cache=str(home.cache), data=str(tmp_path / "data"), offline=True, quality="low")
    come = copy_pictures(newcomers[:2], tmp_path / "come")
    wanted, other = (picture.stem for picture in newcomers[:2])
    player = Player(context, settings, home.source, size_px=SIZE_PX)
    try:
        player.do(HideFiltered(True))
        word = wanted.split("-")[0]
        filtered(player, f"name:{word}")
        before = len(player.names())
        player.do(AddPaths((str(come),)))
        player.see(lambda: len(player.names()) == before + 2, why="the new images")
        follow(player)
        player.see(lambda: player.id_of(wanted) in passing(player), why="the new one passes")
        player.see(lambda: player.app.parts.world.resting)
        assert player.id_of(wanted) in drawn(player)
        assert other.startswith(word) or player.id_of(other) not in drawn(player)
        gone = player.id_of(wanted)
        player.do(Select(gone), "undo")  # what was added goes again
        player.see(lambda: len(player.names()) == before, why="they are gone")
        follow(player)
        assert gone not in passing(player)
        assert chips(player) == f"name:{word}"
        player.do(OpenSource((str(come),)))
        assert chips(player) == ""
        assert any(f"not on here: name:{word}" in text for text in notices(player))
        assert state(player).hides
    finally:
        player.close()
