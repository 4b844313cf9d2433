"""The gate in front of the server where time or memory runs out: it is asked as uvicorn asks it."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn

from atlas_rt.server import gate, patient_connection
from atlas_rt.server.gate import Gate, Hosts, Message, Receive, Scope, Send
from atlas_rt.server.patient_connection import PatientConnection
from tests.libraries import wait_for

TOKEN = "secret"
HEADERS = [(b"host", b"localhost"), (b"authorization", b"Bearer secret")]


async def behind(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with the number of bytes that it was sent; a body of seven is a defect."""
    body = (await receive())["body"]
    if len(body) == 7:
        raise RuntimeError("a defect")
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(len(body)).encode()})


def made(failures: list[Exception] | None = None) -> Gate:
    failed = [] if failures is None else failures
    return Gate(behind, token=TOKEN, hosts=Hosts("127.0.0.1"), image_paths=("/images",), failed=failed.append)


async def ask(door: Gate, *parts: bytes, pause_secs: float = 0.0) -> tuple[int, bytes]:
    """One request whose body comes in parts. The status and the body of the answer."""
    coming = [{"type": "http.request", "body": part, "more_body": True} for part in parts[:-1]]
    coming.append({"type": "http.request", "body": parts[-1] if parts else b"", "more_body": False})
    told: list[Message] = []

    async def receive() -> Message:
        await asyncio.sleep(pause_secs)
        return coming.pop(0) if coming else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        told.append(message)

    headers = [*HEADERS, (b"transfer-encoding", b"chunked")]
    await door({"type": "http", "path": "/images", "headers": headers}, receive, send)
    return told[0]["status"], b"".join(message.get("body", b"") for message in told[1:])


def sentence(body: bytes) -> Any:
    return json.loads(body)["detail"]


def test_a_body_comes_whole_in_time_or_not_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    door = made()
    assert asyncio.run(ask(door, b"12", b"345")) == (200, b"5")
    monkeypatch.setattr(gate, "BODY_SECS", 0.1)
    status, body = asyncio.run(ask(door, b"12", b"345", pause_secs=0.08))
    assert (status, sentence(body)) == (408, "the body took longer than 0 s")
    assert door._held == 0


def test_only_so_many_bytes_are_held_at_one_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "HELD_BYTES_MAX", 100)
    door = made()

    async def at_once() -> list[tuple[int, bytes]]:
        return await asyncio.gather(*(ask(door, bytes(30), bytes(30), pause_secs=0.05) for _ in range(4)))

    statuses = [status for status, _ in asyncio.run(at_once())]
    assert set(statuses) == {200, 503}
    assert door._held == 0
    assert asyncio.run(ask(door, bytes(90)))[0] == 200


def test_a_defect_is_told_here_and_not_there() -> None:
    failures: list[Exception] = []
    status, body = asyncio.run(ask(made(failures), b"1234567"))
    assert (status, sentence(body)) == (500, "a defect of this server; its standard error says more")
    assert [str(error) for error in failures] == ["a defect"]


def test_a_server_on_all_addresses_is_called_by_an_address_or_its_own_name() -> None:
    everywhere, here = Hosts("0.0.0.0", ("Laptop",)), Hosts("127.0.0.1")
    for host in ("192.168.1.5:80", "[::1]:80", "laptop:80", "localhost"):
        assert everywhere.hold(host)
    assert not everywhere.hold("evil.example")
    assert [host for host in ("192.168.1.5", "127.0.0.1:80", "[::1]", "LOCALHOST:1") if not here.hold(host)] == [
        "192.168.1.5"
    ]


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A real uvicorn that waits a quarter of a second for headers."""
    monkeypatch.setattr(patient_connection, "HEADER_SECS", 0.25)
    config = uvicorn.Config(made(), http=PatientConnection, ws="none", lifespan="off", log_config=None)  # type: ignore[arg-type]
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        wait_for(lambda: server.started)
        yield listening.getsockname()[1]
        server.should_exit = True
        thread.join()


def test_a_client_that_never_ends_its_headers_is_let_go(port: int) -> None:
    request = b"GET / HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer secret\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=5.0) as slow:
        slow.sendall(request[:20])
        assert slow.recv(100) == b""
    with socket.create_connection(("127.0.0.1", port), timeout=5.0) as client:
        client.sendall(request)
        assert client.recv(1000).startswith(b"HTTP/1.1 200 OK")
        client.sendall(request[:20])  # a second request that does not end
        rest = b"".join(iter(lambda: client.recv(1000), b""))  # until the connection is closed
        assert b"HTTP/1.1" not in rest
