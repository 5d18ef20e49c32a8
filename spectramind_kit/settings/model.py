"""What corrects the prediction of fit and prior."""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from spectramind_kit.settings.quantities import Count, Fraction, Whole

PUBLIC_BASELINES = ("thang_do_duc", "v1ctorious_80bl_128hd_impact", "fawad_awan_spectrum_regressor")
"""Kinds of model that predict by themselves."""
KINDS = ("auto", "none", "v50", *PUBLIC_BASELINES)
"""Kinds of model that come with the kit."""
ENTRY_POINTS = "spectramind.models"
"""Group of entry points by which an installed package offers models under short names."""


def is_own(kind: str) -> bool:
    """Return whether a kind of model comes from outside the kit."""
    return kind not in KINDS


def corrects_the_fit(kind: str) -> bool:
    """Return whether a kind of model sees the features of a planet and corrects fit and prior: V50, or one's own."""
    return kind == "v50" or is_own(kind)


def offered_models() -> dict[str, str]:
    """Return the models that installed packages offer, "package.module:Class" by their short names."""
    return {each.name: each.value for each in entry_points(group=ENTRY_POINTS)}


def _known_kind(kind: str) -> str:
    if not is_own(kind) or re.fullmatch(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*", kind):
        return kind
    known = (*KINDS, *offered_models())
    if kind in known:
        return kind
    near = difflib.get_close_matches(kind, known, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise ValueError(f"one of {', '.join(known)}, or package.module:Class for a model of one's own{hint}")


Kind = Annotated[str, AfterValidator(_known_kind)]


@dataclass(frozen=True)
class ModelConfig:
    """What corrects the prediction of fit and prior.

    Attributes:
        kind: "auto" (what the machine and the number of training planets bear), "none" (fit and prior alone), "v50"
            (the network), one of three public baselines, which predict by themselves, or "package.module:Class": a
            torch module or a regressor of one's own, which corrects fit and prior as V50 does.
        d_model: width of the network.
        d_state: states per channel of the selective scan.
        time_layers: depth of its encoder of time.
        graph_layers: depth of its graph over wavelength.
        fusion_layers: depth of the attention between the two.
        heads: attention heads; a divisor of d_model.
        patch: time bins that make one step of the sequence.
        dropout: fraction of activations dropped in training.
        members: networks trained per fold, with different seeds.
        options: arguments of a model of one's own, by name; None is none.
    """

    kind: Kind
    d_model: Annotated[Count, Field(le=4096)]
    d_state: Annotated[Count, Field(le=1024)]
    time_layers: Annotated[Count, Field(le=64)]
    graph_layers: Annotated[Count, Field(le=64)]
    fusion_layers: Annotated[Whole, Field(le=64)]
    heads: Annotated[Count, Field(le=64)]
    patch: Annotated[Count, Field(le=1000)]
    dropout: Annotated[Fraction, Field(le=0.99)]
    members: Annotated[Count, Field(le=100)]
    options: Mapping[str, Any] | None = None

    def __post_init__(self):
        if self.d_model % self.heads:
            raise ValueError(f"heads that divide d_model; {self.heads} do not divide {self.d_model}")
