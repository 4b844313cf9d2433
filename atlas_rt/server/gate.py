"""What every request passes before anything reads it: who asks, for whom, and how much they send.

In this order: the Host (a foreign one comes from a web page that has its name lead to this machine), the Origin
(another web page), the token (for every address, the description included), the body (its announced length, then its
bytes as they come, then its time). The application behind it sees whole, small bodies only.
"""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from typing import Any
from urllib.parse import urlsplit

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

BODY_BYTES_MAX = 64 * 2**10
IMAGE_BYTES_MAX = 64 * 2**20
"""A camera's largest JPEG has half of it."""
HELD_BYTES_MAX = 256 * 2**20
"""Of all bodies that are here at one time."""
BODY_SECS = 60.0
"""A body that takes longer is given up."""
DISCARDED_BYTES_MAX = 128 * 2**20
"""Of a body that is refused, so much is read and forgotten: a client that is still sending may never look for an
answer otherwise."""
DISCARD_SECS = 5.0
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
SAFE_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'"),
    (b"referrer-policy", b"no-referrer"),
)


class RefusedError(Exception):
    """A request that goes no further. headers: of the answer."""

    def __init__(self, status: int, sentence: str, **headers: str) -> None:
        super().__init__(sentence)
        self.status, self.headers = status, headers


class Hosts:
    """The names by which this server may be called."""

    def __init__(self, bound: str, names: Iterable[str] = ()) -> None:
        """bound: the address it listens on. names: further ones, such as the machine's own."""
        self._names = LOOPBACK_NAMES | {bound.lower(), *(name.lower() for name in names)}
        self._any_address = is_address(bound) and ipaddress.ip_address(bound).is_unspecified

    def hold(self, host: str) -> bool:
        """Whether a Host header, or the part of an Origin after `//`, names this server. Where it listens on all
        addresses any address does: only a name can be made to lead elsewhere."""
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        return name in self._names or (self._any_address and is_address(name))


def is_address(text: str) -> bool:
    """Whether a text is an IP address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


class Gate:
    """An ASGI application in front of another one. One event loop."""

    def __init__(
        self,
        behind: Application,
        *,
        token: str,
        hosts: Hosts,
        image_paths: Iterable[str],
        failed: Callable[[Exception], None],
    ) -> None:
        """image_paths: where bodies may be as large as an image. failed: told of a defect behind the gate."""
        self._behind, self._token, self._hosts = behind, token.encode(), hosts
        self._image_paths, self._failed = frozenset(image_paths), failed
        self._held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        answer = _Answer(send)
        body = b""
        try:
            self._check(scope, headers)
            body = await self._body(scope, headers, receive)
            await self._behind(scope, _whole(body, receive), answer)
        except RefusedError as refusal:
            await _discard(headers, receive, answer, refusal)
        except Exception as error:  # noqa: BLE001  whatever it is, the client hears of it, and a person gets a sentence
            self._failed(error)
            await answer.refuse(RefusedError(500, "a defect of this server; its standard error says more"))
        finally:
            self._held -= len(body)

    def _check(self, scope: Scope, headers: Mapping[str, str]) -> None:
        """Raises RefusedError for a request from elsewhere, or without the token."""
        if [name for name, _ in scope["headers"]].count(b"host") != 1 or not self._hosts.hold(headers["host"]):
            raise RefusedError(400, "this server is called by another name; use the address it has printed")
        origin = headers.get("origin")
        if origin is not None and origin.lower() != f"http://{headers['host'].lower()}":
            raise RefusedError(403, "requests from other web pages are refused")
        scheme, _, token = headers.get("authorization", "").partition(" ")
        given = token.strip().encode("latin-1")
        if scheme.lower() != "bearer" or not hmac.compare_digest(given, self._token):
            sentence = (
                "the token is missing or wrong; send `Authorization: Bearer TOKEN` with the one in the token file"
            )
            raise RefusedError(401, sentence, **{"www-authenticate": "Bearer"})

    async def _body(self, scope: Scope, headers: Mapping[str, str], receive: Receive) -> bytes:
        """The whole body, counted as held. Raises RefusedError where it is too large or too slow."""
        most = IMAGE_BYTES_MAX if scope["path"] in self._image_paths else BODY_BYTES_MAX
        too_large = RefusedError(413, f"the body is larger than the {most // 2**10:,} kB that are read here")
        if int(headers.get("content-length") or 0) > most:
            raise too_large
        parts: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(BODY_SECS):
                while True:
                    message = await receive()
                    if message["type"] != "http.request":
                        raise RefusedError(400, "the body broke off")
                    parts.append(message.get("body", b""))
                    size += len(parts[-1])
                    self._held += len(parts[-1])
                    if size > most:
                        raise too_large
                    if self._held > HELD_BYTES_MAX:
                        raise RefusedError(503, "too many images are being sent at once", **{"retry-after": "2"})
                    if not message.get("more_body", False):
                        return b"".join(parts)
        except TimeoutError:
            self._held -= size
            raise RefusedError(408, f"the body took longer than {BODY_SECS:.0f} s") from None
        except BaseException:
            self._held -= size
            raise


class _Answer:
    """The way back to the client: knows whether an answer has begun, and adds the headers that every answer has."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.begun = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.begun = True
            message = {**message, "headers": [*message.get("headers", ()), *SAFE_HEADERS]}
        await self._send(message)

    async def refuse(self, refusal: RefusedError, *, finish: bool = True) -> None:
        """Answer with a sentence, if nothing else was begun. finish: False where the rest of the body is still read."""
        if self.begun:
            return
        body = json.dumps({"detail": str(refusal)}).encode()
        named = {"content-type": "application/json", "content-length": str(len(body)), **refusal.headers}
        headers = [(name.encode(), value.encode()) for name, value in named.items()]
        await self({"type": "http.response.start", "status": refusal.status, "headers": headers})
        await self._send({"type": "http.response.body", "body": body, "more_body": not finish})

    async def finish(self) -> None:
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})


async def _discard(headers: Mapping[str, str], receive: Receive, answer: _Answer, refusal: RefusedError) -> None:
    """Refuse, then read for a moment what the client is still sending."""
    sends = bool(int(headers.get("content-length") or 0)) or "transfer-encoding" in headers
    if not sends:
        await answer.refuse(refusal)
        return
    await answer.refuse(refusal, finish=False)
    left = DISCARDED_BYTES_MAX
    try:
        async with asyncio.timeout(DISCARD_SECS):
            while left > 0:
                message = await receive()
                left -= len(message.get("body", b""))
                if message["type"] != "http.request" or not message.get("more_body", False):
                    break
    except TimeoutError:
        pass
    await answer.finish()


def _whole(body: bytes, receive: Receive) -> Receive:
    """A `receive` that hands over a body that is here already."""
    waiting = [body]

    async def next_message() -> Message:
        if waiting:
            return {"type": "http.request", "body": waiting.pop(), "more_body": False}
        return await receive()

    return next_message
