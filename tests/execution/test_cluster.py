"""The same tasks on a dask cluster: results in their places, an address that is used, deaths that cost one planet."""

import os
import sys
import time

import pytest

from spectramind_kit.errors import ConfigurationError
from spectramind_kit.execution import cluster
from spectramind_kit.execution.cluster import _connected
from spectramind_kit.execution.processes import map_planets
from spectramind_kit.execution.supervisor import Limits
from tests.execution.planet_tasks import misbehave_or_die

distributed = pytest.importorskip("distributed", reason="the extra `scale` is not installed")
PLANETS = [4294967311, 7, 34983, 5]


def square(planet):
    return planet * planet, os.getpid(), os.environ["OMP_NUM_THREADS"]


def lost(planet, reason):
    return planet, reason


def run(task, workers=2, scheduler=""):
    return map_planets(task, PLANETS, workers=workers, lost=lost, label="test", executor="dask", scheduler=scheduler)


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


def test_deaths_hanging_and_errors_cost_their_planets_only():
    limits = Limits(seconds=1.0)
    planets = [3, 5, 7, 9, 10]
    results = map_planets(misbehave_or_die, planets, workers=2, lost=lost, label="test", executor="dask", limits=limits)
    assert all("workers died" in results[planet][1] for planet in (5, 7))
    assert results[3] == (3, "ValueError: no planet 3")
    assert [results[planet] for planet in (9, 10)] == [81, 100]


def test_a_cluster_that_loses_all_workers_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(cluster, "SECONDS_WITHOUT_WORKERS", 1.0)
    with distributed.LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as deserted:
        deserted.scale(0)
        with distributed.Client(deserted) as client:
            while client.scheduler_info()["workers"]:
                time.sleep(0.05)
        results = run(square, scheduler=deserted.scheduler_address)
    assert results == {planet: (planet, cluster.NO_WORKERS) for planet in PLANETS}


def test_an_outcome_that_is_lost_after_it_was_there_costs_no_other_planet(monkeypatch):
    """A worker that dies takes along what it holds; dask then works it out again, and may lose that worker, too."""
    lost_once = []

    def result(self, *arguments, whole=distributed.Future.result):
        if not lost_once:
            lost_once.append(self.key)
            raise distributed.KilledWorker(self.key, None, 0)
        return whole(self, *arguments)

    monkeypatch.setattr(distributed.Future, "result", result)
    assert {planet: found[0] for planet, found in run(square).items()} == {p: p * p for p in PLANETS} and lost_once


def test_the_dashboard_is_for_this_machine_only():
    """Nobody outside may look at the paths of a run."""
    with _connected("", 1) as client:
        scheduler = client.cluster.scheduler
        addresses = {each[0] for server in (scheduler.http_server,) for each in listening(server)}
        assert addresses == {"127.0.0.1"} and scheduler.address.startswith("tcp://127.0.0.1:")


def listening(server):
    return [socket.getsockname() for socket in server._sockets.values()]


def test_an_address_without_a_scheduler_is_refused(monkeypatch):
    monkeypatch.setattr("spectramind_kit.execution.cluster.SECONDS_TO_CONNECT", 1)
    with pytest.raises(ConfigurationError, match="dask scheduler 'tcp://127.0.0.1:9'"):
        run(square, scheduler="tcp://127.0.0.1:9")


def test_without_the_package_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ConfigurationError, match=r"spectramind-kit\[scale\]"):
        run(square)
