"""Many files on their way into a bucket: compared with what is there, and sent by several threads at once.

A thread takes one file after the other and does all that it needs. What passes by itself (network, too many requests,
expired keys, a wrong clock) is waited out by all threads together, with growing pauses, until nothing has worked for
`PATIENCE_SECS`. What would fail for every file ends the push. What fails for one file is told, and the others go on.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from atlas_rt.aws.object_content import Listed, holds, sums_of
from atlas_rt.aws.s3_connection import S3Connection
from atlas_rt.aws.uploads import StoppedError, Uploader, UploadError
from atlas_rt.core.s3_address import KEY_BYTES, S3Address
from atlas_rt.core.s3_errors import S3ChangedError, S3DeniedError, S3Error, S3GoneError

THREADS = 16
PATIENCE_SECS = 300.0
PAUSES_SECS = (1.0, 2.0, 5.0, 10.0, 20.0)
"""Between tries; the last one again and again."""
TICK_SECS = 0.1
RACE_PAUSES_SECS = (0.2, 1.0, 3.0)
"""Before another try where two wanted to make the same object, and neither has yet."""


@dataclass(frozen=True, slots=True)
class Errand:
    """One file and where it belongs. path: may hold bytes that are no text, as file names do."""

    path: str
    size: int
    address: S3Address


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file. state: "sent", "unchanged", "different" (other content is there) or "failed".

    sent_bytes: what went over the line. reason: why it failed, empty where it did not.
    """

    errand: Errand
    state: str
    sent_bytes: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Rules:
    """How a push treats what it finds. replace: send what differs from its object. compare_only: send nothing."""

    replace: bool = False
    compare_only: bool = False


def listed_below(connection: S3Connection, folder: S3Address, wanted: frozenset[str]) -> dict[str, Listed]:
    """Key -> object, for the wanted keys below a folder. One request for 1,000 objects. Raises S3Error."""
    found: dict[str, Listed] = {}
    words: dict[str, str] = {}
    while True:
        page = connection.call("list_objects_v2", S3Address(folder.bucket), Prefix=folder.folder, **words)
        found |= {
            each["Key"]: Listed(each["Size"], str(each.get("ETag", "")).strip('"'))
            for each in page.get("Contents", ())
            if each["Key"] in wanted
        }
        if not page.get("IsTruncated"):
            return found
        words = {"ContinuationToken": page["NextContinuationToken"]}


