"""Fills a folder with real images from Debian packages, to try the program on and to measure it with.

Small pictures as they lie in the packages, or with --large photographs of 12 megapixels cut from wallpapers. The same
words give the same files. Called by `scripts/demo-images`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import NoReturn, TypeVar

import demo_photographs
import demo_pictures
from debian_packages import Package, PackageError, default_folder, fetch
from PIL import Image
from qt_resources import ResourceError

PROCESSES = 2
LICENCES = {
    "openclipart-png": "public domain",
    "fonts-noto-color-emoji": "Apache-2.0 (pictures), OFL-1.1 (font)",
    "gcompris-qt-data": "CC0, CC-BY, CC-BY-SA, GPL-3+, public domain",
    "scratch": "CC-BY-SA-3.0, MIT",
    "plasma-workspace-wallpapers": "GPL-2+",
    "lomiri-wallpapers-16.04": "CC-BY-4.0, CC-BY-SA-3.0, CC-BY-SA-4.0, CC0",
    "lomiri-wallpapers-20.04": "CC-BY-4.0, CC-BY-SA-3.0, CC-BY-SA-4.0, CC0",
    "mate-backgrounds": "GPL-2+, CC-BY-SA-4.0",
}
"""In short; each package's own file `copyright` says which picture is whose."""

Job = TypeVar("Job")


@dataclass(frozen=True)
class Written:
    """What came of one package; `copies` are not among `images`."""

    package: Package
    images: int
    copies: int
    size_bytes: int


def fill_with_pictures(folder: Path, *, count: int, packages: Path, repeat: bool, seed: int) -> list[Written]:
    """Raises PackageError, ResourceError, OSError."""
    fetched = fetch(list(demo_pictures.READERS), packages)
    print("reading the packages", file=sys.stderr)
    # Some drawings are beyond the size that Pillow warns of; `choose` leaves them out by their header.
    Image.MAX_IMAGE_PIXELS = None
    found = (picture for name, read in demo_pictures.READERS.items() for picture in read(fetched[name]))
    chosen = demo_pictures.choose(found, count=count, repeat=repeat, seed=seed)
    sizes = list(_in_processes(partial(demo_pictures.write, folder=folder, seed=seed), chosen, chunk=100))
    return [
        Written(
            package,
            images=sum(picture.package == name and not picture.copy for picture in chosen),
            copies=sum(picture.package == name and bool(picture.copy) for picture in chosen),
            size_bytes=sum(size for picture, size in zip(chosen, sizes, strict=True) if picture.package == name),
        )
        for name, package in fetched.items()
    ]


def fill_with_photographs(folder: Path, *, count: int, packages: Path, seed: int) -> list[Written]:
    """Raises PackageError, OSError."""
    fetched = fetch(list(demo_photographs.WALLPAPERS), packages)
    wallpapers = demo_photographs.share_out(fetched, count)
    sizes = list(_in_processes(partial(demo_photographs.write, folder=folder, seed=seed), wallpapers, chunk=1))
    return [
        Written(
            package,
            images=sum(wallpaper.crops for wallpaper in wallpapers if wallpaper.package == name),
            copies=0,
            size_bytes=sum(size for one, size in zip(wallpapers, sizes, strict=True) if one.package == name),
        )
        for name, package in fetched.items()
    ]


def _in_processes(do: Callable[[Job], int], jobs: Sequence[Job], *, chunk: int) -> Iterator[int]:
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        for done, result in enumerate(pool.map(do, jobs, chunksize=chunk), 1):
            if done % max(len(jobs) // 10, 1) == 0:
                print(f"{done:,} of {len(jobs):,}", file=sys.stderr)
            yield result


def table(written: Sequence[Written]) -> str:
    """What lies in the folder, by package."""
    images, copies, size = (
        sum(column) for column in zip(*((w.images, w.copies, w.size_bytes) for w in written), strict=True)
    )
    lines = [
        ("package", "version", "licence", "images", "copies", "MB"),
        *(
            (w.package.name, w.package.version, LICENCES[w.package.name], *_numbers(w.images, w.copies, w.size_bytes))
            for w in written
        ),
        ("total", "", "", *_numbers(images, copies, size)),
    ]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(map(_aligned, line, widths, range(len(line)))) for line in lines)


def _numbers(images: int, copies: int, size_bytes: int) -> tuple[str, str, str]:
    return f"{images:,}", f"{copies:,}", f"{size_bytes / 1e6:,.1f}"


def _aligned(cell: str, width: int, column: int) -> str:
    return cell.ljust(width) if column < 3 else cell.rjust(width)


def remarks(written: Sequence[Written], *, asked: int, large: bool) -> Iterator[str]:
    """What the number of files hides."""
    images, copies = sum(w.images for w in written), sum(w.copies for w in written)
    if images + copies < asked:
        yield f"{asked:,} were asked for and only {images:,} are there; --repeat fills up with changed copies"
    if copies:
        yield f"{copies:,} of the {images + copies:,} are changed copies of others"
    if large:
        yield f"all cut from {sum(map(len, demo_photographs.WALLPAPERS.values()))} wallpapers, no rectangle twice"


def arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="demo-images", description=(__doc__ or "").split("\n\n", maxsplit=1)[0])
    parser.add_argument("folder", type=Path, metavar="DIR", help="a new or empty folder")
    parser.add_argument("--count", type=int, default=2000, metavar="N", help="how many images (%(default)s)")
    parser.add_argument("--large", action="store_true", help="photographs of 12 megapixels, 4000 x 3000, quality 90")
    parser.add_argument(
        "--repeat", action="store_true", help="where there are fewer, fill up with slightly changed copies"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="another choice, other crops (%(default)s)")
    parser.add_argument(
        "--packages", type=Path, default=default_folder(), metavar="DIR", help="where packages are kept (%(default)s)"
    )
    return parser.parse_args(words)


def stop(message: str, code: int) -> NoReturn:
    print(f"demo-images: {message}", file=sys.stderr)
    raise SystemExit(code)


def main(words: Sequence[str] | None = None) -> None:
    args = arguments(words)
    folder: Path = args.folder
    if args.count < 1:
        stop("--count takes a number from 1 up", 2)
    if folder.exists() and (not folder.is_dir() or any(islice(folder.iterdir(), 1))):
        stop(f"it fills a new or an empty folder, and this is neither: {folder}", 2)
    try:
        if args.large:
            written = fill_with_photographs(folder, count=args.count, packages=args.packages, seed=args.seed)
        else:
            written = fill_with_pictures(
                folder, count=args.count, packages=args.packages, repeat=args.repeat, seed=args.seed
            )
    except (PackageError, ResourceError) as error:
        stop(str(error), 3)
    except OSError as error:
        stop(f"{error.strerror or error}: {error.filename or folder}", 3)
    except KeyboardInterrupt:
        stop(f"stopped; what was written so far is in {folder}", 130)
    print(table(written))
    for remark in remarks(written, asked=args.count, large=args.large):
        print(f"demo-images: {remark}", file=sys.stderr)


if __name__ == "__main__":
    main()
