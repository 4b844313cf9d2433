"""The pieces of words that the multilingual encoder reads, fewer than it came with, as a Hugging Face tokenizer."""

from __future__ import annotations

import json
import struct
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Regex, Tokenizer, normalizers, pre_tokenizers, processors
from tokenizers.models import Unigram

SPECIAL = ("<unk>", "<s>", "</s>")
"""The first pieces. A phrase stands between the other two."""
SPACE = "▁"
USED_MIN = 2
"""A piece that so many of the phrases to learn use is kept whatever it scores."""


@dataclass(frozen=True)
class Pieces:
    """A SentencePiece model. pieces: text and log probability. charsmap: how text is normalised, compiled."""

    pieces: tuple[tuple[str, float], ...]
    charsmap: bytes


def read_pieces(file: Path) -> Pieces:
    """Raises OSError; ValueError where it is no such model."""
    data = file.read_bytes()
    pieces: list[tuple[str, float]] = []
    charsmap = b""
    for field, value in _fields(data):
        if field == 1:  # a piece: 1 its text, 2 its score
            parts = dict(_fields(value))
            if 1 in parts:
                pieces.append((parts[1].decode(), struct.unpack("<f", parts[2])[0] if 2 in parts else 0.0))
        elif field in (2, 3):  # the normaliser's description; an older layout has it third
            charsmap = charsmap or dict(_fields(value)).get(2, b"")
    if tuple(text for text, _ in pieces[:3]) != SPECIAL or len(charsmap) < 4:
        raise ValueError(f"This is no SentencePiece model of pieces with a compiled normaliser: {file}")
    return Pieces(tuple(pieces), charsmap)


def _fields(data: bytes) -> Iterator[tuple[int, bytes]]:
    """(number, value) of each field of a protocol buffer; numbers as their bytes."""
    at = 0
    while at < len(data):
        tag, at = _number(data, at)
        kind = tag & 7
        if kind == 2:
            length, at = _number(data, at)
        elif kind == 0:
            length = _number(data, at)[1] - at
        else:
            length = {1: 8, 5: 4}[kind]
        yield tag >> 3, data[at : at + length]
        at += length


def _number(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def tokenizer_of(pieces: Pieces, kept: Sequence[int] | None = None) -> Tokenizer:
    """kept: rows of the pieces that stay, all by default; the first three must be among them.

    Capitals are read as small letters, as the English tower reads them.
    """
    vocabulary = pieces.pieces if kept is None else [pieces.pieces[row] for row in kept]
    made = Tokenizer(Unigram(list(vocabulary), unk_id=0, byte_fallback=False))
    # Letters and marks are joined first: the compiled table knows letters with marks, not marks behind them.
    made.normalizer = normalizers.Sequence([
        normalizers.NFC(), normalizers.Precompiled(pieces.charsmap), normalizers.Lowercase(), normalizers.Strip(),
        normalizers.Replace(Regex(" {2,}"), " "),
    ])  # fmt: skip
    made.pre_tokenizer = pre_tokenizers.Metaspace(replacement=SPACE, prepend_scheme="always", split=False)
    made.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A $B </s>", special_tokens=[("<s>", 1), ("</s>", 2)]
    )
    return made


def chosen(pieces: Pieces, count: int, phrases: Iterable[Sequence[int]]) -> list[int]:
    """Rows of the pieces that stay, in their order: what the phrases use, single characters, then what scores best.

    phrases: as all the pieces' tokenizer reads them. Text of other languages is read in more and smaller pieces.
    """
    used = Counter(row for phrase in phrases for row in set(phrase))
    kept = {0, 1, 2} | {row for row, times in used.items() if times >= USED_MIN}
    kept |= {row for row, (text, _) in enumerate(pieces.pieces) if len(text.removeprefix(SPACE)) <= 1}
    by_score = sorted(range(len(pieces.pieces)), key=lambda row: (-pieces.pieces[row][1], row))
    for row in by_score:
        if len(kept) >= count:
            break
        kept.add(row)
    return sorted(kept)


def save(tokenizer: Tokenizer, file: Path) -> None:
    """Without spaces between its parts, scores to five digits: a fifth smaller."""
    content = json.loads(tokenizer.to_str())
    content["model"]["vocab"] = [[text, round(score, 3)] for text, score in content["model"]["vocab"]]
    file.write_text(json.dumps(content, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")
