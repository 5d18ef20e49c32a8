"""Ranges that numbers of the configuration must lie in."""

from typing import Annotated

from pydantic import AfterValidator, Field

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Fraction = Annotated[float, Field(ge=0, le=1)]
Whole = Annotated[int, Field(ge=0)]
Count = Annotated[int, Field(ge=1)]
ROWS = 32
"""Rows and columns of a detector window, the wavelengths of AIRS-CH0 apart."""


def _ascending(pair: tuple[int, int]) -> tuple[int, int]:
    if not 0 <= pair[0] < pair[1] <= ROWS:
        raise ValueError(f"first and stop with 0 <= first < stop <= {ROWS}")
    return pair


Range = Annotated[tuple[int, int], AfterValidator(_ascending)]
"""Half-open range of detector rows or columns."""
