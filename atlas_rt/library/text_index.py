"""What is searched as words: names, folders, captions, keywords, cameras, places, the text in pictures (SQLite FTS5),
one row an image.

Triggers of the database note images whose row is not what it should be (`texts_stale`), so no writer can forget it.
The engine renews the rows of each batch in its transaction, and the others in the background (`renew`). 100,000 rows:
10 s to make, 20 MB; a word that few images have is found in 0.1 to 1 ms, one that all have in 21.

Words match by their beginnings, as `core.words` splits them. Inside of words they are looked for only where they hold
a digit, by reading all names: 15 ms at 100,000.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from atlas_rt.core.arrays import Ids
from atlas_rt.core.metadata import FILE
from atlas_rt.core.paths import start_of
from atlas_rt.core.words import has_digit, hashes_of, indexed, is_unspaced, pieces_of
from atlas_rt.library.database import Database, path_of
from atlas_rt.library.formats import is_picture

REASONS = {
    "name": "name", "folder": "folder", "words": "text", "keywords": "keyword", "camera": "camera", "lens": "camera",
    "place": "place", "seen": "text", "taken": "date", "hashes": "name",
}  # fmt: skip
"""Column -> what a result says it was found by."""
COLUMNS = tuple(REASONS)
NAMES = ("name", "folder")
"""In these what holds a digit is looked for inside of words, too."""
MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
ROOTS = "roots of texts"
"""Setting: the sources below which folders count, as JSON."""
LONGEST = 4000
"""Characters of a caption, or of the text in a picture, that are searched."""
BEGINNING = 3
"""Letters from which on a word finds those that begin with it: "a" and "in" would find half of all."""
INSIDE = 2
"""Characters from which on what holds a digit is looked for inside of words."""
HASH_BEGINNING = 4
"""Characters from which on what holds a digit may begin a hash."""
NO_MATCH = '"\u01bf \u01bf"'
"""What no index holds. FTS5 passes over an empty phrase instead of finding nothing."""
PIECES_MAX = 32
BLOCK = 500
_MONTH = re.compile(r"(\d{4})(?:-(0[1-9]|1[0-2]))?")


@dataclass(frozen=True, slots=True)
class Word:
    """A word or a phrase that is looked for. pieces: of all of it. folder, name: where it is a path with a slash, what
    stands before the last one and what behind. hash: what may begin a hash; empty where it cannot."""

    pieces: tuple[str, ...]
    folder: tuple[str, ...] = ()
    name: tuple[str, ...] = ()
    hash: str = ""

    @classmethod
    def typed(cls, text: str) -> Word | None:
        """What was typed, None where it holds no letter and no digit. The ending of an image's name counts for nothing:
        names stand in the index without."""
        text = text.replace("\\", "/")
        stem = text[: text.rfind(".")] if is_picture(text) else text
        head, _, tail = stem.rpartition("/")
        pieces, folder, name = (pieces_of(each)[:PIECES_MAX] for each in (stem, head, tail))
        hashes = hashes_of(stem)
        begun = "".join(pieces) if stem.isalnum() and len(stem) >= HASH_BEGINNING and has_digit(pieces) else ""
        hash_ = hashes[0] if hashes and not pieces else begun
        return cls(pieces, folder, name, hash_) if pieces or hash_ else None

    @property
    def inside(self) -> tuple[str, ...]:
        """The texts that are looked for inside of names, none where it holds no digit."""
        if not has_digit(self.pieces):
            return ()
        texts = dict.fromkeys((" ".join(self.pieces), "".join(self.pieces)))
        return tuple(text for text in texts if len(text) >= INSIDE)

    def expression(self, columns: Iterable[str] = COLUMNS, *, whole: bool = False, least: int = BEGINNING) -> str:
        """What FTS5 is asked for: the word in one of these columns. whole: not by its beginning, nor where it has fewer
        than `least` letters.

        Pieces are letters and digits, so nothing in them is FTS5's own syntax.
        """
        columns = tuple(columns)
        begun = [column for column in columns if column not in ("taken", "hashes")]
        parts = []

        def phrase(pieces: tuple[str, ...]) -> str:
            return _phrase(pieces, whole=whole or len(pieces[-1]) < least)

        if self.pieces and begun:
            phrases = [phrase(self.pieces)]
            if len(self.pieces) > 1 and not is_unspaced(self.pieces):
                phrases.append(phrase(("".join(self.pieces),)))
            parts.append(f"{{{' '.join(begun)}}} : ({' OR '.join(phrases)})")
        if self.pieces and "taken" in columns:  # "20" is no year
            parts.append(f"taken : {_phrase(self.pieces, whole=True)}")
        if self.hash and "name" in columns:
            parts.append(f"hashes : {phrase((self.hash,))}")
        if self.folder and self.name and set(NAMES) <= set(columns):
            parts.append(f"(folder : {_phrase(self.folder, whole=True)} AND name : {phrase(self.name)})")
        return f"({' OR '.join(parts or [NO_MATCH])})"

    def reasons(self, texts: Mapping[str, str]) -> tuple[str, ...]:
        """In what of an image the word stands, in the order of REASONS. texts: of each column."""
        columns = {column for column, text in texts.items() if self._stands_in(column, text)}
        if self.folder and self.name and _holds(texts["folder"], self.folder) and _holds(texts["name"], self.name):
            columns |= {"folder", "name"}
        return tuple(dict.fromkeys(reason for column, reason in REASONS.items() if column in columns))

    def _stands_in(self, column: str, text: str) -> bool:
        if column == "hashes":
            return bool(self.hash) and _holds(text, (self.hash,))
        if not self.pieces or column == "taken":
            return bool(self.pieces) and _holds(text, self.pieces, whole=True)
        if any(_holds(text, pieces) for pieces in (self.pieces, ("".join(self.pieces),))):
            return True
        return column in NAMES and any(inside in text for inside in self.inside)


class TextIndex:
    """The words of one library, for reading."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def matching(self, expression: str) -> Ids:
        """Ids of the images that FTS5 finds, ascending."""
        return self._database.columns("SELECT rowid FROM texts WHERE texts MATCH ?", (expression,), names=("rowid",))[0]

    def holding(self, texts: Sequence[str]) -> dict[str, Ids]:
        """Ids of the images that have one of these texts somewhere in their name, and in their folder.

        Read from the table below the index, which is thrice as fast.
        """
        if not texts:
            return dict.fromkeys(NAMES, np.zeros(0, np.int64))
        inside = [" OR ".join([f"instr(c{COLUMNS.index(column)}, ?)"] * len(texts)) for column in NAMES]
        sql = f"SELECT id, ({inside[0]}) > 0 AS a, ({inside[1]}) > 0 AS b FROM texts_content WHERE a OR b"
        ids, *columns = self._database.columns(sql, (*texts, *texts), names=("id", "a", "b"))
        return {name: ids[column > 0] for name, column in zip(NAMES, columns, strict=True)}

    def columns_of(self, ids: Sequence[int]) -> dict[int, dict[str, str]]:
        """Image -> the text of each column."""
        found: dict[int, dict[str, str]] = {}
        for start in range(0, len(ids), BLOCK):
            part = ids[start : start + BLOCK]
            sql = f"SELECT rowid, {', '.join(COLUMNS)} FROM texts WHERE rowid IN ({', '.join('?' * len(part))})"
            for id_, *texts in self._database.rows(sql, part):
                found[id_] = dict(zip(COLUMNS, texts, strict=True))
        return found

    @property
    def pending(self) -> int:
        """How many images wait for their words."""
        return self._database.number("SELECT count(*) FROM texts_stale")


