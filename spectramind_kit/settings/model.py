"""What corrects the prediction of fit and prior."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

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
    d_model: Annotated[Count, Field(le=4096)]
    d_state: Annotated[Count, Field(le=1024)]
    time_layers: Annotated[Count, Field(le=64)]
    graph_layers: Annotated[Count, Field(le=64)]
    fusion_layers: Annotated[Whole, Field(le=64)]
    heads: Annotated[Count, Field(le=64)]
    patch: Annotated[Count, Field(le=1000)]
    dropout: Annotated[Fraction, Field(le=0.99)]
    members: Annotated[Count, Field(le=100)]

    def __post_init__(self):
        if self.d_model % self.heads:
            raise ValueError(f"heads that divide d_model; {self.heads} do not divide {self.d_model}")
