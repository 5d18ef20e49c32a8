"""How the command line talks to people: arguments in any order, the log, errors in a sentence, a word on Ctrl-C."""

import logging
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

import typer

from spectramind_kit.errors import SpectraMindError

INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells have it: 128 and the signal's number."""
_ANYWHERE = ("-v", "--verbose", "-q", "--quiet", "--debug")
_CONFIG = "--config"
_TALKATIVE = ("matplotlib", "PIL", "fontTools", "asyncio", "distributed", "numba", "papermill")


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
        return f"package {package}: wanted it installed, got none; `pip install {package}`, or do without what needs it"
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
