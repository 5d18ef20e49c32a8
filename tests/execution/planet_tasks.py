"""What worker processes do in tests; light, because every worker imports it."""

import ctypes
import os
import signal
import threading
import time

from spectramind_kit.execution.processes import ONE_THREAD

SLOWEST = 4294967311


def square(planet):
    """The first to start is not the first to end."""
    time.sleep(0.2 if planet == SLOWEST else 0.0)
    return planet * planet


def process(planet):
    """Which process works, as the last of its life at planet 7."""
    if planet == 7:
        time.sleep(0.2)  # while the others run
        os._exit(1)
    return os.getpid()


def die_always(planet):
    os._exit(1)


def die_in_workers_of(parent, planet):
    """Die in every process but one."""
    if os.getpid() != parent:
        os._exit(1)
    return planet


def threads(planet):
    return {os.environ[name] for name in ONE_THREAD}, os.getpid()


class Panic(BaseException):
    """Like polars' panics: no ``Exception``, made in a way that cannot be pickled."""

    def __init__(self, one, two):
        super().__init__(f"{one} {two}")


def misbehave(planet):
    """One planet for each way of not coming back; others are squared."""
    if planet == 1:
        raise Panic("index out", "of range")
    if planet == 2:
        raise SystemExit(3)
    if planet == 3:
        raise ValueError("no planet 3")
    if planet == 4:
        return lambda: "not to be pickled"
    if planet == 5:
        time.sleep(1000)
    if planet == 6:
        os.kill(os.getpid(), signal.SIGSTOP)
    if planet == 7:  # in the middle of a long answer
        threading.Timer(0.02, os.kill, (os.getpid(), signal.SIGSTOP)).start()
        return bytes(200_000_000)
    if planet == 8:
        ctypes.string_at(0)
    return planet * planet


def misbehave_or_die(planet):
    """As ``misbehave``; planet 7 ends its process."""
    return os._exit(1) if planet == 7 else misbehave(planet)


def take_memory(planet):
    """Take as many megabytes as the planet's number, and touch them."""
    return len(bytearray(planet * 2**20))


def sleep_and_tell(folder, planet):
    """Leave a file with the process's id, and sleep."""
    (folder / str(planet)).write_text(str(os.getpid()))
    time.sleep(1000)
