"""The panels on software OpenGL: what is shown, and what a click or a word asks for."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from atlas_rt.core.answers import LiveFix
from atlas_rt.core.command_list import Command
from atlas_rt.core.compass import Compass
from atlas_rt.core.hud import NOTICE_SECS, CountTag, FrameFigures, Hud, NameTag, Notice, PaletteView, Place, WhyHere
from atlas_rt.core.images import Failure
from atlas_rt.core.metadata import Metadata
from atlas_rt.core.minimap import Minimap, Spot
from atlas_rt.core.reports import Progress
from atlas_rt.core.requests import (
    CopyPath,
    CopyPicture,
    CopyText,
    Deselect,
    Do,
    FilterBy,
    FindCommand,
    FlyTo,
    Hover,
    LookAt,
    LookMove,
    LookSize,
    LookZoom,
    MoreLike,
    OpenFile,
    OpenSource,
    PointAtCluster,
    Request,
    Retry,
    RunCommand,
    Search,
    Select,
    ShowInFolder,
    VisitCluster,
)
from atlas_rt.core.troubles import Trouble
from atlas_rt.ui.input import Button, KeyStroke, Modifiers, PointerMoved, Wheel
from atlas_rt.ui.panels import image_buttons
from atlas_rt.ui.panels.canvas import Rect
from atlas_rt.ui.panels.hover import GRACE_SECS, beside
from atlas_rt.ui.panels.status import engine_line, pace
from tests.ui.huds import (
    Sheet,
    make_answer,
    make_facts,
    make_hud,
    make_look,
    make_metadata,
    make_page,
    make_panel,
    make_row,
    typed,
)

FIX = LiveFix(
    np.zeros(3, np.float32), 0.2, (1, 2, 3, 4), np.zeros(4, np.float32), np.zeros((48, 64, 3), np.uint8), fps=9.8
)
NO_CAMERA = replace(FIX, neighbours=(), error="No camera was found; connect one, or give a film with --webcam FILE.")
READ_ONLY = Trouble("read only", "Read-only: another window (process 4711 on laptop) is updating this library", False)
NO_SEARCH = Trouble("search", "Search does not work: A model file cannot be read. " + "Fetch it again. " * 12)
FIGURES = FrameFigures(60.0, 5.7, 8.1, 0.002, np.full(240, 5.7, np.float32), "high", "2,000 cards")
BANDS = ("strong",) * 4 + ("weak",) * 4 + ("none",) * 12


def absent(source: str) -> Trouble:
    return Trouble("sources", f"{source} is empty: is the drive connected? Showing what was known", retry=False)


STATES: dict[str, Hud] = {
    "idle": make_hud(),
    "working": make_hud(
        progress=Progress("index", 124, 2000, 168.0, 41.0),
        failures=(Failure("/p/broken.jpg", "truncated"),),
        troubles=(READ_ONLY, NO_SEARCH),
        notices=(Notice("12 new images", "good", 1.0),),
    ),
    "absent": make_hud(
        troubles=(
            Trouble(
                "sources",
                f"/media/{'a long name/' * 6}photos is empty: is the drive connected? Showing what was known",
                retry=False,
            ),
        )
    ),
    "searching": make_hud(searching=True, query="bird", answer=make_answer("bird", *BANDS), figures=FIGURES),
    "detail": make_hud(selected=make_facts(), live_on=True, live=FIX, searching=True, figures=FIGURES),
    "portrait": make_hud(selected=make_facts(width_px=1000, height_px=3000), live_on=True, live=NO_CAMERA),
    "told": make_hud(selected=make_facts(metadata=make_metadata(), raw="image 1.CR2"), searching=True),
    "told at length": make_hud(
        selected=make_facts(
            path="/a/" + "b" * 255 + "/c.jpg", metadata=make_metadata(camera="W" * 300, title="語" * 300)
        ),
    ),
    "long words": make_hud(
        selected=make_facts(
            path=f"/a/{'語' * 85}.jpg",
            labels=(("w" * 300, 0.9), ("long words " * 9, 0.2)),
            cluster="b" * 255,
            cluster_id=1,
            cluster_why="c" * 300,
            folder="b" * 255,
            alike=(2, 300),
            why_here=WhyHere("d" * 2000, ((1, 0.5),)),
            copies=tuple((id_, 0.99) for id_ in range(20, 44)),
        ),
    ),
    "unshown": make_hud(selected=make_facts(), picture_error="it is cut short. " * 20),
    "hover": make_hud(hovered=make_facts(), hovered_at_px=(640.0, 300.0, 30.0)),
    "help": make_hud(help_open=True),
    "clusters": make_hud(clusters=make_panel(300), searching=True, query="bird", answer=make_answer("bird", *BANDS)),
    "cluster names": make_hud(
        clusters=make_panel(0, rows=(replace(make_row(1), pending="a name " * 9), make_row(2, hidden=True)), total=2),
        live_on=True,
        live=FIX,
        figures=FIGURES,
    ),
    "cluster page": make_hud(clusters=make_panel(3, opened=make_row(1), page=make_page(1), nearest=make_row(2))),
    "looking": make_hud(look=make_look(7), selected=make_facts(7), notices=(Notice("copied", "good", 1.0),)),
    "comparing": make_hud(look=make_look(1, 2, 3, 4, informed=True, order="4 compared"), selected=make_facts()),
    "welcome": make_hud(welcome=True),
    "tour": make_hud(touring=True, notices=tuple(Notice("a sentence", "plain", 1.0) for _ in range(3))),
}


def covered(sheet: Sheet, at_px: tuple[float, float]) -> bool:
    """Whether a panel of the last frame lies there."""
    x, y = at_px
    return any(rect.x <= x < rect.right and rect.y <= y < rect.bottom for rect in sheet.panels.covered)


@pytest.mark.parametrize("size_px", [(1280, 720), (3840, 2160), (900, 600)])
@pytest.mark.parametrize("name", STATES)
def test_every_state_is_drawn_within_the_window_and_nothing_overlaps(
    make_sheet: Callable[[tuple[int, int]], Sheet], name: str, size_px: tuple[int, int]
) -> None:
    sheet = make_sheet(size_px)
    sheet.show(replace(STATES[name], size_px=size_px), frames=4)
    assert sheet.changed().mean() > 0.002
    rects = sheet.panels.covered
    for rect in rects:
        assert rect.x >= 0 and rect.y >= 0, rect  # noqa: PT018
        assert rect.right <= size_px[0] + 1 and rect.bottom <= size_px[1] + 1, rect  # noqa: PT018
    if name != "help":
        assert not any(a.overlaps(b) for a, b in combinations(rects, 2))


@pytest.mark.parametrize("name", STATES)
def test_every_state_is_drawn_in_a_window_that_is_far_too_small(
    make_sheet: Callable[[tuple[int, int]], Sheet], name: str
) -> None:
    for size_px in ((64, 48), (1, 1)):
        make_sheet(size_px).show(replace(STATES[name], size_px=size_px), frames=2)


def test_a_count_is_a_small_pill_at_its_place_and_a_faint_one_is_faint(sheet: Sheet) -> None:
    """Right over the map: a panel there would cover it."""
    shares = []
    for strength in (1.0, 0.4):
        sheet.show(make_hud(count_tags=(CountTag(12, (640.0, 300.0), strength),)), frames=2)
        around = sheet.pixels()[285:315, 615:665].astype(np.int16)
        darker = around.max(axis=2) < round(0.2 * 255) - 6
        rows, columns = np.nonzero(darker)
        assert abs(rows.mean() - 15) < 2
        assert abs(columns.mean() - 25) < 3
        assert rows.max() - rows.min() < 22
        shares.append(float(around.max()))
    assert shares[0] > 200 > shares[1]  # the figures
    assert not covered(sheet, (640.0, 300.0))


def test_a_picture_that_comes_before_its_facts_is_not_shown_under_another_name(sheet: Sheet) -> None:
    facts = make_facts()
    for picture_id, shown in ((facts.id, True), (facts.id + 1, False)):
        sheet.show(make_hud(selected=facts, picture_id=picture_id), frames=12)
        assert (sheet.pixels() == (0, 0, 255)).all(axis=2).any() == shown


def test_of_near_duplicates_the_panel_tells_which_and_how_many(sheet: Sheet) -> None:
    facts = make_facts(alike=(2, 3))
    assert facts.alike_words == "2 of 3 alike"
    for plain, told in (
        (make_hud(selected=make_facts()), make_hud(selected=facts)),
        (STATES["hover"], replace(STATES["hover"], hovered=facts)),
    ):
        sheet.show(plain, frames=12)
        before = sheet.pixels().copy()
        sheet.show(told, frames=12)
        assert (sheet.pixels() != before).any()


def test_typing_searches_at_every_change_and_loses_no_letter(sheet: Sheet) -> None:
    sheet.show(make_hud(), frames=2)
    # The field gets the focus two frames after it was asked for; what is typed until then waits.
    requests = sheet.show(make_hud(searching=True), *typed("bird"), frames=10)
    assert sheet.panels.wants_text
    assert [request for request in requests if isinstance(request, Search)][-1] == Search("bird")


def test_a_query_that_the_app_clears_leaves_the_field_empty(sheet: Sheet) -> None:
    sheet.show(make_hud(searching=True), frames=5)
    sheet.show(make_hud(searching=True), *typed("bird"), frames=6)
    sheet.show(make_hud(searching=True, query="bird"), frames=2)
    sheet.show(make_hud(searching=True, query=""), frames=2)
    assert sheet.show(make_hud(searching=True, query=""), *typed("c"), frames=4)[-1] == Search("c")


def test_a_closed_console_wants_no_text(sheet: Sheet) -> None:
    sheet.show(make_hud(searching=True), frames=5)
    sheet.show(make_hud(), frames=1)
    assert not sheet.panels.wants_text


def test_the_field_can_be_focused_again_after_a_click_on_the_map(sheet: Sheet) -> None:
    hud = make_hud(searching=True)
    sheet.show(hud, frames=5)
    sheet.click(hud, 640, 600)
    assert not sheet.panels.wants_text
    sheet.panels.focus_search()
    assert sheet.show(hud, *typed("x"), frames=8) == [Search("x")]


def test_results_fly_there_and_ring_their_node(sheet: Sheet) -> None:
    hud = make_hud(searching=True, query="bird", answer=make_answer("bird", *BANDS))
    sheet.show(hud, frames=4)
    at_px = sheet.green()
    assert sheet.show(hud, PointerMoved(at_px), frames=3) == [Hover(10)]
    assert sheet.overlay.wants_mouse
    assert covered(sheet, at_px)
    assert sheet.click(hud, *at_px)[:2] == [FlyTo(10), Select(10)]
    assert sheet.show(hud, PointerMoved((640.0, 600.0)), frames=3) == [Hover(-1)]
    assert not sheet.overlay.wants_mouse
    assert not covered(sheet, (640.0, 600.0))


def test_the_strip_follows_the_result_and_the_wheel(sheet: Sheet) -> None:
    hud = make_hud(searching=True, query="bird", answer=make_answer("bird", *BANDS), result=12)
    sheet.show(hud, frames=3)
    assert Select(12 + 10 - 6) in sheet.click(hud, *sheet.green())  # seven fit: result 12 is the last of them


def test_results_of_no_band_are_dimmed(sheet: Sheet) -> None:
    sheet.show(make_hud(searching=True, query="zebra", answer=make_answer("zebra", *["none"] * 8)), frames=4)
    green = sheet.pixels()[..., 1]
    assert green[100:240].max() < 255
    sheet.show(make_hud(searching=True, query="zebra", answer=make_answer("zebra", *["weak"] * 8)), frames=4)
    assert sheet.pixels()[100:240, :, 1].max() == 255


def test_the_hover_card_waits_stays_a_little_and_never_covers_its_node(sheet: Sheet) -> None:
    plain = make_hud(dt_secs=0.05)
    hud = replace(plain, hovered=make_facts(), hovered_at_px=(640.0, 360.0, 40.0))
    sheet.show(replace(plain, dt_secs=1.0), frames=16)  # the first hint has gone
    before = sheet.changed().sum()
    sheet.show(hud, frames=2)
    assert sheet.changed().sum() == before
    sheet.show(hud, frames=3)
    assert sheet.changed().sum() > before + 10_000
    assert not sheet.changed()[320:400, 600:680].any()
    sheet.show(plain, frames=int(GRACE_SECS / 0.05) - 1)
    assert sheet.changed().sum() > before
    sheet.show(plain, frames=4)
    assert sheet.changed().sum() == before


def test_the_selected_image_gets_no_card(sheet: Sheet) -> None:
    plain = make_hud(dt_secs=1.0, selected=make_facts(3))
    sheet.show(plain, frames=16)
    before = sheet.changed().sum()
    sheet.show(replace(plain, hovered=make_facts(3), hovered_at_px=(400.0, 360.0, 40.0)), frames=3)
    assert sheet.changed().sum() == before
    sheet.show(replace(plain, hovered=make_facts(4), hovered_at_px=(880.0, 360.0, 20.0)), frames=3)
    assert sheet.changed()[300:400, 700:800].any()  # left of the node: right of it lies the panel


def test_cards_lie_beside_nodes_wherever_those_are() -> None:
    for x in range(0, 1281, 80):
        for y in range(0, 721, 60):
            for radius in (4, 40, 150):
                rect = beside((x, y, radius), (240.0, 260.0), (1280.0, 720.0), 14.0, 8.0)
                nearest = (min(max(x, rect.x), rect.right), min(max(y, rect.y), rect.bottom))
                assert math.dist(nearest, (x, y)) >= radius, (x, y, radius)
                assert rect.x >= 8
                assert rect.y >= 8
                assert rect.right <= 1272
                assert rect.bottom <= 712


def test_the_detail_panel_closes_copies_and_flies(sheet: Sheet) -> None:
    hud = make_hud(selected=make_facts(7))
    sheet.show(hud, frames=3)
    panel = sheet.panels.covered[0]
    for across, up, request in (
        (60, 110, FlyTo(7)),
        (260, 110, Do("look_whole")),
        (60, 70, OpenFile(7)),
        (260, 70, ShowInFolder(7)),
        (100, 30, CopyPath(7)),
        (200, 30, CopyPicture(7)),
        (300, 30, CopyText(7)),
    ):
        assert sheet.click(hud, panel.x + across, panel.bottom - up) == [request]
    assert sheet.click(hud, panel.right - 38, panel.y + 38) == [Deselect()]


def test_what_a_file_tells_is_shown_below_and_the_picture_makes_room(
    make_sheet: Callable[[tuple[int, int]], Sheet],
) -> None:
    """Buttons stay and the nearest images can be scrolled to, however much there is to tell."""
    heights = {}
    for size_px in ((1280, 720), (900, 600), (3840, 2160)):
        for metadata in (Metadata(), make_metadata()):
            sheet = make_sheet(size_px)
            hud = make_hud(size_px=size_px, selected=make_facts(7, metadata=metadata))
            sheet.show(hud, frames=4)
            panel = sheet.panels.covered[0]
            heights[size_px, metadata.camera] = panel.height
            px = panel.width / 348.0
            above = panel.bottom - image_buttons.height(kiosk=False) * px
            assert FlyTo(7) in sheet.click(hud, panel.x + 60 * px, above)
            scroll(sheet, hud, (panel.x + 60 * px, above - 60 * px))
            requests = sheet.click(hud, panel.x + 50 * px, above - 90 * px)
            assert [type(each) for each in requests if not isinstance(each, Hover)] == [FlyTo, Select]
    assert heights[(3840, 2160), "NIKON D90"] > heights[(3840, 2160), ""]


def test_page_down_scrolls_the_panel(sheet: Sheet) -> None:
    hud = make_hud(selected=make_facts(7, metadata=make_metadata()))
    sheet.show(hud, frames=4)
    before = sheet.pixels().copy()
    for key in ("PageDown", "PageUp"):
        strokes = KeyStroke(key, True, Modifiers()), KeyStroke(key, False, Modifiers())
        sheet.show(hud, *strokes, frames=4)
        assert (sheet.pixels() != before).any() == (key == "PageDown")


def scroll(sheet: Sheet, hud: Hud, at_px: tuple[float, float]) -> None:
    """Turn the wheel there until nothing moves any more."""
    sheet.show(hud, PointerMoved(at_px), frames=2)
    sheet.show(hud, *(Wheel(0.0, -30.0),) * 3, frames=6)


def test_sections_of_the_panel_fold_and_lead_on(make_sheet: Callable[[tuple[int, int]], Sheet]) -> None:
    size_px, px = (3840, 2160), 2.0
    sheet = make_sheet(size_px)
    why = WhyHere("The map was fitted with it. " * 3, ((21, 0.9),))
    facts = make_facts(
        7, cluster_id=3, cluster_why="most look like: bird, parrot", folder="2024/at the sea", alike=(1, 2),
        copies=((20, 0.99),), why_here=why, neighbours=((11, 0.8),),
    )  # fmt: skip
    hud = make_hud(size_px=size_px, selected=facts)
    sheet.show(hud, frames=5)
    panel = sheet.panels.covered[0]
    below_name = panel.y + (16.0 + 316.0 / facts.width_px * facts.height_px + 68.0) * px
    cluster, folder, heading = (below_name + down * px for down in (43.0, 115.0, 158.0))
    assert sheet.click(hud, panel.x + 100.0 * px, cluster)[-1:] == [VisitCluster(3)]
    assert sheet.click(hud, panel.x + 120.0 * px, folder)[-1:] == [FilterBy('folder:"2024/at the sea"')]
    assert sheet.click(hud, panel.right - 50.0 * px, heading)[-1:] == [MoreLike(7)]
    before = panel.height
    sheet.click(hud, panel.x + 60.0 * px, heading)
    sheet.show(hud, frames=3)
    folded = sheet.panels.covered[0]
    assert before - 110.0 * px < folded.height < before - 80.0 * px  # a row of thumbnails less
    unexplained = replace(hud, selected=replace(facts, why_here=None))
    sheet.show(unexplained, frames=3)
    assert sheet.panels.covered[0].height < folded.height - 100.0 * px  # it takes words and pictures
    sheet.show(hud, frames=3)
    kiosk = replace(hud, kiosk=True)
    sheet.show(kiosk, frames=3)
    assert not any(isinstance(each, FilterBy) for each in sheet.click(kiosk, panel.x + 120.0 * px, folder))


def test_a_double_click_on_the_panels_picture_looks_at_it_whole(sheet: Sheet) -> None:
    hud = make_hud(selected=make_facts(7))
    sheet.show(hud, frames=3)
    panel = sheet.panels.covered[0]
    assert double_click(sheet, hud, panel.x + 100, panel.y + 100) == [LookAt((7,))]


def double_click(sheet: Sheet, hud: Hud, x: float, y: float) -> list[Request]:
    requests = sheet.show(hud, PointerMoved((x, y)), frames=2)
    for down in (True, False, True, False):
        requests += sheet.show(hud, Button("left", down=down, at_px=(x, y), modifiers=Modifiers()))
    return requests


def test_over_a_picture_the_wheel_zooms_there_and_a_drag_moves_it(sheet: Sheet) -> None:
    hud = make_hud(look=make_look(7), selected=make_facts(7))
    at_px = (500.0, 300.0)
    sheet.show(hud, PointerMoved(at_px), frames=3)
    assert sheet.show(hud, Wheel(0.0, 1.0), frames=2) == [LookZoom(1.0, at_px)]
    assert double_click(sheet, hud, *at_px) == [LookSize(at_px)]
    sheet.show(hud, Button("left", down=True, at_px=at_px, modifiers=Modifiers()), frames=2)
    assert sheet.show(hud, PointerMoved((530.0, 280.0)), frames=3) == [LookMove((30.0, -20.0))]
    assert sheet.show(hud, Button("left", down=False, at_px=(530.0, 280.0), modifiers=Modifiers()), frames=2) == []


def test_the_bar_below_a_picture_has_everything_for_the_mouse(sheet: Sheet) -> None:
    hud = make_hud(look=make_look(7), selected=make_facts(7))
    sheet.show(hud, frames=3)
    names = ("previous", "next", "farther", "nearer", "size", "turn", "turn_back", "information")
    looks = {Do(f"look_{name}") for name in names}
    for shown, asked in (
        (hud, looks | {OpenFile(7), ShowInFolder(7), CopyPicture(7)}),
        (replace(hud, kiosk=True), looks),
    ):
        places = [(float(x), 692.0) for x in range(140, 1140, 30)]
        assert {request for at_px in places for request in quick_click(sheet, shown, at_px)} == asked
    stepped = replace(hud, look=make_look(7, steps=True))
    assert Do("look_compare") in {request for at_px in places for request in quick_click(sheet, stepped, at_px)}
    assert quick_click(sheet, hud, (1247.0, 33.0)) == [Do("step_back")]


def quick_click(sheet: Sheet, hud: Hud, at_px: tuple[float, float]) -> list[Request]:
    """In as few frames as there can be: each is drawn."""
    sheet.show(hud, PointerMoved(at_px))
    buttons = (Button("left", down=down, at_px=at_px, modifiers=Modifiers()) for down in (True, False))
    return [request for button in buttons for request in sheet.show(hud, button)]


def test_of_several_pictures_one_is_looked_at_alone_by_a_double_click(sheet: Sheet) -> None:
    hud = make_hud(look=make_look(7, 8, 9), selected=make_facts(7))
    sheet.show(hud, frames=3)
    assert double_click(sheet, hud, 640.0, 300.0) == [LookAt((8,))]


def test_until_its_tiles_come_something_smaller_stands_in_for_a_picture(sheet: Sheet) -> None:
    """Thumbnails are green here, full pictures and tiles blue."""
    for picture_id, left, right in ((-1, (0, 0, 255), (0, 255, 0)), (8, (0, 0, 255), (0, 0, 255))):
        sheet.show(make_hud(look=make_look(7, 8), picture_id=picture_id), frames=3)
        assert tuple(sheet.pixels()[330, 320]) == left
        assert tuple(sheet.pixels()[330, 960]) == right


def test_a_kiosk_shows_no_path_and_no_status(sheet: Sheet) -> None:
    hud = make_hud(selected=make_facts(7), kiosk=True, figures=FIGURES, troubles=(READ_ONLY,))
    sheet.show(hud, frames=3)
    assert len(sheet.panels.covered) == 1
    panel = sheet.panels.covered[0]
    assert sheet.click(hud, panel.x + 60, panel.bottom - 30) == [FlyTo(7)]
    assert sheet.click(hud, panel.right - 60, panel.bottom - 30) == [Do("look_whole")]


def test_neighbours_fly_there(sheet: Sheet) -> None:
    hud = make_hud(selected=make_facts(7))
    sheet.show(hud, frames=3)
    panel = sheet.panels.covered[0]
    requests = sheet.click(hud, panel.x + 50, panel.bottom - 190)
    assert [type(request) for request in requests if not isinstance(request, Hover)] == [FlyTo, Select]


def test_what_does_not_work_is_told_as_long_as_it_lasts_and_tried_again_at_a_click(sheet: Sheet) -> None:
    quiet = status_of(sheet, make_hud())
    told = status_of(sheet, make_hud(troubles=(READ_ONLY, NO_SEARCH)))
    assert told.height > quiet.height + 4 * 19.0  # whole sentences
    at = told.x + 30, told.bottom - 45
    assert sheet.click(make_hud(troubles=(READ_ONLY, NO_SEARCH)), *at) == [Retry("search")]
    assert status_of(sheet, make_hud()) == quiet


def status_of(sheet: Sheet, hud: Hud) -> Rect:
    """The status panel, the lowest at the left."""
    sheet.show(hud, frames=2)
    return max(sheet.panels.covered, key=lambda rect: rect.bottom - rect.x)


def test_failures_are_listed_at_a_click(sheet: Sheet) -> None:
    hud = make_hud(failures=tuple(Failure(f"/pictures/{number}.jpg", "truncated file") for number in range(200)))
    sheet.show(hud, frames=3)
    (status,) = sheet.panels.covered
    sheet.click(hud, status.x + 40, status.y + 40)
    assert len(sheet.panels.covered) == 2
    sheet.click(hud, status.x + 40, status.y + 40)
    assert len(sheet.panels.covered) == 1


def test_an_absent_source_is_said_as_long_as_it_lasts(sheet: Sheet) -> None:
    sheet.show(make_hud(), frames=3)
    (quiet,) = sheet.panels.covered
    for _ in range(2):
        sheet.show(
            make_hud(
                troubles=(
                    Trouble("sources", "/photos is empty: is the drive connected? Showing what was known", retry=False),
                )
            ),
            frames=300,
        )
        (status,) = sheet.panels.covered
        assert status.height > quiet.height * 1.25


def test_the_larger_of_two_names_that_touch_stays(sheet: Sheet) -> None:
    large = NameTag("Animals", (400.0, 300.0), 1.0, (120, 180, 255), 90)
    small = NameTag("Food", (410.0, 304.0), 1.0, (255, 180, 120), 30)
    sheet.show(make_hud(name_tags=(large,)), frames=3)
    alone = sheet.pixels().copy()
    sheet.show(make_hud(name_tags=(small, large)), frames=3)
    assert (sheet.pixels()[250:350, 250:550] == alone[250:350, 250:550]).all()
    assert sheet.changed()[290:310, 350:450].any()


@pytest.mark.parametrize("ground", [(1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (0.9, 0.8, 0.1)])
@pytest.mark.parametrize("strength", [0.13, 1.0])
@pytest.mark.parametrize("name", ["Illustrations", "الرسوم التوضيحية"])
def test_names_are_legible_over_any_picture(
    sheet: Sheet, ground: tuple[float, float, float], strength: float, name: str
) -> None:
    """WCAG's contrast between the brightest pixels of a name, its letters, and the plate around them."""
    tag = NameTag(name, (400.0, 300.0), strength, (60, 90, 255), 90)
    sheet.show(make_hud(name_tags=(tag,)), frames=3, ground=ground)
    pixels = sheet.pixels()[292:308, 345:455].reshape(-1, 3) / 255.0
    linear = np.where(pixels <= 0.04045, pixels / 12.92, ((pixels + 0.055) / 1.055) ** 2.4)
    light = np.sort(linear @ (0.2126, 0.7152, 0.0722))
    letters, plate = light[-40:].mean(), np.median(light)
    assert (letters + 0.05) / (plate + 0.05) >= 4.5