class Push:
    """One push. Its threads never outlive the program; `stop` lets each end at its next part."""

    def __init__(
        self,
        connection: S3Connection,
        folder: S3Address,
        there: Mapping[str, Listed],
        *,
        rules: Rules,
        say: Callable[[str], None],
    ) -> None:
        """there: what was listed. say: takes a sentence for the person, on any thread."""
        self._connection, self._folder, self._there, self._rules = connection, folder, there, rules
        self._stop = threading.Event()
        self._patience = _Patience(self._stop, say)
        self._counted = threading.Lock()
        self._bytes = 0
        self._uploader = Uploader(connection, stopped=self._stop.is_set, on_bytes=self._count)
        self._sent_any = False
        self._told: queue.SimpleQueue[Outcome | BaseException] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []

    @property
    def done_bytes(self) -> int:
        """Bytes of files, or of their parts, that are there by now because they were sent or found."""
        with self._counted:
            return self._bytes

    def outcomes(self, errands: Sequence[Errand]) -> Iterator[Outcome | None]:
        """What becomes of each file, as it is known; None now and then in between. Raises S3Error that ends all."""
        waiting: queue.SimpleQueue[Errand] = queue.SimpleQueue()
        for errand in errands:
            waiting.put(errand)
        for number in range(min(THREADS, len(errands))):
            thread = threading.Thread(target=self._work, args=(waiting,), name=f"push {number}", daemon=True)
            thread.start()
            self._threads.append(thread)
        left = len(errands)
        while left:
            try:
                each = self._told.get(timeout=TICK_SECS)
            except queue.Empty:
                yield None
                continue
            if isinstance(each, BaseException):
                self.stop()
                raise each
            left -= 1
            yield each

    def stop(self, *, wait_secs: float = 0.0) -> list[Outcome]:
        """Let the threads end: each finishes the body that it sends at this moment. What came of those in time."""
        self._stop.set()
        end = time.monotonic() + wait_secs
        for thread in self._threads:
            thread.join(max(end - time.monotonic(), 0.0))
        found: list[Outcome] = []
        with contextlib.suppress(queue.Empty):
            while True:
                each = self._told.get_nowait()
                found += [each] if isinstance(each, Outcome) else []
        return found

    # -- on the threads ------------------------------------------------------------------------------------------------

    def _work(self, waiting: queue.SimpleQueue[Errand]) -> None:
        while not self._stop.is_set():
            try:
                errand = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                self._told.put(self._tried(errand))
            except StoppedError:
                return
            except BaseException as error:  # noqa: BLE001 - it is raised where the outcomes are read
                self._told.put(error)
                return

    def _tried(self, errand: Errand) -> Outcome:
        """The outcome of one file, tried again while what fails may pass."""
        tries = 0
        while True:
            try:
                outcome = self._outcome(errand)
            except S3Error as error:
                if error.passes and self._patience.wait(error, tries):
                    tries += 1
                    continue
                if error.ends_all or (isinstance(error, S3DeniedError) and not self._sent_any):
                    raise
                return Outcome(errand, "failed", reason=_bare(error, errand))
            except UploadError as error:
                return Outcome(errand, "failed", reason=str(error))
            except OSError as error:
                return Outcome(errand, "failed", reason=error.strerror or str(error))
            self._patience.works()
            self._sent_any = self._sent_any or outcome.state == "sent"
            return outcome

    def _outcome(self, errand: Errand) -> Outcome:
        problem = _problem_of(errand.address.key)
        if problem:
            return Outcome(errand, "failed", reason=problem)
        listed = self._there.get(errand.address.key)
        if listed is None:
            return self._sent(errand, replaces="")
        if self._same(errand, listed):
            self._count(errand.size)
            return Outcome(errand, "unchanged")
        if not self._rules.replace:
            return Outcome(errand, "different")
        return self._sent(errand, replaces=listed.etag)

    def _sent(self, errand: Errand, *, replaces: str) -> Outcome:
        if self._rules.compare_only:
            return Outcome(errand, "sent", errand.size)
        for pause in RACE_PAUSES_SECS:
            try:
                sent = self._uploader.send(errand.path, errand.address, folder=self._folder, replaces=replaces)
                return Outcome(errand, "sent", sent)
            except (S3ChangedError, S3GoneError):  # another push, or whoever, was faster
                listed = self._now(errand.address)
            if listed is not None:
                return Outcome(errand, "unchanged" if self._same(errand, listed) else "different")
            if replaces or self._stop.wait(pause):
                break
        return Outcome(errand, "failed", reason="somebody else changes the bucket at the same time; push again")

    def _now(self, address: S3Address) -> Listed | None:
        """The object as it is at this moment."""
        try:
            facts = self._connection.call("head_object", address)
        except S3GoneError:
            return None
        return Listed(int(facts["ContentLength"]), str(facts["ETag"]).strip('"'))

    def _same(self, errand: Errand, listed: Listed) -> bool:
        """Whether the object holds what the file holds. A file of another size need not be read."""
        if listed.size != errand.size:
            return False
        sums = sums_of(errand.path)
        try:
            return holds(
                errand.path,
                sums,
                listed,
                lambda: self._connection.call("head_object", errand.address, ChecksumMode="ENABLED"),
            )
        except S3DeniedError as error:
            raise UploadError("it cannot be compared with what is there, as s3:GetObject is denied") from error

    def _count(self, size: int) -> None:
        with self._counted:
            self._bytes += size


class _Patience:
    """How long all threads together wait for what may pass."""

    def __init__(self, stop: threading.Event, say: Callable[[str], None]) -> None:
        self._stop, self._say = stop, say
        self._lock = threading.Lock()
        self._worked_at = time.monotonic()
        self._said = ""

    def works(self) -> None:
        """Something went through."""
        with self._lock:
            self._worked_at = time.monotonic()
            if self._said:
                self._say("S3 answers again; the push goes on")
            self._said = ""

    def wait(self, error: S3Error, tries: int) -> bool:
        """Pause before another try; False once nothing has worked for too long. Raises StoppedError."""
        with self._lock:
            if time.monotonic() - self._worked_at > PATIENCE_SECS:
                return False
            if type(error).__name__ != self._said:
                self._said = type(error).__name__
                self._say(f"{error}\nwaiting up to {PATIENCE_SECS / 60:.0f} minutes for it; Ctrl-C stops")
        if self._stop.wait(PAUSES_SECS[min(tries, len(PAUSES_SECS) - 1)]):
            raise StoppedError
        return True


def _problem_of(key: str) -> str:
    """Why S3 takes no such key, empty where it does."""
    try:
        size = len(key.encode())
    except UnicodeEncodeError:
        return "its name is no text in UTF-8, which S3 demands; rename it"
    if size > KEY_BYTES:
        return f"its name with its folders has {size:,} bytes, and S3 takes {KEY_BYTES:,}"
    return ""


def _bare(error: S3Error, errand: Errand) -> str:
    """The reason without the address, which stands next to it."""
    return str(error).removesuffix(f": {errand.address}")
