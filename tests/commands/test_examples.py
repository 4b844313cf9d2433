"""Every command's help ends with two examples. They are run here as they stand, one after the other."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from atlas_rt.arguments import COMMANDS
from atlas_rt.parsing import parser_of
from tests.commands.person import environment
from tests.libraries import Library
from tests.s3_server import S3Server

PATIENCE_SECS = 280.0
pytestmark = pytest.mark.timeout(300)
RUN_ALL = """
import io, json, sys
from contextlib import redirect_stderr, redirect_stdout
from atlas_rt import cli

told = []
for words in json.load(sys.stdin):
    with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
        code = cli.main(words)
    told.append([code, out.getvalue(), err.getvalue()])
print(json.dumps(told))
"""
"""In one process, since each start costs a second; not in ours, whose one OpenGL context other tests need."""


def examples_of(command: str) -> list[str]:
    """The lines that stand below "examples:" at the end of a command's help."""
    _, _, below = parser_of(command).format_help().partition("\nexamples:\n")
    return [line.strip() for line in below.splitlines()]


ENDLESS = {"serve", "mcp"}
"""Commands that answer until they are told to end: `tests/server` runs their examples."""
EXAMPLES = [example for command in COMMANDS if command not in ENDLESS for example in examples_of(command)]


@dataclass(frozen=True, slots=True)
class Ran:
    """What one example did. here: the folder it ran in."""

    code: int
    out: str
    err: str
    here: Path


@pytest.fixture(scope="module")
def ran(library: Library, running_s3: S3Server, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ran]:
    """Example -> what it did, in a folder with photo.jpg, where ~/Pictures holds the drawings of the library, and the
    bucket my-photos is there."""
    here = tmp_path_factory.mktemp("examples")
    copy = library.copy(here / "cache")
    shutil.copy(library.source / "acoustic-guitar.webp", here / "photo.jpg")
    settings = {"HOME": str(library.source.parent), "ATLAS_RT_CACHE": str(copy.cache)}
    settings |= running_s3.environment()
    running_s3.bucket("my-photos")
    settings["ATLAS_RT_QUALITY"] = "low"  # the picture of `view` without a display is large
    examples = sorted(EXAMPLES, key=lambda example: "forget" in example)  # the others need what that one deletes
    done = subprocess.run(
        [sys.executable, "-c", RUN_ALL],
        input=json.dumps([shlex.split(example)[1:] for example in examples]),
        cwd=here,
        env=environment() | settings,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECS,
    )
    assert done.returncode == 0, done.stderr
    results = [Ran(*each, here) for each in json.loads(done.stdout)]
    return dict(zip(examples, results, strict=True))


@pytest.mark.parametrize("command", COMMANDS)
def test_each_help_ends_with_two_examples_of_its_command(command: str) -> None:
    examples = examples_of(command)
    assert len(set(examples)) == 2
    chosen = {shlex.split(example)[1] for example in examples}
    assert chosen == ({"~/Pictures"} if command == "view" else {command})


@pytest.mark.parametrize("example", EXAMPLES)
def test_each_example_works(ran: dict[str, Ran], example: str) -> None:
    words, told = shlex.split(example), ran[example]
    assert words[0] == "atlas-rt"
    assert told.code == 0, told.err
    assert "failed" not in told.err
    assert told.out or "library forget" in example or "-o" in words
    if "--json" in words:
        assert json.loads(told.out)
    if "-o" in words:
        assert (told.here / words[words.index("-o") + 1]).stat().st_size > 1000