def make_minimap() -> Minimap:
    spots = (Spot(3, "birds", (0.3, 0.3), 0.15, (255, 90, 60)), Spot(4, "cars", (0.75, 0.7), 0.15, (60, 90, 255)))
    specks = np.array([(0.3, 0.3), (0.75, 0.7)], np.float32)
    return Minimap(spots, specks, np.full((2, 3), 200.0, np.float32), (0.5, 0.9), False, 0.3, 0.5, 0.4, here=3)


def test_a_click_on_a_cluster_in_the_minimap_flies_there(sheet: Sheet) -> None:
    hud = make_hud(minimap=make_minimap())
    sheet.show(hud, frames=3)
    plan = sheet.panels.covered[-1]
    inner = plan.width - 24.0
    x, y = plan.x + 12.0 + 0.75 * inner, plan.bottom - 12.0 - 0.3 * inner
    asked = sheet.click(hud, x, y)
    assert VisitCluster(4) in asked
    assert PointAtCluster(4) in asked
    assert PointAtCluster(-1) in sheet.show(make_hud(), frames=30)  # closed: nothing is pointed at


def test_the_compass_flies_to_the_selected_image(sheet: Sheet) -> None:
    hud = make_hud(compass=Compass(77, (900.0, 200.0), (1.0, 0.0)))
    sheet.show(hud, frames=3)
    assert FlyTo(77) in sheet.click(hud, 900.0, 200.0)


