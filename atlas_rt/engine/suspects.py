"""Files that were being decoded when an engine died: decoded alone, and after the third time not at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from atlas_rt.engine.crash_log import CRASHES_MAX, CrashLog
from atlas_rt.library.changes import FailedFile, Todo
from atlas_rt.library.store_writer import StoreWriter

REASON = "the decoder crashed on it"


def note_suspects(store: StoreWriter, crash_log: CrashLog) -> None:
    """Whatever was being decoded when the engine last died is a suspect."""
    paths = [image for id_ in crash_log.left_behind() if (image := store.path_of(id_))]
    if paths:
        store.add_suspects(paths)


def condemn(store: StoreWriter, model_id: str, todo: Sequence[Todo], suspects: Mapping[str, int]) -> list[Todo]:
    """The files that crashed too often: they count as failed from now on, and are suspects no more.

    suspects: how often each crashed, by path.
    """
    condemned = [each for each in todo if suspects.get(each.path, 0) >= CRASHES_MAX]
    failed = [FailedFile(each.path, each.size, each.mtime_ns, REASON, "crash") for each in condemned]
    if failed:
        store.commit(model_id, (), failed=failed)
        store.clear_suspects([each.path for each in failed])
    return condemned
