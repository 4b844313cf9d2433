"""The job of an engine, as the settings describe it."""

from __future__ import annotations

from pathlib import Path

from atlas_rt.core.images import LibraryPlace
from atlas_rt.engine.messages import Job
from atlas_rt.library.personal_data import data_folder
from atlas_rt.library.received import received_folder
from atlas_rt.settings import Settings


def job_of(settings: Settings, place: LibraryPlace, cache: Path, *, niceness: int = 0, stay: bool = False) -> Job:
    """What an engine works on that brings this library up to date.

    niceness: how far it steps back from other processes, 0 to 19. stay: it waits for requests afterwards. Raises
    UsageError where the data folder that is named is none.
    """
    return Job(
        place=place,
        cache=cache,
        model=settings.model,
        seed=settings.seed,
        threads=settings.threads,
        exclude=settings.exclude,
        hidden=settings.hidden,
        ocr=settings.ocr,
        niceness=niceness,
        stay=stay,
        runtime=settings.runtime(cache),
        own_labels=settings.labels_path,
        granularity=settings.granularity,
        s3=settings.s3,
        offline=settings.offline,
        originals_gb=settings.originals_gb,
        poll_secs=settings.poll_secs,
        received=received_folder(data_folder(settings.data_path), place),
    )
