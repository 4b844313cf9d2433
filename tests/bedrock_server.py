"""A Bedrock on loopback, at the level of HTTP: it checks each signature, and answers as it is told to, faults included.

Signatures are recomputed with botocore's own signer from what arrived. Frames of streams are encoded as AWS documents
them (prelude, CRC of the prelude, headers, payload, CRC of all before).
"""

from __future__ import annotations

import functools
import json
import os
import ssl
import struct
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from atlas_rt.aws.bedrock import Bedrock

KEY, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
REGION = "us-east-1"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it arrived. path: unquoted. body: its JSON; None for none."""

    method: str
    path: str
    body: Any
    authorization: str

    @property
    def model(self) -> str:
        return self.path.split("/")[2]

    @property
    def way(self) -> str:
        """The way of the ladder that it was asked by."""
        choice = self.body.get("toolConfig", {}).get("toolChoice")
        if "textFormat" in self.body.get("outputConfig", {}):
            return "schema"
        return "forced tool" if choice else "tool" if "toolConfig" in self.body else "text"

    @property
    def text(self) -> str:
        return str(self.body["messages"][0]["content"][-1]["text"])


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server sends. fault: of a stream: "cut" (TCP), "short" (ends between frames), "inside" (ends in a
    frame), "crc", "silence"; empty for none. pause_secs: before each frame."""

    status: int = 200
    body: bytes = b""
    error: str = ""
    frames: tuple[bytes, ...] = ()
    fault: str = ""
    pause_secs: float = 0.0


def error(status: int, code: str, message: str) -> Answer:
    """An error as Bedrock answers it."""
    return Answer(status, json.dumps({"message": message}).encode(), error=code)


def message(
    text: str = "", *, tool: Any = None, stop: str = "end_turn", sent: int = 2000, received: int = 150
) -> Answer:
    """A whole answer to Converse; a reasoning block comes first, as from models that think."""
    content: list[Any] = [{"reasoningContent": {"reasoningText": {"text": "hm", "signature": "x"}}}]
    content += [{"text": text}] if text else []
    content += [{"toolUse": {"toolUseId": "t1", "name": "answer", "input": tool}}] if tool is not None else []
    body = {
        "output": {"message": {"role": "assistant", "content": content}},
        "stopReason": stop,
        "usage": {"inputTokens": sent, "outputTokens": received, "totalTokens": sent + received},
        "metrics": {"latencyMs": 1},
    }
    return Answer(body=json.dumps(body).encode())


def stream(
    *pieces: str,
    tool: bool = False,
    stop: str = "end_turn",
    fault: str = "",
    sent: int = 2000,
    received: int = 150,
    pause_secs: float = 0.0,
) -> Answer:
    """An answer to ConverseStream in these pieces of text, or of a tool's input."""
    deltas = [{"toolUse": {"input": piece}} if tool else {"text": piece} for piece in pieces]
    usage = {"inputTokens": sent, "outputTokens": received, "totalTokens": sent + received}
    events: list[tuple[str, Any]] = [("messageStart", {"role": "assistant"})]
    if tool:
        start = {"toolUse": {"toolUseId": "t1", "name": "answer"}}
        events.append(("contentBlockStart", {"contentBlockIndex": 0, "start": start}))
    events += [("contentBlockDelta", {"contentBlockIndex": 0, "delta": delta}) for delta in deltas]
    if not fault or fault == "crc":
        events += [("contentBlockStop", {"contentBlockIndex": 0}), ("messageStop", {"stopReason": stop})]
        events.append(("metadata", {"usage": usage, "metrics": {"latencyMs": 1}}))
    return Answer(frames=tuple(frame(kind, facts) for kind, facts in events), fault=fault, pause_secs=pause_secs)


def frame(kind: str, facts: Any, *, exception: bool = False) -> bytes:
    """One frame of an event stream."""
    payload = json.dumps(facts).encode()
    names = {":message-type": "exception", ":exception-type": kind} if exception else {}
    names = names or {":message-type": "event", ":event-type": kind}
    headers = b"".join(_header(name, value) for name, value in {**names, ":content-type": "application/json"}.items())
    prelude = struct.pack("!II", 16 + len(headers) + len(payload), len(headers))
    head = prelude + struct.pack("!I", zlib.crc32(prelude)) + headers + payload
    return head + struct.pack("!I", zlib.crc32(head))


def _header(name: str, value: str) -> bytes:
    return struct.pack("!B", len(name)) + name.encode() + struct.pack("!BH", 7, len(value)) + value.encode()


