"""The report."""

from dataclasses import dataclass

from spectramind_kit.settings.quantities import Count, Whole


@dataclass(frozen=True)
class DiagnosticsConfig:
    """The HTML report: how many planets get pictures of their own."""

    planets_shown: Whole
    dpi: Count
