"""`atlas-rt import`: takes in what was embedded elsewhere, without reading, decoding or encoding it again."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from atlas_rt.commands.collection import (
    BusyError,
    open_place,
    refuse_empty,
    sources_of,
    tell_failures,
    update,
)
from atlas_rt.commands.output import ProgressLine, print_json, say, tell
from atlas_rt.core.images import LibraryPlace
from atlas_rt.core.reports import IndexReport, Progress
from atlas_rt.distributed.foreign_rows import rows_of
from atlas_rt.distributed.image_worker import ImageWorker
from atlas_rt.encoders import registry
from atlas_rt.encoders.registry import Model
from atlas_rt.engine.messages import PlaceAsGiven
from atlas_rt.errors import UsageError
from atlas_rt.library.cache_layout import cache_folder
from atlas_rt.library.sources import absolute
from atlas_rt.library.store import StoreReader
from atlas_rt.library.tables.foreign_table import ForeignTable, read_table
from atlas_rt.library.tables.remembered_shards import ShardShelf, note_listed_model, other_model
from atlas_rt.library.tables.rows import Row
from atlas_rt.library.tables.shard import SUFFIX, Maker, Position, write_shard
from atlas_rt.library.tables.shard_file import ShardFile, is_shard
from atlas_rt.library.tables.table_files import Refusal, contents_of, files_of, refusal_of
from atlas_rt.settings import Settings


@dataclass(slots=True)
class Merge:
    """What an import takes in. hashes: contents of the images. failures, unusable: rows. already: shards that the
    library remembered before."""

    hashes: set[bytes] = field(default_factory=set)
    failures: int = 0
    unusable: int = 0
    shards: int = 0
    already: int = 0
    refused: list[Refusal] = field(default_factory=list)


def run(settings: Settings, arguments: argparse.Namespace) -> int:
    cache = cache_folder(settings.cache_path)
    model = registry.load(settings.model, cache)
    files = files_of(arguments.sources)
    listed = not arguments.into
    if listed:
        sources = tuple(sorted({str(absolute(word)) for word in arguments.sources}))
    else:
        sources = sources_of(settings, arguments.into, demo=False)
    merge = Merge()
    with TemporaryDirectory(prefix="atlas-import-") as folder:
        foreign = ForeignFiles(settings, model, cache, Path(folder))
        usable = _usable(settings, files, foreign, merge)
        place = open_place(settings, sources, cache)
        before = _contents_of(place, model)
        shelf = ShardShelf(place.folder, listed=listed)
        for path in usable:
            merge.already += not shelf.put(path)
            merge.shards += 1
    if listed:
        note_listed_model(place.folder, model.name)
    report = _updated(settings, place, cache, with_map=arguments.map)
    _tell(settings, merge, report, place, model, before)
    if report is not None:
        refuse_empty(sources, report)
    return 0


class ForeignFiles:
    """Tables of other programs, made shards. The worker is opened for the first of them."""

    def __init__(self, settings: Settings, model: Model, cache: Path, folder: Path) -> None:
        """folder: for the shards."""
        self.settings, self.model, self.cache, self.folder = settings, model, cache, folder
        self._worker: ImageWorker | None = None
        self._made = 0

    def shard_of(self, path: Path) -> Path:
        """The same as a shard. Raises UsageError for a table that cannot be used."""
        table = read_table(path)
        if reason := self._mismatch(table):
            raise UsageError(f"{reason}: {path}")
        if self._worker is None:
            runtime = self.settings.runtime(self.cache)
            self._worker = ImageWorker.open(self.model, cache=self.cache, labels=False, runtime=runtime)
        threads = self.settings.threads or os.cpu_count() or 1
        places: dict[str, Position | None] = {}
        target = self.folder / f"{self._made:06}{SUFFIX}"

        def rows() -> Iterator[Row]:
            assert self._worker is not None
            for row, place in rows_of(table, self._worker, threads=threads):
                places[row.item.uri] = place
                yield row

        write_shard(target, rows(), self._worker.maker, place_of=lambda row: places[row.item.uri])
        self._made += 1
        return target

    def _mismatch(self, table: ForeignTable) -> str:
        """Why a table's vectors are not those of the model; empty where they can be."""
        if table.vectors is None:
            return ""
        ours = {self.model.name, self.model.id, self.model.image.file.sha256}
        if table.model and table.model not in ours:
            return f"the vectors in this table are of the model {table.model}, and the library is of {self.model.name}"
        if table.dim != self.model.dim:
            return (
                f"the vectors in this table have {table.dim} dimensions, those of the model {self.model.name} have "
                f"{self.model.dim}; name the model that made them with --model NAME"
            )
        if not table.model and self.settings.model == registry.AUTO:
            return f"this table does not say which model made its vectors; name it, such as --model {self.model.name}"
        return ""


