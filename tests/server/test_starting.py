"""`serve` and `mcp` from the first word to the end: what they refuse, and the examples of their help."""

from __future__ import annotations

import json
import shlex
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from atlas_rt.arguments import COMMANDS
from tests.commands.person import Person, environment
from tests.libraries import Library, wait_for


@pytest.fixture
def person(library: Library, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Person:
    return Person(tmp_path, library.cache, capsys)


def test_words_that_make_no_server_are_refused(person: Person, library: Library) -> None:
    def refusal(*words: str) -> str:
        told = person.ask("serve", library.source, "--no-update", *words)
        assert told.code == 2
        return told.refusal

    assert "--offline forbids every internet socket" in refusal("--offline")
    assert "65536' is not a port" in refusal("--port", "65536")
    assert "--host must be an address of this machine" in refusal("--host", "no such host")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert f"127.0.0.1 port {port} cannot be used (Address already in use)" in refusal("--port", port)


@pytest.mark.parametrize(("command", "package"), [("serve", "fastapi"), ("mcp", "mcp.server")])
def test_a_missing_extra_is_named(
    person: Person, library: Library, monkeypatch: pytest.MonkeyPatch, command: str, package: str
) -> None:
    for name in [name for name in sys.modules if name.startswith("atlas_rt.server.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    told = person.ask(command, library.source, "--no-update")
    assert told.code == 3
    assert f"pip install 'atlas_rt[{command}]'" in told.refusal


def test_the_example_of_the_help_serves_until_it_is_told_to_end(library: Library, tmp_path: Path) -> None:
    """The second one, which does not look for changes; `test_mcp` runs the one of `mcp`."""
    _, example = COMMANDS["serve"].examples
    words = [str(library.source) if word == "~/Pictures" else word for word in shlex.split(example)]
    words[words.index("--port") + 1] = "0"  # the example's may be taken here
    with (tmp_path / "out").open("wb") as out, (tmp_path / "err").open("wb") as err:
        process = subprocess.Popen(
            [sys.executable, "-m", "atlas_rt", *words],
            env=environment() | {"ATLAS_RT_CACHE": str(library.cache), "XDG_DATA_HOME": str(tmp_path)},
            stdout=out,
            stderr=err,
            cwd=tmp_path,
        )
    wait_for(lambda: (tmp_path / "out").read_text().endswith("\n"), secs=30.0)
    token_file = Path(json.loads((tmp_path / "out").read_text())["token_file"])
    assert token_file.exists()
    process.send_signal(signal.SIGINT)
    assert process.wait(30.0) == 130
    assert (tmp_path / "err").read_text() == "interrupted; everything found so far is kept\n"
    assert not token_file.exists()
