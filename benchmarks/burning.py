"""Work that takes processor time and nothing else; worker processes import it from here."""

import time
from dataclasses import dataclass

import numpy as np

BYTES = 20_000
"""Of an inference."""


@dataclass(frozen=True)
class Burn:
    """A planet's work: so many seconds of processor time."""

    seconds: float

    def __call__(self, planet_id: int) -> np.ndarray:
        """Burn, and return as many bytes as an inference has."""
        end = time.process_time() + self.seconds
        while time.process_time() < end:
            np.linalg.norm(np.ones((100, 100)))
        return np.zeros(BYTES // 8)
