"""The process that speaks to Ray. A process of its own, because Ray ends the one that it runs in when the head of its
cluster dies, takes over signals and logging, and writes wherever it likes.

What it says goes into a file; what we want to know comes through a pipe (`ray_job.FromRay`).
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import warnings
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from atlas_rt.distributed.ray_actor import RayActor, columns_of
from atlas_rt.distributed.ray_job import Broken, Connected, Finished, FromRay, MadeShard, RayJob, named
from atlas_rt.errors import MissingError

ANSWER_SECS = 10.0
STORE_BYTES = 200 * 2**20
"""Ray's object store on this machine: only addresses and shards pass through it."""
QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",  # nothing is told to anybody
    "RAY_gcs_rpc_server_reconnect_timeout_s": "15",  # how long a dead head is waited for
    "RAY_OBJECT_STORE_ALLOW_SLOW_STORAGE": "1",  # a small /dev/shm, as containers have it, is enough
    "RAY_DEDUP_LOGS": "0",
    "RAY_COLOR_PREFIX": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}


def drive(job: RayJob, pipe: Connection, folder: Path) -> None:
    """The process's work: everything through the pipe, then the end. folder: for the log and Ray's own files."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who started us hears it, and ends us
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    _write_to(folder / "ray.log")
    os.environ.update(QUIET)
    warnings.simplefilter("ignore")
    try:
        _tell_all(job, pipe, folder)
    except MissingError as error:
        pipe.send(Broken(str(error)))
    except Exception as error:  # noqa: BLE001 - Ray raises anything
        pipe.send(Broken(f"{named(job)} cannot go on ({_reason(error)})"))


def _tell_all(job: RayJob, pipe: Connection, folder: Path) -> None:
    _ask_for_head(job)
    ray = _ray()
    _connect(ray, job, folder)
    try:
        resources = ray.cluster_resources()
        gpus = int(resources.get("GPU", 0))
        workers = gpus or max(1, int(resources.get("CPU", 1)))
        batch = max(1, min(job.batch, -(-len(job.items) // (2 * workers))))
        workers = min(workers, -(-len(job.items) // batch))
        _send(pipe, Connected(workers, gpus))
        for row in _dataset(ray, job, batch=batch, workers=workers, gpus=gpus).iter_rows():
            _send(pipe, MadeShard(row["shard"], int(row["images"]), int(row["failures"])))
        _send(pipe, Finished())
    finally:
        ray.shutdown()


def _ask_for_head(job: RayJob) -> None:
    """Raises MissingError at once where nobody answers at the address; Ray itself would try for half a minute."""
    host, _, port = job.address.rpartition("://")[2].rpartition(":")
    if not host or not port.isdecimal():
        return
    try:
        socket.create_connection((host, int(port)), timeout=ANSWER_SECS).close()
    except OSError as error:
        raise MissingError(f"{named(job)} cannot be reached ({error.strerror or error})") from error


def _ray() -> Any:
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise MissingError("Embedding with Ray needs one more package: `pip install atlas_rt[ray]`") from error
    return ray


def _connect(ray: Any, job: RayJob, folder: Path) -> None:
    """To the cluster that is named, or to one of our own that nobody else can reach. Raises MissingError."""
    common = {"log_to_driver": False, "logging_level": logging.ERROR, "include_dashboard": None}
    try:
        if job.address:
            ray.init(address=job.address, **{**common, "include_dashboard": None})
        else:
            ray.init(
                address="local",  # whatever RAY_ADDRESS says
                num_cpus=job.cpus,
                object_store_memory=STORE_BYTES,
                _node_ip_address="127.0.0.1",
                _temp_dir=str(folder),
                **{**common, "include_dashboard": False},
            )
    except Exception as error:
        raise MissingError(f"{named(job)} cannot be reached ({_reason(error)})") from error


def _dataset(ray: Any, job: RayJob, *, batch: int, workers: int, gpus: int) -> Any:
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    return ray.data.from_items([columns_of(item) for item in job.items]).map_batches(
        RayActor,
        fn_constructor_args=(job_without_items(job),),
        compute=ray.data.ActorPoolStrategy(size=workers),
        batch_size=batch,
        batch_format="pyarrow",
        num_gpus=1 if gpus else None,
        num_cpus=None if gpus else 1,
        # as often as it takes: what kills its actors is set aside by these (`ray_actor`)
        max_restarts=-1,
        max_task_retries=-1,
    )


def job_without_items(job: RayJob) -> RayJob:
    """What an actor needs of a job: its items come batch by batch."""
    return replace(job, items=())


def _send(pipe: Connection, message: FromRay) -> None:
    """Ends the process where nobody listens any more."""
    try:
        pipe.send(message)
    except OSError:
        sys.exit(0)


def _reason(error: BaseException) -> str:
    """Why Ray gave up, in one line: what was raised first, in an actor where it was one. Some of Ray's own errors have
    no text."""
    chain: list[BaseException] = [error]
    while (cause := getattr(chain[-1], "cause", None) or chain[-1].__cause__ or chain[-1].__context__) is not None:
        if not isinstance(cause, BaseException) or cause in chain:
            break
        chain.append(cause)
    telling = next((each for each in reversed(chain) if str(each).strip()), error)
    lines = [line.strip() for line in str(telling).splitlines() if line.strip()]
    return f"{type(telling).__name__}: {lines[-1][:200]}" if lines else type(error).__name__


def _write_to(path: Path) -> None:
    """Send what this process and all that it starts print into a file."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(file, 1)
    os.dup2(file, 2)
