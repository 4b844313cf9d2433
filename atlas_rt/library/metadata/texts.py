"""Words as files hold them -> text that can be stored, searched and shown.

Nothing in these files says reliably how its bytes are meant. Bytes that are valid UTF-8 are UTF-8; each of the others
is one of Windows' Western characters (of Latin-1 where these have none). So a text that mixes both is read right, too.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Iterable

LINE, TEXT, KEYWORD = 300, 10_000, 200
"""Characters that are kept of a name, of a caption or prompt, and of a keyword."""
KEYWORDS_MAX = 500

_UNSEEN = re.compile("[\0-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]+")
"""Controls, marks that turn the direction of what follows, halves of characters."""


def decoded(data: bytes) -> str:
    """Bytes as text, whatever they are."""
    return data.decode("utf-8", "western")


def cleaned(text: str, most: int = LINE) -> str:
    """On one line, without what cannot be seen. What follows an embedded NUL is what the writer's memory held."""
    text = text.lstrip("\0").partition("\0")[0][: 4 * most]
    return unicodedata.normalize("NFC", " ".join(_UNSEEN.sub(" ", text).split()))[:most].strip()


def keywords_of(words: Iterable[str]) -> tuple[str, ...]:
    """Each once, whatever its case, in their order."""
    known: dict[str, str] = {}
    for word in words:
        if (keyword := cleaned(word, KEYWORD)) and len(known) < KEYWORDS_MAX:
            known.setdefault(keyword.casefold(), keyword)
    return tuple(known.values())


def _western(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    wrong = error.object[error.start : error.end]
    try:
        return wrong.decode("cp1252"), error.end
    except UnicodeDecodeError:
        return wrong.decode("latin-1"), error.end


codecs.register_error("western", _western)
