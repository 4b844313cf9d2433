"""Every action in a list, found by words."""

from __future__ import annotations

from atlas_rt.core.command_list import commands_of, found
from atlas_rt.core.controls import BY_NAME
from atlas_rt.core.maps import Cluster
from atlas_rt.core.preferences import PREFERENCES
from atlas_rt.core.requests import Do, SetPreference, VisitCluster


def cluster(id_: int, name: str, size: int) -> Cluster:
    return Cluster(id_, name, "", "vocabulary", size, (), (), (0.0, 0.0, 0.0))


COMMANDS = commands_of([cluster(4, "sea birds", 10), cluster(7, "cars", 90), cluster(9, "", 5)])


def test_what_a_keystroke_does_is_listed_and_what_is_held_or_done_by_mouse_is_not() -> None:
    done = {each.request.action for each in COMMANDS if isinstance(each.request, Do)}
    assert {"home", "help", "fullscreen", "tour"} <= done
    assert not any(BY_NAME[name].held or BY_NAME[name].mouse for name in done)
    assert not done & {"palette", "step_back"}


def test_clusters_with_names_can_be_flown_to_the_largest_first() -> None:
    flights = [each.request for each in COMMANDS if not isinstance(each.request, Do | SetPreference)]
    assert flights == [VisitCluster(7), VisitCluster(4)]


def test_every_value_of_every_setting_is_found_by_its_name() -> None:
    for preference in PREFERENCES:
        for choice in preference.choices:
            asked = SetPreference(preference.name, choice.value)
            assert asked in [each.request for each in found(COMMANDS, f"{preference.title}: {choice.label}")]


def test_all_words_must_begin_a_word_in_any_order_and_case() -> None:
    assert [each.request for each in found(COMMANDS, "bird FLY")] == [VisitCluster(4)]
    assert found(COMMANDS, "irds") == ()
    assert Do("fullscreen") in [each.request for each in found(COMMANDS, "F11")]
    assert found(COMMANDS, "  ") == COMMANDS


def test_what_begins_with_the_text_comes_first() -> None:
    assert next(each.says for each in found(COMMANDS, "fly to the")) == BY_NAME["focus"].does