def test_the_cluster_one_flies_into_is_told_at_the_top(sheet: Sheet) -> None:
    sheet.show(make_hud(), frames=3)
    without = sheet.pixels().copy()
    sheet.show(make_hud(place=Place("birds", (255, 90, 60), 1.0)), frames=3)
    rows = np.nonzero((sheet.pixels() != without).any(axis=(1, 2)))[0]
    assert rows.min() > 10
    assert rows.max() < 80


def test_the_palette_takes_words_and_clicks(sheet: Sheet) -> None:
    commands = (
        Command("see the whole map", "Fly", ("H",), Do("home")),
        Command("fly to birds", "Clusters", (), Do("tour")),
    )
    hud = make_hud(palette=PaletteView("", commands, 0))
    sheet.show(hud, frames=4)
    assert sheet.panels.wants_text
    assert FindCommand("m") in sheet.show(hud, *typed("m"), frames=2)
    line = 0.16 * 720.0 + 58.0
    assert RunCommand(1) in sheet.click(hud, 640.0, line + 54.0)
    assert not any(isinstance(each, Do) for each in sheet.click(hud, 640.0, 0.16 * 720.0 + 8.0))
    assert Do("palette") in sheet.click(hud, 20.0, 400.0)


def test_names_are_not_drawn_under_panels(sheet: Sheet) -> None:
    tag = NameTag("Animals", (100.0, 680.0), 1.0, (255, 255, 255), 90)
    sheet.show(make_hud(), frames=3)
    without = sheet.pixels().copy()
    sheet.show(make_hud(name_tags=(tag,)), frames=3)
    assert (sheet.pixels()[600:] == without[600:]).all()


