"""What is known of a picture in words, as panels and commands show it."""

from __future__ import annotations

from atlas_rt.core.metadata import FILE, Metadata

MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def words_of(metadata: Metadata, raw: str = "", place: str = "") -> tuple[tuple[str, str], ...]:
    """(what, words) of all that is known but title, caption, keywords and prompt, in the order of interest.

    raw: name of the RAW file of the same shot. place: what is where it was taken.
    """
    of_file = metadata.taken_from == FILE
    told = (
        ("File date", date_words(metadata.taken[:19])) if of_file else ("Taken", date_words(metadata.taken)),
        ("Camera", " · ".join(part for part in (metadata.camera, metadata.lens) if part)),
        ("Exposure", exposure_words(metadata)),
        ("Place", place),
        ("GPS", gps_words(metadata)),
        ("Rating", rating_words(metadata.rating)),
        ("RAW", raw),
        ("Software", metadata.software),
    )
    return tuple((what, words) for what, words in told if words)


def date_words(taken: str) -> str:
    """ "4 June 2023, 12:33 (+02:00)"; of an old picture as much as is known."""
    date, _, clock = taken.partition("T")
    year, month, day = (*date.split("-"), "", "")[:3]
    words = " ".join(part for part in (day.lstrip("0"), MONTHS[int(month) - 1] if month else "", year) if part)
    zone = f" ({clock[8:]})" if clock[8:] else ""
    return f"{words}, {clock[:5]}{zone}" if clock else words


def exposure_words(metadata: Metadata) -> str:
    """ "1/250 s · f/2.8 · ISO 400 · 50 mm", without what is not known."""
    told = (
        exposure_time_words(metadata.exposure_secs) if metadata.exposure_secs else "",
        f"f/{metadata.aperture:.3g}" if metadata.aperture else "",
        f"ISO {metadata.iso:,}" if metadata.iso else "",
        f"{metadata.focal_mm:.3g} mm" if metadata.focal_mm else "",
    )
    return " · ".join(words for words in told if words)


def exposure_time_words(secs: float) -> str:
    """Below a third of a second as photographers say it, "1/250 s"."""
    return f"1/{1.0 / secs:,.0f} s" if secs < 0.3 else f"{secs:,.1f}".removesuffix(".0") + " s"


def gps_words(metadata: Metadata) -> str:
    """ "38.7083° N, 9.1333° W", to some ten metres."""
    if metadata.latitude is None or metadata.longitude is None:
        return ""
    north, east = metadata.latitude >= 0, metadata.longitude >= 0
    return f"{abs(metadata.latitude):.4f}° {'NS'[not north]}, {abs(metadata.longitude):.4f}° {'EW'[not east]}"


def rating_words(rating: int | None) -> str:
    """Stars; nothing for 0, which says that nobody has rated."""
    if rating == -1:
        return "rejected"
    return "★" * rating + "☆" * (5 - rating) if rating else ""
