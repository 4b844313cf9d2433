"""A bucket opened in the real app: pictures come through a process of their own, with progress and a way to stop."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import moderngl
import pytest
from PIL import Image

from atlas_rt.core.requests import CopyPath, CopyPicture, LookAt, OpenFile, Select, ShowInFolder, StopFetching
from atlas_rt.settings import Settings
from atlas_rt.window import original_files
from tests.libraries import PICTURES, ROOT
from tests.s3_server import environment_of, use_environment
from tests.s3_stub import S3Stub
from tests.window.player import Player

FEW = PICTURES[:6]
SIZE_PX = (800, 600)
SLOW_SECS = 0.05
SOURCE = "s3://photos/2026/summer"


def key_of(picture: Path) -> str:
    return f"2026/summer/{picture.name}"


@pytest.fixture(scope="module")
def bucket() -> Iterator[S3Stub]:
    """Five pictures, and one of 6 MB that takes its time."""
    stub = S3Stub()
    for picture in FEW[1:]:
        stub.put(key_of(picture), picture.read_bytes())
    noise = Image.frombytes("RGB", (1400, 1400), os.urandom(1400 * 1400 * 3))
    file = io.BytesIO()
    noise.save(file, "PNG", compress_level=0)
    stub.put("2026/summer/large.png", file.getvalue())
    with pytest.MonkeyPatch.context() as monkeypatch:
        use_environment(monkeypatch, environment_of("AKIDEXAMPLE", "secret"))
        yield stub
    stub.leave()


@pytest.fixture(scope="module")
def opened(
    context: moderngl.Context, indexed_words: Path, bucket: S3Stub, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Player]:
    cache = tmp_path_factory.mktemp("bucket") / "cache"
    shutil.copytree(indexed_words, cache / "vocabulary")
    settings = Settings(cache=str(cache), quality="low", endpoint_url=bucket.url, ocr=False, poll_secs=0.3)
    player = Player(context, settings, SOURCE, size_px=SIZE_PX)
    player.see(lambda: len(player.names()) == 6 and player.app.parts.panel_state.progress is None)
    yield player
    player.close()


@pytest.fixture
def player(opened: Player, bucket: S3Stub, monkeypatch: pytest.MonkeyPatch) -> Player:
    """The same, at rest on the map, without a copy of any original."""
    monkeypatch.setattr(original_files, "SMALL_BYTES", 1_000_000)
    bucket.heal()
    bucket.body_secs = 0.0
    while opened.app.parts.panel_state.look.open:
        opened.do("step_back")
    opened.app.parts.panel_state.notices.clear()
    shutil.rmtree(opened.app.parts.cache / "originals", ignore_errors=True)
    return opened


def size_of(file: Path | io.BytesIO) -> tuple[int, int]:
    with Image.open(file) as image:
        return image.size


def said(player: Player, words: str) -> bool:
    return any(words in notice.text for notice in player.app.parts.panel_state.notices)


def whole(player: Player) -> bool:
    shown = player.app.parts.panel_state.look.shown
    return bool(shown) and shown[0].opened is not None and not shown[0].opened.error


def test_the_title_and_the_panel_name_the_source(player: Player) -> None:
    assert player.window.title == f"atlas_rt - {SOURCE}"
    assert player.app.parts.panel_state.source == SOURCE
    id_ = player.id_of(FEW[2].stem)
    player.do(Select(id_))
    facts = player.see(lambda: player.app.parts.panel_state.selected)
    assert facts.path == f"{SOURCE}/{FEW[2].name}"
    player.do(CopyPath(id_))
    assert player.window.copied == f"{SOURCE}/{FEW[2].name}"
    assert said(player, "address copied")


def test_keys_that_expire_are_a_trouble_until_there_are_new_ones(player: Player, bucket: S3Stub) -> None:
    state = player.app.parts.panel_state
    bucket.fail("ExpiredToken", times=None)
    player.see(lambda: any("expired" in trouble.text for trouble in state.lasting))
    assert len(player.names()) == 6
    bucket.heal()
    player.see(lambda: not state.lasting)


def test_a_picture_is_fetched_once_to_be_looked_at_whole(player: Player, bucket: S3Stub) -> None:
    before, key = bucket.count("GET"), player.id_of(FEW[1].stem)
    player.do(LookAt((key,)))
    player.see(lambda: whole(player))
    fetched = bucket.count("GET")
    assert fetched - before == 1, "the panel shows the same copy"
    player.do("step_back", LookAt((key,)))
    player.see(lambda: whole(player))
    assert bucket.count("GET") == fetched
    assert all("if-match" in seen.headers for seen in bucket.seen if seen.operation == "GET")


def test_a_large_one_shows_how_far_it_is_and_can_be_left(player: Player, bucket: S3Stub) -> None:
    bucket.body_secs = SLOW_SECS
    id_ = player.id_of("large")
    player.do(LookAt((id_,)))
    coming = player.see(lambda: [each for each in player.app.parts.panel_state.coming if each.done])
    assert coming[0].path == f"{SOURCE}/large.png"
    assert 0 < coming[0].done < coming[0].total == len(bucket.objects["2026/summer/large.png"].body)
    player.frame(8, dt_secs=0.1)
    view = player.app.parts.world.view(player.window.framebuffer_px)
    hud = player.app.hud(view, 0.0)
    assert hud.look is not None
    assert " MB of 5.9 MB" in hud.look.panes[0].fetched
    player.do("step_back")
    player.see(lambda: not player.app.parts.panel_state.coming, secs=5.0)
    bucket.body_secs = 0.0
    player.do(LookAt((id_,)))
    player.see(lambda: whole(player))


def test_a_large_one_is_not_fetched_for_the_panel(player: Player, bucket: S3Stub) -> None:
    before = bucket.count("GET")
    player.do(Select(player.id_of("large")))
    player.see(lambda: "once you look at it" in player.app.parts.panel_state.picture_trouble)
    assert bucket.count("GET") == before


def test_a_slow_object_costs_no_frames(player: Player, bucket: S3Stub) -> None:
    """Each call of `frame` returns soon, whatever the network does."""
    bucket.body_secs = SLOW_SECS
    player.do(LookAt((player.id_of("large"),)))
    player.see(lambda: player.app.parts.panel_state.coming)
    slowest = 0.0
    for _ in range(40):
        began = time.perf_counter()
        player.frame()
        slowest = max(slowest, time.perf_counter() - began)
        time.sleep(0.01)
    assert slowest < 0.5  # on a busy machine; waiting for the object would take 5 s
    player.do("step_back")


def test_what_the_desktop_does_with_an_object(
    player: Player, bucket: S3Stub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted = tmp_path / "opened"
    (tmp_path / "xdg-open").write_text(f'#!/bin/sh\nprintf %s "$1" > {noted}.new && mv {noted}.new {noted}\n')
    (tmp_path / "xdg-open").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    id_ = player.id_of(FEW[3].stem)
    player.do(CopyPicture(id_))
    player.see(lambda: player.window.copied_png)
    assert size_of(io.BytesIO(player.window.copied_png)) == size_of(FEW[3])
    player.do(OpenFile(id_))
    player.see(noted.exists)
    file = Path(noted.read_text())
    assert (file.name, file.read_bytes()) == (FEW[3].name, FEW[3].read_bytes())
    assert player.app.parts.cache not in file.parents, "another program may write into what it opens"
    player.do(ShowInFolder(id_))
    player.see(lambda: said(player, "lies in a bucket"))


def test_a_download_for_another_program_can_be_stopped(player: Player, bucket: S3Stub) -> None:
    bucket.body_secs = SLOW_SECS
    player.do(CopyPicture(player.id_of("large")))
    player.see(lambda: [each for each in player.app.parts.panel_state.coming if each.done])
    assert "Fetching large.png from S3" in player.app.parts.panel_state.bucket.fetching
    player.do(StopFetching())
    player.see(lambda: said(player, "it was stopped"), secs=5.0)
    assert player.app.parts.panel_state.coming == ()


def test_requests_are_counted(player: Player, bucket: S3Stub) -> None:
    before = player.app.parts.panel_state.bucket.asked
    assert "requests" in before
    player.do(LookAt((player.id_of(FEW[4].stem),)))
    player.see(lambda: whole(player))
    player.see(lambda: player.app.parts.panel_state.fetching_requests.gets)
    assert player.app.parts.panel_state.bucket.asked != before


def test_an_object_that_cannot_be_had_is_told_and_comes_later(player: Player, bucket: S3Stub) -> None:
    bucket.fail("AccessDenied", operation="GET", times=None)
    player.do(LookAt((player.id_of(FEW[5].stem),)))
    player.see(lambda: player.app.parts.panel_state.look.shown[0].opened)
    assert "s3:GetObject is denied" in player.app.parts.panel_state.look.shown[0].opened.error  # type: ignore[union-attr]
    bucket.heal()
    player.do("step_back", LookAt((player.id_of(FEW[5].stem),)))
    player.see(lambda: whole(player))


def test_an_address_that_was_copied_is_opened(
    context: moderngl.Context, bucket: S3Stub, indexed_words: Path, tmp_path: Path
) -> None:
    """From the first screen, as one that is typed there; the program does not wait for the network."""
    settings = Settings(cache=str(tmp_path / "cache"), quality="low", endpoint_url=bucket.url, ocr=False, offline=True)
    player = Player(context, settings, size_px=SIZE_PX)
    player.window.copied = " s3://photos/2026/summer \n"
    player.do("paste")
    assert player.window.title == f"atlas_rt - {SOURCE}"
    state, session = player.app.parts.panel_state, player.app.parts.session
    player.see(lambda: any("--offline forbids" in trouble.text for trouble in state.lasting))
    player.see(lambda: state.progress is None)
    assert session is not None
    session.scenes.poke()
    until = time.monotonic() + 0.5
    player.see(lambda: time.monotonic() > until)
    assert any("--offline forbids" in trouble.text for trouble in state.lasting), "a scene that came took it away"
    assert not said(player, "no images were found"), "nobody could look"
    player.close()


WINDOW = """
import sys, time
import atlas_rt.window.app
from atlas_rt.core.look import PictureKey
from atlas_rt.encoders import registry
from atlas_rt.settings import Settings
from atlas_rt.window.session import Session
from atlas_rt.workers.whole_pictures import Wish
from pathlib import Path

