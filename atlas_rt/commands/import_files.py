"""The files that an import names, as shards of the library's model: fetched, checked, or made of other tables."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from atlas_rt.commands.output import ProgressLine, say
from atlas_rt.core.reports import Progress
from atlas_rt.core.s3_address import S3Address, parse_address
from atlas_rt.distributed.foreign_rows import rows_of
from atlas_rt.distributed.image_worker import ImageWorker
from atlas_rt.encoders import registry
from atlas_rt.encoders.registry import VECTORS, Model
from atlas_rt.errors import UsageError
from atlas_rt.library.tables.foreign_table import ForeignTable, read_table
from atlas_rt.library.tables.remembered_shards import other_model
from atlas_rt.library.tables.rows import Row
from atlas_rt.library.tables.shard import SUFFIX, Maker, Position, write_shard
from atlas_rt.library.tables.shard_file import ShardFile, is_shard
from atlas_rt.library.tables.table_files import Refusal, contents_of, refusal_of
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


def fetched(
    settings: Settings, addresses: Sequence[str], folder: Path, *, may_be_empty: bool = False
) -> dict[Path, str]:
    """The shards below addresses in S3, in files, with their own addresses.

    Raises S3Error, and UsageError where there is none below one of them, unless that may be.
    """
    found: dict[Path, str] = {}
    if not addresses:
        return found
    if settings.offline:
        raise UsageError(f"--offline forbids to ask S3: {addresses[0]}")
    from atlas_rt.aws.s3_objects import S3Objects

    objects, line = S3Objects(settings.s3), ProgressLine(settings)
    try:
        for address in addresses:
            bucket, before = parse_address(address).bucket, len(found)
            for page in objects.pages(address):
                for each in page:
                    if each.key.lower().endswith(SUFFIX):
                        path = folder / f"fetched-{len(found):06}{SUFFIX}"
                        found[path] = str(S3Address(bucket, each.key))
                        line.show(Progress("fetch", len(found), 0, 0.0, None))
                        with path.open("wb") as file:
                            objects.fetch(found[path], each.etag, each.size, file)
            if len(found) == before and not may_be_empty:
                raise UsageError(f"There is no shard (no key that ends in {SUFFIX}) here: {address}")
    finally:
        line.clear()
        objects.stop()
    return found


def usable_shards(
    settings: Settings, files: Sequence[Path], foreign: ForeignFiles, merge: Merge, *, names: Mapping[Path, str]
) -> list[Path]:
    """The shards that can join vectors of the model, tables of other programs made shards.

    names: what to call a file, where it is not its path. Raises UsageError where none can be used; others are told of.
    """
    usable, line = list[Path](), ProgressLine(settings)
    try:
        for number, path in enumerate(files):
            line.show(Progress("import", number, len(files), 0.0, None))
            try:
                shard = _checked(path, foreign)
                contents = contents_of(shard)
            except UsageError as error:
                merge.refused.append(replace(refusal_of(path, error), path=names.get(path, str(path))))
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
        if reason := other_model(shard.maker, model_id=foreign.model.id, dim=foreign.model.dim):
            way_out = _way_out(shard.maker, foreign.cache) if shard.maker.model != foreign.model.id else ""
            raise UsageError(f"{reason}{way_out}: {path}")
    return path


def _way_out(maker: Maker, cache: Path) -> str:
    """What to do about a shard of another model, as the end of a sentence."""
    for each in registry.known(cache):
        if each.id == maker.model:
            return f"; import it with --model {each.name}"
    return f"; get that model (`atlas-rt models get {maker.model_name}`) and import it with --model {maker.model_name}"


def _names_of(model: Model) -> set[str]:
    return {model.name, model.id, model.image.file.sha256}


def _whose(table: ForeignTable) -> str:
    return f"{table.model} is not here" if table.model else "which model made these vectors is not known"


class ForeignFiles:
    """Tables of other programs, made shards. The worker is opened for the first of them."""

    def __init__(self, settings: Settings, model: Model, cache: Path, folder: Path) -> None:
        """model: of the library, unless the files settle it (`settle_model`). folder: for the shards."""
        self._tables: dict[Path, ForeignTable] = {}
        self.settings, self.model, self.cache, self.folder = settings, model, cache, folder
        self._worker: ImageWorker | None = None
        self._made = 0

    def shard_of(self, path: Path) -> Path:
        """The same as a shard. Raises UsageError for a table that cannot be used."""
        table = self._tables.pop(path, None) or read_table(path)
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

    def settle_model(self, files: Sequence[Path]) -> None:
        """Of a library of its own, where nobody named a model: take the one whose vectors the first file holds. Where
        it is not here, there are only vectors of it."""
        for path in files:
            try:
                if path.suffix.lower() == SUFFIX and is_shard(path):
                    with ShardFile(path) as shard:
                        name, dim = shard.maker.model, shard.maker.dim
                    self.model = self._known(name) or (
                        registry.register_vectors(name, dim, self.cache) if name.startswith(VECTORS) else self.model
                    )
                    return
                table = self._tables[path] = read_table(path)
            except UsageError:
                continue  # it is refused in its turn
            if table.vectors is not None:
                known = self._known(table.model)
                if known is None:
                    self.model = registry.register_vectors(table.model or path.stem, table.dim, self.cache)
                    say(self.settings, f"{_whose(table)}, so search by words is off for what is imported")
                else:
                    self.model = known
            return

    def _known(self, name: str) -> Model | None:
        """The model of a name, id or hash, where it is here."""
        return next((each for each in registry.known(self.cache) if name and name in _names_of(each)), None)

    def _mismatch(self, table: ForeignTable) -> str:
        """Why a table's vectors are not those of the model; empty where they can be."""
        if table.vectors is None:
            return "" if not self.model.vectors_only else "this table has no vectors, as the others have"
        names = {table.model, registry.vectors_title(table.model, table.dim)} if table.model else _names_of(self.model)
        if not names & _names_of(self.model):
            return f"the vectors in this table are of the model {table.model}, and the library is of {self.model.name}"
        if table.dim != self.model.dim:
            return (
                f"the vectors in this table have {table.dim} dimensions, those of the model {self.model.name} have "
                f"{self.model.dim}; name the model that made them with --model NAME"
            )
        if not table.model and not self.model.vectors_only and self.settings.model == registry.AUTO:
            return f"this table does not say which model made its vectors; name it, such as --model {self.model.name}"
        return ""
