"""`models`: what is here and what can be had, a fetch from a hub, and libraries that never mix two models."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from atlas_rt.commands.models import _of_open_clip
from atlas_rt.encoders.model_choice import choose, chosen_name
from tests import hubs, towers
from tests.commands.person import ROOT, Person, environment
from tests.hubs import Hub
from tests.libraries import Library, listing, wait_for

GET = ("models", "get", "small", "--repo", hubs.NAME)
BIG = "visual/model.onnx"


@pytest.fixture
def person(here: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Person:
    """Asks with an empty cache."""
    return Person(here, tmp_path / "cache", capsys)


@pytest.fixture
def hub() -> Iterator[Hub]:
    with hubs.running(towers.older_export()) as hub:
        yield hub


@pytest.fixture
def asked(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> Hub:
    """The hub that commands in this process ask; those in their own read HF_ENDPOINT."""
    point_to(hub.url, monkeypatch)
    return hub


def point_to(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", url)
    template = url + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", template)


# -- list --------------------------------------------------------------------------------------------------------------


def test_the_list_tells_what_is_here_and_what_can_be_had(person: Person) -> None:
    towers.write_model(person.cache / "models" / "small", "small", more="imagenet_accuracy = 61.5")
    rows = {row["name"]: row for row in person.ask("models", "list", "--json").document}
    assert (rows["small"]["state"], rows["small"]["chosen"], rows["small"]["imagenet_accuracy"]) == ("here", True, 61.5)
    assert not rows["small"]["calibrated"]
    assert (rows["starter"]["state"], rows["starter"]["chosen"]) == ("here", False)
    assert (rows["ViT-B-16-SigLIP2"]["state"], rows["ViT-B-16-SigLIP2"]["folder"]) == ("get", None)
    assert (rows["ViT-L-14-datacomp"]["state"], rows["ViT-L-14-datacomp"]["size_mb"]) == ("export", 1710)
    assert "revision" in rows["ViT-L-14-datacomp"]["unknown"]
    lines = person.ask("models").lines
    assert [line for line in lines if line.startswith("*")] == [line for line in lines if " small " in line]
    assert any(
        re.search(r"ViT-B-16-datacomp +export +ImageNet 73\.5 % +598 MB +512 dimensions  MIT", line) for line in lines
    )


def test_an_unknown_model_is_answered_with_those_there_are(person: Person, folder: Path) -> None:
    told = person.ask("index", folder, "--model", "ViT-B-32-datacmp")
    assert told.code == 2
    assert "Did you mean ViT-B-32-datacomp? Known: auto, starter, " in told.refusal
    told = person.ask("index", folder, "--model", "ViT-B-32-datacomp")
    assert told.code == 3
    assert told.refusal.endswith("is known but not installed. Export it with: atlas-rt models export ViT-B-32-datacomp")


# -- get ---------------------------------------------------------------------------------------------------------------


def test_a_model_is_fetched_and_used(person: Person, folder: Path, hub: Hub) -> None:
    told = person.run(*GET, HF_ENDPOINT=hub.url)
    assert told.code == 0, told.err
    assert told.lines == [f"small is installed now: {person.cache}/models/small"]
    assert f"fetching small from {hubs.NAME}" in told.err
    assert person.ask("index", folder, "--model", "small", "--json").document["model"] == "small"
    hub.asked.clear()
    again = person.ask(*GET, "--offline")  # nothing has to be fetched
    assert again.lines == [f"small is already installed: {person.cache}/models/small"]
    assert hub.asked == []


def test_get_as_json_tells_the_model_alone(person: Person, asked: Hub) -> None:
    told = person.ask(*GET, "--json", "--quiet")
    row = json.loads(told.out)
    assert (row["name"], row["state"], row["revision"], told.err) == ("small", "here", hubs.COMMIT, "")


def test_what_cannot_be_fetched_is_said(person: Person, asked: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    for words, code, sentence in (
        ((*GET, "--offline"), 2, "--offline forbids `models get` to use the network"),
        (("models", "get", "starter"), 2, "The starter comes with the program"),
        (("models", "get", "ViT-L-14-datacomp"), 3, "Export it with: atlas-rt models export ViT-L-14-datacomp"),
        (("models", "get", "TinyCLIP-ViT-40M-32"), 3, "its weights lie in wkcn/TinyCLIP"),
        (("models", "get", "ViT-B-16-SigLIP"), 2, "Did you mean ViT-B-16-SigLIP2?"),
        (("models", "get", "../up", "--repo", hubs.NAME), 2, "must not contain a slash"),
        (("models", "export", "nothing"), 2, 'No model is called "nothing"'),
        (("models", "export", "RN50", "--pretrained", "../x"), 2, "A model's name must not contain a slash"),
    ):
        told = person.ask(*words)
        assert (told.code, sentence in told.refusal) == (code, True), told.err
    assert asked.headers == []  # nothing was asked for
    missing = person.ask("models", "get", "ViT-B-16-SigLIP2")
    assert missing.code == 3
    assert "no public repository for immich-app/ViT-B-16-SigLIP2__webli" in missing.refusal
    point_to(hubs.closed_port(), monkeypatch)
    away = person.ask("models", "get", "ViT-B-16-SigLIP2")
    assert away.code == 3
    assert "The hub cannot be reached" in away.refusal


def test_ctrl_c_keeps_what_came_and_the_next_fetch_goes_on(person: Person, asked: Hub) -> None:
    hub = asked
    hub.stall[BIG] = 9000
    process = person.start(*GET, HF_ENDPOINT=hub.url)
    wait_for(lambda: any(part.stat().st_size for part in parts(person)), why="the first bytes", secs=60)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    (part,) = parts(person)
    assert part.stat().st_size == 9000
    hub.stall.clear()
    hub.asked.clear()
    assert person.ask(*GET).code == 0
    (rest,) = [each for each in hub.asked if each.path == BIG]
    assert (rest.range, rest.sent) == ("bytes=9000-", len(hub.files[BIG]) - 9000)


def parts(person: Person) -> list[Path]:
    return list((person.cache / "models" / ".small.part").glob("image.onnx.*.part"))


def test_a_disk_that_fills_up_is_said_and_keeps_what_came(person: Person, asked: Hub) -> None:
    """A limit on the size of files is what a full disk is to a program that writes one."""
    code = (
        "import resource, sys; from atlas_rt import cli;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (6000, resource.RLIM_INFINITY)); sys.exit(cli.main(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", code, *person.words(GET)]
    done = subprocess.run(
        command, env=environment() | {"HF_ENDPOINT": asked.url}, capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 3, done.stderr
    assert "The disk is full" in done.stderr
    assert "Traceback" not in done.stderr
    (part,) = parts(person)
    assert part.stat().st_size == 6000
    asked.asked.clear()
    assert person.ask(*GET).code == 0
    assert next(each for each in asked.asked if each.path == BIG).range == "bytes=6000-"


def test_a_disk_without_room_is_said_before_anything_is_fetched(person: Person, asked: Hub, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("a small disk can only be mounted by root")
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)], capture_output=True).returncode:
        pytest.skip("no disk can be mounted here")
    try:
        told = person.ask(*GET, "--cache", disk)
        assert told.code == 3
        assert re.search(r"The disk is too full: 0 MB are still to come and 1 MB are free", told.refusal)
        assert asked.asked == []
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


# -- libraries ---------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_two_models_never_share_an_index_and_the_old_one_is_kept(person: Person, folder: Path) -> None:
    assert person.ask("index", folder, "--json").document["model"] == "starter"
    (first,) = person.cache.glob("libraries/*/starter-*")
    before = listing(first)
    vectors = (first / "vectors.f16").read_bytes()

    towers.write_model(person.cache / "models" / "small", "small", more="imagenet_accuracy = 61.5")
    report = person.ask("index", folder, "--json").document  # auto: the better one is here now
    assert report["model"] == "small"
    (second,) = person.cache.glob("libraries/*/small-*")
    encoded = np.fromfile(second / "vectors.f16", np.float16).reshape(-1, towers.DIM)
    assert len(encoded) == 6  # each once more
    assert listing(first) == before
    assert (first / "vectors.f16").read_bytes() == vectors

    towers.write_model(person.cache / "models" / "other", "other", seed=1)
    found = person.ask("search", folder, "a red apple", "--json", "--model", "other").document
    assert (found["model"], len(found["results"])) == ("other", 6)
    old = person.ask("search", folder, "a red apple", "--json", "--model", "starter").document
    assert (old["model"], len(old["results"])) == ("starter", 6)
    assert (first / "vectors.f16").read_bytes() == vectors  # nothing was encoded again
    assert len(list(person.cache.glob("libraries/*/*/vectors.f16"))) == 3


def test_a_model_of_open_clip_that_is_not_listed_is_known_by_its_two_names() -> None:
    listed = _of_open_clip("ViT-B-16", "datacomp_xl_s13b_b90k")
    assert (listed.name, listed.licence) == ("ViT-B-16-datacomp", "MIT")
    other = _of_open_clip("ViT-L-16-SigLIP-384", "webli")
    assert (other.name, other.family, other.pretrained) == ("ViT-L-16-SigLIP-384-webli", "siglip", "webli")


def test_a_library_is_read_with_the_model_that_made_its_map_while_the_chosen_one_has_none(
    here: Path, indexed: Library, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = indexed.copy(tmp_path)
    towers.write_model(home.cache / "models" / "small", "small")
    choose("small", home.cache)
    person = Person(here, home.cache, capsys)
    told = person.ask("search", home.source, "a guitar", "--no-update", "--json")
    assert told.document["model"] == "starter"
    assert "small has no map of this library yet; it is read with starter" in told.err
    assert person.ask("search", home.source, "a guitar", "--no-update", "--model", "small").code == 2


# -- remove ------------------------------------------------------------------------------------------------------------


def test_a_model_is_removed_only_after_a_yes_which_is_told_its_size_and_the_libraries_it_made(
    person: Person, folder: Path
) -> None:
    place = towers.write_model(person.cache / "models" / "small", "small", more="imagenet_accuracy = 61.5")
    assert person.ask("index", folder, "--model", "small", "--json").document["model"] == "small"
    choose("small", person.cache)
    told = person.ask("models", "remove", "small")
    assert (told.code, place.is_dir()) == (2, True)
    assert "add --yes" in told.refusal
    assert re.search(r"small takes 0 MB: .*/models/small", told.err)
    assert "1 library was made with it" in told.err
    assert f"  {folder}" in told.err
    row = person.ask("models", "remove", "small", "--yes", "--json").document
    assert (row["name"], row["removed"], row["libraries"]) == ("small", True, [str(folder)])
    assert (place.exists(), chosen_name(person.cache)) == (False, "")
    assert not list((person.cache / "models").glob(".small*"))


def test_what_cannot_be_removed_is_said(person: Person) -> None:
    (person.cache / "models" / ".ViT-B-32-laion2b.part").mkdir(parents=True)
    for words, code, sentence in (
        (("starter", "--yes"), 2, "starter comes with the program and stays"),
        (("ViT-B-16-SigLIP2", "--yes"), 2, "is not installed, so there is nothing to remove. Installed: none"),
        (("nothing", "--yes"), 2, 'No model called "nothing" is installed'),
        (("../libraries", "--yes"), 2, "must not contain a slash"),
        (("ViT-B-32-laion2b", "--yes"), 0, ""),  # a download that is not complete
    ):
        told = person.ask("models", "remove", *words)
        assert (told.code, sentence in told.err) == (code, True), told
    assert not list((person.cache / "models").glob(".ViT*"))
