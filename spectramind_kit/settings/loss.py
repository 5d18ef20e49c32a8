"""What training minimises."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from spectramind_kit.settings.quantities import NotNegative, Whole

Weight = Annotated[NotNegative, Field(le=1e6)]


@dataclass(frozen=True)
class TermWeights:
    """Weight of each symbolic term in the loss, by its function in ``symbolic.terms``; 0 leaves a term out.

    Attributes:
        curvature: each point lies near the line between its neighbours, which are within one resolution element.
        graph_laplacian: wavelengths that an edge of the graph connects have similar depths.
        bounds: no negative depth, none above 1.
        fft_tail: the spectrum has no power above the instrument's resolving power.
        line_asymmetry: bands are even about their centres.
        band_coherence: within a band, the slope turns steadily from one resolution element to the next.
        molecular_consistency: no band below the clear windows.
        fgs1_continuity: FGS1 within some scale heights of AIRS-CH0.
        sigma_calibration: mean z^2 of 1 and calibrated coverage.
    """

    curvature: Weight
    graph_laplacian: Weight
    bounds: Weight
    fft_tail: Weight
    line_asymmetry: Weight
    band_coherence: Weight
    molecular_consistency: Weight
    fgs1_continuity: Weight
    sigma_calibration: Weight


@dataclass(frozen=True)
class LossConfig:
    """What training minimises: a likelihood plus weighted symbolic terms.

    Attributes:
        likelihood: "gll" (Gaussian log-likelihood) or "score" (the competition's ratio per element, negated).
        warm_up_steps: the weights of the terms rise linearly from 0 over so many optimiser steps.
        weights: of the symbolic terms [nats, or scores].
    """

    likelihood: Literal["gll", "score"]
    warm_up_steps: Annotated[Whole, Field(le=10000000)]
    weights: TermWeights
