"""The program's REST server as another program sees it: a process, an address, a token."""

from __future__ import annotations

import http.client
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.libraries import Library

PATIENCE_SECS = 60.0


@dataclass(frozen=True, slots=True)
class Answered:
    """What the server answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        return json.loads(self.body)

    @property
    def sentence(self) -> str:
        """Of a refusal: one of ours, without a path of this machine."""
        detail = self.document["detail"]
        assert isinstance(detail, str)
        assert "Traceback" not in detail
        assert "/tmp" not in detail
        return detail


@dataclass(frozen=True, slots=True)
class Door:
    """A running `atlas-rt serve`. errors: the file with what it writes to standard error."""

    process: subprocess.Popen[bytes]
    library: Library
    data: Path
    url: str
    token_file: Path
    errors: Path

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or 0

    @property
    def authorized(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token_file.read_text()}"}

    def ask(self, path: str, *, method: str = "GET", body: Any = None, **headers: str) -> Answered:
        """One request with the token, unless `Authorization` says something else."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30.0)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, self.authorized | named, encode_chunked=not isinstance(body, bytes))
            answer = connection.getresponse()
            return Answered(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def send(self, path: str, image: bytes, kind: str = "image/webp", **headers: str) -> Answered:
        """An image as the body of a POST."""
        return self.ask(path, method="POST", body=image, Content_Type=kind, **headers)
