"""Samples of a transit in words and numbers, beside Laplace's approximation of the same white light."""

from collections.abc import Callable
from typing import Any

from spectramind_kit.config import Config
from spectramind_kit.diagnostics.fit_page import UNITS
from spectramind_kit.fitting.sampled_transit import SampledTransit
from spectramind_kit.products import LightCurves, Planet

_FEW = 100
"""Effective samples below which quantiles are unsure by a tenth of a sigma and more."""


def sampled_into(
    found: list[SampledTransit], config: Config, live_points: int
) -> Callable[[LightCurves, Planet], None]:
    """Return what samples a visit and appends what it finds.

    Args:
        found: that is appended to.
        config: options of the fit, and the seed.
        live_points: of nested sampling.
    """
    from spectramind_kit.fitting.nested import sample_white_light

    def look(curves: LightCurves, planet: Planet) -> None:
        found.append(sample_white_light(curves, planet, config.fit, live_points, config.seed))

    return look


def describe_sampled(sampled: SampledTransit) -> str:
    """Return the samples in a few lines: Laplace's approximation and quantiles of each parameter, and their worth."""
    lines = ["  white light        Laplace                 sampled: median, to 16 % and 84 %"]
    for name in sampled.names:
        low, median, high = sampled.quantiles(name)
        laplace, unit = sampled.laplace[name], UNITS.get(name, "")
        about = f"{laplace.value:.6g} +- {laplace.error:.2g}"
        lines.append(f"  {name:<18} {about:<23} {median:.6g} -{median - low:.2g} +{high - median:.2g} {unit}".rstrip())
    worth = f"{sampled.effective_samples:.0f} effective samples of {len(sampled.samples)}"
    evidence = sampled.ln_evidence
    lines.append(
        f"  {worth}, {sampled.likelihoods} likelihoods, ln evidence {evidence.value:.1f} +- {evidence.error:.1f}"
    )
    if sampled.effective_samples < _FEW:
        lines.append("  few samples: take more --live-points")
    if sampled.confined:
        lines.append("  samples reach the walls of what was searched: the posterior is wider still")
    return "\n".join(lines)


def sampled_facts(sampled: SampledTransit) -> dict[str, Any]:
    """Return what ``describe_sampled`` says as numbers."""
    parameters = {}
    for name in sampled.names:
        low, median, high = sampled.quantiles(name)
        laplace = sampled.laplace[name]
        parameters[name] = {"median": median, "low": low, "high": high, "unit": UNITS.get(name, "")}
        parameters[name] |= {"laplace": float(laplace.value), "laplace_error": float(laplace.error)}
    facts = {"parameters": parameters, "effective_samples": sampled.effective_samples, "samples": len(sampled.samples)}
    facts |= {"likelihoods": sampled.likelihoods, "confined": sampled.confined}
    evidence = sampled.ln_evidence
    return facts | {"ln_evidence": evidence.value, "ln_evidence_error": evidence.error}
