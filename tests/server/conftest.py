"""One server for all tests of this folder: started next to another process that writes its library."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from atlas_rt.core.reports import IndexReport
from atlas_rt.engine.process import EngineProcess
from atlas_rt.library.received import received_folder
from tests.commands.person import Person, environment
from tests.libraries import Library, hear, job_of, wait_for
from tests.server.door import Door


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """A server, and what stands for an open window on the same library: an engine like a window's, which writes it."""

    door: Door
    engine: EngineProcess


@pytest.fixture(scope="session")
def library(indexed: Library, tmp_path_factory: pytest.TempPathFactory) -> Library:
    """138 drawings on their map, in a cache of their own."""
    return indexed.copy(tmp_path_factory.mktemp("served") / "cache")


@pytest.fixture(scope="session")
def neighbourhood(library: Library, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neighbourhood]:
    here = tmp_path_factory.mktemp("server")
    data = here / "data"
    received = received_folder(data, library.place)
    engine = EngineProcess(job_of(library.place, library.cache, stay=True, received=received))
    try:
        hear(engine, until=IndexReport)
        command = Person(here, library.cache).command(("serve", library.source, "--data", data))
        with (here / "out").open("wb") as out, (here / "err").open("wb") as err:
            process = subprocess.Popen(command, cwd=here, env=environment(), stdout=out, stderr=err)
        wait_for(lambda: process.poll() is not None or (here / "out").read_text().endswith("\n"), secs=30.0)
        assert process.poll() is None, (here / "err").read_text()
        told = json.loads((here / "out").read_text())
        assert told.keys() == {"url", "token_file"}
        door = Door(process, library, data, told["url"], Path(told["token_file"]), here / "err")
        yield Neighbourhood(door, engine)
        process.terminate()
        assert process.wait(15.0) == 143
        assert not door.token_file.exists()
    finally:
        engine.stop()


@pytest.fixture(scope="session")
def door(neighbourhood: Neighbourhood) -> Door:
    return neighbourhood.door
