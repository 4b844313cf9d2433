"""Makes models/demo: the small images behind --demo, with their credits, from Debian's openclipart.

The list of files is `demo_set.toml`. Each picture is cut to what is drawn, scaled to at most 320 pixels and written as
PNG or WebP, whichever is smaller; its title becomes its name. Called by `scripts/make-demo`; the result is committed.
"""

from __future__ import annotations

import argparse
import io
import re
import shutil
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from debian_packages import Package, PackageError, default_folder, fetch
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
SIDE_PX = 320
WEBP_QUALITY = 88
LARGEST_TOTAL_BYTES = 5_000_000
ADDRESS = re.compile(r"\(?\S+@\S+\)?")
PUBLIC_DOMAIN = re.compile(r"public\s?domain", re.IGNORECASE)

CREDITS = """# The demo images

{count} drawings from Debian's package `openclipart-png` {version} (the Open Clip Art Library, <https://openclipart.org>),
each put in the public domain by its author: the Creative Commons Public Domain Dedication, as the package's file
`copyright` and each drawing's own metadata say. Chosen, cut to what is drawn, scaled to at most {side_px} pixels and
named by `scripts/make-demo`. Title and author are the metadata's.

| file | title | author | in the package |
| --- | --- | --- | --- |
"""


class DemoError(Exception):
    """The list and the package do not go together."""


@dataclass(frozen=True)
class Credit:
    """What a drawing says of itself; empty where it says nothing."""

    title: str
    author: str


def read_list(path: Path) -> dict[str, str]:
    """Title -> path below openclipart/png, over all groups."""
    groups: Mapping[str, Mapping[str, str]] = tomllib.loads(path.read_text("utf-8"))
    titles = [title for group in groups.values() for title in group]
    if twice := {title for title in titles if titles.count(title) > 1}:
        raise DemoError(f"titles that stand twice in {path.name}: {', '.join(sorted(twice))}")
    return {title: inside for group in groups.values() for title, inside in group.items()}


def read_credit(svg: Path) -> Credit:
    """Title and author from a drawing's metadata. Raises DemoError unless it says that it is in the public domain."""
    text = svg.read_text("utf-8", errors="replace")
    block = re.search(r"<(?:\w+:)?RDF.*?</(?:\w+:)?RDF>", text, re.DOTALL)
    if block is None or not PUBLIC_DOMAIN.search(block[0]):
        raise DemoError(f"says nothing of the public domain: {svg}")
    return Credit(_element(block[0], "title"), _element(block[0], "creator") or _element(block[0], "rights"))


def _element(rdf: str, name: str) -> str:
    """The text of the first dc:`name`. By pattern: some prefixes are declared outside the block, and some nowhere."""
    found = re.search(rf"<dc:{name}[^>]*>(.*?)</dc:{name}>", rdf, re.DOTALL)
    words = re.sub(r"<[^>]*>", " ", found[1]) if found else ""
    return " ".join(ADDRESS.sub("", words).replace("|", "/").split())


def picture(png: Path) -> tuple[str, bytes]:
    """(ending, bytes) of one drawing, cut to what is drawn, at most SIDE_PX on its longer side."""
    with Image.open(png) as opened:
        image = opened.convert("RGBA")
    box = image.getchannel("A").getbbox()
    if box is None:
        raise DemoError(f"nothing is drawn: {png}")
    image = image.crop(box)
    image.thumbnail((SIDE_PX, SIDE_PX), Image.Resampling.LANCZOS)
    if image.getchannel("A").getextrema()[0] == 255:
        image = image.convert("RGB")
    candidates = {"png": io.BytesIO(), "webp": io.BytesIO()}
    image.save(candidates["png"], "PNG", optimize=True)
    image.save(candidates["webp"], "WEBP", quality=WEBP_QUALITY, alpha_quality=95, method=6)
    ending = min(candidates, key=lambda name: candidates[name].tell())
    return ending, candidates[ending].getvalue()


def make(titles: Mapping[str, str], drawings: Package, pictures: Package, folder: Path) -> str:
    """Write every picture into `folder`. Returns the text of its credits."""
    rows = []
    for title, inside in sorted(titles.items()):
        credit = read_credit((drawings.share / "openclipart/svg" / inside).with_suffix(".svg"))
        ending, content = picture(pictures.share / "openclipart/png" / inside)
        name = f"{title.replace(' ', '-')}.{ending}"
        (folder / name).write_bytes(content)
        rows.append(f"| {name} | {credit.title} | {credit.author} | {inside} |")
    head = CREDITS.format(count=len(rows), version=pictures.version, side_px=SIDE_PX)
    return head + "\n".join(rows) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(prog="make-demo", description=(__doc__ or "").split("\n\n", maxsplit=1)[0])
    parser.add_argument(
        "--packages", type=Path, default=default_folder(), metavar="DIR", help="where packages are kept"
    )
    packages: Path = parser.parse_args().packages
    folder, beside = ROOT / "models/demo", ROOT / "models/demo.part"
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir()
    try:
        fetched = fetch(["openclipart-svg", "openclipart-png"], packages)
        text = make(
            read_list(ROOT / "scripts/demo_set.toml"), fetched["openclipart-svg"], fetched["openclipart-png"], beside
        )
        total = sum(path.stat().st_size for path in beside.iterdir())
        if total > LARGEST_TOTAL_BYTES:
            raise DemoError(f"{total:,} bytes are more than the {LARGEST_TOTAL_BYTES:,} that may be shipped")
    except (PackageError, DemoError, FileNotFoundError) as error:
        shutil.rmtree(beside)
        print(f"make-demo: {error}", file=sys.stderr)
        raise SystemExit(3) from None
    (beside / "CREDITS.md").write_text(text, "utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    beside.rename(folder)
    print(f"{len(list(folder.iterdir())) - 1} images, {total:,} bytes in {folder}")


if __name__ == "__main__":
    main()
