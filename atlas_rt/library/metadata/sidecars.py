"""Sidecars: XMP files next to pictures. Adobe's and others' programs name them `IMG_1.xmp`, darktable and digiKam
`IMG_1.jpg.xmp`.

Those of a RAW file are also those of the JPEG file of the same shot. A scan finds them with their times of change, so
that no picture is asked for sidecars which are not there. What changes is seen by the next scan that reads their
folder, which comes as soon as after a change of a picture.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from atlas_rt.errors import DecodeError, MissingError
from atlas_rt.library.formats import RAW_SUFFIXES, SIDECAR_SUFFIX, suffix_of, without_suffix
from atlas_rt.library.metadata.xmp import LIMIT


class Sidecars:
    """The sidecars that a scan found. Any number of threads may ask."""

    def __init__(self, times: Mapping[str, int], *, file_of: Callable[[str], Path] = Path) -> None:
        """times: path -> time of change, in nanoseconds. file_of: gives the file of a path; raises DecodeError or
        MissingError where there is none now."""
        self._times, self._file_of = times, file_of
        self._of: dict[str, list[str]] = {}
        for path in sorted(times):
            name = path[: -len(SIDECAR_SUFFIX)]
            self._of.setdefault(name, []).append(path)
            if suffix_of(name) in RAW_SUFFIXES:
                self._of.setdefault(without_suffix(name), []).append(path)

    def __bool__(self) -> bool:
        return bool(self._times)

    def of(self, path: str) -> tuple[str, ...]:
        """Those of a picture: first what is of this file alone, then what is of all files of its name."""
        return tuple(dict.fromkeys((*self._of.get(path, ()), *self._of.get(without_suffix(path), ()))))

    def stamp(self, path: str) -> int:
        """Another number whenever a sidecar of a picture came, went or changed; 0 where it has none."""
        if path not in self._of and without_suffix(path) not in self._of:
            return 0
        return sum(self._times[each] for each in self.of(path)) % 2**62

    def packets(self, path: str) -> list[bytes]:
        """What they hold, as far as it is read; one that cannot be is left out."""
        found = []
        for sidecar in self.of(path):
            try:
                with self._file_of(sidecar).open("rb") as file:
                    found.append(file.read(LIMIT + 1))
            except (OSError, DecodeError, MissingError):
                continue
        return found


NO_SIDECARS = Sidecars({})
