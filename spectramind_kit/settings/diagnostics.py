"""The report."""

from dataclasses import dataclass

from spectramind_kit.settings.quantities import NotNegative, Whole


@dataclass(frozen=True)
class DiagnosticsConfig:
    """The HTML report.

    Attributes:
        planets_shown: planets in depth (raw frames, maps of residuals, correlations), the most urgent first.
        importance_seconds: of a processor that measuring what moves the network may take [s]; 0 leaves it out.
    """

    planets_shown: Whole
    importance_seconds: NotNegative
