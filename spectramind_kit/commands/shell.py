"""How the command line talks to people: arguments in any order, the log, errors in a sentence, a word on Ctrl-C."""

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

import typer

from spectramind_kit.errors import SpectraMindError
from spectramind_kit.extras import remedy_for

logger = logging.getLogger(__name__)

INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells have it: 128 and the signal's number."""
MULTIRUN = "--multirun"
_ANYWHERE = ("-v", "--verbose", "-q", "--quiet", "--debug")
_CONFIG = "--config"
_TALKATIVE = ("matplotlib", "PIL", "fontTools", "asyncio", "distributed", "numba", "papermill", "alembic")


def gathered(arguments: Sequence[str]) -> list[str]:
    """Return arguments with the options in front that may stand anywhere, and ``--config FILE`` as an override.

    Args:
        arguments: as typed; what follows ``--`` stays as it is.
    """
    words, after = list(arguments), []
    if "--" in words:
        place = words.index("--")
        words, after = words[:place], words[place:]
    front, rest, files = [], [], []
    waiting = iter(words)
    for word in waiting:
        if word in _ANYWHERE:
            front.append(word)
        elif word == _CONFIG:
            files += [f"config={path}" for path in (next(waiting, None),) if path is not None] or [word]
        elif word.startswith(f"{_CONFIG}="):
            files.append(word.removeprefix("--"))
        else:
            rest.append(word)
    return [*front, *rest, *files, *after]


def listen(*, verbose: bool, quiet: bool) -> None:
    """Show the log on standard error.

    Args:
        verbose: every detail.
        quiet: warnings alone, and no progress.
    """
    # Levels of the handler, not of the loggers: a run's record keeps what nobody is shown.
    logging.basicConfig(level=logging.DEBUG if verbose else logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    if quiet:
        os.environ["TQDM_DISABLE"] = "1"
        for handler in logging.getLogger().handlers:
            handler.setLevel(logging.WARNING)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)


def message_of(error: Exception) -> str:
    """Return an error as a user should read it.

    Args:
        error: that ended a command.
    """
    if isinstance(error, SpectraMindError):
        return str(error)
    if isinstance(error, ModuleNotFoundError) and error.name:
        package = error.name.partition(".")[0]
        return f"package {package}: wanted it installed, got none; {remedy_for(package)}"
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename is not None else error.strerror
    if isinstance(error, MemoryError):
        return "memory: wanted more than there is; workers=1 needs the least"
    return f"unexpected {type(error).__name__}: {error}; --debug shows where"


@contextmanager
def ends_with_a_word() -> Iterator[None]:
    """Say after Ctrl-C what it means for the work, whatever the libraries below make of the interrupt."""
    interrupted = False

    def interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal interrupted
        interrupted = True
        raise KeyboardInterrupt

    try:
        before = signal.signal(signal.SIGINT, interrupt)
    except ValueError:  # not the main thread, which alone is interrupted
        yield
        return
    try:
        yield
    except (KeyboardInterrupt, SystemExit):
        if not interrupted:
            raise
        typer.echo("spectramind: interrupted; the same command goes on where it stopped", err=True)
        sys.exit(INTERRUPTED)
    finally:
        signal.signal(signal.SIGINT, before)


def execute(words: Sequence[str]) -> int:
    """Run a command line in a process of its own; return its exit status.

    Args:
        words: of the command line.
    """
    import subprocess  # here: no other command needs it

    return subprocess.run([sys.executable, "-m", "spectramind_kit", *words]).returncode


def calm_threads() -> None:
    """Cap the threads of numeric libraries, which read these variables when they are loaded, so before any command.

    OpenMP's threads spin while they wait for each other: on busy cores that costs more than the work itself. Waiting
    threads that sleep instead make a training on a busy machine seven times as fast.
    """
    from spectramind_kit.environment import available_cores

    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("OMP_NUM_THREADS", str(available_cores()))


@contextmanager
def seconds_logged(doing: str, every: float = 8.0) -> Iterator[None]:
    """Log what is being done, and again every few seconds: for work that cannot count how far it is.

    Args:
        doing: what is done within the block.
        every: so many seconds.
    """
    done, started = threading.Event(), time.monotonic()

    def say() -> None:
        while not done.wait(every):
            logger.info("%s: %.0f s so far", doing, time.monotonic() - started)

    logger.info("%s", doing)
    thread = threading.Thread(target=say, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
