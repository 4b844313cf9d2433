"""Everything a person can do, as a list in which words find it: the actions of `controls`, clusters and kept views
to fly to, and every value of every setting."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from atlas_rt.core.controls import ACTIONS
from atlas_rt.core.maps import Cluster
from atlas_rt.core.preferences import PREFERENCES
from atlas_rt.core.requests import (
    Do,
    DropBookmark,
    KeepBookmark,
    Request,
    SetPreference,
    VisitBookmark,
    VisitCluster,
)

WORDS = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Command:
    """One line of the list. says: what it does. group: of what. chords: the keys for it."""

    says: str
    group: str
    chords: tuple[str, ...]
    request: Request


SETTINGS = tuple(
    Command(
        f"{each.title.lower()}: {choice.label}{f' ({choice.also})' if choice.also else ''}",
        "Settings",
        (),
        SetPreference(each.name, choice.value),
    )
    for each in PREFERENCES
    for choice in each.choices
)
"""Every value of every setting."""


def commands_of(clusters: Iterable[Cluster], views: Sequence[str] = ()) -> tuple[Command, ...]:
    """What can be done by one keystroke, in the order of the help, then flights to the kept views, by their names, and
    to each cluster, the largest first, then settings."""
    actions = [
        Command(action.does, action.group, action.chords, Do(action.name))
        for action in ACTIONS
        if not (action.held or action.mouse or action.where or action.name in {"palette", "bookmark", "step_back"})
    ]
    named = sorted((each for each in clusters if each.name), key=lambda each: -each.size)
    flights = [Command(f"fly to {each.name}", "Clusters", (), VisitCluster(each.id)) for each in named]
    forgets = [Command(f"forget the view {name}", "Views", (), DropBookmark(at)) for at, name in enumerate(views)]
    keep = Command("keep this view", "Views", ("B",), Do("bookmark"))
    return (*actions, keep, *to_views(views), *flights, *SETTINGS, *forgets)


def to_views(views: Sequence[str]) -> tuple[Command, ...]:
    """Flights to the kept views."""
    return tuple(Command(f"go to {name}", "Views", (), VisitBookmark(at)) for at, name in enumerate(views))


def keeping(views: Sequence[str], name: str) -> tuple[Command, ...]:
    """What there is to do while a name for the view is typed."""
    word = " ".join(name.split()) or f"view {len(views) + 1}"
    return (Command(f"keep this view as “{word}”", "Views", (), KeepBookmark(word)), *found(to_views(views), name))


def found(commands: Iterable[Command], text: str) -> tuple[Command, ...]:
    """Those in which every word of the text begins a word; first those whose sentence begins with the text."""
    asked = text.casefold().strip()
    wanted = WORDS.findall(asked)
    matching = [each for each in commands if _has(each, wanted)]
    return tuple(sorted(matching, key=lambda each: not each.says.casefold().startswith(asked)))


def _has(command: Command, wanted: list[str]) -> bool:
    words = WORDS.findall(" ".join((command.says, command.group, *command.chords)).casefold())
    return all(any(word.startswith(each) for word in words) for each in wanted)
