"""What can be read of an answer while it still comes: its reasons, out of JSON that is not whole yet."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

_TEXT = re.compile(r'"(?:why|text)"\s*:\s*"((?:[^"\\]|\\(?:u[0-9a-fA-F]{4}|[^u]))*)("?)', re.DOTALL)
"""The text of a reason or a claim as far as it has come, without an escape that is not whole, and whether it ended."""


class PartialAnswer:
    """Hears the pieces of a JSON answer, and tells all sentences that can be read in it whenever they grow, one a
    line."""

    def __init__(self, on_text: Callable[[str], None]) -> None:
        self._on_text = on_text
        self._json = self._told = ""

    def hear(self, piece: str) -> None:
        """A few hundred characters in all, so they are looked through again with each piece."""
        self._json += piece
        readable = "".join(_readable(match) for match in _TEXT.finditer(self._json))
        if readable != self._told:
            self._told = readable
            self._on_text(readable)


def _readable(match: re.Match[str]) -> str:
    try:
        text = str(json.loads(f'"{match[1]}"', strict=False))
    except ValueError:
        return ""
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "ignore")  # half of a pair waits for the other
    return whole + ("\n" if match[2] else "")
