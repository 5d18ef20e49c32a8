"""The part of the correction that physics predicts, linear in a few gains of each channel.

    delta  = g1 depth_bias + g2 fgs1_gain_response + g3 airs_gain_response
    lambda = g4 ln_depth_bias_scatter + g5

A skip connection around the deep network: planets of known depth are too few for that one to find a straight line, but
enough for five numbers a channel. These are learned first, as the maximum of their posterior under a normal prior
around zero, and go on learning with the rest.
"""

import numpy as np
import torch
from torch import Tensor, nn

from spectramind_kit.features.planet import LINEAR_PREDICTORS, NODE

_PLACES = [NODE.index(name) for name in LINEAR_PREDICTORS]
_PRIOR_SCATTER = (2.0, 2.0, 2.0, 0.5, 0.3)
"""Of the gains around zero."""
_N_STEP = 100


class LinearCorrection(nn.Module):
    """The linear skip correction, by channel.

    Args:
        fgs1: (n_wavelength,) bool.
    """

    channel: Tensor

    def __init__(self, fgs1: np.ndarray):
        super().__init__()
        # In a row, because parameters with fewer than two axes are not decayed: the prior below does that here.
        self.gains = nn.Parameter(torch.zeros(2 * len(_PRIOR_SCATTER)))
        self.register_buffer("channel", torch.from_numpy(np.where(fgs1, 0, 1)))

    @property
    def gain(self) -> Tensor:
        """The gains by channel, (2, 5)."""
        return self.gains.view(2, -1)

    def forward(self, node: Tensor) -> Tensor:
        """Return delta and lambda, (batch, n_wavelength, 2), from nodes (batch, n_wavelength, len(NODE))."""
        return _corrected(self.gain[self.channel], node[:, :, _PLACES])

    def learn(self, node: np.ndarray, residual: np.ndarray) -> None:
        """Set the gains to their most probable values given training planets.

        Args:
            node: (n_planet, n_wavelength, len(NODE)).
            residual: (n_planet, n_wavelength) standardised residuals, (truth - mean) / sigma.
        """
        predictors, observed = torch.from_numpy(node[:, :, _PLACES]).double(), torch.from_numpy(residual).double()
        gain = torch.zeros_like(self.gain, dtype=torch.float64, requires_grad=True)
        # A planet weighs one in each channel, not one a wavelength, because its wavelengths err together.
        weight = (1.0 / torch.bincount(self.channel, minlength=2).clamp(min=1))[self.channel].double()
        optimiser = torch.optim.LBFGS([gain], max_iter=_N_STEP, line_search_fn="strong_wolfe")

        def cost() -> Tensor:
            optimiser.zero_grad()
            delta, ln_factor = _corrected(gain[self.channel], predictors).unbind(dim=2)
            likelihood = (ln_factor + 0.5 * ((observed - delta) * torch.exp(-ln_factor)) ** 2) @ weight
            total = likelihood.sum() + 0.5 * ((gain / gain.new_tensor(_PRIOR_SCATTER)) ** 2).sum()
            total.backward()
            return total

        optimiser.step(cost)  # pyright: ignore[reportArgumentType]  # torch's stub wants a float, its LBFGS a tensor
        if torch.isfinite(gain).all():
            self.gain.data.copy_(gain.detach())


def _corrected(gain: Tensor, predictors: Tensor) -> Tensor:
    """Return delta and lambda (batch, n_wavelength, 2).

    Args:
        gain: (n_wavelength, 5).
        predictors: (batch, n_wavelength, 4), the channels ``LINEAR_PREDICTORS``.
    """
    delta = (gain[:, :3] * predictors[:, :, :3]).sum(dim=2)
    return torch.stack((delta, gain[:, 3] * predictors[:, :, 3] + gain[:, 4]), dim=2)
