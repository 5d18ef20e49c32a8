"""Planets on a cluster: the same tasks through dask.distributed, on the machines behind a scheduler's address.

Every worker of the cluster needs the package and sees the data and work folders under the same names. Without an
address a cluster of processes is started on this machine and stopped at the end.
"""

import logging
import math
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from spectramind_kit.errors import ConfigurationError, describe
from spectramind_kit.execution.supervisor import OUT_OF_TIME, Limits
from spectramind_kit.execution.worker_process import Outcome, outcome_of

if TYPE_CHECKING:
    from distributed import Client, Future

logger = logging.getLogger(__name__)

SECONDS_TO_CONNECT = 30
SECONDS_WITHOUT_WORKERS = 300.0
"""After which no more are hoped for: dask itself would wait for ever."""
NO_WORKERS = "no worker of the cluster is left"
LOOPBACK = "127.0.0.1"
"""Where a cluster of this machine listens, dashboard included: nobody else needs to reach it."""


def run_on_cluster(
    task: Callable[[int], Any],
    planet_ids: Sequence[int],
    *,
    workers: int,
    scheduler: str,
    limits: Limits,
    arrived: Callable[[int, Outcome], None],
) -> None:
    """Run a task for every planet on a dask cluster.

    A planet whose worker dies is tried once more, alone, to tell the culprit from those that waited behind it.

    Args:
        task: picklable.
        planet_ids: the planets.
        workers: processes of the cluster that is started here if ``scheduler`` is empty.
        scheduler: address of a running scheduler, such as "tcp://10.0.0.1:8786".
        limits: of time; memory is limited by the cluster's own settings.
        arrived: called with every planet and its outcome.

    Raises:
        ConfigurationError: if dask.distributed is not installed or the scheduler does not answer.
    """
    with _connected(scheduler, workers) as client:
        for planet in _submit(client, task, planet_ids, limits, arrived):
            if _submit(client, task, [planet], limits, arrived):
                arrived(planet, Outcome(failure="its workers died (out of memory, or out of time?)"))


def _submit(
    client: "Client",
    task: Callable[[int], Any],
    planet_ids: Sequence[int],
    limits: Limits,
    arrived: Callable[[int, Outcome], None],
) -> list[int]:
    """Run planets on the cluster; return those whose workers died."""
    from distributed import KilledWorker, as_completed

    suspects = []
    timed = partial(_outcome_in_time, task, limits.seconds)
    futures = client.map(timed, list(planet_ids), pure=False)
    waiting = {future.key: planet for future, planet in zip(futures, planet_ids)}
    left, deserted, ended = limits.until - time.monotonic(), threading.Event(), threading.Event()
    watch = partial(_cancel_without_workers, client, futures, deserted, ended)
    threading.Thread(target=watch, daemon=True).start()
    try:
        for future in as_completed(futures, timeout=max(0.0, left) if math.isfinite(left) else None):
            planet = waiting.pop(future.key)
            try:
                outcome = future.result()
            except KilledWorker:  # of the planet's worker, or, after it was done, of the one that held its outcome
                suspects.append(planet)
                continue
            except Exception as error:
                outcome = Outcome(failure=NO_WORKERS if deserted.is_set() else describe(error))
            arrived(planet, outcome)
    except TimeoutError:
        client.cancel(futures)
        for planet in waiting.values():
            arrived(planet, Outcome(failure=OUT_OF_TIME))
    finally:
        ended.set()
    return suspects


def _cancel_without_workers(
    client: "Client", futures: Sequence["Future"], deserted: threading.Event, ended: threading.Event
) -> None:
    """Cancel what is to be done once a cluster has had no workers for long.

    Args:
        client: of the cluster.
        futures: of the planets.
        deserted: set before they are cancelled.
        ended: set by the caller when nobody waits any more.
    """
    since = time.monotonic()
    while not ended.wait(SECONDS_WITHOUT_WORKERS / 60.0):
        try:
            workers = client.scheduler_info()["workers"]
        except (OSError, KeyError):  # the connection is being lost, which the futures tell as well
            workers = {}
        since = time.monotonic() if workers else since
        if time.monotonic() - since > SECONDS_WITHOUT_WORKERS:
            deserted.set()
            client.cancel(list(futures))
            return


def _outcome_in_time(task: Callable[[int], Any], seconds: float, planet_id: int) -> Outcome:
    """Work on a planet; if it takes too long, the worker ends itself and its nanny starts another.

    A thread cannot be ended from outside, and dask has no deadline for a task.
    """
    clock = threading.Timer(min(seconds, threading.TIMEOUT_MAX), os._exit, (1,))
    clock.daemon = True
    clock.start()
    try:
        return outcome_of(task, planet_id)
    finally:
        clock.cancel()


@contextmanager
def _connected(scheduler: str, workers: int) -> Iterator["Client"]:
    """Connect to a scheduler, or start one with workers of one thread each, and let go of it at the end."""
    import dask.config
    from distributed import Client, LocalCluster

    logging.getLogger("distributed").setLevel(logging.WARNING)  # importing it has set another level
    if not scheduler:
        with (
            # A planet whose worker died is tried again here, alone; dask would let it take other workers along.
            dask.config.set({"distributed.scheduler.allowed-failures": 0}),
            LocalCluster(
                n_workers=workers, threads_per_worker=1, host=LOOPBACK, dashboard_address=f"{LOOPBACK}:0"
            ) as cluster,
            Client(cluster) as client,
        ):
            yield client
        return
    try:
        client = Client(scheduler, timeout=SECONDS_TO_CONNECT)
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"dask scheduler {scheduler!r}",
            wanted="a scheduler that answers at this address",
            got=f"{type(error).__name__}: {error}".splitlines()[0],
            remedy="start one with `dask scheduler` and workers with `dask worker ADDRESS --nthreads 1`",
        ) from error
    with client:
        logger.info("dask scheduler %s with %d workers", scheduler, len(client.scheduler_info()["workers"]))
        yield client


def require_dask() -> None:
    """Refuse ``executor=dask`` where dask.distributed is not installed."""
    try:
        import distributed  # noqa: F401
    except ImportError as error:
        raise ConfigurationError(
            "executor=dask",
            wanted="the package distributed",
            got=str(error),
            remedy="pip install 'spectramind-kit[scale]'",
        ) from error