def _usable(settings: Settings, files: Sequence[Path], foreign: ForeignFiles, merge: Merge) -> list[Path]:
    """The shards that can join vectors of the model, tables of other programs made shards. Raises UsageError where none
    can; others are told of."""
    usable, line = [], ProgressLine(settings)
    try:
        for number, path in enumerate(files):
            line.show(Progress("import", number, len(files), 0.0, None))
            try:
                shard = _checked(path, foreign)
                contents = contents_of(shard)
            except UsageError as error:
                merge.refused.append(refusal_of(path, error))
                continue
            merge.hashes |= contents.hashes
            merge.failures += contents.failures
            merge.unusable += contents.unusable
            usable.append(shard)
    finally:
        line.clear()
    if not usable:
        first = merge.refused[0]
        raise UsageError(f"{first.reason}: {first.path}")
    for each in merge.refused:
        say(settings, f"not imported: {each.path}: {each.reason}")
    return usable


def _checked(path: Path, foreign: ForeignFiles) -> Path:
    """A shard of the library's model: the file itself, or what it was made into. Raises UsageError."""
    if path.suffix.lower() != SUFFIX or not is_shard(path):
        return foreign.shard_of(path)
    with ShardFile(path) as shard:
        if reason := other_model(shard.maker, model_id=foreign.model.id):
            raise UsageError(f"{reason}{_way_out(shard.maker, foreign.cache)}: {path}")
    return path


def _way_out(maker: Maker, cache: Path) -> str:
    """What to do about a shard of another model, as the end of a sentence."""
    for each in registry.known(cache):
        if each.id == maker.model:
            return f"; import it with --model {each.name}"
    return f"; get that model (`atlas-rt models get {maker.model_name}`) and import it with --model {maker.model_name}"


def _contents_of(place: LibraryPlace, model: Model) -> frozenset[bytes]:
    """What the library knows already."""
    if not (place.folder / "library.db").exists():
        return frozenset()
    with StoreReader.open_older(place.folder) as store:
        return store.hashes(model.id)


def _updated(settings: Settings, place: LibraryPlace, cache: Path, *, with_map: bool) -> IndexReport | None:
    """What bringing the library up to date came to; None where the process that has it open does that."""
    try:
        return update(settings, place, cache, request=PlaceAsGiven() if with_map else None)
    except BusyError as busy:
        if with_map:
            raise
        say(settings, f"handed over: {str(busy).partition(';')[0]}; it takes this in, or the next one does")
        return None


def _tell(
    settings: Settings,
    merge: Merge,
    report: IndexReport | None,
    place: LibraryPlace,
    model: Model,
    before: frozenset[bytes],
) -> None:
    now = _contents_of(place, model)
    imported, known = len((merge.hashes & now) - before), len(merge.hashes & before)
    waiting = len(merge.hashes - now - before)
    if report is not None:
        tell_failures(settings, report.failed)
    if merge.unusable:
        say(settings, f"{merge.unusable:,} rows hold no proper vector or tile, and are left out")
    if settings.json:
        document = {
            "imported": imported,
            "known": known,
            "waiting": waiting,
            "failed": merge.failures,
            "unusable": merge.unusable,
            "shards": merge.shards,
            "shards_known": merge.already,
            "refused": [asdict(each) for each in merge.refused],
            "sources": list(place.sources),
            "handed_over": report is None,
            "report": asdict(report) if report is not None else None,
        }
        print_json(document)
        return
    waits = f", {waiting:,} wait until their image is in the library" if waiting else ""
    tell(f"{imported:,} images imported, {known:,} known before{waits}; {merge.failures:,} failures in the shards")
    if report is not None:
        tell(f"{report.images:,} images in the library of {' '.join(place.sources)}")
