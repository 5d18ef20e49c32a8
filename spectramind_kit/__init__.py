"""SpectraMind V50: from Ariel's raw detector cubes to a transmission spectrum with honest sigmas.

``import spectramind_kit as sm`` offers ``sm.open``, ``sm.fit``, ``sm.train``, ``sm.submit``, ``sm.score`` and more, see
``spectramind_kit.api``. They are loaded when first asked for, so that the import itself costs nothing.
"""

from importlib import import_module
from typing import Any

__version__ = "0.2.0"

_OFFERED = {
    "api": ("blend", "fit", "light_curves", "open", "predict", "score", "submit", "table", "train"),
    "products": ("DepthEstimate", "LightCurves", "Orbit", "Planet", "Spectrum", "Star", "TransitFit"),
}


def __getattr__(name: str) -> Any:
    for module, names in _OFFERED.items():
        if name in names:
            return getattr(import_module(f"spectramind_kit.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(name for names in (*_OFFERED.values(), ("__version__",)) for name in names)
