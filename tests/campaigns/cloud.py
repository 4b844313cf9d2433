"""From a folder to a bucket, through Lambda, into a window that embeds nothing; the hosts of one worker compared.

Real all the way: `push`, an S3 and a queue that check every signature (moto), the function in AWS's own emulator,
shards, `import`, the window. Needs the internet once, for the emulator (8 MB).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import moderngl
import numpy as np
import pytest
from deploy_aws.emulator import Emulator
from PIL import Image

from atlas_rt.library.tables.rows import ImageRow
from atlas_rt.library.tables.shard_file import ShardFile
from atlas_rt.settings import Settings
from tests.aws.lambda_stack import INPUT, OUTPUT, Stack
from tests.libraries import PICTURES, ROOT, copy_pictures
from tests.s3_server import S3Server, use_environment
from tests.window.player import Player

pytestmark = pytest.mark.timeout(1200)

COUNT = 138
BAD = 2


@dataclass(frozen=True, slots=True)
class Desk:
    """A person's folders, and the bucket with its queue. environment: theirs, with keys of the administrator."""

    folder: Path
    stack: Stack
    environment: dict[str, str]
    words: Path

    @property
    def images(self) -> str:
        return f"s3://{self.stack.bucket}/{INPUT}"

    @property
    def shards(self) -> str:
        return f"s3://{self.stack.bucket}/{OUTPUT}"

    def cache(self, name: str) -> Path:
        """A fresh one, in which the label words need not be encoded again."""
        cache = self.folder / name
        if not cache.exists():
            shutil.copytree(self.words, cache / "vocabulary")
        return cache

    def ask(self, cache: Path, *words: str | Path) -> Any:
        """What a command answers as JSON, in a process of its own."""
        command = [sys.executable, "-m", "atlas_rt", *map(str, words), "--cache", str(cache), "--json"]
        command += ["--data", str(self.folder / "data")]
        done = subprocess.run(command, env=self.environment, cwd=self.folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr
        return json.loads(done.stdout)


@pytest.fixture(scope="module")
def desk(running_s3: S3Server, indexed_words: Path, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    folder = tmp_path_factory.mktemp("cloud")
    copy_pictures(PICTURES[:COUNT], folder / "Pictures")
    for number in range(BAD):
        (folder / "Pictures" / f"torn {number}.png").write_bytes(b"no picture" + bytes([number]))
    environment = os.environ | running_s3.environment() | {"PYTHONPATH": str(ROOT)}
    return Desk(folder, Stack.make(running_s3), environment, indexed_words)


@pytest.fixture(scope="module")
def flown(desk: Desk) -> dict[str, ImageRow]:
    """Pushed, told to the queue, embedded by the function in the emulator: name -> row of the shards."""
    pushed = desk.ask(desk.cache("push"), "push", desk.folder / "Pictures", desk.images)
    assert (pushed["sent"], pushed["failed"]) == (COUNT + BAD, [])
    again = desk.ask(desk.cache("push"), "push", desk.folder / "Pictures", desk.images)
    assert (again["sent"], again["unchanged"]) == (0, COUNT + BAD)
    records = desk.stack.batch()["Records"]
    variables = desk.stack.variables | {"PYTHONPATH": str(ROOT), "ATLAS_RT_CACHE": str(desk.cache("function"))}
    began = time.monotonic()
    with Emulator("atlas_rt.aws.handler.write_shard", variables, timeout_secs=300) as function:
        for start in range(0, len(records), 20):
            batch = {"Records": records[start : start + 20]}
            answer = function.invoke(batch)
            assert answer.payload == {"batchItemFailures": []}, function.log()[-3000:]
            desk.stack.settle(batch, answer.payload)
        report = function.report()
    assert not desk.stack.batch()["Records"], "a shard was told of, or a message came again"
    shards = desk.stack.shards()
    print(
        f"\npushed {pushed['sent']} images, {pushed['bytes'] / 1e6:.1f} MB; "
        f"{len(shards)} shards in {time.monotonic() - began:.1f} s, cold start {report.init_ms[0]:.0f} ms"
    )
    return rows_of(shards.values(), desk.folder)


def rows_of(shards: Any, folder: Path) -> dict[str, ImageRow]:
    """Name of each image -> its row. A name that comes twice is a fault."""
    found: dict[str, ImageRow] = {}
    for data in shards:
        (folder / "read.parquet").write_bytes(data)
        with ShardFile(folder / "read.parquet") as shard:
            for row in (row for group in range(shard.groups) for row in shard.group(group)):
                name = row.item.uri.rpartition("/")[2]
                if isinstance(row, ImageRow):
                    assert name not in found, f"embedded twice: {name}"
                    found[name] = row
    return found


def test_three_hosts_give_the_same(desk: Desk, flown: dict[str, ImageRow]) -> None:
    pictures = desk.folder / "Pictures"
    local, ray = desk.cache("local"), desk.cache("ray")
    desk.ask(local, "index", pictures)
    desk.ask(local, "export", pictures, "-o", desk.folder / "local.parquet", "--no-update")
    desk.ask(ray, "index", pictures, "--engine", "ray")
    desk.ask(ray, "export", pictures, "-o", desk.folder / "ray.parquet", "--no-update")
    hosts = {
        "local engine": rows_of([(desk.folder / "local.parquet").read_bytes()], desk.folder),
        "Ray, one node": rows_of([(desk.folder / "ray.parquet").read_bytes()], desk.folder),
        "Lambda, emulator": flown,
    }
    reference = hosts["local engine"]
    print(f"\n{'host':18} images  vectors to the bit  least cosine  tiles  labels  metadata")
    for name, rows in hosts.items():
        assert rows.keys() == reference.keys()
        pairs = [(rows[each], reference[each]) for each in rows]
        cosines = [float(cosine(ours.vector, theirs.vector)) for ours, theirs in pairs]
        bits = sum(np.array_equal(ours.vector, theirs.vector) for ours, theirs in pairs)
        tiles = sum(same_tiles(ours, theirs) for ours, theirs in pairs)
        labels = sum([word for word, _ in ours.labels] == [word for word, _ in theirs.labels] for ours, theirs in pairs)
        told = sum(ours.content_hash == theirs.content_hash for ours, theirs in pairs)
        print(f"{name:18} {len(rows):6} {bits:19} {min(cosines):13.7f} {tiles:6} {labels:7} {told:9}")
        assert len(rows) == COUNT
        assert min(cosines) >= 0.9999
        assert tiles == labels == told == COUNT


def cosine(ours: Any, theirs: Any) -> float:
    one, other = ours.astype(np.float64), theirs.astype(np.float64)
    return one @ other / np.linalg.norm(one) / np.linalg.norm(other)


def same_tiles(ours: ImageRow, theirs: ImageRow) -> bool:
    return np.array_equal(ours.tiles.small, theirs.tiles.small) and ours.tiles.medium == theirs.tiles.medium


@pytest.fixture
def keys(running_s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """The administrator's, for what runs in this process."""
    use_environment(monkeypatch, running_s3.environment())


def test_a_window_on_the_bucket_embeds_nothing_again(
    desk: Desk, flown: dict[str, ImageRow], context: moderngl.Context, keys: None
) -> None:
    cache = desk.cache("window")
    took = desk.ask(cache, "import", desk.shards, "--into", desk.images)
    requests = took["report"]["requests"]
    assert (took["imported"], took["known"], took["waiting"]) == (COUNT, 0, 0)
    assert took["failed"] == BAD
    assert requests["get"] == 0, "an image was fetched though its shard is here"
    settings = Settings(cache=str(cache), data=str(desk.folder / "data"), quality="low")
    began = time.monotonic()
    with closing(Player(context, settings, desk.images, size_px=(1280, 720))) as player:
        player.see(lambda: len(player.names()) == COUNT, why="the images of the bucket")
        shown_secs = time.monotonic() - began
        player.see(lambda: player.app.parts.world.resting)
    again = desk.ask(cache, "index", desk.images)
    assert (again["images"], again["new"], again["requests"]["get"]) == (COUNT, 0, 0)
    picture = desk.folder / "shot.png"
    desk.ask(cache, "shot", desk.images, "-o", picture, "--search", "a bird", "--no-update")
    with Image.open(picture) as drawn:
        assert drawn.size == (1280, 720)
        assert len(np.unique(np.asarray(drawn.convert("RGB").resize((64, 36))).reshape(-1, 3), axis=0)) > 200
    kept = os.environ.get("ATLAS_RT_CAMPAIGN_PICTURE")
    if kept:
        shutil.copy(picture, kept)
    print(f"\nimported {took['imported']} with {requests} requests; window shows them after {shown_secs:.1f} s")