@dataclass
class BedrockServer:
    """answers: what the next requests to a model get, one after the other, the last one for ever; or a function of the
    request. models: answers to requests about models, by path. asked: every request that was signed rightly."""

    url: str
    answers: list[Answer] | Callable[[Asked], Answer] = field(default_factory=list)
    models: dict[str, Answer] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    bearer: str = ""
    secret: str = SECRET
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def conversations(self) -> list[Asked]:
        return [each for each in self.asked if each.path.startswith("/model/")]

    def answer_to(self, asked: Asked) -> Answer:
        with self.lock:
            self.asked.append(asked)
            if not asked.path.startswith("/model/"):
                missing = error(404, "ResourceNotFoundException", "Could not resolve the foundation model")
                return self.models.get(asked.path, missing)
            if callable(self.answers):
                return self.answers(asked)
            return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def signed(self, handler: BaseHTTPRequestHandler, body: bytes) -> bool:
        """Whether the request carries the right key, or the right signature of itself."""
        given = handler.headers.get("Authorization", "")
        if self.bearer:
            return given == f"Bearer {self.bearer}"
        scheme, _, rest = given.partition(" ")
        parts = dict(part.strip().split("=", 1) for part in rest.split(",") if "=" in part)
        key, day, region, service, _ = (parts.get("Credential", "") + "////").split("/")[:5]
        if scheme != "AWS4-HMAC-SHA256" or key != KEY or service != "bedrock":
            return False
        request = AWSRequest(method=handler.command, url=f"http://{handler.headers['Host']}{handler.path}", data=body)
        for name in parts["SignedHeaders"].split(";"):
            request.headers[name] = handler.headers.get(name, "")
        request.context["timestamp"] = handler.headers["X-Amz-Date"]
        signer = SigV4Auth(Credentials(KEY, self.secret), service, region)
        wanted = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
        return day == handler.headers["X-Amz-Date"][:8] and parts["Signature"] == wanted


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    bedrock: BedrockServer

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Nothing is printed."""

    def do_GET(self) -> None:
        self._handle(b"")

    def do_POST(self) -> None:
        self._handle(self.rfile.read(int(self.headers["Content-Length"])))

    def _handle(self, body: bytes) -> None:
        if not self.bedrock.signed(self, body):
            said = "The request signature we calculated does not match the signature you provided."
            self._send(error(403, "InvalidSignatureException", said))
            return
        content = json.loads(body) if body else None
        asked = Asked(self.command, unquote(self.path), content, self.headers.get("Authorization", ""))
        answer = self.bedrock.answer_to(asked)
        try:
            if answer.frames:
                self._stream(answer)
            else:
                self._send(answer)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _send(self, answer: Answer) -> None:
        if answer.fault == "silence":
            time.sleep(1.5)
        self.send_response(answer.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer.body)))
        if answer.error:
            self.send_header("x-amzn-ErrorType", answer.error)
        self.end_headers()
        self.wfile.write(answer.body)

    def _stream(self, answer: Answer) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/vnd.amazon.eventstream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        frames: Sequence[bytes] = answer.frames
        if answer.fault == "crc":
            frames = [*frames[:-1], frames[-1][:-1] + bytes([frames[-1][-1] ^ 1])]
        if answer.fault == "inside":
            frames = [*frames[:-1], frames[-1][:20]]
        for each in frames:
            time.sleep(answer.pause_secs)
            self.wfile.write(b"%x\r\n%s\r\n" % (len(each), each))
            self.wfile.flush()
        if answer.fault == "silence":
            time.sleep(1.5)
        if answer.fault in {"cut", "silence"}:
            self.close_connection = True
        else:
            self.wfile.write(b"0\r\n\r\n")


class _Listener(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that leaves is no error of ours."""


@contextmanager
def running(*, certificate: Path | None = None) -> Iterator[BedrockServer]:
    """A server on a free port of loopback. certificate: with its key; it speaks TLS then."""
    handler = type("Handler", (_Handler,), {})
    listener = _Listener(("127.0.0.1", 0), handler)
    scheme = "http"
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        listener.socket = context.wrap_socket(listener.socket, server_side=True)
        scheme = "https"
    server = BedrockServer(f"{scheme}://127.0.0.1:{listener.server_address[1]}")
    handler.bedrock = server  # type: ignore[attr-defined]
    thread = threading.Thread(target=lambda: listener.serve_forever(poll_interval=0.02), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join()


def settings_for(server: BedrockServer) -> dict[str, str]:
    """The environment in which boto3 finds the server, and nothing else."""
    return {
        "AWS_ENDPOINT_URL": server.url,
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": "/nonexistent",
        "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


@functools.cache
def shared_client() -> Bedrock:
    """One client of the server that all tests share: to make one takes a tenth of a second. It keeps the settings of
    the test that made it, so a test that changes them makes its own."""
    return Bedrock()


@pytest.fixture(scope="session")
def bedrock_listening() -> Iterator[BedrockServer]:
    with running() as server:
        yield server


@pytest.fixture
def bedrock(bedrock_listening: BedrockServer, monkeypatch: pytest.MonkeyPatch) -> BedrockServer:
    """The server with nothing asked yet, and boto3's settings name it. No key of whoever runs the tests is seen."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in settings_for(bedrock_listening).items():
        monkeypatch.setenv(name, value)
    bedrock_listening.answers, bedrock_listening.models = [], {}
    bedrock_listening.asked.clear()
    return bedrock_listening