def test_a_click_beside_the_help_closes_it_and_one_in_it_does_not(sheet: Sheet) -> None:
    hud = make_hud(help_open=True)
    sheet.show(hud, frames=3)
    assert sheet.click(hud, 640, 360) == []
    assert sheet.click(hud, 10, 10) == [Do("help")]


def test_the_welcome_opens_the_demo_and_folders(sheet: Sheet, tmp_path: Path) -> None:
    hud = make_hud(welcome=True)
    sheet.show(hud, frames=3)
    (panel,) = sheet.panels.covered
    assert sheet.click(hud, panel.centre[0], panel.y + 150) == [OpenSource((), demo=True)]
    sheet.click(hud, panel.x + 100, panel.y + 210)
    assert sheet.panels.wants_text
    sheet.show(hud, *typed("/no/such"), frames=20)
    enter = [KeyStroke("Enter", down, Modifiers()) for down in (True, False)]
    assert sheet.show(hud, *enter, frames=4) == []
    sheet.click(hud, panel.x + 100, panel.y + 210)
    select_all = [KeyStroke("A", down, Modifiers(ctrl=down)) for down in (True, False)]
    sheet.show(hud, *select_all, frames=4)
    sheet.show(hud, *typed(str(tmp_path)), frames=80)
    assert sheet.show(hud, *enter, frames=4) == [OpenSource((str(tmp_path),))]
    sheet.click(hud, panel.x + 100, panel.y + 210)
    sheet.show(hud, *select_all, frames=4)
    sheet.show(hud, *typed("'s3://b/x'"), frames=20)  # as it is copied from a command
    assert sheet.show(hud, *enter, frames=4) == [OpenSource(("s3://b/x",))]


