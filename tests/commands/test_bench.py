"""`bench`: bars and the machine they were taken on, as JSON and as lines; what they measure is not measured here."""

from __future__ import annotations

import pytest

from atlas_rt.bench.report import Bar, Report, quantiles
from atlas_rt.commands import bench
from tests.commands.person import Person
from tests.libraries import Library

REPORT = Report(
    (
        Bar("start", 1.23456, "s to the first frame", "at most", 2.0),
        Bar("locate", 3.0, "times faster", "at least", 4.0),
    ),
    {"runs": [1, 2]},
)


def test_a_bar_holds_on_its_own_side() -> None:
    assert Bar("a", 2.0, "s", "at most", 2.0).holds
    assert not Bar("a", 2.1, "s", "at most", 2.0).holds
    assert Bar("a", 2.0, "s", "at least", 2.0).holds
    assert not Bar("a", 1.9, "s", "at least", 2.0).holds


def test_the_report_as_json(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(bench.BENCHES, "start", lambda *_: REPORT)
    told = person.ask("bench", "start", "--json").document
    assert told["machine"].keys() >= {"cpu", "cores", "system", "python"}
    first = told["bars"][0]
    assert (first["name"], first["unit"], first["sense"]) == ("start", "s to the first frame", "at most")
    assert (first["value"], first["bar"], first["holds"]) == (1.2346, 2.0, True)
    assert [type(bar[name]) for bar in told["bars"] for name in ("value", "bar", "holds")] == [float, float, bool] * 2
    assert told["raw"] == {"runs": [1, 2]}


def test_the_report_as_lines(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(bench.BENCHES, "locate", lambda *_: REPORT)
    assert person.ask("bench", "locate").lines == [
        "start: 1.23 s to the first frame (at most 2): holds",
        "locate: 3 times faster (at least 4): does not hold",
        "  runs: [1, 2]",
    ]


def test_quantiles_are_named() -> None:
    assert quantiles([1.0, 2.0, 3.0]) == {"median": 2.0, "p95": 2.9, "p99": 2.98}


def test_what_cannot_be_measured_here_is_said(reader: Person, library: Library, person: Person, folder: object) -> None:
    frame = reader.run("bench", "frame", "--nodes", "200")
    assert (frame.code, "no display here" in frame.refusal) == (3, True)
    start = reader.run("bench", "start", library.source, "--no-update")
    assert (start.code, "no display here" in start.refusal) == (3, True)
    few = person.ask("bench", "locate", str(folder))
    assert few.code == 2
    assert "too few images to measure with; name a source with 100 or more" in few.refusal
