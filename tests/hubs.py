"""A hub on the loopback interface that speaks the protocol of huggingface.co, and can misbehave.

As the real one, it lists a repository with sizes and hashes, answers for large files with a redirect to another place,
and sends ranges. What it is asked is written down.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

COMMIT, BRANCH, NAME = "c" * 40, "main", "someone/an-export"
LARGE_BYTES = 1000
"""From here on a file is stored as a large one: with a SHA-256, at another place."""


@dataclass(frozen=True)
class Asked:
    """One request: the path in the repository, the range asked for, and how many bytes of content were sent."""

    path: str
    range: str
    sent: int


@dataclass
class Hub:
    """files: the repository's, by path. served: other contents than the listed ones. cut: path -> after so many bytes
    of an answer the connection is cut, once for each number. stall: path -> after so many bytes nothing comes any more.
    name, commit: of the repository. slow_secs: it takes so long to send a large file.
    """

    files: dict[str, bytes]
    served: dict[str, bytes] = field(default_factory=dict)
    cut: dict[str, list[int]] = field(default_factory=dict)
    stall: dict[str, int] = field(default_factory=dict)
    ranges: bool = True
    asked: list[Asked] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    url: str = ""
    name: str = NAME
    commit: str = COMMIT
    slow_secs: float = 0.0

    def sent(self, path: str) -> int:
        return sum(each.sent for each in self.asked if each.path == path)


@contextlib.contextmanager
def running(files: dict[str, bytes], *, name: str = NAME, commit: str = COMMIT) -> Iterator[Hub]:
    hub = Hub(dict(files), name=name, commit=commit)
    server = _Server(("127.0.0.1", 0), _handler(hub))
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Whoever asked has gone: that is what the tests are about."""


def closed_port() -> str:
    """An address where nobody listens."""
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        return f"http://127.0.0.1:{server.server_port}"


def _handler(hub: Hub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            hub.headers.append(dict(self.headers.items()))
            path = unquote(urlsplit(self.path).path)
            if path.startswith("/api/models/"):
                self._list(path.removeprefix("/api/models/"))
            elif found := re.fullmatch(rf"/{hub.name}/resolve/([^/]+)/(.+)", path):
                self._resolve(*found.groups())
            elif path.startswith("/elsewhere/"):
                self._send(path.removeprefix("/elsewhere/"))
            else:
                self._refuse("RepoNotFound")

        do_HEAD = do_GET  # noqa: N815 - http.server calls it so

        def _list(self, path: str) -> None:
            name, _, revision = path.partition("/revision/")
            if name != hub.name:
                self._refuse("RepoNotFound")
            elif (revision or BRANCH) not in {BRANCH, hub.commit}:
                self._refuse("RevisionNotFound")
            else:
                files = [_listed(path, content) for path, content in hub.files.items()]
                self._answer(
                    json.dumps({"id": hub.name, "modelId": hub.name, "sha": hub.commit, "siblings": files}).encode()
                )

        def _resolve(self, revision: str, path: str) -> None:
            if path not in hub.files or revision not in {BRANCH, hub.commit}:
                self._refuse("EntryNotFound")
            elif len(hub.files[path]) >= LARGE_BYTES:
                self.send_response(302)
                self.send_header("Location", f"{hub.url}/elsewhere/{path}")
                self.send_header("X-Repo-Commit", hub.commit)
                self.send_header("X-Linked-Etag", f'"{hashlib.sha256(hub.files[path]).hexdigest()}"')
                self.send_header("X-Linked-Size", str(len(hub.files[path])))
                self.send_header("Content-Length", "0")
                self.end_headers()
            else:
                self._send(path)

        def _send(self, path: str) -> None:
            content, wanted = hub.served.get(path, hub.files[path]), self.headers.get("Range", "")
            begin = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and hub.ranges else 0
            self.send_response(206 if begin else 200)
            if begin:
                self.send_header("Content-Range", f"bytes {begin}-{len(content) - 1}/{len(content)}")
            self.send_header("Content-Length", str(len(content) - begin))
            self.send_header("X-Repo-Commit", hub.commit)
            self.send_header("ETag", f'"{_blob(content)}"')
            self.end_headers()
            if self.command == "HEAD":
                return
            cuts = hub.cut.get(path, [])
            part = content[begin:][: cuts.pop(0)] if cuts else content[begin:]
            if path in hub.stall:
                part = part[: hub.stall[path]]
            self._write(part)
            hub.asked.append(Asked(path, wanted, len(part)))
            if path in hub.stall:
                self.wfile.flush()
                time.sleep(30)
            if len(part) < len(content) - begin:
                self.close_connection = True

        def _write(self, content: bytes) -> None:
            """In ten pieces, where that is to take a while."""
            slow = hub.slow_secs if len(content) >= LARGE_BYTES else 0.0
            step = max(len(content) // 10, 1) if slow else max(len(content), 1)
            for begin in range(0, len(content), step):
                self.wfile.write(content[begin : begin + step])
                self.wfile.flush()
                time.sleep(slow / 10.0)

        def _answer(self, content: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def _refuse(self, code: str) -> None:
            self.send_response(404)
            self.send_header("X-Error-Code", code)
            self.send_header("Content-Length", "0")
            self.end_headers()

    return Handler


def _listed(path: str, content: bytes) -> dict[str, object]:
    file: dict[str, object] = {"rfilename": path, "size": len(content), "blobId": _blob(content)}
    if len(content) >= LARGE_BYTES:
        file["lfs"] = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": 130}
    return file


def _blob(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
