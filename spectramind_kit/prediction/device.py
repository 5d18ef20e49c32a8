"""Where networks are trained and asked."""

from spectramind_kit.environment import usable_cuda
from spectramind_kit.errors import ConfigurationError
from spectramind_kit.settings.training import TrainingConfig


def chosen_device(config: TrainingConfig) -> str:
    """Return "cuda" or "cpu".

    Raises:
        ConfigurationError: if CUDA is asked for and no operation works on it.
    """
    usable = usable_cuda() is not None
    if config.device == "cuda" and not usable:
        raise ConfigurationError(
            "training.device", wanted="a CUDA device on which operations work", got="none", remedy="training.device=cpu"
        )
    return "cuda" if usable and config.device != "cpu" else "cpu"
