"""The pictures trained on, and what each is called: drawings of openclipart and emoji, the demo's left out."""

from __future__ import annotations

import hashlib
import io
import re
import tomllib
import unicodedata
import warnings
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from debian_packages import Package
from demo_pictures import LARGEST_PIXELS
from emoji_font import read_emoji
from numpy.typing import NDArray
from PIL import Image

SIDE_PX = 272
"""Pictures are kept a little larger than any network sees them, so that they can be turned and cut."""
DEMO_SET = Path(__file__).resolve().parents[1] / "demo_set.toml"
SHARED_MAX = 8
"""A title that more pictures have is that of a collection; the file's name says more."""
CAPTION_WORDS = 7
"""Longer titles and descriptions are sentences about the drawing, hardly ever its name."""

_DC, _RDF = "{http://purl.org/dc/elements/1.1/}", "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_META = re.compile(rb"<metadata.*?</metadata>", re.DOTALL)
_EMPTY = {
    *("art", "black and white", "cc0", "clip art", "clipart", "color", "colour", "contour", "drawing", "hash", "icon"),
    *("externalsource", "image", "inkscape", "line art", "lineart", "no title", "open clip art", "outline", "picture"),
    *(
        "public domain",
        "remix",
        "svg",
        "template",
        "title",
        "to be sorted",
        "unchecked",
        "unsorted",
        "untitled",
        "vector",
    ),
    *("wikimedia commons", "wikipedia", "xara"),
}
"""What keywords say of the file instead of the picture."""
_FOLDERS = {"unsorted", "special", "shapes", "other", "misc", "contrib"}


@dataclass(frozen=True)
class Pair:
    """names: the title, or what Unicode calls it. keywords: more general words. content: the file's bytes."""

    path: str
    names: tuple[str, ...]
    keywords: tuple[str, ...]
    content: bytes

    @property
    def captions(self) -> tuple[str, ...]:
        return self.names + self.keywords


def read_pairs(packages: dict[str, Package]) -> list[Pair]:
    """Each picture once, those that have at least one caption. Raises OSError."""
    found: dict[bytes, Pair] = {}
    demo = {path for group in tomllib.loads(DEMO_SET.read_text("utf-8")).values() for path in group.values()}
    png, svg = (packages[f"openclipart-{kind}"].share / "openclipart" / kind for kind in ("png", "svg"))
    left_out = {hashlib.sha256((png / path).read_bytes()).digest() for path in demo}
    for pair in (*_openclipart(png, svg), *_emoji(packages)):
        digest = hashlib.sha256(pair.content).digest()
        if pair.captions and digest not in left_out and _usable(pair.content):
            found.setdefault(digest, pair)
    return list(found.values())


def _openclipart(png: Path, svg: Path) -> Iterator[Pair]:
    paths = sorted(png.rglob("*.png"))
    described = {path: _described(svg / path.relative_to(png).with_suffix(".svg")) for path in paths}
    shared = Counter(title for title, _ in described.values())
    for path in paths:
        inside = path.relative_to(png)
        title, keywords = described[path]
        keywords += tuple(cleaned(part) for part in inside.parent.parts[-1:] if part not in _FOLDERS)
        name = title if title and shared[title] <= SHARED_MAX else cleaned(path.stem.replace("_", " "))
        names = (name,) if name else ()
        keywords = tuple(dict.fromkeys(word for word in keywords if word and word not in names))
        yield Pair(f"openclipart/{inside.as_posix()}", names, keywords, path.read_bytes())


def _described(svg: Path) -> tuple[str, tuple[str, ...]]:
    """Title, and keywords with a short description, as the metadata of a drawing give them."""
    try:
        block = _META.search(svg.read_bytes())
        root = ET.fromstring(_with_prefixes(block[0])) if block else None
    except (OSError, ET.ParseError):
        return "", ()
    work = None if root is None else next((node for node in root.iter() if node.tag.endswith("}Work")), None)
    if work is None:
        return "", ()
    title = cleaned(work.findtext(f"{_DC}title") or "")
    words = [cleaned(item.text or "") for item in work.iterfind(f"{_DC}subject/{_RDF}Bag/{_RDF}li")]
    return title, (*words, cleaned(work.findtext(f"{_DC}description") or ""))


