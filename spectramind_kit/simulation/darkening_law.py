"""Limb darkening as a sum of powers of mu, which every law is that we simulate."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class DarkeningLaw:
    """Intensity by wavelength as a sum of powers of mu.

    Attributes:
        powers: (n_power,).
        weights: (n_wavelength, n_power), each row sums to one.
    """

    powers: np.ndarray
    weights: np.ndarray

    def intensity(self, mu: np.ndarray) -> np.ndarray:
        """Return the intensity over that of the centre at mu of any shape (n_wavelength, ...) [1]."""
        shape = (len(self.weights),) + (1,) * (mu.ndim - 1)
        total = np.zeros(np.broadcast_shapes(shape, mu.shape))
        for power, weight in zip(self.powers, self.weights.T):
            total += weight.reshape(shape) * (mu**power if power else 1.0)
        return total

    @property
    def disc_light(self) -> np.ndarray:
        """Return the light of the whole disc, (n_wavelength,) [R_star^2 times the centre's intensity]."""
        return self.weights @ (2.0 * np.pi / (self.powers + 2.0))
