"""The simulator."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from spectramind_kit.settings.quantities import Count, Fraction, NotNegative


@dataclass(frozen=True)
class SimulationConfig:
    """What ``spectramind simulate`` makes.

    Attributes:
        physics: "nominal", a detector and planets like the real ones, or "random_world", a world drawn by the seed from
            wide families; its effects have sizes of their own, and of the fields below only the averages and
            ``two_visit_fraction`` count. Neither shares a law or a number with the fit.
        families: kinds that a random world takes instead of those drawn, each ``family=kind``
            (``random_world/world.py``).
        airs_average: real CDS pairs of AIRS-CH0 averaged into one stored pair; 1 is the full size.
        fgs1_average: the same of FGS1.
        two_visit_fraction: fraction of planets with a second visit.
        airs_jitter: pointing jitter per real exposure of AIRS-CH0, standard deviation [pixel].
        fgs1_jitter: the same of FGS1.
        drift: largest coefficient of AIRS-CH0's drift, a polynomial of the time over the visit; FGS1 drifts more [1].
        foreground: additive light, as a fraction of the star's light in a column [1].
        cosmic_rays: hits per visit and channel over the whole detector.
        read_noise: [e-] per read.
        limb_darkening_laws: fraction of stars darkened by a four-parameter law of model atmospheres; the others follow
            their power-2 law.
        star_spots: fraction of a star's disc that spots cover, median over the stars; some are crossed. 0 is off, as if
            the option did not exist, here and for all that follow.
        drift_beyond: median size of a ramp relative to the star; a slow thermal cycle is mostly smaller [1].
        jitter_tail: size of pointing excursions over the standard deviation of ordinary jitter [1].
        red_noise: median standard deviation of correlated noise relative to the star, independent in each channel [1].
        test_shift: shift of the test planets' population; 1 is to hotter stars and other atmospheres [1].
    """

    physics: Literal["nominal", "random_world"]
    families: tuple[str, ...]
    airs_average: Annotated[Count, Field(le=10000)]
    fgs1_average: Annotated[Count, Field(le=100000)]
    two_visit_fraction: Fraction
    airs_jitter: Annotated[NotNegative, Field(le=10)]
    fgs1_jitter: Annotated[NotNegative, Field(le=10)]
    drift: Annotated[NotNegative, Field(le=1)]
    foreground: Annotated[NotNegative, Field(le=10)]
    cosmic_rays: Annotated[NotNegative, Field(le=1e6)]
    read_noise: Annotated[NotNegative, Field(le=1e4)]
    limb_darkening_laws: Fraction
    star_spots: Fraction
    drift_beyond: Annotated[NotNegative, Field(le=1)]
    jitter_tail: Annotated[NotNegative, Field(le=1000)]
    red_noise: Annotated[NotNegative, Field(le=1)]
    test_shift: Annotated[NotNegative, Field(le=10)]
