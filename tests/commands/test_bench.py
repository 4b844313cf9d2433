"""`bench`: bars and the machine they were taken on, as JSON and as lines; how fast this machine is, no test asks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from atlas_rt.bench import search
from atlas_rt.bench.ingest import Peak
from atlas_rt.bench.report import Bar, BenchReport, quantiles
from atlas_rt.bench.scene import made_vectors
from atlas_rt.commands import bench
from atlas_rt.core.runtime import ANYWHERE, Runtime
from atlas_rt.encoders.encoder import TextEncoder
from tests.commands.person import Person
from tests.libraries import Library

REPORT = BenchReport(
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


def test_what_makes_its_own_scene_takes_no_source(person: Person) -> None:
    for option in ("--submission", "--arrivals"):
        told = person.ask("bench", "frame", ".", option)
        assert (told.code, "leave the source out" in told.refusal) == (2, True)


def test_quantiles_are_named() -> None:
    assert quantiles([1.0, 2.0, 3.0]) == {"median": 2.0, "p95": 2.9, "p99": 2.98}


def test_what_cannot_be_measured_here_is_said(reader: Person, library: Library, person: Person, folder: object) -> None:
    frame = reader.run("bench", "frame", "--nodes", "200", "--no-peer")
    assert (frame.code, "no display here" in frame.refusal) == (3, True)
    start = reader.run("bench", "start", library.source, "--no-update")
    assert (start.code, "no display here" in start.refusal) == (3, True)
    few = person.ask("bench", "locate", str(folder))
    assert few.code == 2
    assert "too few images to measure with; name a source with 100 or more" in few.refusal


# -- search ------------------------------------------------------------------------------------------------------------


def test_a_search_is_measured_from_the_phrase_to_the_ranked_list(library: Library) -> None:
    report = search.measure(library.model, runtime=Runtime(cache=library.cache), images=300, dim=library.model.dim)
    whole, scoring, box = report.bars
    assert (box.name, box.sense, box.bar) == ("search, whole box", "at most", 50.0)
    assert report.raw["queries_of_the_whole_box"] == 50 + len(search.TEXTS)
    assert (whole.name, whole.sense, whole.bar) == ("search", "at most", 50.0)
    assert (scoring.name, scoring.sense, scoring.bar) == ("search, scoring", "at most", 10.0)
    assert 0.0 < scoring.value < whole.value
    assert (report.raw["images"], report.raw["dimensions"], report.raw["phrases"]) == (300, library.model.dim, 50)
    assert report.raw["model"] == f"starter, {library.model.dim} dimensions, on CPU"
    assert len(set(search.PHRASES)) == 50


def test_a_phrase_is_widened_with_zeros(library: Library) -> None:
    plain = TextEncoder(library.model).encode("red car")
    wide = search.WidenedEncoder(library.model, dim=512, runtime=ANYWHERE).encode("red car")
    dim = library.model.dim
    assert (wide.shape, wide.dtype) == ((512,), plain.dtype)
    assert np.array_equal(wide[:dim], plain)
    assert not wide[dim:].any()


def test_a_search_of_a_library_is_measured_in_its_own_vectors(reader: Person, library: Library) -> None:
    told = reader.ask("bench", "search", library.source, "--no-update", "--json").document
    assert [bar["name"] for bar in told["bars"]] == ["search", "search, scoring", "search, whole box"]
    assert (told["raw"]["images"], told["raw"]["dimensions"]) == (138, library.model.dim)


def test_made_vectors_are_the_same_each_time_and_of_unit_length() -> None:
    vectors = made_vectors(100, 48)
    assert np.array_equal(vectors, made_vectors(100, 48))
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(100), abs=1e-5)


# -- ingest ------------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells what a process holds")
def test_the_memory_of_a_process_and_of_what_it_started_is_counted_together() -> None:
    alone = Peak()
    alone.look(os.getpid())
    code = "import sys, time; held = bytearray(200_000_000); print(flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        together = Peak()
        together.look(os.getpid())
        child.kill()
    assert 190.0 < together.megabytes - alone.megabytes < 260.0
