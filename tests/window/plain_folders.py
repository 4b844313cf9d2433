"""Folders of plain pictures that are changed while a window shows them, and what that window may show of them.

Every picture has a colour of its own, so a card that shows another image's picture is found by its colour. What changed
is not seen at once: until everything has come to rest, an image may still be shown as it was, or not yet. What was not
touched since then must be there, and must look as it does.
"""

from __future__ import annotations

import itertools
import os
import time
from pathlib import Path

import numpy as np
from PIL import Image

LEVELS = (15, 95, 175, 250)
PALETTE = np.array(list(itertools.product(LEVELS, repeat=3)))
"""(64, 3) colours so far apart that no two are taken for near-duplicates, nor a changed file for what it was."""
SIDE_PX = 64
OLD_SECS = 100.0
"""A file that was written so long ago is whole: it is read at the next scan."""


class Paint:
    """Writes pictures, each in a colour that no picture on disk has."""

    def __init__(self) -> None:
        self._next = itertools.cycle(np.random.default_rng(7).permutation(len(PALETTE)).tolist())
        self._written = 0
        self.in_use: dict[Path, int] = {}
        """Path -> colour, of an unplugged folder's files, too: the path they have when it is plugged in."""

    def write(self, file: Path, path: Path, *, fresh: bool = False) -> int:
        """Put a picture there, over what is there; the number of its colour. path: where it is once it is plugged in.
        fresh: as far as its time tells, it may still be being written."""
        taken = set(self.in_use.values())
        colour = next(number for number in self._next if number not in taken)
        self._written += 1
        image = Image.new("RGB", (SIDE_PX, SIDE_PX), tuple(PALETTE[colour].tolist()))
        image.putpixel((0, 0), (self._written >> 8, self._written & 255, 7))  # never the same bytes again
        image.save(file)
        if not fresh:
            secs = time.time() - OLD_SECS
            os.utime(file, (secs, secs))
        self.in_use[path] = colour
        return colour


class PlainFolder:
    """One source with its files, and files from elsewhere that were dropped on its window.

    sure: path -> colour of what must be shown like this. ever: path -> every colour it has had. dropped, taken_off:
    files from elsewhere that belong to the library, and that did until the person took that back.
    """

    def __init__(self, root: Path, paint: Paint, *, count: int) -> None:
        self.root, self._paint = root, paint
        self._aside = root.with_name(f"{root.name} unplugged")
        self.dropped: dict[Path, int] = {}
        self.taken_off: dict[Path, int] = {}
        self.files: dict[str, int] = {}
        self.sure: dict[Path, int] = {}
        self.ever: dict[Path, set[int]] = {}
        self._touched: set[Path] = set()
        self._at_rest: set[Path] = set()
        self._numbers = itertools.count()
        self.was_unplugged = False
        root.mkdir()
        for _ in range(count):
            self.add()

    @property
    def unplugged(self) -> bool:
        return self._aside.exists()

    @property
    def present(self) -> dict[Path, int]:
        """Path -> colour of what is on disk and belongs to the library, unplugged or not."""
        return {self.root / name: colour for name, colour in self.files.items()} | self.dropped

    @property
    def may_lose(self) -> bool:
        """Whether one more of the files that were there at the last rest may go: a drive that is plugged in without
        most of what was known of it is taken for another one."""
        return (len(self._at_rest - self.present.keys()) + 1) * 3 <= len(self._at_rest)

    # -- what a person does ------------------------------------------------------------------------------------------

    def add(self, *, fresh: bool = False) -> None:
        self._write(f"{next(self._numbers):03} {self.root.name}.png", fresh=fresh)

    def change(self, name: str, *, fresh: bool) -> None:
        self._write(name, fresh=fresh)

    def delete(self, name: str) -> None:
        (self._drive / name).unlink()
        self._paint.in_use.pop(self.root / name)
        self.files.pop(name)
        self._touch(self.root / name)

    def rename(self, name: str) -> None:
        self._move(name, f"{next(self._numbers):03} {self.root.name}.png")

    def swap(self, first: str, second: str) -> None:
        """Two files exchange their names."""
        if first != second:
            self._move(first, "between.tmp")
            self._move(second, first)
            self._move("between.tmp", second)
            self._touched.discard(self.root / "between.tmp")

    def drop(self, folder: Path) -> Path:
        """A picture elsewhere, to be dropped on the window; it does not belong to the library yet."""
        file = folder / f"{next(self._numbers):03} dropped on {self.root.name}.png"
        self.dropped[file] = self._paint.write(file, file)
        self._touch(file, self.dropped[file])
        return file

    def not_dropped(self, file: Path) -> None:
        """It could not be added after all."""
        self.dropped.pop(file)
        self._paint.in_use.pop(file)
        file.unlink()

    def take_off(self, name: str) -> None:
        """A file that was dropped is to leave the map; it stays where it lies."""
        file = next(file for file in self.dropped if file.name == name)
        self.taken_off[file] = self.dropped.pop(file)
        self._touch(file)

    def add_again(self, name: str) -> None:
        file = next(file for file in self.taken_off if file.name == name)
        self.dropped[file] = self.taken_off.pop(file)
        self._touch(file, self.dropped[file])

    def unplug(self, *, empty: bool) -> None:
        """The drive goes; a mount point is left behind as an empty folder, or nothing is."""
        self.root.rename(self._aside)
        if empty:
            self.root.mkdir()
        self.was_unplugged = True

    def plug_in(self) -> None:
        if self.root.exists():
            self.root.rmdir()
        self._aside.rename(self.root)

    # -- what is expected --------------------------------------------------------------------------------------------

    def may_show(self, path: Path) -> bool:
        """Whether an image may be on the map now."""
        return path in self.sure or path in self._touched or (self.was_unplugged and path in self.ever)

    def may_look(self, path: Path, colour: int) -> bool:
        return self.sure[path] == colour if path in self.sure else colour in self.ever[path]

    def rest(self) -> None:
        """What is on disk is shown now: from here on it stays."""
        if not self.unplugged:
            self.sure, self._at_rest = self.present, set(self.present)
            self._touched.clear()
            self.was_unplugged = False

    def is_untouched(self) -> bool:
        """Nobody but the test writes here."""
        return {path.name for path in self._drive.iterdir()} == set(self.files)

    # -- steps -------------------------------------------------------------------------------------------------------

    @property
    def _drive(self) -> Path:
        """Where the files are, plugged in or not."""
        return self._aside if self.unplugged else self.root

    def _write(self, name: str, *, fresh: bool) -> None:
        self.files[name] = self._paint.write(self._drive / name, self.root / name, fresh=fresh)
        self._touch(self.root / name, self.files[name])

    def _move(self, old: str, new: str) -> None:
        (self._drive / old).rename(self._drive / new)
        colour = self.files[new] = self.files.pop(old)
        self._paint.in_use[self.root / new] = self._paint.in_use.pop(self.root / old)
        self._touch(self.root / old)
        self._touch(self.root / new, colour)

    def _touch(self, path: Path, colour: int | None = None) -> None:
        self.sure.pop(path, None)
        self._touched.add(path)
        colours = self.ever.setdefault(path, set())
        if colour is not None:
            colours.add(colour)
