"""The sources of a library that lie in S3: listed again and again, read, and waited for when they cannot be.

A listing runs on a thread (`bucket_listing`) while the images that it has told of are read. So a round takes in what is
listed in parts: the first page, then whenever twice as much is there or some seconds have passed, at last the whole.

Nobody tells of changes in a bucket, so a window's engine lists it every `poll_secs`, and more and more seldom while
nothing changes: each 1,000 objects are a request, which costs money. A listing that failed, or reading that was
interrupted, is tried again sooner: after 5, 10, 20, ... seconds, at most once a minute.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, BinaryIO

from atlas_rt.core.objects import ListedObject, Requests
from atlas_rt.core.paths import is_in
from atlas_rt.core.s3_address import is_s3, parse_address
from atlas_rt.core.s3_errors import S3Error
from atlas_rt.engine.bucket_listing import BucketListing
from atlas_rt.engine.messages import Job
from atlas_rt.errors import DecodeError
from atlas_rt.library.file_content import NOT_HERE
from atlas_rt.library.object_listing import ListedObjects, ObjectListing
from atlas_rt.library.originals import Originals
from atlas_rt.library.scanning import matcher
from atlas_rt.library.walking import FoundFile

if TYPE_CHECKING:
    from atlas_rt.aws.s3_objects import S3Objects

ALL_AT_ONCE_SECS = 0.5
"""A listing that takes no longer is taken in whole."""
GROWTH, PART_SECS = 2.0, 5.0
"""The next part is taken in when so many times as many objects are listed, or when something new is and so long has
passed, or as long as the last part took: each part looks up all that the library knows."""
POLL_GROWTH, POLL_SECS_MAX = 2.0, 600.0
RETRY_SECS, RETRY_SECS_MAX = 5.0, 60.0
WAIT_SECS = 0.1
"""How often it is looked whether somebody asks to stop."""
OFFLINE = "--offline forbids to ask S3"
AMAZON = "s3"


class Buckets:
    """Of one engine. Owned by its main thread; `originals` may be used on any."""

    def __init__(self, job: Job, *, waiting: Callable[[], None]) -> None:
        """waiting: called while a listing is waited for; it may raise."""
        self._job, self._waiting = job, waiting
        self._excluded = matcher(job.exclude)
        self._grown = threading.Event()
        self._opened: S3Objects | None = None
        self._opening = threading.Lock()
        self._listings: dict[str, BucketListing] = {}
        self._listed: dict[str, ListedObjects] = {}
        self._sources: tuple[str, ...] = ()
        self._taken, self._begun_secs = 0, 0.0
        self._due_secs = float("inf")
        self._poll_secs, self._retry_secs = job.poll_secs, RETRY_SECS
        self._broken: dict[str, S3Error] = {}
        self.heard = False
        """Something was listed already."""
        self.lost: dict[str, S3Error] = {}
        """Bucket -> why nothing more can be read of it, until it is listed again."""
        limit_bytes = int(job.originals_gb * 1e9)
        self.originals = Originals(job.cache, limit_bytes=limit_bytes, fetch=None if job.offline else self._fetch)

    @property
    def requests(self) -> Requests:
        """What was asked of S3 so far."""
        return self._opened.requests if self._opened is not None else Requests()

    @property
    def due(self) -> bool:
        """Whether it is time to list again."""
        return time.monotonic() >= self._due_secs

    @property
    def interruptions(self) -> tuple[S3Error, ...]:
        """Why something cannot be listed or read now; empty where nothing stands in the way."""
        return (*self.lost.values(), *self._broken.values())

    def troubles(self, sources: Sequence[str]) -> dict[str, str]:
        """Source -> why nothing more of it can be listed or read now, as a sentence."""
        lost = {source: self.lost.get(parse_address(source).bucket) for source in sources if is_s3(source)}
        offline = {source: each.reason for source, each in self._listed.items() if each.state}
        return offline | {source: str(error) for source, error in lost.items() if error is not None}

    def begin(self, sources: Sequence[str], *, afresh: bool, broken: Collection[str]) -> None:
        """A round begins: list the sources in S3, those that are known to the end only where that is wanted afresh.

        broken: pictures that stand for no RAW file. Raises MissingError without boto3.
        """
        self._sources = wanted = tuple(source for source in sources if is_s3(source))
        self._listed = {source: each for source, each in self._listed.items() if source in wanted}
        self._broken = {source: error for source, error in self._broken.items() if source in wanted}
        for bucket in self.lost.keys() - {parse_address(source).bucket for source in wanted}:
            self.lost.pop(bucket)
        self._taken, self._begun_secs, self._listings = 0, time.monotonic(), {}
        for source in wanted:
            if self._job.offline:
                self._listed[source] = ListedObjects(state="unreadable", reason=OFFLINE)
            elif afresh or source not in self._listed:
                self._list(source, broken)

    def next_part(self) -> Mapping[str, ListedObjects]:
        """What is known of the sources in S3, once there is enough of it that is new."""
        entered_secs = time.monotonic()
        rest_secs = max(PART_SECS, entered_secs - self._begun_secs) if self._taken else ALL_AT_ONCE_SECS
        while not self._is_enough(waited_secs=time.monotonic() - entered_secs, rest_secs=rest_secs):
            self._grown.wait(WAIT_SECS)
            self._grown.clear()
            self._waiting()
        for source, listing in list(self._listings.items()):
            self._listed[source] = listing.so_far()
            self.heard |= bool(listing.count)
            if isinstance(listing.error, S3Error):
                self._broken[source] = listing.error
            if self._listed[source].whole or self._listed[source].state:
                del self._listings[source]
        self._taken, self._begun_secs = self._count, time.monotonic()
        return dict(self._listed)

    def plan(self, *, changed: bool) -> None:
        """A round has ended; when to list again. changed: something had changed."""
        if not self._listed or self._job.offline:
            self._due_secs = float("inf")
        elif self.interruptions:
            self._due_secs = time.monotonic() + self._retry_secs
            self._retry_secs = min(self._retry_secs * 2.0, RETRY_SECS_MAX)
        else:
            self._retry_secs = RETRY_SECS
            longest = max(POLL_SECS_MAX, self._job.poll_secs)
            self._poll_secs = self._job.poll_secs if changed else min(self._poll_secs * POLL_GROWTH, longest)
            self._due_secs = time.monotonic() + self._poll_secs

    def ask_soon(self) -> None:
        """Something was found to have changed since it was listed: list again before long."""
        self._due_secs = min(self._due_secs, time.monotonic() + RETRY_SECS)

    def close(self) -> None:
        """Ask for nothing more."""
        for listing in self._listings.values():
            listing.stop()
        if self._opened is not None:
            self._opened.stop()

    @property
    def _count(self) -> int:
        return sum(listing.count for listing in self._listings.values())

    def _is_enough(self, *, waited_secs: float, rest_secs: float) -> bool:
        """Whether there is enough for the next part. rest_secs: so long something new is waited for to grow."""
        if all(listing.ended for listing in self._listings.values()):
            return True
        count = self._count
        doubled = 0 < GROWTH * self._taken <= count
        return doubled or (count > self._taken and waited_secs > rest_secs)

    def _list(self, source: str, broken: Collection[str]) -> None:
        before: dict[str, FoundFile] = {file.path: file for file in self._listed.pop(source, ListedObjects()).files}
        self.lost.pop(parse_address(source).bucket, None)
        self._broken.pop(source, None)
        listing = ObjectListing(source, self._excluded, before, hidden=self._job.hidden, broken=broken)

        def pages() -> Iterator[list[ListedObject]]:
            return self._objects().pages(source)

        def device() -> str:
            return self._objects().service or AMAZON

        self._listings[source] = BucketListing(listing, pages, device=device, grown=self._grown.set)

    def _objects(self) -> S3Objects:
        """Raises MissingError without boto3."""
        with self._opening:
            if self._opened is None:
                from atlas_rt.aws.s3_objects import S3Objects

                self._opened = S3Objects(self._job.s3)
            return self._opened

    def _fetch(self, path: str, etag: str, size: int, into: BinaryIO) -> str:
        """As `core.objects.Fetch`. After an error that would meet every other object too, the others are not tried; nor
        are objects outside the sources, which a shard may have told of: nobody asked for those."""
        if not any(is_in(path, source) for source in self._sources):
            raise DecodeError(NOT_HERE)
        bucket = parse_address(path).bucket
        if (lost := self.lost.get(bucket)) is not None:
            raise lost
        try:
            return self._objects().fetch(path, etag, size, into)
        except S3Error as error:
            if error.ends_all:
                self.lost[bucket] = error
            raise
