"""Where a cluster's shards are kept for other libraries, and those of earlier runs are found: a folder or a bucket."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from atlas_rt.commands.import_files import fetched
from atlas_rt.core.s3_address import is_s3, parse_address
from atlas_rt.errors import AtlasError, UsageError
from atlas_rt.library.sources import absolute
from atlas_rt.library.tables.remembered_shards import DIGITS, ShardShelf, keep_shard
from atlas_rt.library.tables.shard import SUFFIX
from atlas_rt.library.tables.shard_file import ShardFile
from atlas_rt.library.tables.table_files import shards_in
from atlas_rt.settings import Settings


class ShardFolder:
    """A shard is named by its content, so one that comes twice lies there once."""

    def __init__(self, settings: Settings, word: str) -> None:
        """word: a folder, which is made where it is not there, `s3://bucket/prefix`, or empty for none."""
        self._settings = settings
        self._address = parse_address(word) if is_s3(word) else None
        self._folder = absolute(word) if word and self._address is None else None
        if self._folder is not None:
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise UsageError(f"The folder for shards cannot be made ({error.strerror}): {self._folder}") from error

    def give_to(self, shelf: ShardShelf, *, model_id: str) -> None:
        """Let a library have the shards of this model that lie here. Raises S3Error."""
        with TemporaryDirectory(prefix="atlas-shards-") as folder:
            for path in self._here(Path(folder)):
                try:
                    with ShardFile(path) as shard:
                        ours = shard.maker.model == model_id
                except AtlasError:
                    continue  # another program's, or cut short
                if ours:
                    shelf.put(path)

    def keep(self, shard: bytes) -> None:
        """Put a shard here. Raises MissingError where the disk refuses, S3Error."""
        if self._folder is not None:
            keep_shard(self._folder, shard)
        if self._address is not None:
            from atlas_rt.aws.s3_connection import S3Connection

            name = f"{hashlib.sha256(shard).hexdigest()[:DIGITS]}{SUFFIX}"
            connection = S3Connection(self._settings.s3)
            connection.call("put_object", self._address.child(name), Body=shard)
            connection.close()

    def _here(self, folder: Path) -> Iterator[Path]:
        if self._folder is not None:
            yield from shards_in(self._folder)
        if self._address is not None:
            yield from fetched(self._settings, [str(self._address)], folder, may_be_empty=True)
