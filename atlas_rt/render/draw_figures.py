"""What a frame drew, in numbers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DrawFigures:
    """What the last frame drew. step: of the ladder. near: cards large on screen."""

    step: str = ""
    nodes: int = 0
    near: int = 0
    edges: int = 0

    @property
    def drawn(self) -> str:
        """In words, for the frame figures."""
        return f"{self.nodes:,} images, {self.near:,} near, {self.edges:,} edges"
