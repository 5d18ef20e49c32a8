"""The report."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from spectramind_kit.settings.quantities import Count, Whole


@dataclass(frozen=True)
class DiagnosticsConfig:
    """The HTML report.

    Attributes:
        planets_shown: planets that get pictures of their own.
        dpi: resolution of the pictures [dots per inch].
    """

    planets_shown: Annotated[Whole, Field(le=10000)]
    dpi: Annotated[Count, Field(le=1200)]
