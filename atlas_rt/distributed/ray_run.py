"""One run on a Ray cluster as the rest of the program sees it: shards that come one after the other."""

from __future__ import annotations

import multiprocessing
import tempfile
from collections.abc import Iterator
from pathlib import Path
from shutil import rmtree

from atlas_rt.distributed.ray_driver import drive
from atlas_rt.distributed.ray_job import Broken, Finished, FromRay, RayJob, named
from atlas_rt.errors import MissingError

ENDING_SECS = 10.0
POLL_SECS = 0.2


class RayRun:
    """The process that speaks to Ray, started and ended. Owned by one thread."""

    def __init__(self, job: RayJob) -> None:
        self._job = job
        # a short path: Ray puts sockets below it, whose names may have 107 characters
        self._folder = Path(tempfile.mkdtemp(prefix="atlas-ray-"))
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=drive, args=(job, theirs, self._folder), name="atlas-ray", daemon=False)
        self._process.start()
        theirs.close()

    @property
    def pid(self) -> int:
        return self._process.pid or 0

    def messages(self) -> Iterator[FromRay | None]:
        """What comes, until all is done; None now and then while nothing does.

        Raises MissingError where the cluster is gone or cannot go on. What came before stays good.
        """
        try:
            while True:
                if not self._pipe.poll(POLL_SECS):
                    yield None
                    continue
                message: FromRay = self._pipe.recv()
                if isinstance(message, Finished):
                    return
                if isinstance(message, Broken):
                    raise MissingError(message.reason)
                yield message
        except (EOFError, ConnectionError) as error:
            raise MissingError(f"{named(self._job)} is gone{self._last_words()}") from error

    def close(self) -> None:
        """End it, whatever it does; a cluster of our own ends with it."""
        self._pipe.close()
        self._process.terminate()
        self._process.join(ENDING_SECS)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> RayRun:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _last_words(self) -> str:
        """What its log tells of the reason, as the end of a sentence."""
        try:
            lines = (self._folder / "ray.log").read_text("utf-8", "replace").splitlines()
        except OSError:
            return ""
        if any("GCS" in line or "gcs_server" in line for line in lines):
            return ": its head no longer answers"
        errors = [line.strip() for line in lines if "Error" in line]
        return f" ({errors[-1][:160]})" if errors else ""
