"""The person's words made paths."""

from __future__ import annotations

import difflib
import os
import shlex
import stat
from collections.abc import Sequence
from pathlib import Path

from atlas_rt.core.s3_address import S3Address, is_s3, parse_address
from atlas_rt.errors import MissingError, UsageError
from atlas_rt.library.disk_errors import reason_of
from atlas_rt.library.formats import IMAGE_SUFFIXES, TABLE_SUFFIXES, format_to_install, readable_suffixes, suffix_of


def resolve(words: Sequence[str]) -> tuple[str, ...]:
    """The person's words as absolute paths and addresses in S3, sorted, each once; links stay as they were named.

    Raises UsageError for what does not exist, cannot be read or is no image, MissingError for a format not installed.
    Of what lies in S3 only the address is checked: nobody is asked.
    """
    return tuple(sorted({_resolve_one(word) for word in words}))


def absolute(word: str) -> Path:
    """A person's word as an absolute path: `~` and `..` resolved, links kept as they were named. Raises UsageError."""
    if not word.strip():
        raise UsageError("An empty word is no path; name a folder or a file")
    return Path(os.path.abspath(os.path.expanduser(word)))  # noqa: PTH100, PTH111  pathlib follows links, fails on ~x


def path_or_address(word: str) -> str:
    """A person's word as an absolute path, or as an address in S3, of which nothing is tidied but one slash at the end:
    `s3://b/photos/` is `s3://b/photos`. Raises UsageError."""
    if not is_s3(word):
        return str(absolute(word))
    address = parse_address(word)
    key = address.key
    if key.endswith("/") and not key.endswith("//") and key != "/":
        key = key[:-1]
    return str(S3Address(address.bucket, key))


def _resolve_one(word: str) -> str:
    if is_s3(word):
        return path_or_address(word)
    path = absolute(word)
    try:
        if path.is_dir():
            os.scandir(path).close()
        else:
            _check_single_file(path)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise UsageError(f"There is no such file or folder{_suggestion(path)}: {path}") from error
    except OSError as error:
        raise UsageError(f"It cannot be opened ({reason_of(error)}): {path}") from error
    return str(path)


def _check_single_file(path: Path) -> None:
    """Raises unless a file named as a source can be an image. A pipe is never opened: that would wait for ever."""
    regular = stat.S_ISREG(path.stat().st_mode)
    suffix = suffix_of(path.name)
    missing = format_to_install(suffix)
    if missing and suffix not in readable_suffixes():
        raise MissingError(f"{missing} files need one more package, `pip install atlas_rt[formats]`: {path}")
    if regular and suffix in TABLE_SUFFIXES:
        raise UsageError(f"This is a table, not an image; take it in with `atlas-rt import {shlex.quote(str(path))}`")
    if not regular or suffix not in readable_suffixes():
        known = " ".join(sorted(suffix[1:] for suffix in IMAGE_SUFFIXES))
        raise UsageError(f"This is no image (known are {known}); name a folder or an image: {path}")
    path.open("rb").close()


def _suggestion(path: Path) -> str:
    """The nearest existing name in the folder of a missing one, as part of a sentence."""
    while not path.parent.is_dir():
        path = path.parent
    try:
        beside = {other.name.lower(): other for other in path.parent.iterdir()}
    except OSError:
        return ""
    near = difflib.get_close_matches(path.name.lower(), beside, n=1)
    return f" (did you mean {beside[near[0]]}?)" if near else ""
