"""Earlier searches, gone through as in a shell."""

from __future__ import annotations

from atlas_rt.core.query_history import ENTRIES_MAX, PastQuery, QueryHistory
from atlas_rt.core.query_picture import QueryPicture


def steps(history: QueryHistory, now: str, *by: int) -> list[str | None]:
    """What each step gives, from what is in the field."""
    field, seen = PastQuery(now), []
    for each in by:
        found = history.step(each, field)
        field = found or field
        seen.append(found.text if found else None)
    return seen


def test_one_goes_back_and_comes_back_to_what_was_typed() -> None:
    history = QueryHistory()
    assert steps(history, "x", -1, 1) == [None, None]
    for text in ("one", "two", "one", " ", "three", "three"):
        history.add(PastQuery(text))
    assert [entry.text for entry in history.entries] == ["two", "one", "three"]
    assert steps(history, "typed", -1, -1, -1, -1) == ["three", "one", "two", None]
    assert steps(history, "two", 1, 1, 1, 1) == ["one", "three", "typed", None]
    history.leave()
    assert steps(history, "three", -1, 1) == ["one", "three"]  # the newest is in the field already


def test_those_of_earlier_sessions_stand_before_and_the_oldest_give_way() -> None:
    history = QueryHistory()
    history.add(PastQuery("new"))
    history.restore(("old", "new"))
    assert [entry.text for entry in history.entries] == ["old", "new"]
    for number in range(ENTRIES_MAX):
        history.add(PastQuery(str(number)))
    assert [history.entries[0].text, len(history.entries)] == ["0", ENTRIES_MAX]


def test_pictures_that_mean_something_else_now_are_renewed_or_go() -> None:
    kept, lost, new = QueryPicture("kept"), QueryPicture("lost"), QueryPicture("new")
    history = QueryHistory()
    for entry in (PastQuery("words"), PastQuery("", kept), PastQuery("beside", lost)):
        history.add(entry)
    history.step(-1, PastQuery("draft", kept))
    history.renew(lambda picture: new if picture is kept else None)
    assert history.entries == (PastQuery("words"), PastQuery("", new))
    field = PastQuery("", new)
    while (found := history.step(1, field)) is not None:
        field = found
    assert field == PastQuery("draft", new)