def _with_prefixes(metadata: bytes) -> bytes:
    """The metadata alone, with the prefixes that the file's root element would declare."""
    known = {
        b"rdf": b"http://www.w3.org/1999/02/22-rdf-syntax-ns#", b"dc": b"http://purl.org/dc/elements/1.1/",
        b"cc": b"http://web.resource.org/cc/", b"svg": b"http://www.w3.org/2000/svg",
        b"xlink": b"http://www.w3.org/1999/xlink", b"dcterms": b"http://purl.org/dc/terms/",
    }  # fmt: skip
    declared = b" ".join(b'xmlns:%s="%s"' % item for item in known.items())
    return b"<r " + declared + b">" + metadata + b"</r>"


def cleaned(text: str) -> str:
    """A caption as one would type it; empty where nothing is left of it."""
    text = re.sub(r"([a-z])([A-Z])", r"\1 \2", text)
    text = re.sub(r"\b(by|from) .*$|\(.*?\)|https?:\S+", " ", text, flags=re.IGNORECASE)
    text = re.sub(r"[^\w' ]+|_", " ", unicodedata.normalize("NFKC", text))
    text = re.sub(r"\b\w*\d\w*\b" if not text.isdigit() else r"$^", " ", text)
    text = re.sub(r"\s+", " ", text).strip().lower()
    return "" if text in _EMPTY or len(text) < 3 or text.count(" ") >= CAPTION_WORDS else text


def _emoji(packages: dict[str, Package]) -> Iterator[Pair]:
    font = packages["fonts-noto-color-emoji"].share / "fonts/truetype/noto/NotoColorEmoji.ttf"
    spoken, keywords = _annotations(packages["unicode-cldr-core"].share / "unicode/cldr/common")
    for name, png in read_emoji(font):
        if "skin-" in name or " skin" in name:
            continue
        named = spoken.get(name, "")
        names = tuple(dict.fromkeys(each for each in (cleaned(name), cleaned(named)) if each))
        words = tuple(cleaned(word) for word in keywords.get(named, ()))
        yield Pair(f"emoji/{name}", names, tuple(dict.fromkeys(w for w in words if w and w not in names)), png)


def _annotations(common: Path) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Unicode's name in lower case -> the name people use; that name -> its keywords."""
    spoken: dict[str, str] = {}
    keywords: dict[str, list[str]] = {}
    for annotation in ET.parse(common / "annotations/en.xml").iter("annotation"):
        character, text = annotation.get("cp", ""), (annotation.text or "").strip().lower()
        if annotation.get("type") == "tts":
            name = " ".join(unicodedata.name(point, "").lower() for point in character if point != "\ufe0f").strip()
            spoken[name] = text
        else:
            keywords[character] = [word.strip() for word in text.split("|")]
    names = {annotation.get("cp", ""): (annotation.text or "").strip().lower()
             for annotation in ET.parse(common / "annotations/en.xml").iter("annotation")
             if annotation.get("type") == "tts"}  # fmt: skip
    return spoken, {names[character]: words for character, words in keywords.items() if character in names}


def _usable(content: bytes) -> bool:
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(io.BytesIO(content)) as image:
            return 0 < image.width * image.height <= LARGEST_PIXELS
    except (OSError, Image.DecompressionBombError):
        return False


def draw(contents: Sequence[bytes], file: Path, processes: int) -> NDArray[np.uint8]:
    """(n, SIDE_PX, SIDE_PX, 4) RGBA, fitted into the square, what lies outside clear. Kept in `file`."""
    if not file.exists():
        part = file.with_suffix(".part.npy")
        kept = np.lib.format.open_memmap(part, "w+", np.uint8, (len(contents), SIDE_PX, SIDE_PX, 4))
        with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
            for row, drawn in enumerate(pool.map(partial(fitted, side_px=SIDE_PX), contents, chunksize=32)):
                kept[row] = drawn
        kept.flush()
        part.rename(file)
    return np.load(file, mmap_mode="r")


def fitted(content: bytes, side_px: int) -> NDArray[np.uint8]:
    """(side_px, side_px, 4) RGBA of one picture, its first frame. Colours are weighted by opacity as they shrink."""
    opened = Image.open(io.BytesIO(content))
    opened.seek(0)
    image = opened.convert("RGBA").convert("RGBa")
    scale = side_px / max(image.size)
    width, height = (max(round(side * scale), 1) for side in image.size)
    square = Image.new("RGBa", (side_px, side_px))
    square.paste(
        image.resize((width, height), Image.Resampling.BICUBIC), ((side_px - width) // 2, (side_px - height) // 2)
    )
    return np.asarray(square.convert("RGBA"))
