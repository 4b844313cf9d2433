"""What can be said on the command line: every command, its words and options, and two examples of it.

An option is declared once, here; one that sets a setting is declared in `settings.py` and named here. The help, the
parser and the list of options that take a value are all made from these declarations. This module imports nothing slow,
so the help comes at once.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from atlas_rt.settings import DEFAULTS, MEANINGS, option_of
from atlas_rt.values import NODES, count, nodes, point, port, size

EVERYWHERE = (
    "model",
    "cache",
    "data",
    "offline",
    "json",
    "quiet",
    "seed",
    "granularity",
    "require_gpu",
    "exclude",
    "hidden",
    "ocr",
    "language",
)
"""Settings that are options of every command."""
S3 = ("endpoint_url", "profile", "region", "no_sign_request", "request_payer", "originals_gb")
"""Those that say how buckets are reached; of every command too."""
WINDOW = (
    "fullscreen",
    "kiosk",
    "screen",
    "webcam",
    "quality",
    "renderer",
    "reduced_motion",
    "flying_speed",
    "field_of_view",
    "invert_look",
    "ui_scale",
    "fps",
)
"""Settings that are options of the window."""
MEASUREMENTS = ("frame", "start", "ingest", "search", "locate", "map", "scale", "sight", "wall", "rest")
"""What `bench` can measure."""


@dataclass(frozen=True, slots=True)
class Command:
    """One command. It is carried out by the module of its name in `commands`."""

    does: str
    declare: Callable[[argparse.ArgumentParser], None]
    """Adds its words and options, besides those of every command."""
    examples: tuple[str, str]
    """What stands behind `atlas-rt`. A test runs them where ~/Pictures is indexed and photo.jpg lies in the folder."""
    terms: bool = False
    """Whether unknown words with one minus sign are text, not misspelt options."""
    module: str = ""
    """Of `commands`, where its name is a word of Python."""
    reports_gpu: bool = False
    """Whether it reports a missing GPU itself, instead of refusing to run under --require-gpu."""


# -- each command ------------------------------------------------------------------------------------------------------


def _view(parser: argparse.ArgumentParser) -> None:
    add_source(parser)
    for name in WINDOW:
        add_setting(parser, name)
    _add_narrator(parser)
    parser.add_argument("-o", "--output", metavar="FILE.png", help="where to save the picture if there is no display")


def _index(parser: argparse.ArgumentParser) -> None:
    add_source(parser)
    parser.add_argument(
        "--engine",
        default="local",
        metavar="local|ray",
        help="who decodes and encodes: this machine, or a Ray cluster, whose shards are then taken in (default: local)",
    )
    parser.add_argument(
        "--address",
        default="",
        metavar="ADDRESS",
        help="ray: of a cluster that runs, such as ray://head:10001 (default: one on this machine that ends with this)",
    )
    parser.add_argument(
        "--shards", default="", metavar="DIR", help="ray: keep the shards here or at s3://bucket/prefix too, for others"
    )


def _search(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "words",
        nargs="*",
        metavar="SOURCE ... TEXT",
        help="the library, then words, read as text and as meaning; +term -term word:2 combine several; fields narrow: "
        "name: folder: keyword: label: camera: lens: date:2023..2024-06 'rating:>=4' type:png 'size:>12mp' "
        "cluster:birds, each with - before it for images without; 'camera:\"EOS 5D\"' for values with spaces",
    )
    _add_demo(parser)
    parser.add_argument("--image", metavar="FILE", help="search for images that look like this one")
    parser.add_argument("--queries", metavar="FILE", help="search for each line of a file (- for standard input)")
    parser.add_argument(
        "--as-typed", action="store_true", help="search for what was typed alone, not for what it means in English too"
    )
    _add_top(parser, 20, "how many images to list")
    _add_no_update(parser)


def _info(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "words", nargs="*", metavar="SOURCE ... IMAGE", help="the library, then one of its images, by path or by id"
    )
    _add_demo(parser)
    _add_no_update(parser)


def _neighbors(parser: argparse.ArgumentParser) -> None:
    _info(parser)
    _add_top(parser, 20, "how many images to list")


def _locate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("words", nargs="*", metavar="SOURCE FILE", help="the library, then the images to place")
    _add_demo(parser)
    _add_top(parser, 5, "how many neighbors to list for each image")
    _add_no_update(parser)


def _map(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "words", nargs="*", metavar="SOURCE list|refit|undo", help="the library, then what to do (default: list)"
    )
    _add_demo(parser)


def _source_to_read(parser: argparse.ArgumentParser) -> None:
    add_source(parser)
    _add_no_update(parser)


def _clusters(parser: argparse.ArgumentParser) -> None:
    _source_to_read(parser)
    parser.add_argument(
        "--rename",
        nargs=2,
        metavar=("ID", "NAME"),
        help="give a cluster a name that stays; an empty name gives it the program's own back",
    )
    parser.add_argument(
        "--explain",
        action="store_true",
        help="let Claude name and explain the clusters; shows what is sent and what it costs, and asks",
    )
    parser.add_argument("--sheets", metavar="DIR", help="explain: write the contact sheets that would be sent here")
    parser.add_argument("--yes", action="store_true", help="explain: send them without asking")
    _add_narrator(parser)


PANELS = ("clusters", "filters", "timeline")
"""That a shot can show open."""


def _shot(parser: argparse.ArgumentParser) -> None:
    add_source(parser)
    parser.add_argument("-o", "--output", required=True, metavar="FILE.png", help="the picture to write")
    parser.add_argument("--size", default="1280x720", type=size, metavar="WxH", help="in pixels (default: 1280x720)")
    parser.add_argument("--search", default="", metavar="TEXT", help="light the images that match this phrase")
    parser.add_argument(
        "--filter", default="", metavar="TEXT", help="dim what these fields leave out, such as camera:contax date:2023"
    )
    parser.add_argument("--select", default="", metavar="IMAGE", help="open the panel of this image")
    parser.add_argument(
        "--visit", default="", metavar="IMAGE", help="open the panel of this image and fly there: what that ends with"
    )
    parser.add_argument("--wall", action="store_true", help="every image side by side, on the flat wall")
    parser.add_argument(
        "--panel", default="", choices=PANELS, metavar="NAME", help=f"open a panel: {', '.join(PANELS)}"
    )
    parser.add_argument("--eye", type=point, metavar="X,Y,Z", help="where the camera stands, in world units")
    parser.add_argument("--look", type=point, metavar="X,Y,Z", help="the point it looks at (default: the middle)")
    parser.add_argument("--no-hud", action="store_true", help="draw the map alone, without panels")
    add_setting(parser, "quality", says="picture quality: low, normal or high (default: high)")
    add_setting(parser, "renderer")
    _add_no_update(parser)


def _export(parser: argparse.ArgumentParser) -> None:
    add_source(parser)
    parser.add_argument(
        "-o",
        "--output",
        required=True,
        metavar="FILE",
        help="the file to write; its name ends in .npz, .csv or .parquet (a shard, which import takes in). "
        "With --format json: the folder to write into",
    )
    parser.add_argument(
        "--format",
        default="",
        metavar="json",
        help="write coords.json, graph.json, clusters.json and meta.json into a folder",
    )
    _add_no_update(parser)


def _push(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "words",
        nargs="*",
        metavar="DIR s3://BUCKET/FOLDER",
        help="a folder, of which images and XMP files next to them are sent; and where they go",
    )
    parser.add_argument("--dry-run", action="store_true", help="compare and tell what would be sent, but send nothing")
    parser.add_argument(
        "--replace", action="store_true", help="send a file in place of an object of its name that holds something else"
    )
    parser.add_argument("--allow-public", action="store_true", help="send to a bucket that anybody can read")


def _import(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "sources",
        nargs="+",
        metavar="FROM",
        help="shards (.parquet), folders of shards, or s3://bucket/prefix; Parquet files of other programs; vectors as "
        ".npy with their paths in a .txt file of the same name; CSV with path, x, y, z",
    )
    parser.add_argument(
        "--into",
        action="append",
        default=[],
        metavar="SOURCE",
        help="the library to take them into, for its own images (once for each of its sources); without it what is "
        "imported is a library by itself",
    )
    parser.add_argument("--map", action="store_true", help="let images stand at the positions that are given")


def _serve(parser: argparse.ArgumentParser) -> None:
    _source_to_read(parser)
    parser.add_argument("--port", type=port, default=0, metavar="N", help="port to listen on (default: any free one)")
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        metavar="ADDRESS",
        help="address to listen on (default: 127.0.0.1, for programs on this machine only)",
    )
    _add_narrator(parser)
    _add_show_paths(parser)


def _mcp(parser: argparse.ArgumentParser) -> None:
    _source_to_read(parser)
    parser.add_argument("--allow-write", action="store_true", help="let the other program rename clusters")
    _add_show_paths(parser)


def _models(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("does", nargs="*", metavar="list|get|export|remove [NAME]", help="what to do (default: list)")
    parser.add_argument("--repo", metavar="ORG/NAME", help="get: fetch from this repository of the Hugging Face hub")
    parser.add_argument("--revision", metavar="COMMIT", help="get: a commit, tag or branch of the repository")
    parser.add_argument(
        "--pretrained", metavar="TAG", help="export: any OpenCLIP model; NAME and TAG are those of open_clip"
    )
    parser.add_argument("--checkpoint", metavar="FILE", help="export: weights from a file, not the published ones")
    parser.add_argument("--tokenizer", metavar="FILE", help="export: a tokenizer.json")
    parser.add_argument("--config", metavar="FILE", help="export: a model configuration of open_clip (JSON)")
    parser.add_argument("--random-weights", action="store_true", help="export: untrained weights, for tests")
    parser.add_argument("--yes", action="store_true", help="remove: without asking")


def _library(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "does", nargs="?", default="list", metavar="list|forget|clean|move", help="what to do (default: list)"
    )
    parser.add_argument(
        "source",
        nargs="*",
        metavar="SOURCE",
        help="forget, clean: the source of the library; move: the old and the new path of a source",
    )
    parser.add_argument(
        "--added",
        action="append",
        metavar="PATH",
        help="forget: only this file or folder, which was dropped on the map",
    )
    parser.add_argument("--yes", action="store_true", help="clean: forget what is away without asking")
    _add_demo(parser)


def _bench(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", nargs="?", default="", metavar="|".join(MEASUREMENTS), help="what to measure")
    add_source(parser)
    parser.add_argument(
        "--nodes",
        type=nodes,
        default=NODES,
        metavar="N",
        help=f"frame, sight: images in the scene (default: {NODES:,})",
    )
    add_setting(parser, "quality")
    add_setting(parser, "renderer")
    parser.add_argument(
        "--no-peer", action="store_true", help="frame: do not draw the same scene with three.js in Chromium meanwhile"
    )
    parser.add_argument(
        "--while-indexing", metavar="FOLDER", help="frame: index this folder meanwhile, into an empty cache"
    )
    part = parser.add_mutually_exclusive_group()
    part.add_argument("--submission", action="store_true", help="frame: what it costs besides drawing (GALLIUM_NOOP=1)")
    part.add_argument("--arrivals", action="store_true", help="frame: while new maps are published")
    _add_no_update(parser)


# -- what several of them take -----------------------------------------------------------------------------------------


def add_setting(parser: argparse._ActionsContainer, name: str, *, says: str = "") -> None:
    """The option of a setting. It is None where it is not given, so that the environment or the file can say it.

    says: its help, where it differs from the setting's own.
    """
    meaning, default = MEANINGS[name], getattr(DEFAULTS, name)
    details: dict[str, Any] = {"default": None, "help": says or meaning.says}
    if isinstance(default, bool):
        details |= {"action": "store_false" if default else "store_true", "dest": name}
    else:
        details |= {"metavar": meaning.metavar, "action": "append" if isinstance(default, tuple) else "store"}
    if meaning.alone:
        details |= {"nargs": "?", "const": meaning.alone}
    parser.add_argument(option_of(name), **details)


def add_source(parser: argparse.ArgumentParser) -> None:
    """The words that name a library."""
    parser.add_argument(
        "source", nargs="*", metavar="SOURCE", help="folders of images, image files, or s3://bucket/prefix"
    )
    _add_demo(parser)


def _add_demo(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--demo", action="store_true", help="use the pictures that come with the program as the source")


def _add_top(parser: argparse.ArgumentParser, default: int, says: str) -> None:
    parser.add_argument("--top", type=count, default=default, metavar="N", help=f"{says} (default: {default})")


def _add_show_paths(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--show-paths", action="store_true", help="tell other programs where the images lie")


def _add_narrator(parser: argparse.ArgumentParser) -> None:
    for name in (
        "narrator",
        "narrator_model",
        "narrator_region",
        "narrator_file_names",
        "budget_library",
        "budget_month",
    ):
        add_setting(parser, name)


def _add_no_update(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--no-update", action="store_true", help="use the library as it is, without looking for changes"
    )


# -- the table ---------------------------------------------------------------------------------------------------------


COMMANDS = {
    "view": Command(
        "open a window on the map of your images (the default)",
        _view,
        ("~/Pictures", "~/Pictures --quality low --reduced-motion"),
    ),
    "index": Command(
        "bring a library up to date without a window",
        _index,
        ("index ~/Pictures", "index ~/Pictures --exclude '*.gif' --json"),
    ),
    "search": Command(
        "find images by name, keyword, camera, date or meaning, by an image, or by both",
        _search,
        ("search ~/Pictures 'a red apple'", "search ~/Pictures +fruit -apple type:webp --top 5 --no-update"),
        terms=True,
    ),
    "info": Command(
        "show what is known of one image: date, camera, keywords, labels",
        _info,
        ("info ~/Pictures ~/Pictures/acoustic-guitar.webp", "info ~/Pictures 7 --no-update --json"),
    ),
    "neighbors": Command(
        "list the images nearest to one image of the library",
        _neighbors,
        ("neighbors ~/Pictures ~/Pictures/acoustic-guitar.webp", "neighbors ~/Pictures 7 --top 5 --no-update"),
    ),
    "locate": Command(
        "show where other images would stand on the map, without adding them",
        _locate,
        ("locate ~/Pictures photo.jpg", "locate ~/Pictures photo.jpg --no-update --json"),
    ),
    "map": Command(
        "list the maps of a library, fit a new one, or go back to the one before",
        _map,
        ("map ~/Pictures list", "map ~/Pictures refit"),
    ),
    "clusters": Command(
        "list the clusters of the map, their names and typical images",
        _clusters,
        ("clusters ~/Pictures", "clusters ~/Pictures --no-update --json"),
    ),
    "shot": Command(
        "save one picture of the map, without a window",
        _shot,
        ("shot ~/Pictures -o map.png", "shot ~/Pictures --search 'a dog' --size 640x360 --no-update -o dogs.png"),
    ),
    "export": Command(
        "save ids, paths, vectors, positions and clusters as .npz or .csv, or everything as a shard (.parquet)",
        _export,
        ("export ~/Pictures -o images.npz", "export ~/Pictures --no-update -o images.parquet"),
    ),
    "push": Command(
        "send images to a bucket, of which nothing is ever deleted (extra `aws`)",
        _push,
        ("push ~/Pictures s3://my-photos/2026 --dry-run", "push ~/Pictures s3://my-photos/2026"),
    ),
    "import": Command(
        "take in what was embedded elsewhere: shards, tables and vectors of other programs",
        _import,
        ("import images.parquet --map", "import images.parquet --into ~/Pictures --json"),
        module="importing",
    ),
    "models": Command(
        "list the known encoders, fetch one, export one, or remove one",
        _models,
        ("models list", "models list --json"),
    ),
    "library": Command(
        "list the libraries in the cache, or delete one (never an image)",
        _library,
        ("library list", "library forget ~/Pictures"),
    ),
    "serve": Command(
        "answer other programs over HTTP, on this machine (extra `serve`)",
        _serve,
        ("serve ~/Pictures", "serve ~/Pictures --port 8765 --no-update"),
    ),
    "mcp": Command(
        "answer an assistant over the Model Context Protocol, on standard input and output (extra `mcp`)",
        _mcp,
        ("mcp ~/Pictures", "mcp ~/Pictures --allow-write --no-update"),
    ),
    "doctor": Command(
        "check what works on this machine, with advice for what does not",
        add_source,
        ("doctor", "doctor ~/Pictures --json"),
        reports_gpu=True,
    ),
    "bench": Command(
        "measure this program on this machine",
        _bench,
        ("bench search ~/Pictures", "bench search ~/Pictures --no-update --json"),
    ),
}
"""Every command by its name."""
