"""Wait for something that Kaggle does in its own time: ask, look whether it is over, sleep, give up at last."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from spectramind_kit.errors import PackagingError

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Patience:
    """How long to wait: seconds between two questions, and in all [s]."""

    poll: float
    timeout: float

    def __post_init__(self) -> None:
        if self.poll <= 0 or self.timeout < 0:
            got = f"--poll {self.poll:g} --timeout {self.timeout:g}"
            raise PackagingError("waiting", wanted="--poll above 0, --timeout not below", got=got)


def wait_until(
    ask: Callable[[], Answer], is_over: Callable[[Answer], bool], patience: Patience, what: str, wanted: str
) -> Answer:
    """Ask until the answer says that it is over, and return that answer.

    Raises:
        PackagingError: if it is not over in time; says what the last answer was.
    """
    end = time.monotonic() + patience.timeout
    last = None
    while True:
        answer = ask()
        if is_over(answer):
            return answer
        if answer != last:
            log.info("%s: %s; waiting for %s", what, answer, wanted)
            last = answer
        if time.monotonic() + patience.poll > end:
            remedy = "look at its page on Kaggle, or wait longer: --timeout SECONDS"
            raise PackagingError(what, wanted=f"{wanted} within {patience.timeout:g} s", got=answer, remedy=remedy)
        time.sleep(patience.poll)
