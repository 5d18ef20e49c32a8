"""The hours that a run may take, and what is dropped so that it keeps them: decided by the speed that was measured.

Nothing here waits or ends anything. Workers ask whether they should hurry; who hands out work asks until when.
"""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

_SHARE_IN_RESERVE = 0.03
"""Of the budget, for what no clock here sees: installing, starting, writing the file."""
_SHARE_OF_NETWORKS = 0.07
_FEWEST_FOR_PACE = 8
"""Planets, after which a pace is known."""


class TimeBudget:
    """When the parts of a run must be done, on the monotonic clock [s].

    Args:
        hours: from now on [h]; 0 is no limit.
    """

    def __init__(self, hours: float):
        seconds, now = 3600.0 * hours if hours else math.inf, time.monotonic()
        self.for_networks = now + (1.0 - _SHARE_IN_RESERVE) * seconds
        """Until when networks may look at planets."""
        self.for_measuring = now + (1.0 - _SHARE_IN_RESERVE - _SHARE_OF_NETWORKS) * seconds
        """Until when planets may be measured."""


@dataclass(frozen=True)
class Pace:
    """How fast planets must be worked on; sent to every worker, since the clock is the same for all of a machine.

    Attributes:
        order: the planets in the order in which they are worked on.
        started: when that began, on the monotonic clock [s].
        until: when it must end.
    """

    order: tuple[int, ...]
    started: float
    until: float

    def too_slow(self, planet_id: int) -> bool:
        """Whether the planets from this one on would not be done in time at the speed of those before it.

        Args:
            planet_id: the next planet.
        """
        place = self.order.index(planet_id)
        if not math.isfinite(self.until) or place < _FEWEST_FOR_PACE:
            return False
        now = time.monotonic()
        return (now - self.started) / place * (len(self.order) - place) > self.until - now


def pace_of(planets: Sequence[int], until: float) -> Pace:
    """Return the pace of planets that are begun now.

    Args:
        planets: in the order in which they will be worked on.
        until: when all must be done, on the monotonic clock [s].
    """
    return Pace(tuple(planets), time.monotonic(), until)
