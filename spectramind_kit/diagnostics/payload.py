"""What a page carries beside its words: numbers rounded, packed by gzip, unpacked by the browser when looked at.

A thousand planets' light curves would be 100 MB of text. Rounded to what a screen shows and packed, a planet takes a
few kB, and a browser unpacks only those that are opened. plotly.js, 4.5 MB, is packed likewise.
"""

import base64
import gzip
import json
import math
from collections.abc import Iterable
from functools import lru_cache
from importlib import resources

import numpy as np

from spectramind_kit.errors import SpectraMindError

_PACKED = "data:application/gzip;base64,"


def packed(text: str | bytes) -> str:
    """Return a text as a data address of gzip, the same for the same text."""
    content = text.encode() if isinstance(text, str) else text
    return _PACKED + base64.b64encode(gzip.compress(content, 6, mtime=0)).decode()


def unpacked(address: str) -> str:
    """Return the text of a data address that ``packed`` made."""
    return gzip.decompress(base64.b64decode(address.removeprefix(_PACKED))).decode()


def packed_json(value: object) -> str:
    """Return a value as packed JSON; numbers that are not finite are null, which plotly leaves out."""
    return packed(json.dumps(value, separators=(",", ":"), allow_nan=False))


def rounded(values: np.ndarray | Iterable[float], digits: int = 3) -> list:
    """Return numbers rounded to some digits of their range, as nested lists; None where they are not finite.

    Args:
        values: of any shape.
        digits: of the range from the lowest to the highest.
    """
    array = np.asarray(values, dtype=np.float64)
    finite = array[np.isfinite(array)]
    spread = float(np.ptp(finite)) or float(np.abs(finite).max()) if finite.size else 0.0
    decimals = digits - math.floor(math.log10(spread)) if spread > 0 else digits
    shortened = np.round(array, max(0, decimals))
    if decimals <= 0:  # whole numbers need no point
        return _without_nan(np.where(np.isfinite(array), shortened, np.nan), int)
    return _without_nan(shortened, float)


def _without_nan(array: np.ndarray, kind: type) -> list:
    if array.ndim > 1:
        return [_without_nan(row, kind) for row in array]
    return [kind(value) if math.isfinite(value) else None for value in array.tolist()]


@lru_cache(maxsize=1)
def packed_plotly() -> str:
    """Return plotly.js, packed.

    Raises:
        SpectraMindError: if plotly is not installed.
    """
    try:
        import plotly  # here: whoever draws no page does without

        return packed((resources.files(plotly) / "package_data" / "plotly.min.js").read_bytes())
    except (ModuleNotFoundError, OSError) as error:
        raise SpectraMindError(
            "figures of the report", wanted="plotly", got=str(error), remedy="pip install plotly"
        ) from error
