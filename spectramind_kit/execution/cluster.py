"""Planets on a cluster: the same tasks through dask.distributed, on the machines behind a scheduler's address.

Every worker of the cluster needs the package and sees the data and work folders under the same names. Without an
address a cluster of processes is started on this machine and stopped at the end.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import as_completed
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from spectramind_kit.errors import ConfigurationError

if TYPE_CHECKING:
    from distributed import Client

logger = logging.getLogger(__name__)

Result = TypeVar("Result")
SECONDS_TO_CONNECT = 30


def run_on_cluster(
    task: Callable[[int], Result],
    planet_ids: Sequence[int],
    *,
    workers: int,
    scheduler: str,
    lost: Callable[[int, str], Result],
    done: Callable[[], None],
) -> dict[int, Result]:
    """Run a task for every planet on a dask cluster and return the results by planet.

    Args:
        task: picklable; must not raise for a damaged planet.
        planet_ids: the planets.
        workers: processes of the cluster that is started here if ``scheduler`` is empty.
        scheduler: address of a running scheduler, such as "tcp://10.0.0.1:8786".
        lost: makes the result of a planet on which one worker after another died.
        done: called after every planet.

    Raises:
        ConfigurationError: if dask.distributed is not installed or the scheduler does not answer.
    """
    with _connected(scheduler, workers) as client:
        results, suspects = _submit(client, task, planet_ids, done)
        for planet in suspects:  # alone, a second time, to tell the culprit from those that waited behind it
            alone, _ = _submit(client, task, [planet], done)
            if not alone:
                done()
            results |= alone or {planet: lost(planet, "its workers died (out of memory?)")}
    return results


def _submit(
    client: "Client", task: Callable[[int], Result], planet_ids: Sequence[int], done: Callable[[], None]
) -> tuple[dict[int, Result], list[int]]:
    """Run planets on the cluster; return the results and the planets whose workers died."""
    from distributed import KilledWorker

    results: dict[int, Result] = {}
    suspects = []
    executor = client.get_executor(pure=False)
    running = {executor.submit(task, planet): planet for planet in planet_ids}
    for future in as_completed(running):
        planet = running[future]
        try:
            results[planet] = future.result()
        except KilledWorker:
            suspects.append(planet)
        else:
            done()
    return results, suspects


@contextmanager
def _connected(scheduler: str, workers: int) -> Iterator["Client"]:
    """Connect to a scheduler, or start one with workers of one thread each, and let go of it at the end."""
    from distributed import Client, LocalCluster

    logging.getLogger("distributed").setLevel(logging.WARNING)  # importing it has set another level
    if not scheduler:
        with (
            LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=":0") as cluster,
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
