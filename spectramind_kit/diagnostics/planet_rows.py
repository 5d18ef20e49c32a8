"""A row a planet: the numbers that say how well it was measured, and why one should look at it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np

from spectramind_kit.diagnostics.planet_digest import PlanetDigest
from spectramind_kit.diagnostics.predictions import Predictions
from spectramind_kit.diagnostics.work_record import WorkRecord
from spectramind_kit.flags import flag_sentences

PPM = 1e6
RUNG_WORDS = {
    "network": "the fit, corrected by the network",
    "fit": "the fit and the prior of spectra",
    "robust fit": "a fit with fewer parameters, because the usual one failed",
    "one channel": "one channel only, because the other's files could not be used",
    "population": "the training planets' mean: nothing of this planet could be used",
}
"""What each rung of the ladder means."""
_LARGE_Z, _LARGE_SIGMA, _RED = 2.0, 2.0, 1.5
"""Errors [sigma], sigmas over the typical one and betas that are remarkable."""
_NOTABLE_Z = 1.2
"""Errors [sigma] that cost score although they are nothing remarkable."""


@dataclass(frozen=True)
class PlanetRow:
    """One planet of the table.

    Attributes:
        planet: its number.
        split: "train" or "test".
        visits: that were fitted.
        rung: what its answer rests on.
        depth: mean predicted depth [%].
        sigma: median predicted sigma of AIRS-CH0 [ppm].
        fgs1_sigma: predicted sigma of FGS1 [ppm].
        score: that it adds to the competition's; None without a truth.
        fit_score: the same of fit and prior alone; None where that was not kept.
        error: rms error of all wavelengths [ppm]; None without a truth.
        fgs1_z: error of FGS1 [sigma]; likewise.
        airs_z: rms error of AIRS-CH0 [sigma]; likewise.
        beta: excess of correlated noise over 20 min, the larger of both channels [1]; None where not measured.
        flags: in words.
        problems: what failed, in words.
        reason: why one should look at it; "" where nothing stands out.
    """

    planet: int
    split: str
    visits: int
    rung: str
    depth: float
    sigma: float
    fgs1_sigma: float
    score: float | None = None
    fit_score: float | None = None
    error: float | None = None
    fgs1_z: float | None = None
    airs_z: float | None = None
    beta: float | None = None
    flags: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    reason: str = ""

    def as_dict(self) -> dict:
        """Return the row as a page or a file carries it."""
        return asdict(self)


def planet_rows(
    predictions: Predictions, fit: Predictions | None, digests: Mapping[int, PlanetDigest], record: WorkRecord
) -> list[PlanetRow]:
    """Return the rows of a split, in the order of its predictions.

    Args:
        predictions: of the split.
        fit: the same planets by fit and prior alone, where known.
        digests: of what is stored, by planet; planets without one have their predictions alone.
        record: of the run.
    """
    p = predictions
    airs_sigma, fgs1_sigma = PPM * np.median(p.sigma[:, 1:], axis=1), PPM * p.sigma[:, 0]
    typical = float(np.median(airs_sigma)), float(np.median(fgs1_sigma))
    rows = []
    for i, planet in enumerate(p.planet_ids.tolist()):
        stored = digests.get(planet, PlanetDigest(planet, p.split))
        failed = (why for _, who, why in record.failures if who == str(planet))
        judged: dict = {}
        if p.truth is not None:
            judged = {
                "score": float(p.planet_scores[i]),
                "fit_score": None if fit is None else float(fit.planet_scores[i]),
                "error": PPM * float(np.sqrt(np.square(p.error[i]).mean())),
                "fgs1_z": float(p.z[i, 0]),
                "airs_z": float(np.sqrt(np.square(p.z[i, 1:]).mean())),
            }
        row = PlanetRow(
            planet=planet,
            split=p.split,
            visits=len(stored.residuals),
            rung=record.rung(p.split, planet),
            depth=100.0 * float(p.mean[i].mean()),
            sigma=float(airs_sigma[i]),
            fgs1_sigma=float(fgs1_sigma[i]),
            beta=stored.beta,
            flags=tuple(flag_sentences(stored.flags)),
            problems=tuple(dict.fromkeys((*stored.problems, *failed))),
            **judged,
        )
        rows.append(replace(row, reason=reason_to_look(row, typical)))
    return rows


def worst_first(rows: Sequence[PlanetRow]) -> list[PlanetRow]:
    """Return planets in the order in which one should look at them.

    Where the truth is known that is by score, the lowest first. Else it is by rung and problems, then by the number of
    flags, then by the size of sigma; planets of this kind come first, because they are what is submitted blindly.

    Args:
        rows: of planets, of one split or of both.
    """

    def urgency(row: PlanetRow) -> tuple:
        if row.score is not None:
            return (True, row.score)
        return (False, row.rung in ("network", "fit") and not row.problems, -len(row.flags), -row.sigma)

    return sorted(rows, key=urgency)


def reason_to_look(row: PlanetRow, typical_sigma: tuple[float, float]) -> str:
    """Return in words why a planet is worth a look; "" where nothing stands out.

    Args:
        row: of the planet.
        typical_sigma: medians over planets of AIRS-CH0's and FGS1's sigma [ppm].
    """
    reasons = []
    if row.rung in ("population", "one channel", "robust fit"):
        reasons.append(f'its answer rests on the rung "{row.rung}"')
    if row.fgs1_z is not None and abs(row.fgs1_z) > _LARGE_Z:
        reasons.append(f"FGS1 is off by {abs(row.fgs1_z):.1f} sigma ({abs(row.fgs1_z) * row.fgs1_sigma:.0f} ppm)")
    if row.airs_z is not None and row.airs_z > _LARGE_Z:
        reasons.append(f"AIRS-CH0 errs by {row.airs_z:.1f} times its sigma")
    for name, sigma, usual in zip(("AIRS-CH0", "FGS1"), (row.sigma, row.fgs1_sigma), typical_sigma):
        if sigma > _LARGE_SIGMA * usual:
            reasons.append(f"{name} sigma is {sigma / usual:.1f} times the typical one ({sigma:.0f} ppm)")
    if row.beta is not None and row.beta > _RED:
        reasons.append(f"residuals over 20 min scatter {row.beta:.1f} times as much as white noise")
    reasons += [*row.flags[:2], *row.problems[:1]]
    return "; ".join(reasons)


def weakness(row: PlanetRow, typical_sigma: float) -> str:
    """Return what costs a planet score although nothing stands out.

    Args:
        row: of the planet.
        typical_sigma: median over planets of AIRS-CH0's sigma [ppm].
    """
    sizes = f"rms error {row.error:.0f} ppm, sigma {row.sigma:.0f} ppm, typically {typical_sigma:.0f} ppm"
    if row.sigma > 1.2 * typical_sigma:
        return f"less certain than most rather than wrong ({sizes})"
    errors = (("FGS1", row.fgs1_z), ("AIRS-CH0", row.airs_z))
    off = [f"{abs(z):.1f} sigma in {name}" for name, z in errors if z is not None and abs(z) > _NOTABLE_Z]
    if off:
        return f"an error of {' and '.join(off)}, as chance has it ({sizes})"
    return f"nothing stands out ({sizes})"
