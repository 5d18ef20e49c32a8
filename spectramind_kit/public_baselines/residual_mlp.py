"""Residual MLPs: the networks of the public baselines ``thang_do_duc`` and ``v1ctorious_80bl_128hd_impact``.

A block is Linear - BatchNorm - ReLU - Dropout - Linear - BatchNorm, plus its input, then ReLU, as in He et al. 2016
with layers in place of convolutions.

What is known: copies of public notebooks (sngraam/NeurIPS-Ariel-Data, vesteny77/NeurIPS-Ariel-Data-Challenge-2025)
load the models "fgs1" and "airs" into networks of exactly this form: 80 blocks, 32 wide with dropout .2 for the FGS1
depth, 128 wide with dropout .3 for the 282 depths of AIRS-CH0. Their inputs are depth, star's radius and inclination,
unscaled.

What is reconstruction: that the notebook of Thang Do Duc ("0.329 LB", forked from V1ctorious3010) is this pair; only
second-hand descriptions of it exist. V1ctorious3010's name "80bl-128hd-impact" names 80 blocks and a width of 128,
which the AIRS-CH0 network has; that "impact" means the impact parameter b = a cos i as a fourth feature is a guess.
"""

from torch import Tensor, nn

N_BLOCK = 80
FGS1_WIDTH, FGS1_DROPOUT = 32, 0.2
AIRS_WIDTH, AIRS_DROPOUT = 128, 0.3


class ResidualMLP(nn.Module):
    """A linear layer, residual blocks, a linear layer.

    Shape: (n_planet, n_input) to (n_planet, n_output).
    """

    def __init__(self, n_input: int, width: int, n_output: int, n_block: int, dropout: float):
        super().__init__()
        self.n_output = n_output
        self.input = nn.Linear(n_input, width)
        self.blocks = nn.Sequential(*(_ResidualBlock(width, dropout) for _ in range(n_block)))
        self.output = nn.Linear(width, n_output)

    def forward(self, features: Tensor) -> Tensor:
        """Return the outputs."""
        return self.output(self.blocks(self.input(features)))


class _ResidualBlock(nn.Module):
    """Two layers and what they are added to."""

    def __init__(self, width: int, dropout: float):
        super().__init__()
        self.change = nn.Sequential(
            nn.Linear(width, width),
            nn.BatchNorm1d(width),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(width, width),
            nn.BatchNorm1d(width),
        )

    def forward(self, x: Tensor) -> Tensor:
        return (x + self.change(x)).relu()


def residual_pair(n_input: int, n_wavelength: int) -> list[nn.Module]:
    """Return the networks of the pair: the first wavelength is FGS1's, the others are AIRS-CH0's."""
    return [
        ResidualMLP(n_input, FGS1_WIDTH, 1, N_BLOCK, FGS1_DROPOUT),
        ResidualMLP(n_input, AIRS_WIDTH, n_wavelength - 1, N_BLOCK, AIRS_DROPOUT),
    ]