def test_notices_fade_and_end() -> None:
    shown = [Notice("x", "plain", age) for age in (0.0, 0.125, 2.0, NOTICE_SECS - 0.125, NOTICE_SECS)]
    assert [notice.alpha for notice in shown] == pytest.approx([0, 0.5, 1, 0.5, 0])
    assert [notice.over for notice in shown] == [False] * 4 + [True]


def test_a_changed_speed_is_told_for_a_moment(sheet: Sheet) -> None:
    plain = make_hud(dt_secs=1.0, speed=0.6)
    sheet.show(plain, frames=16)
    before = sheet.changed().sum()
    sheet.show(replace(plain, dt_secs=0.1, speed=0.72), frames=2)
    assert sheet.changed().sum() > before
    sheet.show(replace(plain, speed=0.72), frames=3)
    assert sheet.changed().sum() == before


def test_pace_and_engine_are_told_shortly() -> None:
    assert pace(Progress("index", 124, 2000, 168.0, 200.0)) == "168/s  ·  3 min 20 s left"
    assert engine_line(make_hud()) == "UMAP map  ·  starter  ·  CPU  ·  llvmpipe"


def test_panels_cost_the_frame_little(sheet: Sheet) -> None:
    """0.13 ms idle and 0.7 ms with everything open on two shared cores; the bound leaves room for slow machines."""
    for name, limit_ms in (("idle", 2.0), ("searching", 4.0)):
        sheet.show(STATES[name], frames=10)
        times_ms = []
        for _ in range(20):
            sheet.show(STATES[name])
            times_ms.append(sheet.build_ms)
        assert statistics.median(times_ms) < limit_ms
