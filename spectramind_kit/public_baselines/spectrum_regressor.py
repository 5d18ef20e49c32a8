"""One network for all depths at once: the public baseline ``fawad_awan_spectrum_regressor``.

What is known: Fawad Awan's "Spectrum Regressor" is a multi-output regressor in PyTorch that emits all 283 means in one
pass and no sigma. Its layers, features and loss are not known, and reports of its score contradict each other.

What is reconstruction: everything else. The stand-in is a plain network with three hidden layers on the features of
the other baselines, features and spectra standardised, trained by the recipe of the public residual networks.
"""

from torch import Tensor, nn

WIDTHS = (128, 256, 256)
DROPOUT = 0.1


class SpectrumRegressor(nn.Module):
    """Hidden layers with ReLU and dropout, then all depths.

    Shape: (n_planet, n_input) to (n_planet, n_output).
    """

    def __init__(self, n_input: int, n_output: int, widths: tuple[int, ...] = WIDTHS, dropout: float = DROPOUT):
        super().__init__()
        self.n_output = n_output
        layers: list[nn.Module] = []
        for narrow, wide in zip((n_input, *widths[:-1]), widths):
            layers += [nn.Linear(narrow, wide), nn.ReLU(), nn.Dropout(dropout)]
        self.layers = nn.Sequential(*layers, nn.Linear(widths[-1], n_output))

    def forward(self, features: Tensor) -> Tensor:
        """Return the outputs."""
        return self.layers(features)
