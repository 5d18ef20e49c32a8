"""Products as a notebook shows them: what they are in a line, and a picture below it."""

import html
from collections.abc import Callable
from typing import Any

from matplotlib.figure import Figure

from spectramind_kit.diagnostics.plots import plot_fit, plot_light_curves, plot_spectrum, png_in_text
from spectramind_kit.flags import flag_sentences
from spectramind_kit.products import DepthEstimate, LightCurves, Spectrum, TransitFit

DRAWN: dict[type, tuple[Callable[[Any], Figure], ...]] = {
    LightCurves: (plot_light_curves,),
    TransitFit: (plot_fit, plot_spectrum),
    DepthEstimate: (plot_spectrum,),
    Spectrum: (plot_spectrum,),
}
"""What is drawn of each product."""
_DPI = 90


def html_of(product: object) -> str | None:
    """Return a product with its picture, which needs no other file; None for one that has none.

    Args:
        product: of any kind.
    """
    drawn = DRAWN.get(type(product))
    if drawn is None:
        return None
    lines = [repr(product), *flag_sentences(getattr(product, "flags", {}))]
    text = "<br>".join(html.escape(line) for line in lines)
    return f"<p>{text}</p>" + "".join(_embedded(draw(product)) for draw in drawn)


def _embedded(figure: Figure) -> str:
    return f'<img src="data:image/png;base64,{png_in_text(figure, _DPI)}">'
