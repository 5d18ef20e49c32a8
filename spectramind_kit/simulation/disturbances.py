"""What happens in one visit beside transit, drift and jitter; shared by both channels, or drawn for each.

Every effect has random numbers of its own and is described without a cadence: switching one on changes no other,
and a visit is the same in full frames, in small ones and as light curves.
"""

from dataclasses import dataclass

import numpy as np

from spectramind_kit.config import SimulationConfig
from spectramind_kit.instruments import CHANNELS
from spectramind_kit.simulation.pointing_excursions import PointingExcursions, draw_excursions
from spectramind_kit.simulation.ramps_and_cycles import RampAndCycle, draw_ramp_and_cycle
from spectramind_kit.simulation.red_noise import RedNoise, draw_red_noise
from spectramind_kit.simulation.star_spots import CrossedSpot, draw_crossed_spot
from spectramind_kit.simulation.system import SimulatedSystem


@dataclass(frozen=True)
class ChannelDisturbances:
    """Disturbances of one channel.

    Attributes:
        ramp: ramp and thermal cycle of the response.
        red_noise: correlated noise, the same at all wavelengths.
        excursions: of the pointing.
    """

    ramp: RampAndCycle
    red_noise: RedNoise
    excursions: PointingExcursions

    def gain(self, time: np.ndarray, exposure: float, redness: np.ndarray) -> np.ndarray:
        """Return what multiplies the star's light, (n_wavelength, n_time) [1].

        Args:
            time: (n_time,), middle of the exposures [s].
            exposure: their length [s].
            redness: (n_wavelength,), place between the blue end, 0, and the red end, 1.
        """
        ramp = self.ramp.colour(redness)[:, None] * self.ramp.at(time)
        return (1.0 + ramp) * (1.0 + self.red_noise.over(time, exposure))


@dataclass(frozen=True)
class Disturbances:
    """Disturbances of one visit.

    Attributes:
        crossed_spot: on the planet's way, if there is one.
        channels: disturbances of each channel, by its name.
    """

    crossed_spot: CrossedSpot | None
    channels: dict[str, ChannelDisturbances]


def draw_disturbances(system: SimulatedSystem, config: SimulationConfig, rng: np.random.Generator) -> Disturbances:
    """Draw the disturbances of one visit from streams split off ``rng``, whose own numbers stay as they are."""
    spot, ramp, noise, excursions = rng.spawn(4)
    return Disturbances(
        crossed_spot=draw_crossed_spot(system.spots, spot),
        channels={
            name: ChannelDisturbances(
                draw_ramp_and_cycle(config.drift_beyond, ramp),
                draw_red_noise(config.red_noise, noise),
                draw_excursions(config.jitter_tail, excursions),
            )
            for name in CHANNELS
        },
    )
