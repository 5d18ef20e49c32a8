"""Which network ``model=auto`` stands for: the one that this machine trains in reasonable time, or none."""

import logging
from dataclasses import fields, replace

from spectramind_kit.config import Config, load_config
from spectramind_kit.prediction.device import chosen_device

logger = logging.getLogger(__name__)

FEWEST_PLANETS_ON_A_CPU = 100
"""With 40 training planets the network earned a blending weight of zero; with 150 it gained 0.02 in the score."""


def with_chosen_model(config: Config, n_planet: int) -> Config:
    """Return the configuration with "auto" replaced by a kind of model; any other kind stays.

    A CUDA device trains ``model=v50`` in minutes, a CPU in hours: there it is ``model=v50_small``, about a CPU minute
    for every 50 planets, and none where too few planets could bear a network out. Sizes that were set stay.

    Args:
        config: the configuration.
        n_planet: training planets.

    Raises:
        ConfigurationError: if CUDA is asked for and no operation works on it.
    """
    if config.model.kind != "auto":
        return config
    device = chosen_device(config.training)
    if device == "cpu" and n_planet < FEWEST_PLANETS_ON_A_CPU:
        logger.info(
            "model=auto: the fit alone; %d training planets are too few for a network on a CPU (%d wanted); "
            "model=v50_small trains one all the same",
            n_planet,
            FEWEST_PLANETS_ON_A_CPU,
        )
        return replace(config, model=replace(config.model, kind="none"))
    name = "v50" if device == "cuda" else "v50_small"
    logger.info("model=auto: model=%s, for %d training planets on %s", name, n_planet, device)
    shipped, chosen = load_config().model, load_config([f"model={name}"]).model
    untouched = [f.name for f in fields(chosen) if getattr(config.model, f.name) == getattr(shipped, f.name)]
    return replace(config, model=replace(config.model, **{key: getattr(chosen, key) for key in untouched}))
