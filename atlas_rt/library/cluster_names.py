"""The names that a person gave to clusters, kept by what the clusters hold.

A name is kept with the contents of some of its cluster's images: those with the smallest hashes, which are a random
sample, and the same one for the same images. So it is found again in any map, of any model, in any cache.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from atlas_rt.core.plain_text import is_plain
from atlas_rt.errors import UsageError
from atlas_rt.library.personal_data import Kept, PersonalFile

SAMPLE = 256
"""Contents kept with a name: enough to tell a half from a third, 9 KB."""
SAME = 0.5
"""Two samples that share so much of the larger one are of the same cluster."""
LENGTH_MAX = 60
"""Characters of a name: what stands on the map."""


@dataclass(frozen=True, slots=True)
class ClusterName:
    """contents: hashes of images of the cluster, ascending (`SAMPLE` at most). size: how many contents it had."""

    name: str
    size: int
    contents: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class NameChange:
    """What giving a name did to the file: `before` are the entries it replaced, `after` those that replaced them."""

    before: tuple[ClusterName, ...]
    after: tuple[ClusterName, ...]

    @property
    def reversed(self) -> NameChange:
        """The change that takes this one back."""
        return NameChange(self.after, self.before)


class ClusterNames:
    """The file of all names."""

    def __init__(self, folder: Path) -> None:
        self._file = PersonalFile(folder, "cluster_names", read=_read, write=_write)

    @property
    def path(self) -> Path:
        return self._file.path

    def read(self) -> Kept[ClusterName]:
        """All names, the newest last. Raises MissingError where they may not be read."""
        return self._file.read()

    def give(self, name: str, contents: Collection[bytes], *, instead_of: ClusterName | None = None) -> NameChange:
        """Name a cluster with these contents; without a name it goes by the program's own again. What that changed.

        instead_of: what names it now. Raises UsageError for what is no name, MissingError where it
        cannot be kept.
        """
        held = sorted(set(contents))
        given = ClusterName(checked_name(name), len(held), tuple(held[:SAMPLE]))

        after = (given,) if given.name else ()
        before: list[ClusterName] = []

        def changed(names: tuple[ClusterName, ...]) -> tuple[ClusterName, ...]:
            before[:] = [each for each in names if each == instead_of or _same(each, given)]
            return (*(each for each in names if each not in before), *after)

        self._file.change(changed)
        return NameChange(tuple(before), after)

    def make(self, change: NameChange) -> None:
        """Make a change that was taken back, or take it back (`NameChange.reversed`).

        Raises UsageError where the names it replaces are not there, since the same clusters were named anew elsewhere;
        MissingError where it cannot be kept.
        """

        def changed(names: tuple[ClusterName, ...]) -> tuple[ClusterName, ...]:
            others = tuple(each for each in names if each not in change.before)
            gone = len(names) - len(others) != len(change.before)
            if gone or any(_same(each, other) for each in change.after for other in others):
                raise UsageError("This cluster was named in another window since.")
            return (*others, *change.after)

        self._file.change(changed)


def checked_name(word: str) -> str:
    """A name as it is kept, empty for none. Raises UsageError."""
    name = " ".join(word.split())
    if len(name) > LENGTH_MAX or not is_plain(name):
        raise UsageError(f"a name has at most {LENGTH_MAX} characters, all of them printable, unlike {word!r}")
    return name


def _same(one: ClusterName, other: ClusterName) -> bool:
    shared = len(set(one.contents) & set(other.contents))
    return shared > SAME * max(len(one.contents), len(other.contents))


def _read(facts: object) -> ClusterName:
    if not isinstance(facts, dict):
        raise TypeError
    contents = tuple(bytes.fromhex(each) for each in facts["contents"])
    return ClusterName(str(facts["name"]), int(facts["size"]), contents)


def _write(given: ClusterName) -> dict[str, object]:
    return {"name": given.name, "size": given.size, "contents": [each.hex() for each in given.contents]}
