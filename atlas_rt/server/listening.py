"""The REST server on its port: the socket, the token file, uvicorn, and its end."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import uvicorn

from atlas_rt.errors import MissingError, UsageError
from atlas_rt.excepthooks import sentence
from atlas_rt.library import disk_errors
from atlas_rt.server.gate import LOOPBACK_NAMES, Gate, Hosts, is_address
from atlas_rt.server.patient_connection import PatientConnection
from atlas_rt.server.rest import IMAGE_PATHS, Services, build

CONNECTIONS_MAX = 512
"""More at one time are answered with 503: a process may have about a thousand files open."""
GRACE_SECS = 3
"""What is being answered when the server is told to end has so long."""


def bound_socket(host: str, port: int) -> socket.socket:
    """A socket on an address of this machine. port: 0 for any that is free.

    Raises UsageError for an address that is none of this machine's, or a port that is in use or forbidden.
    """
    try:
        numeric = socket.AI_NUMERICHOST  # a name would be looked up in the network
        address_of = "127.0.0.1" if host == "localhost" else host
        found = socket.getaddrinfo(address_of, port, type=socket.SOCK_STREAM, flags=numeric)
        family, kind, protocol, _, address = found[0]
    except (OSError, UnicodeError) as error:
        raise UsageError(f"--host must be an address of this machine, such as 127.0.0.1, not {host!r}") from error
    server = socket.socket(family, kind, protocol)
    try:
        if os.name == "posix":
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(address)
    except OSError as error:
        server.close()
        reason = error.strerror or error
        raise UsageError(
            f"{host} port {port} cannot be used ({reason}); name another with --port, 0 for any"
        ) from error
    return server


def url_of(server: socket.socket, host: str) -> str:
    """The address to ask, from this machine."""
    port = server.getsockname()[1]
    name = host
    if is_address(host):
        name = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://{f'[{name}]' if ':' in name else name}:{port}"


@contextlib.contextmanager
def token_file(cache: Path, port: int) -> Iterator[tuple[Path, str]]:
    """A new token, in a file that only this user may read, as long as the server runs. Raises MissingError."""
    folder, token = cache / "serve", secrets.token_urlsafe(32)
    path = folder / f"{port}.token"
    try:
        with disk_errors.writing(cache):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.unlink(missing_ok=True)  # of a server that was killed
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(token)
    except OSError as error:
        raise MissingError(f"the token file cannot be written ({error.strerror}): {path}") from error
    try:
        yield path, token
    finally:
        path.unlink(missing_ok=True)


def listen(services: Services, server: socket.socket, *, host: str, token: str, tell: Callable[[str], None]) -> None:
    """Answer requests until a signal ends the program. tell: called with sentences for the person."""
    for name in ("uvicorn", "uvicorn.error", "asyncio"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    gate = Gate(
        cast("Any", build(services)),
        token=token,
        hosts=Hosts(host, () if host in LOOPBACK_NAMES else (socket.gethostname(),)),
        image_paths=IMAGE_PATHS,
        failed=lambda error: tell(sentence("a request was not answered", error)),
    )
    config = uvicorn.Config(
        cast("Any", gate),
        http=PatientConnection,
        ws="none",
        lifespan="off",
        loop="asyncio",
        log_config=None,
        access_log=False,
        server_header=False,
        limit_concurrency=CONNECTIONS_MAX,
        timeout_graceful_shutdown=GRACE_SECS,
    )
    _Server(config, ending=services.explainer.close).run(sockets=[server])


class _Server(uvicorn.Server):
    """uvicorn's, which tells that it ends before it waits for what is being answered."""

    def __init__(self, config: uvicorn.Config, *, ending: Callable[[], None]) -> None:
        super().__init__(config)
        self._ending = ending

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """See uvicorn."""
        self._ending()
        await super().shutdown(sockets)
