"""CLIP's byte pairs as a tokenizer file: what `open_clip.SimpleTokenizer` computes, without it.

It gives the same ids for every phrase that `ftfy` leaves as it is, up to letters that one side's Unicode tables do
not know yet (1,546 code points, nearly all unassigned). Of ftfy's repairs the common ones are in the file: curly
quotes, ligatures, control characters, the commonest HTML entities. Missing are repairs of text that was decoded wrongly
("schÃ¶n"), other entities, terminal escapes, and letters of unusual width ("ｄｏｇ": a step for each of 226 letters
would make a phrase cost 2 ms instead of 0.03).
"""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

from atlas_rt.errors import MissingError

START, END = "<start_of_text>", "<end_of_text>"
MERGES = 49152 - 256 - 2
"""How many of the file's merges CLIP took: its vocabulary of 49152 less the bytes and the two marks, as it counted."""

# What ftfy does before the words are told apart (ftfy 6.3.1, chardata.py).
ENTITIES = {"&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'"}
LIGATURES = {
    "Ĳ": "IJ", "ĳ": "ij", "ŉ": "'n", "Ǳ": "DZ", "ǲ": "Dz", "ǳ": "dz", "Ǆ": "DŽ", "ǅ": "Dž", "ǆ": "dž", "Ǉ": "LJ",
    "ǈ": "Lj", "ǉ": "lj", "Ǌ": "NJ", "ǋ": "Nj", "ǌ": "nj", "ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl",
    "ﬅ": "ſt", "ﬆ": "st",
}  # fmt: skip
QUOTES = {"[\u02bc\u2018-\u201b]": "'", "[\u201c-\u201f]": '"'}
CONTROLS = r"[\x00-\x08\x0b\x0e-\x1f\x7f\x{206a}-\x{206f}\x{feff}\x{fff9}-\x{fffc}]+"

FINAL_SIGMA = r"(?<=\p{Alphabetic})Σ(?!\p{Alphabetic})"
"""`str.lower` knows a letter's place in its word, the tokenizer's lower case does not."""
WORDS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+"


def read_merges(file: Path) -> list[tuple[str, str]]:
    """The pairs in the order they are merged, from `bpe_simple_vocab_16e6.txt.gz`. Raises MissingError."""
    try:
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            pairs = [tuple(line.split()) for line in lines.read().split("\n")[1 : MERGES + 1]]
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
        raise MissingError(
            f"CLIP's byte pairs cannot be read ({error}); install open-clip-torch again. {file}"
        ) from None
    if len(pairs) != MERGES or any(len(pair) != 2 for pair in pairs):
        raise MissingError(f"CLIP's byte pairs are not all there; install open-clip-torch again. {file}")
    return [(first, second) for first, second in pairs]


def clip_tokenizer(merges: list[tuple[str, str]], context_length: int) -> Tokenizer:
    """The tokenizer of these merges: lower case, marked at both ends, cut to `context_length`, not padded."""
    letters = byte_letters()
    words = [*letters, *(f"{letter}</w>" for letter in letters), *(first + second for first, second in merges)]
    ids = {word: place for place, word in enumerate([*words, START, END])}
    tokenizer = Tokenizer(models.BPE(ids, merges, end_of_word_suffix="</w>"))
    tokenizer.normalizer = _cleaning()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(WORDS), "removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    marks = [AddedToken(mark, special=True, normalized=True) for mark in (START, END)]
    tokenizer.add_special_tokens(marks)  # normalized: a phrase that spells them in capitals means them too
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{START} $A {END}", special_tokens=[(START, ids[START]), (END, ids[END])]
    )
    tokenizer.enable_truncation(context_length)
    return tokenizer


def byte_letters() -> list[str]:
    """A printable letter for each byte, in the order of CLIP's ids: those that are printable first, then the others."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    return [chr(byte) for byte in printable] + [chr(0x100 + place) for place in range(256 - len(printable))]


def _cleaning() -> normalizers.Normalizer:
    characters = ENTITIES | LIGATURES
    steps: list[normalizers.Normalizer] = [normalizers.Replace(old, new) for old, new in characters.items()]
    steps += [normalizers.Replace(Regex(pattern), new) for pattern, new in QUOTES.items()]
    steps += [
        normalizers.Replace(Regex(CONTROLS), ""),
        normalizers.NFC(),
        normalizers.Replace(Regex(r"\s+"), " "),
        normalizers.Strip(),
        normalizers.Replace(Regex(FINAL_SIGMA), "ς"),
        normalizers.Lowercase(),
    ]
    return normalizers.Sequence(steps)
