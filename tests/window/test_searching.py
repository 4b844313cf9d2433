"""Searching by a picture in the app: an image's likes, files, the clipboard, words beside them; earlier searches."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import moderngl
import numpy as np
import pytest
from PIL import Image

from atlas_rt.core.answers import SearchAnswer
from atlas_rt.core.match_threshold import ALL, CLOSEST, WEAK
from atlas_rt.core.requests import (
    AddPaths,
    ClearFilters,
    ClearSearch,
    CloseOffer,
    FilterBy,
    FindCommand,
    ForgetPicture,
    MoreLike,
    OpenSource,
    RecallQuery,
    Search,
    SearchByFile,
    Select,
    SetPreference,
    SetThreshold,
    ToggleReading,
)
from atlas_rt.settings import Settings
from atlas_rt.ui.input import Click, Input, KeyStroke, Modifiers
from atlas_rt.window import given_files, outside_pictures, searching
from tests.libraries import PICTURES, Library, children
from tests.window.player import Player

Play = Callable[..., Player]
PASTE = Input(events=(KeyStroke("V", down=True, modifiers=Modifiers(ctrl=True)),), text_focused=True)


@pytest.fixture(scope="module")
def home(indexed: Library, tmp_path_factory: pytest.TempPathFactory) -> Library:
    return indexed.copy(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def shared(context: moderngl.Context, home: Library, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Player]:
    data = tmp_path_factory.mktemp("data")
    settings = Settings(cache=str(home.cache), data=str(data), offline=True, quality="low", language="en")
    player = Player(context, settings, home.source, size_px=(640, 480))
    player.see(lambda: len(player.names()))
    yield player
    player.close()


@pytest.fixture
def player(shared: Player) -> Player:
    """With nothing searched."""
    state = shared.app.parts.panel_state
    shared.do(SetThreshold(ALL), ClearSearch(), CloseOffer())
    state.searching, state.notices = False, []
    shared.window.files, shared.window.has_picture, shared.window.copied = (), False, ""
    return shared


@pytest.fixture
def outsider(home: Library, tmp_path: Path) -> Path:
    """A picture that the library does not hold."""
    known = {path.name for path in home.source.iterdir()}
    return Path(shutil.copy(next(path for path in PICTURES if path.name not in known), tmp_path))


def best(player: Player, query: str | None = None) -> list[str]:
    """The names of the results, once they are those of what is asked now."""
    state, world = player.app.parts.panel_state, player.app.parts.world

    def answered() -> object:
        answer = world.answer
        asked = state.query if query is None else query
        return answer is not None and answer.query == asked and answer.picture is state.search.picture

    player.see(answered, why="the answer")
    assert world.answer is not None
    names = dict(zip(world.scene.ids.tolist(), player.names(), strict=True))
    return [names[match.id] for match in world.answer.best]


def said(player: Player) -> str:
    return " | ".join(notice.text for notice in player.app.parts.panel_state.notices)


def test_more_like_an_image_leaves_itself_out_and_words_lead_elsewhere(player: Player) -> None:
    state = player.app.parts.panel_state
    player.do(Search("ship"), MoreLike(player.id_of("acoustic-guitar")))
    assert (state.query, state.searching) == ("", True)
    likes = best(player)
    assert "acoustic-guitar" not in likes
    player.do(Search("a tiger"))
    assert best(player) != likes
    player.do(Search("-tiger type:webp"))
    assert best(player)[0] != "tiger-walking"
    player.do(ForgetPicture(), Search("acoustic guitar"))
    assert best(player)[0] == "acoustic-guitar"
    player.do("step_back")
    assert (state.query, state.searching, player.app.parts.world.answer) == ("", True, None)


def test_filters_narrow_a_search_by_a_picture_and_let_it_go_again(player: Player) -> None:
    world = player.app.parts.world
    player.do(MoreLike(player.id_of("acoustic-guitar")))
    likes = best(player)
    some = Path(world.scene.paths[world.row(player.id_of(likes[-1]))]).stem
    player.do(FilterBy(f"name:{some}"))
    player.see(lambda: best(player) == [some], why="the results that pass")
    player.do(ClearFilters())
    player.see(lambda: best(player) == likes, why="all results again")


def test_a_picture_that_another_model_cannot_know_is_let_go_of(player: Player, outsider: Path) -> None:
    """The light goes with it, or nobody could put it out."""
    state, world = player.app.parts.panel_state, player.app.parts.world
    player.do(SearchByFile(str(outsider)))
    player.see(lambda: state.search.picture is not None and state.search.picture.vector is not None)
    best(player)
    searching.renew_picture(player.app.parts)
    assert (state.search.picture, world.answer) == (None, None)
    player.do(MoreLike(player.id_of("acoustic-guitar")))
    searching.renew_picture(player.app.parts)
    assert state.search.picture is not None
    assert state.search.picture.id == player.id_of("acoustic-guitar")


def test_a_click_with_the_right_button_and_a_key_find_more_like_it(player: Player) -> None:
    state, name = player.app.parts.panel_state, player.names()[3]
    id_ = player.visit(name)
    player.do("more_like_this")
    assert state.search.picture is not None
    assert state.search.picture.id == id_
    player.do(ClearSearch())
    player.app.parts.world.hovered_id = id_
    player.window.told = Input(clicks=(Click("right", (320.0, 240.0), Modifiers(), 1),), pointer_px=(320.0, 240.0))
    player.frame()
    assert state.search.picture is not None
    assert best(player)


def test_a_file_is_read_elsewhere_and_shown_and_one_of_the_library_is_recognised(
    player: Player, home: Library, outsider: Path
) -> None:
    state = player.app.parts.panel_state
    player.do(SearchByFile(str(outsider)))
    assert state.search.picture is not None
    assert state.search.picture.vector is None
    assert best(player)
    assert state.search.picture.id == -1
    assert state.search.picture.preview is not None
    assert not [command for command in children(os.getpid()).values() if "atlas-decoder" in command]
    twin = shutil.copy(home.source / "acoustic-guitar.webp", outsider.parent / "twin.webp")
    player.do(SearchByFile(str(twin)))
    assert best(player)[0] == "acoustic-guitar"
    assert state.search.picture.id == player.id_of("acoustic-guitar")
    assert "in the library" in said(player)


def test_what_is_no_picture_is_said_and_searches_nothing(player: Player, tmp_path: Path) -> None:
    state = player.app.parts.panel_state
    (tmp_path / "notes.txt").write_text("no picture")
    os.mkfifo(tmp_path / "pipe.png")
    cut = tmp_path / "cut.png"
    Image.effect_noise((600, 600), 90).save(cut)
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
    for path, reason in (
        (tmp_path, "is a folder"),
        (tmp_path / "gone.png", "cannot be searched by"),
        (tmp_path / "pipe.png", "no file that can be read"),
    ):
        player.do(SearchByFile(str(path)))
        assert reason in said(player)
        assert state.search.picture is None
    player.do(SearchByFile(str(tmp_path / "notes.txt")))
    player.see(lambda: state.search.picture is None)
    assert "notes.txt: it is not a picture in a known format" in said(player)
    player.do(SearchByFile(str(cut)))
    assert best(player)
    assert "as far as it goes" in said(player)


def test_a_file_that_goes_while_it_is_read_or_kills_its_reader_is_told(
    player: Player, outsider: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state, session = player.app.parts.panel_state, player.app.parts.session
    assert session is not None
    player.do(SearchByFile(str(outsider)))
    asked = state.search.picture
    player.do(ClearSearch())  # before it is read; what comes of it now is nobody's any more
    player.see(lambda: session.query_pictures._asked.peek() is None)
    assert state.search.picture is None
    assert asked not in [entry.picture for entry in state.search.history.entries]
    monkeypatch.setattr(searching, "why_not", lambda _path: "")  # it goes right after that look
    player.do(SearchByFile(str(outsider.with_name("deleted.png"))))
    player.see(lambda: state.search.picture is None)
    assert "deleted.png" in said(player)
    monkeypatch.setattr(outside_pictures._Sampled, "__reduce__", lambda _self: (os._exit, (3,)))
    player.do(SearchByFile(str(outsider)))
    assert state.search.picture is not asked
    player.see(lambda: state.search.picture is None)
    assert "the decoder failed on it" in said(player)
    monkeypatch.undo()
    player.do(SearchByFile(str(outsider)))
    assert best(player)


def test_ctrl_v_in_the_field_takes_a_file_or_a_picture_and_leaves_text_alone(player: Player, outsider: Path) -> None:
    state = player.app.parts.panel_state
    player.do("search")
    player.frame(4)
    player.window.copied, player.window.told = "a plain text", PASTE
    player.frame(4)
    assert state.search.picture is None
    player.window.files, player.window.told = (str(outsider),), PASTE
    player.frame()
    assert state.search.picture is not None
    assert state.search.picture.name == outsider.name
    player.window.files, player.window.has_picture, player.window.told = (), True, PASTE
    player.frame()
    assert state.search.picture.name == searching.PASTED
    player.see(lambda: state.search.picture is None)  # there is none on the clipboard of this display
    assert "no picture on the clipboard" in said(player)


def test_a_drop_is_searched_by_added_or_offered(player: Player, outsider: Path, home: Library) -> None:
    state, parts = player.app.parts.panel_state, player.app.parts
    single, several = (str(outsider),), (str(outsider), str(home.source))
    assert given_files.request_of_drop(parts, several) == AddPaths(several)
    assert given_files.request_of_drop(parts, (str(home.source),)) == AddPaths((str(home.source),))
    player.window.told = Input(drops=single)
    player.frame()
    assert state.search.offer is not None
    assert state.search.offer.why_not == ""
    player.do("step_back")
    assert state.search.offer is None
    player.do("search")
    assert given_files.request_of_drop(parts, single) == SearchByFile(str(outsider))
    for paths, reason in ((several, "a single one"), ((str(home.source),), "is a folder")):
        assert given_files.request_of_drop(parts, paths) is None
        assert state.search.offer is not None
        assert reason in state.search.offer.why_not
    state.opening = True
    assert given_files.request_of_drop(parts, single) == OpenSource(single)
    state.opening = False


def test_the_threshold_leaves_out_counts_and_dims_and_says_when_nothing_is_left(player: Player) -> None:
    world, state = player.app.parts.world, player.app.parts.panel_state
    player.do(MoreLike(player.id_of("acoustic-guitar")))
    everything = best(player)
    answer = world.answer
    assert answer is not None
    assert answer.matching == len(player.names())
    player.do(SetThreshold(WEAK))
    closer = world.answer
    assert closer is not None
    assert [match.band != "none" for match in answer.best].count(True) == len(closer.best) < len(everything)
    assert np.count_nonzero(closer.lights) == closer.matching == len(closer.best) + 1  # the image itself
    player.do(SetThreshold(CLOSEST))
    assert world.answer is not None
    assert world.answer.best == ()
    player.do("more_matches")
    assert state.search.threshold == CLOSEST - searching.THRESHOLD_STEP
    player.do(SetThreshold(ALL))
    assert best(player) == everything


def test_earlier_searches_come_back_in_this_session_and_in_the_next(
    player: Player, context: moderngl.Context, home: Library
) -> None:
    state, parts = player.app.parts.panel_state, player.app.parts
    player.do("search", Search("acoustic guitar"))
    assert best(player)[0] == "acoustic-guitar"
    player.do("fly_to_best", "search", Search("tiger"))
    best(player)
    player.do(ClearSearch(), MoreLike(player.id_of("acoustic-guitar")))
    likes = best(player)
    player.do(Select(player.id_of(likes[0])), "search", ClearSearch(), Search("half typ"))
    for step, text in ((-1, ""), (-1, "tiger"), (-1, "acoustic guitar"), (1, "tiger"), (1, ""), (1, "half typ")):
        player.do(RecallQuery(step))
        assert (state.query, bool(state.search.picture)) == (text, not text)
    player.do(RecallQuery(1))
    assert state.query == "half typ"
    assert parts.session is not None
    player.see(lambda: parts.session is not None and not parts.session.query_texts._left)
    settings = parts.settings
    again = Player(context, settings, home.source, size_px=(320, 240))
    try:
        history = again.app.parts.panel_state.search.history
        again.see(lambda: history.entries, why="earlier searches")
        again.do("search", RecallQuery(-1), RecallQuery(-1))
        assert again.app.parts.panel_state.query == "acoustic guitar"
    finally:
        again.close()


def reading(player: Player) -> tuple[str, bool] | None:
    """What the words of the search were read as, and whether that was taken back, once it is answered."""
    parts = player.app.parts
    query, session = parts.panel_state.query, parts.session
    assert session is not None
    as_typed = parts.panel_state.search.as_typed(query)

    def answered() -> SearchAnswer | None:
        answer = parts.world.answer
        is_it = answer is not None and (answer.query, answer.language) == (query, session.spoken)
        return answer if is_it and answer is not None and answer.as_typed == as_typed else None

    told = player.see(answered, why="the answer").reading
    return None if told is None else (told.english, told.undone)


def test_words_are_read_in_ones_language_and_that_is_taken_back(player: Player) -> None:
    player.do(SetPreference("language", "de"), "search", Search("Gitarre"))
    assert reading(player) == ("guitar", False)
    assert best(player)[0] == "acoustic-guitar"
    player.do("as_typed")
    assert reading(player) == ("guitar", True)
    player.do(Search("Gitarre Hund"))  # going on with it
    assert reading(player) == ("guitar dog", True)
    player.do(ToggleReading())
    assert reading(player) == ("guitar dog", False)
    player.do(ToggleReading(), Search("Hund"))  # another query
    assert reading(player) == ("dog", False)
    player.do(Search("tiger"), "as_typed")  # nothing to take back
    assert reading(player) is None


def test_what_is_taken_back_before_the_answer_is_taken_back(player: Player) -> None:
    player.do(SetPreference("language", "de"), "search", Search("tiger"))
    assert reading(player) is None
    player.do(Search("Gitarre"), "as_typed")
    assert reading(player) == ("guitar", True)
    player.do(ClearSearch(), "as_typed", Search("Gitarre"))  # of no words there is nothing to take back
    assert reading(player) == ("guitar", False)


def test_what_was_taken_back_is_so_in_the_history(player: Player) -> None:
    player.do(SetPreference("language", "de"), "search", Search("Gitarre"))
    reading(player)
    player.do("as_typed")
    reading(player)
    player.do("fly_to_best", "search", ClearSearch(), Search("Hund"))
    assert reading(player) == ("dog", False)
    player.do(ClearSearch(), RecallQuery(-1), RecallQuery(-1))
    assert player.app.parts.panel_state.query == "Gitarre"
    assert reading(player) == ("guitar", True)
    player.do(RecallQuery(1))
    assert reading(player) == ("dog", False)


def test_another_language_searches_again_at_once(player: Player) -> None:
    player.do(SetPreference("language", "en"), "search", Search("guitare"))
    assert reading(player) is None
    player.do(SetPreference("language", "de"), SetPreference("language", "fr"))  # while it is still being answered
    assert reading(player) == ("guitar", False)
    player.do("palette", FindCommand("language german"), "fly_to_best")
    session = player.app.parts.session
    assert session is not None
    assert (player.app.parts.settings.language, session.spoken) == ("de", "de")
