"""`atlas-rt push`: send images to a bucket, of which nothing is ever deleted."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from atlas_rt.commands.collection import no_images
from atlas_rt.commands.output import ProgressLine, print_json, say, tell
from atlas_rt.core.data_sizes import data_size
from atlas_rt.core.progress import duration
from atlas_rt.core.s3_address import S3Address, is_s3, parse_address
from atlas_rt.errors import AtlasError, UsageError
from atlas_rt.library.cache_layout import cache_folder
from atlas_rt.library.formats import missing_words
from atlas_rt.library.scanning import Scan, scan
from atlas_rt.library.sources import absolute, resolve
from atlas_rt.settings import Settings
from atlas_rt.streams import Terminated

if TYPE_CHECKING:
    from atlas_rt.aws.pushing import Errand, Outcome, Push
    from atlas_rt.aws.s3_connection import S3Connection

STOP_SECS = 2.0
"""How long the bodies that are on their way at Ctrl-C may take to arrive."""
PROGRESS_SECS = 0.2


@dataclass
class Tally:
    """What a push has come to so far."""

    sent: int = 0
    unchanged: int = 0
    bytes: int = 0
    different: list[dict[str, str]] = field(default_factory=list)
    failed: list[dict[str, str]] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        path, address = outcome.errand.path, str(outcome.errand.address)
        self.bytes += outcome.sent_bytes
        match outcome.state:
            case "sent":
                self.sent += 1
            case "unchanged":
                self.unchanged += 1
            case "different":
                self.different.append({"path": path, "address": address})
            case _:
                self.failed.append({"path": path, "reason": outcome.reason})

    @property
    def count(self) -> int:
        return self.sent + self.unchanged + len(self.different) + len(self.failed)


def run(settings: Settings, arguments: argparse.Namespace) -> int:
    folder, there = _words_of(settings, arguments.words)
    found = scan(
        resolve([folder]), exclude=settings.exclude, hidden=settings.hidden, cache=cache_folder(settings.cache_path)
    )
    errands = _errands(folder, found, there)
    if not errands:
        raise UsageError(no_images(folder, found.skipped))
    for name, count in found.missing_formats.items():
        say(settings, missing_words(name, count))
    tally = Tally(failed=[{"path": each.path, "reason": each.reason} for each in found.unreadable])
    from atlas_rt.aws.s3_connection import S3Connection

    connection = S3Connection(settings.s3)
    _push(settings, arguments, connection, there, errands, tally)
    for each in tally.different:
        say(settings, f"different: {each['path']}: other content is there, and stays: {each['address']}")
    for each in tally.failed:
        say(settings, f"failed: {each['path']}: {each['reason']}")
    requests = sum(connection.requests.values())
    if settings.json:
        print_json(
            {
                "sent": tally.sent,
                "unchanged": tally.unchanged,
                "different": tally.different,
                "failed": tally.failed,
                "bytes": tally.bytes,
                "skipped": found.skipped,
                "requests": requests,
                "dry_run": arguments.dry_run,
            }
        )
    else:
        _tell_tally(tally, requests, there, dry=arguments.dry_run)
    return 0


def _words_of(settings: Settings, words: Sequence[str]) -> tuple[str, S3Address]:
    """The folder and the address. Raises UsageError where they are something else."""
    if len(words) != 2 or is_s3(words[0]) or not is_s3(words[1]):
        raise UsageError("name a folder of images and where they go: atlas-rt push ~/Pictures s3://bucket/folder")
    if settings.offline:
        raise UsageError("push sends images to a bucket, and --offline forbids every internet socket; leave out one")
    folder = absolute(words[0])
    if folder.is_file():
        raise UsageError(f"push sends a folder; name the one that holds this file: {folder}")
    return str(folder), parse_address(words[1])


def _errands(folder: str, found: Scan, there: S3Address) -> list[Errand]:
    """Each image and each XMP file next to one, with the address that follows from its path below the folder."""
    from atlas_rt.aws.pushing import Errand

    files = {file.path: file.size for file in found.files}
    for path in found.sidecars if files else ():
        try:
            files[path] = Path(path).stat().st_size
        except OSError:
            continue  # it went meanwhile
    start = len(folder.rstrip(os.sep)) + 1
    return [Errand(path, size, there.child(path[start:].replace(os.sep, "/"))) for path, size in sorted(files.items())]


def _push(
    settings: Settings,
    arguments: argparse.Namespace,
    connection: S3Connection,
    there: S3Address,
    errands: list[Errand],
    tally: Tally,
) -> None:
    from atlas_rt.aws.pushing import Push, Rules, listed_below

    known = listed_below(connection, there, frozenset(errand.address.key for errand in errands))
    probe = "" if arguments.allow_public else _check_private(settings, connection, there, next(iter(known), ""))
    rules = Rules(replace=arguments.replace, compare_only=arguments.dry_run)
    line = ProgressLine(settings)

    def said(text: str) -> None:
        line.clear()
        say(settings, text)

    push = Push(connection, there, known, rules=rules, say=said)
    watch = _Watch(line, errands, push, tally)
    try:
        if probe and not arguments.dry_run:
            errands = _first_alone(settings, errands, watch)
        watch.follow(errands)
    except (KeyboardInterrupt, Terminated, AtlasError):
        for outcome in push.stop(wait_secs=STOP_SECS):
            tally.add(outcome)
        line.clear()
        if tally.count:
            say(settings, f"{_sent_words(tally)} so far; the next push goes on from there")
        raise
    finally:
        push.stop()
        line.clear()


class _Watch:
    """Shows how far a push is, and counts what became of the files."""

    def __init__(self, line: ProgressLine, errands: Sequence[Errand], push: Push, tally: Tally) -> None:
        self._line, self._push, self._tally = line, push, tally
        self._files, self._bytes = len(errands), sum(errand.size for errand in errands)
        self._began, self._shown = time.monotonic(), 0.0

    def follow(self, errands: Sequence[Errand]) -> int:
        """Until all of these files are done; how many of them were sent."""
        before = self._tally.sent
        for outcome in self._push.outcomes(errands):
            if outcome is not None:
                self._tally.add(outcome)
            if time.monotonic() - self._shown > PROGRESS_SECS:
                self._shown = time.monotonic()
                self._line.write(self._words())
        return self._tally.sent - before

    def _words(self) -> str:
        done, secs = self._push.done_bytes, time.monotonic() - self._began
        parts = [f"sending {self._tally.count:,} of {self._files:,}", f"{data_size(done)} of {data_size(self._bytes)}"]
        if secs > 1.0 and done:
            speed = done / secs
            parts += [f"{data_size(speed)}/s", f"{duration((self._bytes - done) / speed)} left"]
        return " · ".join(parts)


def _check_private(settings: Settings, connection: S3Connection, there: S3Address, key: str) -> str:
    """Raise UsageError for a bucket that anybody can read. key: of an object there, empty where none is known.

    Where its settings may not be asked, it is tried without keys; what is left to try once an object is there is
    returned, empty for nothing.
    """
    from atlas_rt.aws.bucket_exposure import anyone_lists, anyone_reads, exposure_of

    if settings.no_sign_request:
        raise _public(there, "it takes images from people without keys")
    bucket = S3Address(there.bucket)
    exposure = exposure_of(connection, bucket)
    if exposure.public:
        raise _public(there, exposure.why)
    if exposure.public is False:
        return ""
    if anyone_lists(settings.s3, there):
        raise _public(there, "its objects can be listed without keys")
    if key and anyone_reads(settings.s3, S3Address(there.bucket, key)):
        raise _public(there, "its objects can be read without keys")
    say(
        settings,
        f"these keys may not ask whether the bucket is public ({exposure.why}), so it is tried without keys instead",
    )
    return "" if key else "read"


def _first_alone(settings: Settings, errands: list[Errand], watch: _Watch) -> list[Errand]:
    """Send one image and try to read it without keys, before any other follows; the images that are left."""
    from atlas_rt.aws.bucket_exposure import anyone_reads

    by_size = sorted(errands, key=lambda errand: errand.size)
    for number, errand in enumerate(by_size, 1):
        if watch.follow([errand]):
            if anyone_reads(settings.s3, errand.address):
                why = "the first image that was sent can be read without keys, and no other was sent"
                raise _public(errand.address, why)
            return by_size[number:]
    return []


def _public(there: S3Address, why: str) -> UsageError:
    return UsageError(
        f"anybody can read what is in this bucket ({why}); close it, or say --allow-public if that is meant: {there}"
    )


def _tell_tally(tally: Tally, requests: int, there: S3Address, *, dry: bool) -> None:
    verb = " would be" if dry else ""
    tell(
        f"{tally.sent:,}{verb} sent ({data_size(tally.bytes)}), {tally.unchanged:,} unchanged, "
        f"{len(tally.different):,} different, {len(tally.failed):,} failed; {requests:,} requests: {there}"
    )
    if tally.different:
        tell("what is different was not touched; --replace sends it in place of what is there")


def _sent_words(tally: Tally) -> str:
    return f"{tally.sent:,} sent ({data_size(tally.bytes)}), {tally.unchanged:,} unchanged"
