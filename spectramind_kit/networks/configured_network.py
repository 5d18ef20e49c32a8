"""The network that a configuration names: V50, or a torch module of one's own.

One's own is made as ``Class(wavelength, **options)`` and maps a ``Batch`` to a ``Correction``. Where it has a method
``learn(planets, truth)``, that is called once before training, for scales of inputs and whatever has a closed form.
"""

from pathlib import Path

import numpy as np
from torch import nn

from spectramind_kit.errors import SpectraMindError
from spectramind_kit.networks.spectramind import SpectraMindV50
from spectramind_kit.own_models.import_model import is_network, model_class
from spectramind_kit.settings.model import ModelConfig, is_own


def new_network(wavelength: np.ndarray, config: ModelConfig, source: Path | None = None) -> nn.Module:
    """Return an untrained network.

    Args:
        wavelength: (n_wavelength,) [um].
        config: which one, and its sizes.
        source: folder with the code that one's own was trained with; None to look where Python looks.

    Raises:
        SpectraMindError: if one's own cannot be imported, or is no torch module.
    """
    if not is_own(config.kind):
        return SpectraMindV50(wavelength, config)
    model = model_class(config.kind, source)
    if not is_network(model):
        raise SpectraMindError(f"model.kind={config.kind}", wanted="a torch.nn.Module", got=model.__name__)
    return model(wavelength, **(config.options or {}))
