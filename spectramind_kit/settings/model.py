"""What corrects the prediction of fit and prior."""

from dataclasses import dataclass
from typing import Literal

from spectramind_kit.settings.quantities import Count, Fraction, Whole


@dataclass(frozen=True)
class ModelConfig:
    """What corrects the prediction of fit and prior.

    Attributes:
        kind: "auto" (what the machine and the number of training planets bear), "none" (fit and prior alone), "v50"
            (the network), or one of three public baselines, which predict by themselves.
        d_model: width of the network.
        d_state: states per channel of the selective scan.
        time_layers: depth of its encoder of time.
        graph_layers: depth of its graph over wavelength.
        fusion_layers: depth of the attention between the two.
        heads: attention heads; a divisor of d_model.
        patch: time bins that make one step of the sequence.
        dropout: fraction of activations dropped in training.
        members: networks trained per fold, with different seeds.
    """

    kind: Literal[
        "auto", "none", "v50", "thang_do_duc", "v1ctorious_80bl_128hd_impact", "fawad_awan_spectrum_regressor"
    ]
    d_model: Count
    d_state: Count
    time_layers: Count
    graph_layers: Count
    fusion_layers: Whole
    heads: Count
    patch: Count
    dropout: Fraction
    members: Count
