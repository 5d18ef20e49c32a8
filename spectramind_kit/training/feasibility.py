"""Whether a training can come to its end: packages and devices that are wanted at the end are looked for at first."""

from importlib.util import find_spec

from spectramind_kit.config import Config
from spectramind_kit.errors import ConfigurationError
from spectramind_kit.execution.cluster import require_dask
from spectramind_kit.own_models.import_model import is_network, model_class
from spectramind_kit.prediction.device import chosen_device
from spectramind_kit.settings.model import corrects_the_fit, is_own
from spectramind_kit.settings.training import TrainingConfig

_NETWORK_PACKAGES = ("torch", "pytorch_lightning", "safetensors", "torch_geometric")


def refuse_impossible(config: Config) -> None:
    """Refuse a training that would fail after all planets are fitted.

    Args:
        config: of the training.

    Raises:
        ConfigurationError: naming the package or device that is not there.
    """
    if config.executor == "dask":
        require_dask()
    kind = config.model.kind
    if config.training.start_from:
        _require_use_of_start(config)
    if kind == "none":
        return
    if kind != "auto":
        for package in _NETWORK_PACKAGES:
            require_package(package, f"model={kind}", "or model=none, the fit alone")
    if config.training.logger != "csv":
        require_package(config.training.logger, f"training.logger={config.training.logger}", "or training.logger=csv")
    if config.training.device == "cuda":
        chosen_device(config.training)
    if config.training.devices > 1:
        _require_devices(config.training)


def require_package(package: str, wanted_by: str, otherwise: str = "") -> None:
    """Refuse a setting whose package is not installed.

    Args:
        package: that is imported.
        wanted_by: the setting.
        otherwise: what a user could do without.

    Raises:
        ConfigurationError: naming both.
    """
    if find_spec(package) is None:
        remedy = f"pip install {package.replace('_', '-')}{f', {otherwise}' if otherwise else ''}"
        raise ConfigurationError(wanted_by, wanted=f"the package {package}", got="none", remedy=remedy)


def _require_use_of_start(config: Config) -> None:
    """Refuse weights to start from where no network would start from them, or another would be put in their place."""
    kind, where = config.model.kind, "training.start_from"
    network = kind == "auto" or corrects_the_fit(kind)
    if network and is_own(kind):
        network = is_network(model_class(kind))
    if not network:
        raise ConfigurationError(where, wanted="a network to start", got=f"model={kind}", remedy="model=v50_small")
    if epochs := config.training.pretraining_epochs:
        wanted = "training.pretraining_epochs=0: they would learn the encoder of time anew"
        raise ConfigurationError(where, wanted=wanted, got=epochs)


def _require_devices(training: TrainingConfig) -> None:
    """Refuse more processes than there are CUDA devices for them; processes on a CPU share its cores."""
    import torch

    if chosen_device(training) == "cuda" and training.devices > torch.cuda.device_count():
        wanted = f"at most the {torch.cuda.device_count()} CUDA devices that are there"
        raise ConfigurationError("training.devices", wanted=wanted, got=training.devices, remedy="training.devices=1")
