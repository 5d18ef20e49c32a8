"""What physics expects of the correction, weighed by a few gains of its own.

    delta  = g1 stray_pull + g2 fgs1_scale_pull + g3 airs_scale_pull
    lambda = g4 ln_stray_scatter + g5

Planets of known depth are too few to find a straight line in a deep network; five numbers a channel they know well.
These are learned first, as the most probable ones under a prior that they are small, and go on learning with the rest.
"""

import numpy as np
import torch
from torch import Tensor, nn

from spectramind_kit.features.planet import EXPECTED, NODE

_PLACES = [NODE.index(name) for name in EXPECTED]
_SCATTER = (2.0, 2.0, 2.0, 0.5, 0.3)
"""Prior scatter of the gains around zero."""
_N_STEP = 100


class ExpectedCorrection(nn.Module):
    """The expected correction, by channel.

    Args:
        fgs1: (n_wavelength,) bool.
    """

    def __init__(self, fgs1: np.ndarray):
        super().__init__()
        self.gains = nn.Parameter(torch.zeros(2 * len(_SCATTER)))  # in a row, like all that is not decayed
        self.register_buffer("channel", torch.from_numpy(np.where(fgs1, 0, 1)))

    @property
    def gain(self) -> Tensor:
        """The gains by channel, (2, 5)."""
        return self.gains.view(2, -1)

    def forward(self, node: Tensor) -> Tensor:
        """Return delta and lambda, (batch, n_wavelength, 2), from nodes (batch, n_wavelength, len(NODE))."""
        return _corrected(self.gain[self.channel], node[:, :, _PLACES])

    def learn(self, node: np.ndarray, pull: np.ndarray) -> None:
        """Take the most probable gains; a planet counts once in each channel, because its wavelengths err together.

        Args:
            node: (n_planet, n_wavelength, len(NODE)).
            pull: (n_planet, n_wavelength), truth minus answer in sigmas.
        """
        seen, pull = torch.from_numpy(node[:, :, _PLACES]).double(), torch.from_numpy(pull).double()
        gain = torch.zeros_like(self.gain, dtype=torch.float64, requires_grad=True)
        share = (1.0 / torch.bincount(self.channel, minlength=2).clamp(min=1))[self.channel].double()
        optimiser = torch.optim.LBFGS([gain], max_iter=_N_STEP, line_search_fn="strong_wolfe")

        def cost() -> Tensor:
            optimiser.zero_grad()
            delta, ln_factor = _corrected(gain[self.channel], seen).unbind(dim=2)
            likelihood = (ln_factor + 0.5 * ((pull - delta) * torch.exp(-ln_factor)) ** 2) @ share
            total = likelihood.sum() + 0.5 * ((gain / gain.new_tensor(_SCATTER)) ** 2).sum()
            total.backward()
            return total

        optimiser.step(cost)
        if torch.isfinite(gain).all():
            self.gain.data.copy_(gain.detach())


def _corrected(gain: Tensor, seen: Tensor) -> Tensor:
    """Return delta and lambda from gains (n_wavelength, 5) and inputs (batch, n_wavelength, 4)."""
    return torch.stack(((gain[:, :3] * seen[:, :, :3]).sum(dim=2), gain[:, 3] * seen[:, :, 3] + gain[:, 4]), dim=2)
