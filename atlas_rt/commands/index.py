"""`atlas-rt index`: bring a library up to date without a window."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from atlas_rt.commands.collection import (
    all_away,
    open_place,
    refuse_empty,
    sources_of,
    tell_failures,
    tell_left_out,
    tell_missing_formats,
    told_by_themselves,
    update,
)
from atlas_rt.commands.output import print_json, say, tell
from atlas_rt.commands.ray_indexing import embed_with_ray, forget_shards
from atlas_rt.core.progress import duration
from atlas_rt.core.reports import IndexReport
from atlas_rt.errors import UsageError
from atlas_rt.library.cache_layout import cache_folder
from atlas_rt.settings import Settings


def run(settings: Settings, arguments: argparse.Namespace) -> int:
    paths = sources_of(settings, arguments.source, demo=arguments.demo)
    cache = cache_folder(settings.cache_path)
    place = open_place(settings, paths, cache)
    if arguments.engine == "ray":
        embed_with_ray(settings, place, cache, address=arguments.address, shards=arguments.shards)
    elif arguments.engine != "local":
        raise UsageError(f"--engine must be local or ray, not {arguments.engine!r}")
    elif arguments.address or arguments.shards:
        raise UsageError("--address and --shards need --engine ray")
    report = update(settings, place, cache)
    if arguments.engine == "ray":
        forget_shards(settings, place, cache)
    tell_failures(settings, told_by_themselves(report, paths))
    for image in report.incomplete:
        say(settings, f"incomplete: {image.path}: {image.reason}")
    tell_missing_formats(settings, report)
    tell_left_out(settings, report)
    if settings.json:
        print_json(asdict(report))
    refuse_empty(paths, report)
    if not report.images:
        say(settings, f"nothing is shown: {all_away(report.away)}: {' '.join(paths)}")
    if not settings.json:
        _tell_report(report)
    return 0


def _tell_report(report: IndexReport) -> None:
    incomplete = f", {len(report.incomplete):,} incomplete" if report.incomplete else ""
    tell(
        f"{report.images:,} images: {report.new:,} new, {report.changed:,} changed, {report.unchanged:,} unchanged, "
        f"{report.away:,} away{incomplete}; "
        f"{len(report.failed):,} failed, {report.skipped:,} other files skipped"
    )
    if report.requests:
        asked = report.requests
        read = f"{asked['get']:,} to read {asked['bytes'] / 1e6:,.1f} MB"
        tell(f"requests to S3: {asked['list']:,} to list, {read}, {asked['other']:,} others")
    tell(f"{duration(report.seconds['total'])}, {report.images_per_second:.1f} images a second, model {report.model}")
