"""Fetching the files of a public repository from a Hugging Face hub: resumed where they stopped, verified before use.

The only part of the program that opens an internet connection. `hf_hub_download` is not used, as it throws a partial
file away when it is interrupted, and loses up to 10 MB when the connection is cut (huggingface_hub 2.4). The listing
with sizes and hashes, the session and the errors are huggingface_hub's; going on at a byte is ours. No token of the
person's is sent. Which hub is asked `HF_ENDPOINT` says; huggingface_hub reads it.
"""

from __future__ import annotations

import errno
import hashlib
import logging
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from atlas_rt import __version__
from atlas_rt.errors import MissingError

if TYPE_CHECKING:
    from huggingface_hub import HfApi

ANSWER_SECS = 20.0
"""Without a single byte. A file may take as long as it goes on."""
PAUSE_SECS = 1.0
"""After a cut."""
PARTIAL = 206
"""HTTP's answer to a range; 200 is the whole file instead."""
TELL_SECS = 0.2
RATE_SECS = 5.0
"""The rate is that of the last seconds, so that it means something after a pause."""
MARGIN_BYTES = 20_000_000
"""Left free on the disk besides the files."""
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """One file of a repository. sha256: of its content, "" where the hub keeps only git's own hash, `blob` (SHA-1)."""

    path: str
    size: int
    sha256: str
    blob: str

    @property
    def mark(self) -> str:
        """Sets this content apart from another at the same path."""
        return (self.sha256 or self.blob)[:12]


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository at one commit: its files by path."""

    name: str
    commit: str
    endpoint: str
    files: dict[str, RemoteFile]


@dataclass(frozen=True, slots=True)
class Fetching:
    """How far a fetch is. done, total: bytes, of all its files. rate: bytes a second just now."""

    path: str
    done: int
    total: int
    rate: float

    @property
    def left_secs(self) -> float | None:
        return (self.total - self.done) / self.rate if self.rate > 0 else None


Tell = Callable[[Fetching], None]


def look_up(name: str, revision: str, *, endpoint: str | None = None) -> Repository:
    """What the repository holds at a branch, tag or commit. Raises MissingError where it cannot be found or reached."""
    api = _api(endpoint)
    try:
        info = api.model_info(name, revision=revision, files_metadata=True, timeout=ANSWER_SECS)
    except Exception as error:  # noqa: BLE001 - the client's errors share no base from release to release
        raise MissingError(_trouble(error, f"{name} at {revision}", api.endpoint)) from None
    files = {
        each.rfilename: RemoteFile(
            each.rfilename, each.size or 0, each.lfs.sha256 if each.lfs else "", each.blob_id or ""
        )
        for each in info.siblings or ()
    }
    return Repository(name, str(info.sha), api.endpoint, files)


def fetch(repository: Repository, wanted: dict[str, Path], *, tell: Tell) -> None:
    """Bring files of a repository to their places, all or an error: {path in the repository: place}.

    Whole files are not fetched again; part of a file (next to its place) goes on where it stopped.
    Raises MissingError where the hub, the network or the disk refuses, or the content is not what the hub recorded.
    """
    left = {
        repository.files[path]: place for path, place in wanted.items() if not _whole(place, repository.files[path])
    }
    _check_room(left)
    progress = _Progress(sum(repository.files[path].size for path in wanted), tell)
    progress.done = progress.total - sum(file.size for file in left)
    for file, place in left.items():
        _fetch(repository, file, place, progress)


def _api(endpoint: str | None) -> HfApi:
    from huggingface_hub import HfApi

    # It warns of each attempt to resume; a person sees the progress stand still and go on.
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
    return HfApi(endpoint=endpoint, token=False)


def _fetch(repository: Repository, file: RemoteFile, place: Path, progress: _Progress) -> None:
    """One file, fetched under another name, then renamed. A cut connection is taken up again as long as bytes come."""
    part = _part(place, file)
    while True:
        begun = _size(part)
        try:
            _go_on(repository, file, part, progress)
            break
        except Exception as error:  # noqa: BLE001 - as above; the partial file stays for the next attempt
            # What is an OSError is the disk's or the hub's refusal, not a cut.
            if _size(part) > begun and not isinstance(error, OSError):
                time.sleep(PAUSE_SECS)
                continue
            raise MissingError(_trouble(error, f"{repository.name}/{file.path}", repository.endpoint)) from None
    progress.done += file.size
    _settle(part, place, file)


def _go_on(repository: Repository, file: RemoteFile, part: Path, progress: _Progress) -> None:
    """Fetch what the partial file lacks. Raises whatever the client and the disk raise."""
    from huggingface_hub import get_session, hf_hub_url
    from huggingface_hub.utils import hf_raise_for_status  # type: ignore[attr-defined]

    begun = _size(part)
    if begun >= file.size:
        part.touch()
        return
    url = hf_hub_url(repository.name, file.path, revision=repository.commit, endpoint=repository.endpoint)
    # Compressed on the way, a byte range would be one of something else.
    headers = {"User-Agent": f"atlas_rt/{__version__}", "Accept-Encoding": "identity"}
    if begun:
        headers["Range"] = f"bytes={begun}-"
    with get_session().stream("GET", url, headers=headers, timeout=ANSWER_SECS) as response:
        if response.is_error:
            response.read()
        hf_raise_for_status(response)
        goes_on = response.status_code == PARTIAL
        with part.open("ab" if goes_on else "wb") as output:
            done = begun if goes_on else 0
            for chunk in response.iter_bytes():  # as they come: of a given size, a cut would lose the last one
                output.write(chunk)
                done += len(chunk)
                progress.at(file.path, progress.done + done)
    if done != file.size:
        raise OSError(f"{done:,} bytes came, {file.size:,} were announced")


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _part(place: Path, file: RemoteFile) -> Path:
    return place.with_name(f"{place.name}.{file.mark}.part")


def _settle(part: Path, place: Path, file: RemoteFile) -> None:
    """Give a fetched file its name, once its content has been found to be what the hub recorded."""
    found, recorded = content_hash(part, file), file.sha256 or file.blob
    if found != recorded:
        part.unlink()
        kind = "SHA-256" if file.sha256 else "git hash"
        raise MissingError(
            f"The fetched {file.path} is not the file that the hub recorded, so it was deleted: its {kind} is {found}, "
            f"the recorded one is {recorded}. Fetch it again; if that does not help, the hub's copy is damaged."
        )
    part.replace(place)


def _whole(place: Path, file: RemoteFile) -> bool:
    return (
        place.is_file()
        and place.stat().st_size == file.size
        and content_hash(place, file) == (file.sha256 or file.blob)
    )


def content_hash(path: Path, file: RemoteFile) -> str:
    """The file's hash of the kind that the hub recorded for it: SHA-256, or git's SHA-1 of a blob."""
    if file.sha256:
        with path.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()
    content_bytes = path.read_bytes()  # what is not stored as a large file has 10 MB at most
    return hashlib.sha1(b"blob %d\0" % len(content_bytes) + content_bytes, usedforsecurity=False).hexdigest()


def _check_room(left: dict[RemoteFile, Path]) -> None:
    """Raises MissingError where the disk has no room for what is still to come."""
    if not left:
        return
    folder = next(iter(left.values())).parent
    begun = sum(_size(_part(place, file)) for file, place in left.items())
    needed = sum(file.size for file in left) - begun
    free = shutil.disk_usage(folder).free
    if free < needed + MARGIN_BYTES:
        raise MissingError(
            f"The disk is too full: {needed / 1e6:,.0f} MB are still to come and {free / 1e6:,.0f} MB are free. "
            f"Free some space, or choose another place with --cache DIR. {folder}"
        )


class _Progress:
    """Counts bytes over several files, and tells now and then."""

    def __init__(self, total: int, tell: Tell) -> None:
        self.total, self.done = total, 0
        self._tell = tell
        self._told_secs = 0.0
        self._seen: list[tuple[float, int]] = []

    def at(self, path: str, done: int) -> None:
        """So many bytes are here now, of all files."""
        now = time.monotonic()
        if now - self._told_secs < TELL_SECS and done < self.total:
            return
        self._told_secs = now
        self._seen = [(secs, bytes_) for secs, bytes_ in self._seen if now - secs < RATE_SECS] + [(now, done)]
        (first_secs, first), (last_secs, last) = self._seen[0], self._seen[-1]
        rate = (last - first) / (last_secs - first_secs) if last_secs > first_secs else 0.0
        self._tell(Fetching(path, done, self.total, max(rate, 0.0)))


def _trouble(error: Exception, what: str, endpoint: str) -> str:
    """What went wrong and what to do, for a person."""
    from huggingface_hub import errors

    sentences: tuple[tuple[type[Exception], str], ...] = (
        (errors.RepositoryNotFoundError, f"The hub has no public repository for {what}; check its name. {endpoint}"),
        (errors.RevisionNotFoundError, f"The repository has no such revision: {what}. {endpoint}"),
        (errors.EntryNotFoundError, f"The repository has no such file any more: {what}. {endpoint}"),
        (errors.OfflineModeIsEnabled, "Nothing can be fetched while HF_HUB_OFFLINE is set; unset it."),
        (errors.HFValidationError, f"This is no name of a repository (ORG/NAME): {what}."),
    )
    for kind, sentence in sentences:
        if isinstance(error, kind):
            return sentence
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status is not None:
        return f"The hub refused {what} (HTTP {status}); try again later. {endpoint}"
    if isinstance(error, OSError) and error.errno in FULL:
        return (
            f"The disk is full ({error.strerror}); what came so far is kept. Free some space and fetch it again, or "
            "choose another place with --cache DIR."
        )
    if isinstance(error, OSError) and error.errno is not None and error.filename is not None:
        return f"A file cannot be written ({error.strerror}): {error.filename}"
    reason = " ".join(str(error).split())[:200] or type(error).__name__
    return (
        f"The hub cannot be reached ({reason}). Check the network and fetch it again; what came so far is kept. "
        f"{endpoint}"
    )
