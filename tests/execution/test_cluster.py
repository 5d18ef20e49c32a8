"""The same tasks on a dask cluster: results in their places, an address that is used, deaths that cost one planet."""

import os
import sys

import pytest

from spectramind_kit.errors import ConfigurationError
from spectramind_kit.execution.processes import map_planets

distributed = pytest.importorskip("distributed", reason="the extra `scale` is not installed")
PLANETS = [4294967311, 7, 34983, 5]


def square(planet):
    return planet * planet, os.getpid(), os.environ["OMP_NUM_THREADS"]


def die_at_seven(planet):
    if planet == 7:
        os._exit(1)
    return planet


def fail(planet):
    raise ValueError(f"no planet {planet}")


def lost(planet, reason):
    return planet, reason


def run(task, workers=2, scheduler=""):
    return map_planets(task, PLANETS, workers=workers, lost=lost, label="test", executor="dask", scheduler=scheduler)


@pytest.fixture
def few_retries():
    import dask

    with dask.config.set({"distributed.scheduler.allowed-failures": 0}):
        yield


def test_a_cluster_of_this_machine_gives_results_by_planet():
    results = run(square)
    assert {planet: result[0] for planet, result in results.items()} == {p: p * p for p in PLANETS}
    assert list(results) == PLANETS
    assert os.getpid() not in {result[1] for result in results.values()}
    assert {result[2] for result in results.values()} == {"1"}


def test_a_scheduler_s_address_is_used_and_left_running():
    with distributed.LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster:
        workers = {worker.pid for worker in cluster.workers.values()}
        for _ in range(2):
            assert {pid for _, pid, _ in run(square, scheduler=cluster.scheduler_address).values()} <= workers
        with distributed.Client(cluster) as client:
            assert len(client.scheduler_info()["workers"]) == 1


def test_a_dying_worker_costs_its_planet_only(few_retries):
    results = run(die_at_seven)
    assert results.pop(7)[0] == 7
    assert results == {planet: planet for planet in PLANETS if planet != 7}


def test_an_error_of_the_task_is_not_swallowed():
    with pytest.raises(ValueError, match="no planet"):
        run(fail, workers=1)


def test_an_address_without_a_scheduler_is_refused(monkeypatch):
    monkeypatch.setattr("spectramind_kit.execution.cluster.SECONDS_TO_CONNECT", 1)
    with pytest.raises(ConfigurationError, match="dask scheduler 'tcp://127.0.0.1:9'"):
        run(square, scheduler="tcp://127.0.0.1:9")


def test_without_the_package_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ConfigurationError, match=r"spectramind-kit\[scale\]"):
        run(square)
