"""The report."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from spectramind_kit.settings.quantities import NotNegative, Whole


@dataclass(frozen=True)
class DiagnosticsConfig:
    """The HTML report.

    Attributes:
        planets_shown: planets in depth (raw frames, maps of residuals, correlations), the most urgent first.
        importance_seconds: of a processor that measuring what moves the network may take [s]; 0 leaves it out.
    """

    planets_shown: Annotated[Whole, Field(le=10000)]
    importance_seconds: Annotated[NotNegative, Field(le=3600)]
