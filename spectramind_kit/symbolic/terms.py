"""Symbolic terms: how far a predicted spectrum is from what physics allows, one pure function a term.

Each takes a spectrum's mean (batch, n_wavelength) [(Rp/Rs)^2] and returns its violation (batch,), dimensionless and
zero where nothing is violated. Most judge the relative shape s = d / L - 1, with L the mean AIRS-CH0 depth, in per
mille: for a depth of 1 % that is 10 ppm, the metric's ideal sigma. So a weight means the same for shallow and deep
planets, and violations do not change when a spectrum is scaled.

Measurements m of the shape (see ``operators``) are averaged after rho(m) = sqrt(1 + m^2) - 1: m^2 / 2 for small m and
|m| for large ones, because a real band head may bend a spectrum sharply at a few wavelengths while noise bends it
everywhere (Charbonnier et al. 1997, IEEE TIP 6, 298).

Where the terms that SpectraMind V50 described were wrong, these differ, and their docstrings give the reason.
"""

import math

import numpy as np
import torch
from torch import Tensor, nn

from spectramind_kit.instruments import is_fgs1
from spectramind_kit.symbolic import operators as measurements
from spectramind_kit.symbolic.bands import RESOLVING_POWER

UNIT = 1e-3
"""One per mille of a spectrum's level [1]."""
SCALE_HEIGHT = 0.003
"""Scale height of a hot Jupiter's air, k T / (mu g), in planetary radii [1]: where a planet's own is not known."""
ALLOWED_SCALE_HEIGHTS = 8.0
"""Between FGS1 and AIRS-CH0's clear window; Rayleigh scattering makes 4 ln(2.1 / 0.7) = 4.4 of them, steeper hazes or
bands within FGS1's band pass some more."""
RED_WINDOW_HEIGHTS = 1.0
"""By how much air may raise the red window, which SO2, H2S and the wing of CO2 reach into [scale heights]."""
COVERAGE_LEVELS = (1.0, 1.959964)
"""Half-widths of the intervals whose coverage is judged [sigma]."""
COVERAGE_SOFTNESS = 0.2
"""Width of the step that counts an error as covered [sigma]."""
_SMALLEST_LEVEL = 1e-6
_SMALLEST_SQUARE = 1e-4
"""Keeps the logarithm of a perfect prediction's mean z^2 finite."""


class SpectralOperators(nn.Module):
    """The measurements of one wavelength grid as buffers, so that they move to a device with the loss.

    Args:
        wavelength: (n_wavelength,) [um], FGS1 first, then AIRS-CH0 ascending.
        dtype: of the buffers.
    """

    level: Tensor
    curvature: Tensor
    spectrum: Tensor
    asymmetry: Tensor
    coherence: Tensor
    height: Tensor
    red_share: Tensor
    continuity: Tensor

    def __init__(self, wavelength: np.ndarray, dtype: torch.dtype = torch.float32):
        super().__init__()
        wavelength = np.asarray(wavelength, dtype=np.float64)
        airs = ~is_fgs1(wavelength)
        height, red_share, self.molecules = measurements.height_operator(wavelength)
        matrices = {
            "level": airs / airs.sum(),
            "curvature": measurements.curvature_operator(wavelength),
            "spectrum": measurements.spectrum_operator(wavelength),
            "asymmetry": measurements.asymmetry_operator(wavelength),
            "coherence": measurements.coherence_operator(wavelength),
            "height": height,
            "red_share": red_share,
            "continuity": measurements.continuity_operator(wavelength),
        }
        for name, matrix in matrices.items():
            self.register_buffer(name, torch.from_numpy(matrix).to(dtype), persistent=False)
        self.span = float(np.log(wavelength[airs][-1] / wavelength[airs][0]))


def relative_shape(mean: Tensor, operators: SpectralOperators) -> Tensor:
    """Return the shape (batch, n_wavelength) in per mille of the level, the mean size of the AIRS-CH0 depths."""
    level = (mean.abs() @ operators.level).clamp_min(_SMALLEST_LEVEL)
    return (mean / level[:, None] - 1.0) / UNIT


def measured(mean: Tensor, operator: Tensor, operators: SpectralOperators) -> Tensor:
    """Return rho of each of an operator's measurements of the shape, (batch, n_measurement)."""
    return _rho(relative_shape(mean, operators) @ operator.T)


def curvature(mean: Tensor, operators: SpectralOperators) -> Tensor:
    """Return the mean rho of how far each AIRS-CH0 point lies off the chord of its neighbours.

    The instrument smears every spectrum over a resolution element, two to eight points long, so that three neighbours
    are nearly in line. The second difference of the index, which V50 took, mixes the unequal spacings of the grid and
    the gap to FGS1 into that; a haze's slope would cost something; here a line in ln(lambda) costs nothing.
    """
    return _average(measured(mean, operators.curvature, operators))