class TextWriter(TextIndex):
    """The same, kept up to date. Of the connection that writes."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._roots: tuple[str, ...] | None = None

    def settle_roots(self, sources: Sequence[str]) -> None:
        """Folders count from below these sources; inside a transaction. Images below one that came or went are noted:
        their folder reads otherwise now."""
        before = self._stored_roots()
        self._roots = tuple(sources)
        if set(before) == set(sources):
            return
        for root in set(before) ^ set(sources):
            low = os.fsencode(start_of(root))
            span = (os.fsencode(root), low, low[:-1] + bytes([low[-1] + 1]))
            sql = """INSERT OR IGNORE INTO texts_stale
                SELECT id FROM images WHERE state = 'ready' AND (path = ? OR (path >= ? AND path < ?))"""
            self._database.execute(sql, span)
        self._database.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (ROOTS, json.dumps(list(sources))))

    def renew(self, ids: Iterable[int] | None = None) -> int:
        """Write the rows of some images, or of the next block, where they are not what they should be; inside a
        transaction. How many were written or dropped."""
        condition = "" if ids is None else f"WHERE image_id IN ({', '.join(str(int(id_)) for id_ in ids)})"
        rows = self._database.rows(f"SELECT image_id FROM texts_stale {condition} ORDER BY image_id LIMIT {BLOCK}")
        stale = [id_ for (id_,) in rows]
        wanted = ", ".join("?" * len(stale))
        sql = f"""SELECT id, path, title, caption, prompt, keywords, camera, lens, taken, taken_from, here.words,
            readings.text FROM images LEFT JOIN metadata ON metadata.image_id = id
            LEFT JOIN image_places AS here ON here.image_id = id
                AND here.latitude = metadata.latitude AND here.longitude = metadata.longitude
            LEFT JOIN readings ON readings.image_id = id AND readings.hash IS images.hash
            WHERE id IN ({wanted}) AND state = 'ready'"""
        roots = self._stored_roots() if self._roots is None else self._roots
        texts = [_text_of(roots, *row) for row in self._database.rows(sql, stale)]
        places = ", ".join("?" * (1 + len(COLUMNS)))
        self._database.execute(f"DELETE FROM texts WHERE rowid IN ({wanted})", stale)
        self._database.execute_each(f"INSERT INTO texts (rowid, {', '.join(COLUMNS)}) VALUES ({places})", texts)
        self._database.execute(f"DELETE FROM texts_stale WHERE image_id IN ({wanted})", stale)
        return len(stale)

    def _stored_roots(self) -> tuple[str, ...]:
        rows = self._database.rows("SELECT value FROM settings WHERE key = ?", (ROOTS,))
        return tuple(json.loads(rows[0][0])) if rows else ()


def _phrase(pieces: tuple[str, ...], *, whole: bool) -> str:
    return f'"{" ".join(pieces)}"' + ("" if whole else "*")


def _holds(text: str, pieces: tuple[str, ...], *, whole: bool = False) -> bool:
    """Whether the text of a column holds a phrase, as FTS5 would say."""
    end = " " if whole or len(pieces[-1]) < BEGINNING else ""
    return f" {' '.join(pieces)}{end}" in f" {text} "


def _text_of(roots: Sequence[str], id_: int, path: bytes, *known: str | None) -> tuple[object, ...]:
    """The row of an image: its id, then the columns."""
    title, caption, prompt, keywords, camera, lens, taken, taken_from, place, seen = (each or "" for each in known)
    folder, _, name = path_of(path).rpartition(os.sep)
    stem = name[: name.rfind(".")] if is_picture(name) else name
    words = " ".join(each[:LONGEST] for each in (title, caption, prompt))
    phrases = " ".join(map(str, json.loads(keywords or "[]")))[:LONGEST]
    date = "" if taken_from == FILE else _date_words(taken)
    below = _below(folder, roots)
    hashes = " ".join(hashes_of(f"{stem} {below}"))
    told = stem, below, words, phrases, camera, lens, place, seen[:LONGEST]
    return id_, *map(indexed, told), date, hashes


def _below(folder: str, roots: Sequence[str]) -> str:
    """A folder without the root it lies in, the outermost where roots lie in each other."""
    holding = [root for root in roots if (folder + os.sep).startswith(start_of(root))]
    return folder[len(start_of(min(holding, key=len))) - 1 :] if holding else ""


def _date_words(taken: str) -> str:
    """ "2023-06-04T12:33:10" -> "2023 june", as people type dates among words."""
    match = _MONTH.match(taken)
    return " ".join((match[1], MONTHS[int(match[2]) - 1] if match[2] else "")).strip() if match else ""
