"""A Bedrock on loopback that boto3's own settings name, for each test its answers."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.bedrock_server import BedrockServer, running, settings_for


@pytest.fixture(scope="session")
def listening() -> Iterator[BedrockServer]:
    with running() as server:
        yield server


@pytest.fixture
def server(listening: BedrockServer, monkeypatch: pytest.MonkeyPatch) -> BedrockServer:
    """The server with nothing asked yet. No key and no setting of whoever runs the tests is seen."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in settings_for(listening).items():
        monkeypatch.setenv(name, value)
    listening.answers, listening.models = [], {}
    listening.asked.clear()
    return listening
