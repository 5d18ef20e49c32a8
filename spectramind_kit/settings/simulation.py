"""The simulator."""

from dataclasses import dataclass
from typing import Literal

from spectramind_kit.settings.quantities import Count, NotNegative, Share


@dataclass(frozen=True)
class SimulationConfig:
    """What ``spectramind simulate`` makes.

    Attributes:
        physics: "nominal", which the fit's model knows, or "random_world", a world drawn by the seed from families that
            share nothing with the fit; its effects have sizes of their own, and of the fields below only the averages
            and ``two_visit_fraction`` count.
        families: kinds that a random world takes instead of those drawn, each ``family=kind``
            (``random_world/world.py``).
        airs_average, fgs1_average: real CDS pairs averaged into one stored pair; 1 is the full size.
        two_visit_fraction: share of planets with a second visit.
        airs_jitter, fgs1_jitter: pointing jitter per real exposure, standard deviation [pixel].
        drift: peak-to-peak size of the star's instrumental drift over a visit [1].
        foreground: additive light, as a share of the star's light in a column [1].
        cosmic_rays: hits per visit and channel over the whole detector.
        read_noise: [e-] per read.
        limb_darkening_laws, star_spots, drift_beyond, jitter_tail, red_noise, test_shift: what the fit's model leaves
            out, each explained in ``conf/simulation/full.yaml``; 0 is off, as if the switch did not exist.
    """

    physics: Literal["nominal", "random_world"]
    families: tuple[str, ...]
    airs_average: Count
    fgs1_average: Count
    two_visit_fraction: Share
    airs_jitter: NotNegative
    fgs1_jitter: NotNegative
    drift: NotNegative
    foreground: NotNegative
    cosmic_rays: NotNegative
    read_noise: NotNegative
    limb_darkening_laws: Share
    star_spots: Share
    drift_beyond: NotNegative
    jitter_tail: NotNegative
    red_noise: NotNegative
    test_shift: NotNegative
