"""`atlas-rt index --engine ray`: what is new is embedded by a Ray cluster, and comes back as shards.

The library takes the shards in like any others (`library/tables/remembered_shards.py`), so whatever ends a run in the
middle, what came is kept, and the next run sends only what neither the library nor a shard knows.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from atlas_rt.commands.output import ProgressLine, say
from atlas_rt.commands.shard_folder import ShardFolder
from atlas_rt.core.images import LibraryPlace
from atlas_rt.core.reports import Progress
from atlas_rt.core.s3_address import is_s3
from atlas_rt.distributed.ray_job import Connected, MadeShard, RayJob
from atlas_rt.distributed.ray_run import RayRun
from atlas_rt.encoders import registry
from atlas_rt.encoders.registry import Model
from atlas_rt.errors import MissingError
from atlas_rt.library.changes import FailedFile, Todo
from atlas_rt.library.object_listing import ListedObjects, ObjectListing
from atlas_rt.library.scanning import Scanner, matcher
from atlas_rt.library.store import StoredImage, StoreReader
from atlas_rt.library.tables.remembered_shards import RememberedShards, ShardShelf, drop_served, listed_model
from atlas_rt.library.tables.rows import Item
from atlas_rt.settings import Settings

Stamp = tuple[str, int, str | int]
"""Path, size, and ETag or time of change."""


def embed_with_ray(settings: Settings, place: LibraryPlace, cache: Path, *, address: str, shards: str) -> None:
    """Have a cluster embed what is new in a library's sources; the shards are in its folder then.

    shards: a folder or an address in S3 to keep them in too, with what earlier runs left there. Raises MissingError
    where the cluster is gone or was never there; what came before is kept.
    """
    model = _model(settings, place, cache)
    if model.vectors_only:
        return  # nothing can be encoded; the engine says so
    shelf, kept = ShardShelf(place.folder, listed=False), ShardFolder(settings, shards)
    kept.give_to(shelf, model_id=model.id)
    items = _unknown(settings, place, cache, model)
    if not items:
        return
    job = RayJob(
        items,
        model=model.name,
        model_id=model.id,
        cache=cache,
        address=address,
        cpus=settings.threads or os.cpu_count() or 1,
        own_labels=settings.labels_path,
        runtime=settings.runtime(cache),
        s3=settings.s3,
    )
    line, begun = ProgressLine(settings), time.monotonic()
    done = failed = 0
    line.write("starting Ray" if not address else f"connecting to {address}")
    try:
        with RayRun(job) as run:
            for message in run.messages():
                if isinstance(message, Connected):
                    begun = time.monotonic()
                    line.clear()
                    say(settings, _workers(message, job))
                if isinstance(message, MadeShard):
                    shelf.put_bytes(message.data)
                    kept.keep(message.data)
                    done, failed = done + message.images + message.failures, failed + message.failures
                    rate = done / max(time.monotonic() - begun, 1e-3)
                    line.show(Progress("index", done, len(items), rate, (len(items) - done) / rate, failed))
    except MissingError as error:
        rest = f"{done:,} of {len(items):,} images came back and are kept; run it again for the others"
        raise MissingError(f"{error}. {rest}" if done else str(error)) from error
    finally:
        line.clear()


def forget_shards(settings: Settings, place: LibraryPlace, cache: Path) -> None:
    """The library has taken in what came: it is kept there, and need not be twice."""
    model_id = _model(settings, place, cache).id
    with StoreReader.open(place.folder) as store:
        drop_served(place.folder, store.hashes(model_id), model_id=model_id)


def _model(settings: Settings, place: LibraryPlace, cache: Path) -> Model:
    """The model that the engine will use: where shards list a library's images, theirs."""
    listed = listed_model(place.folder) if settings.model == registry.AUTO else ""
    return registry.load(listed or settings.model, cache)


def _workers(connected: Connected, job: RayJob) -> str:
    kind = f", {connected.gpus} of them on GPUs" if connected.gpus else ""
    count = "1 worker" if connected.workers == 1 else f"{connected.workers:,} workers"
    return f"Ray: {len(job.items):,} images for {count}{kind}"


def _unknown(settings: Settings, place: LibraryPlace, cache: Path, model: Model) -> tuple[Item, ...]:
    """What lies in the sources that neither the library has embedded, or seen fail, nor a shard knows."""
    settled, extras = _settled(place, model)
    sources = (*place.sources, *extras)
    listed = {source: _listed(settings, source) for source in sources if is_s3(source)}
    scan = Scanner(settings.exclude, hidden=settings.hidden, cache=cache).scan(sources, listed=listed)
    with RememberedShards(place.folder, model_id=model.id, dim=model.dim) as shards:
        return tuple(
            Item(file.path, file.size, file.mtime_ns, file.etag)
            for file in scan.files
            if (file.path, file.size, file.etag or file.mtime_ns) not in settled
            and file.path not in scan.archived
            and shards.find_item(Todo(0, file.path, file.size, file.mtime_ns, "new", file.etag)) is None
        )


def _listed(settings: Settings, source: str) -> ListedObjects:
    """What lies in a bucket, all of it. Raises S3Error, or MissingError without boto3."""
    from atlas_rt.aws.s3_objects import S3Objects

    if settings.offline:
        return ListedObjects(state="unreadable", reason="--offline forbids to ask S3")
    listing = ObjectListing(source, matcher(settings.exclude), {}, hidden=settings.hidden)
    for page in S3Objects(settings.s3).pages(source):
        listing.take(page)
    return listing.so_far(whole=True)


def _stamp(file: StoredImage | FailedFile) -> Stamp:
    return file.path, file.size, file.etag or file.mtime_ns


def _settled(place: LibraryPlace, model: Model) -> tuple[set[Stamp], tuple[str, ...]]:
    """The files with which nothing is to be done, and the sources that were added to the library."""
    if not (place.folder / "library.db").exists():
        return set(), ()
    with StoreReader.open_older(place.folder) as store:
        settled = {_stamp(each) for each in store.stored_images(model.id)}
        settled |= {_stamp(each) for each in store.failed_files() if each.stage != "read"}
        return settled, store.extras()
