"""Makes `models/english_words.xz`: the words that WordNet knows, by which a search tells English from what it did not
understand.

Every noun, verb, adjective and adverb that is one word, and irregular forms of them, one a line in alphabetical order.
The same package gives the same file, to the byte.
Called by `scripts/make-english-words`.
"""

from __future__ import annotations

import argparse
import lzma
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NoReturn

from debian_packages import PackageError, default_folder, fetch
from make_vocabulary import WORDNET

ROOT = Path(__file__).resolve().parents[1]
PARTS = ("noun", "verb", "adj", "adv")
_WORD = re.compile("[a-z]{2,}")


def words_of(folder: Path) -> Iterator[str]:
    """The words of WordNet's files, each once or more often. Raises OSError."""
    for part in PARTS:
        for file in (folder / f"index.{part}", folder / f"{part}.exc"):
            for line in file.read_text("utf-8").splitlines():
                word = line.partition(" ")[0]
                if _WORD.fullmatch(word):
                    yield word


def packed(words: Iterable[str]) -> bytes:
    """As `search.english_words` reads it."""
    lines = "".join(f"{word}\n" for word in sorted(set(words)))
    return lzma.compress(lines.encode(), preset=9 | lzma.PRESET_EXTREME)


def stop(message: str, code: int) -> NoReturn:
    print(f"make-english-words: {message}", file=sys.stderr)
    raise SystemExit(code)


def main(words: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="make-english-words", description=(__doc__ or "").split("\n\n", maxsplit=1)[0]
    )
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "models" / "english_words.xz", metavar="FILE")
    parser.add_argument(
        "--packages", type=Path, default=default_folder(), metavar="DIR", help="where packages are kept"
    )
    args = parser.parse_args(words)
    try:
        found = set(words_of(fetch([WORDNET], args.packages)[WORDNET].share / "wordnet"))
        args.output.write_bytes(packed(found))
    except (PackageError, OSError) as error:
        stop(str(error), 3)
    print(f"{len(found):,} words, {args.output.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
