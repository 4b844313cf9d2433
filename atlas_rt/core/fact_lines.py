"""What is known of one image as lines of (what, value): shown over a picture, and copied as text."""

from __future__ import annotations

from atlas_rt.core.hud import ImageFacts
from atlas_rt.core.metadata_words import words_of

Line = tuple[str, str]


def size_line(width_px: int, height_px: int) -> Line:
    """A picture's size in pixels, and in megapixels from one on."""
    pixels = width_px * height_px
    megapixels = f"  ·  {pixels / 1e6:,.1f} megapixels" if pixels >= 1_000_000 else ""
    return "Size", f"{width_px:,} × {height_px:,} px{megapixels}"


def folder_of(path: str) -> str:
    return path.replace("\\", "/").rpartition("/")[0]


def lines_of(facts: ImageFacts, *, with_folder: bool = True) -> tuple[Line, ...]:
    """Everything that is known of an image but its name. with_folder: not in a kiosk."""
    metadata = facts.metadata
    lines = (
        ("Title", metadata.title),
        size_line(facts.width_px, facts.height_px),
        *words_of(metadata, facts.raw, facts.place),
        ("Keywords", ", ".join(metadata.keywords)),
        ("Caption", metadata.caption),
        ("Prompt", metadata.prompt),
        ("Text", facts.text),
        ("Cluster", facts.cluster),
        ("Labels", ", ".join(f"{word} {confidence:.0%}" for word, confidence in facts.labels)),
        ("Copies", facts.alike_words),
        ("Folder", folder_of(facts.path) if with_folder else ""),
    )
    return tuple(line for line in lines if line[1])


def text_of(facts: ImageFacts) -> str:
    """The same as text, after the path of the file."""
    return "\n".join((facts.path, *(f"{what}: {value}" for what, value in lines_of(facts, with_folder=False))))