def graph_laplacian(mean: Tensor, operators: SpectralOperators, edge_index: Tensor, weight: Tensor) -> Tensor:
    """Return sum_e w_e rho(s_i - s_j) / sum_e w_e over the edges of a graph.

    For small differences s^T (D - W) s, normalised. Physics where edges join wavelengths that share their light or
    their absorber; the caller chooses the graph.

    Args:
        mean: (batch, n_wavelength) [(Rp/Rs)^2].
        operators: of its grid.
        edge_index: (2, n_edge) places on the wavelength axis.
        weight: (n_edge,) >= 0 [1].
    """
    shape = relative_shape(mean, operators)
    difference = shape[:, edge_index[0]] - shape[:, edge_index[1]]  # (batch, n_edge)
    return (_rho(difference) * weight).sum(dim=1) / weight.sum().clamp_min(1e-12)


def bounds(mean: Tensor, operators: SpectralOperators, margin: float = 0.1) -> Tensor:
    """Return the mean square of how far depths lie below a fraction of the level, or above 1.

    A planet with air is nowhere transparent to its core: no band takes a depth below ``margin`` of its level, let alone
    below zero, which the metric refuses; and no planet hides more than its star. Unlike a softplus barrier the hinge
    costs an allowed spectrum nothing.

    Args:
        mean: (batch, n_wavelength) [(Rp/Rs)^2].
        operators: of its grid.
        margin: smallest allowed depth, in levels [1].
    """
    depth = 1.0 + UNIT * relative_shape(mean, operators)  # in levels
    return _average((margin - depth).clamp_min(0.0).square() + (mean - 1.0).clamp_min(0.0).square())


def fft_tail(mean: Tensor, operators: SpectralOperators, cutoff: float = RESOLVING_POWER) -> Tensor:
    """Return rho of the standard deviation of the shape at frequencies above a cut-off.

    AIRS-CH0 on an even grid of ln(lambda), less its straight line, under a Hann window; by Parseval's theorem the power
    above the cut-off is the variance of what varies faster. The instrument passes next to nothing above its resolving
    power, in cycles per unit of ln(lambda). V50's cut-off was a bin number on the uneven grid, FGS1 included.

    Args:
        mean: (batch, n_wavelength) [(Rp/Rs)^2].
        operators: of its grid.
        cutoff: [cycles per unit of ln(lambda)].
    """
    tapered = relative_shape(mean, operators) @ operators.spectrum.T  # (batch, n_airs)
    n = tapered.shape[1]
    amplitude = torch.fft.rfft(tapered, dim=1)
    frequency = torch.arange(amplitude.shape[1], device=mean.device) * (n - 1) / (n * operators.span)
    # A real signal's negative frequencies are not in its half spectrum: all but zero and Nyquist's count twice.
    sides = torch.full_like(frequency, 2.0)
    sides[0] = 1.0
    if n % 2 == 0:
        sides[-1] = 1.0
    power = (amplitude.real.square() + amplitude.imag.square()) * (sides * (frequency > cutoff))
    hann_square = 3.0 / 8.0
    return _rho_of_square(power.sum(dim=1) / (hann_square * n**2))


def line_asymmetry(mean: Tensor, operators: SpectralOperators) -> Tensor:
    """Return the mean rho of the difference of the two flanks of each band, its straight slope taken off.

    The rotational branches of a band lie about evenly on both sides of its origin, so that an isolated band is about
    even in ln(lambda). A weak rule: band heads, resonances and other molecules' bands break it, so its weight should
    stay zero unless ablation says otherwise. V50 compared the whole spectrum with its mirror image, which no physics
    asks for, or used line centres outside the band pass; here only bands count of which both flanks are covered.
    """
    return _average(measured(mean, operators.asymmetry, operators))


def band_coherence(mean: Tensor, operators: SpectralOperators) -> Tensor:
    """Return the mean rho of the slopes within bands that stick out of their surroundings, per resolution element.

    Within a band the depth follows the logarithm of one smooth opacity, so its slope turns steadily; a slope that jumps
    from one resolution element to the next is noise. V50's variance of the depth or total variation within a band
    punished the band itself.
    """
    return _average(measured(mean, operators.coherence, operators))


