"""Wait for something that Kaggle does in its own time: poll its state until it is over, or until a time limit."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from spectramind_kit.errors import PackagingError

log = logging.getLogger(__name__)

State = TypeVar("State")


@dataclass(frozen=True)
class PollingPolicy:
    """How often to ask, and for how long.

    Attributes:
        poll: time between two requests [s].
        timeout: time in all [s].
    """

    poll: float
    timeout: float

    def __post_init__(self) -> None:
        if self.poll <= 0 or self.timeout < 0:
            got = f"--poll {self.poll:g} --timeout {self.timeout:g}"
            raise PackagingError("waiting", wanted="--poll above 0, --timeout not below", got=got)


def wait_until(
    ask: Callable[[], State], is_over: Callable[[State], bool], polling: PollingPolicy, what: str, wanted: str
) -> State:
    """Ask for a state until it is the awaited one, and return it.

    Args:
        ask: requests the state.
        is_over: tells the awaited state.
        polling: how often, and for how long.
        what: the thing waited for, as a noun for messages.
        wanted: the awaited state, for messages.

    Raises:
        PackagingError: if it is not over in time; the message has the last state.
    """
    end = time.monotonic() + polling.timeout
    last = None
    while True:
        state = ask()
        if is_over(state):
            return state
        if state != last:
            log.info("%s: %s; waiting for %s", what, state, wanted)
            last = state
        if time.monotonic() + polling.poll > end:
            remedy = "look at its page on Kaggle, or wait longer: --timeout SECONDS"
            raise PackagingError(what, wanted=f"{wanted} within {polling.timeout:g} s", got=state, remedy=remedy)
        time.sleep(polling.poll)