cache, url, source, name = Path(sys.argv[1]), *sys.argv[2:]
if __name__ == "__main__":
    settings = Settings(model="starter", cache=str(cache), endpoint_url=url)
    session = Session(settings, (source,), cache=cache, model=registry.load("starter", cache))
    session.look_at(Wish(((PictureKey(1, 0), f"{source}/{name}"),)))
    told, until = [], time.monotonic() + 60
    while not told and time.monotonic() < until:
        told = list(session.looked_at(budget_secs=0.1))
        time.sleep(0.02)
    print(told[0].size_px, told[0].error, *({"boto3", "botocore", "urllib3"} & sys.modules.keys()))
    session.close()
"""


def test_the_window_never_loads_boto3(player: Player, bucket: S3Stub, tmp_path: Path) -> None:
    """A second window on the same library, which only reads it."""
    (tmp_path / "window.py").write_text(WINDOW)
    words = [str(tmp_path / "window.py"), str(player.app.parts.cache), bucket.url, SOURCE, FEW[1].name]
    before = len(bucket.seen)
    done = subprocess.run(
        [sys.executable, *words],
        capture_output=True,
        text=True,
        timeout=100,
        env={**os.environ, "PYTHONPATH": str(ROOT), "XDG_DATA_HOME": str(tmp_path / "data")},
    )
    assert key_of(FEW[1]) in {each.key for each in bucket.seen[before:]}  # the first window's engine lists meanwhile
    assert done.stdout.strip() == str(size_of(FEW[1])), done.stdout + done.stderr