def molecular_consistency(
    mean: Tensor, operators: SpectralOperators, scale_height: Tensor | float = SCALE_HEIGHT
) -> Tensor:
    """Return rho of how far the lowest band of a molecule falls below the clear windows, averaged over molecules.

    A molecule's bands rise together, from one abundance, and whatever else is in the air only adds opacity; so no
    mixture takes a band below the line through the windows, were these clear. The red one need not be: SO2 at 4.0 um,
    H2S at 3.8 um and the wing of CO2 at 4.26 um may raise it, and the line with it, so that bands may fall below by
    their share of it. V50 asked bands to lie above the median of a continuum, to look Gaussian and to have monotone
    flanks, which neighbours, clouds and saturation forbid.

    Args:
        mean: (batch, n_wavelength) [(Rp/Rs)^2].
        operators: of its grid.
        scale_height: of each planet (batch,), or one for all [planetary radii].
    """
    height = relative_shape(mean, operators) @ operators.height.T  # (batch, n_band)
    raised = torch.as_tensor(2.0 * RED_WINDOW_HEIGHTS * scale_height / UNIT, dtype=mean.dtype, device=mean.device)
    height = height + raised.reshape(-1, 1) * operators.red_share
    lowest = [height[:, list(bands)].amin(dim=1) for bands in operators.molecules]
    return _average(_rho(torch.stack(lowest, dim=1).clamp_max(0.0)) if lowest else height)


def fgs1_continuity(mean: Tensor, operators: SpectralOperators, scale_height: Tensor | float = SCALE_HEIGHT) -> Tensor:
    """Return rho of the scale heights by which FGS1 and AIRS-CH0's clear window differ, beyond the allowed ones.

    One radius and one atmosphere make both: n scale heights h [planetary radii] between them change the depth by 2 n h
    of itself, and no known continuum makes more than some. V50 pulled FGS1 to the mean of AIRS-CH0, against the haze
    slopes that FGS1 is there to measure.

    Args:
        mean: (batch, n_wavelength) [(Rp/Rs)^2].
        operators: of its grid.
        scale_height: of each planet (batch,), or one for all [planetary radii].
    """
    difference = UNIT * (relative_shape(mean, operators) @ operators.continuity.T)  # (batch, 1)
    heights = difference.abs().sum(dim=1) / (2.0 * scale_height)
    return _rho((heights - ALLOWED_SCALE_HEIGHTS).clamp_min(0.0))


SHAPE_TERMS = (
    curvature,
    bounds,
    fft_tail,
    line_asymmetry,
    band_coherence,
    molecular_consistency,
    fgs1_continuity,
)
"""Terms that need a mean and its grid alone."""
HEIGHT_TERMS = (molecular_consistency, fgs1_continuity)
"""Those that a planet's own scale height makes sharper."""


def sigma_calibration(mean: Tensor, sigma: Tensor, truth: Tensor) -> Tensor:
    """Return q - 1 - ln q of each planet's mean z^2 = q, plus the batch's squared excess of coverage.

    z = (truth - mean) / sigma. The first is zero for q = 1, and its expectation is smallest where that of q is 1,
    however few independent errors a planet has (QLIKE; Patton 2011, J. Econometrics 160, 246); the square of q - 1
    would widen sigmas, that of ln q narrow them. Calibrated sigmas cover 68 and 95 % of errors within 1 and 1.96
    sigma; an error counts through a logistic step, is compared with what that step counts of normal errors, and over
    the batch, as one planet's errors have a common cause. No gradient reaches the mean: V50's
    ((mean - truth)^2 - sigma^2)^2 rewards it for moving away from the truth until sigma is right.

    Args:
        mean: (batch, n_wavelength) predicted [(Rp/Rs)^2].
        sigma: (batch, n_wavelength) predicted [(Rp/Rs)^2].
        truth: (batch, n_wavelength) [(Rp/Rs)^2].
    """
    z = (truth - mean).detach() / sigma
    square = z.square().mean(dim=1) + _SMALLEST_SQUARE
    violation = square - 1.0 - square.log()
    for level in COVERAGE_LEVELS:
        covered = torch.sigmoid((level - z.abs()) / COVERAGE_SOFTNESS).mean()
        violation = violation + (covered - _soft_coverage_of_normal(level)).square()
    return violation


def _soft_coverage_of_normal(level: float) -> float:
    """Return what the soft step counts of standard normal errors."""
    z = np.linspace(-10.0, 10.0, 20_001)
    density = np.exp(-0.5 * z**2) / math.sqrt(2.0 * math.pi)
    step = 1.0 / (1.0 + np.exp(-(level - np.abs(z)) / COVERAGE_SOFTNESS))
    return float((density * step).sum() * (z[1] - z[0]))


def _rho(measurement: Tensor) -> Tensor:
    return _rho_of_square(measurement.square())


def _rho_of_square(square: Tensor) -> Tensor:
    """Return sqrt(1 + q) - 1 without losing small q to rounding."""
    return square / (1.0 + (1.0 + square).sqrt())


def _average(violations: Tensor) -> Tensor:
    """Return the mean over what was measured, (batch,); zero where a grid has nothing to measure."""
    return violations.sum(dim=1) / max(1, violations.shape[1])
