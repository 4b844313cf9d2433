"""Which variants of which shaders a step of the ladder may need, so that they can be linked before they are."""

from __future__ import annotations

from collections.abc import Iterator

from atlas_rt.core.quality import Step

Variant = tuple[str, dict[str, int]]
"""Name of a pair of shaders, and defines."""
BOTH = (0, 1)


def variants_of(step: Step) -> Iterator[Variant]:
    """All variants for one step, those of every frame first; cards as hardware (ALL) and as software draws them."""
    direct = int(not step.hdr)
    for rim in BOTH:
        for way in ({"SPRITE": 1}, {"ALL": 1}, {}, {"TILE": 1}, {"TILE": 2}):
            yield "card", {"DIRECT": direct, "RIM": rim, **way}
    for glow in BOTH:
        yield "backdrop", {"GLOW": glow}
        lit = glow * int(step.hdr)
        yield "edge", {"DIRECT": direct, "GLOW": lit, "RIBBON": int(step.ribbons), "PULSE": int(step.pulse)}
        yield "edge", {"DIRECT": direct, "GLOW": lit, "RIBBON": 1}  # the live marker's
    yield "ring", {}
    yield "beacon", {}
    yield "glow", {"LIT": 1}
    if step.glow:
        yield "glow", {}
        for width, add in ((1, 0), (2, 0), (2, 1), (3, 0), (3, 1)):
            yield "spread", {"WIDTH": width, "ADD": add}
    if step.hdr:
        for soft in BOTH:
            yield "bright", {"SOFT": soft}
        for name in ("blur", "mingle", "develop"):
            yield name, {}
    elif step.scale < 1.0:
        yield "upscale", {}
